"""Fields of format strings that nothing fills: `PK.format(tenant_id=tenant_id)` of `"TENANT#{tenant_id}#CAPSULE#{capsule_id}"`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.plan.state import KeyDefect, Knot, Want
from capsule_lint.program.expected_errors import expected_of
from capsule_lint.program.texts.pieces import Filled

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.texts.pieces import Segment

_ERRORS: Final = frozenset(("KeyError", "LookupError", "Exception"))
"""What a field that nothing fills ends in, or is caught as."""


class Blanks(Struct, frozen=True):
    """Finds keys whose text has the segment of a scope, where that alone is filled which stands beside it."""

    planner: Planner

    def find(self) -> None:
        """Note what such keys lack, and want the values."""
        templates = self.planner.program.templates
        for site in tuple(self.planner.program.keys.sites):
            pieces = site.template.pieces
            for segment in templates.segments(pieces):
                piece = pieces[segment.piece]
                blank = templates.formatted.blanks.get(id(piece.value))
                if isinstance(piece, Filled) and blank is not None and not blank[1][:1].isdigit():
                    self._lacks(site, piece, segment, *blank)

    def _lacks(
        self, site: KeySite, piece: Filled, segment: Segment, filling: tree.Node, name: str
    ) -> None:
        """A key that lacks what a field is filled with; where it is a part of another key, that is one by itself."""
        planner, program = self.planner, self.planner.program
        scope = next(s for s in program.policy.scopes if s.name == segment.scope)
        host = piece.host
        if host is not site.template.host and not planner.keys.delegate(host, site):
            return
        site = program.keys.at(host) or site
        if scope not in program.domain.required(site):
            return
        if not _ERRORS.isdisjoint(expected_of(program.names, filling)):
            return
        beside = [
            one.value
            for other in program.templates.segments(site.template.pieces)
            if isinstance(one := site.template.pieces[other.piece], Filled)
            and one.value.span in filling.span
            and id(one.value) not in program.templates.formatted.blanks
        ]
        knot: Knot = ("key", id(host))
        silenced = planner.keys.is_silenced(site)
        if not silenced and not planner.signatures.asks(filling, scope, knot):
            return
        mirror = beside[-1] if beside else None
        defect = self._defect(site, knot, planner.silenced if silenced else planner.blank)
        if scope in defect.missing:
            return
        defect.missing.append(scope)
        defect.missing.sort(key=program.policy.scopes.index)
        defect.anchors[scope.name] = mirror
        if not silenced:
            want = Want(scope, filling, knot, "field", mirror=mirror, name=name)
            defect.wants[scope.name] = want
            planner.want(want)

    def _defect(self, site: KeySite, knot: Knot, noted: list[KeyDefect]) -> KeyDefect:
        """What is noted of a key, one defect for all that it lacks."""
        self.planner.sites[id(site.template.host)] = site
        for defect in noted:
            if defect.template.host is site.template.host:
                return defect
        noted.append(KeyDefect(site.template, site.module, site.function, [], {}, knot))
        return noted[-1]
