"""Selection, messages and identities of findings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsule_lint.fixing import moved
from capsule_lint.lines import line_changes
from capsule_lint.model import Finding, Position, Span
from capsule_lint.registry import load_rules
from capsule_lint.selection import Selection
from tests.project import Project, text_of

RULES = load_rules()
HELPERS = """
def order_pk(tenant_id: str) -> str:
    return f"TENANT#{tenant_id}#ORDERS"


def invoice_pk(tenant_id: str) -> str:
    return f"TENANT#{tenant_id}#INVOICES"
"""


@pytest.mark.parametrize(
    ("select", "ignore", "reported"),
    [
        (("CAP",), (), True),
        (("ALL",), (), True),
        (("CAP101",), (), True),
        (("CAP2",), (), False),
        ((), (), False),
        (("CAP",), ("CAP1",), False),
        (("CAP101",), ("CAP1",), True),
        (("CAP1",), ("CAP1",), False),
        (("ALL",), ("ALL",), False),
        (("CAP",), ("ALL",), True),
    ],
)
def test_the_longest_selector_decides(
    select: tuple[str, ...], ignore: tuple[str, ...], reported: bool
) -> None:
    assert Selection(select, ignore).reports(RULES["CAP101"]) is reported


@pytest.mark.parametrize(
    ("fixable", "unfixable", "fixes"),
    [
        (("ALL",), (), True),
        (("ALL",), ("CAP101",), False),
        (("CAP101",), ("CAP1",), True),
        (("CAP2",), (), False),
    ],
)
def test_which_rules_may_fix(
    fixable: tuple[str, ...], unfixable: tuple[str, ...], fixes: bool
) -> None:
    assert Selection(fixable=fixable, unfixable=unfixable).fixes("CAP101") is fixes


def test_findings_are_sorted_and_complete(project: Project) -> None:
    project.write({"b.py": HELPERS, "a.py": text_of(HELPERS).replace("_pk", "_hash_key")})
    findings = project.check().data
    assert [(f["filename"], f["location"]) for f in findings] == [
        ("a.py", {"row": 1, "column": 5}),
        ("a.py", {"row": 5, "column": 5}),
        ("b.py", {"row": 1, "column": 5}),
        ("b.py", {"row": 5, "column": 5}),
    ]
    first = findings[0]
    assert first["symbol"] == "a.order_hash_key"
    assert first["end_location"] == {"row": 1, "column": 19}
    assert first["scopes"] == ["capsule"]
    assert first["severity"] == "error"
    assert first["name"] == "key-helper-missing-scope"
    assert first["url"] == "docs/rules/key-helper-missing-scope.md"


def test_several_missing_scopes_are_one_finding(project: Project) -> None:
    project.write({"keys.py": 'def order_pk(order_id: str) -> str:\n    return f"O#{order_id}"\n'})
    (finding,) = project.check().data
    assert finding["message"] == "`order_pk` builds a key without `tenant_id` and `capsule_id`"
    assert finding["scopes"] == ["tenant", "capsule"]


def test_what_the_policy_lacks_for_tests_is_named(project: Project) -> None:
    test = """
    from keys import order_pk


    def test_order_pk():
        assert order_pk("t1") == "TENANT#t1#ORDERS"
    """
    project.write({"keys.py": HELPERS, "tests/test_keys.py": test})
    messages = [one["message"] for one in project.check().data if one["filename"] != "keys.py"]
    assert messages == [
        "nothing in scope yields `capsule_id`, and the policy names no `test-source` for it",
        "`order_pk` changes, and this use needs a person: spells out a key that changes, and the policy "
        "names no `test-value` for `capsule_id`",
    ]


def test_a_context_that_is_only_sometimes_the_neighbours_is_named(project: Project) -> None:
    handler = """
    from keys import order_pk


    class Context:
        tenant_id: str
        capsule_id: str


    def handle(event: dict, ctx: Context | None = None) -> str:
        tenant_id = event["tenant_id"] if ctx is None else ctx.tenant_id
        return order_pk(tenant_id)
    """
    project.write({"keys.py": HELPERS, "app.py": handler})
    messages = [one["message"] for one in project.check().data if one["code"] == "CAP404"]
    assert messages == [
        "`tenant_id` is not always `ctx.tenant_id`, and `capsule_id` of `ctx` may be another's"
    ]


def test_what_a_call_means_besides_is_named(project: Project) -> None:
    stores = """
    def order_pk(tenant_id: str, order_id: str) -> str:
        return f"TENANT#{tenant_id}#ORDER#{order_id}"

    def nothing(owner: str, order_id: str) -> str:
        return order_id

    KINDS = {"order": order_pk, "none": nothing}

    def key_of(kind: str, tenant_id: str, order_id: str) -> str:
        return KINDS[kind](tenant_id, order_id)
    """
    project.write({"keys.py": stores})
    messages = [one["message"] for one in project.check().data]
    assert any(
        "this also calls `keys.nothing`, which does not take `capsule_id`" in one
        for one in messages
    )


def test_a_fingerprint_is_stable_when_lines_move(project: Project) -> None:
    project.write({"keys.py": HELPERS})
    before = [f["fingerprint"] for f in project.check().data]
    project.write({"keys.py": "# a comment\n\n\n" + text_of(HELPERS)})
    assert [f["fingerprint"] for f in project.check().data] == before
    assert len(set(before)) == len(before)


def test_two_runs_say_the_same(project: Project) -> None:
    project.write({"keys.py": HELPERS, "more.py": HELPERS, "app/keys.py": HELPERS})
    assert project.check() == project.check()


# --- where a finding stands after a change ---


def _at(row: int, column: int, width: int = 3) -> Finding:
    span = Span(Position(row, column), Position(row, column + width))
    return Finding("CAP403", "unresolved-reference", "", "a.py", span)


@pytest.mark.parametrize(
    ("before", "after", "start", "expected"),
    [
        ("a\nfoo\n", "a\nfoo\n", (2, 1), (2, 1)),
        ("a\nfoo\n", "x\ny\na\nfoo\n", (2, 1), (4, 1)),
        ("x\ny\nfoo\n", "foo\n", (3, 1), (1, 1)),
        ("a(foo)\n", "a(bar, foo)\n", (1, 3), (1, 8)),
        ("a\nf(foo)\nb\n", "a\nc\nf(x, foo)\nb\n", (2, 3), (3, 6)),
        ("foo\n", "", (1, 1), (1, 1)),
    ],
)
def test_a_finding_moves_with_its_code(
    before: str, after: str, start: tuple[int, int], expected: tuple[int, int]
) -> None:
    found = moved(_at(*start), before, after).span
    assert (found.start.row, found.start.column) == expected
    assert found.end.column - found.start.column == 3


LINES = st.lists(st.sampled_from(["foo\n", "bar\n", "\n", "x = foo\r\n"]), max_size=8)


@given(LINES, LINES, st.integers(1, 8))
def test_a_moved_finding_is_always_somewhere(
    before: list[str], after: list[str], row: int
) -> None:
    found = moved(_at(row, 1), "".join(before), "".join(after)).span
    assert found.start.row >= 1
    assert found.start.column >= 1


@given(LINES, LINES)
def test_line_changes_add_up(before: list[str], after: list[str]) -> None:
    added, removed = line_changes("".join(before), "".join(after))
    assert len(before) + added - removed == len(after)
