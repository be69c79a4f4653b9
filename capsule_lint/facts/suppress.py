"""The comments of a file that silence findings."""

from __future__ import annotations

import re
from typing import Final

from capsule_lint.facts.comments import comments_of
from capsule_lint.facts.tree import Suppression

_ANY: Final = re.compile(r"capsule-lint\s*:|noqa\s*:[^\r\n]*CAP", re.IGNORECASE)
_COLON: Final = re.compile(r"#\s*capsule-lint\s*:\s*", re.IGNORECASE)
_IGNORE: Final = re.compile(
    r"(?P<kind>file-ignore|ignore)(?:\s*\[(?P<codes>[^\[\]]*\w[^\[\]]*)\]|(?=\s*(?:$|--|#)))",
    re.IGNORECASE,
)
_MEANT: Final = re.compile(
    r"(?:(?:file-)?ignore(?![\w-])|[\w-]+(?=\s*(?:$|--|[#\[(=:]))|[^#]*\bCAP\d)[^#]*?(?=\s*(?:$|--|#))",
    re.IGNORECASE,
)
"""What is no prose: no more than one word, one with brackets, or something with a code."""
_NOQA: Final = re.compile(
    r"#\s*noqa\s*:\s*(?P<codes>[A-Z]+[0-9]+(?:[\s,]+[A-Z]+[0-9]+)*)", re.IGNORECASE
)
_OURS: Final = "CAP"


def suppressions(text: str) -> tuple[Suppression, ...]:
    """All comments of `text` that silence one of our codes, in order; it must be valid Python."""
    if not _ANY.search(text):
        return ()
    return tuple(found for one in comments_of(text) for found in _comment(*one))


def _comment(row: int, offset: int, comment: str) -> list[Suppression]:
    found = []
    for colon in _COLON.finditer(comment):
        first, place = offset + colon.start() + 1, row
        if match := _IGNORE.match(comment, colon.end()):
            codes = tuple(
                c.strip().upper() for c in (match["codes"] or "").split(",") if c.strip()
            )
            place = 0 if match["kind"].lower() == "file-ignore" else row
        elif match := _MEANT.match(comment, colon.end()):
            codes = (comment[colon.start() : match.end()],)
        else:
            continue
        at = (row, first, row, offset + match.end() + 1)
        found.append(Suppression(place, codes, at))
    for match in _NOQA.finditer(comment):
        codes = tuple(c.upper() for c in re.split(r"[\s,]+", match["codes"]))
        ours = tuple(code for code in codes if code.startswith(_OURS))
        if ours:
            first = offset + match.start() + 1
            found.append(Suppression(row, ours, (row, first, row, first + len(match[0]))))
    return found
