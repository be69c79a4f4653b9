"""What functions get that the program keeps, and calls one after the other by their parameters' names:
`for receiver in self._receivers: receiver(sender=sender, **kwargs)`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.calling.wrapping import is_kept_by_own
from capsule_lint.program.inference.types import NOTHING, Instance, Types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function


@dataclass(eq=False)
class Announced:
    """Finds that."""

    inference: Inference

    def of(self, function: Function, parameter: tree.Parameter) -> Types:
        """The object that reaches a parameter of what a decorator of the program keeps, whichever of those that are kept
        is meant; nothing where one is not known, or they are of several classes: what may be read of it, all must have."""
        if parameter.kind in ("*", "**") or not is_kept_by_own(self.inference, function):
            return NOTHING
        found = {self.inference.of(value) for value in self._given(parameter.name)}
        meant = found.pop() if len(found) == 1 else NOTHING
        return (
            meant if len(meant) == 1 and all(isinstance(t, Instance) for t in meant) else NOTHING
        )

    def _given(self, name: str) -> Iterator[tree.Node]:
        """What is given under a name, also to a function that hands its keywords on."""
        calls, names = self.inference.calls, self.inference.names
        for call in self._announcing:
            own = call.keyword(name)
            if own is not None:
                yield own
            for spread in call.spread if own is None else ():
                bound = names.bindings_of(spread) if isinstance(spread, tree.Name) else ()
                for one in bound:
                    around = one.function if one.parameter and one.parameter.kind == "**" else None
                    if around is not None and around.parameter(name) is None:
                        every = (outer.keyword(name) for outer, _ in calls.callers(around))
                        yield from (value for value in every if value is not None)

    @cached_property
    def _announcing(self) -> list[tree.Call]:
        """The calls of what a loop goes through."""
        names = self.inference.names
        return [
            call
            for call in self.inference.calls.uses.all_calls()
            if isinstance(call.func, tree.Name)
            if any(bound.kind == "for" for bound in names.bindings_of(call.func))
        ]
