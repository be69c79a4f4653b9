"""Dicts that a builder of tests keeps, and spreads into a constructor: `Pet(**self._kw)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.program import Program


def kept(program: Program, node: tree.Attr, call: tree.Call) -> tree.Node | None:
    """The dict that `self._kw` starts as, where all that is done with it is to set entries, and to spread
    it into calls of what `call` calls; `None` where anything else may be done."""
    function = program.names.place(node).scope.function
    owner = function.owner if function is not None else None
    if function is None or owner is None or not function.module.is_test:
        return None
    if not isinstance(node.base, tree.Name) or node.base.id != function.self_name:
        return None
    stores = owner.stores.get(node.name, ())
    if len(stores) != 1 or stores[0].path or node.name in owner.scope.bindings:
        return None
    reads = [
        one
        for module in program.names.modules.values()
        for one in module.each(tree.Attr)
        if one.name == node.name and one not in stores[0].statement.targets
    ]
    return stores[0].value if all(_is_harmless(program, one, call) for one in reads) else None


def _is_harmless(program: Program, node: tree.Attr, call: tree.Call) -> bool:
    parent = program.names.parent(node)
    match parent:
        case tree.Subscript():
            return parent.base is node
        case tree.Attr(name="update" | "setdefault"):
            return True
        case tree.Call():
            return last_name(parent.func) == last_name(call.func) and any(
                a.star == "**" and a.value is node for a in parent.args
            )
        case _:
            return False
