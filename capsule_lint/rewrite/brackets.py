"""The brackets and strings of one line of code, and the marks outside of them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OPENING: Final = "([{"
CLOSING: Final = ")]}"
FOR: Final = re.compile(r" (?:async for|for) ")
_LAMBDA: Final = re.compile(r"(?<!\w)lambda\b")
"""Commas from here to the colon are those of parameters."""
_BEGINNINGS: Final = frozenset("'\"rbufRBUF")
"""What string literals begin with."""
_STRING = re.compile(r"(?i:[rbuf]{0,2})(?P<quote>'''|\"\"\"|'|\")")


class Pair(Struct, frozen=True):
    """A pair of outermost brackets of a line: the offsets of both, and of the commas between."""

    start: int
    end: int
    commas: tuple[int, ...]


def scan(line: str) -> list[Pair] | None:
    """The outermost brackets of a line; `None` when it is no whole piece of code by itself."""
    pairs: list[Pair] = []
    stack: list[int] = []
    commas: list[int] = []
    each = False  # the commas of a comprehension are those of its targets
    parameters = False
    at = 0
    while at < len(line):
        char = line[at]
        if char in _BEGINNINGS:
            end = _string_at(line, at)
            if end < 0:
                return None
            if end > at:
                at = end
                continue
        if char == "#":
            return None
        if char in OPENING:
            stack.append(at)
        elif char in CLOSING:
            if not stack:
                return None
            start = stack.pop()
            if not stack:
                pairs.append(Pair(start, at, () if each else tuple(commas)))
                commas, each = [], False
        elif len(stack) == 1:
            if parameters or char == "l":
                parameters = _in_parameters(line, at, parameters)
            each = each or (char == " " and FOR.match(line, at) is not None)
            if char == "," and not parameters:
                commas.append(at)
        at += 1
    return pairs if not stack else None


def _in_parameters(line: str, at: int, before: bool) -> bool:
    """Whether a place is among the parameters of a lambda, if the one `before` it was or was not."""
    return _LAMBDA.match(line, at) is not None or (before and line[at] != ":")


def _string_at(line: str, at: int) -> int:
    """Where the string literal that starts at `at` ends: `at` itself if none does, -1 if it is open."""
    if line[at] not in _BEGINNINGS or (at and (line[at - 1].isalnum() or line[at - 1] == "_")):
        return at
    string = _STRING.match(line, at)
    return at if string is None else _string_end(line, string.end(), string["quote"])


def _string_end(line: str, at: int, quote: str) -> int:
    while at < len(line):
        if line[at] == "\\":
            at += 2
        elif line.startswith(quote, at):
            return at + len(quote)
        else:
            at += 1
    return -1


def split(
    part: str, pairs: Sequence[Pair], mark: re.Pattern[str], *, first: bool = False
) -> list[str]:
    """A part at the marks outside of its brackets; at a leading `if` only where it may be the `first`."""
    cuts = [0]
    behind = 0
    for at in _outside(part, pairs):
        word = mark.match(part, at) if at >= behind else None
        if word is not None:
            behind = word.end()
            if first or len(cuts) > 1 or word[0] != " if ":
                cuts.append(at + 1)
    return [part[a:b].strip() for a, b in pairwise([*cuts, len(part)])]


def bare(line: str, pairs: Sequence[Pair]) -> str:
    """A line without what stands in its brackets."""
    cuts = [0, *(at for p in pairs for at in (p.start + 1, p.end)), len(line)]
    return "".join(line[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True))


def outer_commas(line: str, pairs: Sequence[Pair]) -> tuple[int, ...]:
    """The commas between elements that no bracket and no string of a line holds."""
    if len(split(line, pairs, FOR)) > 1:
        return ()
    found, parameters = [], False
    for at in _outside(line, pairs):
        parameters = _in_parameters(line, at, parameters)
        if line[at] == "," and not parameters:
            found.append(at)
    return tuple(found)


def _outside(line: str, pairs: Sequence[Pair]) -> Iterator[int]:
    """The places in a line that are in no bracket and in no string."""
    inside = {p.start: p.end for p in pairs}
    at = 0
    while at < len(line):
        string = _string_at(line, at)
        if string > at:
            at = string
        elif at in inside:
            at = inside[at] + 1
        else:
            yield at
            at += 1
