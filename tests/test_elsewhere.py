"""A change of a file that does not matter costs no analysis, and one that does is never overlooked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capsule_lint.cli import run, start
from tests.test_cache import CALLER, KEYS

if TYPE_CHECKING:
    from capsule_lint.cli.options import Options
    from tests.project import Project

_FILLER = "# nothing\n" * 120_000
"""More than is read of files without a word of interest."""
_SHELF = """
import json


class Shelf:
    def read(self, name: str) -> object:
        with open(name) as file:
            return json.load(file)
"""
_IRRELEVANT = (
    "x = 1\n",
    "",
    "def broken(:\n",
    "from elsewhere import *\n",
    'getattr(thing, "shelf")\n',
    "class Rack(dict):\n    def read(self, name):\n        return self[name]\n",
    "import pynamo\n",
)
_RELEVANT = (
    "from keys import order_pk as make\n\nprint(make('t', '1'))\n",
    "from keys import *\n",
    "import keys\n\nkeys.order\\\n_pk('t', '1')\n",
    'import keys\n\nprint(getattr(keys, "order" + "_pk")("t", "1"))\n',
    'def rack(tenant_id):\n    return {"PK": f"TENANT#{tenant_id}"}\n',
    'print("TENA" "NT#t#ORDER#1".split("#"))\n',
    "table.get_item(Key=key)\n",
    'print("\\x54ENANT#t")\n',
    "from pynamodb.models import Model\n",
    "# capsule-lint: ignore[CAP101]\n",
)


@pytest.fixture
def program(project: Project) -> Project:
    """A program that is too large to be read whole, checked."""
    files = {"keys.py": KEYS, "app.py": CALLER, "filler.py": _FILLER, "shelf.py": _SHELF}
    project.write({**files, "rack.py": _SHELF}).run()
    return project


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Has an element for every analysis."""
    runs: list[str] = []
    run_on = run.run_on

    def counted(options: Options, target: start.Target, known: start.Known | None) -> int:
        runs.append("" if known is None else "known")
        return run_on(options, target, known)

    monkeypatch.setattr("capsule_lint.cli.run.run_on", counted)
    return runs


@pytest.mark.parametrize("code", _IRRELEVANT)
def test_what_does_not_matter_is_not_analysed(
    program: Project, analysed: list[str], code: str
) -> None:
    program.write({"shelf.py": code.encode()})
    known = program.run()
    assert not analysed
    assert known == program.run("--no-cache")


@pytest.mark.parametrize("code", _RELEVANT)
def test_what_matters_is_analysed(program: Project, analysed: list[str], code: str) -> None:
    program.write({"rack.py": code.encode()})
    found = program.run()
    assert analysed
    assert found == program.run("--no-cache")


@pytest.mark.parametrize("name", ["keys.py", "app.py"])
def test_what_was_looked_into_is_analysed(
    program: Project, analysed: list[str], name: str
) -> None:
    before = program.read(name)
    program.write({name: f"{before}\n\nx = 1\n"})
    assert program.run() == program.run("--no-cache")
    assert len(analysed) == 2


def test_a_file_that_comes_or_goes_is_analysed(program: Project, analysed: list[str]) -> None:
    program.write({"more.py": "x = 1\n"})
    program.run()
    (program.root / "more.py").unlink()
    program.run()
    assert len(analysed) == 1  # the report of before is known


def test_a_program_that_has_become_small_is_read_whole(program: Project) -> None:
    program.write({"filler.py": "def broken(:\n"})
    assert "CAP002" in program.run().out


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(("shelf.py", "rack.py")), st.sampled_from(_IRRELEVANT + _RELEVANT)
        ),
        max_size=3,
    )
)
def test_any_edits_end_in_what_a_run_without_a_cache_says(
    program: Project, edits: list[tuple[str, str]]
) -> None:
    for name, code in edits:
        program.write({name: code.encode()})
        assert program.run() == program.run("--no-cache")
