"""Whether an object of a changing family can be what a receiver of unknown type is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.mentions import Mentions
from capsule_lint.program.model import Class

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function


_DICT_METHODS: Final = ("get", "pop", "setdefault", "update", "items", "keys", "values")


@dataclass(eq=False)
class Arrivals:
    """Follows the objects of a family's classes by name."""

    program: Program
    _reached: dict[frozenset[Class], set[int]] = field(default_factory=dict)

    def at(self, symbol: Function | Class, receiver: tree.Node) -> bool:
        """Whether an object whose class has the method `symbol`, or overrides it, may get to `receiver`."""
        classes = self._classes(symbol)
        if classes not in self._reached:
            names = {cls.name for cls in classes}
            self._reached[classes] = self._mentions.reach(self._selves(classes), names)
        if id(receiver) not in self._reached[classes]:
            return False
        return not self._is_dict(symbol, receiver, classes)

    def _is_dict(
        self, symbol: Function | Class, receiver: tree.Node, classes: frozenset[Class]
    ) -> bool:
        """Whether `x.get(…)` is that of a dict: by a default that no key has, by what `x` is, or because
        `x` is subscripted as well, while no class of the family can be."""
        names = self.program.names
        if symbol.name not in _DICT_METHODS:
            return False
        func = names.parent(receiver)
        call = names.parent(func) if isinstance(func, tree.Attr) else None
        if isinstance(call, tree.Call) and len(call.args) == 2:
            first, default = (a.value for a in call.args)
            if isinstance(first, tree.Const) and _is_default(default):
                return True
        if _is_dict_made(receiver):
            return True
        if any(self.program.classes.method(cls, "__getitem__") for cls in classes):
            return False
        if not isinstance(receiver, tree.Name):
            return False
        place = names.place(receiver)
        return any(
            isinstance(node, tree.Subscript)
            and isinstance(node.base, tree.Name)
            and node.base.id == receiver.id
            and isinstance(node.index, tree.Const)
            and names.place(node).scope is place.scope
            for node in place.scope.module.nodes
        )

    @cached_property
    def _mentions(self) -> Mentions:
        return Mentions(self.program, list(self.program.names.modules.values()))

    def _classes(self, symbol: Function | Class) -> frozenset[Class]:
        if isinstance(symbol, Class):
            owners = {symbol}
        else:
            family = self.program.calls.family(symbol)
            owners = {f.owner for f in family if f.owner is not None}
        return frozenset(
            owners.union(*(self.program.classes.subclasses(owner) for owner in owners))
        )

    def _selves(self, classes: frozenset[Class]) -> Iterator[tree.Node]:
        """Where methods of the classes, inherited ones too, speak of the object, or of its class."""
        methods = {
            method: method.params[0].name
            for cls in classes
            for owner in self.program.classes.mro(cls)
            for method in owner.methods.values()
            if method.params and not method.is_static
        }
        modules = {id(method.module): method.module for method in methods}
        for module in modules.values():
            for node in module.nodes:
                if isinstance(node, tree.Name):
                    function = self.program.names.place(node).scope.function
                    while function is not None and function not in methods:
                        function = function.parent
                    if function is not None and node.id == methods[function]:
                        yield node


def _is_default(node: tree.Node) -> bool:
    """Whether a second argument is what `dict.get` gives where there is nothing."""
    match node:
        case tree.Const(value=value):
            return value is None or value == "" or isinstance(value, bool | int | float)
        case tree.DictDisplay(keys=()) | tree.Sequence(items=()):
            return True
        case _:
            return False


def _is_dict_made(node: tree.Node) -> bool:
    """Whether an expression is a namespace, or itself comes out of a dict with a dict for a default."""
    match node:
        case tree.Attr(name="__dict__" | "environ"):
            return True
        case tree.Call(func=tree.Name(id="vars" | "globals" | "locals")):
            return True
        case tree.Call():
            last = node.args[-1].value if len(node.args) > 1 else None
            return isinstance(last, tree.DictDisplay) and not last.keys
        case _:
            return False
