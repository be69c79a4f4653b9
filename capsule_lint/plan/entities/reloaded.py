"""Loaders that come to read a scope of an item, where the entity has had the field all along: what writes such items
by hand has to write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import attribute_in
from capsule_lint.plan.entities.displays import entry_of
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import Class

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope


@dataclass(eq=False, slots=True)
class Reloaded(Room):
    """Demands the entries that such items lack."""

    planner: Planner
    _judged: int = 0
    """How many wants have been looked at."""
    _first: dict[tuple[Class, str], Want] = field(default_factory=dict)
    """The first call that reads a scope of the items of an entity: all that do change together."""

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        new, self._judged = self.state.wants[self._judged :], len(self.state.wants)
        items, read = self.planner.items, self._read(new)
        for display in items.displays(tests=False) if read else ():
            for (cls, _), want in read.items():
                if self._is_made_of(display, cls, want.scope) and items.is_written(display):
                    entry = items.add(display, want.scope, want.knot)
                    if entry is not None:
                        self.planner.want(entry)
        for (cls, _), want in read.items():
            self._check_generated(cls, want)
        return len(self.state.wants) > self._judged

    def _read(self, new: Iterable[Want]) -> dict[tuple[Class, str], Want]:
        """The calls that make an object of an entity of what they are going to read of an item."""
        read: dict[tuple[Class, str], Want] = {}
        for want in new:
            cls = want.callee if isinstance(want.callee, Class) else None
            if want.purpose != "argument" or cls not in self.program.domain.entities:
                continue
            value = None if self._gains(cls, want.scope) else self.planner.values.value(want)
            if value is not None and value.kind == "loaded":
                key = cls, want.scope.name
                first = self._first.setdefault(key, want)
                self.state.groups.join(first.knot, want.knot)
                if first is want:
                    read[key] = want
        return read

    def _gains(self, cls: Class, scope: Scope) -> bool:
        return any(self.state.gains(home, scope) for home in self.program.classes.mro(cls))

    def _check_generated(self, cls: Class, want: Want) -> None:
        """Where a generated file writes such an item without the entry, it stays so: a person must look."""
        says, scope = self.planner.items.says, want.scope
        for module in self.program.names.judged():
            for display in module.each(tree.DictDisplay) if module.generated else ():
                if self._is_made_of(display, cls, scope) and not says(display, scope):
                    reason = "reads what a generated file writes without it"
                    self.planner.local.notes.obstacle(want.knot, want.node, reason)
                    return

    def _is_made_of(self, display: Display, cls: Class, scope: Scope) -> bool:
        """Whether a dict has another scope of an object of a class: `"tenant_id": self.tenant_id`."""
        old = self.planner.loads.present(display, scope)
        entry = entry_of(display, old) if old is not None else None
        path = attribute_in(entry[1]) if entry is not None else None
        types = self.program.inference.of(path.base) if path is not None else ()
        return any(isinstance(one, Instance) and one.cls is cls for one in types)
