"""The expressions that may look something up in a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.in_order import PLACED
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from capsule_lint.program.model import Module

LOOKING_UP: Final = (tree.Subscript, tree.Call, tree.Compare)
"""The expressions that look things up."""


def looking_up(module: Module, names: AbstractSet[str]) -> Iterator[tree.Node]:
    """The expressions of a module that may look something up in a collection of one of these names, or in a
    local one, or in one that they choose, in the order of the file."""
    return (node for node in module.every(*LOOKING_UP) if looks_up(node, names))


def looks_up(node: tree.Node, names: AbstractSet[str]) -> bool:
    """Whether an expression may look something up in such a collection."""
    match node:
        case tree.Subscript(base=base) | tree.Compare(rights=(base, *_)):
            pass
        case tree.Call(args=(first, *_)) if last_name(node.func) in PLACED:
            base = first.value
        case tree.Call(func=tree.Attr(base=base)):
            pass
        case _:
            return False
    return isinstance(base, tree.Name | tree.Conditional) or last_name(base) in names
