"""Methods that lack a scope which their Protocol or base has: whoever calls through that gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.plan.uses.absorbed import absorbs, stands_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function


class Drifting(Struct, frozen=True):
    """Compares methods with what they implement or override."""

    program: Program

    def base_of(self, method: Function, scope: Scope) -> Function | None:
        """The base method that has the parameter which its implementation lacks."""
        takes = self.program.domain.scope_parameter
        family = self._family(method)
        return next((b for b in family if self._is_base(b, method) and takes(b, scope)), None)

    def owes(self, method: Function, scope: Scope) -> bool:
        """Whether a method lacks a scope and is, parameter by parameter, what a base says that has it: nothing else of
        what it is given says that scope in its place."""
        if self.program.domain.scope_parameter(method, scope) is not None:
            return False
        return any(self._owes_to(base, method, scope) for base in self._family(method))

    def owing(self, base: Function, scope: Scope) -> Iterator[Function]:
        """The methods that owe a scope since this one has it."""
        takes = self.program.domain.scope_parameter
        for method in self._family(base):
            if takes(method, scope) is None and self._owes_to(base, method, scope):
                yield method

    def _owes_to(self, base: Function, method: Function, scope: Scope) -> bool:
        program, takes = self.program, self.program.domain.scope_parameter
        if not self._is_base(base, method) or takes(base, scope) is None:
            return False
        missing = [takes(base, s) for s in program.policy.scopes if takes(method, s) is None]
        said = [p.name for p in base.own_params if p not in missing]
        if said != [p.name for p in method.own_params]:
            return False
        return stands_for(program, method) is None and not absorbs(program, method, scope)

    def _family(self, method: Function) -> list[Function]:
        return sorted(self.program.calls.families.of(method), key=lambda f: f.symbol)

    def _is_base(self, other: Function, method: Function) -> bool:
        """Whether a method of a family is one that another one of it implements or overrides."""
        classes = self.program.classes
        if other is method or other.owner is None or method.owner is None:
            return False
        if method.owner in classes.mro(other.owner)[1:]:
            return False
        return other.owner in classes.mro(method.owner) or classes.is_abstract(other.owner)
