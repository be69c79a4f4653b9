"""What reaches the parameters of lambdas: from calls by the names that they have, and from collections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.calling.fixtures import asked_as, fixture_giving
from capsule_lint.program.containers import KEYED
from capsule_lint.program.inference.going_through import given_through
from capsule_lint.program.inference.types import (
    ANYTHING,
    Collection,
    Instance,
    LambdaObject,
    Types,
    join,
)
from capsule_lint.program.local_names import calls_of_value
from capsule_lint.program.model import Class, Module, Place, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference


@dataclass(eq=False, slots=True)
class Lambdas:
    """Types of the parameters of lambdas."""

    inference: Inference

    def of(self, place: Place, parameter: tree.Parameter) -> Types:
        """What reaches a parameter at its place in the scope of a lambda."""
        names = self.inference.names
        node = names.index.lambdas.get(id(place.scope))
        if node is None or parameter not in node.params:
            return ANYTHING
        position, parent = node.params.index(parameter), names.parent(node)
        if isinstance(parent, tree.Call):
            applied = self._applied(parent, node, position, place)
            if applied is not None:
                return applied
        name = self._name(node, parent)
        beside = self.inference.calls.uses.calls_beside
        if isinstance(parent, tree.DictDisplay):
            called = list(self._of_table(name, node)) if name else []
        else:
            homes = self._homes(parent, place.scope.module)
            called = [c for c in beside(name) if name and names.module_of(c) in homes]
        for attribute, owner in self._kept_as(name, parent):
            called += [c for c in beside(attribute) if self._is_of(c.func, owner)]
        passed = [
            self.inference.of(argument.value)
            for call in called
            for number, argument in enumerate(call.args)
            if argument.keyword == parameter.name
            or (number == position and argument.keyword is None)
        ]
        return join(*passed) or ANYTHING

    def _applied(
        self, call: tree.Call, node: tree.Lambda, position: int, place: Place
    ) -> Types | None:
        """What `property` gives a lambda, or what goes through a collection."""
        cls = place.scope.parent.cls if place.scope.parent is not None else None
        if cls is not None and position == 0 and last_name(call.func) == "property":
            return frozenset((Instance(cls),))
        return given_through(self.inference, call, node, position)

    def _name(self, node: tree.Lambda, parent: object) -> str:
        """The name by which a lambda is called: that of a parameter, of a variable, or of a table."""
        match parent:
            case tree.Call():
                argument = next(a for a in parent.args if a.value is node)
                return (
                    argument.keyword or self.inference.calls.parameter_of(parent, argument) or ""
                )
            case tree.Assign():
                return last_name(parent.targets[0])
            case tree.DictDisplay():
                holder = self.inference.names.parent(parent)
                return last_name(holder.targets[0]) if isinstance(holder, tree.Assign) else ""
            case tree.Eval() if fixture := fixture_giving(self.inference.names, node):
                return asked_as(fixture)
            case _:
                return ""

    def _of_table(self, name: str, node: tree.Lambda) -> Iterator[tree.Call]:
        """The calls of what is looked up in the table of a lambda: `TABLE[name](ctx, note_id)`, `TABLE.get(name)`."""
        names, made = self.inference.names, LambdaObject(node)
        for use in list(names.named(*self.inference.calls.uses.aliases(name))):
            parent = names.parent(use)
            value: tree.Node | None = None
            match parent:
                case tree.Subscript(base=base) if base is use:
                    value = parent
                case tree.Attr(base=base, name=method) if base is use and method in KEYED:
                    looked_up = names.parent(parent)
                    value = looked_up if isinstance(looked_up, tree.Call) else None
            tables = self.inference.of(use) if value is not None else ()
            if value is not None and any(
                isinstance(one, Collection) and made in one.items for one in tables
            ):
                yield from calls_of_value(self.inference.names, value)

    def _homes(self, parent: object, module: Module) -> set[Module]:
        """The modules in which the lambda is called by that name."""
        homes = {module}
        if isinstance(parent, tree.Call):
            called = [c.function or c.cls for c in self.inference.calls.callees(parent)]
            homes.update(one.module for one in called if one is not None)
        elif isinstance(parent, tree.Eval):
            homes.update(m for m in self.inference.names.modules.values() if m.is_test)
        return homes

    def _kept_as(self, name: str, parent: object) -> Iterator[tuple[str, Class | None]]:
        """The attributes as which objects that are given the lambda keep it: whoever has one may call it; and of data
        classes the class, of which it is a field."""
        called = self.inference.calls.callees(parent) if isinstance(parent, tree.Call) else ()
        for cls in (c.cls for c in called if c.cls is not None):
            for attribute, stores in cls.stores.items():
                values = (store.value for store in stores)
                if any(isinstance(value, tree.Name) and value.id == name for value in values):
                    yield attribute, None
            if any(field.name == name for field in self.inference.classes.fields(cls)):
                yield name, cls

    def _is_of(self, func: tree.Node, cls: Class | None) -> bool:
        """Whether what is called is an attribute, of an object of a class if that is known."""
        return isinstance(func, tree.Attr) and (
            cls is None or Instance(cls) in self.inference.of(func.base)
        )
