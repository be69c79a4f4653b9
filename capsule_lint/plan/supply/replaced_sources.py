"""What tests put in the place of a function that policy names for one scope: the other scope is asked of another
function, in whose place nothing comes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.policy import SourceKind
from capsule_lint.program.inference.types import FunctionObject
from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.policy import Scope

_ALONE: Final = "comes in the place of `{}`, and nothing in that of `{}`, which is asked beside it"


@dataclass(eq=False)
class ReplacedSources(Room):
    """Notes where a person must look."""

    planner: Planner
    _told: set[int] = field(default_factory=set)

    def check(self, want: Want, value: Value) -> None:
        """`monkeypatch.setattr(auth, "tenant_of", lambda request: "t")`, where `capsule_of(request)` comes beside
        what that is asked for."""
        new = next((f for code, f in self._asked(want.scope) if code == value.code), None)
        if new is None or not self._replaced:
            return
        place = self.program.names.place
        done = [place(patch).scope for patch in self._replaced.get(new, ())]
        for scope in self.program.policy.others(want.scope):
            for _, old in self._asked(scope):
                for patch in self._replaced.get(old, ()) if old is not new else ():
                    if place(patch).scope not in done and id(patch) not in self._told:
                        self._told.add(id(patch))
                        reason = _ALONE.format(old.name, new.name)
                        self.planner.local.notes.obstacle(want.knot, patch, reason)

    def _asked(self, scope: Scope) -> Iterator[tuple[str, Function]]:
        """The functions that policy names for a scope, and how they are called."""
        for spec in scope.sources:
            if spec.kind is SourceKind.CALL:
                asked = self.program.names.definition(f"{spec.module}.{spec.name}")
                if isinstance(asked, Function):
                    yield spec.code, asked

    @cached_property
    def _replaced(self) -> dict[Function, list[tree.Node]]:
        """Where tests put something in the place of such a function."""
        program, found = self.program, defaultdict[Function, list[tree.Node]](list)
        known = {f for scope in program.policy.scopes for _, f in self._asked(scope)}
        for placed in program.inference.placements.everywhere() if known else ():
            where = placed.where
            types = program.inference.mocks.target(where) if isinstance(where, tree.Call) else ()
            for one in types or ():
                function = one.function if isinstance(one, FunctionObject) else None
                if function in known and all(patch is not where for patch in found[function]):
                    found[function].append(where)
        return found
