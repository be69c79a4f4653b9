"""Comprehensions that keep one object of each key, and of which nothing but these is used:
`{(note.tenant_id, note.id): note for note in notes}.values()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from capsule_lint.plan.memory.puts import Put
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot


class ToldApart(Room, Struct, frozen=True):
    """Demands the scopes that their keys lack: nobody takes those apart."""

    planner: Planner
    _seen: set[int] = field(default_factory=set)

    def extend(self, put: Put, lacking: Mapping[str, Sequence[Knot | None]]) -> bool:
        """Demand what is not demanded yet, with what must land with each; whether there was anything."""
        key, scopes = put.key, self.program.policy.scopes
        if not lacking or id(key) in self._seen or not isinstance(key, tree.Sequence):
            return False
        is_value = self.program.domain.held.is_value
        own = [(n, e) for e in key.items for n, s in enumerate(scopes) if is_value(e, s)]
        if len(own) != 1 or not self._is_for_values(put.into):
            return False
        self._seen.add(id(key))
        ((first, element),) = own
        notes, knot = self.planner.local.notes, ("local", id(key))
        missing = [scope for scope in scopes if scope.name in lacking]
        defect = notes.defect(key, "tuple", missing, knot)
        for number, scope in enumerate(scopes):
            if scope in missing:
                defect.anchors[scope.name] = element if number > first else None
                want = Want(scope, key, knot, "local", mirror=element)
                notes.ask(defect, want)
                self.planner.want(want)
                for told in lacking[scope.name]:
                    if told is not None:
                        self.state.groups.join(knot, told)
        notes.settle(key)
        return True

    def _is_for_values(self, node: tree.Node) -> bool:
        used = self.program.names.parent(node)
        named = isinstance(used, tree.Attr) and used.name == "values"
        return named and isinstance(node, tree.Comprehension)
