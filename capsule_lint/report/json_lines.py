"""The json-lines format: one JSON object a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.report.values import encoded_findings

if TYPE_CHECKING:
    from capsule_lint.report.data import Report, Style


def render(report: Report, style: Style) -> str:
    """A line for each finding."""
    return "".join(f"{text}\n" for text in encoded_findings(report))
