"""Signatures that gain a parameter: whole families change together, what tests put in their place with them, and
whatever calls them is asked for an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import Verdict
from capsule_lint.plan.calls.given_already import GivenAlready
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Knot, Want
from capsule_lint.plan.supply.entries import SPECIAL, said_of_base
from capsule_lint.plan.supply.spread_scopes import fills_scope
from capsule_lint.plan.testing.failing import is_to_fail
from capsule_lint.plan.testing.standins import (
    Double,
    StandIn,
    StandIns,
    accepts_anything,
    agrees,
    callables,
    fits,
)
from capsule_lint.plan.uses.absorbed import (
    absorbs,
    hands_on,
    reads_nothing,
    stands_for,
    takes_by_name,
)
from capsule_lint.plan.uses.decorated import given_alike, giving
from capsule_lint.plan.uses.dispatched import Dispatched
from capsule_lint.plan.uses.partials import left_open
from capsule_lint.plan.uses.passers import forwarded_by, is_handed_on
from capsule_lint.plan.uses.passthrough import ASSERTIONS, asserted, forwarded
from capsule_lint.plan.uses.wrapped import around_by, gaining_with, will_take
from capsule_lint.policy import selects
from capsule_lint.program.calling.binding import lacks
from capsule_lint.program.calling.fixtures import is_collected
from capsule_lint.program.calling.overloads import overloads
from capsule_lint.program.inference.types import ClassObject, Foreign, FunctionObject, LambdaObject
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function

_SIGNATURES: Final = ("CAP201", "CAP202", "CAP203")
_COMPLETED: Final = (
    "calls `{}` with less than it takes: nothing shows what gives the rest, and where"
)
_HANDED_ON: Final = "hands on what it is given, among which its callers say it"
_OF_OTHERS: Final = "its signature may not be ours: "


@dataclass(eq=False, slots=True)
class Signatures(Room):
    """Gives functions the parameters, and calls the arguments, that a plan needs."""

    planner: Planner
    stand_ins: StandIns = field(init=False)
    open_partials: set[int] = field(default_factory=set)
    """The partials that leave what is gained to their own calls."""
    beside: set[Function] = field(default_factory=set)
    """The functions that gain something since the same calls may call others, which do."""
    _wrapping: set[Function | None] = field(default_factory=set)
    """The functions of decorators that give scopes: nobody is known to call them by their names."""
    _around: dict[tuple[Function, Scope], list[Function]] = field(default_factory=dict)
    """The wrappers of decorators that gain a scope, and what they hand it on to."""
    _asked: dict[tuple[int, str], Knot] = field(default_factory=dict)
    _told: set[tuple[int, Scope, Function | Class]] = field(default_factory=set)
    """The calls that have been asked for what they may call: one that looks that up in a table may call several."""

    def __post_init__(self) -> None:
        self.stand_ins = StandIns(self.program)

    def gain(self, function: Function, scope: Scope, knot: Knot) -> None:
        """Demand that the function, with its whole family, takes the scope."""
        program, state = self.program, self.state
        alone = frozenset((function,))
        family = alone if function.name in SPECIAL else program.calls.families.of(function)
        first = ("function", function)
        state.groups.join(knot, first)
        declared = program.names.declared
        stubs = {s for member in family for s in (*overloads(member), *declared(member))}
        for member in sorted(family | stubs, key=lambda f: (f.symbol, f.fact.at)):
            own: Knot = ("function", member)
            state.groups.join(first, own)
            taken = program.domain.scope_parameter(member, scope)
            if state.gains(member, scope) or (taken is not None and taken.kind not in ("*", "**")):
                continue
            if self._scope_places(function) and self._stays(member, scope):
                continue
            if absorbs(program, member, scope) or self._absorb(member, scope, own):
                continue
            if (keeper := self.planner.entries.keeper_of(member)) is not None:
                self._block(member, scope, own, _OF_OTHERS + said_of_base(keeper, scope.parameter))
            elif not self.can_gain(member):
                self._block(member, scope, own)
            elif (base := self.planner.entries.base_of(member)) is not None:
                self._block(member, scope, own, _OF_OTHERS + said_of_base(base, scope.parameter))
            elif any(takes_by_name(program, member, s) for s in program.policy.scopes):
                self._block(member, scope, own, "is given scopes by name, with whatever else")
            elif member.name == "__call__" and self._is_called_unseen(member):
                self._block(member, scope, own, "nothing shows who calls the object")
            elif member in state.forwarders:
                self._block(member, scope, own, _HANDED_ON, "reference")
            elif self._is_taken(member, scope.parameter):
                self._block(member, scope, own, f"`{scope.parameter}` means something else in it")
            else:
                state.params[member][scope.parameter] = scope
                self._ask_users(member, scope, own)

    def _stays(self, function: Function, scope: Scope) -> bool:
        """Whether a method is left as it is where one of its family that takes scopes gains another: policy says that its
        class needs none such, nothing that it takes is called after a scope, and whoever calls it calls no other."""
        policy, owner, calls = self.program.policy, function.owner, self.program.calls
        needed = policy.scopes_of(owner.symbol if owner is not None else None)
        if scope in needed or self._scope_places(function):
            return False
        called = (callee for call, _ in calls.callers(function) for callee in calls.callees(call))
        return all(callee.function is function for callee in called)

    def gain_beside(self, function: Function, scope: Scope, knot: Knot) -> None:
        """The same of one that a call may call as well."""
        if not self.state.gains(function, scope):
            self.beside.add(function)
        self.gain(function, scope, knot)

    def _ask_users(self, member: Function, scope: Scope, knot: Knot) -> None:
        """Demand the argument of all that calls a function, or passes on how it is called; what stands in
        its place takes it as well."""
        program, state = self.program, self.state
        if calls := giving(program, member):
            for call in calls:
                self._wrapping.add(program.names.function_of(call))
                self.want_argument(call, scope, member, 0, knot)
            for other in given_alike(program, member):
                self.gain(other, scope, knot)
            return
        for wrapper in list(gaining_with(program, member, scope, state.params)):
            self.gain(wrapper, scope, knot)
        for other, call in list(around_by(program, member, scope, state.params)):
            self.want_argument(call, scope, other, 0, knot)
            self._around.setdefault((member, scope), []).append(other)
        for call, callee in list(program.calls.callers(member)):
            if self._is_completed(call, member, callee.given):
                self._leave(call.func, _COMPLETED.format(member.name), member, scope, knot)
                continue
            self.want_argument(call, scope, member, callee.given, knot)
            self._gain_twins(call, member, scope, knot)
            self._gain_beside(call, member, scope, knot)
            self._double_beside(call, member, callee.given)
            self._look_beside(call, member, scope, knot)
        for call, given, offset in list(forwarded(program, member)):
            uses = left_open(program, member, call, given)
            if uses is None:
                self.want_argument(call, scope, member, given, knot, offset)
                continue
            self.open_partials.add(id(call))
            for use, count in uses:
                self.want_argument(use, scope, member, count, knot)
        for call, given in list(asserted(program, member)):
            self.want_argument(call, scope, member, given, knot)
        for stand_in in self.stand_ins.of(member):
            self._stand_in(stand_in, member, scope, knot)

    def _is_completed(self, call: tree.Call, function: Function, given: int) -> bool:
        """Whether a decorated function is called later, `function.delay(…)`, with less than it takes: the worker of
        a queue gives it more, nobody knows where."""
        later = isinstance(call.func, tree.Attr) and call.func.name != function.name
        return bool(later and function.fact.decorators) and lacks(
            call.args, function.params, given
        )

    def tie(self) -> None:
        """Join wrappers of decorators with what they are put around, where all of that takes the same."""
        program, gained = self.program, self.state.params
        for (wrapper, scope), functions in self._around.items():
            if all(will_take(program, gained, function, scope) for function in functions):
                for function in (one for one in functions if one in gained):
                    self.state.groups.join(("function", wrapper), ("function", function))

    def _gain_twins(self, call: tree.Call, member: Function, scope: Scope, knot: Knot) -> None:
        """What constructs an object of a test's class instead, where a call may make either, takes the same."""
        for twin in self.program.calls.callees(call) if member.name == "__init__" else ():
            other = twin.function
            if other is None or other is member or other.name != "__init__":
                continue
            if other.module.is_test and self.program.domain.takes_scope(other):
                self.gain(other, scope, knot)

    def _gain_beside(self, call: tree.Call, member: Function, scope: Scope, knot: Knot) -> None:
        """What a call may call as well that chooses among functions, from a table or a list of steps, takes the
        same, where it takes the other scopes in the same places."""
        places = self._scope_places(member)
        for callee in self.program.calls.callees(call) if places else ():
            other = callee.function
            if other is None or other is member or other.name in SPECIAL:
                continue
            if other.name == member.name and other.owner is not None:
                continue  # a method of another family
            if self._scope_places(other) == places:
                self.gain_beside(other, scope, knot)

    def _double_beside(self, call: tree.Call, member: Function, given: int) -> None:
        """A lambda of a test that the same call may call takes what the function takes."""
        for one in self.program.inference.of(call.func):
            if isinstance(one, LambdaObject) and self.program.names.module_of(one.node).is_test:
                self._double(one, member, given)

    def _look_beside(self, call: tree.Call, member: Function, scope: Scope, knot: Knot) -> None:
        """A method of a dict or a list that the same call may call, `{"t": repo}.get`, takes no more than it does."""
        for one in self.program.inference.of(call.func):
            kind, _, method = one.name.partition(".") if isinstance(one, Foreign) else ("", "", "")
            if kind == "collection" and method != last_name(call.func):
                reason = f"may call `{method}` of a collection as well, which has no place for `{scope.parameter}`"
                self._leave(call.func, reason, member, scope, knot)

    def _double(self, one: LambdaObject, function: Function, given: int) -> None:
        """A lambda that fits in the place of a function takes what that takes."""
        module, params = self.program.names.module_of(one.node), one.node.params
        gains = id(one.node) in self.state.lambdas
        if not gains and fits(params, function, given, self.program.policy.scopes):
            self.state.double(one.node, Double(one.node.span, module, function, given, params))

    def _scope_places(self, function: Function) -> list[tuple[int, str]]:
        """Where a function takes scopes so far, and their names; empty where it takes none."""
        return [
            (at, scope.name)
            for at, parameter in enumerate(function.own_params)
            for scope in self.program.policy.scopes
            if names_scope(parameter.name, scope)
        ]

    def _is_taken(self, function: Function, name: str) -> bool:
        """Whether a name means something else in a function than what a parameter of it would be."""
        taken = self.planner.sources.visible.is_taken(function, name)
        restated = taken and self.planner.sources.restated.local(function, name) is not None
        return (taken and not restated) or self.planner.local.parted.is_taken(function, name)

    def _absorb(self, function: Function, scope: Scope, knot: Knot) -> bool:
        """Whether an override takes one more argument as it is; its callers pass it all the same."""
        other = stands_for(self.program, function)
        if other is None:
            return False
        if not (hands_on(self.program, function) or reads_nothing(self.program, function)):
            reason = f"which of its arguments is `{scope.parameter}`"
            self._block(function, scope, knot, f"does not say {reason}", "reference")
        for call, callee in list(self.program.calls.callers(function)):
            self.want_argument(call, scope, other, callee.given, knot)
        return True

    def _stand_in(self, stand_in: StandIn, function: Function, scope: Scope, knot: Knot) -> None:
        """What a test puts in the function's place takes what the function takes."""
        given, scopes = stand_in.given, self.program.policy.scopes
        for one in callables(self.program, stand_in.node):
            if isinstance(one, LambdaObject):
                self._double(one, function, given)
            elif isinstance(one, ClassObject):
                self._construct_instead(one.cls, function, scope, knot, stand_in.node)
            elif isinstance(one, FunctionObject) and one.function is not function:
                other = one.function
                params = other.params[int(one.bound and other.takes_self) :]
                if accepts_anything(params) or not fits(params, function, given, scopes):
                    continue
                takes_object = function.takes_self and not given and not other.takes_self
                if agrees(params, function, given, scopes) and not takes_object:
                    self.gain(other, scope, knot)
                elif other.owner is None and not self.program.calls.is_called(other):
                    at = tree.span_of(other.fact.signature_at)
                    double = Double(at, other.module, function, given, params)
                    self.state.double(other.fact, double)

    def _construct_instead(
        self, cls: Class, initializer: Function, scope: Scope, knot: Knot, node: tree.Node
    ) -> None:
        """A class of a test, in whose constructor's place another one comes, takes what that takes."""
        other, scopes = self.program.classes.initializer(cls), self.program.policy.scopes
        if other is None or other is initializer or accepts_anything(other.own_params):
            return
        if fits(other.own_params, initializer, 1, scopes) and agrees(
            other.own_params, initializer, 1, scopes
        ):
            self.gain(other, scope, knot)
        elif self.program.domain.scope_parameter(other, scope) is None:
            reason = f"comes in the place of what gains `{scope.parameter}`, with a constructor of its own"
            self._leave(node, reason, other, scope, knot)

    def can_gain(self, function: Function) -> bool:
        """Whether the signature is ours to change."""
        if function.is_property or function.module.generated or self.is_fixed(function):
            return False
        if function in self._wrapping or self.planner.entries.keeper_of(function) is not None:
            return False
        if function.name == "__init__" and self._is_of_base(function):
            return False
        if function.name.startswith("__") and function.name not in SPECIAL:
            return False
        return not self.is_entered(function) and not (
            function.module.is_test and is_collected(function)
        )

    def _is_called_unseen(self, function: Function) -> bool:
        """Whether objects that are called by their `__call__` are made, and nothing of the program is seen to call
        them, but for tests: a table may have them."""
        calls, module_of = self.program.calls, self.program.names.module_of
        if function.owner is None or function.module.is_test:
            return False
        if any(not module_of(call).is_test for call, _ in calls.callers(function)):
            return False
        return any(not module_of(c).is_test for c, _ in calls.constructors_of(function.owner))

    def is_entered(self, function: Function) -> bool:
        """Whether a framework fills the parameters of a function, and no decorator of the program the scopes."""
        return self.program.domain.enters(function) and not giving(self.program, function)

    def _is_of_base(self, function: Function) -> bool:
        """Whether an initializer takes whatever a foreign base takes, which also calls it."""
        kinds = {p.kind for p in function.own_params}
        return {"*", "**"} <= kinds and any(self.planner.entries.foreign_bases(function))

    def is_fixed(self, function: Function) -> bool:
        """Whether people have said that a signature is meant to be as it is."""
        at = function.fact.name_at
        return any(
            comment.row in range(at[0], at[2] + 1)
            and any(selects(comment.codes or (code,), code) for code in _SIGNATURES)
            for comment in function.module.facts.suppressions
        )

    def _block(
        self,
        function: Function,
        scope: Scope,
        knot: Knot,
        why: str = "its signature is not ours to change",
        kind: str = "source",
    ) -> None:
        reason = f"`{function.name}` needs `{scope.parameter}` and {why}"
        self.planner.obstacle(
            knot,
            function.module.filename,
            tree.span_of(function.fact.name_at),
            reason,
            function.symbol,
            kind,
            scope,
        )

    def _leave(
        self, node: tree.Node, reason: str, function: Function, scope: Scope, knot: Knot
    ) -> None:
        """Leave what stands in the place of a function, or calls it, to a person."""
        filename = self.program.names.module_of(node).filename
        where = filename, node.span, reason, function.symbol
        self.planner.obstacle(knot, *where, "reference", scope)

    def want_argument(
        self,
        call: tree.Call,
        scope: Scope,
        callee: Function | Class,
        given: int,
        knot: Knot,
        offset: int = 0,
    ) -> None:
        """Demand an argument of a call, or of the calls of what passes its own arguments on."""
        why = ""
        if is_to_fail(self.program, call, callee, given, offset):
            why = "is to fail for want of an argument"
        elif GivenAlready(self.planner).gives(call, scope, callee, given, offset):
            why = f"gives `{scope.parameter}` already"
        if why:
            node = call.args[offset - 1].value if offset else call.func
            node = node.base if isinstance(node, tree.Attr) and node.name in ASSERTIONS else node
            self.state.verdicts[id(node)] = Verdict.ALREADY_CORRECT, why
            return
        dispatched = Dispatched(self.program)
        new = self.asks(call, scope, knot)
        if not new and (not dispatched.chooses(call) or (id(call), scope, callee) in self._told):
            return
        self._told.add((id(call), scope, callee))
        if is_handed_on(self.program, call):
            return
        forwarder, leading = forwarded_by(self.program, call, callee, given)
        if forwarder is not None and self._takes_beside(forwarder, scope):
            forwarder = None  # whose callers say the scope before what it hands on
        if forwarder is not None and not fills_scope(self.program, forwarder, call):
            if forwarder.owner is not None or forwarder.parent is None:
                self.state.forwarders.add(forwarder)
                self.state.groups.join(knot, ("function", forwarder))
            before = sum(p.by_position for p in forwarder.own_params)
            for outer, told in list(self.program.calls.callers(forwarder)):
                if dispatched.reaches(outer, told, call, callee):
                    added = given + leading
                    self.want_argument(outer, scope, callee, added, knot, offset + before)
        elif new:
            self.planner.ask(
                Want(
                    *(scope, call, knot, "argument"),
                    call=call,
                    callee=callee,
                    given=given,
                    offset=offset,
                )
            )

    def _takes_beside(self, forwarder: Function, scope: Scope) -> bool:
        """Whether a function that hands its arguments on gains a scope of its own beside these."""
        demanded = scope in self.planner.methods.get(forwarder, ())
        return demanded or self.state.gains(forwarder, scope)

    def asks(self, call: tree.Node, scope: Scope, knot: Knot) -> bool:
        """Note that a call is to be given a scope; whether that is new."""
        key = (id(call), scope.parameter)
        if key in self._asked:
            self.state.groups.join(self._asked[key], knot)
            return False
        self._asked[key] = knot
        return True

    def asked(self, call: tree.Call, scope: Scope) -> Knot | None:
        """What a call belongs to that is going to be given a scope."""
        return self._asked.get((id(call), scope.parameter))
