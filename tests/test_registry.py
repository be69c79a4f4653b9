"""Rule packs: found by entry point, and refused loudly when broken."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import pytest

from capsule_lint import registry
from capsule_lint.errors import RuleError
from capsule_lint.registry import GROUP, load_rules
from tests.project import Project, text_of

if TYPE_CHECKING:
    from pathlib import Path

GOOD = '''
"""Code is odd.

## Why is this bad?
It is.
"""

from capsule_lint.rule import Rule

RULE = Rule(code="{code}", message="odd")
'''

Install = Callable[[str, dict[str, str]], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes a pack of files and installs it beside the built-in one."""

    def add(name: str, files: dict[str, str]) -> None:
        Project(tmp_path).write({f"{name}/{file}": text for file, text in files.items()})
        monkeypatch.syspath_prepend(str(tmp_path))
        found = [*entry_points(group=GROUP), EntryPoint(name, name, GROUP)]
        monkeypatch.setattr(registry, "entry_points", lambda group: found)
        for module in [m for m in sys.modules if m.split(".")[0] == name]:
            monkeypatch.delitem(sys.modules, module)

    return add


def test_a_pack_of_ones_own_is_found(install: Install, project: Project) -> None:
    install("own_pack", {"__init__.py": "", "odd_code.py": text_of(GOOD).format(code="OWN101")})
    rule = load_rules()["OWN101"]
    assert rule.name == "odd-code"
    assert rule.summary == "Code is odd."
    assert rule.why == "It is."
    assert project.run("rule", "OWN101").out.startswith("# odd-code (OWN101)\n")


def test_modules_with_an_underscore_are_no_rules(install: Install) -> None:
    files = {
        "__init__.py": "",
        "_shared.py": "x = 1",
        "odd.py": text_of(GOOD).format(code="OWN102"),
    }
    install("shared_pack", files)
    assert "OWN102" in load_rules()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"__init__.py": ""}, "has no rule"),
        ({"__init__.py": "", "a.py": "x = 1"}, "broken_pack.a defines no RULE"),
        ({"__init__.py": "", "a.py": "import not_there"}, "No module named 'not_there'"),
        ({"__init__.py": "", "a.py": "def ("}, "invalid syntax"),
        ({"__init__.py": "", "a.py": "1 / 0"}, "division by zero"),
        (
            {"__init__.py": "", "a.py": text_of(GOOD).format(code="CAP101")},
            "broken_pack.a and capsule_lint_rules.key_missing_scope are both CAP101",
        ),
        (
            {"__init__.py": "", "key_missing_scope.py": text_of(GOOD).format(code="OWN101")},
            "are both key-missing-scope",
        ),
        ({"__init__.py": "", "a.py": text_of(GOOD).format(code="x")}, "`x` is no rule code"),
        (
            {
                "__init__.py": "",
                "a.py": 'from capsule_lint.rule import Rule\nRULE = Rule(code="OWN101", message="")',
            },
            "has no docstring",
        ),
    ],
)
def test_a_broken_pack_is_an_error(
    files: dict[str, str], said: str, install: Install, project: Project
) -> None:
    install("broken_pack", files)
    with pytest.raises(RuleError):
        load_rules()
    outcome = project.run()
    assert outcome.status == 2
    assert said in outcome.err
    assert "broken_pack" in outcome.err
    assert "Traceback" not in outcome.err


def test_no_pack_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    with pytest.raises(RuleError, match="no rule pack is installed"):
        load_rules()
