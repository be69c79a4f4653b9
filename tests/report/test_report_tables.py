"""What stands beside the findings: ledger, statistics, closing lines, fix summary, diffs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from msgspec.structs import replace

from capsule_lint.model import (
    Finding,
    Occurrence,
    Position,
    Safety,
    Span,
    Suggestion,
    Verdict,
)
from capsule_lint.report import (
    FixSummary,
    Report,
    render_diff,
    render_fix_summary,
    render_ledger,
    render_statistics,
    summary,
)

FINDING = Finding("CAP101", "key-missing-scope", "m", "a.py", Span(Position(1, 1), Position(1, 2)))
SAFE = replace(FINDING, suggestion=Suggestion(Safety.SAFE, "do it"))
UNSAFE = replace(FINDING, suggestion=Suggestion(Safety.UNSAFE, "look"))
ROW = Occurrence("a.py", Position(3, 7), "a.get", Verdict.REWRITTEN, "passes it", "get(1)")
FIXED = FixSummary(
    entities=6,
    definitions=131,
    call_sites=127,
    tests=1003,
    files=47,
    added=1247,
    removed=721,
    seconds=2.44,
    change_sets=7,
    created=("tests/helpers.py", "tests/a\n.py"),
    findings=10,
)


def report(
    *findings: Finding, ledger: tuple[Occurrence, ...] = (), fixed: FixSummary | None = None
) -> Report:
    return Report(findings, {}, ledger, {}, lambda filename: [], "0.1.0", fixed)


# --- ledger --------------------------------------------------------------------------------------


def test_the_ledger_is_grouped_by_symbol_with_sums() -> None:
    ledger = (
        ROW,
        replace(ROW, symbol="a.Repo.save", verdict=Verdict.OTHER, text="日本.save()"),
        replace(ROW, position=Position(11, 1), verdict=Verdict.CANDIDATE, reason="", text=""),
        replace(ROW, filename="b\n.py", symbol="a.Repo.save", text="  r.save(1)", reason="é"),
    )
    assert render_ledger(report(ledger=ledger), "full") == (
        "a.Repo.save: 1 rewritten, 1 other\n"
        "  a.py:3:7    other      日本.save()  passes it\n"
        "  b\\n.py:3:7  rewritten  r.save(1)    é\n"
        "\n"
        "a.get: 1 rewritten, 1 candidate\n"
        "  a.py:3:7   rewritten  get(1)  passes it\n"
        "  a.py:11:1  candidate\n"
        "\n"
        "4 occurrences: 2 rewritten, 1 candidate, 1 other; 1 needs a person.\n"
    )


def test_a_ledger_that_is_settled_needs_nobody() -> None:
    text = render_ledger(report(ledger=(ROW,)), "concise")
    assert text.endswith("\n1 occurrence: 1 rewritten.\n")


def test_long_code_is_cut_in_the_ledger() -> None:
    text = render_ledger(report(ledger=(replace(ROW, text="x" * 60),)), "full")
    assert f"  {'x' * 47}…  passes it\n" in text


def test_an_empty_ledger_says_so() -> None:
    assert render_ledger(report(), "full") == "No name changes.\n"


# --- statistics ----------------------------------------------------------------------------------


def test_statistics_start_with_the_most_frequent_rule() -> None:
    findings = [replace(SAFE, code="CAP202", name="key-helper-missing-scope")] * 10
    mixed = [FINDING, SAFE, replace(UNSAFE, code="CAP402", name="swapped-scope")]
    assert render_statistics(report(*mixed, *findings), "full") == (
        "10\tCAP202\t[*] key-helper-missing-scope\n"
        " 2\tCAP101\t[-] key-missing-scope\n"
        " 1\tCAP402\t[ ] swapped-scope\n"
    )


def test_statistics_have_no_markers_where_nothing_is_fixable() -> None:
    assert render_statistics(report(FINDING), "full") == "1\tCAP101\tkey-missing-scope\n"
    assert render_statistics(report(), "full") == ""


# --- closing lines -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("findings", "lines"),
    [
        ([], "All checks passed!\n"),
        ([FINDING], "Found 1 error.\n"),
        ([FINDING] * 1200, "Found 1,200 errors.\n"),
        ([SAFE, FINDING], "Found 2 errors.\n[*] 1 fixable with --fix.\n"),
        (
            [*[FINDING] * 3, *[SAFE] * 3, *[UNSAFE] * 4],
            "Found 10 errors.\n[*] 3 fixable with --fix "
            "(4 unsafe fixes available with --unsafe-fixes).\n",
        ),
        (
            [UNSAFE],
            "Found 1 error.\nNo safe fixes (1 unsafe fix available with --unsafe-fixes).\n",
        ),
    ],
)
def test_the_closing_lines_of_a_check(findings: list[Finding], lines: str) -> None:
    assert summary(report(*findings), fixing=False) == lines
    assert summary(report(*findings), fixing=True) == lines


def test_the_closing_line_of_a_fix_says_what_is_left() -> None:
    left = report(FINDING, FINDING, fixed=FIXED)
    assert summary(left, fixing=True) == "Found 12 errors (10 fixed, 2 remaining).\n"
    assert summary(left, fixing=False) == "Found 2 errors.\n"
    none_left = report(fixed=replace(FIXED, findings=1))
    assert summary(none_left, fixing=True) == "Found 1 error (1 fixed, 0 remaining).\n"


def test_a_fix_that_fixed_nothing_is_a_check() -> None:
    assert summary(report(fixed=replace(FIXED, findings=0)), fixing=True) == "All checks passed!\n"


def test_the_fix_summary_is_the_table_of_the_migration() -> None:
    assert render_fix_summary(FIXED) == (
        "    7 change sets applied\n"
        "    6 entities migrated\n"
        "  131 definitions changed\n"
        "  127 call sites updated\n"
        "1,003 tests updated\n"
        "   47 files modified\n"
        "1,247 lines added\n"
        "  721 lines removed\n"
        " +526 lines net\n"
        "  2.4 seconds\n"
        "    2 files created\n"
        "      + tests/helpers.py\n"
        "      + tests/a\\n.py\n"
    )


def test_the_fix_summary_of_one_of_each() -> None:
    one = FixSummary(1, 1, 1, 1, 1, 1, 2, 1.04, 1, ("a.py",), 1)
    assert render_fix_summary(one) == (
        "  1 change set applied\n"
        "  1 entity migrated\n"
        "  1 definition changed\n"
        "  1 call site updated\n"
        "  1 test updated\n"
        "  1 file modified\n"
        "  1 line added\n"
        "  2 lines removed\n"
        " -1 line net\n"
        "1.0 second\n"
        "  1 file created\n"
        "    + a.py\n"
    )


def test_the_fix_summary_of_nothing() -> None:
    nothing = FixSummary(0, 0, 0, 0, 0, 5, 5, 0.0, 0, (), 0)
    text = render_fix_summary(nothing)
    assert "\n  0 lines net\n0.0 seconds\n" in text
    assert "created" not in text


# --- diffs ---------------------------------------------------------------------------------------


def test_a_diff_has_a_header_a_file_and_skips_what_is_the_same() -> None:
    pairs = [("a.py", "a\nb\nc\n", "a\nB\nc\n"), ("b.py", "x\n", "x\n"), ("c.py", "", "new\n")]
    assert render_diff(pairs) == (
        "--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
        "--- c.py\n+++ c.py\n@@ -0,0 +1 @@\n+new\n"
    )
    assert render_diff([]) == ""


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("a", "b", "-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"),
        ("a\n", "a", "-a\n+a\n\\ No newline at end of file\n"),
        ("a\r\n", "b\r\n", "-a\r\n+b\r\n"),
        ("a\r\n", "b\r", "-a\r\n+b\r\n\\ No newline at end of file\n"),
        ("a\x0cb\u2028c\n", "\udcff\n", "-a\x0cb\u2028c\n+\\udcff\n"),
    ],
)
def test_a_diff_keeps_the_ends_of_lines(before: str, after: str, lines: str) -> None:
    assert render_diff([("a.py", before, after)]) == f"--- a.py\n+++ a.py\n@@ -1 +1 @@\n{lines}"


def test_a_diff_in_color_closes_colors_before_the_end_of_the_line() -> None:
    assert render_diff([("a\n.py", " \na\r\n", " \nb")], color=True) == (
        "\x1b[1m--- a\\n.py\x1b[0m\n\x1b[1m+++ a\\n.py\x1b[0m\n\x1b[36m@@ -1,2 +1,2 @@\x1b[0m\n"
        "  \n\x1b[1;31m-a\x1b[0m\r\n\x1b[32m+b\x1b[0m\n\\ No newline at end of file\n"
    )


# --- start-up ------------------------------------------------------------------------------------


def test_only_the_module_of_the_chosen_format_is_imported() -> None:
    code = (
        "import sys\n"
        "from capsule_lint.report import Report, Style, render\n"
        "render(Report((), {}, (), {}, lambda _: [], ''), 'concise', Style())\n"
        "print(*sorted(m for m in sys.modules if m in ('json', 'difflib')\n"
        "    or m.startswith('capsule_lint.report.')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [
        "capsule_lint.report.concise",
        "capsule_lint.report.data",
        "capsule_lint.report.text",
    ]
