"""Scopes that the keys of a function have without being told: written out, kept, asked of the module."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.texts.constants import is_environment
from capsule_lint.program.texts.pieces import Filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Function
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.texts.pieces import Piece

    _Call: TypeAlias = tuple[tree.Call, Callee]


class SpelledOut(Room, Struct, frozen=True):
    """Tells of which functions that holds."""

    planner: Planner

    def in_all_keys(self, function: Function, scope: Scope) -> bool:
        """Whether all keys of a function spell the scope's value out (CAP105), begin with a text that
        has it, or ask what all of the module knows for it or for its neighbour, `current_tenant.get()`,
        `os.environ["TENANT"]`: a parameter for it would reach nothing, or would say another's than the
        one that is asked for."""
        found = [self._has(site, scope, calls) for site, calls in self._sites(function)]
        return bool(found) and all(found)

    def _sites(self, function: Function) -> Iterator[tuple[KeySite, Sequence[_Call]]]:
        """The keys that are written in a function, or in a helper that it calls, and those calls."""
        program = self.program
        makers: dict[Function, list[_Call]] = {function: []}
        for node in program.names.inside(function):
            if isinstance(node, tree.Call):
                for callee in program.calls.callees(node):
                    helper = callee.function
                    if helper is not None and helper in program.keys.helpers:
                        makers.setdefault(helper, []).append((node, callee))
        for maker, calls in makers.items():
            yield from ((site, calls) for site in program.keys.inside(maker))

    def _has(self, site: KeySite, scope: Scope, calls: Sequence[_Call]) -> bool:
        templates = self.program.templates
        pieces = site.template.pieces
        segments = list(templates.segments(pieces))
        own = [one for one in segments if one.scope == scope.name]
        if any(one.literal for one in own):
            return True
        if own and templates.beginnings.given(site.template.host):
            return True
        return any(
            self._is_global(pieces[one.piece], calls) for one in own or segments if not one.literal
        )

    def _is_global(self, piece: Piece, calls: Sequence[_Call]) -> bool:
        """Whether the value of a hole is asked of what all of the module knows, by the template itself
        or by all calls of the helper that makes it."""
        if not isinstance(piece, Filled):
            return False
        if self._is_known(piece.value):
            return True
        given = [self._given(piece.value, *one) for one in calls]
        return bool(given) and all(
            node is not None
            and (self._is_known(node) or self.program.templates.constant(node) is not None)
            for node in given
        )

    def _given(self, hole: tree.Node, call: tree.Call, callee: Callee) -> tree.Node | None:
        """What a call gives for the parameter that fills a hole."""
        if not isinstance(hole, tree.Name) or callee.function is None:
            return None
        passed = callee.arguments(call).get(hole.id)
        return passed.value if passed is not None else None

    def _is_known(self, node: tree.Node, seen: frozenset[int] = frozenset()) -> bool:
        """Whether all of the module can say a value: `tenant()`, `settings.tenant`, `os.environ["TENANT"]`; none that is made
        of what it was `seen` to be made of already."""
        names = self.program.names
        if self.planner.sources.ambient.asks(node):
            return True
        while not isinstance(node, tree.Name):
            match node:
                case tree.Call(func=func) if is_environment(func):
                    return True
                case tree.Call(args=(tree.Argument(keyword=None, star="", value=only),)):
                    node = only
                case tree.Attr(base=base) | tree.Subscript(base=base, index=tree.Const()):
                    node = base
                case _:
                    return False
        bindings = names.bindings_of(node)
        if bindings and all(b.is_global for b in bindings):
            return True
        value = only_assigned(names, node)
        if value is None or id(value) in seen:
            return False
        return self._is_known(value, seen | {id(value)})
