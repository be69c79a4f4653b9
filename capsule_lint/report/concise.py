"""The concise format: a line a finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.report.text import BOLD, CYAN, marker, painted, painted_code, printable

if TYPE_CHECKING:
    from capsule_lint.model import Finding
    from capsule_lint.report.data import Report, Style


def render(report: Report, style: Style) -> str:
    """`a.py:1:8: CAP101 [*] message`."""
    return "".join(_line(finding, style.color) for finding in report.findings)


def _line(finding: Finding, color: bool) -> str:
    start = finding.span.start
    name = painted(printable(finding.filename), BOLD, color)
    colon = painted(":", CYAN, color)
    return (
        f"{name}{colon}{start.row}{colon}{start.column}{colon} "
        f"{painted_code(finding, color)} {marker(finding, color)}{printable(finding.message)}\n"
    )
