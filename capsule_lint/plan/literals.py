"""The code of string literals, taken apart."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

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
