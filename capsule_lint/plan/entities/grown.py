"""Dicts that get an entry more: which an expression may be, and what the entry is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.entities.wholes import GIVING_ALL, holds_all, says_which, whole
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.expected import copied
from capsule_lint.program.containers import COPIED
from capsule_lint.program.model import Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope

_MAX_DEPTH: Final = 8


class Gain(Struct, frozen=True):
    """An entry that a dict gets: in which change, for which scope, under which key."""

    knot: Knot
    scope: Scope
    key: str


@dataclass(eq=False, slots=True)
class Grown(MendRoom):
    """Follows expressions back to dicts that are written out and get an entry, and to what gives all fields
    of an object that gains one."""

    mends: Mends
    since: int | None = None
    """How many of these dicts are known already: they are none of them, nor are objects."""
    _displays: dict[int, list[Gain]] = field(default_factory=dict)
    _names: dict[tuple[int, str], list[Gain]] = field(default_factory=dict)
    """By scope and name: the local dicts that get an entry by a statement of its own."""
    _known: dict[int, tuple[Gain, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node, knot, scope, key in self.mends.expected.grown[self.since :]:
            gain = Gain(knot, scope, key)
            self._displays.setdefault(id(node), []).append(gain)
            if isinstance(node, tree.Name):
                place = self.program.names.place(node)
                self._names.setdefault((id(place.scope), node.id), []).append(gain)

    def of(self, node: tree.Node) -> tuple[Gain, ...]:
        """What the dict that an expression is gets; nothing for anything else, a collection of rows or some
        entries of a dict among that."""
        if id(node) not in self._known:
            self._known[id(node)] = tuple(dict.fromkeys(self._follow(node, 0)))
        return self._known[id(node)]

    def of_object(self, node: tree.Node) -> tuple[Gain, ...]:
        """What all fields of an object, or of a class, get."""
        return tuple(self._fields(node, classes=True))

    def of_elements(self, node: tree.Node) -> tuple[Gain, ...]:
        """What the dicts in a list get."""
        return tuple(dict.fromkeys(self._inside(node, 0)))

    def _follow(self, node: tree.Node, depth: int) -> Iterator[Gain]:
        if depth > _MAX_DEPTH:
            return
        match node:
            case tree.DictDisplay():
                yield from self._displays.get(id(node), ())
                for key, value in node.pairs:
                    if key is None:
                        yield from self._follow(value, depth + 1)
            case tree.Binary(op="|"):
                yield from self._follow(node.left, depth + 1)
                yield from self._follow(node.right, depth + 1)
            case tree.Conditional():
                yield from self._follow(node.then, depth + 1)
                yield from self._follow(node.otherwise, depth + 1)
            case tree.Boolean():
                for value in node.values:
                    yield from self._follow(value, depth + 1)
            case tree.Wrapped(kind="await") | tree.Walrus():
                yield from self._follow(node.value, depth + 1)
            case tree.Attr() if holds_all(self.program, node):
                yield from self._fields(node.base)
            case tree.Comprehension(kind="DictComp"):
                source = copied(node, self.program)
                if source is not None:
                    yield from self._follow(source, depth + 1)
            case tree.Name():
                yield from self._name(node, depth)
            case tree.Call():
                yield from self._call(node, depth)

    def _call(self, call: tree.Call, depth: int) -> Iterator[Gain]:
        callees = self.program.calls.callees(call)
        if not any(callee.function and not callee.cls for callee in callees):
            yield from self._displays.get(id(call), ())  # no keywords that say what is looked for
        for callee in callees:
            for value in callee.function.returns if callee.function and not callee.cls else ():
                yield from self._follow(value, depth + 1)
        if callees:
            listed = NamedFields(self.mends).whole(call)
            yield from self._fields(listed) if listed is not None else ()
            return
        name, plain = last_name(call.func), call.unnamed
        if name in GIVING_ALL:
            for node in whole(call) if not says_which(call) else ():
                yield from self._fields(node)
        if name in COPIED:
            sources = plain or ([call.func.base] if isinstance(call.func, tree.Attr) else [])
            for node in sources:
                yield from self._follow(node, depth + 1)

    def _name(self, node: tree.Name, depth: int) -> Iterator[Gain]:
        names = self.program.names
        for binding in names.bindings_of(node):
            yield from self._names.get((id(binding.place.scope), node.id), ())
            if binding.value is not None and not binding.path:
                if binding.kind == "assign":
                    yield from self._follow(binding.value, depth + 1)
                elif binding.kind == "for":
                    yield from self._inside(binding.value, depth + 1)
            for given in self.program.calls.passed_to(binding):
                yield from self._follow(given, depth + 1)

    def _inside(self, node: tree.Node, depth: int) -> Iterator[Gain]:
        """What the elements of a list that is written out get."""
        match node:
            case tree.Sequence():
                for item in node.items:
                    yield from self._follow(item, depth + 1)
            case tree.Comprehension() if node.kind != "DictComp":
                yield from self._follow(node.results[0], depth + 1)
            case tree.Name() if depth <= _MAX_DEPTH:
                names, calls = self.program.names, self.program.calls
                for binding in names.bindings_of(node):
                    own = [binding.assigned] if binding.assigned is not None else []
                    for one in (*own, *calls.passed_to(binding)):
                        yield from self._inside(one, depth + 1)

    def _fields(self, node: tree.Node, *, classes: bool = False) -> Iterator[Gain]:
        """What an object gives of itself has the fields that its class gains."""
        if self.since is not None:
            return
        for knot, scope in self.mends.expected.fields(node, classes=classes):
            match knot:
                case (_, Class() as cls):
                    named = self.state.attributes.get((cls, scope.parameter))
                    yield Gain(knot, scope, named or scope.parameter)
