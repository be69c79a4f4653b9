"""Templates of the program that tests fill themselves: `Keys.USER_PK.format(tenant_id="t", user_id="u")`,
`K.NOTE.fill("t", "n")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddElements
from capsule_lint.plan.keys.format_fields import marks_in, positions_of, start_of
from capsule_lint.program.texts.text_objects import SUBSTITUTE, member_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capsule_lint.model import Mend
    from capsule_lint.plan.keys.format_fields import Mark, Sign
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope

_SIGNS: Final[Mapping[str, Sign]] = {"format": "{", SUBSTITUTE: "$"}
"""What the fields begin with that a method fills."""


def refilled(
    mends: Mends, node: tree.Node, constant: tree.Node, changed: str, knot: Knot
) -> list[Mend]:
    """What fills the new fields of a template, a constant whose code is `changed`, where a test fills it; nothing
    where that is not known."""
    names, formatted = mends.program.names, mends.program.templates.formatted
    if not names.module_of(node).is_test:
        return []
    parent = names.parent(node)
    if isinstance(parent, tree.Attr) and member_of(parent) is node:
        node, parent = parent, names.parent(parent)
    if isinstance(parent, tree.Binary) and parent.op == "%" and parent.left is node:
        return _listed(mends, parent.right, constant, changed, knot)
    func = parent if isinstance(parent, tree.Attr) else node
    call, filling = names.parent(func), formatted.method(func)
    if not isinstance(call, tree.Call) or call.func is not func or filling is None:
        return []
    sign = _SIGNS.get(filling.name)
    if sign is not None and all(a.keyword is not None for a in call.args):
        return _by_name(mends, call, changed, sign, knot)
    return _by_place(mends, call, constant, changed, knot) if sign == "{" else []


def _by_name(mends: Mends, call: tree.Call, changed: str, sign: Sign, knot: Knot) -> list[Mend]:
    given = [a.keyword for a in call.args]
    fields = {mark.name for mark in marks_in(changed, sign)}
    new = [s for s in mends.planner.program.policy.scopes if s.parameter in fields - set(given)]
    if fields - set(given) - {scope.parameter for scope in new}:
        return []
    found: list[Mend] = []
    for scope in new:
        code = mends.testing.segments.code(scope, call, knot)
        if code is None:
            return []
        at = _place(mends, given, scope)
        filename = mends.program.names.module_of(call).filename
        found.append(AddArgument(filename, call.span, "CAP104", code, scope.parameter, at))
    return found


def _by_place(
    mends: Mends, call: tree.Call, constant: tree.Node, changed: str, knot: Knot
) -> list[Mend]:
    """`PK.format(a_tenant(), "x")`."""
    filename = mends.program.names.module_of(call).filename
    found: list[Mend] = []
    if any(a.star or a.keyword is not None for a in call.args):
        return []
    for at, scope in _new_fields(mends, constant, changed, "{", len(call.args)):
        code = mends.testing.segments.code(scope, call, knot)
        if code is None:
            return []
        found.append(AddArgument(filename, call.span, "CAP104", code, None, at))
    return found


def _listed(
    mends: Mends, right: tree.Node, constant: tree.Node, changed: str, knot: Knot
) -> list[Mend]:
    """`PK % (a_tenant(), "x")`."""
    filename = mends.program.names.module_of(right).filename
    groups: dict[int, list[str]] = {}
    is_tuple = isinstance(right, tree.Sequence) and right.kind == "tuple"
    items = right.items if isinstance(right, tree.Sequence) and is_tuple else (right,)
    if any(isinstance(item, tree.Wrapped) for item in items) or not (
        is_tuple or isinstance(right, tree.Const | tree.Call)
    ):
        return []
    for at, scope in _new_fields(mends, constant, changed, "%", len(items)):
        code = mends.testing.segments.code(scope, right, knot)
        if code is None:
            return []
        groups.setdefault(at, []).append(code)
    found: list[Mend] = []
    for at, codes in groups.items():
        before, after = ((), tuple(codes)) if at else (tuple(codes), ())
        anchor = items[max(at - 1, 0)].span
        found.append(AddElements(filename, right.span, "CAP104", before, after, anchor))
    return found


def _new_fields(
    mends: Mends, constant: tree.Node, changed: str, sign: Sign, given: int
) -> list[tuple[int, Scope]]:
    """The scopes that a template gains fields for which are filled by their places, and how many of the values `given`
    that fill it now come before each; nothing where that is not clear."""
    module = mends.program.names.module_of(constant)
    old, new = mends.source(module, constant.span), changed
    was, marks = (list(marks_in(text, sign)) for text in (old, new))
    if any(mark.is_named for mark in (*was, *marks)) or len(marks) <= len(was):
        return []
    if max(positions_of(was), default=-1) + 1 != given:
        return []
    olds, news = _between(old, was), _between(new, marks)
    first = next((n for n, (a, b) in enumerate(zip(olds, news, strict=False)) if a != b), len(was))
    count, places = len(marks) - len(was), positions_of(marks)
    found: list[tuple[int, Scope]] = []
    if (
        not news[first + count].endswith(olds[first])
        or olds[first + 1 :] != news[first + count + 1 :]
    ):
        return []
    for number in range(first, first + count):
        scope = next(
            (s for s in mends.program.policy.scopes if news[number].endswith(s.tag)), None
        )
        if scope is None or not scope.tag:
            return []
        found.append((places[number] - (number - first), scope))
    return found


def _between(text: str, marks: Sequence[Mark]) -> list[str]:
    """What stands in a text before, between and behind its fields."""
    ends, starts = (
        [start_of(text), *(m.end for m in marks)],
        [*(m.start for m in marks), len(text)],
    )
    return [text[end:start] for end, start in zip(ends, starts, strict=True)]


def _place(mends: Mends, given: list[str | None], scope: Scope) -> int:
    """Behind the argument of the scope before it."""
    before: Iterator[str] = (s.parameter for s in mends.planner.program.policy.others(scope))
    return max((given.index(name) + 1 for name in before if name in given), default=0)
