"""Branches in which a scope's value is known to be missing: `if capsule_id is None: …`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.presence import absent_in, may_be_absent
from capsule_lint.program.texts.pieces import hole_name, names_scope
from capsule_lint.program.texts.steps import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.names import Names


def absent_at(names: Names, node: tree.Node, scope: Scope) -> str:
    """What holds the scope's value around an expression, and is or may be `None` or empty where that
    stands; empty where nothing is."""
    return next((one for one in _holders(names, node, scope) if is_absent(names, node, one)), "")


def is_absent(names: Names, node: tree.Node, holder: str) -> bool:
    """Whether a path of names is or may be `None` or empty where an expression stands."""
    if may_be_absent(holder, names.place(node)):
        return True
    current, parent = node, names.parent(node)
    while isinstance(parent, tree.Expr):
        before: tuple[tree.Node, ...] = ()
        otherwise = False
        match parent:
            case tree.Conditional() if current is not parent.test:
                before, otherwise = (parent.test,), current is parent.otherwise
            case tree.Boolean():
                before, otherwise = parent.values, parent.op == "or"
                before = before[: next(n for n, one in enumerate(before) if one is current)]
        if any(absent_in(test, holder, otherwise=otherwise) for test in before):
            return True
        current, parent = parent, names.parent(parent)
    return False


def _holders(names: Names, node: tree.Node, scope: Scope) -> Iterator[str]:
    """The names, and the attributes of names, that a function tells the scope's value by."""
    function = names.function_of(node)
    found = names.inside(function) if function is not None else ()
    yield from dict.fromkeys(
        path_of(one)
        for one in found
        if isinstance(one, tree.Name | tree.Attr) and names_scope(hole_name(one), scope)
    )
