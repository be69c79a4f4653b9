"""Documentation says what the program does."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from capsule_lint.model import Verdict
from capsule_lint.policy import Handlers, Policy, load_policy
from capsule_lint.policy import schema as policy_schema

if TYPE_CHECKING:
    from types import ModuleType

    from tests.project import Project

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
POLICY = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
TABLES = {
    "Keys": policy_schema.POLICY,
    "`[[scopes]]`": policy_schema.SCOPE,
    "`[handlers]`": policy_schema.HANDLERS,
    "`[entities]`": policy_schema.ENTITY,
}
_LISTS = ("key-names", "index-key-names", "sort-key-names")


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _rows(heading: str) -> dict[str, str]:
    """Key and default of each row of the first table under a heading of the policy's page."""
    section = POLICY.partition(f"## {heading}\n")[2].partition("\n## ")[0].strip()
    table = section.partition("\n\n")[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.+?) \| .+ \|$", table, re.M))


def test_generated_pages_are_fresh() -> None:
    stale = [path.relative_to(ROOT).as_posix() for path in _generator().stale()]
    assert stale == [], "run `python docs/generate.py`"


@pytest.mark.parametrize("heading", TABLES)
def test_every_key_of_the_policy_has_a_row(heading: str) -> None:
    assert set(_rows(heading)) == set(TABLES[heading])


@pytest.mark.parametrize(("heading", "value"), [("Keys", Policy()), ("`[handlers]`", Handlers())])
def test_defaults_of_the_policy_are_those_in_the_code(
    heading: str, value: Policy | Handlers
) -> None:
    rows = _rows(heading)
    defaults: dict[str, Any] = {
        one.replace("_", "-"): getattr(value, one) for one in value.__struct_fields__
    }
    for key, said in rows.items():
        if said.startswith("`") and key not in ("scopes", "per-file-ignores", *_LISTS):
            expected = defaults[key]
            literal = tomli.loads(f"x = {said.strip('`')}")["x"]
            assert literal == (list(expected) if isinstance(expected, tuple) else expected), key
        elif said == "none":
            assert defaults[key] is None


def test_every_verdict_of_the_ledger_is_explained() -> None:
    text = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \|.*\| (yes|no) \|$", text, re.M))
    assert rows == {v.value: "yes" if v.settled else "no" for v in Verdict}


def test_the_policy_in_the_readme_can_be_used(project: Project) -> None:
    (block,) = re.findall(r"```toml\n(\[tool\.capsule-lint\].*?)```", README, re.S)
    project.write({"pyproject.toml": block, "app/a.py": "", "tests/b.py": ""})
    policy = load_policy(project.root)
    assert [scope.name for scope in policy.scopes] == ["tenant", "capsule"]
    assert policy.scopes_of("Currency") == ()


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_readme_names_only_options_that_exist(project: Project) -> None:
    said = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {"--fresh"}
    known = project.run("check", "--help").out
    assert [option for option in sorted(said) if option not in known] == []


def test_settings_of_editors_can_be_read() -> None:
    page = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    (helix,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    assert tomli.loads(helix)["language-server"]["capsule-lint"]["args"] == ["server"]
    code, _ = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.S))
    assert code["glspc.server.commandArguments"] == ["server"]


@pytest.mark.slow
def test_the_output_in_the_readme_is_real() -> None:
    seconds = re.compile(r" *[\d.]+ seconds")  # as many digits as the machine takes
    printed = seconds.sub("N seconds", _generator().outputs(README))
    expected = seconds.sub("N seconds", README)
    assert printed == expected, "run `python docs/generate.py --outputs`"
