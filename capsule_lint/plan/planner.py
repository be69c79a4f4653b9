"""Change sets by fixpoint over the call graph: what must gain a parameter, a field, an argument."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.defaulted import Defaulted
from capsule_lint.plan.demands import Demands
from capsule_lint.plan.entities.bypassed import Bypassed
from capsule_lint.plan.entities.gains import Gains
from capsule_lint.plan.entities.items import Items
from capsule_lint.plan.entities.keyed import Keyed
from capsule_lint.plan.entities.loads import Loads
from capsule_lint.plan.entities.spreaders import Spreaders
from capsule_lint.plan.entities.stored import Stored
from capsule_lint.plan.entities.tuples import Tuples
from capsule_lint.plan.halves import Halves
from capsule_lint.plan.keys.fillings import Fillings
from capsule_lint.plan.keys.key_defects import KeyDefects
from capsule_lint.plan.memory.access_checks import AccessChecks
from capsule_lint.plan.memory.drained import Drained
from capsule_lint.plan.memory.fed import Fed
from capsule_lint.plan.memory.group_checks import GroupChecks
from capsule_lint.plan.memory.grouped import Grouped
from capsule_lint.plan.memory.idle_keys import IdleKeys
from capsule_lint.plan.memory.idle_scopes import IdleScopes
from capsule_lint.plan.memory.key_functions import KeyFunctions
from capsule_lint.plan.memory.key_positions import KeyPositions
from capsule_lint.plan.memory.leaks import Leaks
from capsule_lint.plan.memory.local import LocalKeys
from capsule_lint.plan.memory.tokens import Tokens
from capsule_lint.plan.memory.twins import Twins
from capsule_lint.plan.memory.unfiltered import Unfiltered
from capsule_lint.plan.memory.whole_reads import WholeReads
from capsule_lint.plan.scoped_calls import ScopedCalls
from capsule_lint.plan.silence import Silence
from capsule_lint.plan.state import KeyDefect, Knot, Obstacle, State, Value, Want
from capsule_lint.plan.supply.bodies import Bodies
from capsule_lint.plan.supply.entries import SPECIAL, Entries
from capsule_lint.plan.supply.helpers import Helpers
from capsule_lint.plan.supply.messages import Messages
from capsule_lint.plan.supply.origins import Origins
from capsule_lint.plan.supply.others import Others
from capsule_lint.plan.supply.queued import Queued
from capsule_lint.plan.supply.sources import Sources
from capsule_lint.plan.supply.unasked import Unasked
from capsule_lint.plan.supply.values import Values
from capsule_lint.plan.taken_apart.cut_off import CutOff
from capsule_lint.plan.taken_apart.probes import Probes
from capsule_lint.plan.taken_apart.readers import Readers
from capsule_lint.plan.taken_apart.scope_parts import ScopeParts
from capsule_lint.plan.testing.standins import (
    Double,
    StandIn,
    StandIns,
    accepts_anything,
    agrees,
    callables,
    fits,
)
from capsule_lint.plan.uses.absorbed import absorbs, hands_on, reads_nothing, stands_for
from capsule_lint.plan.uses.lambdas import Lambdas
from capsule_lint.plan.uses.partials import left_open
from capsule_lint.plan.uses.passers import forwarded_by, is_handed_on
from capsule_lint.plan.uses.passthrough import asserted, forwarded
from capsule_lint.policy import selects
from capsule_lint.program.calling.fixtures import is_collected
from capsule_lint.program.calling.overloads import overloads
from capsule_lint.program.inference.types import FunctionObject, Instance, LambdaObject
from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from capsule_lint.model import Span
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class
    from capsule_lint.program.places.sites import KeySite

_SIGNATURES: Final = ("CAP201", "CAP202", "CAP203")
_MAX_ROUNDS: Final = 200


@dataclass(eq=False)
class Planner:
    """Grows the plan until nothing is missing."""

    program: Program
    state: State = field(default_factory=State)
    sources: Sources = field(init=False)
    defects: list[KeyDefect] = field(default_factory=list)
    silenced: list[KeyDefect] = field(default_factory=list)
    """Defects that people have said are meant."""
    sites: dict[int, KeySite] = field(default_factory=dict)
    methods: dict[Function, list[Scope]] = field(default_factory=dict)
    """Repository methods that lack parameters, by themselves."""
    drifting: dict[Function, Function] = field(default_factory=dict)
    partial_calls: dict[int, tuple[tree.Call, Function | Class, list[Scope]]] = field(
        default_factory=dict
    )
    open_partials: set[int] = field(default_factory=set)
    """The partials that leave what is gained to their own calls."""
    stand_ins: StandIns = field(init=False)
    silence: Silence = field(init=False)
    local: LocalKeys = field(init=False)
    loads: Loads = field(init=False)
    bypassed: Bypassed = field(init=False)
    items: Items = field(init=False)
    keyed: Keyed = field(init=False)
    readers: Readers = field(init=False)
    scope_parts: ScopeParts = field(init=False)
    cut_off: CutOff = field(init=False)
    tuples: Tuples = field(init=False)
    keys: KeyDefects = field(init=False)
    gains: Gains = field(init=False)
    demands: Demands = field(init=False)
    scoped: ScopedCalls = field(init=False)
    defaulted: Defaulted = field(init=False)
    messages: Messages = field(init=False)
    bodies: Bodies = field(init=False)
    whole_reads: WholeReads = field(init=False)
    unfiltered: Unfiltered = field(init=False)
    fed: Fed = field(init=False)
    values: Values = field(init=False)
    origins: Origins = field(init=False)
    others: Others = field(init=False)
    entries: Entries = field(init=False)
    lambdas: Lambdas = field(init=False)
    spreaders: Spreaders = field(init=False)
    fillings: Fillings = field(init=False)
    queued: Queued = field(init=False)
    _queued: list[Want] = field(default_factory=list)
    _unserved: dict[Want, tuple[Function | None, str]] = field(default_factory=dict)
    """The wants that nobody who calls the functions around can satisfy, and why."""
    _asked: dict[tuple[int, str], Knot] = field(default_factory=dict)
    loose: set[int] = field(default_factory=set)
    """The wants that nothing but an entity in scope can satisfy."""
    last: dict[int, Value] = field(default_factory=dict)
    """What wants are given for which nothing else has a value: a constant, or a call without arguments."""
    prefixes: list[KeySite] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sources = Sources(self.program, self.state)
        self.stand_ins = StandIns(self.program)
        self.silence = Silence(self.program.policy)
        self.local = LocalKeys(self.program, self.state, self.silence)
        self.loads = Loads(self)
        self.bypassed = Bypassed(self)
        self.stored = Stored(self)
        self.items = Items(self)
        self.keyed = Keyed(self)
        self.readers = Readers(self.program, self.state)
        self.scope_parts = ScopeParts(self)
        self.cut_off = CutOff(self)
        self.tuples = Tuples(self)
        self.keys = KeyDefects(self)
        self.gains = Gains(self)
        self.helpers = Helpers(self)
        self.demands = Demands(self)
        self.scoped = ScopedCalls(self)
        self.defaulted = Defaulted(self)
        self.messages = Messages(self)
        self.bodies = Bodies(self)
        self.whole_reads = WholeReads(self)
        self.unfiltered = Unfiltered(self, self.whole_reads)
        self.fed = Fed(self)
        self.values = Values(self)
        self.others = Others(self)
        self.origins = Origins(self.program, self.values)
        self.entries = Entries(self.program, self.values)
        self.lambdas = Lambdas(self)
        self.spreaders = Spreaders(self.program)
        self.fillings = Fillings(self)
        self.queued = Queued(self)

    def plan(self) -> None:
        """Fill the state."""
        for site in tuple(self.program.keys.sites):  # which judging adds to
            if not site.module.is_test:
                self.keys.judge(site)
        probes = Probes(self.program, self.readers)
        for site in [s for s in self.prefixes if probes.loses(s, self.defects)]:
            self.keys.judge(site, prefix=True)
        self.keys.check()
        self.local.find()
        self.items.find()
        self.keyed.find()
        for want in self.local.notes.wants:
            self.gains.mirror(want)
        for defect in self.defects:
            for want in defect.wants.values():
                self.gains.mirror(want)
        self.gains.entities()
        self.gains.keys()
        self.demands.find()
        self.fillings.find()
        self.scoped.calls()
        self.scoped.helpers()
        for want in [w for d in self.defects for w in d.wants.values()] + self.local.notes.wants:
            self.ask(want)
        self._settle()
        parts = (self.loads, self.items, self.unfiltered, self.defaulted, self.fed, self.lambdas)
        checks = AccessChecks(self), GroupChecks(self), KeyPositions(self), Tokens(self)
        others = (
            *parts,
            self.bypassed,
            self.cut_off,
            *checks,
            self.whole_reads,
            IdleKeys(self),
            self.bodies,
            Drained(self, self._unserved),
        )
        while any(part.extend() for part in others):
            self._settle()
        for want, (function, why) in self._unserved.items():
            if self.values.value(want) is None:
                self._no_source(want, function, why)
                for knot in self.origins.loop_knots(want):
                    self.state.groups.join(want.knot, knot)
        self.values.settle()
        self._tie()
        self._tie_protocols()
        self.defaulted.tie()
        self.lambdas.tie()
        KeyFunctions(self).extend()
        local = self.local
        Twins(self).find(tuple(local.notes.defects))
        idle = IdleScopes(self.program, self.state, local.notes, local.collections)
        idle.check(self.state.wants)
        Halves(self).tie()
        leaks = Leaks(self.local)
        leaks.note()
        Grouped(self).note()
        self.loads.check()
        self.fed.check()
        self.readers.find(self.defects)
        leaks.parsed(self.readers.found)
        self.tuples.find()

    def gain_param(self, function: Function, scope: Scope, knot: Knot) -> None:
        """Demand that the function, with its whole family, takes the scope."""
        family = (
            self.program.calls.family(function)
            if function.name not in SPECIAL
            else frozenset((function,))
        )
        first = ("function", function)
        self.state.groups.join(knot, first)
        declared = self.program.names.declared
        stubs = {s for member in family for s in (*overloads(member), *declared(member))}
        for member in sorted(family | stubs, key=lambda f: (f.symbol, f.fact.at)):
            own: Knot = ("function", member)
            self.state.groups.join(first, own)
            taken = self.program.domain.scope_parameter(member, scope)
            if scope.parameter in self.state.params.get(member, ()) or (
                taken is not None and taken.kind not in ("*", "**")
            ):
                continue
            if absorbs(self.program, member, scope) or self._absorb(member, scope, own):
                continue
            if not self.can_gain(member):
                self._block(member, scope, own)
                continue
            if self._is_taken(member, scope.parameter):
                self._block(member, scope, own, f"`{scope.parameter}` means something else in it")
                continue
            self.state.params[member][scope.parameter] = scope
            for call, callee in list(self.program.calls.callers(member)):
                self.want_argument(call, scope, member, callee.given, own)
                self._gain_twins(call, member, scope, own)
            for call, given, offset in list(forwarded(self.program, member)):
                uses = left_open(self.program, member, call, given)
                if uses is None:
                    self.want_argument(call, scope, member, given, own, offset)
                    continue
                self.open_partials.add(id(call))
                for use, count in uses:
                    self.want_argument(use, scope, member, count, own)
            for call, given in list(asserted(self.program, member)):
                self.want_argument(call, scope, member, given, own)
            for stand_in in self.stand_ins.of(member):
                self._stand_in(stand_in, member, scope, own)

    def _gain_twins(self, call: tree.Call, member: Function, scope: Scope, knot: Knot) -> None:
        """What constructs an object of a test's class instead, where a call may make either, takes the same."""
        for twin in self.program.calls.callees(call) if member.name == "__init__" else ():
            other = twin.function
            if other is None or other is member or other.name != "__init__":
                continue
            if other.module.is_test and self.program.domain.takes_scope(other):
                self.gain_param(other, scope, knot)

    def _is_taken(self, function: Function, name: str) -> bool:
        """Whether a name means something else in a function than what a parameter of it would be."""
        taken = self.sources.visible.is_taken(function, name)
        restated = taken and self.sources.restated.local(function, name) is not None
        return (taken and not restated) or self.local.parted.is_taken(function, name)

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
            if isinstance(one, LambdaObject) and fits(one.node.params, function, given, scopes):
                module = self.program.names.place(one.node).scope.module
                params = one.node.params
                double = Double(one.node.span, module, function, given, params)
                self.state.double(one.node, double)
            elif isinstance(one, FunctionObject) and one.function is not function:
                other = one.function
                params = other.params[int(one.bound and other.takes_self) :]
                if accepts_anything(params) or not fits(params, function, given, scopes):
                    continue
                if agrees(params, function, given, scopes):
                    self.gain_param(other, scope, knot)
                elif other.owner is None and not any(
                    True for _ in self.program.calls.callers(other)
                ):
                    at = tree.span_of(other.fact.signature_at)
                    double = Double(at, other.module, function, given, params)
                    self.state.double(other.fact, double)

    def can_gain(self, function: Function) -> bool:
        """Whether the signature is ours to change."""
        if function.is_property or function.module.generated or self.is_fixed(function):
            return False
        if function.name == "__init__" and self._is_of_base(function):
            return False
        if function.name.startswith("__") and function.name not in SPECIAL:
            return False
        return not self.program.domain.enters(function) and not (
            function.module.is_test and is_collected(function)
        )

    def _is_of_base(self, function: Function) -> bool:
        """Whether an initializer takes whatever a foreign base takes, which also calls it."""
        kinds = {p.kind for p in function.own_params}
        return {"*", "**"} <= kinds and any(self.entries.foreign_bases(function))

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
        self.obstacle(
            knot,
            function.module.filename,
            tree.span_of(function.fact.name_at),
            reason,
            function.symbol,
            kind,
            scope,
        )

    def obstacle(
        self,
        knot: Knot,
        filename: str,
        span: Span,
        reason: str,
        symbol: str,
        kind: str,
        scope: Scope,
    ) -> None:
        """Note why a change cannot be proven."""
        self.state.obstacles.append(
            (knot, Obstacle(filename, span, reason, symbol, kind, (scope.name,)))
        )

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
        if not self.asks(call, scope, knot):
            return
        if is_handed_on(self.program, call):
            return
        forwarder, leading = forwarded_by(self.program, call, callee, given)
        if forwarder is not None and not self.values.fills(forwarder, call):
            if forwarder.owner is not None or forwarder.parent is None:
                self.state.forwarders.add(forwarder)
                self.state.groups.join(knot, ("function", forwarder))
            before = sum(p.kind in ("plain", "posonly") for p in forwarder.own_params)
            for outer, _ in list(self.program.calls.callers(forwarder)):
                self.want_argument(outer, scope, callee, given + leading, knot, offset + before)
            return
        want = Want(
            scope, call, knot, "argument", call=call, callee=callee, given=given, offset=offset
        )
        self.state.wants.append(want)
        self._queued.append(want)

    def asks(self, call: tree.Call, scope: Scope, knot: Knot) -> bool:
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

    # --- fixpoint ---

    def want(self, want: Want) -> None:
        """One more place that needs a scope's value."""
        self.gains.mirror(want)
        self.ask(want)

    def ask(self, want: Want) -> None:
        """Queue a want, to be satisfied by the fixpoint."""
        self.state.wants.append(want)
        self._queued.append(want)

    def _settle(self) -> None:
        while self._queued:
            queue, self._queued = self._queued, []
            for want in queue:
                self._satisfy(want)

    def _tie(self) -> None:
        """Join every want to what its value comes from in the end: a later parameter may be nearer
        than the source that was there when it was asked first."""
        for want in self.state.wants:
            value = self.values.value(want)
            if value is None:
                continue
            if value.knot is not None:
                self.state.groups.join(want.knot, value.knot)
            if value.root in self.state.handler_params:
                self.state.groups.join(want.knot, self.state.handler_params[value.root])

    def _tie_protocols(self) -> None:
        """What a Protocol demands changes together with what fits it, whether or not anything shows
        that it is meant to: one without the other may break calls that nobody has seen."""
        gaining: dict[str, list[tuple[Function, Class]]] = defaultdict(list)
        for function in self.state.params:
            if function.owner is not None and not function.module.is_test:
                gaining[function.name].append((function, function.owner))
        for pairs in gaining.values():
            for demanded, protocol in pairs:
                for function, cls in pairs:
                    if self.program.classes.fits(cls, protocol):
                        self.state.groups.join(("function", demanded), ("function", function))

    def _satisfy(self, want: Want) -> None:
        self.queued.extend(want)
        value = self.values.value(want)
        if value is not None:
            if value.knot is not None:
                self.state.groups.join(want.knot, value.knot)
            return
        host = self.origins.host(want)
        function = host if isinstance(host, Function) else None
        rivals = self.sources.configured.rivals(want.scope, want.node, want.call)
        if rivals:
            said = " and ".join(f"`{code}`" for code in rivals)
            self._no_source(want, function, f"both {said} have `{want.scope.parameter}`")
            return
        if self._extend_item(want) or self._extend_self(want):
            return
        why, anothers = self.origins.why_not(want), self.others.beside(want) is not None
        if why is not None and (anothers or not self._has_constant(want)):
            self._unserved[want] = (function, why)
            return
        if function is not None and self.messages.extend(want, function):
            return
        if function is not None and self._asks_by_itself(function, want):
            return
        if function is not None and self._thread(function, want):
            name = want.scope.parameter
            if self.values.value(want) is None and not self.sources.visible.is_taken(
                function, name
            ):
                reason = f"`{name}` means something else here"
                self._no_source(want, function, reason)
            return
        if function is None and self.lambdas.serve(want):
            return
        self.loose.add(id(want))
        if self.values.value(want) is None and not self._has_constant(want):
            self._no_source(want, function, self.entries.reason(want))

    def _has_constant(self, want: Want) -> bool:
        """Whether policy names a constant that a want can be given where there is nothing else."""
        constant = self.sources.constant(want.scope)
        return not self.bodies.is_sent(want) and self._fall_back(want, constant)

    def _asks_by_itself(self, function: Function, want: Want) -> bool:
        """Whether a function that nobody calls finds the value by itself, and no object at hand has another."""
        value = Unasked(self).value(function, want.scope)
        if value is None:
            return False
        self.loose.add(id(want))
        held = self.values.value(want)
        self.loose.discard(id(want))
        return held is None and self._fall_back(want, value)

    def _fall_back(self, want: Want, value: Value | None) -> bool:
        if value is not None:
            self.last[id(want)] = value
        return value is not None

    def _extend_item(self, want: Want) -> bool:
        """A key helper that is given `item.tenant_id`: the class of `item` gets the other scope too."""
        if want.call is None or want.callee not in self.program.keys.helpers:
            return False
        for _, path in self.values.beside(want):
            if not isinstance(path, tree.Attr):
                continue
            owners = self.program.inference.of(path.base)
            classes = [t.cls for t in owners if isinstance(t, Instance)]
            if classes and all(self.program.domain.is_item(c) for c in classes):
                found = self.gains.mirrored(path, want.scope, want.knot)
                if found is not None and self.values.value(want) is not None:
                    return True
        return False

    def _extend_self(self, want: Want) -> bool:
        """A call that is given `self.tenant_id`, of a class whose constructor takes it: the class gets
        the other scope the same way."""
        for _, path in self.values.beside(want):
            if not isinstance(path, tree.Attr) or not isinstance(path.base, tree.Name):
                continue
            function = self.program.names.place(want.node).scope.function
            owner = function.owner if function is not None else None
            if owner is None or function is None or not function.takes_self:
                continue
            if path.base.id != function.params[0].name or not self._is_given(owner, path.name):
                continue
            if self.gains.mirrored(path, want.scope, want.knot) is not None:
                return self.values.value(want) is not None
        return False

    def _is_given(self, cls: Class, name: str) -> bool:
        """Whether a constructor stores one of its parameters under a name, or what one of them has."""
        return any(
            store.function.name == "__init__"
            and isinstance(value := store.value, tree.Name | tree.Attr)
            and isinstance(value.base if isinstance(value, tree.Attr) else value, tree.Name)
            for owner in self.program.classes.mro(cls)
            for store in owner.stores.get(name, ())
        )

    def _thread(self, function: Function, want: Want) -> bool:
        """Give the enclosing function the parameter, so that its callers become call sites."""
        if self.program.domain.enters(function):
            parameter = self.program.policy.handlers.parameter
            if (
                parameter is None
                or function.parameter(parameter.name) is not None
                or function not in self.program.domain.handlers
                or self.program.policy.handlers.is_function(function.symbol)
                or any(True for _ in self.program.calls.callers(function))
            ):
                return False
            self.state.handler_params[function] = want.knot
            if self.values.value(want) is None:
                del self.state.handler_params[function]
                return False
            return True
        if (
            function.is_property
            and function.owner is not None
            and self.gains.can_gain_field(function.owner)
        ):
            self.gains.gain_field(function.owner, want.scope, want.knot)
            return self.values.value(want) is not None
        if not self.can_gain(function):
            return False
        if self.entries.takes_nothing(function, want):
            return False
        self.gain_param(function, want.scope, want.knot)
        return True

    def _no_source(self, want: Want, function: Function | None, reason: str = "") -> None:
        module = self.program.names.place(want.node).scope.module
        if module.generated and want.call is not None:
            return  # the call is told of as one that nobody may edit
        symbol = function.symbol if function is not None else module.name
        reason = reason or f"nothing in scope yields `{want.scope.parameter}`"
        span = (want.call or want.node).span
        self.obstacle(want.knot, module.filename, span, reason, symbol, "source", want.scope)
