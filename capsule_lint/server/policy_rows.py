"""Where in a policy's text a key stands: editors show an error there."""

from __future__ import annotations

import re
from typing import Final

_SAID: Final = re.compile(r"\(at line (\d+), column \d+\)|\bline (\d+)\b")
_PART: Final = re.compile(r'(?:"([^"]*)"|([\w-]+))(?:\[(\d+)\])?')


def row_of(key: str, problem: str, text: str) -> int:
    """The row that a problem tells, or else that where the parts of a dotted key follow each other."""
    told = None if key else _SAID.search(problem)
    if told is not None:
        return int(told[1] or told[2])
    lines = text.splitlines()
    row = 1
    for quoted, bare, index in _PART.findall(key):
        name = re.compile(rf"(?<![\w-]){re.escape(quoted or bare)}(?![\w-])")
        found = [
            n
            for n, line in enumerate(lines, 1)
            if n >= row and name.search(line.partition("#")[0])
        ]
        if found:
            row = found[min(int(index or 0), len(found) - 1)]
    return row
