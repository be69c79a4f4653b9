"""Whether objects say a scope for good as they were told it: `SCOPE = Scope(capsule_id="PRODUS")`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.supply.restated import CONSTRUCTORS
from capsule_lint.program.inference.mocks import PATCHES
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Store

_SETTING: Final = PATCHES | {"__setattr__"}
_VALIDATING: Final = ("validator", "validate", "validates")
"""How the decorators of methods end that may make another value of what a field is given."""


class Lasting(Struct, frozen=True, dict=True):
    """Tells them."""

    program: Program

    def says(self, node: tree.Node, known_as: str, name: str) -> bool:
        """Whether an object has under a name what it was made with: its class keeps that, and nothing else sets it."""
        inference = self.program.inference
        cls = inference.the_class(inference.of(node))
        if cls is None or known_as in self._patched or name in self._patched:
            return False
        if (cls, name) not in self._known:
            self._known[cls, name] = self._keeps(cls, name) and not self._is_set(cls, name)
        return self._known[cls, name]

    @cached_property
    def _known(self) -> dict[tuple[Class, str], bool]:
        return {}

    @cached_property
    def _patched(self) -> frozenset[str]:
        """What something is put in the place of by its name: `monkeypatch.setattr(SCOPE, "capsule_id", "DEV")`."""
        return frozenset(
            argument.value.value.rpartition(".")[2]
            for word in sorted(_SETTING)
            for call in self.program.calls.uses.calls_beside(word)
            for argument in call.args[:2]
            if isinstance(argument.value, tree.Const) and isinstance(argument.value.value, str)
        )

    def _keeps(self, cls: Class, name: str) -> bool:
        """Whether a class only keeps what it is given."""
        line = self.program.classes.mro(cls)
        methods = {one: method for owner in line for one, method in owner.methods.items()}
        special = {*CONSTRUCTORS, "__attrs_post_init__", "__setattr__", "__getattribute__"}
        if name in methods or not methods.keys().isdisjoint(special - {"__init__"}):
            return False
        if any(d.endswith(_VALIDATING) for one in methods.values() for d in one.decorators):
            return False
        stores = [store for owner in line for store in owner.stores.get(name, ())]
        told = [one for owner in line for one in owner.scope.bindings.get(name, ())]
        made = [node for one in told for node in (one.value, one.annotation) if node is not None]
        return all(map(_is_as_told, stores)) and not any(
            isinstance(inner, tree.Call) or last_name(inner) == "Annotated"
            for node in made
            for inner in within(node)
        )

    def _is_set(self, cls: Class, name: str) -> bool:
        """Whether it is set from outside: `SCOPE.capsule_id = "DEV"`."""
        classes, inference = self.program.classes, self.program.inference
        line = {*classes.mro(cls), *classes.subclasses(cls)}
        stored = (
            inference.of(target.base) for target, _ in self.program.calls.uses.assigned(name)
        )
        return any(
            not types or any(not isinstance(t, Instance) or t.cls in line for t in types)
            for types in stored
        )


def _is_as_told(store: Store) -> bool:
    """Whether an initializer puts a parameter there as it is."""
    value, bindings = store.value, store.function.scope.bindings
    return (
        store.function.name == "__init__"
        and not store.path
        and isinstance(value, tree.Name)
        and len(bindings.get(value.id, ())) == 1
    )
