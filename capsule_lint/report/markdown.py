"""The markdown format: a table for each file, for summaries and comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from capsule_lint.report.text import by_file, counted, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.model import Finding
    from capsule_lint.report.data import Report, Style

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")


def render(report: Report, style: Style) -> str:
    """A heading, how much was found, and the tables."""
    files = list(by_file(report.findings))
    total = counted(len(report.findings), "error")
    found = f"Found {total} in {counted(len(files), 'file')}." if files else "All checks passed!"
    tables = [_table(filename, findings, report) for filename, findings in files]
    return f"## capsule-lint\n\n{found}\n{''.join(tables)}"


def _table(filename: str, findings: Sequence[Finding], report: Report) -> str:
    rows = "".join(_row(finding, report) for finding in findings)
    return (
        f"\n### {_code(printable(filename))}\n\n"
        "| Place | Rule | Message | Fix |\n| ---: | --- | --- | --- |\n"
        f"{rows}"
    )


def _row(finding: Finding, report: Report) -> str:
    start = finding.span.start
    place = f"{start.row}:{start.column}"
    cells = (place, _rule(finding, report), _prose(finding.message), _fix(finding, report))
    return f"| {' | '.join(cells)} |\n"


def _rule(finding: Finding, report: Report) -> str:
    url = report.link(finding.code).translate({ord("("): "%28", ord(")"): "%29", ord("|"): "%7C"})
    return f"[{finding.code}]({url})" if url else finding.code


def _fix(finding: Finding, report: Report) -> str:
    suggestion = finding.suggestion
    if suggestion is None:
        return ""
    change_set = report.change_set_of(finding)
    reach = f": {change_set.reach}" if change_set else ""
    return f"{suggestion.applicability.value}{reach}"


def _prose(text: str) -> str:
    """A sentence in which backticks, if each has its partner, mean code."""
    parts = printable(text).split("`")
    if len(parts) % 2 == 0:
        return _escaped(printable(text))
    return "".join(
        _code(part) if index % 2 else _escaped(part) for index, part in enumerate(parts)
    )


def _code(text: str) -> str:
    """A code span; where its own syntax cannot say `text`, plain text."""
    if not text:
        return _escaped("``")
    return _escaped(text) if re.search(r"[`|\\]", text) else f"`{text}`"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)
