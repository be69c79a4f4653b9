"""Values as the low-level client has them, `{"S": text}`, and what makes these: functions of the program, and the
serializer of boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Foreign
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function

_TYPES: Final = frozenset(("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"))
_SERIALIZER: Final = "TypeSerializer().serialize"


class TypedValues(Struct, frozen=True):
    """Tells what makes them of a text."""

    inference: Inference

    def gives(self, function: Function) -> bool:
        """Whether a function writes its argument as the client has it, each kind of values as what it is:
        `return {"N": str(value)} if isinstance(value, int) else {"S": value}`."""
        params = [p.name for p in function.own_params]
        given = [one for value in function.returns for one in _choices(value)]
        if len(params) != 1 or not given:
            return False
        if len(given) == 1 and self._is_serialized(given[0], params[0]):
            return True
        kinds = [_kind(one, params[0]) for one in given]
        return all(kinds) and "S" in kinds

    def serializes(self, func: tree.Node) -> bool:
        """Whether what is called is the method of boto3's `TypeSerializer`."""
        name = last_name(func)
        bound = self.inference.names.bindings_of(func) if isinstance(func, tree.Name) else ()
        if "serialize" not in (name, *(last_name(b.value) for b in bound)):
            return False
        found = self.inference.of(func)
        return bool(found) and all(
            isinstance(one, Foreign) and one.name.endswith(_SERIALIZER) for one in found
        )

    def _is_serialized(self, node: tree.Node, name: str) -> bool:
        match node:
            case tree.Call(args=(tree.Argument(value=tree.Name(id=given)),)):
                return given == name and self.serializes(node.func)
            case _:
                return False


def _choices(node: tree.Node) -> Iterator[tree.Node]:
    """What a conditional chooses from, or an expression that is none."""
    if isinstance(node, tree.Conditional):
        yield from _choices(node.then)
        yield from _choices(node.otherwise)
    else:
        yield node


def _kind(node: tree.Node, name: str) -> str:
    """Of which type a typed value is; empty for anything else, and for a text that is not what the name says."""
    match node:
        case tree.DictDisplay(keys=(tree.Const(value=str(kind)),), values=(value,)):
            if isinstance(value, tree.Call) and last_name(value.func) == "str" and value.plain:
                value = value.plain[0]
            whole = isinstance(value, tree.Name) and value.id == name
            return kind if kind in _TYPES and (whole or kind != "S") else ""
        case _:
            return ""
