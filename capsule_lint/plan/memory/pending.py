"""Loops over the keys of collections that no repository keeps, whose bodies need a scope that the keys do not say:
`for (tenant_id, post_id), likes in self._pending.items()`. The keys get it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.plan.entities.rows import Home
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.program.model import Binding


@dataclass(eq=False, slots=True)
class Pending:
    """Judges the keys of such collections."""

    planner: Planner
    _seen: set[int] = field(default_factory=set)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        found = False
        for want in self.planner.unserved:
            if id(want) in self._seen:
                continue
            self._seen.add(id(want))
            home = self._home(want)
            if home is not None and self.planner.values.value(want) is None:
                scopes = {scope.name for scope in self.planner.program.policy.scopes}
                self.planner.fed.feed(home, scopes, [want.knot])
                found = True
        return found

    def _home(self, want: Want) -> Home | None:
        """The collection that the loop around a want goes through, whose keys it unpacks."""
        loop, local = self.planner.origins.loop(want), self.planner.local
        if loop is None or loop.value is None or not _unpacks(loop):
            return None
        for node in within(loop.value):
            home = local.collections.any(node) if isinstance(node, tree.Attr | tree.Name) else None
            if home is not None and home not in local.rekeyed and home not in local.needs.fed:
                return home
        return None


def _unpacks(loop: Binding) -> bool:
    """Whether a name gets a part of each key, and not a key or a value as it is."""
    value = loop.value
    of_items = isinstance(value, tree.Call) and last_name(value.func) == "items"
    return len(loop.path) > of_items and (not of_items or loop.path[0] == 0)
