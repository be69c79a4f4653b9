"""Look-ups that are made only where another key was found: `if key in rows: return rows[other]`, `key in rows and
rows[other]`. What is looked up where that was not found is a fall-back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.presence import ends, has_run

if TYPE_CHECKING:
    from capsule_lint.program.names import Names


def is_found_first(names: Names, asking: tree.Compare, node: tree.Node) -> bool:
    """Whether a look-up is made only where `asking`, `key in rows`, has found its key."""
    place = names.place(node)
    blocks = [(place.scope.module.blocks[number], branch) for number, branch, _ in place.blocks]
    if any(
        block.kind in ("if", "while") and _found(block.heads[0], asking, holds=branch == 0)
        for block, branch in blocks
    ):
        return True
    left = names.place(asking)
    match left.statement:
        case tree.Block(kind="if", heads=(test, *_), bodies=(body, *_)) as block:
            if all(block is not one for one in (place.statement, *(b for b, _ in blocks))):
                return _found(test, asking, holds=False) and ends(body) and has_run(left, place)
    return _is_decided(names, asking, node)


def _is_decided(names: Names, asking: tree.Compare, node: tree.Node) -> bool:
    """The same within one expression."""
    inner: object = node
    outer = names.parent(node)
    while outer is not None and not isinstance(outer, tree.Statement):
        match outer:
            case tree.Boolean(op=op, values=values):
                before = values[: next(n for n, one in enumerate(values) if one is inner)]
                if any(_found(one, asking, holds=op == "and") for one in before):
                    return True
            case tree.Conditional(test=test, then=then) if inner is not test:
                if _found(test, asking, holds=inner is then):
                    return True
        inner, outer = outer, names.parent(outer)
    return False


def _found(test: tree.Node, asking: tree.Compare, *, holds: bool) -> bool:
    """Whether a test that holds, or does not, says that the key is there."""
    match test:
        case tree.Compare(ops=(op,)):
            return test is asking and op == ("in" if holds else "not in")
        case tree.Wrapped(kind="not"):
            return _found(test.value, asking, holds=not holds)
        case tree.Boolean(op=op) if op == ("and" if holds else "or"):
            return any(_found(one, asking, holds=holds) for one in test.values)
        case _:
            return False
