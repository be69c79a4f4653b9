"""Dicts, and pairs for dicts, that are given to the constructor which keeps them: `MemoryStore({"t": {…}})`; and those
that tests put in the place of a collection. Their keys change as those of the collection do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.keyed_methods import key_beside
from capsule_lint.plan.memory.made_of import MadeOf
from capsule_lint.plan.memory.rekeyed import keys_listed, keys_of, keys_of_pairs, keys_said
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.known_as import KnownAs
from capsule_lint.plan.testing.put_in_place import PUTTING
from capsule_lint.plan.uses.choices import TRUTHS
from capsule_lint.program.containers import COPIED
from capsule_lint.program.inference.mocks import replacement
from capsule_lint.program.local_names import behind, reads_of
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.testing.lookins import LookIns

_OTHERS: Final = "has keys that change, and is given to something else whose keys do not"
_UNSEEN: Final = "has keys that change, and they are not written where it is made"
_FILLED: Final = "goes into something whose keys change, and does not change itself"


class Planted(MendRoom, Struct, frozen=True):
    """Mends them, and what tests look up in the same dicts."""

    mends: Mends
    look_ins: LookIns

    def build(self) -> None:
        """Mend the keys of what the collections whose keys change are made of."""
        made_of = MadeOf(self.planner)
        same = KnownAs(self.program, self.planner.sources.shared)
        made = {home: made_of.all(home) for home in self.planner.local.rekeyed}
        changing = {id(one) for every in made.values() for one in every}
        for home, every in made.items():
            written = keys_listed if made_of.holds_keys(home) else keys_said
            for one in every:
                if not isinstance(one, tree.Name | tree.Attr):
                    self.look_ins.given(written(one), home)
            tested = [one for one in every if self.program.names.module_of(one).is_test]
            for one in tested:
                if made_of.holds_keys(home) and self._is_unseen(one, home):
                    self.mends.obstacle(self.planner.local.notes.knot_of(home, one), one, _UNSEEN)
                else:
                    self._unwritten(one, home)
            for one in every:
                if isinstance(one, tree.Name) and not self.program.names.module_of(one).is_test:
                    self._filled(one, home)
            for use in same.uses(tested):
                if id(use) not in changing and self._is_kept(use):
                    knot = self.planner.local.notes.knot_of(home, use)
                    self.mends.obstacle(knot, use, _OTHERS)
                keys = (
                    self.look_ins.of_pairs(use)
                    if self._has_pairs(use)
                    else self.look_ins.keys(use)
                )
                self.look_ins.given(tuple(keys), home)

    def _filled(self, name: tree.Name, home: Home) -> None:
        """A person must look at what the program puts under keys that stay into a dict which a collection is made of:
        `seed[tenant_id, "1"] = note`."""
        names, local = self.program.names, self.planner.local
        bound = [one for one in names.bindings_of(name) if one.kind == "assign"]
        inside = bool(bound) and all(one.place.scope.kind == "function" for one in bound)
        for read in reads_of(names, name, {one.at for one in bound}) if inside else ():
            key = key_beside(names, read)
            written = isinstance(key, tree.Sequence) or tree.makes_text(key)
            if key is not None and written and not local.notes.is_settled(key):
                self.mends.obstacle(local.notes.knot_of(home, key), key, _FILLED)

    def _has_pairs(self, use: tree.Node) -> bool:
        """Whether a list of pairs for a dict is used, and no dict: `PAIRS = [(("t", "v"), 8)]`."""
        parent = self.program.names.parent(use)
        if isinstance(parent, tree.Assign) and parent.value is not use:
            return parent.value is not None and bool(keys_of_pairs(parent.value))
        return any(map(keys_of_pairs, self.planner.sources.shared.spelled(use)))

    def _unwritten(self, node: tree.Node, home: Home) -> None:
        """Mend the keys that a dict takes out of a list which nothing else reads; a person must look at those that
        come from anywhere else, or are made by a dict of the tests' own."""
        names, listed = self.program.names, _listed(node)
        whole = listed.whole if listed is not None else None
        display = behind(names, whole) if whole is not None else None
        alone = display is whole
        if isinstance(whole, tree.Name) and display is not None:
            reads = reads_of(names, whole, {b.at for b in names.bindings_of(whole)})
            alone = all(one is whole or self._is_counted(one) for one in reads)
        keys = listed.keys(display) if listed is not None and display is not None else ()
        if keys and alone:
            self.look_ins.given(keys, home)
        elif self._makes_its_own(node) or (whole is not None and not self._changes(whole)):
            self.mends.obstacle(self.planner.local.notes.knot_of(home, node), node, _UNSEEN)

    def _is_unseen(self, node: tree.Node, home: Home) -> bool:
        """Whether a set or a list gets keys of several parts from what nobody sees: `zip(tenants, ids)`,
        `[tuple(line) for line in lines]`."""
        callees = self.program.calls.callees
        if self.planner.local.rekeyed[home].width < 2:
            return False
        if isinstance(node, tree.Call):
            return bool(node.args) and not callees(node)
        return any(
            isinstance(one, tree.Wrapped) or (isinstance(one, tree.Call) and not callees(one))
            for one in keys_listed(node)
        )

    def _changes(self, listed: tree.Node) -> bool:
        """Whether keys are taken out of a collection whose keys change."""
        local = self.planner.local
        return any(local.collections.of(one) in local.rekeyed for one in within(listed))

    def _makes_its_own(self, node: tree.Node) -> bool:
        """Whether a dict of the tests' own is made of something else than its rows."""
        callees = self.program.calls.callees(node) if isinstance(node, tree.Call) else ()
        return any(
            one.cls is not None
            and one.cls.module.is_test
            and "__init__" in one.cls.methods
            and not self.program.classes.base_names(one.cls).isdisjoint(COPIED)
            for one in callees
        )

    def _is_kept(self, use: tree.Node) -> bool:
        """Whether a use puts a dict in the place of another one, or gives it to the program."""
        match self.program.names.parent(use):
            case tree.Call() as call if call.func is not use:
                is_put = last_name(call.func) in PUTTING and replacement(call) is use
                return is_put or self._is_given(call, use)
            case tree.Assign(targets=targets, value=value):
                kept = (last_name(one.base) for one in targets if isinstance(one, tree.Attr))
                return value is use and any(base not in ("self", "cls") for base in kept)
            case _:
                return False

    def _is_given(self, call: tree.Call, use: tree.Node) -> bool:
        """Whether a call gives a dict to the program, which does more with it than count what it has."""
        calls, names = self.program.calls, self.program.names
        given = next((argument for argument in call.args if argument.value is use), None)
        name = calls.parameter_of(call, given) if given is not None else None
        for callee in calls.callees(call):
            taking = callee.function or callee.cls
            if taking is None or taking.module.is_test:
                continue
            if callee.function is None or name is None:
                return True
            reads = names.called(callee.function, name)
            if not reads or not all(map(self._is_counted, reads)):
                return True
        return False

    def _is_counted(self, use: tree.Node) -> bool:
        """Whether a use of a collection asks for nothing but how many elements it has."""
        call = self.program.names.parent(use)
        return (
            isinstance(call, tree.Call) and call.func is not use and last_name(call.func) in TRUTHS
        )


class _Listed(Struct, frozen=True):
    """What keys are taken out of one by one, and at which place of each element they stand, if these are tuples."""

    whole: tree.Node
    place: int | None = None

    def keys(self, display: tree.Node) -> tuple[tree.Node, ...]:
        """The keys in what is written out; none where one of them is not seen."""
        items = keys_of(display) if isinstance(display, tree.DictDisplay | tree.Sequence) else ()
        if self.place is None:
            return items
        each = [one.items for one in items if isinstance(one, tree.Sequence)]
        keys = [one[self.place] for one in each if len(one) > self.place >= 0]
        return tuple(keys) if len(keys) == len(items) else ()


def _listed(node: tree.Node) -> _Listed | None:
    """What keys are taken out of: `dict.fromkeys(ids)`, `zip(ids, rows)`, `{one: row for one in ids}`."""
    match node:
        case tree.Call(func=tree.Attr(name="fromkeys") | tree.Name(id="zip")) if node.plain:
            return _Listed(node.plain[0])
        case tree.Comprehension(
            kind="DictComp" | "SetComp", results=(tree.Name(id=name), *_), generators=each
        ):
            return next(filter(None, (_looped(one, name) for one in each)), None)
        case _:
            return None


def _looped(loop: tree.Generator, name: str) -> _Listed | None:
    """What a loop takes a name out of: `for key in keys`, `for key, row in pairs`, `for key, row in rows.items()`."""
    names = [one.id for one in within(loop.target) if isinstance(one, tree.Name)]
    match loop.target, loop.iter:
        case _ if name not in names:
            return None
        case tree.Name(), whole:
            return _Listed(whole)
        case (
            tree.Sequence(items=(tree.Name(id=first), _)),
            tree.Call(func=tree.Attr(name="items", base=whole)),
        ) if first == name:
            return _Listed(whole)
        case tree.Sequence(items=items), whole if len(items) == len(names):
            return _Listed(whole, names.index(name))
        case _, whole:
            return _Listed(whole, -1)
