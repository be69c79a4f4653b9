"""The formats json and json-lines, and the ledger and the statistics as JSON."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from capsule_lint.model import (
    Edit,
    Finding,
    Occurrence,
    Position,
    Safety,
    Span,
    Suggestion,
    Verdict,
)
from capsule_lint.report import (
    Report,
    RuleInfo,
    Style,
    render,
    render_ledger,
    render_statistics,
)

AT = Span(Position(12, 5), Position(12, 23))
FINDING = Finding(
    "CAP202",
    "key-helper-missing-scope",
    "`gsi1pk_for_account` builds a key without `tenant_id`",
    "app/keys.py",
    AT,
    "app.keys.gsi1pk_for_account",
    None,
    ("tenant",),
    fingerprint="f00d",
    change_set="cs1",
    suggestion=Suggestion(Safety.SAFE, "do it", (Edit("app/b.py", AT, 'é"\n'),)),
)
RULES = {"CAP202": RuleInfo("CAP202", FINDING.name, "why", "https://x/CAP202")}
ROW = Occurrence("a.py", Position(3, 7), "a.get", Verdict.CANDIDATE, "unknown", "x.get(1)")


def report(*findings: Finding, ledger: tuple[Occurrence, ...] = ()) -> Report:
    return Report(findings, {}, ledger, RULES, lambda filename: [], "0.1.0")


def test_one_finding_has_the_keys_of_the_contract_in_their_order() -> None:
    text = render(report(FINDING), "json", Style())
    assert text == (
        '[\n  {"code": "CAP202", "name": "key-helper-missing-scope", "severity": "error", '
        '"message": "`gsi1pk_for_account` builds a key without `tenant_id`", '
        '"filename": "app/keys.py", "location": {"row": 12, "column": 5}, '
        '"end_location": {"row": 12, "column": 23}, "symbol": "app.keys.gsi1pk_for_account", '
        '"entity": null, "scopes": ["tenant"], "fingerprint": "f00d", '
        '"url": "https://x/CAP202", "change_set": "cs1", '
        '"fix": {"applicability": "safe", "message": "do it", "edits": [{"filename": "app/b.py", '
        '"location": {"row": 12, "column": 5}, "end_location": {"row": 12, "column": 23}, '
        '"content": "\\u00e9\\"\\n"}]}}\n]\n'
    )


def test_a_list_of_nothing_is_empty() -> None:
    assert render(report(), "json", Style()) == "[]\n"
    assert render(report(), "json-lines", Style()) == ""


def test_a_finding_without_a_fix_and_without_a_page_has_nulls() -> None:
    finding = replace(FINDING, code="XYZ1", suggestion=None, change_set=None)
    (value,) = json.loads(render(report(finding), "json", Style()))
    assert (value["fix"], value["url"], value["change_set"]) == (None, None, None)


def test_lines_say_what_the_list_says() -> None:
    data = report(FINDING, replace(FINDING, suggestion=None), FINDING)
    lines = render(data, "json-lines", Style()).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(render(data, "json", Style()))
    assert [bool(json.loads(line)["fix"]) for line in lines] == [True, False, True]


@pytest.mark.parametrize(("count", "written"), [(100, [100, 100]), (101, [101, 0])])
def test_many_edits_that_findings_share_are_written_once(count: int, written: list[int]) -> None:
    fix = Suggestion(Safety.SAFE, "do it", (Edit("app/b.py", AT, "x"),) * count)
    finding = replace(FINDING, suggestion=fix)
    data = report(finding, replace(finding, code="CAP201"))
    found = json.loads(render(data, "json", Style()))
    assert [len(value["fix"]["edits"]) for value in found] == written
    (run,) = json.loads(render(data, "sarif", Style()))["runs"]
    changes = [result.get("fixes", [{"artifactChanges": []}])[0] for result in run["results"]]
    sizes = [sum(len(c["replacements"]) for c in fix["artifactChanges"]) for fix in changes]
    assert sizes == written


@pytest.mark.parametrize("name", ["a\nb.py", "é日.py", "\udcff.py", "\u2028.py", 'q"\\.py'])
def test_filenames_come_back_as_they_were(name: str) -> None:
    text = render(report(replace(FINDING, filename=name)), "json-lines", Style())
    assert text.isascii()
    assert text.count("\n") == 1
    assert json.loads(text)["filename"] == name


def test_the_ledger_is_a_list_of_rows() -> None:
    assert render_ledger(report(ledger=(ROW,)), "json") == (
        '[\n  {"symbol": "a.get", "filename": "a.py", "row": 3, "column": 7, '
        '"verdict": "candidate", "reason": "unknown", "text": "x.get(1)"}\n]\n'
    )
    assert render_ledger(report(), "json") == "[]\n"
    lines = render_ledger(report(ledger=(ROW, ROW)), "json-lines").splitlines()
    assert [json.loads(line)["row"] for line in lines] == [3, 3]


def test_statistics_count_rules_and_fixes() -> None:
    other = replace(FINDING, code="CAP101", name="key-missing-scope", suggestion=None)
    data = report(other, FINDING, replace(FINDING, suggestion=None))
    assert render_statistics(data, "json") == (
        '[\n  {"code": "CAP202", "name": "key-helper-missing-scope", "count": 2, '
        '"fixable": false, "fixable_count": 1},\n'
        '  {"code": "CAP101", "name": "key-missing-scope", "count": 1, '
        '"fixable": false, "fixable_count": 0}\n]\n'
    )
    assert render_statistics(report(), "json") == "[]\n"
    (line,) = render_statistics(report(FINDING), "json-lines").splitlines()
    assert json.loads(line)["fixable"] is True
