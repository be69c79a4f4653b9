"""Values of a scope that a call is given of one object or of another, `order.tenant_id if order else ctx.tenant_id` and
`(order or ctx).tenant_id`, also by way of a local: the other scope's comes from the same one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.state import Value
from capsule_lint.plan.supply.repeats import names_in, repeatable
from capsule_lint.program.inference.types import Foreign, Instance, ordered
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.supply.holders import Holders
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class


def either_beside(holders: Holders, scope: Scope, call: tree.Call | None) -> Value | None:
    """What a call is given for the scope beside such a value."""
    for argument in call.args if call is not None else ():
        made = only_assigned(holders.program.names, argument.value) or argument.value
        found = _beside(holders, scope, made) if _is_steady(holders, made) else None
        if found is not None:
            return found
    return None


def is_of_several(holders: Holders, scope: Scope, node: tree.Node) -> bool:
    """Whether a value of another scope is that of one of several objects which have the scope."""
    made = only_assigned(holders.program.names, node) or node
    owners = {text_of(path.base) for path in _paths(holders, scope, made)}
    return len(owners) > 1


def _beside(holders: Holders, scope: Scope, node: tree.Node) -> Value | None:
    """`order.capsule_id if order else ctx.capsule_id`, `(order or ctx).capsule_id`."""
    match node:
        case tree.Conditional(then=tree.Attr() as then, otherwise=tree.Attr() as otherwise):
            test, others = _test(node.test), holders.program.policy.others(scope)
            said = [
                _read(holders, scope, path) if names_any_of(path.name, others) else None
                for path in (then, otherwise)
            ]
            if test is None or None in said:
                return None
            code = f"{said[0]} if {test} else {said[1]}"
        case tree.Attr(base=tree.Boolean(op="or", values=values), name=name):
            others = holders.program.policy.others(scope)
            bases = [text_of(value) for value in values]
            read = {_attribute(holders, scope, value, name) for value in values}
            if not names_any_of(name, others) or None in bases or None in read or len(read) != 1:
                return None
            code = f"({' or '.join(map(str, bases))}).{read.pop()}"
        case _:
            return None
    classes = [
        cls for path in _paths(holders, scope, node) for cls in _classes(holders, path.base)
    ]
    knots = [knot for cls in classes if (knot := holders.field_knot(cls, scope)) is not None]
    for knot in knots[1:]:
        holders.state.groups.join(knots[0], knot)
    return Value(code, knot=knots[0] if knots else None)


def _test(node: tree.Node) -> str | None:
    """The code of what tells whether there is an object: `order`, `not order`, `order is not None`."""
    match node:
        case tree.Compare(
            left=left, ops=("is" | "is not" as op,), rights=(tree.Const(value=None),)
        ):
            asked = text_of(left)
            return f"{asked} {op} None" if asked is not None else None
        case tree.Wrapped(kind="not"):
            asked = text_of(node.value)
            return f"not {asked}" if asked is not None else None
        case _:
            return text_of(node)


def _paths(holders: Holders, scope: Scope, node: tree.Node) -> Iterator[tree.Attr]:
    """What an expression that chooses reads of objects which have the scope: `order.tenant_id`."""
    others = holders.program.policy.others(scope)
    parts: Sequence[tree.Node] = ()
    match node:
        case tree.Conditional(then=then, otherwise=otherwise):
            parts = (then, otherwise)
        case tree.Boolean(op="or", values=values):
            parts = values
        case tree.Attr(base=tree.Boolean(op="or", values=values), name=name):
            parts = [tree.Attr(node.at, value, name) for value in values]
    for part in parts:
        match part:
            case tree.Attr(name=name) if names_any_of(name, others):
                if _read(holders, scope, part) is not None:
                    yield part


def _read(holders: Holders, scope: Scope, path: tree.Attr) -> str | None:
    """How the scope is read of the object of which a path reads another one."""
    base, attribute = text_of(path.base), _attribute(holders, scope, path.base, path.name)
    return f"{base}.{attribute}" if base is not None and attribute is not None else None


def _attribute(holders: Holders, scope: Scope, node: tree.Node, beside: str) -> str | None:
    """The attribute by which all classes of an object have the scope."""
    read = {holders.read_of(node, cls, scope, beside) for cls in _classes(holders, node)}
    return read.pop() if len(read) == 1 else None


def _classes(holders: Holders, node: tree.Node) -> list[Class]:
    """The classes of an object that may be missing; none where something else may be there."""
    types = [t for t in ordered(holders.program.inference.of(node)) if t != Foreign("None")]
    found = [one.cls for one in types if isinstance(one, Instance)]
    return found if len(found) == len(types) else []


def _is_steady(holders: Holders, node: tree.Node) -> bool:
    """Whether all names in an expression are bound once, and to read it twice does nothing."""
    return all(map(repeatable, _parts(node))) and all(
        len(holders.program.names.bindings_of(name)) == 1 for name in names_in(node)
    )


def _parts(node: tree.Node) -> Iterator[tree.Node]:
    """What an expression that chooses is made of."""
    match node:
        case tree.Conditional(test=test, then=then, otherwise=otherwise):
            for one in (test, then, otherwise):
                yield from _parts(one)
        case tree.Attr(base=tree.Boolean(values=values)):
            for one in values:
                yield from _parts(one)
        case tree.Compare(left=left, rights=rights):
            yield from (left, *rights)
        case tree.Wrapped(kind="not", value=value):
            yield value
        case _:
            yield node
