"""Mends of lambdas that gain scopes, and of what calls them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddParameter, ParameterKind
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.inference.types import Foreign, FunctionObject, LambdaObject, Partial
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.inference.types import Type


@dataclass(eq=False, slots=True)
class LambdaMends(MendRoom):
    """Builds the mends."""

    mends: Mends

    def build(self) -> None:
        """Give the lambdas the parameters, and the calls the arguments."""
        state, program = self.state, self.program
        for number, gains in state.lambdas.items():
            filename = self.program.names.module_of(state.lambda_nodes[number]).filename
            span, kind = state.lambda_nodes[number].span, ParameterKind.PLAIN
            for scope in program.policy.scopes:
                gain = gains.get(scope.parameter)
                if gain is not None:
                    mend = AddParameter(
                        filename, span, "CAP401", scope.parameter, None, kind, gain.place
                    )
                    self.mends.add(("lambda", number), mend)
        by_call: dict[int, list[Want]] = defaultdict(list)
        for want in state.wants:
            if want.purpose in ("argument", "tabled"):
                by_call[id(want.call or want.node)].append(want)
        for wants in by_call.values():
            for want in sorted(wants, key=lambda w: program.policy.scopes.index(w.scope)):
                self._call(want)

    def _call(self, want: Want) -> None:
        """Check that whatever is called takes the scope at the same place, and pass it where no function
        asks for it."""
        call = want.call or want.node
        assert isinstance(call, tree.Call)
        types = self.program.inference.of(call.func)
        if not any(isinstance(one, LambdaObject) and self._gains(one) for one in types):
            return
        places = {at for one in types for at in self._places(one, want.scope)}
        filename, at = self.program.names.module_of(call).filename, next(iter(places), None)
        if len(places) != 1 or at is None:
            reason = f"`{want.scope.parameter}` cannot be placed among the arguments"
            self.mends.obstacle(want.knot, call, reason)
        elif want.purpose == "tabled":
            code = self.mends.code_of(want, want.knot)
            keyword, index = self._place_among(call.args, want.scope, at)
            if code is not None:
                mend = AddArgument(filename, call.span, "CAP401", code, keyword, index)
                self.mends.add(want.knot, mend)

    def _place_among(
        self, args: Sequence[tree.Argument], scope: Scope, at: int
    ) -> tuple[str | None, int]:
        """The keyword of a new argument, `None` for one by position, and its index."""
        plain = sum(a.keyword is None for a in args)
        for other, step in self.program.policy.beside(scope):
            for number, argument in enumerate(args):
                if argument.keyword is not None and names_scope(argument.keyword, other):
                    return scope.parameter, number + step
        return (None, at) if at <= plain else (scope.parameter, plain)

    def _gains(self, one: LambdaObject) -> bool:
        return id(one.node) in self.state.lambdas

    def _places(self, one: Type, scope: Scope) -> Iterator[int | None]:
        """Before which of the old arguments something that is called takes a scope."""
        match one:
            case LambdaObject():
                gain = self.state.lambdas.get(id(one.node), {}).get(scope.parameter)
                yield gain.place if gain is not None else None
            case FunctionObject():
                yield self._in_function(one, scope, one.given)
            case Partial(of=FunctionObject() as inner):
                given = inner.given
                count = sum(a.keyword is None for a in one.call.args[1:])
                yield self._in_function(inner, scope, given + count)
            case Foreign(name="None"):
                pass  # which nobody calls
            case _:
                yield None

    def _in_function(self, one: FunctionObject, scope: Scope, given: int) -> int | None:
        final = self.mends.signatures.final_params(one.function)[given:]
        old = 0
        for name, kind, new in final:
            if kind not in ("plain", "posonly"):
                return None
            if new and name == scope.parameter:
                return old
            old += not new
        return None
