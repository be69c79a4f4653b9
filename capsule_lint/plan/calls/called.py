"""What a call calls, as it is after the change: the parameters that its arguments fill."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.plan.entities.behind_bases import is_by_keyword, place_behind
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.slots import Slot
from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.facts import tree
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class


class Called(MendRoom, Struct, frozen=True):
    """Says its parameters."""

    mends: Mends

    def of(self, want: Want) -> list[Slot]:
        """The callee's parameters after the change, without those that are given."""
        callee = want.callee
        if isinstance(callee, Function):
            if callee not in self.state.params:
                names = {
                    s.parameter
                    for _, _, scopes in self.planner.partial_calls.values()
                    for s in scopes
                }
                own = self.planner.partial_calls.get(id(want.call))
                fresh = {s.parameter for s in own[2]} if own else names
                return [Slot(p.name, p.kind, p.name in fresh) for p in callee.params][want.given :]
            return self.mends.signatures.final_params(callee)[want.given :]
        assert callee is not None
        params = self.program.classes.constructor(callee) or ()
        own = self.planner.partial_calls.get(id(want.call))
        fresh = {s.parameter for s in own[2]} if own else set()
        found = [Slot(p.name, p.kind, p.name in fresh) for p in params]
        for cls in self.program.classes.mro(callee):
            for scope in self.mends.policy_order(list(self.state.fields.get(cls, {}).values())):
                if any(slot.name == scope.parameter for slot in found):
                    continue
                found.insert(*self._field_place(cls, scope, found, params))
        return found

    def _field_place(
        self,
        cls: Class,
        scope: Scope,
        found: list[Slot],
        params: Sequence[tree.Parameter],
    ) -> tuple[int, Slot]:
        kind = params[0].kind if params else "plain"
        at = place_behind(self.program, cls, scope, [slot.name for slot in found])
        if at is not None:
            alone = is_by_keyword(self.program, cls)
            return at, Slot(scope.parameter, "kwonly" if alone else "plain", True)
        for other, step in self.program.policy.beside(scope):
            for number, slot in enumerate(found):
                held = self.program.domain.held.is_attribute
                if held(cls, slot.name, other) and (slot.name == other.parameter or step):
                    return number + step, Slot(scope.parameter, slot.kind, True)
        named = any(one.kind == "**" for one in params)
        return 0, Slot(scope.parameter, "kwonly" if named else kind, True)

    def are_alike(self, want: Want) -> bool:
        """Whether everything that a call may call takes the new argument at the same place."""
        assert want.call is not None
        if want.offset:
            return True  # it only passes on what one function takes
        callees = self.program.calls.callees(want.call)
        taken = [(c.cls or c.function, c.given) for c in callees]
        slots = [
            [slot.name for slot in self.of(replace(want, callee=one, given=given))]
            for one, given in taken
        ]
        name = want.scope.parameter
        places = {found.index(name) if name in found else None for found in slots}
        return len(places) == 1 and None not in places
