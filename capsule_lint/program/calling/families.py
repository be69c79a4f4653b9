"""What is called in the same places: a method with its overrides and implementations, by their names and by their
shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.program.calling.dispatch import dispatched_with
from capsule_lint.program.calling.module_doubles import ModuleDoubles
from capsule_lint.program.calling.tables import methods_by_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.model import Class, Function


@dataclass(eq=False, slots=True)
class Families:
    """Finds the relatives of methods and classes."""

    calls: Calls
    _doubles: ModuleDoubles = field(init=False)
    _known: dict[Function, frozenset[Function]] = field(default_factory=dict)
    _asked: set[Function] = field(default_factory=set)
    """The methods whose relatives' names have been asked for."""

    def __post_init__(self) -> None:
        self._doubles = ModuleDoubles(self.calls)

    def of(self, function: Function) -> frozenset[Function]:
        """The method with all its overrides and implementations, and what is called in its place."""
        known, guessing = self._known.get(function), self.calls.uses.names.guessing
        if known is not None and (guessing or function in self._asked):
            return known
        found, queue = {function}, [function]
        while queue:
            current = queue.pop()
            for other in self._kin(current):
                if other not in found:
                    found.add(other)
                    queue.append(other)
        family = frozenset(found)
        for member in family:
            self._known[member] = family
        if not guessing:
            self._asked.update(family)
        return family

    def _kin(self, function: Function) -> Iterator[Function]:
        yield from self.nominal(function)
        yield from dispatched_with(self.calls.inference, function)
        yield from self._doubles.like(function)
        if function.owner is None or function.name == "__init__":
            return
        yield from self.structural(function)
        for call, callee in self.calls.callers(function):
            if callee.mock:
                continue
            by_row = methods_by_row(self.calls.classes, self.calls.inference, call)
            for twin in self.calls.callees(call):
                if (
                    twin.function is not None
                    and twin.cls is None
                    and twin.function.name == function.name
                    and not (by_row and _needed(function) != _needed(twin.function))
                ):  # rows may give each method something else
                    yield twin.function

    def nominal(self, function: Function) -> set[Function]:
        """The methods of its name in the classes above and below its own, and in those beside it that an heir has
        the method from."""
        name, classes = function.name, self.calls.classes
        if function.owner is None or (name.startswith("__") and name.endswith("__")):
            return {function}
        owners = {function.owner}
        for base in classes.mro(function.owner):
            if name in base.methods:
                owners.update(classes.subclasses(base))
        for heir in tuple(owners):
            # A class that inherits an implementation from one base for the sake of another.
            owners.update(base for base in classes.mro(heir) if name in base.methods)
        return {function} | {o.methods[name] for o in owners if name in o.methods}

    def structural(self, function: Function) -> set[Function]:
        """The methods of its name in the classes that fit its own by their shape."""
        owner, name = function.owner, function.name
        others = self._structural_kin(owner, name) if owner is not None else ()
        methods = (self.calls.classes.method(other, name) for other in others)
        return {method for method in methods if method is not None}

    def kin(self, cls: Class) -> set[Class]:
        """The classes whose instances may stand where one of `cls` is declared, as far as known."""
        structural = self.calls.structural
        found = set(self.calls.classes.subclasses(cls)) - {cls}
        return found | structural.kin(cls) if structural is not None else found

    def _structural_kin(self, cls: Class, method: str) -> set[Class]:
        """The classes that have such a method and fit a class, one above or one below it by their shape."""
        structural, classes = self.calls.structural, self.calls.classes
        if structural is None:
            return set()
        relatives = (*classes.mro(cls), *classes.subclasses(cls))
        return {kin for one in relatives for kin in structural.kin(one, method)}


def _needed(function: Function) -> int:
    """How many parameters a function must be given."""
    return sum(one.default is None and "*" not in one.kind for one in function.params)
