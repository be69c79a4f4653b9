"""What a collection is made of, or is the same as: what its constructor is given, what tests put in its place, and what
these are in turn, by way of names, attributes, and functions that give it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.making import makes_set
from capsule_lint.plan.room import Room
from capsule_lint.plan.testing.known_as import stores_of
from capsule_lint.program.containers import COPIED, LISTED
from capsule_lint.program.model import Binding, Class, last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.planner import Planner

_SAME: Final = COPIED | LISTED | {"cast", "defaultdict"}
"""What has the keys of one of its arguments."""
_MAX_DEPTH: Final = 6


class MadeOf(Room, Struct, frozen=True):
    """Follows that to where it is written."""

    planner: Planner

    def all(self, home: Home) -> list[tree.Node]:
        """The expressions that a collection is made of, each once: what is written out, and the names, attributes
        and calls on the way there."""
        return self.ways(self._starts(home))

    def ways(self, starts: Iterable[tree.Node]) -> list[tree.Node]:
        """The same of any expressions, themselves among them."""
        found: dict[int, tree.Node] = {}
        for start in starts:
            self._follow(start, found, 0)
        return list(found.values())

    def _starts(self, home: Home) -> Iterator[tree.Node]:
        owner, name = home
        yield from self.planner.local.put_in_place.of(home)
        if isinstance(owner, Class) and self.program.classes.declares(owner):
            for _, given in self.program.calls.given_to(owner):
                if name in given:
                    yield given[name].value
        for value in self._kept(home):
            for one in self._alternatives(value):
                if not isinstance(one, tree.Comprehension | tree.Sequence) or _are_tuples(one):
                    yield one  # what those have in them is judged where they stand

    def holds_keys(self, home: Home) -> bool:
        """Whether a collection is a set or a list of keys, and no dict."""
        is_list = self.planner.local.collections.lists.is_one(home)
        return is_list or any(map(makes_set, self._kept(home)))

    def _kept(self, home: Home) -> list[tree.Node]:
        """What is assigned to a collection, by its class and the heirs of that."""
        owner, name = home
        kept = [b.assigned for b in owner.scope.bindings.get(name, ())]
        if isinstance(owner, Class):
            for cls in self.program.classes.subclasses(owner):
                kept += [store.value for store in cls.stores.get(name, ()) if not store.path]
        return [one for one in kept if one is not None]

    def _follow(self, node: tree.Node, found: dict[int, tree.Node], depth: int) -> None:
        for one in self._alternatives(node) if depth < _MAX_DEPTH else ():
            if id(one) not in found:
                found[id(one)] = one
                for source in self._sources(one):
                    self._follow(source, found, depth + 1)

    def _sources(self, node: tree.Node) -> Iterator[tree.Node]:
        """What a name, an attribute or a call may be, one step further."""
        match node:
            case tree.Name():
                yield from self._named(node)
            case tree.Attr():
                for store in stores_of(self.program, node):
                    if store.value is not None and not store.path:
                        yield store.value
            case tree.Call():
                for callee in self.program.calls.callees(node):
                    if callee.function is not None and callee.cls is None:
                        yield from callee.function.returns

    def _named(self, name: tree.Name) -> Iterator[tree.Node]:
        """What a name may be: what it is assigned, what a parameter is given, by callers or by pytest."""
        names = self.program.names
        if names.module_of(name).is_test:
            for value in self.planner.sources.shared.spelled(name):
                if value is not name:
                    yield value
        for binding in map(names.follow, names.bindings_of(name)):
            if not isinstance(binding, Binding):
                continue
            function = binding.function
            if binding.kind == "param" and function is not None:
                given = self.program.calls.arguments_for(function, name.id)
                yield from (argument.value for _, argument in given if not argument.star)
            elif binding.assigned is not None:
                yield binding.assigned

    def _alternatives(self, node: tree.Node) -> Iterator[tree.Node]:
        """What an expression may be, or is a copy of: `initial or {}`, `initial | {}`, `dict(initial)`, `{**initial}`,
        `initial.copy()`."""
        match node:
            case tree.Call(func=tree.Attr(name="copy", base=base), args=()):
                yield from self._alternatives(base)
            case tree.Boolean():
                for value in node.values:
                    yield from self._alternatives(value)
            case (
                tree.Conditional(then=one, otherwise=other)
                | tree.Binary(op="|", left=one, right=other)
            ):
                yield from self._alternatives(one)
                yield from self._alternatives(other)
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


def _are_tuples(node: tree.Node) -> bool:
    """Whether all that is written out in a set or a list is tuples."""
    items = node.items if isinstance(node, tree.Sequence) and node.kind in ("set", "list") else ()
    return bool(items) and all(
        isinstance(one, tree.Sequence) and one.kind == "tuple" for one in items
    )
