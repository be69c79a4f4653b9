"""The json format: one list of all findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.report.values import encoded_findings, rows

if TYPE_CHECKING:
    from capsule_lint.report.data import Report, Style


def render(report: Report, style: Style) -> str:
    """A list with a line for each finding; `[]` where there is none."""
    return rows(encoded_findings(report))
