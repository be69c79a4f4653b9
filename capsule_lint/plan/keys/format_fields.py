"""The fields in the code of a format string: where they stand, and what they are known by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.plan.literals import literal
from capsule_lint.program.texts.formatted import PERCENT

if TYPE_CHECKING:
    from collections.abc import Iterator

_STARRED: Final = re.compile(r"%[-#0-9 +.]*\*")
_BRACES: Final = re.compile(
    r"\{\{|\}\}|\{(?P<name>\w*)(?P<path>[^{}!:]*)(?:![rsa])?(?::[^{}]*)?\}"
)


class Mark(Struct, frozen=True):
    """A field in the code of a format string; `name` is empty, a number, or a name."""

    start: int
    end: int
    name: str

    @property
    def is_named(self) -> bool:
        """Whether the field is filled by name."""
        return bool(self.name) and not self.name.isdigit()


def has_starred_width(literal: str) -> bool:
    """Whether a width in the code of a literal for `%` is filled in as well: `%*d`."""
    return bool(_STARRED.search(literal))


def marks_in(text: str, *, percent: bool) -> Iterator[Mark]:
    """The fields in the code of a literal, in order."""
    for found in (PERCENT if percent else _BRACES).finditer(text, start_of(text)):
        if found[0] in ("{{", "}}") or (percent and found["kind"] == "%"):
            continue
        yield Mark(found.start(), found.end(), found["name"] or "")


def positions_of(marks: list[Mark]) -> list[int]:
    """Which of the values in order each field takes; -1 for those with names."""
    found, count = [], 0
    for mark in marks:
        if mark.name:
            found.append(int(mark.name) if mark.name.isdigit() else -1)
        else:
            found.append(count)
            count += 1
    return found


def renumbered(text: str, marks: list[Mark], first: int, by: int, at: int) -> tuple[str, int]:
    """The text with the numbers from `first` on moved, and where the place `at` is then."""
    for mark in reversed(marks):
        if mark.name.isdigit() and int(mark.name) >= first:
            moved = str(int(mark.name) + by)
            begin = mark.start + 1
            text = text[:begin] + moved + text[begin + len(mark.name) :]
            at += (len(moved) - len(mark.name)) if mark.end <= at else 0
    return text, at


def start_of(code: str) -> int:
    """Where the text begins in the code of a literal, behind its quotes."""
    known = literal(code)
    return known.start if known is not None else 0
