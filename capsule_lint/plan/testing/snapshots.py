"""Tests that expect all that an item or an entity has, without saying whose: out of the body of a response, from a
fixture that calls. A dict with exactly its names gets the entry too; for the rest a person must look."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeGuard

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, AddEntry
from capsule_lint.plan.entities.displays import entries_of, names_any
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.comparisons import is_among
from capsule_lint.program.containers import TAKING
from capsule_lint.program.local_names import behind, entries_of_dict
from capsule_lint.program.model import last_name, start_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function

_REASON: Final = (
    "this lists all that an item has which gets `{}`: it may have to list that as well"
)
_PARSING: Final = "loads"
_CARRYING: Final = ("dumps", "call")
_TELLING: Final = 3
"""How many names tell a dict from others."""


class _Whole(Struct, frozen=True):
    """What gets an entry: what it has besides its keys, and where it is made, if a function makes it."""

    names: frozenset[str]
    every: frozenset[str]
    knot: Knot
    scope: Scope
    function: Function | None = None
    is_item: bool = True
    told: bool = True
    """Whether that many names tell it from other dicts: those of a class do, few of them with `type` beside them do not."""


@dataclass(eq=False)
class Snapshots(MendRoom):
    """Mends or notes such places."""

    mends: Mends

    def build(self) -> None:
        """Look at the places that nothing has mended."""
        wholes = [*self._items(), *self._entities(), *self._with_entities()]
        mended = self.mends.mended(AddElements, AddEntry)
        for module in self.program.names.judged() if wholes else ():
            apart = not module.is_test or module.generated
            for node in () if apart else module.either(tree.Sequence, tree.DictDisplay):
                said = _names_in(node)
                found = [one for one in wholes if one.names <= said <= one.every]
                if found and (module.filename, node.span) not in mended:
                    places = self.mends.testing.places.shared.stands(node)
                    if (place := next(filter(self._is_expected, places), None)) is not None:
                        self._judge(node, place, found)

    def _judge(self, node: tree.Node, place: tree.Node, found: list[_Whole]) -> None:
        """Mend or note what is expected at a place, where it stands or where a name for it does."""
        names = found[0].names
        messages = self._messages(place, found)
        told = [one for one in found if one in messages or (one.told and len(names) >= _TELLING)]
        if told and names not in self._unchanged and isinstance(node, tree.DictDisplay):
            for one in told:
                self.mends.expected.extend(
                    self.program.names.module_of(node), node, one.knot, one.scope
                )
            return
        first = next((one for one in found if one.is_item), None)
        if first is not None and self._runs(place, first.function):
            reason = _REASON.format(first.scope.parameter)
            self.mends.obstacle(first.knot, node, reason)

    def _messages(self, place: tree.Node, found: list[_Whole]) -> list[_Whole]:
        """Those that the test runs which compares something there with what it parses."""
        names = self.program.names
        sides = (behind(names, side) for side in self.mends.testing.places.sides(place))
        parsed = [
            one.args[0].value
            for one in sides
            if isinstance(one, tree.Call) and last_name(one.func) == _PARSING and one.args
        ]
        test = names.function_of(place)
        if test is None or not parsed:
            return []
        run, taken = self.mends.testing.reach.of(test), any(map(self._is_taken, parsed))
        return [one for one in found if one.function in run and (one.told or taken)]

    def _is_taken(self, node: tree.Node) -> bool:
        """Whether something is taken out of what the test does not fill where it makes it: `queue[0]`, `queue.pop()`."""
        names = self.program.names
        taken = behind(names, node)
        if isinstance(taken, tree.Call) and last_name(taken.func) not in TAKING:
            return False
        if not isinstance(taken, tree.Subscript | tree.Attr | tree.Call):
            return False
        made = behind(names, start_of(taken))
        return not (isinstance(made, tree.Sequence | tree.DictDisplay) and made.below())

    # --- what gets an entry ---

    def _items(self) -> Iterator[_Whole]:
        """The dicts outside of tests that are written out, at once or step by step."""
        names = self.program.names
        for node, knot, scope, _ in self.mends.expected.grown:
            place = names.place(node)
            if not place.scope.module.is_test:
                written = frozenset(entries_of_dict(names, node))
                for given in (frozenset[str](), *self._spread_into(node)):
                    every = written | given
                    if len(own := self._plain(every)) > 1:
                        yield _Whole(own, every, knot, scope, place.scope.function)

    def _spread_into(self, node: tree.Node) -> Iterator[frozenset[str]]:
        """What the calls of a function give by name that it puts into a dict, `{"kind": kind, **fields}`, and the
        names in the dicts that it is given for that."""
        function = self.program.names.function_of(node)
        if function is None or not isinstance(node, tree.DictDisplay):
            return
        rest = next((p.name for p in function.params if p.kind == "**"), None)
        for one in node.spread:
            for display in self.planner.local.rows.origins(one).displays:
                yield frozenset(name for name, _ in entries_of(display))
            own = isinstance(one, tree.Name) and one.id == rest
            for call, _ in self.program.calls.callers(function) if own else ():
                said = (name for name, _ in call.keywords)
                yield frozenset(name for name in said if function.parameter(name) is None)

    def _entities(self) -> Iterator[_Whole]:
        for cls, scopes in self.state.fields.items():
            if self.program.classes.is_data(cls):
                names = self._fields(cls)
                for scope in scopes.values() if len(names) >= _TELLING else ():
                    yield _Whole(names, names, ("class", cls), scope, is_item=False)

    def _with_entities(self) -> Iterator[_Whole]:
        """What has all fields of an object among its own, or of an heir: `{"type": …, **asdict(self)}`."""
        names, classes, gained = self.program.names, self.program.classes, self.state.fields
        modules = [m for m in names.judged() if gained and not m.is_test]
        for display in (d for m in modules for d in m.each(tree.DictDisplay) if d.spread):
            own = [name for name, _ in entries_of(display)]
            given = {cls for part in display.spread for cls in self.mends.wholes.gives(part)}
            for cls in (heir for one in given for heir in (one, *classes.subclasses(one))):
                home = next((one for one in classes.mro(cls) if one in gained), None)
                every = self._plain((*own, *(field.name for field in classes.fields(cls))))
                told = home is not None and len(every) >= _TELLING
                for scope in gained[home].values() if told and home is not None else ():
                    made, knot = names.function_of(display), ("class", home)
                    yield _Whole(every, every, knot, scope, made, is_item=False, told=False)

    @cached_property
    def _unchanged(self) -> frozenset[frozenset[str]]:
        """The names of what gets no entry, and has one of another scope."""
        program = self.program
        grown = {id(node) for node, *_ in self.mends.expected.grown}
        found: set[frozenset[str]] = set()
        for module in program.names.judged():
            if not module.is_test:
                for display in module.each(tree.DictDisplay):
                    if id(display) not in grown and names_any(display, program):
                        found.add(self._plain(name for name, _ in entries_of(display)))
                for cls in module.classes:
                    if cls not in self.state.fields and program.classes.is_data(cls):
                        found.add(self._fields(cls))
        return frozenset(found)

    def _fields(self, cls: Class) -> frozenset[str]:
        return self._plain(one.name for one in self.program.classes.fields(cls))

    def _plain(self, names: Iterable[str]) -> frozenset[str]:
        """These names without those of keys, which responses leave out."""
        policy = self.program.policy
        return frozenset(
            n for n in names if not (policy.is_key_name(n) or policy.is_sort_key_name(n))
        )

    # --- who expects it ---

    def _is_expected(self, node: tree.Node) -> bool:
        """Whether something is compared, by itself or among others, with what is not known to be
        something else."""
        names, dumped = self.program.names, False
        inner: object = node
        around = names.parent(node)
        while isinstance(around, tree.Sequence | tree.DictDisplay) or _carries(around):
            dumped = dumped or isinstance(around, tree.Call)
            inner, around = around, names.parent(around)
        match around:
            case tree.Call(func=tree.Attr(name=name)) if dumped and name.startswith("assert_"):
                return True
            case tree.Compare() if isinstance(inner, tree.Sequence) and is_among(around, inner):
                return False
            case tree.Compare():
                sides = [s for s in (around.left, *around.rights) if s is not inner]
            case tree.Call() if last_name(around.func).startswith("assert"):
                sides = [a.value for a in around.args if a.value is not inner]
            case _:
                return False
        rows = self.planner.local.rows
        return not all(
            (origins := rows.origins(side)).complete and origins.displays for side in sides
        )

    def _runs(self, node: tree.Node, made: Function | None) -> bool:
        """Whether the test runs what makes the item, as far as that is known."""
        test = self.program.names.function_of(node)
        return test is None or made is None or made in self.mends.testing.reach.of(test)


def _carries(node: object) -> TypeGuard[tree.Call]:
    """Whether a call only carries what it is given: `json.dumps({…})`, `call(Message=…)`, `call.send(Message=…)`."""
    if not isinstance(node, tree.Call):
        return False
    func = node.func
    recorded = isinstance(func, tree.Attr) and last_name(func.base) == "call"
    return recorded or last_name(func) in _CARRYING


def _names_in(node: tree.Sequence | tree.DictDisplay) -> frozenset[str]:
    """The texts that a display lists, or the keys of a dict."""
    match node:
        case tree.Sequence():
            said = [tree.text(item) for item in node.items]
            return frozenset(text for text in said if text is not None)
        case tree.DictDisplay():
            return frozenset(name for name, _ in entries_of(node))
