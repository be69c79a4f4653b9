"""What functions get that the program keeps, and calls one after the other by their parameters' names:
`for receiver in self._receivers: receiver(sender=sender, **kwargs)`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.wrapping import keepers
from capsule_lint.program.inference.types import NOTHING, Instance, Types

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Class, Function, Module

    _Home = tuple[Class | Module, str]

_STEPS: Final = 3
"""How many functions hand on what is kept, one to the other."""


@dataclass(eq=False)
class Announced:
    """Finds that."""

    inference: Inference

    def of(self, function: Function, parameter: tree.Parameter) -> Types:
        """The object that reaches a parameter of what a decorator of the program keeps, whichever of those that are kept
        there is meant; nothing where one is not known, or they are of several classes: what may be read of it, all must
        have. Nor where it is not seen that what is gone through is what the decorator keeps it in."""
        if parameter.kind in ("*", "**") or not function.fact.decorators:
            return NOTHING
        keeping = [
            set(self._kept_by(keeper, own))
            for decorator in function.fact.decorators
            for keeper, own in keepers(self.inference, decorator)
        ]
        homes = set().union(*keeping)
        if not all(keeping) or not all(self._announcing.get(home) for home in homes):
            return NOTHING
        calls = {id(call): call for home in homes for call in self._announcing[home]}.values()
        if not all(call.spread or call.keyword(parameter.name) for call in calls):
            return NOTHING
        found = {
            self.inference.of(value)
            for call in calls
            for value in self._given(call, parameter.name)
        }
        meant = found.pop() if len(found) == 1 else NOTHING
        return (
            meant if len(meant) == 1 and all(isinstance(t, Instance) for t in meant) else NOTHING
        )

    def _kept_by(
        self, keeper: Function, parameter: tree.Parameter, steps: int = _STEPS
    ) -> Iterator[_Home]:
        """Where a function keeps what it is given, by itself or through those that it hands it on to."""
        calls, names = self.inference.calls, self.inference.names
        names.ask(keeper.name)
        for call in names.inside(keeper):
            if not isinstance(call, tree.Call):
                continue
            for argument in call.args:
                value = argument.value
                bound = names.bindings_of(value) if isinstance(value, tree.Name) else ()
                if not any(one.parameter is parameter for one in bound):
                    continue
                callees = calls.callees(call)
                for function, filled in ((one.function, one.bind(call)) for one in callees):
                    by = filled.arguments.items() if filled is not None and steps else ()
                    for name in (name for name, given in by if given is argument):
                        own = function.parameter(name) if function is not None else None
                        if function is not None and own is not None:
                            yield from self._kept_by(function, own, steps - 1)
                if not callees and call.receiver is not None:
                    yield from self._homes(call.receiver)

    def _homes(self, node: tree.Node) -> Iterator[_Home]:
        """The attributes and names of modules of which an expression is a part, or goes through."""
        match node:
            case tree.Attr(base=base, name=name):
                for one in self.inference.of(base):
                    if isinstance(one, Instance):
                        yield one.cls, name
            case tree.Name():
                bound = self.inference.names.bindings_of(node)
                yield from ((one.module, one.name) for one in bound if one.is_global)
            case tree.Subscript(base=base) | tree.Call(func=tree.Attr(base=base)):
                yield from self._homes(base)
            case tree.Call(func=tree.Name(), args=(tree.Argument(value=first), *_)):
                yield from self._homes(first)
            case _:
                pass

    def _given(self, call: tree.Call, name: str) -> Iterator[tree.Node]:
        """What a call gives under a name, also where it hands on the keywords of the function around it."""
        calls, names = self.inference.calls, self.inference.names
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
    def _announcing(self) -> Mapping[_Home, list[tree.Call]]:
        """The calls of what a loop goes through, by what that is kept in."""
        names = self.inference.names
        found: dict[_Home, list[tree.Call]] = defaultdict(list)
        for call in self.inference.calls.uses.all_calls():
            bound = names.bindings_of(call.func) if isinstance(call.func, tree.Name) else ()
            through = [one.value for one in bound if one.kind == "for" and one.value is not None]
            for home in {home for value in through for home in self._homes(value)}:
                found[home].append(call)
        return found
