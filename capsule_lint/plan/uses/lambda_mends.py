"""Mends of lambdas that stand in tables, and of the calls through these."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddParameter, ParameterKind
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.uses.lambdas import place_in
from capsule_lint.program.inference.types import FunctionObject, LambdaObject, Partial

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        for number, scopes in state.lambdas.items():
            node = state.lambda_nodes[number]
            filename = self.program.names.module_of(node).filename
            for scope in self.mends.policy_order(list(scopes.values())):
                at = place_in(program, node, scope)
                if at is not None:
                    kind = ParameterKind.PLAIN
                    mend = AddParameter(
                        filename, node.span, "CAP401", scope.parameter, None, kind, at
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
        plain = [a for a in call.args if a.keyword is None and not a.star]
        if len(places) != 1 or at is None or len(plain) != len(call.args) or at > len(plain):
            reason = f"`{want.scope.parameter}` cannot be placed among the arguments"
            self.mends.obstacle(want.knot, call, reason)
        elif want.purpose == "tabled":
            code = self.mends.code_of(want, want.knot)
            if code is not None:
                mend = AddArgument(filename, call.span, "CAP401", code, None, at)
                self.mends.add(want.knot, mend)

    def _gains(self, one: LambdaObject) -> bool:
        return id(one.node) in self.state.lambdas

    def _places(self, one: Type, scope: Scope) -> Iterator[int | None]:
        """Before which of the old arguments something that is called takes a scope."""
        match one:
            case LambdaObject():
                yield place_in(self.program, one.node, scope)
            case FunctionObject():
                yield self._in_function(one, scope, one.given)
            case Partial(of=FunctionObject() as inner):
                given = inner.given
                count = sum(a.keyword is None for a in one.call.args[1:])
                yield self._in_function(inner, scope, given + count)
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
