"""What makes two entities the same, in `__eq__` and `__hash__`: sets and dicts go by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.flow import COMPARING
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.program.model import Function

_IDENTIFYING: Final = COMPARING | {"__hash__"}
"""The methods that say which objects are the same."""
_ASKED: Final = "reads what makes two objects the same, which changes"


class Identities(Struct, frozen=True):
    """Judges it as keys are."""

    local: LocalKeys

    def find(self) -> dict[Home, Function]:
        """Note which scopes it lacks; the methods that it asks for a tuple, each as what keeps such keys."""
        asked: dict[Home, Function] = {}
        for cls in sorted(self.local.program.domain.entities, key=lambda c: c.symbol):
            for name in sorted(_IDENTIFYING) if not cls.module.generated else ():
                if name in cls.methods:
                    found = self._identities_in(cls, cls.methods[name])
                    asked.update({(cls, one.name): one for one in found})
                    self._judge_identities(cls, cls.methods[name], found)
        return asked

    def _judge_identities(self, cls: Class, method: Function, found: list[Function]) -> None:
        told = {method, *found}
        for node in cls.module.either(tree.Sequence, tree.Compare):
            function = self.local.program.names.function_of(node)
            if function is None or function not in told or id(node) in self.local.checked:
                continue
            if isinstance(node, tree.Sequence) and node.kind == "tuple":
                self.local.checked.add(id(node))
                self.local.judge_host((cls, function.name), node, None)
            elif isinstance(node, tree.Compare) and len(node.ops) == 1 and function is method:
                self.local.filters.judge_identity(node, cls, method)

    def _identities_in(self, cls: Class, method: Function) -> list[Function]:
        """The methods that a method asks what its object is, `self._id()`, unless that cannot be followed, and the
        fields, and all the keys, would wait for it: it is told of once these have come."""
        inside = self.local.program.names.inside(method)
        asked = [cls.methods.get(n.name) for n in inside if isinstance(n, tree.Attr)]
        held = len(self.local.classes.held(cls)) == len(self.local.program.policy.scopes)
        return [
            one
            for one in dict.fromkeys(asked)
            if one is not None and not one.own_params and all(map(_is_tuple, one.returns))
            if held or self._is_followed(cls, one)
        ]

    def _is_followed(self, cls: Class, method: Function) -> bool:
        """Whether all that asks a method for a tuple compares that or takes it apart, and none has another in its place."""
        below = self.local.program.classes.subclasses(cls)
        return all(one is cls or method.name not in one.methods for one in below) and all(
            told is not None and self._is_plain(told) for _, told in self._asking(cls, method)
        )

    def _is_plain(self, told: tree.Node) -> bool:
        """Whether a tuple is compared with one, sorted by, said in a text, or taken apart by numbers and names."""
        parent = self.local.program.names.parent(told)
        match parent:
            case tree.Compare(ops=("==" | "!=",)):
                other = parent.other(told)
                return isinstance(other, tree.Sequence) or _name(other) == _name(told)
            case tree.Subscript(index=number) if parent.base is told:
                return tree.integer(number) is not None
            case _ if self.local.program.names.module_of(told).is_test:
                return False  # what a test makes of it would be expected as it was
            case tree.Assign(targets=(tree.Sequence(items=items),)) if parent.value is told:
                return not any(isinstance(one, tree.Wrapped) for one in items)
            case tree.FString():
                return True
            case _:
                return self.local.readers.keys.orders(parent)

    def follow(self, asked: dict[Home, Function]) -> None:
        """Mend what else asks such a method whose tuple changes, or make the change unsafe."""
        notes = self.local.notes
        for home, method in asked.items():
            owner, name = home
            if home not in self.local.rekeyed or not isinstance(owner, Class):
                continue
            for sub in self.local.program.classes.subclasses(owner):
                if sub is not owner and name in sub.methods:
                    for value in sub.methods[name].returns:
                        notes.obstacle(notes.knot_of(home, value), value, _ASKED)
            for node, told in self._asking(owner, method):
                if told is None or (
                    self.local.program.names.module_of(node).is_test and not self._is_plain(told)
                ):
                    notes.obstacle(notes.knot_of(home, node), node, _ASKED)
                elif not isinstance(self.local.program.names.parent(told), tree.FString):
                    self.local.readers.keys.key(told, home)

    def _asking(
        self, cls: Class, method: Function
    ) -> Iterator[tuple[tree.Attr, tree.Node | None]]:
        """What else asks a method, unless it asks another object or in another way, and where it has the tuple; `None`
        where the object may be another one as well."""
        names, of = self.local.program.names, self.local.program.classes.method
        names.ask(method.name)
        for node in names.named(method.name):
            asking = names.function_of(node)
            if not isinstance(node, tree.Attr) or (
                asking is not None and asking.owner is cls and asking.name in _IDENTIFYING
            ):
                continue
            outer, types = names.parent(node), self.local.program.inference.of(node.base)
            call = outer if isinstance(outer, tree.Call) and outer.func is node else None
            fits = (call is None) is method.is_property
            own = [isinstance(t, Instance) and of(t.cls, method.name) is method for t in types]
            if any(own) or (not own and fits):
                yield node, (call or node) if own and all(own) and fits else None


def _is_tuple(node: tree.Node) -> bool:
    return isinstance(node, tree.Sequence) and node.kind == "tuple"


def _name(node: tree.Node) -> str:
    """`identity` of `other.identity`, and of `other.identity()`."""
    return last_name(node.func if isinstance(node, tree.Call) else node)
