"""What a line says and may be broken at: its statement, its value, and the operators of that which bind least."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.rewrite.brackets import CLOSING, OPENING, bare, scan, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.rewrite.brackets import Pair

_TERNARY: Final = re.compile(r" (?:if|else) ")
_LEVELS: Final = (
    _TERNARY,
    re.compile(r" or "),
    re.compile(r" and "),
    re.compile(r" (?:==|!=|<=|>=|<|>|not in|in|is not|is) "),
    re.compile(r" \| "),
    re.compile(r" \^ "),
    re.compile(r" & "),
    re.compile(r" (?:<<|>>) "),
    re.compile(r" [+-] "),
    re.compile(r" (?:\*|//?|%|@) "),
)
"""The operators that take two operands, those that bind least first."""
_HEADER: Final = re.compile(r"\s*(?:if|elif|while|(?:async )?for [^()\[\]]*? in) (?=.*:$)")
_KEYWORD: Final = re.compile(r"\s*(?:return|assert) ")
_EQUALS: Final = re.compile(r" (?:[-+*/|&]|//)?= ")
_PREFIX: Final = re.compile(
    r"\s*(?:\w+=(?!=)|(?:\"[^\"]*\"|'[^']*'|[\w.]+): |(?:async )?for [^()\[\]]*? in |if |\*\*?(?=\w))?"
)


class Parts(Struct, frozen=True):
    """A line in three: what comes before its value, the value, and what comes after."""

    before: str
    value: str
    after: str


def statement(line: str, pairs: Sequence[Pair]) -> Parts | None:
    """A statement whose value may have brackets of its own: `return …`, `x = …`, `if …:`."""
    header = _HEADER.match(line)
    if header is not None:
        return Parts(header[0], line[header.end() : -1], ":")
    keyword = _KEYWORD.match(line)
    if keyword is not None:
        return Parts(keyword[0], line[keyword.end() :], "")
    sides = split(line, pairs, _EQUALS)
    if len(sides) == 1:
        return None
    value = sides[-1].partition("= ")[2]
    return Parts(line[: len(line) - len(value)], value, "")


def element(line: str) -> Parts:
    """What stands between brackets: `name=…,`, `"key": …`, `for x in …`."""
    found = _PREFIX.match(line)
    end = found.end() if found is not None else 0
    value = line[end:].removesuffix(",")
    return Parts(line[:end], value, line[end + len(value) :])


def operands(value: str) -> list[str]:
    """A value at those of its operators that bind least, or a chain of calls at its dots; all parts but the first begin
    with theirs."""
    pairs = scan(value)
    if pairs is None or re.search(r"\blambda\b", bare(value, pairs)):
        return [value]
    for level in _LEVELS:
        found = split(value, pairs, level, first=True)
        if len(found) > 1:
            return found
    return _links(value, pairs)


def _links(value: str, pairs: Sequence[Pair]) -> list[str]:
    """A value at the dots behind its calls and subscripts, where there are several; else whole."""
    behind = [p for p in pairs if value[p.start] == "(" or _is_subscript(value, p)]
    dots = [p.end + 1 for p in behind if value.startswith(".", p.end + 1)]
    chained = len(dots) > 1 and not value.startswith("await ")
    return [value[a:b] for a, b in pairwise([0, *dots, len(value)])] if chained else [value]


def needs_brackets(value: str, parts: Sequence[str]) -> bool:
    """Whether formatters put brackets around a value of these operands rather than open one that it has:
    they do so unless there are two operands, and it starts or ends with brackets that hold something."""
    if len(parts) != 2 or _TERNARY.match(f" {parts[1]} "[: len(" else ")]):
        return len(parts) > 1
    pairs = scan(value) or ()
    return not any(
        value[p.start + 1 : p.end].strip()
        and (p.start == 0 or (p.end == len(value) - 1 and not _is_subscript(value, p)))
        for p in pairs
    )


def _is_subscript(value: str, pair: Pair) -> bool:
    before = value[: pair.start][-1:]
    return value[pair.start] == "[" and (before.isalnum() or before in tuple(f"_{CLOSING}\"'"))


def opens(line: str) -> bool:
    """Whether the last bracket of a line is closed on another one."""
    return line.endswith(tuple(OPENING)) and scan(line[:-1]) is not None
