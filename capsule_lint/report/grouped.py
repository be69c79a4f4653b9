"""The grouped format: a heading for each file, a line for each finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.report.text import BOLD, by_file, marker, painted, painted_code, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.model import Finding
    from capsule_lint.report.data import Report, Style


def render(report: Report, style: Style) -> str:
    """`a.py:` and below it `  1:8 CAP101 [*] message`, with an empty line after each file."""
    return "".join(_file(name, group, style.color) for name, group in by_file(report.findings))


def _file(filename: str, findings: Sequence[Finding], color: bool) -> str:
    places = [f"{finding.span.start.row}:{finding.span.start.column}" for finding in findings]
    columns = max(map(len, places))
    lines = [
        f"  {place:<{columns}} {painted_code(finding, color)} "
        f"{marker(finding, color)}{printable(finding.message)}\n"
        for place, finding in zip(places, findings, strict=True)
    ]
    return f"{painted(printable(filename), BOLD, color)}:\n{''.join(lines)}\n"
