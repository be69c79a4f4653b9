"""Where the replacement fields of an f-string stand: Python 3.11's `ast` does not say it reliably."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_LITERAL = re.compile(r"(?P<prefix>[A-Za-z]{0,2})(?P<quote>\"\"\"|'''|\"|')")
_BETWEEN = re.compile(r"(?:\s|\\\r?\n|#[^\n]*\n|\(|\))*")
_OPENING, _CLOSING = "([{", ")]}"


class Field(Struct, frozen=True):
    """The expression of a replacement field: where its text starts in the source, and the text."""

    offset: int
    text: str


def fields(source: str, start: int, end: int) -> Iterator[Field]:
    """The outermost replacement fields of the (implicitly concatenated) string literals in
    `source[start:end]`, in order."""
    at = start
    while at < end:
        between = _BETWEEN.match(source, at)
        at = between.end() if between else at
        opening = _LITERAL.match(source, at)
        if at >= end or opening is None:
            return
        prefix, quote = opening["prefix"].lower(), opening["quote"]
        at = opening.end()
        close = yield from _scan(source, at, quote, raw="r" in prefix, formatted="f" in prefix)
        at = close + len(quote)


def _scan(
    source: str, at: int, quote: str, *, raw: bool, formatted: bool
) -> Generator[Field, None, int]:
    """Yield the fields of one literal whose text starts at `at`; returns where its quote closes."""
    while not source.startswith(quote, at):
        char = source[at]
        if char == "\\" and not (raw and formatted and source[at + 1] in "{}"):
            at += 2
            if not raw and formatted and source[at - 1] == "N" and source[at] == "{":
                at = source.index("}", at) + 1
        elif formatted and char == "{":
            if source[at + 1] == "{":
                at += 2
            else:
                stop, after = _field_end(source, at + 1)
                yield Field(at + 1, source[at + 1 : stop])
                at = after
        else:
            at += 1
    return at


def _field_end(source: str, at: int) -> tuple[int, int]:
    """Where the expression that starts at `at` ends, and where its field does (after the brace)."""
    depth = 0
    while True:
        char = source[at]
        if char in "\"'":
            literal = _LITERAL.match(source, at)
            assert literal is not None
            at = source.index(literal["quote"], literal.end()) + len(literal["quote"])
            continue
        if depth == 0 and char == "!" and source[at + 1] != "=":
            return at, _spec_end(source, at)
        if depth == 0 and char == ":":
            return at, _spec_end(source, at)
        if depth == 0 and char == "=" and source[at + 1] in "}!:":
            return at, _spec_end(source, at)
        if depth == 0 and char == "}":
            return at, at + 1
        depth += (char in _OPENING) - (char in _CLOSING)
        at += 1


def _spec_end(source: str, at: int) -> int:
    depth = 0
    while depth or source[at] != "}":
        depth += (source[at] == "{") - (source[at] == "}")
        at += 1
    return at + 1
