"""A warm run says the very same as a cold one, whatever happened in between."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capsule_lint.checker import Checker
from capsule_lint.cli import run as cli_run
from tests.project import Project

if TYPE_CHECKING:
    from pathlib import Path

KEYS = """
def order_pk(tenant_id: str, order_id: str) -> str:
    return f"TENANT#{tenant_id}#ORDER#{order_id}"
"""
CALLER = """
from keys import order_pk


def show(tenant_id: str, capsule_id: str) -> str:
    return order_pk(tenant_id, "1")
"""
CORRECT = """
def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
"""
BROKEN = "def order_pk(:\n"
CONTENTS = (KEYS, CALLER, CORRECT, BROKEN, "", "x = 1\n")
NAMES = ("keys.py", "app.py", "other.py")


@pytest.fixture
def orders(project: Project) -> Project:
    """A helper without the capsule, and a caller that has it."""
    return project.write({"keys.py": KEYS, "app.py": CALLER})


def blobs(project: Project) -> list[Path]:
    """What the cache holds."""
    cache = project.root / ".capsule-lint" / "cache"
    return sorted(p for p in cache.rglob("*") if p.is_file() and p.suffix != ".TAG")


def test_a_warm_run_judges_nothing(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    cold = orders.run()
    monkeypatch.setattr(cli_run, "analyse", None)
    assert orders.run() == cold


def test_a_report_in_a_file_is_written_again(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = orders.run("-o", "report.txt")
    report = orders.root / "report.txt"
    said = report.read_text()
    report.unlink()
    monkeypatch.setattr(cli_run, "analyse", None)
    assert orders.run("-o", "report.txt") == cold
    assert report.read_text() == said != ""


def test_what_changed_since_a_revision_is_known(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.write({".gitignore": ".capsule-lint"}).commit()
    nothing = orders.run("--since", "HEAD")
    orders.write({"keys.py": KEYS + "\n"})
    something = orders.run("--since", "HEAD")
    assert "keys.py" in something.out
    assert "keys.py" not in nothing.out
    monkeypatch.setattr(cli_run, "analyse", None)
    assert orders.run("--since", "HEAD") == something
    orders.write({"keys.py": KEYS})
    assert orders.run("--since", "HEAD") == nothing


def loaded(project: Project) -> tuple[str, str]:
    """What a check in a process of its own prints, and what it loads of what takes long to load."""
    script = (
        "import sys\nfrom capsule_lint.cli import main\n"
        "try:\n    main([])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'libcst', 'json', 'difflib'} & set(sys.modules)))"
    )
    command = (sys.executable, "-c", script)
    ran = subprocess.run(command, cwd=project.root, check=True, capture_output=True, text=True)
    said, _, modules = ran.stdout.rstrip("\n").rpartition("\n")
    return said, modules


def test_a_warm_run_does_not_load_what_judges(orders: Project) -> None:
    cold, _ = loaded(orders)
    assert loaded(orders) == (cold, "[]")


@pytest.mark.parametrize("files", [{"keys.py": KEYS, "app.py": CALLER}, {"keys.py": CORRECT}])
def test_what_is_found_again_is_not_judged_again(files: dict[str, str], project: Project) -> None:
    cold, _ = loaded(project.write({**files, "other.py": ""}))
    said, modules = loaded(project.write({"other.py": "x = 1\n"}))
    assert said == cold
    assert "libcst" not in modules


def test_what_a_fix_would_change_is_not_written_again(
    orders: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    cold = orders.write({"other.py": ""}).check()
    monkeypatch.setattr(Checker, "mended", None)
    assert orders.write({"other.py": "x = 1\n"}).check() == cold
    assert "order_pk(tenant_id, capsule_id" in cold.out


@pytest.mark.parametrize("option", ["--statistics", "--ledger", "--quiet", "--select=CAP202"])
def test_options_have_reports_of_their_own(orders: Project, option: str) -> None:
    orders.run()
    assert orders.run(option) == orders.run(option) == orders.run(option, "--no-cache")


def test_a_change_of_policy_counts(orders: Project) -> None:
    assert orders.run().status == 1
    orders.policy('[[scopes]]\nname = "tenant"\nsegment = "TENANT#{tenant_id}"\n')
    assert orders.run().out == orders.run("--no-cache").out == "All checks passed!\n"


def test_a_change_that_keeps_size_and_time_counts(orders: Project) -> None:
    path = orders.root / "keys.py"
    orders.run()
    status = path.stat()
    path.write_bytes(path.read_bytes().replace(b"#ORDER#", b"#OTHER#"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert orders.check() == orders.check("--no-cache")


def test_the_cache_is_keyed_by_content(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    cold = orders.run()
    for path in orders.root.glob("*.py"):
        os.utime(path, (1, 1))
    monkeypatch.setattr(cli_run, "analyse", None)
    assert orders.run() == cold


def test_a_damaged_cache_is_dropped_with_a_note(orders: Project) -> None:
    cold = orders.run()
    for path in blobs(orders):
        if path.name != ".gitignore":
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    damaged = orders.run()
    assert (damaged.status, damaged.out) == (cold.status, cold.out)
    assert "dropped" in damaged.err
    assert orders.run() == cold


def test_no_cache_leaves_nothing(orders: Project) -> None:
    orders.run("--no-cache")
    assert not blobs(orders)


def test_the_cache_can_be_elsewhere(orders: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    cold = orders.run("--cache-dir", str(elsewhere))
    assert orders.run("--cache-dir", str(elsewhere)) == cold
    assert not blobs(orders)
    assert (elsewhere / ".gitignore").read_bytes() == b"*\n"


def test_a_place_that_cannot_be_written_breaks_nothing(orders: Project) -> None:
    (orders.root / "file").write_bytes(b"")
    assert orders.run("--cache-dir", "file/cache") == orders.run("--no-cache")


def test_clean_removes_the_cache(orders: Project) -> None:
    orders.run()
    assert orders.run("clean").status == 0
    assert not blobs(orders)


def test_runs_at_the_same_time_say_the_same(orders: Project) -> None:
    command = (sys.executable, "-m", "capsule_lint")

    def run(_: int) -> str:
        done = subprocess.run(
            command, cwd=orders.root, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(run, range(6)))) == 1


def edit(project: Project, kind: str, name: str, value: str) -> None:
    """Write a file, delete it, or give it another name."""
    path = project.root / name
    match kind:
        case "write":
            project.write({name: value})
        case "delete":
            path.unlink(missing_ok=True)
        case "rename" if path.exists() and name != value:
            project.write({value: path.read_bytes()})
            path.unlink()


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(CONTENTS)),
        st.tuples(st.just("delete"), st.sampled_from(NAMES), st.just("")),
        st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
        st.tuples(st.just("fix"), st.just(""), st.just("")),
    ),
    max_size=6,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=_steps)
def test_warm_equals_cold_over_edits(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]
) -> None:
    project = Project(tmp_path_factory.mktemp("edits")).write({"keys.py": KEYS})
    for kind, name, value in steps:
        edit(project, kind, name, value)
        if kind == "fix":
            project.run("--fix")
        assert project.check() == project.check("--no-cache")
        assert project.check("--ledger") == project.check("--ledger", "--no-cache")
