"""The formats that other services read: sarif, github, gitlab, junit, markdown."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from msgspec.structs import replace

from capsule_lint.model import (
    ChangeSet,
    Edit,
    Finding,
    Position,
    Safety,
    Severity,
    Span,
    Suggestion,
)
from capsule_lint.report import Report, RuleInfo, Style, render

AT = Span(Position(12, 5), Position(12, 23))
LATER = Span(Position(20, 1), Position(20, 1))
MANY = Span(Position(12, 5), Position(14, 2))
EDITS = (
    Edit("app/keys.py", LATER, "capsule_id, "),
    Edit("tests/test keys.py", AT, ""),
    Edit("app/keys.py", AT, "x"),
)
FINDING = Finding(
    "CAP202",
    "key-helper-missing-scope",
    "`pk_for` builds a key without `tenant_id`",
    "app/keys.py",
    AT,
    "app.keys.pk_for",
    None,
    ("tenant",),
    fingerprint="f00d",
)
FIXED = replace(FINDING, change_set="cs1", suggestion=Suggestion(Safety.SAFE, "do it", EDITS))
CHANGE_SET = ChangeSet(
    id="cs1",
    safety=Safety.SAFE,
    mends=(),
    obstacles=(),
    symbols=(),
    entities=(),
    definitions=1,
    call_sites=2,
    tests=0,
    files=2,
)
RULES = {
    "CAP101": RuleInfo(
        "CAP101", "key-missing-scope", "Rows mix.", "docs/CAP101.md", finds="A key lacks a scope."
    ),
    "CAP202": RuleInfo("CAP202", FINDING.name, "Keys mix.", "https://x/CAP202"),
}
ODD = ["a\nb.py", "a,b:c%.py", "é日.py", "\udcff.py", "\x01\x1b.py", "a|`b`.py", "<&\"'>.py"]


def output(format: str, *findings: Finding) -> str:
    data = Report(findings, {"cs1": CHANGE_SET}, (), RULES, lambda filename: [], "0.1.0")
    return render(data, format, Style())


# --- sarif ---------------------------------------------------------------------------------------


def test_a_sarif_result_names_rule_place_symbol_and_fingerprint() -> None:
    log = json.loads(output("sarif", FINDING))
    assert list(log) == ["$schema", "version", "runs"]
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert set(run) == {"tool", "columnKind", "results"}
    assert run["tool"]["driver"] == {
        "name": "capsule-lint",
        "version": "0.1.0",
        "rules": [
            {
                "id": "CAP101",
                "name": "key-missing-scope",
                "shortDescription": {"text": "A key lacks a scope."},
                "fullDescription": {"text": "Rows mix."},
                "help": {"text": "Rows mix."},
            },
            {
                "id": "CAP202",
                "name": "key-helper-missing-scope",
                "shortDescription": {"text": "Keys mix."},
                "fullDescription": {"text": "Keys mix."},
                "help": {"text": "Keys mix."},
                "helpUri": "https://x/CAP202",
            },
        ],
    }
    assert run["results"] == [
        {
            "ruleId": "CAP202",
            "ruleIndex": 1,
            "level": "error",
            "message": {"text": "`pk_for` builds a key without `tenant_id`"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "app/keys.py", "uriBaseId": "%SRCROOT%"},
                        "region": {
                            "startLine": 12,
                            "startColumn": 5,
                            "endLine": 12,
                            "endColumn": 23,
                        },
                    },
                    "logicalLocations": [{"fullyQualifiedName": "app.keys.pk_for"}],
                }
            ],
            "partialFingerprints": {"capsuleLint/v1": "f00d"},
            "properties": {"entity": None, "scopes": ["tenant"], "changeSet": None},
        }
    ]


def test_a_sarif_fix_spans_files_and_has_its_edits_in_order() -> None:
    (run,) = json.loads(output("sarif", FIXED))["runs"]
    (fix,) = run["results"][0]["fixes"]
    assert fix["description"] == {"text": "do it"}
    assert fix["properties"] == {"applicability": "safe"}
    keys, tests = fix["artifactChanges"]
    assert keys["artifactLocation"]["uri"] == "app/keys.py"
    assert [one["insertedContent"]["text"] for one in keys["replacements"]] == [
        "x",
        "capsule_id, ",
    ]
    assert tests["artifactLocation"]["uri"] == "tests/test%20keys.py"
    assert tests["replacements"] == [
        {"deletedRegion": {"startLine": 12, "startColumn": 5, "endLine": 12, "endColumn": 23}}
    ]


def test_sarif_has_no_fix_without_edits_and_no_symbol_without_a_name() -> None:
    bare = replace(FINDING, symbol="", suggestion=Suggestion(Safety.UNSAFE, "look"))
    (run,) = json.loads(output("sarif", bare, FIXED, FIXED))["runs"]
    assert [list(result.get("fixes", ())) != [] for result in run["results"]] == [
        False,
        True,
        True,
    ]
    assert "logicalLocations" not in run["results"][0]["locations"][0]


def test_sarif_without_findings_still_lists_the_rules() -> None:
    (run,) = json.loads(output("sarif"))["runs"]
    assert run["results"] == []
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["CAP101", "CAP202"]


def test_a_sarif_rule_nobody_described_has_an_id() -> None:
    (run,) = json.loads(output("sarif", replace(FINDING, code="ACME1")))["runs"]
    assert run["tool"]["driver"]["rules"][0] == {"id": "ACME1"}
    assert run["results"][0]["ruleIndex"] == 0


@pytest.mark.parametrize(
    ("filename", "location"),
    [
        ("../b.py", {"uri": "../b.py", "uriBaseId": "%SRCROOT%"}),
        ("a:b.py", {"uri": "a%3Ab.py", "uriBaseId": "%SRCROOT%"}),
        ("/tmp/a b.py", {"uri": "file:///tmp/a%20b.py"}),
        ("C:/a.py", {"uri": "file:///C:/a.py"}),
        ("é\udcff.py", {"uri": "%C3%A9%FF.py", "uriBaseId": "%SRCROOT%"}),
    ],
)
def test_sarif_artifacts_are_uris(filename: str, location: dict[str, str]) -> None:
    (run,) = json.loads(output("sarif", replace(FINDING, filename=filename)))["runs"]
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == location


# --- github --------------------------------------------------------------------------------------


def test_a_github_command_has_title_file_and_place() -> None:
    assert output("github", FIXED) == (
        "::error title=capsule-lint (CAP202),file=app/keys.py,"
        "line=12,col=5,endLine=12,endColumn=23"
        "::app/keys.py:12:5: CAP202 `pk_for` builds a key without `tenant_id`%0A  help: do it\n"
    )


def test_github_takes_no_columns_for_a_span_over_lines() -> None:
    warning = replace(FINDING, span=MANY, severity=Severity.WARNING)
    assert output("github", warning).startswith(
        "::warning title=capsule-lint (CAP202),file=app/keys.py,line=12,endLine=14::"
    )


def test_github_escapes_data_and_properties() -> None:
    odd = replace(FINDING, filename="a,b:c%\r\n\udcff.py", message="100%\r\nmore, and: more")
    assert output("github", odd) == (
        "::error title=capsule-lint (CAP202),file=a%2Cb%3Ac%25%0D%0A\\udcff.py,"
        "line=12,col=5,endLine=12,endColumn=23"
        "::a,b:c%25%0D%0A\\udcff.py:12:5: CAP202 100%25%0D%0Amore, and: more\n"
    )


def test_github_without_findings_is_empty() -> None:
    assert output("github") == ""


# --- gitlab --------------------------------------------------------------------------------------


def test_a_gitlab_issue_has_a_severity_a_fingerprint_and_a_place() -> None:
    assert json.loads(output("gitlab", FINDING)) == [
        {
            "check_name": "CAP202",
            "description": "CAP202: `pk_for` builds a key without `tenant_id`",
            "severity": "major",
            "fingerprint": "f00d",
            "location": {
                "path": "app/keys.py",
                "positions": {
                    "begin": {"line": 12, "column": 5},
                    "end": {"line": 12, "column": 23},
                },
            },
        }
    ]
    assert output("gitlab") == "[]\n"


def test_gitlab_fingerprints_are_unique_and_do_not_depend_on_lines() -> None:
    bare = replace(FINDING, fingerprint="", severity=Severity.WARNING)
    findings = (FINDING, FINDING, bare, replace(bare, message="other"), replace(bare, span=MANY))
    issues = json.loads(output("gitlab", *findings))
    keys = [issue["fingerprint"] for issue in issues]
    assert len(set(keys)) == len(keys)
    assert keys[:2] == ["f00d", "f00d:2"]
    assert keys[4] == f"{keys[2]}:2"
    assert [issue["severity"] for issue in issues] == ["major"] * 2 + ["minor"] * 3


# --- junit ---------------------------------------------------------------------------------------


def test_junit_has_a_suite_a_file() -> None:
    other = replace(FINDING, filename="b.py", message="a < b & 'c' \"d\"")
    assert output("junit", FINDING, other) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites name="capsule-lint" tests="2" failures="2" errors="0" skipped="0">\n'
        '  <testsuite name="app/keys.py" tests="1" failures="1" errors="0" skipped="0">\n'
        '    <testcase name="CAP202 key-helper-missing-scope (12:5)" classname="app/keys" '
        'file="app/keys.py" line="12" column="5">\n'
        '      <failure type="error" message="`pk_for` builds a key without `tenant_id`">'
        "app/keys.py:12:5: CAP202 `pk_for` builds a key without `tenant_id`</failure>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        '  <testsuite name="b.py" tests="1" failures="1" errors="0" skipped="0">\n'
        '    <testcase name="CAP202 key-helper-missing-scope (12:5)" classname="b" '
        'file="b.py" line="12" column="5">\n'
        '      <failure type="error" message="a &lt; b &amp; \'c\' &quot;d&quot;">'
        "b.py:12:5: CAP202 a &lt; b &amp; 'c' \"d\"</failure>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


def test_junit_without_findings_is_one_test_that_passed() -> None:
    root = ET.fromstring(output("junit").encode())
    assert root.attrib["failures"] == "0"
    assert [case.attrib["name"] for case in root.iter("testcase")] == ["No errors found"]
    assert not list(root.iter("failure"))


@pytest.mark.parametrize("odd", ODD)
def test_junit_is_valid_xml_whatever_there_is_to_say(odd: str) -> None:
    finding = replace(FINDING, filename=odd, message=f"]]> {odd} \ufffe\x00")
    root = ET.fromstring(output("junit", finding).encode())
    (failure,) = root.iter("failure")
    (case,) = root.iter("testcase")
    assert case.attrib["file"].isprintable()
    assert failure.text == f"{case.attrib['file']}:12:5: CAP202 {failure.attrib['message']}"


# --- markdown ------------------------------------------------------------------------------------


def test_markdown_has_a_table_a_file() -> None:
    plain = replace(FINDING, code="CAP101", filename="b.py", message="a | b, `x|y`, `z` *")
    assert output("markdown", FIXED, plain) == (
        "## capsule-lint\n"
        "\n"
        "Found 2 errors in 2 files.\n"
        "\n"
        "### `app/keys.py`\n"
        "\n"
        "| Place | Rule | Message | Fix |\n"
        "| ---: | --- | --- | --- |\n"
        "| 12:5 | [CAP202](https://x/CAP202) | `pk_for` builds a key without `tenant_id` | "
        "safe: 1 definition, 2 call sites in 2 files |\n"
        "\n"
        "### `b.py`\n"
        "\n"
        "| Place | Rule | Message | Fix |\n"
        "| ---: | --- | --- | --- |\n"
        "| 12:5 | CAP101 | a \\| b, x\\|y, `z` \\* |  |\n"
    )


def test_markdown_escapes_a_backtick_without_partner() -> None:
    odd = replace(FINDING, message="one ` only <b>", suggestion=Suggestion(Safety.UNSAFE, "look"))
    assert "| one \\` only \\<b\\> | unsafe |\n" in output("markdown", odd)


def test_markdown_of_an_empty_code_span_keeps_its_backticks() -> None:
    assert "| say \\`\\` here |" in output("markdown", replace(FINDING, message="say `` here"))


@pytest.mark.parametrize("odd", ODD)
def test_markdown_tables_keep_their_columns(odd: str) -> None:
    finding = replace(FINDING, filename=odd, message=odd)
    row = output("markdown", finding).splitlines()[-1]
    assert row.replace("\\|", "").count("|") == 5


def test_markdown_without_findings_says_that_all_is_well() -> None:
    assert output("markdown") == "## capsule-lint\n\nAll checks passed!\n"
