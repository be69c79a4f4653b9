"""Locals in which something is looked up by who asks for it: `by_tenant.get(tenant_id)`, where that is a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.looking_up import looks_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program


def is_asked(program: Program, into: tree.Node) -> bool:
    """Whether a local is asked by a scope's value that the function around is told."""
    names, is_value = program.names, program.domain.held.is_value
    function = names.function_of(into) if isinstance(into, tree.Name) else None
    if function is None or not isinstance(into, tree.Name):
        return False
    return any(
        is_value(key, scope)
        for node in names.inside(function)
        if looks_up(node, {into.id})
        for key in _keys(node, into.id)
        if any(one.kind == "param" for one in names.bindings_of(key))
        for scope in program.policy.scopes
    )


def _keys(node: tree.Node, name: str) -> Iterator[tree.Name]:
    """The names by which an expression looks something up in a local."""
    match node:
        case tree.Subscript(base=tree.Name(id=base), index=tree.Name() as key) if base == name:
            yield key
        case tree.Call(
            func=tree.Attr(base=tree.Name(id=base), name="get" | "pop" | "__getitem__"),
            args=(tree.Argument(value=tree.Name() as key), *_),
        ) if base == name:
            yield key
