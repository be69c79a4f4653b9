"""Names of all fields that a test expects of a class: `[f.name for f in fields(Note)] == ["tenant_id", "note_id"]`. The new
one comes where its field does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.wholes import NAMING_ALL, named_by
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.model import Class

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_NAMES: Final = (*NAMING_ALL, "__annotations__", "model_fields")
"""Attributes that have the names of all fields in them, in their order."""
MAKING: Final = ("list", "tuple", "set", "frozenset")
"""What makes a list or a set of names, and of the keys of a dict."""


class FieldNames(MendRoom, Struct, frozen=True):
    """Extends such lists and sets."""

    mends: Mends

    def expect(self, module: Module, node: tree.Sequence, other: tree.Node) -> None:
        """Extend what is compared with the names of all fields."""
        of, names = _named_whole(other), [tree.text(item) for item in node.items]
        expected = self.mends.expected
        for knot, scope in expected.fields(of, classes=True) if of is not None else ():
            cls = knot[1]
            if isinstance(cls, Class) and (node.kind == "set" or self._is_beside(cls, scope)):
                expected.element(module, node, names, (knot, scope), values=False)

    def _is_beside(self, cls: Class, scope: Scope) -> bool:
        """Whether a field comes directly beside that of another scope, as its name does."""
        held, others = self.program.domain.held.is_attribute, self.program.policy.others(scope)
        own = (f.name for f in self.program.classes.fields(cls) if f.owner is cls)
        return any(held(cls, name, old) for name in own for old in others)


def _named_whole(node: tree.Node) -> tree.Node | None:
    """The class, or the object, of which something gives the names of all fields: `Note` of `[f.name for f in fields(Note)]`,
    `list(Note.model_fields)`, `Note.__match_args__`; `None` where it does not."""
    match node:
        case tree.Call(func=tree.Name(id=made), args=(tree.Argument(value=inner),)):
            return _named_whole(inner) if made in MAKING else None
        case tree.Call(func=tree.Attr(name="keys", base=tree.Attr() as fields), args=()):
            return _named_whole(fields)
        case tree.Comprehension(
            results=(name,), generators=(tree.Generator(target=one, iter=each, ifs=()),)
        ):
            return named_by(name, one, each)
        case tree.Attr(name=name, base=of):
            return of if name in _NAMES else None
        case _:
            return None
