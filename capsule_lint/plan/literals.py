"""The code of string literals, taken apart."""

from __future__ import annotations

import io
import re
import token
import tokenize
from typing import Final

from msgspec import Struct

from capsule_lint.model import Position, Span

_OPENING: Final = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<quote>\"\"\"|'''|\"|')")


class Literal(Struct, frozen=True):
    """The source of one string literal: its prefix, its quote, and what stands between the quotes."""

    prefix: str
    quote: str
    body: str

    @property
    def formatted(self) -> bool:
        """Whether it is an f-string."""
        return "f" in self.prefix.lower()

    @property
    def start(self) -> int:
        """Where its body begins."""
        return len(self.prefix) + len(self.quote)

    @property
    def raw(self) -> bool:
        """Whether a backslash in it is one."""
        return "r" in self.prefix.lower()

    @property
    def single(self) -> bool:
        """Whether it is one literal, and no implicit concatenation of several."""
        return self.quote not in self.body

    def code(self, body: str, *, formatted: bool) -> str:
        """The literal with another body."""
        prefix = self.prefix
        if formatted and not self.formatted:
            prefix = f"{prefix.replace('u', '').replace('U', '')}f"
        return f"{prefix}{self.quote}{body}{self.quote}"


def literal(code: str) -> Literal | None:
    """The parts of the code of a string literal; `None` for any other code."""
    opening = _OPENING.match(code)
    if opening is None:
        return None
    quote = opening["quote"]
    return Literal(opening["prefix"], quote, code[opening.end() : -len(quote)])


def plain_literal(code: str) -> Literal | None:
    """The same, but `None` for a literal with escapes: its body is not its text."""
    return literal(code) if "\\" not in code else None


def changed_part(span: Span, old: str, new: str) -> tuple[Span, str]:
    """Where code changes that is a text in several literals, and what the one becomes that changes: the lines of
    the others stay as they are. The whole where that is not one of them."""
    if "\n" not in old:
        return span, new
    before, after = _literals(old), _literals(new)
    changed = [
        pair for pair in zip(before, after, strict=False) if pair[0].string != pair[1].string
    ]
    if len(before) != len(after) or len(changed) != 1:
        return span, new
    was, now = changed[0]
    start, end = (_moved(span.start, *place) for place in (was.start, was.end))
    return Span(start, end), now.string


def _literals(code: str) -> list[tokenize.TokenInfo]:
    lines = io.StringIO(f"({code})")  # so that it may go over several lines
    return [one for one in tokenize.generate_tokens(lines.readline) if one.type == token.STRING]


def _moved(start: Position, row: int, column: int) -> Position:
    """A place in a file, from one in code that begins with a bracket that is not in the file."""
    if row == 1:
        return Position(start.row, start.column + column - 1)
    return Position(start.row + row - 1, column + 1)
