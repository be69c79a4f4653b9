"""What reaches the parameters of lambdas: from calls by the names that they have, and from collections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.fixtures import asked_as, fixture_giving
from capsule_lint.program.inference.types import ANYTHING, Instance, Types, join
from capsule_lint.program.model import Binding, Module, Place, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference

_MAPPING: Final = frozenset(
    ["map", "filter", "sorted", "min", "max", "sort", "groupby", "starmap"]
)
"""What gives its function the items of a collection."""


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
        homes = self._homes(name, parent, place.scope.module)
        beside = self.inference.calls.uses.calls_beside
        called = [c for c in beside(name) if name and names.module_of(c) in homes]
        for attribute in self._kept_as(name, parent):
            called += [c for c in beside(attribute) if isinstance(c.func, tree.Attr)]
        passed = [
            self.inference.of(call.args[position].value)
            for call in called
            if position < len(call.args) and call.args[position].keyword is None
        ]
        return join(*passed) or ANYTHING

    def _applied(
        self, call: tree.Call, node: tree.Lambda, position: int, place: Place
    ) -> Types | None:
        """What `property` gives a lambda, or `map`, `filter` and `sorted`, which go through collections."""
        cls = place.scope.parent.cls if place.scope.parent is not None else None
        if cls is not None and position == 0 and last_name(call.func) == "property":
            return frozenset((Instance(cls),))
        rest = [a.value for a in call.args if a.value is not node and a.keyword is None]
        if last_name(call.func) not in _MAPPING or not rest:
            return None
        collection = rest[min(position, len(rest) - 1)]
        return self.inference.contents.elements(self.inference.of(collection))

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
            case tree.DictDisplay():  # called as `TABLE[name](ctx, note_id)`
                holder = self.inference.names.parent(parent)
                return last_name(holder.targets[0]) if isinstance(holder, tree.Assign) else ""
            case tree.Eval() if fixture := fixture_giving(self.inference.names, node):
                return asked_as(fixture)
            case _:
                return ""

    def _homes(self, name: str, parent: object, module: Module) -> set[Module]:
        """The modules in which the lambda is called by that name."""
        homes = {module}
        if isinstance(parent, tree.Call):
            called = [c.function or c.cls for c in self.inference.calls.callees(parent)]
            homes.update(one.module for one in called if one is not None)
        elif isinstance(parent, tree.DictDisplay):
            homes.update(self._importing(name, module))
        elif isinstance(parent, tree.Eval):
            homes.update(m for m in self.inference.names.modules.values() if m.is_test)
        return homes

    def _kept_as(self, name: str, parent: object) -> Iterator[str]:
        """The attributes as which objects that are given the lambda keep it: whoever has one may call it."""
        called = self.inference.calls.callees(parent) if isinstance(parent, tree.Call) else ()
        for attribute, stores in (i for c in called if c.cls for i in c.cls.stores.items()):
            values = (store.value for store in stores)
            if any(isinstance(value, tree.Name) and value.id == name for value in values):
                yield attribute

    def _importing(self, name: str, module: Module) -> Iterator[Module]:
        """The modules that import a name from one under the same name."""
        for other in self.inference.names.modules.values():
            for binding in other.scope.bindings.get(name, ()):
                target = self.inference.names.follow(binding)
                if isinstance(target, Binding) and target.module is module:
                    yield other
