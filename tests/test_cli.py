"""The command line: options, exit codes, and what is said on bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from capsule_lint import __version__, fixing
from capsule_lint.cache import again
from capsule_lint.cli import run as cli_run
from capsule_lint.cli import watch as cli_watch
from capsule_lint.errors import InternalError
from capsule_lint.report import FORMATS
from tests.project import Project, text_of

if TYPE_CHECKING:
    from pathlib import Path

KEYS = """
def order_pk(tenant_id: str, order_id: str) -> str:
    return f"TENANT#{tenant_id}#ORDER#{order_id}"
"""
FIXED = """\
def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
"""
IDS = """
import pytest


class Ids:
    class Capsule(str):
        pass


@pytest.fixture
def org():
    return "o"
"""
CALLER = """
from keys import order_pk


def show(tenant_id: str, capsule_id: str) -> str:
    return order_pk(tenant_id, "1")
"""
ESCAPE = """
from keys import order_pk


def all_keys(tenants: list[str], orders: list[str]) -> list[str]:
    return list(map(order_pk, tenants, orders))
"""
TWO = {"keys.py": KEYS, "app.py": CALLER}


@pytest.fixture
def orders(project: Project) -> Project:
    """A helper without the capsule, and a caller that has it."""
    return project.write(TWO)


@pytest.fixture
def unsafe(project: Project) -> Project:
    """A helper without the capsule that is used as a value."""
    return project.write({"keys.py": KEYS, "app.py": ESCAPE})


# --- exit codes and what is printed ---


def test_nothing_found_is_exit_0(project: Project) -> None:
    outcome = project.write({"app.py": "x = 1\n"}).run()
    assert (outcome.status, outcome.out, outcome.err) == (0, "All checks passed!\n", "")


def test_findings_are_exit_1_and_go_to_stdout(orders: Project) -> None:
    outcome = orders.run()
    assert outcome.status == 1
    assert outcome.out.startswith(
        "CAP202 [*] `order_pk` builds a key without `capsule_id`\n --> keys.py:1:5\n"
    )
    assert outcome.out.endswith("Found 1 error.\n[*] 1 fixable with --fix.\n")
    assert outcome.err == ""


def test_check_is_the_long_name_of_the_check(orders: Project) -> None:
    assert orders.run("check", ".") == orders.run(".") == orders.run("check") == orders.run()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--bogus",),
        ("--output-format", "nope"),
        ("rule", "--bogus"),
        ("--select", "CAP9"),
        ("--ignore", "E501"),
        ("--fixable", "nope"),
        ("nowhere.py",),
        ("--config", "nowhere.toml"),
        ("--baseline", "nowhere.json"),
        ("--update-baseline",),
        ("--prune-baseline",),
        ("--diff", "--baseline", "known.json", "--update-baseline"),
        ("--undo",),
        ("--undo", "--fix"),
        ("--undo", "--diff"),
        ("--undo", "--ledger"),
        ("--fix", "--baseline", "known.json", "--update-baseline"),
        ("--diff", "--statistics"),
        ("--diff", "--output-format", "json"),
        ("--ledger", "--statistics"),
        ("--ledger", "--output-format", "sarif"),
        ("--statistics", "--output-format", "github"),
        ("inits",),
        ("--since", "HEAD"),
        ("-o", "no/such/folder/report.txt"),
        ("--stdin-filename", "nowhere.py"),
        ("--stdin-filename", "keys.py", "--fix"),
        ("rule",),
        ("rule", "CAP999"),
        ("config", "nowhere"),
        ("clean", "nowhere"),
        ("init", "nowhere"),
    ],
    ids=" ".join,
)
def test_usage_and_files_that_cannot_be_used_are_exit_2(
    arguments: tuple[str, ...], orders: Project
) -> None:
    before = orders.tree()
    outcome = orders.run(*arguments)
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.lower().count("error: ") == 1
    assert "Traceback" not in outcome.err
    assert orders.tree() == before


def test_an_internal_error_is_exit_101_and_writes_nothing(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise InternalError("the fixed file would not parse")

    monkeypatch.setattr(fixing, "fix", fail)
    before = orders.tree()
    outcome = orders.run("--fix")
    assert outcome.status == 101
    assert outcome.err.startswith("internal error: the fixed file would not parse\n")
    assert orders.tree() == before


def test_an_unforeseen_exception_is_exit_101_too(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(cli_run, "analyse", fail)
    outcome = orders.run()
    assert outcome.status == 101
    assert "KeyError: 'oops'" in outcome.err
    assert outcome.err.endswith("internal error: please report this with the lines above\n")


def test_an_interrupt_is_exit_130_wherever_it_comes(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    def wrapped(*_: object, **__: object) -> None:  # as Python 3.11 does where a class is made
        raise RuntimeError("Error calling __set_name__") from KeyboardInterrupt()

    for module, name, fail in (
        (cli_run, "analyse", interrupted),
        (cli_run, "analyse", wrapped),
        (again, "answer", interrupted),
    ):
        monkeypatch.setattr(module, name, fail)
        outcome = orders.run()
        assert (outcome.status, outcome.err.strip()) == (130, "interrupted")


def test_a_failing_disk_is_exit_2(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "keys.py")

    monkeypatch.setattr(cli_run, "write", fail)
    outcome = orders.run("--fix")
    assert (outcome.status, outcome.err) == (2, "error: keys.py: No space left on device\n")


def test_python_m_runs_the_tool(orders: Project) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "capsule_lint", "--output-format", "concise", "--quiet"],
        cwd=orders.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == "keys.py:1:5: CAP202 [*] `order_pk` builds a key without `capsule_id`\n"
    assert done.stderr == ""


def test_a_closed_pipe_is_no_traceback(orders: Project) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "capsule_lint"]
    with os.fdopen(writing, "w") as out:
        done = subprocess.run(
            command, cwd=orders.root, stdout=out, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_printed(option: str, project: Project) -> None:
    assert project.run(option).out == f"capsule-lint {__version__}\n"


@pytest.mark.parametrize("verb", ["", "check", "rule", "init", "config", "clean"])
def test_each_verb_has_help(verb: str, project: Project) -> None:
    outcome = project.run(*verb.split(), "--help")
    assert outcome.status == 0
    assert outcome.out.startswith("Usage: capsule-lint")


# --- which rules, which files ---


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ((), ["CAP301", "CAP101"]),
        (("--select", "CAP101"), ["CAP101"]),
        (("--select", "cap1"), ["CAP101"]),
        (("--select", "CAP2"), []),
        (("--select", "ALL"), ["CAP301", "CAP101"]),
        (("--select", "CAP101,CAP301"), ["CAP301", "CAP101"]),
        (("--select", "CAP101", "--select", "CAP301"), ["CAP301", "CAP101"]),
        (("--ignore", "CAP101"), ["CAP301"]),
        (("--ignore", "CAP"), []),
        (("--select", "CAP101", "--ignore", "CAP"), ["CAP101"]),
        (("--select", "CAP", "--ignore", "CAP3"), ["CAP101"]),
        (("--select", "CAP2", "--extend-select", "CAP301"), ["CAP301"]),
    ],
)
def test_select_ignore_and_extend_select(
    arguments: tuple[str, ...], codes: list[str], project: Project
) -> None:
    entity = """
    from dataclasses import dataclass


    @dataclass
    class Config:
        tenant_id: str

        @property
        def pk(self) -> str:
            return f"TENANT#{self.tenant_id}#CONFIG"
    """
    outcome = project.write({"app.py": entity}).check(*arguments)
    assert outcome.codes == codes
    assert outcome.status == int(bool(codes))


def test_paths_limit_what_is_reported_and_not_what_is_analysed(orders: Project) -> None:
    assert orders.check("app.py").data == []
    assert orders.check("keys.py").places() == [("keys.py", 1)]
    outcome = orders.run("--fix", "keys.py")
    assert outcome.status == 0
    assert "order_pk(tenant_id, capsule_id, " in orders.read("app.py")


@pytest.mark.parametrize("beside", ["app/__init__.py", "pyproject.toml", "app/setup.py"])
@pytest.mark.parametrize("named", ["app/orders", "app/orders/keys.py"])
def test_without_a_policy_what_is_around_a_path_is_the_program(
    named: str, beside: str, project: Project
) -> None:
    caller = "from {}orders.keys import order_pk\n\n\ndef f(t: str) -> str:\n    return order_pk(t, 'o')\n"
    inside = beside == "app/setup.py"
    caller = caller.format("" if inside else "app.")
    package = {"app/orders/__init__.py": ""} if beside.endswith("__init__.py") else {}
    files = {"app/orders/keys.py": KEYS, "app/jobs/nightly.py": caller, beside: ""}
    project.write(files | package)
    project.run("--fix", named)
    assert "order_pk(t, capsule_id, 'o')" in project.read("app/jobs/nightly.py")
    assert project.run("--undo", "app" if inside else ".").status == 0
    assert project.read("app/jobs/nightly.py") == caller


def test_filenames_are_relative_to_the_working_directory(project: Project) -> None:
    project.policy('src = ["."]').write({"src/keys.py": KEYS, "docs/readme.txt": ""})
    inside = Project(project.root / "docs")
    assert inside.check("../src").places() == [("../src/keys.py", 1)]


def test_a_folder_without_python_files_is_a_warning(project: Project) -> None:
    outcome = project.run()
    assert outcome.status == 0
    assert outcome.err == "warning: no Python files found under the given paths\n"


def test_the_policy_excludes_and_a_named_file_is_checked_all_the_same(orders: Project) -> None:
    orders.policy('exclude = ["keys.py"]')
    assert orders.check().data == []
    assert orders.check("keys.py").places() == [("keys.py", 1)]
    outcome = orders.check("keys.py", "--force-exclude")
    assert outcome.data == []


def test_isolated_ignores_the_policy(orders: Project) -> None:
    orders.policy('ignore = ["CAP"]')
    assert orders.check().data == []
    assert orders.check("--isolated").places() == [("keys.py", 1)]


def test_what_a_policy_names_wrongly_is_said_as_what_it_writes_wrongly(orders: Project) -> None:
    (orders.root / "capsule-lint.toml").unlink(missing_ok=True)
    scope = '[[tool.capsule-lint.scopes]]\nname = "a"\nsegment = "A#{a}"\n'
    where = "error: pyproject.toml: tool.capsule-lint.scopes[0]"
    orders.write({"pyproject.toml": f'{scope}sources = ["keys:Context.a"]\n'})
    assert orders.run().err.startswith(f"{where}.sources[0]: module `keys` has no `Context`")
    orders.write({"pyproject.toml": f"{scope}sources = [1]\n"})
    assert orders.run().err.startswith(f"{where}.sources[0]: expected a string")
    orders.write({"pyproject.toml": '[tool.capsule-lint]\nselect = ["CPA101"]\n'})
    assert orders.run().err.startswith("error: pyproject.toml: tool.capsule-lint.select: `CPA101`")


def test_isolated_and_config_contradict_each_other(orders: Project) -> None:
    outcome = orders.run("--isolated", "--config", "pyproject.toml")
    assert (outcome.status, outcome.out) == (2, "")
    assert (
        outcome.err == "error: --isolated: ignores every policy file: give it without --config\n"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have names of text")
def test_a_file_whose_name_is_no_text_is_checked_and_fixed(orders: Project) -> None:
    name = os.fsdecode(b"more\xff.py")
    (orders.root / name).write_bytes((orders.root / "keys.py").read_bytes())
    for _ in range(2):
        assert orders.check("--cache-dir", ".kept").places() == [("keys.py", 1), (name, 1)]
    assert orders.run("--fix").status == 0
    assert orders.run("--undo").status == 0


def test_config_names_the_policy(orders: Project) -> None:
    orders.write({"strict.toml": 'ignore = ["CAP202"]\n'})
    assert orders.check().places() == [("keys.py", 1)]
    assert orders.check("--config", "strict.toml").data == []


def test_per_file_ignores_hold(orders: Project) -> None:
    orders.policy('per-file-ignores = { "keys.py" = ["CAP2"] }')
    assert orders.check().data == []


def test_since_reports_on_changed_files_only(orders: Project) -> None:
    orders.write({"old_keys.py": KEYS.replace("order_pk", "old_pk")}).commit()
    assert orders.check("--since", "HEAD").data == []
    orders.write({"keys.py": KEYS + "\n"})
    assert orders.check("--since", "HEAD").places() == [("keys.py", 1)]
    assert orders.run("--since", "nope").status == 2


def test_standard_input_takes_the_place_of_a_file(orders: Project) -> None:
    good = orders.check("--stdin-filename", "keys.py", stdin=FIXED)
    assert (good.status, good.data) == (0, [])
    bad = orders.check("--stdin-filename", "app.py", stdin=KEYS.replace("order_pk", "my_pk"))
    assert bad.places() == [("app.py", 2)]
    dash = orders.check("-", "--stdin-filename", "keys.py", stdin=KEYS)
    assert dash.places() == [("keys.py", 2)]


# --- output ---


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("path", [".", "app.py"])
def test_every_format_goes_to_stdout_alone(output_format: str, path: str, orders: Project) -> None:
    outcome = orders.run("--output-format", output_format, path)
    assert outcome.err == ""
    assert outcome.status == int(path == ".")
    if output_format not in ("concise", "full", "grouped", "json-lines", "github"):
        assert outcome.out
    assert ("CAP202" in outcome.out) == (path == ".") or output_format == "sarif"


def test_a_report_can_go_to_a_file(orders: Project) -> None:
    printed = orders.run("--output-format", "json").out
    outcome = orders.run("--output-format", "json", "-o", "report.json")
    assert (outcome.status, outcome.out) == (1, "")
    assert orders.read("report.json") == printed


def test_json_holds_the_edits_of_the_whole_change_set(orders: Project) -> None:
    (finding,) = orders.check().data
    assert finding["fix"]["applicability"] == "safe"
    assert {edit["filename"] for edit in finding["fix"]["edits"]} == {"app.py", "keys.py"}


def test_show_fixes_shows_the_changes(orders: Project) -> None:
    assert "capsule_id: str" not in orders.run().out
    assert "capsule_id: str" in orders.run("--show-fixes").out


def test_show_fixes_lists_what_was_fixed(orders: Project) -> None:
    listed = "Fixed 1 error:\n- keys.py:\n    1 x CAP202 (key-helper-missing-scope)\n\n"
    assert orders.run("--fix-only", "--show-fixes").out.startswith(listed)
    orders.write(TWO)
    assert listed not in orders.run("--fix").out


def test_statistics_count_by_rule(orders: Project) -> None:
    outcome = orders.run("--statistics", "--quiet")
    assert (outcome.status, outcome.out) == (1, "1\tCAP202\t[*] key-helper-missing-scope\n")
    assert orders.check("--statistics").data == [
        {
            "code": "CAP202",
            "name": "key-helper-missing-scope",
            "count": 1,
            "fixable": True,
            "fixable_count": 1,
        }
    ]


def test_the_ledger_has_a_row_for_every_occurrence(orders: Project) -> None:
    outcome = orders.check("--ledger")
    assert outcome.status == 1
    rows = [(row["filename"], row["row"], row["column"], row["verdict"]) for row in outcome.data]
    assert rows == [
        ("app.py", 1, 18, "already-correct"),
        ("app.py", 5, 12, "rewritten"),
        ("keys.py", 1, 5, "rewritten"),
    ]
    assert outcome.data[1]["symbol"] == "keys.order_pk"
    assert outcome.data[1]["text"] == 'return order_pk(tenant_id, "1")'
    text = orders.run("--ledger")
    assert text.status == 1
    assert "app.py:5:12" in text.out
    limited = orders.check("--ledger", "keys.py")
    assert (limited.status, limited.data) == (1, outcome.data[2:])


def test_the_ledger_tells_escapes(unsafe: Project) -> None:
    verdicts = {row["row"]: row["verdict"] for row in unsafe.check("--ledger").data[:-1]}
    assert verdicts[5] == "escape"


def test_quiet_prints_findings_alone(orders: Project) -> None:
    assert "Found" not in orders.run("--quiet").out
    assert orders.run("--quiet", "app.py").out == ""


def test_verbose_talks_on_stderr(orders: Project) -> None:
    outcome = orders.run("--verbose")
    assert "2 files read\n" in outcome.err
    assert outcome.out == orders.run().out


def test_there_are_no_colours_without_a_terminal(orders: Project) -> None:
    assert "\x1b" not in orders.run().out
    assert "\x1b" not in orders.run("--diff").out


def test_exit_zero_holds_whatever_is_found(orders: Project) -> None:
    outcome = orders.run("--exit-zero")
    assert outcome.status == 0
    assert "CAP202" in outcome.out


# --- fixing ---


def test_fix_writes_and_lints_again(orders: Project) -> None:
    outcome = orders.run("--fix")
    assert outcome.status == 0
    assert orders.read("keys.py") == FIXED
    assert 'order_pk(tenant_id, capsule_id, "1")' in orders.read("app.py")
    assert "1 call site updated" in outcome.out
    assert "2 files modified" in outcome.out
    assert outcome.out.endswith("Found 1 error (1 fixed, 0 remaining).\n")


def test_a_second_fix_changes_nothing(orders: Project) -> None:
    orders.run("--fix")
    before = orders.tree()
    outcome = orders.run("--fix")
    assert (outcome.status, outcome.out) == (0, "All checks passed!\n")
    assert orders.tree() == before


def test_fix_only_reports_nothing_that_is_left(unsafe: Project) -> None:
    before = unsafe.tree()
    outcome = unsafe.run("--fix-only")
    assert (outcome.status, outcome.out) == (0, "")
    assert unsafe.tree() == before


def test_fix_only_counts_what_it_fixed_alone(unsafe: Project) -> None:
    unsafe.write({"more.py": KEYS.replace("order", "item").replace("ORDER", "ITEM")})
    outcome = unsafe.run("--fix-only")
    assert outcome.status == 0
    assert outcome.out.endswith("seconds\nFixed 1 error.\n")


def test_an_unsafe_change_set_waits_for_a_word(unsafe: Project) -> None:
    before = unsafe.tree()
    outcome = unsafe.run("--fix")
    assert outcome.status == 1
    assert "--unsafe-fixes" in outcome.out
    assert unsafe.tree() == before


def test_unsafe_fixes_leave_a_finding_where_a_person_must_look(unsafe: Project) -> None:
    outcome = unsafe.run("--fix", "--unsafe-fixes")
    assert outcome.status == 1
    assert unsafe.read("keys.py") == FIXED
    assert unsafe.read("app.py").endswith("return list(map(order_pk, tenants, orders))\n")
    assert "CAP403" in outcome.out
    assert " --> app.py:5:21\n" in outcome.out


def test_what_an_unsafe_fix_leaves_is_found_where_it_stands_now(unsafe: Project) -> None:
    caller = """
    def first(tenant_id: str, capsule_id: str) -> str:
        return order_pk(
            tenant_id,
            "1",
        )


    BY_NAME = {"order": order_pk}
    """
    unsafe.write({"keys.py": text_of(KEYS) + text_of(caller), "app.py": "x = 1\n"})
    outcome = unsafe.run("--fix", "--unsafe-fixes", "--output-format", "json")
    assert outcome.places() == [("keys.py", 11)]
    assert unsafe.read("keys.py").splitlines()[10] == 'BY_NAME = {"order": order_pk}'


def test_unfixable_rules_are_not_fixed(orders: Project) -> None:
    before = orders.tree()
    assert orders.run("--fix", "--unfixable", "CAP202").status == 1
    assert orders.run("--fix", "--fixable", "CAP1").status == 1
    assert orders.tree() == before
    assert orders.run("--fix", "--fixable", "CAP1,CAP202").status == 0
    assert orders.tree() != before


def test_a_change_set_with_an_unfixable_finding_does_not_land(project: Project) -> None:
    code = """
        def order_pk(tenant_id):
            return f"TENANT#{tenant_id}#ORDER"


        class OrderRepository:
            def __init__(self, table):
                self.table = table

            def get(self, tenant_id):
                return self.table.get_item(Key={"PK": order_pk(tenant_id), "SK": "-"})
    """
    before = project.write({"app.py": code}).tree()
    outcome = project.run("--fix", "--unfixable", "CAP202")
    assert (outcome.status, project.tree()) == (1, before)
    assert "CAP202 is not to be fixed" in project.run("--unfixable", "CAP202").out
    assert project.run("--fix").status == 0


def test_exit_non_zero_on_fix(orders: Project) -> None:
    assert orders.run("--fix", "--exit-non-zero-on-fix").status == 1
    assert orders.run("--fix", "--exit-non-zero-on-fix").status == 0


def test_diff_prints_a_patch_and_writes_nothing(orders: Project) -> None:
    before = orders.tree()
    outcome = orders.run("--diff")
    assert outcome.status == 1
    assert outcome.err == "2 files would be changed\n"
    assert "--- keys.py\n+++ keys.py\n" in outcome.out
    assert "+def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:\n" in outcome.out
    assert orders.run("--diff", "--fix").out == outcome.out
    assert orders.tree() == before


def test_the_diff_is_what_fix_does(orders: Project) -> None:
    patch = orders.run("--diff").out
    orders.run("--fix")
    copy = Project(orders.root / "copy").write(TWO)
    copy.git("init", "-q")
    command = ["git", "apply", "-p0", "-"]
    subprocess.run(command, cwd=copy.root, input=patch.encode(), check=True)
    assert copy.read("keys.py") == orders.read("keys.py")
    assert copy.read("app.py") == orders.read("app.py")


def test_a_diff_of_nothing_is_exit_0(project: Project) -> None:
    outcome = project.write({"app.py": "x = 1\n"}).run("--diff")
    assert (outcome.status, outcome.out) == (0, "")
    assert outcome.err == "nothing would be changed\n"


def test_undo_takes_the_last_fix_back(orders: Project) -> None:
    before = orders.tree()
    orders.run("--fix")
    assert orders.tree() != before
    outcome = orders.run("--undo")
    assert (outcome.status, outcome.out) == (0, "")
    assert outcome.err == "took the last run back: 2 files restored\n"
    assert orders.tree() == before


def test_undo_takes_no_part_of_a_fix_back(orders: Project) -> None:
    orders.run("--fix")
    after = orders.tree()
    outcome = orders.run("--undo", "app.py")
    assert (outcome.status, orders.tree()) == (2, after)
    assert outcome.err.startswith("error: --undo: takes the whole last run back")
    assert orders.run("--undo", ".").status == 0


def test_line_endings_and_marks_of_untouched_lines_stay(project: Project) -> None:
    data = b'\xef\xbb\xbf# r\xc3\xa9sum\xc3\xa9\r\ndef order_pk(tenant_id):\r\n\treturn f"TENANT#{tenant_id}"'
    project.write({"keys.py": data}).run("--fix")
    assert project.tree()["keys.py"] == (
        b"\xef\xbb\xbf# r\xc3\xa9sum\xc3\xa9\r\ndef order_pk(tenant_id, capsule_id):\r\n"
        b'\treturn f"TENANT#{tenant_id}#CAPSULE#{capsule_id}"'
    )


# --- git ---


def test_fix_refuses_files_with_uncommitted_changes(orders: Project) -> None:
    orders.commit().write({"keys.py": KEYS + "\n"})
    before = orders.tree()
    outcome = orders.run("--fix")
    assert outcome.status == 2
    assert outcome.err.startswith("error: keys.py: uncommitted changes")
    assert "--allow-dirty" in outcome.err
    assert orders.tree() == before
    assert orders.run("--fix", "--allow-dirty").status == 0
    assert orders.tree() != before


def test_other_uncommitted_changes_do_not_matter(orders: Project) -> None:
    orders.commit().write({"other.py": "x = 1\n"})
    assert orders.run("--fix").status == 0


# --- baseline ---


def test_a_baseline_hides_what_is_known(orders: Project) -> None:
    made = orders.run("--baseline", "known.json", "--update-baseline")
    assert (made.status, made.err) == (0, "wrote 1 finding to known.json\n")
    assert orders.check("--baseline", "known.json").data == []
    orders.write(
        {"keys.py": "# moved\n" + text_of(KEYS) + text_of(KEYS).replace("order_pk", "invoice_pk")}
    )
    assert orders.check("--baseline", "known.json").places() == [("keys.py", 4)]


def test_the_policy_names_the_baseline(orders: Project) -> None:
    orders.policy('baseline = "known.json"')
    assert orders.check().places() == [("keys.py", 1)]
    assert orders.run("--update-baseline").status == 0
    assert orders.check().data == []


def test_prune_baseline_forgets_what_is_mended(orders: Project) -> None:
    orders.write({"more.py": KEYS.replace("order_pk", "more_pk")})
    orders.run("--baseline", "known.json", "--update-baseline")
    (orders.root / "more.py").unlink()
    assert orders.run("--baseline", "known.json", "--prune-baseline").status == 0
    assert [f["filename"] for f in json.loads(orders.read("known.json"))["findings"]] == [
        "keys.py"
    ]


@pytest.mark.parametrize("what", ["--update-baseline", "--prune-baseline"])
@pytest.mark.parametrize("limits", [("keys.py",), ("--select", "CAP101"), ("more.py", "keys.py")])
def test_what_a_run_does_not_judge_stays_in_the_baseline(
    what: str, limits: tuple[str, ...], orders: Project
) -> None:
    orders.write(
        {"more.py": KEYS.replace("order_pk", "more_pk"), "one.py": KEYS.replace("order", "one")}
    )
    orders.run("--baseline", "known.json", "--update-baseline")
    before = orders.read("known.json")
    assert before.count("fingerprint") == 3
    outcome = orders.run(*limits, "--baseline", "known.json", what)
    assert outcome.status == 0
    assert ("that this run does not judge" in outcome.err) == (what == "--update-baseline")
    assert orders.read("known.json") == before


def test_a_baseline_that_is_none_is_made_anew(orders: Project) -> None:
    orders.write({"known.json": "{"})
    assert orders.run("--baseline", "known.json", "--update-baseline").status == 0
    assert orders.check("--baseline", "known.json").data == []


def test_a_known_finding_is_not_fixed(orders: Project) -> None:
    orders.run("--baseline", "known.json", "--update-baseline")
    before = orders.tree()
    assert orders.run("--baseline", "known.json", "--fix").status == 0
    assert orders.tree() == before


@pytest.mark.parametrize("content", ["", "[]", '{"version": 9, "findings": []}', '{"version": 1}'])
def test_a_broken_baseline_is_an_error(content: str, orders: Project) -> None:
    outcome = orders.write({"known.json": content}).run("--baseline", "known.json")
    assert outcome.status == 2
    assert outcome.err.startswith("error: known.json: is no baseline")
    assert "--update-baseline" in outcome.err


# --- the other verbs ---


@pytest.mark.parametrize("name", ["CAP202", "cap202", "key-helper-missing-scope"])
def test_a_rule_is_explained_by_code_or_name(name: str, project: Project) -> None:
    outcome = project.run("rule", name)
    assert outcome.out.startswith("# key-helper-missing-scope (CAP202)\n")
    assert "## Why is this bad?" in outcome.out


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("key-helper-mising-scope", "did you mean `key-helper-missing-scope`?"),
        ("CAP3", "did you mean `CAP301` or `CAP302`?"),
        ("CAP9", "none of the 25 known here is like it"),
        ("CAP999", "none of the 25 known here is like it"),
    ],
)
def test_an_unknown_rule_gets_likely_ones(named: str, said: str, project: Project) -> None:
    outcome = project.run("rule", named)
    assert outcome.status == 2
    assert said in outcome.err


def test_all_rules_can_be_explained(project: Project) -> None:
    pages = project.run("rule", "--all")
    data = project.run("rule", "--all", "--output-format", "json").data
    assert pages.status == 0
    for rule in data:
        assert f"# {rule['name']} ({rule['code']})" in pages.out
    assert project.run("rule", "CAP202", "--output-format", "json").data in data


def test_init_writes_a_policy_that_holds(orders: Project) -> None:
    outcome = orders.run("init")
    assert (outcome.status, outcome.out) == (0, "wrote capsule-lint.toml\n")
    assert orders.check().places() == [("keys.py", 1)]
    again = orders.run("init")
    assert again.status == 2
    assert "is a policy already" in again.err


def test_config_prints_the_policy(orders: Project) -> None:
    assert orders.run("config").out.startswith("# no policy file: the default\n")
    orders.policy('exclude = ["gen/**"]')
    outcome = orders.run("config")
    assert f"# {orders.root / 'capsule-lint.toml'}\n" in outcome.out
    assert 'exclude = ["gen/**"]\n' in outcome.out
    assert 'scopes[1].parameter = "capsule_id"\n' in outcome.out


def test_clean_removes_the_state(orders: Project) -> None:
    orders.run("--fix")
    assert (orders.root / ".capsule-lint").is_dir()
    assert orders.run("clean").status == 0
    assert not (orders.root / ".capsule-lint").exists()
    assert orders.run("clean").out.startswith("nothing to remove in ")
    assert orders.run("--undo").status == 2


# --- bad input ---


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (b"x = 1\ndef broken(:\n", 2),
        (b"# -*- coding: nope -*-\n", 1),
        (b"x = 1\ny = '\xff'\n", 2),
        (b"\xff\xfex\x00", 1),
        (b"x = 1\n\x00\n", 2),
        (b"if x:\npass\n", 2),
    ],
)
def test_a_file_that_cannot_be_read_is_a_finding(data: bytes, row: int, orders: Project) -> None:
    outcome = orders.write({"bad.py": data}).check()
    assert outcome.status == 1
    assert outcome.err == ""
    assert outcome.places("CAP002") == [("bad.py", row)]
    assert outcome.places("CAP202") == [("keys.py", 1)]


@pytest.mark.parametrize(
    ("code", "column"),
    [("if x:\n\té = 2 +* 3\n", 9), ("x = 1\n(\n", 1)],
)
def test_a_syntax_error_is_found_where_python_finds_it(
    code: str, column: int, project: Project
) -> None:
    (found,) = project.write({"bad.py": code.encode()}).check().data
    assert found["location"] == {"row": 2, "column": column}


def test_a_file_without_permission_is_a_finding(orders: Project) -> None:
    path = orders.root / "secret.py"
    path.write_text("x = 1\n")
    path.chmod(0)
    try:
        if os.access(path, os.R_OK):
            pytest.skip("whoever runs this may read everything")
        assert orders.check().places("CAP002") == [("secret.py", 1)]
    finally:
        path.chmod(0o600)


def test_an_unparsable_file_blocks_what_may_reach_into_it(orders: Project) -> None:
    orders.write({"bad.py": b"from keys import order_pk\norder_pk('t', '1'\n"})
    before = orders.tree()
    outcome = orders.run("--fix")
    assert outcome.status == 1
    assert orders.tree() == before


@pytest.mark.parametrize("data", [b"x = (\n", b"x = '\xe9'\n", b"# coding: nope\n", b"x\x00\n"])
def test_an_unparsable_file_that_says_nothing_of_it_blocks_nothing(
    data: bytes, orders: Project
) -> None:
    orders.write({"bad.py": data})
    outcome = orders.run("--fix", "--output-format", "json")
    assert outcome.status == 1
    assert outcome.places() == [("bad.py", 1)]
    assert orders.read("keys.py") == FIXED


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ('selct = ["CAP"]', "selct: unknown key: did you mean `select`?"),
        ('select = "CAP"', "select: expected a list of strings, not a string"),
        ('select = ["CPA101"]', "select: `CPA101` is no rule"),
        ('per-file-ignores = { "a.py" = ["E501"] }', "per-file-ignores: `E501` is no rule"),
        ("select = [", "is no valid TOML"),
        ('src = ["nope"]', "nope: does not exist: `src` in capsule-lint.toml names it"),
        ("line-length = -3", "line-length: expected a positive number, not -3"),
        ('line-length = "3"', "line-length: expected a positive number, not a string"),
        ("src = []", "src: must name at least one folder"),
        ("scopes = []", "scopes: must name at least one scope"),
        ('[[scopes]]\nname = "a"\nsegment = "A#"', "scopes[0].segment: `A#` has no hole"),
        ('[[scopes]]\nname = "a"', "scopes[0]: lacks the key `segment`"),
        (
            '[entities]\nOrder = { scopes = ["tenat"] }',
            "entities.Order.scopes[0]: unknown scope `tenat`: did you mean `tenant`?",
        ),
        (
            '[[scopes]]\nname = "a"\nsegment = "A#{a}"\nsources = ["keys:Context.a"]',
            "scopes[0].sources[0]: module `keys` has no `Context`",
        ),
        (
            '[[scopes]]\nname = "a"\nsegment = "A#{a}"\nsources = ["ids.Ids.Capsule"]',
            "scopes[0].sources[0]: `ids.Ids.Capsule` has no colon: did you mean `ids:Ids.Capsule`?",
        ),
        (
            '[[scopes]]\nname = "a"\nsegment = "A#{a}"\nsources = ["keys"]',
            "scopes[0].sources[0]: `keys` has no colon: did you mean `keys:NAME`?",
        ),
        (
            '[[scopes]]\nname = "a"\nsegment = "A#{a}"\ntype = "keys:Order_pk"',
            "scopes[0].type: module `keys` has no `Order_pk`; did you mean `order_pk`?",
        ),
        (
            '[[scopes]]\nname = "a"\nsegment = "A#{a}"\ntype = "ids:Ids.Capsul"',
            "scopes[0].type: `Ids` has no `Capsul`; did you mean `Capsule`?",
        ),
        (
            '[[scopes]]\nname = "a"\nsegment = "A#{a}"\ntest-source = "ids:org()"',
            "scopes[0].test-source: `ids:org()` is a fixture, which nobody can call",
        ),
        (
            '[[scopes]]\nname = "a"\nsegment = "A#{a}"\ntype = "ids:Ids"\n'
            'test-source = "tests.new:one()"\ntest-value = "str(IDs.Capsule(1))"',
            "scopes[0].test-value: `IDs` is neither a builtin, nor the scope's `type`, nor a name of `tests.new`;"
            " did you mean `Ids`?",
        ),
        (
            '[[scopes]]\nname = "a"\nsegment = "A#{a}"\nsources = ["a b"]',
            "scopes[0].sources[0]: `a b` is no Python expression",
        ),
    ],
)
def test_a_wrong_policy_is_one_error_with_file_key_and_remedy(
    policy: str, said: str, orders: Project
) -> None:
    orders.policy(policy)
    orders.write({"ids.py": IDS})
    before = orders.tree()
    outcome = orders.run("--fix")
    assert outcome.status == 2
    assert outcome.out == ""
    assert "capsule-lint.toml" in outcome.err
    assert said in outcome.err
    assert outcome.err.count("\n") == 1
    assert orders.tree() == before


def test_a_policy_in_pyproject_is_known_by_its_table(orders: Project) -> None:
    orders.write({"pyproject.toml": '[tool.capsule-lint]\nignor = ["CAP"]\n'})
    outcome = orders.run()
    assert outcome.status == 2
    assert outcome.err.startswith("error: pyproject.toml: tool.capsule-lint.ignor: unknown key")


def test_a_folder_with_the_name_of_a_module_is_a_folder(orders: Project) -> None:
    orders.write({"x.py/inner.py": KEYS.replace("order_pk", "inner_pk")})
    assert orders.check().places() == [("keys.py", 1), ("x.py/inner.py", 1)]
    assert orders.check("x.py").places() == [("x.py/inner.py", 1)]


def test_two_modules_with_one_name_are_both_checked(orders: Project) -> None:
    orders.write({"keys/__init__.py": KEYS})
    outcome = orders.check()
    assert outcome.status == 1
    assert outcome.places("CAP202") == [("keys.py", 1), ("keys/__init__.py", 1)]


def test_modules_that_import_each_other_are_checked(project: Project) -> None:
    project.write(
        {
            "keys.py": "from app import *\nimport app\n" + KEYS.lstrip(),
            "app.py": "from keys import *\nimport keys as again\nkeys = again\n",
        }
    )
    assert project.check().places() == [("keys.py", 3)]


def test_classes_that_inherit_from_each_other_end(project: Project) -> None:
    project.write({"app.py": "class A(B): ...\nclass B(A): ...\nclass C(C): ...\n"})
    assert project.run().status == 0


def test_deeply_nested_code_is_no_traceback(project: Project) -> None:
    project.write({"app.py": "x = " + "(" * 150 + "1" + ")" * 150 + "\n", "keys.py": KEYS})
    outcome = project.check()
    assert outcome.status == 1
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("name", ["a b.py", "é.py", "-x.py", "tests/conftest.py"])
def test_odd_file_names_are_checked(name: str, project: Project) -> None:
    outcome = project.write({name: KEYS, "x/y.py": "x = 1\n"}).check("--", ".")
    assert outcome.status in (0, 1)
    assert outcome.err == ""


def test_a_file_outside_of_the_project_is_an_error(orders: Project, tmp_path: Path) -> None:
    inner = Project(tmp_path / "inner").policy("").write({"a.py": "x = 1\n"})
    outcome = inner.run("--config", "capsule-lint.toml", "../keys.py")
    assert outcome.status == 2
    assert "lies outside of the project" in outcome.err


# --- watching ---


def test_watching_checks_again_after_each_change(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []
    edits = iter(({"keys.py": FIXED}, {"capsule-lint.toml": "broken = ["}))

    def pause(_: float) -> None:
        for files in edits:
            orders.write(files)
            return
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_watch, "call", ran.append)
    monkeypatch.setattr(cli_watch, "sleep", pause)
    outcome = orders.run("--watch", "--output-format", "concise")
    assert outcome.status == 0
    assert len(ran) == 3
    assert {command[1:] for command in ran} == {
        ("-m", "capsule_lint", "--output-format", "concise")
    }


@pytest.mark.parametrize("other", [("--fix",), ("--undo",), ("--stdin-filename", "keys.py")])
def test_watching_only_checks(other: tuple[str, ...], orders: Project) -> None:
    before = orders.tree()
    outcome = orders.run("--watch", *other)
    assert outcome.status == 2
    assert outcome.err.startswith("error: --watch: ")
    assert orders.tree() == before
