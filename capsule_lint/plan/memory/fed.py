"""Collections that anybody fills with what calls return that are told a scope: their keys must say it too."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.memory.answered import Answered
from capsule_lint.plan.memory.asked import is_asked
from capsule_lint.plan.memory.foreign_caches import is_cache
from capsule_lint.plan.memory.kept_beside import KeptBeside
from capsule_lint.plan.memory.key_hosts import ask_around, is_identifier
from capsule_lint.plan.memory.keyed_puts import KeyedPuts, inward, taken_from
from capsule_lint.plan.memory.local_notes import left_out_of_key
from capsule_lint.plan.memory.looking_up import looks_up
from capsule_lint.plan.memory.looped_results import LoopedResults
from capsule_lint.plan.memory.object_scopes import ObjectScopes
from capsule_lint.plan.memory.put_values import PutValues
from capsule_lint.plan.memory.told_apart import ToldApart
from capsule_lint.plan.memory.told_beside import ToldBeside
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import assigned
from capsule_lint.program.model import Class, Function, last_name, owner_of
from capsule_lint.program.texts.pieces import hole_name, names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.puts import Put
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope


class _Keyed(Struct, frozen=True):
    """What is put under keys by some scope, and the names of those that they say."""

    put: Put
    keys: tuple[tree.Node, ...]
    said: set[str]
    passing: bool
    """Whether the collection is gone when its function ends."""


@dataclass(eq=False, slots=True)
class Fed(Room):
    """Judges the keys of caches that are no repository's: `self._first[tenant_id] = self.repo.get(…)`."""

    planner: Planner
    values: PutValues = field(init=False)
    _keyed: KeyedPuts = field(init=False)
    _told_apart: ToldApart = field(init=False)
    _puts: list[_Keyed] | None = None
    _refused: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.values = PutValues(self.planner)
        self._keyed = KeyedPuts(self.planner.local)
        self._told_apart = ToldApart(self.planner)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        if self._puts is None:
            self._puts = list(self._scoped())
        homes: dict[Home, tuple[set[str], list[Knot | None]]] = {}
        widened = False
        for one in self._puts:
            lacking = self._lacking(one)
            widened = self._told_apart.extend(one.put, lacking) or widened
            home = self._home(one.put) if lacking else None
            if home is not None and home not in self.planner.local.needs.fed:
                known = homes.setdefault(home, (set(), []))
                known[0].update(one.said, lacking)
                known[1].extend(knot for told in lacking.values() for knot in told)
                if not one.said:
                    self.planner.local.needs.memos.add(home)
        for home, (scopes, knots) in homes.items():
            self.feed(home, scopes, knots)
        return bool(homes) or widened

    def _lacking(self, one: _Keyed) -> dict[str, list[Knot | None]]:
        """The scopes that the keys of what is put somewhere lack, and what must land with a change."""
        others = self._others(one.said)
        with self.program.names.aside(when=not one.said):  # what is kept by an id is common
            return {s.name: told for s in others if (told := self._told(one, s))}

    def _others(self, said: set[str]) -> list[Scope]:
        return [s for s in self.program.policy.scopes if s.name not in said]

    def check(self) -> None:
        """Keys that are not understood, and go on lacking scopes; and what is given to a cache of the program's
        that is told a scope, and is not going to be told the others: whatever it makes its keys of, they
        lack these."""
        for one in self._puts or ():
            lacking = self._lacking(one)
            if lacking and (
                self._home(one.put)
                or isinstance(one.put.into, tree.Comprehension)
                or self._is_shared(self._keyed.way(one.put.into)[0], one.put)
            ):
                self._refuse(one.put, lacking)
            call = self.program.names.parent(one.put.key)
            if not isinstance(call, tree.Call) or not self._is_own(call, one):
                continue
            if self._is_shared(self._keyed.way(one.put.into)[0], one.put):
                others = [s for s in self._others(one.said) if not self.values.knows(call, s)]
                lacking = {
                    s.name: told for s in others if (told := self.values.told(one.put.value, s))
                }
                self._refuse(one.put, lacking)

    def _is_own(self, call: tree.Call, one: _Keyed) -> bool:
        """Whether what is put somewhere is given to a function of the program's that is told a scope."""
        scopes = self.program.policy.scopes
        return any(self.values.is_told(call, s) for s in scopes if s.name in one.said)

    def _refuse(self, put: Put, lacking: dict[str, list[Knot | None]]) -> None:
        """Note that the scopes are no part of a key."""
        local = self.planner.local
        if not lacking or id(put.key) in self._refused:
            return
        self._refused.add(id(put.key))
        ask_around(self.program, put.key)
        for scope in self.program.policy.scopes:
            reason = left_out_of_key(scope)
            for knot in lacking.get(scope.name, ()):
                if knot is not None:
                    local.notes.obstacle(knot, put.key, reason)

    def _home(self, put: Put) -> Home | None:
        """The collection that something is put into."""
        return self.planner.local.collections.any(self._keyed.way(put.into)[0])

    def _is_shared(self, node: tree.Node, put: Put) -> bool:
        """Whether something that is no collection of a known kind is one all the same, and outlives its
        function: a cache by its name; or an attribute, or what a module has, that is subscripted."""
        names = self.program.names
        if is_cache(last_name(node)):
            return True
        if not isinstance(names.parent(put.key), tree.Subscript):
            return False
        match node:
            case tree.Attr(base=tree.Name(id="self" | "cls")):
                return True
            case tree.Name():
                bindings = names.bindings_of(node)
                return bool(bindings) and all(b.is_global for b in bindings)
            case _:
                return False

    def feed(self, home: Home, scopes: set[str], told: list[Knot | None]) -> None:
        """Demand scopes in the keys of a collection."""
        local = self.planner.local
        before, known = len(local.notes.wants), len(local.notes.defects)
        local.feed(home, tuple(s for s in self._others(set()) if s.name in scopes))
        for want in local.notes.wants[before:]:
            for knot in told:
                if knot is not None:
                    self.state.groups.join(want.knot, knot)
            self.planner.want(want)
        self.planner.gains.keys()
        local.shared.spread(
            local.notes.defects[known:],
            lambda other, by: self.feed(other, scopes, [*told, by.knot]),
        )

    def _scoped(self) -> Iterator[_Keyed]:
        local = self.planner.local
        for module in self.program.names.production():
            for put in self._keyed.of(module):
                if self._is_elsewhere(put):
                    continue
                keys = (put.key, *self._keyed.way(put.into)[1])
                with self.program.names.aside():  # who gives a scope names it
                    said = {
                        name
                        for key in keys
                        for _, found in local.hosts.scopes_in(key)
                        for name in found
                    }
                home = local.collections.any(self._keyed.way(put.into)[0]) if said else None
                if said:
                    passing = isinstance(put.into, tree.Comprehension) or (
                        home is not None
                        and isinstance(home[0], Function)
                        and not local.collections.items.is_of_one(home[0], home[1])
                    )
                    yield _Keyed(put, keys, said, passing)
                elif cut := {old.name for old, _, _ in self._cut(keys)}:
                    yield _Keyed(put, keys, cut, passing=False)
                elif self._is_memo(put):
                    yield _Keyed(put, keys, said, passing=False)

    def _is_elsewhere(self, put: Put) -> bool:
        """Whether a class keeps something in memory whose models are kept elsewhere, whoever else is told a scope."""
        function = self.program.names.function_of(put.key)
        return owner_of(function) in self.program.domain.apart

    def _is_memo(self, put: Put) -> bool:
        """Whether something outlives its function that is kept by an identifier alone, and is what a call
        returns that is told that identifier: `self._kept[note_id] = self.repo.get(tenant_id, note_id)`."""
        needs, home = self.planner.local.needs, self._home(put)
        if home is None or isinstance(home[0], Function) or not isinstance(put.key, tree.Name):
            return False
        if not is_identifier(put.key.id) and not needs.tells([put.key]):
            return False
        told = any(
            isinstance(part, tree.Name) and part.id == put.key.id
            for value in (put.value, *self._assigned(put.value))
            for call in within(value.body if isinstance(value, tree.Lambda) else value)
            if isinstance(call, tree.Call)
            for a in call.args
            for part in within(a.value)
        )
        return told and not needs.is_scoped(home[0])

    def _assigned(self, value: tree.Node) -> Iterator[tree.Node]:
        if isinstance(value, tree.Name):
            yield from assigned(self.program.names, value)

    def _told(self, one: _Keyed, scope: Scope) -> list[Knot | None]:
        """What must land with a change because of what is put; nothing where its key is settled."""
        call = self.program.names.parent(one.put.key)
        if any(map(self.planner.local.changes, one.keys)):
            return []
        if isinstance(call, tree.Call) and (
            self.values.knows(call, scope) or self._is_own(call, one)
        ):
            return []  # it makes its own key
        if not one.said and self._home(one.put) in self.planner.local.rekeyed:
            return []
        if one.passing:
            apart = self._tells_apart(one) or is_asked(self.program, one.put.into)
            own = list(self._objects(one, scope)) if apart else []
            looped = not own and LoopedResults(self.planner.local).replace(
                one.put, one.keys, scope
            )
            return self.values.told(one.put.value, scope) if looped else own
        cut = [knot for _, new, knot in self._cut(one.keys) if new is scope]
        calls = self.values.told(one.put.value, scope) or list(
            KeptBeside(self.planner).of(one.put.value, scope)
        )
        told = ToldBeside(self.planner).told(self._home(one.put), one.put, one.keys, scope)
        parts = [*self._parts(one), *self._given(one)]
        answer = Answered(self.program, self.values).of(one.put.value, parts, scope)
        return [*cut, *calls, *self._objects(one, scope), *told, *answer]

    def _parts(self, one: _Keyed) -> list[tree.Node]:
        """What the keys are made of, wherever they are written."""
        hosts = self.planner.local.hosts
        with self.program.names.aside():
            parts = [hosts.parts(h) for key in one.keys for h, _ in hosts.scopes_in(key)]
        return [element for part in parts if part is not None for element in part[1]]

    def _given(self, one: _Keyed) -> Iterator[tree.Node]:
        """What the functions are given that make the keys: `ctx.tenant_id` of `self._key(ctx.tenant_id, name)`."""
        for key in one.keys:
            for made in (key, *self._assigned(key)):
                yield from (a.value for a in made.args) if isinstance(made, tree.Call) else ()

    def _cut(self, keys: Iterable[tree.Node]) -> Iterator[tuple[Scope, Scope, Knot]]:
        """The parts of changing keys that keys of a collection are made of, `seen[parts[1], parts[3]]`: which
        scope each is of, which one comes beside it, and with what change."""
        scopes = self.program.policy.scopes
        for key in keys:
            nodes = key.items if isinstance(key, tree.Sequence) else (key,)
            for node in nodes:
                if isinstance(node, tree.Subscript) and tree.integer(node.index) is not None:
                    for old, new in permutations(scopes, 2):
                        part = self.planner.scope_parts.beside(node, old, new)
                        if part is not None and part.knot is not None:
                            yield old, new, part.knot

    def _tells_apart(self, one: _Keyed) -> bool:
        """Whether objects are told apart by a key, or kept under it, and not only counted."""
        program = self.program
        names = [hole_name(element) for element in self._parts(one)]
        scopes = program.policy.scopes
        own = [name for name in names if not names_any_of(name, scopes)]
        if any(map(is_identifier, own)):
            return True
        return any(
            isinstance(each, Instance)
            and (each.cls in program.domain.entities or each.cls in self.state.fields)
            for each in program.inference.of(one.put.value)
        )

    def _objects(self, one: _Keyed, scope: Scope) -> Iterator[Knot | None]:
        """What must land with a change because a key is made of an object that has the scope: one of several parts,
        `self.state[event.tenant_id, event.stream] = event.kind` or `self.rows[row.tenant_id][row.sku] = row`, or one
        under which something of the object is kept that is given back, `self.total[order.tenant_id] += order.amount`."""
        local, program = self.planner.local, self.program
        objects = ObjectScopes(self.planner)
        with program.names.aside():
            hosts = [host for key in one.keys for host, _ in local.hosts.scopes_in(key)]
        nested = sum(not isinstance(key, tree.Const) for key in one.keys)
        for host in hosts:
            parts = local.hosts.parts(host)
            elements = parts[1] if parts is not None else []
            many = max(len(elements), nested) > 1
            many = many or (bool(elements) and self._is_summed(one, elements[0]))
            many = many or is_asked(program, one.put.into)
            for element in elements if many else ():
                others = program.policy.others(scope)
                if isinstance(element, tree.Attr) and any(
                    program.domain.held.is_value(element, other) for other in others
                ):
                    yield from objects.of(element.base, scope, elements)

    def _is_summed(self, one: _Keyed, key: tree.Node) -> bool:
        """Whether what an object keeps under a key is another one that holds it, or made of what that holds beside the
        key, and is given back to whoever names it."""
        collections = self.planner.local.collections
        home = collections.any(one.put.into) if isinstance(key, tree.Attr) else None
        if home is None or not isinstance(home[0], Class) or not isinstance(key, tree.Attr):
            return False
        base, kept = text_of(key.base), (one.put.value, *tree.items(one.put.value))
        if base is None or not (
            any(text_of(part) == base for part in kept)
            or any(
                isinstance(part, tree.Attr)
                and text_of(part.base) == base
                and part.name != key.name
                for part in within(one.put.value)
            )
        ):
            return False
        classes = self.program.classes
        return any(
            looks_up(node, {home[1]}) and collections.any(inward(taken_from(node))[0]) == home
            for cls in (*classes.mro(home[0]), *classes.subclasses(home[0]))
            for method in cls.methods.values()
            for value in method.returns
            for node in _through(value)
        )


def _through(value: tree.Node) -> Iterator[tree.Node]:
    """All expressions below one, and below what comprehensions in it go through."""
    for node in within(value):
        yield node
        for part in node.generators if isinstance(node, tree.Comprehension) else ():
            yield from _through(part.iter)
