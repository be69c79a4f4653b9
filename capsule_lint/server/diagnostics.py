"""Findings, and what is wrong with a policy, as diagnostics."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lsprotocol import types

from capsule_lint.lines import lines_of
from capsule_lint.model import Position, Severity, Span
from capsule_lint.selection import UNUSED
from capsule_lint.server.places import range_of
from capsule_lint.server.program import Checked, Failed

if TYPE_CHECKING:
    from pygls.workspace import PositionCodec

    from capsule_lint.model import Finding
    from capsule_lint.rule import Rule
    from capsule_lint.server.program import Outcome

SOURCE: Final = "capsule-lint"
_SEVERITIES: Final = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
}


def diagnostics_of(outcome: Outcome, codec: PositionCodec) -> dict[Path, list[types.Diagnostic]]:
    """What editors are to show, by file."""
    if isinstance(outcome, Failed):
        return {outcome.path: [_failure(outcome, codec)]} if outcome.path is not None else {}
    by_file = groupby(outcome.findings, key=lambda finding: finding.filename)
    return {
        outcome.policy.root / name: [diagnostic_of(f, outcome, codec) for f in findings]
        for name, findings in by_file
    }


def diagnostic_of(finding: Finding, checked: Checked, codec: PositionCodec) -> types.Diagnostic:
    """One finding, with a link to the page of its rule."""
    lines = lines_of(checked.analysis.texts.get(finding.filename, ""))
    page = _page(checked.checker.rules[finding.code])
    return types.Diagnostic(
        range=range_of(finding.span, lines, codec),
        message=finding.message,
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        code_description=types.CodeDescription(page) if page is not None else None,
        source=SOURCE,
        tags=[types.DiagnosticTag.Unnecessary] if finding.code == UNUSED else None,
    )


def _page(rule: Rule) -> str | None:
    """Where a rule is explained: its module, which starts with its documentation."""
    place = getattr(sys.modules.get(rule.module), "__file__", None)
    return Path(place).as_uri() if isinstance(place, str) else None


def _failure(failed: Failed, codec: PositionCodec) -> types.Diagnostic:
    try:
        text = failed.path.read_text("utf-8", "replace") if failed.path is not None else ""
    except OSError:
        text = ""
    lines = lines_of(text)
    line = lines[failed.row - 1].rstrip() if failed.row <= len(lines) else ""
    first = len(line) - len(line.lstrip()) + 1
    span = Span(Position(failed.row, first), Position(failed.row, len(line) + 1))
    return types.Diagnostic(
        range=range_of(span, lines, codec),
        message=failed.message,
        severity=types.DiagnosticSeverity.Error,
        source=SOURCE,
    )
