"""What a method keeps by one scope of what a class keeps more of by both: that is told it of objects which have the
other one, `self.visits[tenant_id] += 1` beside `self.last[visit.tenant_id, visit.member] = at`, or keeps what the others
are kept by as well, `self.of_tenant[tenant_id].append(member)` beside `self.last[tenant_id, member] = at`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.looking_up import looks_up
from capsule_lint.plan.memory.object_scopes import ObjectScopes
from capsule_lint.plan.room import Room
from capsule_lint.program.model import Class
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.puts import Put
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope


class ToldBeside(Room, Struct, frozen=True):
    """Tells why the keys must say the other scope."""

    planner: Planner

    def told(
        self, home: Home | None, put: Put, keys: Sequence[tree.Node], scope: Scope
    ) -> Iterator[Knot | None]:
        """What must land with a change because of what the callers give for the key of a collection, or because of
        what is put under it: nothing where that is kept to stay below a limit, which may be meant for all of a tenant."""
        key = keys[0] if len(keys) == 1 else None
        if home is None or not isinstance(home[0], Class) or not isinstance(key, tree.Name):
            return
        changed = self.planner.local.rekeyed
        beside = {one for one in changed if one[0] is home[0] and one != home}
        if not beside or self._is_limited(home[0], home[1]):
            return
        yield from self._indexed(put.value, key, beside)
        objects = ObjectScopes(self.planner)
        for binding in self.program.names.bindings_of(key):
            for value in self.program.calls.passed_to(binding) if binding.kind == "param" else ():
                if isinstance(value, tree.Attr):
                    yield from objects.of(value.base, scope, [value])

    def _indexed(
        self, value: tree.Node, key: tree.Name, homes: AbstractSet[Home]
    ) -> Iterator[Knot]:
        """The changes of other collections in which the same method keeps something by a value together with a key."""
        local, names = self.planner.local, self.program.names
        function = names.function_of(key)
        if function is None or not isinstance(value, tree.Name):
            return
        for node in names.inside(function):
            index = node.index if isinstance(node, tree.Subscript) else None
            if isinstance(node, tree.Subscript) and isinstance(index, tree.Sequence):
                by = {part.id for part in index.items if isinstance(part, tree.Name)}
                home = local.collections.any(node.base) if {key.id, value.id} <= by else None
                if home in homes and home is not None:
                    yield local.notes.knot_of(home, node)

    def _is_limited(self, cls: Class, name: str) -> bool:
        """Whether a number of a collection is compared with what it may be."""
        return any(
            isinstance(node, tree.Compare)
            and not {"<", "<=", ">", ">="}.isdisjoint(node.ops)
            and any(looks_up(one, {name}) for one in within(node))
            for method in cls.methods.values()
            for node in self.program.names.inside(method)
        )
