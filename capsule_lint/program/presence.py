"""Whether a name that may be `None` cannot be `None` at a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Place

_LEAVES = ("return", "raise", "break", "continue")


def is_present(name: str, place: Place) -> bool:
    """Whether `name` is proven not to be `None` where `place` is: it is tested around the place, or
    before it in a way that leaves, or an attribute of it was read on the way."""
    module = place.scope.module
    for number, branch, _ in place.blocks:
        block = module.blocks[number]
        if block.kind in ("if", "while") and block.heads:
            if branch == 0 and _holds(block.heads[0], name, present=True):
                return True
            if branch == 1 and _holds(block.heads[0], name, present=False):
                return True
    return any(_proves(statement, name) for statement in _before(place))


def _before(place: Place) -> Iterator[tree.Statement]:
    """The statements that have certainly run before `place` does, in its own function."""
    for statement, at in place.scope.module.statements:
        earlier = at.scope is place.scope and at.order < place.order
        if earlier and at.blocks == place.blocks[: len(at.blocks)]:
            yield statement


def _proves(statement: tree.Statement, name: str) -> bool:
    match statement:
        case tree.Block(kind="if", heads=(test, *_), bodies=(body, *_)):
            return _holds(test, name, present=False) and bool(body) and _leaves(body[-1])
        case tree.Eval(kind="assert", values=(test, *_)):
            return _holds(test, name, present=True)
        case tree.Eval(kind="expr" | "return"):
            return any(_reads(value, name) for value in statement.values)
        case tree.Assign(value=value) if value is not None:
            return _reads(value, name)
        case _:
            return False


def _leaves(statement: tree.Statement) -> bool:
    return isinstance(statement, tree.Eval) and statement.kind in _LEAVES


def _holds(test: tree.Node, name: str, *, present: bool) -> bool:
    """Whether a test that holds says that the name is there (or, not `present`, that it is not)."""
    match test:
        case tree.Name():
            return present and test.id == name
        case tree.Walrus():
            return present and test.name == name
        case tree.Wrapped(kind="not"):
            return not present and _holds(test.value, name, present=True)
        case tree.Compare(
            left=tree.Name() as left, ops=(op,), rights=(tree.Const(value=None, kind=""),)
        ):
            return left.id == name and op == ("is not" if present else "is")
        case tree.Compare(
            left=tree.Walrus() as left, ops=(op,), rights=(tree.Const(value=None, kind=""),)
        ):
            return left.name == name and op == ("is not" if present else "is")
        case tree.Boolean(op="and") if present:
            return any(_holds(value, name, present=True) for value in test.values)
        case tree.Boolean(op="or") if not present:
            return any(_holds(value, name, present=False) for value in test.values)
        case _:
            return False


def _reads(node: tree.Node, name: str) -> bool:
    """Whether evaluating an expression certainly reads an attribute of the name."""
    match node:
        case tree.Attr(base=tree.Name() as base):
            return base.id == name
        case tree.Attr():
            return _reads(node.base, name)
        case tree.Call():
            return _reads(node.func, name) or any(_reads(a.value, name) for a in node.args)
        case tree.Wrapped():
            return _reads(node.value, name)
        case tree.FString():
            return any(_reads(p.value, name) for p in node.parts if isinstance(p, tree.Hole))
        case tree.Binary():
            return _reads(node.left, name) or _reads(node.right, name)
        case tree.Boolean():
            return _reads(node.values[0], name)
        case tree.Sequence():
            return any(_reads(item, name) for item in node.items)
        case tree.DictDisplay():
            return any(_reads(value, name) for value in node.values)
        case _:
            return False
