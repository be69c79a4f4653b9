"""The sarif format: SARIF 2.1.0, with fixes that span files."""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import quote

from capsule_lint.report.fingerprints import fingerprints
from capsule_lint.report.values import SharedEdits, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capsule_lint.model import Edit, Finding, Span, Suggestion
    from capsule_lint.report.data import Report, Style
    from capsule_lint.report.values import Json

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"


def render(report: Report, style: Style) -> str:
    """One run, with a line for each result."""
    codes = sorted({*report.rules, *(finding.code for finding in report.findings)})
    tool = encoded(_tool(report, codes))
    results = ",\n".join(_results(report, {code: index for index, code in enumerate(codes)}))
    return (
        f'{{"$schema": "{_SCHEMA}", "version": "2.1.0", "runs": [{{\n'
        f'"tool": {tool},\n"columnKind": "unicodeCodePoints",\n"results": [\n{results}\n]}}]}}\n'
    )


def _tool(report: Report, codes: Sequence[str]) -> Json:
    rules = [_rule(code, report) for code in codes]
    return {"driver": {"name": "capsule-lint", "version": report.version, "rules": rules}}


def _rule(code: str, report: Report) -> Json:
    rule = report.rules.get(code)
    if rule is None:
        return {"id": code}
    name = {"name": rule.name} if rule.name else {}
    why = {"text": rule.summary or rule.name or code}
    finds = {"text": rule.finds} if rule.finds else why
    link = {"helpUri": rule.link} if rule.link else {}
    about = {"shortDescription": finds, "fullDescription": why, "help": why}
    return {"id": code, **name, **about, **link}


def _results(report: Report, indexes: Mapping[str, int]) -> list[str]:
    """Every finding, encoded."""
    changes = SharedEdits(lambda shared: encoded(_changes(shared)))
    texts: list[str] = []
    keys = fingerprints(report.findings)
    for finding, key in zip(report.findings, keys, strict=True):
        text = encoded(_result(finding, indexes[finding.code], key))
        suggestion = finding.suggestion
        shared = changes.of(suggestion.edits) if suggestion and suggestion.edits else None
        if suggestion and shared:
            fix = f'{encoded(_fix(suggestion))[:-1]}, "artifactChanges": {shared}}}'
            text = f'{text[:-1]}, "fixes": [{fix}]}}'
        texts.append(text)
    return texts


def _result(finding: Finding, index: int, fingerprint: str) -> Json:
    location: dict[str, Json] = {
        "physicalLocation": {
            "artifactLocation": _artifact(finding.filename),
            "region": _region(finding.span),
        }
    }
    if finding.symbol:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.symbol}]
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": finding.message},
        "locations": [location],
        "partialFingerprints": {"capsuleLint/v1": fingerprint},
        "properties": {
            "entity": finding.entity,
            "scopes": finding.scopes,
            "changeSet": finding.change_set,
        },
    }


def _fix(suggestion: Suggestion) -> Json:
    """How a finding would be fixed, without the changes themselves."""
    return {
        "description": {"text": suggestion.message},
        "properties": {"applicability": suggestion.applicability.value},
    }


def _changes(edits: Sequence[Edit]) -> Json:
    ordered = sorted(edits, key=lambda edit: (edit.filename, edit.span))
    return [
        {
            "artifactLocation": _artifact(filename),
            "replacements": [_replacement(edit) for edit in group],
        }
        for filename, group in groupby(ordered, key=lambda edit: edit.filename)
    ]


def _replacement(edit: Edit) -> Json:
    region: dict[str, Json] = {"deletedRegion": _region(edit.span)}
    return {**region, "insertedContent": {"text": edit.content}} if edit.content else region


def _region(span: Span) -> Json:
    return {
        "startLine": span.start.row,
        "startColumn": span.start.column,
        "endLine": span.end.row,
        "endColumn": span.end.column,
    }


def _artifact(filename: str) -> Json:
    path = quote(filename.replace(os.sep, "/"), errors="surrogateescape")
    if path.startswith("/"):
        return {"uri": f"file://{path}"}
    if path[1:5] == "%3A/":
        return {"uri": f"file:///{path[0]}:{path[4:]}"}
    return {"uri": path, "uriBaseId": _ROOT}
