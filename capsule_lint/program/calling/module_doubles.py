"""Classes that tests put in the place of modules: `monkeypatch.setattr(orders, "items", FakeItems)`. Their methods are
called as the functions of those."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.program.inference.types import ClassObject, Instance, ModuleObject, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.model import Class, Function, Module


@dataclass(eq=False)
class ModuleDoubles:
    """Finds them, and which function is the like of which method."""

    calls: Calls

    def like(self, function: Function) -> Iterator[Function]:
        """The methods that come in the place of a function, or the functions in whose place a method comes."""
        owner, name = function.owner, function.name
        for module, classes in self._placed.items():
            if owner is None and function.parent is None and module is function.module:
                methods = (self.calls.classes.method(cls, name) for cls in classes)
                yield from (method for method in methods if method is not None)
            elif owner is not None and owner in classes:
                functions = (one for one in module.functions if one.owner is None)
                yield from (o for o in functions if o.name == name and o.parent is None)

    @cached_property
    def _placed(self) -> dict[Module, list[Class]]:
        inference = self.calls.inference
        found: dict[Module, list[Class]] = defaultdict(list)
        for placed in inference.placements.everywhere():
            made = [
                one.cls
                for one in ordered(inference.of(placed.node))
                if isinstance(one, ClassObject | Instance)
            ]
            for other in ordered(inference.placements.replaced(placed)) if made else ():
                if isinstance(other, ModuleObject):
                    found[other.module] += made
        return found
