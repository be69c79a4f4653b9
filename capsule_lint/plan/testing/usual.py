"""What an expression in a helper of tests is where the test that calls it says nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import first_name

if TYPE_CHECKING:
    from capsule_lint.program import Program

_MAX_DEPTH: Final = 4


def usual(program: Program, node: tree.Node, depth: int = 0) -> tree.Node | None:
    """`"STAGE"` for `capsule_id or "STAGE"`, for `given.get("capsule", "STAGE")`, for the parameter of
    `def make(capsule_id="STAGE")`, and for what a builder of tests begins with, `self.capsule_id = "STAGE"`; `None` for a
    parameter that every caller fills."""
    if depth > _MAX_DEPTH:
        return node
    match node:
        case tree.Boolean(op="or"):
            return usual(program, node.values[-1], depth + 1)
        case tree.Call(func=tree.Attr(name="get" | "pop"), args=(_, default)):
            return usual(program, default.value, depth + 1)
        case tree.Conditional():
            sides = [usual(program, side, depth + 1) for side in (node.then, node.otherwise)]
            return next((side for side in sides if side is not None), None)
        case tree.Name():
            return _named(program, node, depth)
        case tree.Attr(base=tree.Name()):
            kept = _kept(program, node)
            return usual(program, kept, depth + 1) if kept is not None else node
        case _:
            return node


def _named(program: Program, node: tree.Name, depth: int) -> tree.Node | None:
    bindings = program.names.bindings_of(node)
    if not bindings or any(b.is_global for b in bindings):
        return node
    last = bindings[-1]
    if last.kind == "param" and last.parameter is not None:
        default = last.parameter.default
        none = isinstance(default, tree.Const) and default.value is None
        return default if not none else None
    if last.assigned is not None:
        return usual(program, last.assigned, depth + 1)
    return node


def _kept(program: Program, node: tree.Attr) -> tree.Node | None:
    """What the initializer gives an attribute of the own object; `None` where it gives none, or several."""
    function = program.names.function_of(node)
    owner = function.owner if function is not None and function.takes_self else None
    if function is None or owner is None or first_name(node) != function.self_name:
        return None
    stores = owner.stores.get(node.name, ())
    begun = [store.value for store in stores if store.function.name == "__init__"]
    return begun[0] if len(begun) == 1 else None
