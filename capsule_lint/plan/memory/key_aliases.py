"""Names for annotations of keys, `NoteKey = tuple[str, str]`: those that say nothing else change with the keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.model import Binding, Class, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Owner
    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.model import Function, Module
    from capsule_lint.program.names import Target


@dataclass(eq=False)
class KeyAliases(Room):
    """Tells them."""

    planner: Planner
    known: set[int] = field(default_factory=set)
    """The annotations of collections whose keys change, and of these keys."""
    _others: set[Binding] | None = None

    def of(self, node: tree.Node) -> tree.Subscript | None:
        """What a name stands for, unless it says something else as well."""
        target, said = self._target(node)
        if self._others is None:
            self._others = set(self._of_others())
        return None if target in self._others else said

    def beside(self, node: tree.Node) -> tree.Subscript | None:
        """What a name stands for that says something else as well, where that means the same beside it."""
        target, said = self._target(node)
        if target is None or said is None or self.of(node) is not None:
            return None
        here, there = self.program.names.module_of(node), target.module
        said_in = [one.id for one in within(said) if isinstance(one, tree.Name)]
        alike = all(self._meaning(here, name) == self._meaning(there, name) for name in said_in)
        return said if here is there or alike else None

    def _meaning(self, module: Module, name: str) -> Target | None:
        """What a module means by a name; `None` by that of a built-in."""
        bound = self.program.names.global_binding(module, name)
        return self.program.names.follow(bound) if bound is not None else None

    def _target(self, node: tree.Node) -> tuple[Binding | None, tree.Subscript | None]:
        """The name that an annotation is, and what it stands for."""
        is_name = isinstance(node, tree.Name | tree.Attr)
        target = self.program.classes.dotted(node) if is_name else None
        if isinstance(target, Binding) and isinstance(target.assigned, tree.Subscript):
            return target, target.assigned
        return None, None

    def _of_others(self) -> Iterator[Binding]:
        """The names by which annotations are called that are none of those."""
        modules = self.program.names.modules.values()
        named = {
            name
            for module in modules
            for name, bindings in module.scope.bindings.items()
            if any(isinstance(one.assigned, tree.Subscript) for one in bindings)
        }
        waiting = [said for module in modules for said in self._said_in(module)]
        seen: set[Binding] = set()
        while waiting:
            for one in within(waiting.pop()):
                if not isinstance(one, tree.Name | tree.Attr) or last_name(one) not in named:
                    continue
                target, stands_for = self._target(one)
                if target is not None and stands_for is not None and target not in seen:
                    seen.add(target)
                    yield target
                    waiting.append(stands_for)

    def _said_in(self, module: Module) -> Iterator[tree.Node]:
        """The annotations of all that a module and its classes keep, and of functions of the program that are told no
        scope and look nothing up in what changes."""
        owners: list[Owner] = [module, *module.classes]
        for owner in owners:
            names = set(owner.scope.bindings)
            for name in names | set(owner.stores) if isinstance(owner, Class) else names:
                yield from (one for one in kept(owner, name) if id(one) not in self.known)
        for function in () if module.is_test else module.functions:
            if not self._is_about_keys(function):
                locals_of = (b for every in function.scope.bindings.values() for b in every)
                said = [b.annotation for b in locals_of]
                said += [function.fact.returns, *(p.annotation for p in function.params)]
                yield from (one for one in said if one is not None and id(one) not in self.known)

    def _is_about_keys(self, function: Function) -> bool:
        local = self.planner.local
        return (
            self.program.domain.takes_scope(function)
            or local.notes.touches(function)
            or any(owner is function.owner for owner, _ in local.rekeyed)
        )


def kept(owner: Owner, name: str) -> Iterator[tree.Node]:
    """The annotations of a collection that a class or module keeps."""
    if isinstance(owner, Class):
        for store in owner.stores.get(name, ()):
            if store.annotation is not None:
                yield store.annotation
    for binding in owner.scope.bindings.get(name, ()):
        if binding.annotation is not None:
            yield binding.annotation
