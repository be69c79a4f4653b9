"""Dicts that are spread into calls, and have a scope among the keys that are written out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import added_entry
from capsule_lint.plan.entities.displays import names_any
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_MAX_DEPTH: Final = 8


def fills_scope(program: Program, function: Function, call: tree.Call) -> bool:
    """Whether a function itself gives the keywords that it passes on a scope: `kw.setdefault("tenant_id", "t")`,
    `kw = {**DEFAULTS, **kw}`."""
    if any(spells_scope(program, one) for one in call.spread):
        return True
    names = [one.id for one in call.spread if isinstance(one, tree.Name)]
    for statement, _ in function.scope.statements if names else ():
        added = added_entry(statement)
        if (
            added is not None
            and isinstance(added.base, tree.Name)
            and added.base.id in names
            and any(names_scope(added.key, scope) for scope in program.policy.scopes)
        ):
            return True
    return False


def spells_scope(program: Program, node: tree.Node, depth: int = 0) -> bool:
    """Whether a dict that is spread is written out nearby, with a scope among its keys."""
    match node:
        case _ if depth > _MAX_DEPTH:
            return False
        case tree.Name():
            values = [one.value for one in program.names.bindings_of(node)]
            parts = [value for value in values if value is not None]
        case tree.Binary(op="|"):
            parts = [node.left, node.right]
        case tree.DictDisplay():
            if names_any(node, program):
                return True
            parts = node.spread
        case tree.Call(func=tree.Name(id="dict")):
            if names_any(node, program):
                return True
            parts = [argument.value for argument in node.args if argument.keyword is None]
        case _:
            return False
    return any(spells_scope(program, part, depth + 1) for part in parts)
