"""Rows that functions are given, of which keys are made: `row["capsule_id"]` beside `row["tenant_id"]`, where each of the
dicts that callers give is written out and says the other scope, or comes to say it, as some of them do already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, rename
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.repeats import kept

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.policy import Scope


class GivenRows(Room, Struct, frozen=True):
    """Finds them."""

    planner: Planner

    def beside(self, want: Want) -> Value | None:
        """What a row says beside what a key reads of it; the dicts that lack it get it. `None` where a row may be given that
        nobody sees written out."""
        if want.mirror is None or want.purpose != "segment":
            return None
        read = kept(want.mirror, self.program)
        row = read.base if isinstance(read, tree.Subscript) else None
        function = self.program.names.function_of(want.node)
        if not isinstance(row, tree.Name) or function is None or function.module.is_test:
            return None
        if self.program.domain.scope_parameter(function, want.scope) is not None:
            return None
        if any(bound.kind != "param" for bound in self.program.names.bindings_of(row)):
            return None
        for old in self.program.policy.others(want.scope):
            key = item_key(read, old)
            if key is not None and self._complete(want, row, old, key):
                return self.planner.values.read_beside(want, read, old)
        return None

    def _complete(self, want: Want, row: tree.Name, old: Scope, key: str) -> bool:
        """Whether all dicts that a row may be say the wanted scope, some by themselves and the others from now on."""
        origins, new = self.planner.local.rows.origins(row), rename(key, old, want.scope)
        if not origins.complete or origins.stored or origins.wholes:
            return False
        lacking = [one for one in origins.displays if new not in dict(entries_of(one))]
        if len(lacking) == len(origins.displays):
            return False
        if any(one.spread or key not in dict(entries_of(one)) for one in lacking):
            return False
        notes = self.planner.local.notes
        for display in lacking:
            asked = notes.extend(display, old, want.scope, want.knot, new, key)
            if asked is not None:
                self.planner.want(asked)
        return all(notes.is_extended(display, new) for display in lacking)
