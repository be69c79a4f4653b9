"""One table for all rules: their examples are their tests."""

from __future__ import annotations

import ast
import re
import string
from typing import TYPE_CHECKING, Any

import pytest

from capsule_lint.registry import load_rules
from capsule_lint.rule import SECTIONS, Bad, Good, Rule
from tests.project import Outcome, Project, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RULES = load_rules()
PLACEHOLDERS = {"symbol", "name", "missing", "segments", "entity", "base", "drift", "reason"}


def _files(code: str | Mapping[str, str]) -> dict[str, str]:
    """The files of an example; a single one is `app.py`."""
    files = {"app.py": code} if isinstance(code, str) else dict(code)
    return {name: text_of(text) for name, text in files.items()}


def _cases(kind: str) -> list[Any]:
    return [
        pytest.param(rule, example, id=f"{rule.code}-{number}")
        for rule in RULES.values()
        for number, example in enumerate(getattr(rule, kind))
    ]


def _written(tmp_path: Path, example: Good | Bad) -> Project:
    return Project(tmp_path).policy(example.policy).write(_files(example.code))


def _check(project: Project, rule: Rule) -> Outcome:
    outcome = project.check("--no-cache", "--extend-select", rule.code)
    assert outcome.status in (0, 1), outcome.err
    return outcome


ALL = [pytest.param(rule, id=rule.code) for rule in RULES.values()]
BAD = pytest.mark.parametrize(("rule", "example"), _cases("invalid"))


@pytest.mark.parametrize(("rule", "example"), _cases("valid"))
def test_valid_code_is_not_flagged(rule: Rule, example: str | Good, tmp_path: Path) -> None:
    good = Good(example) if isinstance(example, str) else example
    outcome = _check(_written(tmp_path, good), rule)
    assert outcome.places(rule.code) == [], outcome.out


@BAD
def test_invalid_code_is_flagged_at_its_lines(rule: Rule, example: Bad, tmp_path: Path) -> None:
    first = next(iter(_files(example.code)))
    expected = [(first, line) if isinstance(line, int) else line for line in example.lines]
    outcome = _check(_written(tmp_path, example), rule)
    assert outcome.places(rule.code) == expected, outcome.out


@BAD
def test_fix_does_what_the_example_says(rule: Rule, example: Bad, tmp_path: Path) -> None:
    project = _written(tmp_path, example)
    outcome = project.run("--fix", "--no-cache", "--extend-select", rule.code)
    assert outcome.status in (0, 1), outcome.err
    written = {name: project.read(name) for name in _files(example.code)}
    if example.fixed is None:
        assert written == _files(example.code)
        return
    assert rule.fix, f"{rule.code} has no transformer for what its example fixes"
    assert written == _files(example.code) | _files(example.fixed)
    for name, text in written.items():
        ast.parse(text, name)
    left = _check(project, rule)
    assert left.places(rule.code) == [], left.out
    project.run("--fix", "--no-cache", "--extend-select", rule.code)
    assert {name: project.read(name) for name in written} == written


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_is_documented(rule: Rule) -> None:
    headings = re.findall(r"^## (.+)$", rule.docs, re.M)
    assert tuple(headings) == SECTIONS
    assert all(rule.section(heading) for heading in SECTIONS)
    assert rule.summary.endswith(".")
    assert rule.name not in rule.summary
    assert rule.why
    assert "\n\n" in rule.docs, "the summary is a paragraph of its own"


@pytest.mark.parametrize("rule", ALL)
def test_a_rule_has_examples(rule: Rule) -> None:
    assert rule.valid, "an example of code that it leaves alone"
    assert rule.invalid, "an example of code that it flags"
    if rule.fix:
        assert any(example.fixed is not None for example in rule.invalid)
        assert rule.fix_message
        assert not rule.fix_message.endswith(".")
    else:
        assert not rule.fix_message
        assert rule.remedy
        assert not rule.remedy.endswith(".")


@pytest.mark.parametrize("rule", ALL)
def test_a_message_has_known_placeholders_only(rule: Rule) -> None:
    names = {name for _, name, _, _ in string.Formatter().parse(rule.message) if name is not None}
    assert names <= PLACEHOLDERS
    assert not rule.message.endswith(".")


@pytest.mark.parametrize("rule", ALL)
def test_the_examples_in_the_documentation_are_python(rule: Rule) -> None:
    for heading in ("Example", "Use instead"):
        for block in re.findall(r"```python\n(.*?)```", rule.section(heading), re.S):
            if (rule.code, heading) != ("CAP002", "Example"):
                ast.parse(block)


def test_codes_and_names_are_unique() -> None:
    assert len({rule.name for rule in RULES.values()}) == len(RULES)
    assert [rule.code for rule in RULES.values()] == sorted(RULES)
