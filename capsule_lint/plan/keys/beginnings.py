"""Keys that begin with a part of which nothing is understood but that a scope's value goes into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.local_names import behind
from capsule_lint.program.texts.pieces import Filled, hole_name, names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.places.sites import KeySite

_MAX_DEPTH: Final = 3


class Beginnings(Struct, frozen=True):
    """Finds what keys begin with."""

    program: Program

    def told(self, site: KeySite, scope: Scope) -> tree.Expr | None:
        """The first part of a key that has no segment of a scope, where the scope's value is in it all the same: in
        `f"{Part.TENANT / tenant_id}#ORDER#{order_id}"`, or under the name that an override has for it."""
        first = site.template.pieces[0] if site.template.pieces else None
        if not isinstance(first, Filled) or not isinstance(first.value, tree.Expr):
            return None
        taken = site.function and self.program.domain.scope_parameter(site.function, scope)
        other = taken.name if taken else None
        begun = behind(self.program.names, first.value)  # `owner = Part.TENANT / tenant_id`
        for part in self._parts(begun or first.value, 0):
            own = self.program.names.function_of(part) is site.function
            named = own and isinstance(part, tree.Name) and part.id == other
            if named or (part is not first.value and names_scope(hole_name(part), scope)):
                return first.value
        return None

    def _parts(self, node: tree.Node, depth: int) -> Iterator[tree.Node]:
        """What an expression is made of, through properties and functions without arguments of their own."""
        for part in within(node):
            yield part
            if depth < _MAX_DEPTH and not (isinstance(part, tree.Call) and part.args):
                for function in self.program.keys.results.helpers_in(part):
                    for value in function.returns:
                        yield from self._parts(value, depth + 1)
