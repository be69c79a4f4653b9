"""Old keys that are asked for beside the new ones: rows that were written before a scope came."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function
    from capsule_lint.program.places.sites import KeySite


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
            if other is not site and not self._is_of_one_item(site, other)
        ]
        users = self._users(site) if beside else set()
        return any(users & self._users(other) for other in beside)

    def _is_of_one_item(self, site: KeySite, other: KeySite) -> bool:
        """Whether two keys are entries of one item: those of different indexes."""
        parent = self.program.names.parent
        around = parent(site.template.host)
        return isinstance(around, tree.DictDisplay) and around is parent(other.template.host)

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
