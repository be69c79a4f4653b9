"""Old keys that are asked for beside the new ones: rows that were written before a scope came."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function
    from capsule_lint.program.places.sites import KeySite


_MAX_DEPTH: Final = 3


@dataclass(eq=False)
class Fallbacks(Room):
    """Tells which keys are such ones."""

    planner: Planner

    def is_one(self, site: KeySite, scope: Scope) -> bool:
        """Whether a function that makes a key, or asks a helper for it, does the same with the key that
        has the scope besides."""
        beside = [
            other
            for other in self._scoped[scope.name, site.template.text.lower()]
            if other.index == site.index and other is not site
            if not self._is_of_one_item(site, other)
        ]
        users = self._users(site) if beside else set()
        return any(users & self._users(other) for other in beside)

    def _is_of_one_item(self, site: KeySite, other: KeySite) -> bool:
        """Whether two keys are entries of one item: those of different indexes."""
        items = set(self._items_with(site.template.host))
        return not items.isdisjoint(self._items_with(other.template.host))

    def _items_with(self, value: tree.Node, depth: int = 0) -> Iterator[tuple[str, int]]:
        """The dicts that get a value as an entry, by a local or not: those that are written out, and the locals that
        are given entries one by one, each with its function."""
        names = self.program.names
        parent = names.parent(value) if depth <= _MAX_DEPTH else None
        match parent:
            case tree.DictDisplay(keys=(tree.Const(value="S"),)):
                yield from self._items_with(parent, depth + 1)
            case tree.Call() if self.program.templates.wrapped(parent) is value:
                yield from self._items_with(parent, depth + 1)
            case tree.DictDisplay():
                yield "", id(parent)
                statement = names.parent(parent)
                if isinstance(statement, tree.Assign):
                    yield last_name(statement.targets[0]), id(names.function_of(parent))
            case tree.Walrus():
                yield from self._items_with(parent, depth + 1)
            case tree.Assign(targets=(tree.Name() as target,)):
                for read in reads_of(names, target, (target.at,)):
                    if isinstance(names.parent(read), tree.DictDisplay | tree.Assign):
                        yield from self._items_with(read, depth + 1)
            case tree.Assign(targets=(tree.Subscript(base=tree.Name(id=name)),)):
                yield name, id(names.function_of(value))

    @cached_property
    def _scoped(self) -> defaultdict[tuple[str, str], list[KeySite]]:
        """The keys that have a scope, by the scope and what their text is without it."""
        program = self.program
        found: defaultdict[tuple[str, str], list[KeySite]] = defaultdict(list)
        for site in program.keys.sites:
            segments = {s.scope for s in program.templates.segments(site.template.pieces)}
            for scope in program.policy.scopes:
                text, segment = site.template.text.lower(), scope.tag.lower() + "{}"
                at = text.find(segment) if scope.name in segments else -1
                if at >= 0:
                    after = text[at + len(segment) :]
                    found[scope.name, text[:at] + after[1:]].append(site)
        return found

    def _users(self, site: KeySite) -> set[Function]:
        """The functions that use a key: the one that it is written in, or the callers of a helper."""
        program, function = self.program, site.function
        if function is None:
            return set()
        found = {function}
        if function in program.keys.helpers:
            for call, _ in list(program.calls.callers(function)):
                place = program.names.place(call)
                if place.scope.function is not None and not place.scope.module.is_test:
                    found.add(place.scope.function)
        return found
