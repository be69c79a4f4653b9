"""Items that are written out by hand, and whose keys are made by calls that are only going to be given a scope:
`{"PK": order_pk(tenant_id, order), "tenant_id": tenant_id}`. With the argument comes the entry of its scope."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.room import Room
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Function
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.planner import Planner


@dataclass(eq=False)
class CalledKeys(Room):
    """Demands entries of such items."""

    planner: Planner

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        items, found = self.planner.items, False
        for want in tuple(self.state.wants):
            if want.call is None or not isinstance(want.callee, Function):
                continue
            for node in self._keyed.get(id(want.call), ()):
                if not any(names_scope(name, want.scope) for name in self._known):
                    continue  # nothing else says the scope in an item, nor reads it of one
                if isinstance(node, tree.Subscript):
                    added = items.step(node, want.scope, want.knot)
                    entry = added[1] if added is not None else None
                else:
                    entry = items.add(node, want.scope, want.knot)
                if entry is not None:
                    self.planner.want(entry)
                    found = True
        return found

    @cached_property
    def _keyed(self) -> dict[int, list[Display | tree.Subscript]]:
        """The items whose keys are what calls give, by these calls."""
        names, items = self.program.names, self.planner.items
        found: dict[int, list[Display | tree.Subscript]] = defaultdict(list)
        for node in items.written_out():
            made = [behind(names, key) for key in items.keys_of(node)]
            calls = [key for key in made if isinstance(key, tree.Call)]
            if calls and items.is_written(node) and not items.is_loaded_whole(node):
                for call in calls:
                    found[id(call)].append(node)
        return found

    @cached_property
    def _known(self) -> frozenset[str]:
        """The names of scopes under which the program has something in dicts."""
        names, scopes = self.program.names, self.program.policy.scopes
        said = {tree.text(c) or "" for m in names.production() for c in m.each(tree.Const)}
        written = self.planner.items.displays(tests=False)
        said.update(name for display in written for name, _ in entries_of(display))
        return frozenset(name for name in said if names_any_of(name, scopes))
