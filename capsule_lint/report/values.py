"""Findings, occurrences and edits as JSON values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capsule_lint.model import Edit, Finding, Occurrence, Position, Suggestion
    from capsule_lint.report.data import Report

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | bool | None"


def encoded(value: Json) -> str:
    """`value` on one line of ASCII, so that lone surrogates of a filename survive."""
    return json.dumps(value)


def rows(values: Sequence[str]) -> str:
    """A JSON list of encoded values, one a line."""
    return "[\n  " + ",\n  ".join(values) + "\n]\n" if values else "[]\n"


def encoded_findings(report: Report) -> list[str]:
    """Every finding, encoded; edits that many findings share are encoded only once."""
    edits: dict[int, str] = {}
    texts: list[str] = []
    for finding in report.findings:
        head = encoded(_finding_value(finding, report))
        fix = _encoded_fix(finding.suggestion, edits)
        texts.append(f'{head[:-1]}, "fix": {fix}}}')
    return texts


def _encoded_fix(suggestion: Suggestion | None, edits: dict[int, str]) -> str:
    if suggestion is None:
        return "null"
    shared = id(suggestion.edits)
    if shared not in edits:
        edits[shared] = encoded([_edit_value(edit) for edit in suggestion.edits])
    head = encoded(
        {"applicability": suggestion.applicability.value, "message": suggestion.message}
    )
    return f'{head[:-1]}, "edits": {edits[shared]}}}'


def _finding_value(finding: Finding, report: Report) -> dict[str, Json]:
    """A finding without its fix."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "message": finding.message,
        "filename": finding.filename,
        "location": _place_value(finding.span.start),
        "end_location": _place_value(finding.span.end),
        "symbol": finding.symbol,
        "entity": finding.entity,
        "scopes": finding.scopes,
        "fingerprint": finding.fingerprint,
        "url": report.url(finding.code) or None,
        "change_set": finding.change_set,
    }


def occurrence_value(occurrence: Occurrence) -> Json:
    """One row of the ledger."""
    return {
        "symbol": occurrence.symbol,
        "filename": occurrence.filename,
        "row": occurrence.position.row,
        "column": occurrence.position.column,
        "verdict": occurrence.verdict.value,
        "reason": occurrence.reason,
        "text": occurrence.text,
    }


def _place_value(place: Position) -> Json:
    """A row and a column."""
    return {"row": place.row, "column": place.column}


def _edit_value(edit: Edit) -> Json:
    return {
        "filename": edit.filename,
        "location": _place_value(edit.span.start),
        "end_location": _place_value(edit.span.end),
        "content": edit.content,
    }
