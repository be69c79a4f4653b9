"""Unified diffs, as `--diff` prints them."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import TYPE_CHECKING

from capsule_lint.report.text import BOLD, CYAN, GREEN, RED, encodable, painted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_COLORS = {"@": CYAN, "-": RED, "+": GREEN}
_NO_NEWLINE = "\\ No newline at end of file\n"


def render_diff(pairs: Sequence[tuple[str, str, str]], *, color: bool = False) -> str:
    """`(filename, before, after)` for each file, as text that `patch` and `git apply` take."""
    return encodable("".join(_file(*pair, color) for pair in pairs))


def _file(filename: str, before: str, after: str, color: bool) -> str:
    name = printable(filename)
    lines = unified_diff(_LINE.findall(before), _LINE.findall(after), name, name)
    return "".join(_painted(lines, color))


def _painted(lines: Iterator[str], color: bool) -> Iterator[str]:
    for index, line in enumerate(lines):
        end = line[len(line.rstrip("\r\n")) :] if line.endswith("\n") else ""
        escape = BOLD if index < 2 else _COLORS.get(line[0], "")
        body = line.removesuffix(end)
        yield painted(body, escape, color and bool(escape)) + end
        if not end:
            yield f"\n{_NO_NEWLINE}"
