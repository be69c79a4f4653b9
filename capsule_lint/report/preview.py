"""What the edits of a finding do to the file it is in: a few lines before and after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.report.excerpt import Line, Window
from capsule_lint.report.text import GREEN, RED, counted, painted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.model import Edit, Finding, Position

_MOST = 12
"""How many lines of a change are shown."""
_NEWLINE = re.compile(r"\r\n|\r|\n")


class Hunk(Struct, frozen=True):
    """Neighbouring lines that are replaced; `row` is the first of them."""

    row: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def preview(finding: Finding, lines: Sequence[str], room: int, color: bool) -> list[str]:
    """What changes in the finding's file, from the finding on, and how much is left out."""
    edits = finding.suggestion.edits if finding.suggestion else ()
    here = [edit for edit in edits if edit.filename == finding.filename]
    hunks = [hunk for group in _groups(here) if (hunk := _hunk(group, lines))]
    near = [hunk for hunk in hunks if _last(hunk) >= finding.span.start.row] or hunks
    digits = len(str(max((_last(hunk) for hunk in hunks), default=1)))
    shown = [line for hunk in near for line in _marked(hunk, digits, room, color)][:_MOST]
    hidden = sum(len(hunk.before) + len(hunk.after) for hunk in hunks) - len(shown)
    elsewhere = {edit.filename for edit in edits} - {finding.filename}
    return [*shown, *_left_out(hidden, len(elsewhere))]


def _left_out(lines: int, files: int) -> Iterator[str]:
    parts = [
        *([counted(lines, "more line")] if lines else []),
        *([counted(files, "more file")] if files else []),
    ]
    if parts:
        yield f"… and {' and '.join(parts)}"


def _last(hunk: Hunk) -> int:
    return hunk.row + max(len(hunk.before) - 1, 0)


def _marked(hunk: Hunk, digits: int, room: int, color: bool) -> Iterator[str]:
    window = Window(0, max(room - digits - 3, 1))
    for row, line in enumerate(hunk.before, hunk.row):
        yield painted(f"{row:>{digits}} - {Line.of(line).cropped(window)}".rstrip(), RED, color)
    for line in hunk.after:
        yield painted(f"{'':>{digits}} + {Line.of(line).cropped(window)}".rstrip(), GREEN, color)


def _groups(edits: Iterable[Edit]) -> Iterator[list[Edit]]:
    """Edits that touch the same lines, together."""
    group: list[Edit] = []
    last = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        if group and edit.span.start.row > last:
            yield group
            group = []
        group.append(edit)
        last = max(last, edit.span.end.row)
    if group:
        yield group


def _hunk(edits: Sequence[Edit], lines: Sequence[str]) -> Hunk | None:
    """What the lines that `edits` touch become; nothing where they stay what they are."""
    first = min(edits[0].span.start.row, len(lines) + 1)
    last = max(edit.span.end.row for edit in edits)
    before = [line.rstrip("\r\n") for line in [*lines, ""][first - 1 : last]]
    text = "\n".join(before)
    for edit in reversed(edits):
        start, end = (_offset(before, place, first) for place in (edit.span.start, edit.span.end))
        text = text[:start] + _NEWLINE.sub("\n", edit.content) + text[end:]
    after = text.split("\n")
    same = _common(before, after)
    before, after = before[same:], after[same:]
    tail = _common(before[::-1], after[::-1])
    kept = Hunk(
        first + same,
        tuple(before[: len(before) - tail]),
        tuple(after[: len(after) - tail]),
    )
    return kept if kept.before or kept.after else None


def _offset(lines: Sequence[str], place: Position, first: int) -> int:
    """Where `place` is in the text that `lines`, of which `first` is the first row, make."""
    index = place.row - first
    if index >= len(lines):
        return sum(len(line) + 1 for line in lines)
    return sum(len(line) + 1 for line in lines[:index]) + min(place.column - 1, len(lines[index]))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines are the same at the start."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count
