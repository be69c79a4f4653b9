"""Scopes that the keys of a function have without being told: written out, kept, asked of the module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.texts.pieces import Filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.texts.pieces import Piece


class SpelledOut(Room, Struct, frozen=True):
    """Tells of which functions that holds."""

    planner: Planner

    def in_all_keys(self, function: Function, scope: Scope) -> bool:
        """Whether all keys of a function spell the scope's value out (CAP105), begin with a text that
        has it, or ask what all of the module knows for it or for its neighbour, `current_tenant.get()`:
        a parameter for it would reach nothing, or would say another's than the one that is asked for."""
        found = [self._has(site, scope) for site in self._sites(function)]
        return bool(found) and all(found)

    def _sites(self, function: Function) -> Iterator[KeySite]:
        """The keys that are written in a function, or in a helper that it calls."""
        program, makers = self.program, dict.fromkeys([function])
        for node in program.names.inside(function):
            if isinstance(node, tree.Call):
                called = (c.function for c in program.calls.callees(node))
                makers.update(dict.fromkeys(f for f in called if f in program.keys.helpers))
        for maker in makers:
            yield from program.keys.inside(maker)

    def _has(self, site: KeySite, scope: Scope) -> bool:
        templates = self.program.templates
        pieces = site.template.pieces
        segments = list(templates.segments(pieces))
        own = [one for one in segments if one.scope == scope.name]
        if any(one.literal for one in own):
            return True
        if own and templates.beginnings.given(site.template.host):
            return True
        return any(
            self._is_global(pieces[one.piece]) for one in own or segments if not one.literal
        )

    def _is_global(self, piece: Piece) -> bool:
        """Whether the value of a hole is asked of what all of the module knows."""
        return isinstance(piece, Filled) and self.planner.sources.ambient.asks(piece.value)
