"""Collections of keys that are filled in one place and gone through in another one: `for (tenant_id, post_id), n in
self._pending.items(): self.posts.add(tenant_id, post_id, n)`. What the loop needs beside a part, the keys must say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.shared_keys import looked_into
from capsule_lint.plan.room import Room
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.program.model import Binding


@dataclass(eq=False, slots=True)
class Drained(Room):
    """Demands the scopes in their keys that loops over them lack."""

    planner: Planner
    unserved: Iterable[Want]
    """The wants that nothing satisfies; there may come more."""
    _seen: set[Home] = field(default_factory=set)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        before = len(self._seen)
        for want in list(self.unserved):
            loop = self.planner.origins.loop(want)
            home = self._home(loop) if loop is not None else None
            if loop is not None and home is not None and home not in self._seen:
                for one in (home, *self._beside(loop)):
                    self._feed(one, want)
        return len(self._seen) > before

    def _feed(self, home: Home, want: Want) -> None:
        self._seen.add(home)
        if home not in self.planner.local.rekeyed:
            scopes = {scope.name for scope in self.program.policy.scopes}
            self.planner.fed.feed(home, scopes, [want.knot])

    def _beside(self, loop: Binding) -> Iterator[Home]:
        """The other collections in which a loop looks up what stands under the parts of its keys:
        `self._amounts[tenant_id, post_id]`."""
        names, collections = self.program.names, self.planner.local.collections
        for node in loop.module.each(tree.Name):
            if node.id == loop.name and names.bindings_of(node) == [loop]:
                display = names.parent(node)
                if isinstance(display, tree.Sequence) and display.kind == "tuple":
                    base = looked_into(names.parent(display), display)
                    home = collections.any(base) if base is not None else None
                    if home is not None:
                        yield home

    def _home(self, loop: Binding) -> Home | None:
        """The collection that a loop goes through which takes its keys of several parts apart."""
        if loop.value is None:
            return None
        nodes = list(within(loop.value))
        pairs = any(isinstance(n, tree.Attr) and n.name == "items" for n in nodes)
        if len(loop.path) != 1 + pairs or (pairs and loop.path[0] != 0):
            return None
        found = (
            self.planner.local.collections.any(node)
            for node in nodes
            if isinstance(node, tree.Attr | tree.Name)
        )
        return next((home for home in found if home is not None), None)
