"""Sets and counters of a repository that are kept by one scope, where a method that looks into them is given another
one and has no other use for it: `self._locked.add(tenant_id)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.model import enclosing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


@dataclass(eq=False, slots=True)
class IdleKeys(Room):
    """Demands the scopes in their keys: by themselves, numbers and flags may be meant for a whole tenant."""

    planner: Planner

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        found: dict[Home, Function] = {}
        for function, lacking in self._idle():
            for home in self._looked_into(function, lacking):
                found.setdefault(home, function)
        for home, function in found.items():
            scopes = self.planner.demands.required_of(function.owner, function)
            names = {scope.name for scope in scopes}
            self.planner.fed.feed(home, names, [("function", function)])
        return bool(found)

    def _idle(self) -> Iterator[tuple[Function, list[Scope]]]:
        """The methods of repositories that make nothing yet of the scopes which they get."""
        program, state = self.program, self.state
        reached = {
            (function, want.scope.name)
            for want in (*state.wants, *self.planner.local.notes.wants)
            for function in enclosing(program.names.place(want.node))
        }
        for function, gained in state.params.items():
            if function.owner in program.domain.repositories and not function.module.is_test:
                scopes = [s for s in gained.values() if (function, s.name) not in reached]
                if scopes:
                    yield function, scopes

    def _looked_into(self, function: Function, lacking: list[Scope]) -> Iterator[Home]:
        """The collections of numbers and texts in which a method looks another scope's value up."""
        local, held = self.planner.local, self.program.domain.held
        others = [s for s in self.program.policy.scopes if s not in lacking]
        for node in self.program.names.inside(function):
            for owner, name, key in local.collections.sinks(node):
                home = owner, name
                if home in local.needs.fed or not local.needs.holds_scalars(owner, name):
                    continue
                plain = isinstance(key, tree.Name)
                if plain and any(held.is_value(key, scope) for scope in others):
                    yield home
