"""What all tests share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.project import Project

if TYPE_CHECKING:
    from pathlib import Path

    from xdist.remote import Producer


class _Together(LoadScopeScheduling):
    """Gives each test to the next worker, but those of one code base to one, which fixes it once.

    Marks of groups would say so too, but pytest 9.2 does not let xdist 3.8 write them into the names.
    """

    def _split_scope(self, nodeid: str) -> str:
        code_base = re.fullmatch(r"tests/test_codebases\.py::\w+\[(\w+)\]", nodeid)
        return code_base[1] if code_base else nodeid


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole programs go first, in whatever order the others are: no worker waits for one in the end."""
    items.sort(key=lambda item: item.path.stem not in ("test_codebases", "test_properties"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Longest first: what a code base is asked goes before all else."""
    return _Together(config, log)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project, outside of any repository."""
    return Project(tmp_path)
