"""Loops over keys that have all scopes already and are compared by one of them: `k[0] == tenant_id` gets `k[1] ==
capsule_id` beside it, where every key of the collection is written with that scope in that place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.looking_up import LOOKING_UP
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


@dataclass(eq=False, slots=True)
class KeyPositions(Room):
    """Demands such conditions in methods that are going to be given the scope."""

    planner: Planner
    _keys: defaultdict[Home, list[tree.Node]] | None = None
    _seen: set[tuple[int, str]] = field(default_factory=set)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        before, domain = len(self._seen), self.program.domain
        for function, gained in list(self.state.params.items()):
            if function.owner in domain.repositories and not function.module.is_test:
                for part in self._parts(function):
                    for scope in list(gained.values()):
                        self._judge(part, scope, function)
        return len(self._seen) > before

    def _parts(self, function: Function) -> Iterator[tree.Subscript]:
        """The parts of keys that a method compares: `k[0]`."""
        parent = self.program.names.parent
        for node in self.program.names.inside(function):
            if isinstance(node, tree.Subscript) and isinstance(node.base, tree.Name):
                compare = parent(node)
                if isinstance(compare, tree.Compare) and compare.ops in (("==",), ("!=",)):
                    yield node

    def _judge(self, part: tree.Subscript, scope: Scope, function: Function) -> None:
        compare = self.program.names.parent(part)
        home = self._home(part.base)
        if home is None or home in self.planner.local.rekeyed:
            return
        assert isinstance(compare, tree.Compare)
        assert isinstance(part.base, tree.Name)
        at, said = self._place_of(scope, home), part.index
        others = self.program.policy.others(scope)
        known = [s for s in others if isinstance(said, tree.Const) and self._is_at(said, s, home)]
        asked = compare.other(part)
        key = (id(compare), scope.name)
        if at is None or key in self._seen or not known or not self._is_value(asked, known[0]):
            return
        self._seen.add(key)
        knot, notes = ("function", function), self.planner.local.notes
        defect = notes.defect(compare, "filter", [scope], knot)
        notes.settle(compare)
        defect.anchors[scope.name] = compare
        defect.detail[scope.name] = f"{part.base.id}[{at}]"
        want = Want(scope, compare, knot, "filter")
        notes.ask(defect, want)
        self.planner.want(want)

    def _is_value(self, node: tree.Node, scope: Scope) -> bool:
        return self.program.domain.held.is_value(node, scope)

    def _home(self, node: tree.Node) -> Home | None:
        """The collection whose keys a name goes through."""
        names = self.program.names
        if not isinstance(node, tree.Name):
            return None
        found = names.bindings_of(node)
        if len(found) != 1 or found[0].kind != "for" or found[0].path or found[0].value is None:
            return None
        return self.planner.local.collections.of(found[0].value)

    def _is_at(self, index: tree.Const, scope: Scope, home: Home) -> bool:
        at = self._place_of(scope, home)
        return at is not None and index.value == at

    def _place_of(self, scope: Scope, home: Home) -> int | None:
        """Where in all keys of a collection a scope's value stands."""
        found: set[int] = set()
        keys = self._written()[home]
        for key in keys:
            items = key.items if isinstance(key, tree.Sequence) else ()
            places = [n for n, item in enumerate(items) if self._is_value(item, scope)]
            if len(places) != 1:
                return None
            found.update(places)
        widths = {len(key.items) for key in keys if isinstance(key, tree.Sequence)}
        return found.pop() if len(found) == len(widths) == 1 else None

    def _written(self) -> defaultdict[Home, list[tree.Node]]:
        """The keys that are written out, by the collections that they are looked up in."""
        if self._keys is None:
            self._keys = defaultdict(list)
            for module in self.program.names.judged():
                for node in () if module.is_test else module.every(*LOOKING_UP):
                    for owner, name, key in self.planner.local.collections.sinks(node):
                        self._keys[owner, name].append(key)
        return self._keys
