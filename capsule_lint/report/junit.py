"""The junit format: XML with a test suite for each file and a failed test for each finding."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from capsule_lint.report.text import by_file, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.model import Finding
    from capsule_lint.report.data import Report, Style


def render(report: Report, style: Style) -> str:
    """A document that is valid whatever a message or a filename holds."""
    count = len(report.findings)
    suites = [_suite(filename, group) for filename, group in by_file(report.findings)]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<testsuites{_attributes(name='capsule-lint', **_counts(max(count, 1), count))}>\n"
        f"{''.join(suites) or _passed()}</testsuites>\n"
    )


def _passed() -> str:
    suite = _attributes(name="capsule-lint", **_counts(1, 0))
    case = _attributes(name="No errors found", classname="capsule-lint")
    return f"  <testsuite{suite}>\n    <testcase{case}/>\n  </testsuite>\n"


def _suite(filename: str, findings: Sequence[Finding]) -> str:
    attributes = _attributes(name=filename, **_counts(len(findings), len(findings)))
    return f"  <testsuite{attributes}>\n{''.join(map(_case, findings))}  </testsuite>\n"


def _case(finding: Finding) -> str:
    start = finding.span.start
    place = f"{start.row}:{start.column}"
    case = _attributes(
        name=f"{finding.code} {finding.name} ({place})",
        classname=finding.filename.removesuffix(".py"),
        file=finding.filename,
        line=str(start.row),
        column=str(start.column),
    )
    failure = _attributes(type=finding.severity.value, message=finding.message)
    text = f"{finding.filename}:{place}: {finding.code} {finding.message}"
    return (
        f"    <testcase{case}>\n"
        f"      <failure{failure}>{escape(printable(text))}</failure>\n"
        "    </testcase>\n"
    )


def _counts(tests: int, failures: int) -> dict[str, str]:
    return {"tests": str(tests), "failures": str(failures), "errors": "0", "skipped": "0"}


def _attributes(**values: str) -> str:
    return "".join(f" {name}={quoteattr(printable(value))}" for name, value in values.items())
