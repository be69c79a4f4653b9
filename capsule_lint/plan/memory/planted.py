"""Dicts, and pairs for dicts, that are given to the constructor which keeps them: `MemoryStore({"t": {…}})`; and those
that tests put in the place of a collection. Their keys change as those of the collection do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.rekeyed import keys_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.known_as import KnownAs, stores_of
from capsule_lint.plan.testing.put_in_place import PutInPlace
from capsule_lint.program.containers import COPIED
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.testing.lookins import LookIns
    from capsule_lint.program.model import Function

_SAME: Final = COPIED | {"cast", "defaultdict"}
"""What has the keys of one of its arguments."""
_MAX_DEPTH: Final = 6


@dataclass(eq=False, slots=True)
class Planted(MendRoom):
    """Follows what constructors are given to where it is written."""

    mends: Mends
    look_ins: LookIns
    known_as: dict[int, tree.Name | tree.Attr] = field(default_factory=dict)
    """What tests call that which comes to be such a collection."""

    def build(self) -> None:
        """Mend the keys of what the collections whose keys change are made of."""
        same = KnownAs(self.program, self.planner.sources.shared)
        for home in self.planner.local.rekeyed:
            self.known_as.clear()
            for display in {id(d): d for d in self._written(home)}.values():
                self.look_ins.given(_pairs(display) or keys_of(display), home)
            for use in same.uses(list(self.known_as.values())):
                self.look_ins.given(tuple(self.look_ins.keys(use)), home)

    def _written(self, home: Home) -> Iterator[tree.Node]:
        for put in PutInPlace(self.planner).of(home):
            if isinstance(put, tree.Sequence) and put.kind == "set":
                yield put
            else:
                yield from self._displays(put, 0)
        owner, name = home
        if not isinstance(owner, Class):
            return
        for store in owner.stores.get(name, ()):
            if store.value is not None and not store.path:
                for node in self._alternatives(store.value):
                    if isinstance(node, tree.Name):
                        yield from self._displays(node, 0)
        if self.program.classes.declares(owner):
            for _, given in self.program.calls.given_to(owner):
                if name in given:
                    yield from self._displays(given[name].value, 0)

    def _displays(self, node: tree.Node, depth: int) -> Iterator[tree.Node]:
        """The dicts that are written out which an expression may be."""
        program = self.program
        for one in self._alternatives(node) if depth < _MAX_DEPTH else ():
            match one:
                case tree.DictDisplay() | tree.Comprehension(kind="DictComp"):
                    yield one
                case tree.Sequence() | tree.Comprehension() if _pairs(one):
                    yield one
                case tree.Name():
                    yield from self._shared(one, depth)
                    for binding in program.names.bindings_of(one):
                        function = binding.function
                        if binding.kind == "param" and function is not None:
                            for value in self._arguments(function, one.id):
                                yield from self._displays(value, depth + 1)
                        elif binding.assigned is not None:
                            yield from self._displays(binding.assigned, depth + 1)
                case tree.Attr() if program.names.module_of(one).is_test:
                    self.known_as[id(one)] = one
                    for store in stores_of(program, one):
                        if store.value is not None and not store.path:
                            yield from self._displays(store.value, depth + 1)
                case tree.Call():
                    for callee in program.calls.callees(one):
                        if callee.function is not None and callee.cls is None:
                            for value in callee.function.returns:
                                yield from self._displays(value, depth + 1)

    def _shared(self, name: tree.Name, depth: int) -> Iterator[tree.Node]:
        """The same of a name in a test, which may be that of a fixture."""
        if self.program.names.module_of(name).is_test:
            self.known_as[id(name)] = name
            for value in self.planner.sources.shared.spelled(name):
                if value is not name:
                    yield from self._displays(value, depth + 1)

    def _arguments(self, function: Function, name: str) -> Iterator[tree.Node]:
        given = self.program.calls.arguments_for(function, name)
        yield from (argument.value for _, argument in given if not argument.star)

    def _alternatives(self, node: tree.Node) -> Iterator[tree.Node]:
        """What an expression may be, or is a copy of: `initial or {}`, `dict(initial)`, `{**initial}`."""
        match node:
            case tree.Boolean():
                for value in node.values:
                    yield from self._alternatives(value)
            case tree.Conditional():
                yield from self._alternatives(node.then)
                yield from self._alternatives(node.otherwise)
            case tree.Call() if last_name(node.func) in _SAME or self._is_heir(node):
                for argument in node.args:
                    yield from self._alternatives(argument.value)
            case tree.DictDisplay():
                yield node
                for key, value in node.pairs:
                    if key is None:
                        yield from self._alternatives(value)
            case _:
                yield node

    def _is_heir(self, call: tree.Call) -> bool:
        """Whether a call makes a dict of the program's own, as `dict` would."""
        callees = self.program.calls.callees(call)
        heirs = self.planner.local.collections.heirs.names
        return bool(callees) and all(
            one.cls is not None and one.cls.name in heirs and "__init__" not in one.cls.methods
            for one in callees
        )


def _pairs(node: tree.Node) -> tuple[tree.Node, ...]:
    """The keys of a dict that is made of pairs: `[(("t", "v"), 8)]`."""
    match node:
        case tree.Sequence(kind="list" | "tuple", items=pairs) if pairs:
            pass
        case tree.Comprehension(kind="ListComp" | "GeneratorExp", results=pairs):
            pass
        case _:
            return ()
    keys = [p.items[0] for p in pairs if isinstance(p, tree.Sequence) and len(p.items) == 2]
    return tuple(keys) if len(keys) == len(pairs) else ()
