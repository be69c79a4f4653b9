"""What becomes of a function that a test replaces by something else: it is as good as that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.model import Verdict
from capsule_lint.plan.room import Room
from capsule_lint.plan.testing.standins import StandIn, callables, parameters, spare
from capsule_lint.program.inference.types import FunctionObject, LambdaObject, Type
from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.model import Symbol


class Replacements(Room, Struct, frozen=True):
    """Judges what comes in a function's place."""

    planner: Planner

    def judge(self, stand_ins: Sequence[StandIn], symbol: Symbol) -> tuple[Verdict, str] | None:
        """What becomes of a function that some stand-ins replace; `None` where these do not fit."""
        program, verdicts = self.program, self.state.verdicts
        read = [verdicts[id(one.name)] for one in stand_ins if id(one.name) in verdicts]
        if read:
            return read[0]
        every = [(s.given, one) for s in stand_ins for one in callables(program, s.node)]
        if not every:
            return Verdict.ALREADY_CORRECT, "replaced by what is not called"
        if all(self._gains(one) for _, one in every):
            return Verdict.REWRITTEN, "replaced by what gets the parameter too"
        if isinstance(symbol, Function) and all(
            self._gains(one) or self._takes_more(one, symbol, given) for given, one in every
        ):
            return Verdict.ALREADY_CORRECT, "replaced by what takes any arguments"
        return None

    def _gains(self, one: Type) -> bool:
        match one:
            case LambdaObject():
                return id(one.node) in self.state.doubles
            case FunctionObject():
                function = one.function
                return function in self.state.params or (id(function.fact) in self.state.doubles)
            case _:
                return False

    def _takes_more(self, one: Type, symbol: Function, given: int) -> bool:
        """Whether a replacement takes the parameters that a function gains as it is."""
        program, scopes = self.program, self.state.params[symbol].values()
        if isinstance(one, FunctionObject) and all(
            program.domain.scope_parameter(one.function, s) is not None for s in scopes
        ):
            return True
        params, _ = parameters(program, one)
        return spare(program, params, symbol, given, scopes) is not None
