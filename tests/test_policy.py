"""The policy: where it is found, what it says, and how it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from capsule_lint.errors import PolicyError
from capsule_lint.policy import Policy, SourceKind, find_policy, load_policy, selects
from capsule_lint.policy.globs import matches_path
from capsule_lint.policy.place import Place
from capsule_lint.policy.sources import parse_parameter, parse_reference, parse_source
from tests.project import Project, text_of

if TYPE_CHECKING:
    from capsule_lint.policy import Scope

HERE = Place("capsule-lint.toml", "key")
SCOPE = '[[scopes]]\nname = "org"\nsegment = "ORG#{org_id}"\n'


def _policy(project: Project, toml: str) -> Policy:
    return load_policy(project.policy(toml).root)


def _scope(project: Project, toml: str) -> Scope:
    (scope,) = _policy(project, SCOPE + toml).scopes
    return scope


# --- where it is found ---


def test_without_a_file_the_default_holds(project: Project) -> None:
    policy = load_policy(project.root, isolated=True)
    assert [s.segment for s in policy.scopes] == ["TENANT#{tenant_id}", "CAPSULE#{capsule_id}"]
    assert policy.root == project.root.resolve()
    assert policy.path is None


def test_the_nearest_file_upwards_holds(project: Project) -> None:
    project.write({"pyproject.toml": "[tool.capsule-lint]\n", "a/b/c.py": "", "a/x.toml": ""})
    assert find_policy(project.root / "a" / "b") == project.root.resolve() / "pyproject.toml"
    project.write({"a/capsule-lint.toml": ""})
    assert find_policy(project.root / "a" / "b") == project.root.resolve() / "a/capsule-lint.toml"


def test_a_pyproject_without_our_table_is_passed_by(project: Project) -> None:
    project.write({"capsule-lint.toml": SCOPE, "a/pyproject.toml": "[tool.ruff]\n", "a/b.py": ""})
    assert load_policy(project.root / "a").scopes[0].name == "org"


def test_a_broken_pyproject_that_is_not_ours_is_none_of_our_business(project: Project) -> None:
    project.write({"pyproject.toml": "broken = [\n"})
    assert load_policy(project.root) == Policy(root=project.root.resolve())


def test_our_own_file_goes_before_pyproject(project: Project) -> None:
    project.write({"pyproject.toml": "[tool.capsule-lint]\nfoo = 1\n", "capsule-lint.toml": SCOPE})
    assert load_policy(project.root).scopes[0].name == "org"


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_is_read_over(mark: bytes, project: Project) -> None:
    project.write({"capsule-lint.toml": mark + SCOPE.encode()})
    assert load_policy(project.root).scopes[0].name == "org"


# --- what it says ---


def test_scopes_take_the_place_of_the_default(project: Project) -> None:
    scope = _scope(project, "")
    assert (scope.tag, scope.parameter) == ("ORG#", "org_id")


def test_entities_are_known_by_bare_and_qualified_name(project: Project) -> None:
    policy = _policy(
        project, 'entities = { Plan = { scopes = ["tenant"] }, "app.x.Rate" = { scopes = [] } }'
    )
    assert [s.name for s in policy.scopes_of("app.models.Plan")] == ["tenant"]
    assert policy.scopes_of("app.x.Rate") == ()
    assert len(policy.scopes_of("app.y.Rate")) == 2


def test_per_file_ignores_can_be_turned_around(project: Project) -> None:
    policy = _policy(project, 'per-file-ignores = { "tests/**" = ["CAP1"], "!app/**" = ["CAP2"] }')
    assert policy.ignored_codes("tests/test_a.py") == ("CAP1", "CAP2")
    assert policy.ignored_codes("app/a.py") == ()


@pytest.mark.parametrize(
    ("name", "is_key", "is_index"),
    [
        ("pk", True, False),
        ("PK", True, False),
        (":pk", True, False),
        ("_make_pk", True, False),
        ("partitionKey", True, False),
        ("hash_key", True, False),
        ("GSI1PK", True, True),
        ("gsi1pk_for_account", True, True),
        ("sk", False, False),
        ("GSI1SK", False, False),
        ("gsi1sk_for_pk", False, False),
        ("package", False, False),
        ("spike", False, False),
        ("tenant_id", False, False),
    ],
)
def test_keys_and_keys_of_indexes_are_known_by_their_names(
    name: str, is_key: bool, is_index: bool
) -> None:
    assert Policy().is_key_name(name) is is_key
    assert Policy().is_index_key_name(name) is is_index


@pytest.mark.parametrize(
    ("filename", "is_test"),
    [
        ("tests/a.py", True),
        ("app/tests/a.py", True),
        ("app/test_a.py", True),
        ("app/a_test.py", True),
        ("conftest.py", True),
        ("app/latest.py", False),
        ("app/testing.py", False),
        ("contests/a.py", False),
    ],
)
def test_files_of_tests_are_known_by_their_paths(filename: str, is_test: bool) -> None:
    assert Policy().is_test_file(filename) is is_test


@pytest.mark.parametrize(
    ("selectors", "code", "expected"),
    [
        (("CAP",), "CAP101", True),
        (("CAP1",), "CAP101", True),
        (("CAP101",), "CAP101", True),
        (("CAP1010",), "CAP101", False),
        (("ALL",), "OWN101", True),
        ((), "CAP101", False),
    ],
)
def test_a_selector_selects_the_codes_that_begin_with_it(
    selectors: tuple[str, ...], code: str, expected: bool
) -> None:
    assert selects(selectors, code) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("gen", "a/gen/b.py", True),
        ("gen/", "a/gen/b.py", True),
        ("/gen", "a/gen/b.py", False),
        ("a/gen", "a/gen/b.py", True),
        ("*.py", "a/b.py", True),
        ("a/*.py", "a/b/c.py", False),
        ("a/**/c.py", "a/c.py", True),
        ("a/**/c.py", "a/b/b/c.py", True),
        ("**/generated/**", "app/generated/x.py", True),
        ("**/generated/**", "app/generated_x.py", False),
        ("[ab]/x.py", "b/x.py", True),
        ("A", "a", False),
        ("**/" * 40 + "x", "/".join("a" * 200), False),
    ],
)
def test_patterns_match_paths_as_those_of_gitignore_do(
    pattern: str, path: str, expected: bool
) -> None:
    assert matches_path(pattern, path) is expected


# --- sources ---


@pytest.mark.parametrize(
    ("text", "kind", "module", "name"),
    [
        ("app.ctx:Context.org_id", SourceKind.ATTRIBUTE, "app.ctx", "Context"),
        ("app.ctx:Context.org()", SourceKind.ATTRIBUTE, "app.ctx", "Context"),
        ("app.ctx:org_of(request)", SourceKind.CALL, "app.ctx", "org_of"),
        ("app.ctx:current()", SourceKind.CALL, "app.ctx", "current"),
        ("app.settings:ORG", SourceKind.CONSTANT, "app.settings", "ORG"),
        ("request.state.org_id", SourceKind.EXPRESSION, "", ""),
        ('event["a:b"]', SourceKind.EXPRESSION, "", ""),
    ],
)
def test_sources_by_their_spelling(text: str, kind: SourceKind, module: str, name: str) -> None:
    source = parse_source(text, HERE)
    assert (source.kind, source.module, source.name) == (kind, module, name)


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ("app.ctx:org_of(request)", ("request",)),
        ("app.ctx:current()", ()),
        ("request.state.org_id", ("request",)),
        ("str(event['x'][n])", ("event", "n")),
    ],
)
def test_roots_are_the_names_that_must_be_in_scope(text: str, roots: tuple[str, ...]) -> None:
    assert parse_source(text, HERE).roots == roots


@pytest.mark.parametrize(
    "text",
    ["", "a b", "app.ctx:", "app.ctx:1", "1", "'x'", "x  # comment", "x\ny", "a:b:c d", "x)"],
)
def test_what_is_no_source_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match=r"^capsule-lint\.toml: key: "):
        parse_source(text, HERE)


def test_references_and_parameters_say_where_their_types_come_from() -> None:
    assert parse_reference("app.ids:OrgId", HERE).name == "OrgId"
    assert parse_reference("str", HERE).module == "builtins"
    parameter = parse_parameter("request: fastapi.Request", HERE)
    assert parameter.annotation is not None
    assert (parameter.name, parameter.annotation.module) == ("request", "fastapi")
    with pytest.raises(PolicyError, match=r"did you mean `app\.ids:OrgId`"):
        parse_reference("app.ids.OrgId", HERE)
    with pytest.raises(PolicyError, match="is no parameter name"):
        parse_parameter("a.b: str", HERE)


# --- how it is refused ---


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("sources = [1]", "scopes[0].sources[0]: expected a string, not an integer"),
        ('tpye = "x"', "scopes[0].tpye: unknown key: did you mean `type`?"),
        ('type = "app.ids.X"', "did you mean `app.ids:X`?"),
        ('test-value = "a b"', "scopes[0].test-value: `a b` is no Python expression"),
        ('[[scopes]]\nname = "org"\nsegment = "B#{b}"', "scopes[1].name: duplicate scope `org`"),
        ('[[scopes]]\nname = "b"\nsegment = "ORG#{b}"', "has the tag `ORG#` of `org`"),
        ('[[scopes]]\nname = "b"\nsegment = "B#{org_id}"', "has the hole `org_id` of `org`"),
        ('[[scopes]]\nname = "b"\nsegment = "B#{b}#{c}"', "has 2 holes"),
        ('[[scopes]]\nname = "b"\nsegment = "B#{b}#"', "must be a tag and then a hole"),
        ('[[scopes]]\nname = "b"\nsegment = "B#{class}"', "must hold one parameter name"),
        ("[entities.Plan]\nscopes = 1", "entities.Plan.scopes: expected a list of strings"),
        ("[handlers]\ndecorator = []", "handlers.decorator: unknown key"),
        ("[entities]\nPlan = {}", "entities.Plan: lacks the key `scopes`"),
    ],
)
def test_a_wrong_value_names_its_place(toml: str, said: str, project: Project) -> None:
    with pytest.raises(PolicyError) as caught:
        _scope(project, toml)
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{project.root.resolve()}/capsule-lint.toml: ")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"x = \xff", "is not encoded in UTF-8 (byte 0xff in line 1)"),
        (b"src = [", "is no valid TOML"),
        (b"[tool.capsule-lint]", "the keys stand without the prefix"),
        (b"x = " + b"[" * 3000 + b"]" * 3000, ""),
    ],
)
def test_a_file_that_is_no_policy_is_refused(data: bytes, said: str, project: Project) -> None:
    project.write({"capsule-lint.toml": data})
    with pytest.raises(PolicyError) as caught:
        load_policy(project.root)
    assert said in str(caught.value)


def test_a_named_file_must_have_our_table(project: Project) -> None:
    project.write({"pyproject.toml": text_of("[tool.ruff]\n")})
    with pytest.raises(PolicyError, match=r"has no table `\[tool.capsule-lint\]`"):
        load_policy(project.root, project.root / "pyproject.toml")
