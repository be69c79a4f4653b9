"""The comment that silences a finding, where it has an effect."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint import syntax
from capsule_lint.facts.suppress import suppressions
from capsule_lint.lines import lines_of
from capsule_lint.selection import UNPARSABLE, UNUSED

if TYPE_CHECKING:
    from capsule_lint.model import Finding

_LIST: Final = re.compile(r"#\s*capsule-lint\s*:\s*ignore\s*\[[^\]]*(?=\])", re.IGNORECASE)


def ignoring(finding: Finding, text: str) -> str | None:
    """The text with a comment that silences the finding; `None` where there is none.

    It stands in the first of the finding's rows at whose end a comment can be.
    """
    if finding.code in (UNPARSABLE, UNUSED):
        return None
    lines = lines_of(text)
    for row in range(finding.span.start.row, min(finding.span.end.row, len(lines)) + 1):
        code = lines[row - 1].rstrip("\r\n")
        end = lines[row - 1][len(code) :]
        listed = _LIST.search(code)
        if listed is not None:
            line = f"{code[: listed.end()]}, {finding.code}{code[listed.end() :]}{end}"
        else:
            line = f"{code.rstrip()}  # capsule-lint: ignore[{finding.code}]{end}"
        silent = "".join((*lines[: row - 1], line, *lines[row:]))
        if _silences(silent, row, finding.code):
            return silent
    return None


def _silences(text: str, row: int, code: str) -> bool:
    """Whether a comment in that row names the code: what stands in a string is none."""
    try:
        found = suppressions(syntax.read(text)[0])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(one.row == row and code in one.codes for one in found)
