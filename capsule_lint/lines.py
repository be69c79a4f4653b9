"""The lines of a text, as Python's tokenizer counts them, and what differs between two texts."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from capsule_lint.model import Edit, Position, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_BODY: Final = re.compile(
    r"^(?:(?:async )?def |class |if |for |with |\)).*:[ \t]*(?:#.*)?(?:\r\n|\r|\n)"
    r"(?:[ \t]*(?:#.*)?(?:\r\n|\r|\n))*([ \t]+)\S",
    re.MULTILINE,
)
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$")


def lines_of(source: str) -> list[str]:
    """The lines of a text with their ends."""
    return _LINE.findall(source)


def newline_of(source: str) -> str:
    """The end of a text's first line."""
    found = re.search(r"\r\n|\r|\n", source)
    return found[0] if found else "\n"


def unit_of(source: str) -> str:
    """By what the first body of a text is indented; four spaces where it has none."""
    found = _FIRST_BODY.search(source)
    return found[1] if found else "    "


def edits(before: str, after: str, filename: str) -> tuple[Edit, ...]:
    """The replacements, line by line, that turn one text into the other."""
    new = lines_of(after)
    return tuple(
        Edit(filename, Span(Position(a + 1, 1), Position(b + 1, 1)), "".join(new[c:d]))
        for a, b, c, d in _differences(lines_of(before), new)
    )


def line_changes(before: str, after: str) -> tuple[int, int]:
    """How many lines a change adds and removes."""
    found = list(_differences(lines_of(before), lines_of(after)))
    return sum(d - c for _, _, c, d in found), sum(b - a for a, b, _, _ in found)


def _differences(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where lines differ: from the first to the one behind the last, in the one and in the other."""
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield a, b, c, d
