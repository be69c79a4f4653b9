"""Loops over keys that have all scopes already and are compared by one of them: `k[0] == tenant_id` gets `k[1] ==
capsule_id` beside it, and `t == tenant_id` of `for (t, c, _), row in rows.items()` gets `c == capsule_id`, where every
key of the collection is written with that scope in that place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.keyed_alike import asked
from capsule_lint.plan.memory.local_filters import listed
from capsule_lint.plan.memory.looking_up import looking_up
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want
from capsule_lint.program.local_names import BY_NAME, behind
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


@dataclass(eq=False, slots=True)
class KeyPositions(Room):
    """Demands such conditions in methods that are going to be given the scope, and in functions that have it and do
    nothing with it."""

    planner: Planner
    _keys: dict[Home, list[tree.Node]] = field(default_factory=dict)
    _seen: set[tuple[int, str]] = field(default_factory=set)
    _judged: bool = False
    """Whether the functions that have the scope have been looked at."""

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        before, domain = len(self._seen), self.program.domain
        for function, gained in list(self.state.params.items()):
            if function.owner in domain.repositories and not function.module.is_test:
                for part in self._parts(function):
                    for scope in list(gained.values()):
                        self._judge(part, scope, ("function", function))
        for function, scope in self._idle() if not self._judged else ():
            for part in self._parts(function):
                self._judge(part, scope, None)
            for compare, name in self._names(function):
                self._judge_name(compare, name, scope)
        self._judged = True
        return len(self._seen) > before

    def _idle(self) -> Iterator[tuple[Function, Scope]]:
        """The functions that take a scope, do nothing with it, and do something with another one; nobody says of them
        that this is meant."""
        silent = self.planner.silence.over
        for module in self.program.names.production():
            for function in module.functions:
                told = [
                    (scope, own)
                    for scope in self.program.policy.scopes
                    if (own := self.program.domain.named_parameter(function, scope)) is not None
                ]
                if len(told) > 1:
                    inside = self.program.names.inside(function)
                    read = {node.id for node in inside if isinstance(node, tree.Name)}
                    unread = [
                        scope
                        for scope, own in told
                        if own.name not in read
                        and not own.name.startswith("_")
                        and not read & BY_NAME
                        and not silent(module, own.at, "CAP205")
                    ]
                    yield from ((function, s) for s in unread if len(unread) < len(told))

    def _parts(self, function: Function) -> Iterator[tree.Subscript]:
        """The parts of keys that a method compares: `k[0]`."""
        parent = self.program.names.parent
        for node in self.program.names.inside(function):
            if isinstance(node, tree.Subscript) and isinstance(node.base, tree.Name):
                compare = parent(node)
                if isinstance(compare, tree.Compare) and compare.ops in (("==",), ("!=",)):
                    yield node

    def _names(self, function: Function) -> Iterator[tuple[tree.Compare, tree.Name]]:
        """The names that a function compares."""
        for node in self.program.names.inside(function):
            if isinstance(node, tree.Compare) and node.ops in (("==",), ("!=",)):
                sides = (node.left, *node.rights)
                yield from ((node, side) for side in sides if isinstance(side, tree.Name))

    def _judge_name(self, compare: tree.Compare, name: tree.Name, scope: Scope) -> None:
        """A part of a key that a loop binds is compared, and the part that is the scope's value is never read."""
        found = self.program.names.bindings_of(name)
        if len(found) != 1 or found[0].kind != "for" or found[0].value is None:
            return
        bound, looped = found[0], found[0].value
        pairs = isinstance(looped, tree.Call) and last_name(looped.func) == "items"
        home = self.planner.local.collections.any(listed(looped))
        if home is None or bound.path[:-1] != ((0,) if pairs else ()) or not bound.path:
            return
        at = self._place_of(scope, home)
        said = compare.other(name)
        known = [
            s
            for s in self.program.policy.others(scope)
            if self._place_of(s, home) == bound.path[-1] and self._is_value(said, s)
        ]
        beside = [
            one
            for every in bound.place.scope.bindings.values()
            for one in every
            if one.value is looped and at is not None and one.path == (*bound.path[:-1], at)
        ]
        if len(beside) != 1 or not known or beside[0].name.startswith("_"):
            return
        part = beside[0]
        nodes = self.program.names.module_of(name).named.get(part.name, ())
        if not any(
            part in self.program.names.bindings_of(n) and n.at != part.at
            for n in nodes
            if isinstance(n, tree.Name)
        ):
            self._demand(compare, scope, home, part.name, None)

    def _judge(self, part: tree.Subscript, scope: Scope, knot: Knot | None) -> None:
        compare = self.program.names.parent(part)
        home = self._home(part.base)
        if home is None or home in self.planner.local.rekeyed:
            return
        assert isinstance(compare, tree.Compare)
        assert isinstance(part.base, tree.Name)
        at, said = self._place_of(scope, home), part.index
        others = self.program.policy.others(scope)
        known = [s for s in others if isinstance(said, tree.Const) and self._is_at(said, s, home)]
        wanted = compare.other(part)
        key = (id(compare), scope.name)
        if at is None or key in self._seen or not known or not self._is_value(wanted, known[0]):
            return
        if knot is None and self.planner.local.whole.reads(part, at):
            return  # it does something else with that
        self._demand(compare, scope, home, f"{part.base.id}[{at}]", knot)

    def _demand(
        self, compare: tree.Compare, scope: Scope, home: Home, part: str, knot: Knot | None
    ) -> None:
        """Another condition beside a comparison; it lands with what makes the function take the scope, if anything does."""
        self._seen.add((id(compare), scope.name))
        notes = self.planner.local.notes
        knot = knot or notes.knot_of(home, compare)
        defect = notes.defect(compare, "filter", [scope], knot)
        notes.settle(compare)
        defect.anchors[scope.name] = compare
        defect.detail[scope.name] = part
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
        keys = self._written(home)
        for key in keys:
            items = key.items if isinstance(key, tree.Sequence) else ()
            places = [n for n, item in enumerate(items) if self._is_value(item, scope)]
            if len(places) != 1:
                return None
            found.update(places)
        widths = {len(key.items) for key in keys if isinstance(key, tree.Sequence)}
        return found.pop() if len(found) == len(widths) == 1 else None

    def _written(self, home: Home) -> list[tree.Node]:
        """The keys that are written out by which something is looked up in a collection, whatever it is for."""
        if home not in self._keys:
            self._keys[home] = [
                behind(self.program.names, key) or key
                for module in self.program.names.production()
                for node in looking_up(module, {home[1]})
                for key in self._looked_up(node, home)
            ]
        return self._keys[home]

    def _looked_up(self, node: tree.Node, home: Home) -> Iterator[tree.Node]:
        collections = self.planner.local.collections
        own = [key for owner, name, key in collections.sinks(node) if (owner, name) == home]
        yield from own
        base, key = asked(node)
        if not own and key is not None and base is not None and last_name(base) == home[1]:
            yield from [key] if collections.any(base) == home else ()
