"""The two sides of a comparison, element by element where both are tuples, and which of these lacks a scope:
`(row.tenant_id, row.number) == (tenant_id, capsule_id, number)` holds of nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope


class Shorter(Struct, frozen=True):
    """One of two tuples that are compared: the scope that it lacks, what is that in the other one, and the element behind
    which it belongs."""

    display: tree.Sequence
    scope: Scope
    extra: tree.Node
    anchor: tree.Node | None


def sides_of(
    node: tree.Compare, scopes: tuple[Scope, ...]
) -> Iterator[tuple[tree.Node, tree.Node, tuple[tree.Sequence, ...]]]:
    """What is compared with what: `a == b`, and the elements of `(a, b) == (c, d)`, also where one side lacks a scope."""
    left, right = node.left, node.rights[0]
    if isinstance(left, tree.Sequence) and isinstance(right, tree.Sequence):
        shorter, items = shorter_of((left, right), scopes), [left.items, right.items]
        if shorter is not None:
            items = [tuple(i for i in side if i is not shorter.extra) for side in items]
        if len(items[0]) == len(items[1]):
            for one, other in zip(*items, strict=True):
                yield one, other, (left, right)
    else:
        yield left, right, ()


def shorter_of(sides: tuple[tree.Sequence, ...], scopes: tuple[Scope, ...]) -> Shorter | None:
    """The one of two tuples that lacks nothing but a scope which the other one has."""
    if len(sides) != 2 or abs(len(sides[0].items) - len(sides[1].items)) != 1:
        return None
    if any(isinstance(item, tree.Wrapped) for side in sides for item in side.items):
        return None  # it may be any number of elements
    short, long = sorted(sides, key=lambda side: len(side.items))
    for scope in scopes:
        extra = [n for n, e in enumerate(long.items) if names_scope(hole_name(e), scope)]
        if len(extra) == 1 and not any(names_scope(hole_name(e), scope) for e in short.items):
            at = extra[0]
            return Shorter(short, scope, long.items[at], short.items[at - 1] if at else None)
    return None
