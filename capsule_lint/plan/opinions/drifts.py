"""Implementations whose scope parameters stand elsewhere than those of their base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.judgement import DriftFact
from capsule_lint.plan.opinions.base import Ground, Opinion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


@dataclass(eq=False)
class DriftOpinions:
    """Compares the methods of repositories with those that they implement or override."""

    ground: Ground

    def find(self) -> Iterator[Opinion]:
        """Those that take a scope in another place: who calls by position gives it something else."""
        planner, domain = self.ground.planner, self.ground.program.domain
        for cls in sorted(domain.repositories, key=lambda c: c.symbol):
            for method in cls.methods.values():
                if cls.module.generated or method in planner.methods:
                    continue
                if method.name.startswith("__"):
                    continue  # constructors are called by who knows the class
                for base in self._bases(method):
                    moved = tuple(s for s in self.ground.scopes if self._is_moved(method, base, s))
                    if moved:
                        yield self._opinion(method, base, moved)
                        break

    def _bases(self, method: Function) -> Iterator[Function]:
        classes = self.ground.program.classes
        for other in sorted(self.ground.program.calls.families.of(method), key=lambda f: f.symbol):
            if other is method or other.owner is None or method.owner is None:
                continue
            if other.owner in classes.mro(method.owner)[1:] or (
                classes.is_protocol(other.owner) and not classes.is_protocol(method.owner)
            ):
                yield other

    def _is_moved(self, method: Function, base: Function, scope: Scope) -> bool:
        """Whether a scope that the base takes by position is not taken at that place."""
        wanted = self._place(base, scope)
        return wanted is not None and self._place(method, scope) not in (None, wanted)

    def _place(self, function: Function, scope: Scope) -> int | None:
        """The number of the parameter by position that takes a scope; `None` if there is none such."""
        parameter = self.ground.parameter(function, scope)
        given = [p for p in function.own_params if p.by_position]
        return given.index(parameter) if parameter in given else None

    def _opinion(self, method: Function, base: Function, moved: tuple[Scope, ...]) -> Opinion:
        names = " and ".join(f"`{s.parameter}`" for s in moved)
        return Opinion(
            DriftFact(
                method.module.filename,
                tree.span_of(method.fact.name_at),
                method.symbol,
                tuple(s.parameter for s in moved),
                reason=f"takes {names} in another place than `{base.symbol}`",
            )
        )
