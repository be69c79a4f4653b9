"""Calls that cannot mean a function, since they give a collection where it declares a text or a number: `row.get(name, {})`
is no call of `get(self, tenant_id: str, member: str)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capsule_lint.program.model import Function

_SCALARS: Final = frozenset(("str", "bytes", "int", "float", "bool"))
_COLLECTIONS: Final = (tree.DictDisplay, tree.Sequence, tree.Comprehension)


def contradicts(arguments: Mapping[str, tree.Argument], function: Function) -> bool:
    """Whether one of the arguments, by the parameters that they fill, is written out as a collection, and its parameter
    takes none."""
    for name, argument in arguments.items():
        parameter = function.parameter(name)
        if parameter is None or parameter.kind in ("*", "**") or argument.star:
            continue
        note = parameter.annotation
        plain = isinstance(note, tree.Name) and note.id in _SCALARS
        if plain and isinstance(argument.value, _COLLECTIONS):
            return True
    return False
