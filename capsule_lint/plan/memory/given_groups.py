"""Rows that a function counts or puts into groups by one scope, and gives back to who asks for those of one: `usage(repo)
[ctx.tenant_id]` of `Counter(row.tenant_id for row in rows)`. Where the rows get another scope, which who asks has, those
of all its values come together there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.local_notes import left_out_of_key
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.local_names import assigned, only_assigned
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function, Module

_MAKING: Final = frozenset(("Counter", "dict", "defaultdict", "OrderedDict"))
_ASKED: Final = frozenset(("get", "pop"))


class GivenGroups(Room, Struct, frozen=True):
    """Finds the keys once it is settled which classes gain fields."""

    planner: Planner

    def note(self) -> None:
        """Make the changes unsafe that would leave such a key behind."""
        seen: set[int] = set()
        for module in self.program.names.production() if self.state.fields else ():
            for base, asked in self._asking(module):
                if not isinstance(asked, tree.Attr):
                    continue
                for old in self.program.policy.scopes:
                    others = self._has(asked, old) if names_scope(asked.name, old) else []
                    for function in self._giving(base) if others else ():
                        self._judge(function, old, others, seen)

    def _asking(self, module: Module) -> Iterator[tuple[tree.Node, tree.Node]]:
        """What is asked for in what a call gives: `usage(repo)[ctx.tenant_id]`, `groups.get(ctx.tenant_id)`."""
        for node in module.every(tree.Subscript, tree.Call):
            match node:
                case tree.Subscript(base=base, index=index):
                    yield base, index
                case tree.Call(func=tree.Attr(name=name, base=base), args=(first, *_)) if (
                    name in _ASKED
                ):
                    yield base, first.value

    def _giving(self, base: tree.Node) -> Iterator[Function]:
        """The functions that give what is asked."""
        made = only_assigned(self.program.names, base) or base
        for callee in self.program.calls.callees(made) if isinstance(made, tree.Call) else ():
            if callee.function is not None and not callee.function.module.is_test:
                yield callee.function

    def _has(self, asked: tree.Attr, old: Scope) -> list[Scope]:
        """The other scopes that who asks has."""
        held = self.planner.sources.holders.attribute_of
        types = self.program.inference.of(asked.base)
        return [
            scope
            for scope in self.program.policy.others(old)
            if any(isinstance(t, Instance) and held(t.cls, scope) is not None for t in types)
        ]

    def _judge(self, function: Function, old: Scope, others: list[Scope], seen: set[int]) -> None:
        """Note what the keys lack of what a function gives back, unless people have said that it is meant."""
        notes = self.planner.local.notes
        for value in function.returns:
            for key in self._keys(value):
                if id(key) in seen or notes.is_settled(key):
                    continue
                for cls in self._classes(key, old):
                    lacking = [s for s in self.state.fields[cls].values() if s in others]
                    knot: Knot = ("class", cls)
                    if notes.is_silenced(notes.draft(key, "rows", lacking, knot)):
                        continue
                    for scope in lacking:
                        seen.add(id(key))
                        notes.obstacle(knot, key, left_out_of_key(scope))

    def _classes(self, key: tree.Node, old: Scope) -> list[Class]:
        """The classes that gain fields of the rows whose scope a key is."""
        types = (
            t for row in self._rows(key, old) for t in ordered(self.program.inference.of(row))
        )
        found = [one.cls for one in types if isinstance(one, Instance)]
        return [cls for cls in dict.fromkeys(found) if cls in self.state.fields]

    def _keys(self, value: tree.Node) -> Iterator[tree.Node]:
        """The keys of a dict that is made there, or of a local one that is filled before."""
        match value:
            case tree.Comprehension(kind="DictComp", results=(key, *_)):
                yield key
            case tree.Call(args=(tree.Argument(value=tree.Comprehension() as made), *_)) if (
                last_name(value.func) in _MAKING
            ):
                yield made.results[0]
            case tree.Call(args=(tree.Argument(value=tree.Name() as name), *_)) if (
                last_name(value.func) in _MAKING
            ):
                yield from self._keys(name)
            case tree.Name():
                for given in assigned(self.program.names, value):
                    yield from self._keys(given) if not isinstance(given, tree.Name) else ()
                yield from self._put(value)

    def _put(self, local: tree.Name) -> Iterator[tree.Node]:
        """What things are put under in a local dict: `groups[row.tenant_id].append(row)`."""
        function = self.program.names.function_of(local)
        for node in self.program.names.inside(function) if function is not None else ():
            match node:
                case tree.Subscript(base=tree.Name(id=name), index=key) if name == local.id:
                    yield key
                case tree.Call(
                    func=tree.Attr(name="setdefault", base=tree.Name(id=name)), args=(first, *_)
                ) if name == local.id:
                    yield first.value

    def _rows(self, key: tree.Node, old: Scope) -> Iterator[tree.Node]:
        """The row whose scope a key is: that of `row.tenant_id`, and of what `groupby` gives as one."""
        if isinstance(key, tree.Attr) and names_scope(key.name, old):
            yield key.base
        for binding in self.program.names.bindings_of(key) if isinstance(key, tree.Name) else ():
            match binding.value:
                case tree.Call(args=(_, second)) if (
                    binding.path == (0,) and last_name(binding.value.func) == "groupby"
                ):
                    if isinstance(second.value, tree.Lambda):
                        yield from self._rows(second.value.body, old)
