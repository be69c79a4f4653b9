"""Small programs, each with one thing that was once done wrong: fixed, they work, or a finding says why not.

A case is a text file: `--- path` starts a file of the program, `+++ path` a test file that is added once
the program is fixed. A first line `reported: CAP403` says that the change is not safe: `--fix` leaves
the program alone, and those findings stay. A first line `silent:` says that nothing is reported, and
`silent: CAP201 CAP403` that none of these is.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from tests.pytests import run_tests

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

    from tests.project import Project

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def sampled(of: int, at: int = 0) -> list[Path]:
    """One of so many cases, the same ones also when there are others."""
    return [path for path in CASES if crc32(path.stem.encode()) % of == at]


def some_slow(cases: list[Path], fast: int, of: int) -> list[ParameterSet]:
    """Cases, so many `of` which are for the fast suite, and the others for the slow one."""
    return [
        pytest.param(path, id=path.stem, marks=[] if number % of < fast else [pytest.mark.slow])
        for number, path in enumerate(cases)
    ]


POLICY = """\
[tool.capsule-lint]
src = ["app", "tests"]
[[tool.capsule-lint.scopes]]
name = "tenant"
segment = "TENANT#{tenant_id}"
sources = ["app.context:RequestContext.tenant_id"]
test-source = "tests.helpers:test_tenant()"
test-value = '"t"'
[[tool.capsule-lint.scopes]]
name = "capsule"
segment = "CAPSULE#{capsule_id}"
sources = ["app.context:RequestContext.capsule_id"]
test-source = "tests.helpers:test_capsule()"
test-value = '"PRODUS"'
[tool.pytest.ini_options]
pythonpath = ["."]
"""
CONTEXT = """\
from dataclasses import dataclass


@dataclass
class RequestContext:
    tenant_id: str
    capsule_id: str
"""
FAKE = """\
class FakeTable:
    def __init__(self):
        self.rows = {}

    def put_item(self, Item):
        self.rows[Item["PK"], Item["SK"]] = dict(Item)

    def get_item(self, Key):
        row = self.rows.get((Key["PK"], Key["SK"]))
        return {"Item": dict(row)} if row else {}

    def delete_item(self, Key):
        self.rows.pop((Key["PK"], Key["SK"]), None)
"""


def files_of(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The program of a case, and the tests that come after the fix."""
    _, *parts = re.split(r"^(---|\+\+\+) ", text, flags=re.MULTILINE)
    program = {"pyproject.toml": POLICY, "app/context.py": CONTEXT, "app/fake.py": FAKE}
    program |= {"app/__init__.py": "", "tests/__init__.py": ""}
    after: dict[str, str] = {}
    for mark, part in zip(parts[::2], parts[1::2], strict=True):
        name, _, body = part.partition("\n")
        (program if mark == "---" else after)[name.strip()] = body.rstrip("\n") + "\n"
    return program, after


@pytest.mark.parametrize("path", some_slow(sampled(36, at=2), fast=1, of=4))
def test_a_second_run_changes_nothing(path: Path, project: Project) -> None:
    """The first one has looked at what it made of the program, too: this is to see that it was what is on disk."""
    project.write(files_of(path.read_text())[0])
    project.run("--fix", "--no-cache")
    after = project.tree()
    assert not re.search(r"\d fixed", project.run("--fix", "--no-cache").out)
    assert project.tree() == after


@pytest.mark.parametrize("path", some_slow(CASES, fast=1, of=5))
def test_case(path: Path, project: Project) -> None:
    text = path.read_text()
    program, isolation = files_of(text)
    project.write(program)
    before = project.tree()
    first = text.partition("\n")[0]
    codes = set(re.findall(r"CAP\d{3}", first))
    reported = codes if first.startswith("reported:") else set()
    if first.startswith("silent:"):
        told = set(project.check("--no-cache").codes)
        assert not (told & codes if codes else told), project.run().out
        return
    ran = project.run("--fix", "--no-cache", "--output-format", "concise")
    if reported:
        assert ran.status == 1, ran.out + ran.err
        assert reported <= set(re.findall(r"CAP\d{3}", ran.out)), ran.out
        assert project.tree() == before
        return
    assert ran.status == 0, ran.out + ran.err
    project.write(isolation)
    if any(name.startswith("tests/test_") for name in project.tree()):
        tests = run_tests(project.root)
        assert tests.status == 0, tests.out[-3000:]
