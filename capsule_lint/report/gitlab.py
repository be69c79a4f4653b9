"""The gitlab format: a Code Quality report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.model import Severity
from capsule_lint.report.fingerprints import fingerprints
from capsule_lint.report.values import encoded, rows

if TYPE_CHECKING:
    from capsule_lint.model import Finding, Position
    from capsule_lint.report.data import Report, Style
    from capsule_lint.report.values import Json

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor"}


def render(report: Report, style: Style) -> str:
    """A list with a line for each finding."""
    keys = fingerprints(report.findings)
    pairs = zip(report.findings, keys, strict=True)
    return rows([encoded(_issue(finding, key)) for finding, key in pairs])


def _issue(finding: Finding, fingerprint: str) -> Json:
    return {
        "check_name": finding.code,
        "description": f"{finding.code}: {finding.message}",
        "severity": _SEVERITIES[finding.severity],
        "fingerprint": fingerprint,
        "location": {
            "path": finding.filename,
            "positions": {
                "begin": _position(finding.span.start),
                "end": _position(finding.span.end),
            },
        },
    }


def _position(place: Position) -> Json:
    return {"line": place.row, "column": place.column}
