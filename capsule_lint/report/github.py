"""The github format: workflow commands, which GitHub shows beside the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.report.text import encodable

if TYPE_CHECKING:
    from capsule_lint.model import Finding
    from capsule_lint.report.data import Report, Style


def render(report: Report, style: Style) -> str:
    """`::error title=…,file=…,line=…::message`, a line for each finding."""
    return "".join(_command(finding) for finding in report.findings)


def _command(finding: Finding) -> str:
    start, end = finding.span.start, finding.span.end
    properties = {
        "title": f"capsule-lint ({finding.code})",
        "file": finding.filename,
        "line": str(start.row),
        # GitHub takes columns only for a span on one line.
        **({"col": str(start.column)} if start.row == end.row else {}),
        "endLine": str(end.row),
        **({"endColumn": str(end.column)} if start.row == end.row else {}),
    }
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{finding.severity.value} {listed}::{_data(_message(finding))}\n"


def _message(finding: Finding) -> str:
    start = finding.span.start
    place = f"{finding.filename}:{start.row}:{start.column}"
    suggestion = finding.suggestion
    remedy = f"\n  help: {suggestion.message}" if suggestion and suggestion.message else ""
    return f"{place}: {finding.code} {finding.message}{remedy}"


def _data(text: str) -> str:
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return encodable(escaped)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
