"""Findings, occurrences and edits as JSON values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from capsule_lint.model import Edit, Finding, Occurrence, Position, Suggestion
    from capsule_lint.report.data import Report

_REPEATED: Final = 100
"""How many edits may stand with every finding that they end."""

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | bool | None"


def encoded(value: Json) -> str:
    """`value` on one line of ASCII, so that lone surrogates of a filename survive."""
    return json.dumps(value)


def rows(values: Sequence[str]) -> str:
    """A JSON list of encoded values, one a line."""
    return "[\n  " + ",\n  ".join(values) + "\n]\n" if values else "[]\n"


class SharedEdits:
    """Encodes the edits of findings, and those that several findings share only once. Where they are
    many, only the first of these findings has them: else a report grows with the square of them."""

    def __init__(self, encode: Callable[[Sequence[Edit]], str]) -> None:
        self._encode = encode
        self._known: dict[int, str] = {}

    def of(self, edits: Sequence[Edit]) -> str | None:
        """The encoded edits; `None` where an earlier finding has them."""
        known = self._known.get(id(edits))
        if known is None:
            known = self._known[id(edits)] = self._encode(edits)
        elif len(edits) > _REPEATED:
            return None
        return known


def encoded_findings(report: Report) -> list[str]:
    """Every finding, encoded."""
    edits = SharedEdits(lambda shared: encoded([_edit_value(edit) for edit in shared]))
    texts: list[str] = []
    for finding in report.findings:
        head = encoded(_finding_value(finding, report))
        fix = _encoded_fix(finding.suggestion, edits)
        texts.append(f'{head[:-1]}, "fix": {fix}}}')
    return texts


def _encoded_fix(suggestion: Suggestion | None, edits: SharedEdits) -> str:
    if suggestion is None:
        return "null"
    head = encoded(
        {"applicability": suggestion.applicability.value, "message": suggestion.message}
    )
    return f'{head[:-1]}, "edits": {edits.of(suggestion.edits) or "[]"}}}'


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
