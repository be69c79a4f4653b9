"""The errors that a test expects of what it runs: `with pytest.raises(TypeError):`, `self.assertRaises(KeyError, f)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.blocks import contains, managers
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.names import Names

_RAISES: Final = ("raises", "assertRaises", "assertRaisesRegex")


def expected_by(node: object) -> Iterator[str]:
    """The names of the errors that a call expects: what a `with` enters, or is given what it runs."""
    match node:
        case tree.Call(args=(error, *_)) if last_name(node.func) in _RAISES:
            yield from map(last_name, tree.items(error.value))


def expected_of(names: Names, call: tree.Node) -> Iterator[str]:
    """The names of the errors that what stands around a call expects of it, or catches."""
    place = names.place(call)
    for block in place.scope.module.blocks.values():
        if block.kind in ("with", "try") and contains(block.bodies[0], place.statement):
            if block.kind == "try":
                yield from (last_name(one) for kind in block.heads for one in tree.items(kind))
            for manager in managers(block):
                yield from expected_by(manager)
                yield from _suppressed_by(manager)
    parent = names.parent(call)
    while isinstance(parent, tree.Expr | tree.Argument):
        yield from expected_by(parent)
        parent = names.parent(parent)


def _suppressed_by(node: object) -> Iterator[str]:
    """The names of the errors that `suppress(KeyError, TypeError)` catches."""
    if isinstance(node, tree.Call) and last_name(node.func) == "suppress":
        yield from (last_name(error.value) for error in node.args)
