"""Whole programs: fixed in one run, they work, and one capsule no longer sees another's data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.codebase import FIXTURES, CodeBase, Ran

if TYPE_CHECKING:
    from pathlib import Path

# The case study's isolation tests are thousands: some of two capsules always, most of them in the gate.
QUICK = {
    "case_study": (
        "-k",
        "does_not_see and DEVUS and (memory or save) or key or both_scopes or stream or maintenance",
    )
}
MORE = " or ".join(
    f"({part})"
    for part in (
        "handler and dynamodb and PRODUS-t-001-DEVUS",
        "not handler and DEVUS and not (does_not_see and dynamodb)",
        "handler and DEVUS and not dynamodb",
        "not DEVUS and (agree or visible or survives or not (dynamodb or cached))",
    )
)
"""The isolation tests of two capsules. Another tenant, which keys named before, is looked for in memory, and so is the one
capsule by handlers of the other where both ways are asked for. What a method of a table sees of the other alone shows
where it sees both."""
NAMES = ("case_study", "helpdesk_async", "orders_stage")


@pytest.fixture(scope="session")
def all_fixed() -> dict[str, tuple[CodeBase, Ran]]:
    """The code bases that are fixed by now: in whatever order the tests come, each is fixed once."""
    return {}


@pytest.fixture(params=NAMES)
def fixed(
    request: pytest.FixtureRequest,
    all_fixed: dict[str, tuple[CodeBase, Ran]],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[CodeBase, Ran]:
    """A code base after `--fix`, and what the run said."""
    if request.param not in all_fixed:
        code_base = CodeBase.copy(request.param, tmp_path_factory.mktemp("fixed"))
        all_fixed[request.param] = code_base, code_base.lint("--fix")
    return all_fixed[request.param]


def test_one_run_leaves_nothing(fixed: tuple[CodeBase, Ran]) -> None:
    _, ran = fixed
    assert ran.status == 0, ran.out
    assert re.search(r"Found \d+ errors \(\d+ fixed, 0 remaining\)\.$", ran.last_line), ran.out


def test_its_own_tests_pass(fixed: tuple[CodeBase, Ran]) -> None:
    code_base, _ = fixed
    ran = code_base.own_tests()
    assert ran.status == 0, ran.out[-3000:]
    if code_base.name == "case_study":
        assert re.search(r"\b1003 passed", ran.last_line), ran.last_line


def test_one_capsule_does_not_see_another(fixed: tuple[CodeBase, Ran]) -> None:
    code_base, _ = fixed
    ran = code_base.isolation_tests(*QUICK.get(code_base.name, ()))
    assert ran.status == 0, ran.out[-3000:]


def test_a_second_run_changes_nothing(fixed: tuple[CodeBase, Ran]) -> None:
    code_base, _ = fixed
    before = code_base.files()
    ran = code_base.lint("--fix")
    assert (ran.status, ran.last_line) == (0, "All checks passed!")
    assert code_base.files() == before


def test_changed_files_are_those_that_the_diff_named(fixed: tuple[CodeBase, Ran]) -> None:
    code_base, _ = fixed
    original = {
        path.relative_to(FIXTURES / code_base.name / "before").as_posix(): path.read_bytes()
        for path in (FIXTURES / code_base.name / "before").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    changed = {n for n, data in code_base.files().items() if original.get(n) != data}
    assert all(name.endswith(".py") for name in changed)
    generated = [n for n, d in original.items() if n.endswith(".py") and b"DO NOT EDIT" in d[:500]]
    assert not changed & set(generated)


@pytest.mark.parametrize("name", NAMES)
def test_isolation_tests_fail_before(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Or else they would show nothing."""
    code_base = CodeBase.copy(name, tmp_path_factory.mktemp("before"))
    ran = code_base.isolation_tests("--maxfail=5", *QUICK.get(name, ()))
    assert ran.status == 1, ran.out[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("fixed", sorted(QUICK), indirect=True)
def test_more_isolation_tests_pass(fixed: tuple[CodeBase, Ran]) -> None:
    code_base, _ = fixed
    ran = code_base.isolation_tests("-k", MORE)
    assert ran.status == 0, ran.out[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["helpdesk_async", "orders_stage"])
def test_the_order_of_sets_is_irrelevant(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = CodeBase.copy(name, tmp_path)
    said = []
    way = "--ledger" if name == "helpdesk_async" else "--output-format=json"  # with all edits
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        options = ("--no-cache", "-j1", "--unsafe-fixes")
        said.append(code.lint(*options, way).out)
    assert said[0] == said[1]
