"""The fields in the code of a format string: where they stand, and what they are known by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from msgspec import Struct

from capsule_lint.plan.literals import literal
from capsule_lint.program.texts.formatted import DOLLARS, PERCENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_STARRED: Final = re.compile(r"%[-#0-9 +.]*\*")
_BRACES: Final = re.compile(
    r"\{\{|\}\}|\{(?P<name>\w*)(?P<path>[^{}!:]*)(?:![rsa])?(?::[^{}]*)?\}"
)
Sign: TypeAlias = Literal["%", "{", "$"]
"""What fields begin with: those for `%`, for `.format`, and for `string.Template`."""
_PATH: Final = re.compile(r"(?:\.\w+)+")


class Mark(Struct, frozen=True):
    """A field in the code of a format string; `name` is empty, a number, or a name, and `path` says what is taken of
    what fills it: `.tenant_id` of `{0.tenant_id}`."""

    start: int
    end: int
    name: str
    path: str = ""

    @property
    def is_named(self) -> bool:
        """Whether the field is filled by name."""
        return bool(self.name) and not self.name.isdigit()


def has_starred_width(literal: str) -> bool:
    """Whether a width in the code of a literal for `%` is filled in as well: `%*d`."""
    return bool(_STARRED.search(literal))


def marks_in(text: str, sign: Sign) -> Iterator[Mark]:
    """The fields in the code of a literal, in order."""
    forms = {"%": PERCENT, "{": _BRACES, "$": DOLLARS}
    for found in forms[sign].finditer(text, start_of(text)):
        if found[0] in ("{{", "}}", "$$") or (sign == "%" and found["kind"] == "%"):
            continue
        name = (found["plain"] or found["braced"]) if sign == "$" else found["name"]
        yield Mark(found.start(), found.end(), name or "", found["path"] if sign == "{" else "")


def named(sign: Sign, name: str, like: str, *, apart: bool) -> str:
    """A field that is filled by name, beside one whose code is `like`; whether it stands apart says that no letter
    comes behind it."""
    match sign:
        case "%":
            return f"%({name})s"
        case "{":
            return f"{{{name}}}"
        case "$":
            return f"${name}" if apart and "{" not in like else f"${{{name}}}"


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


def of_same_object(like: Mark, code: str | None, holes: Sequence[str]) -> list[str]:
    """New fields that say attributes of what fills another one of some code: `{0.capsule_id}` for `self.capsule_id`
    beside `{0.tenant_id}`, where that is filled with `self`; none if any of them is something else."""
    rests = [hole.removeprefix(code or "") for hole in holes]
    if not (code and like.name and like.path) or not all(map(_PATH.fullmatch, rests)):
        return []
    return [f"{{{like.name}{rest}}}" for rest in rests]


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
