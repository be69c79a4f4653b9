"""Scopes that functions and entities have a value for by themselves, and the calls that leave them to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.absent import absent_at
from capsule_lint.plan.uses.partials import left_open
from capsule_lint.plan.uses.passthrough import asserted, forwarded
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.types import FunctionObject
from capsule_lint.program.model import Class, Function, enclosing, owner_of
from capsule_lint.program.purposes.naming import entity_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.places.sites import KeySite

Taker = Function | Class
"""What takes a scope: a function, or an entity that is made of its fields."""
_GIVING: Final = (tree.Call, tree.Sequence, tree.DictDisplay, tree.Eval)
"""Where an expression is a value that something else may call."""
Call = tuple[tree.Call, int]
"""A call, and how many parameters are filled before its arguments."""


@dataclass(eq=False)
class Defaulted(Room):
    """Finds the calls to which the argument can be given.

    A value that is written out is some scope's, and each call is asked by itself. `None` makes another
    key: the calls change together, or not at all.
    """

    planner: Planner
    _judged: int = 0
    """How many wants have been looked at."""

    def extend(self) -> bool:
        """Demand the argument where a call leaves a scope to its default, and the value is at hand;
        whether there was anything."""
        found = self._fill_idle()
        for taker, scope in self._valued:
            for call, given in self._open(taker, scope):
                found |= self._fill(call, taker, given, scope)
        for taker, scope in self._missing:
            knot: Knot = ("defaulted", (taker, scope.name))
            for call, given in self._open(taker, scope):
                if not self._is_meant(call, taker, scope) and self._fill(
                    call, taker, given, scope
                ):
                    self.state.groups.join(knot, ("call", id(call)))
                    found = True
        return found

    def _fill_idle(self) -> bool:
        """Demand the argument where a call leaves out what its function took for nothing so far, and now makes
        a key of: no such call meant anything by that."""
        new, self._judged = self.state.wants[self._judged :], len(self.state.wants)
        for want in new:
            for function in enclosing(self.program.names.place(want.node)):
                if (function, want.scope) in self._idle:
                    knot: Knot = ("function", function)
                    self.state.groups.join(want.knot, knot)
                    for member in self.program.calls.families.of(function):
                        self._ask_all(member, want.scope, knot)
        return len(self.state.wants) > self._judged

    def _ask_all(self, function: Function, scope: Scope, knot: Knot) -> None:
        """Demand the argument of all that calls a function without it, or says how it is called."""
        program = self.program
        want = self.planner.signatures.want_argument
        for call, given in list(self._calls(function, scope)):
            self.planner.partial_calls[id(call)] = (call, function, [scope])
            want(call, scope, function, given, knot)
        passing = list(forwarded(program, function))
        for call, given, offset in passing:
            uses = left_open(program, function, call, given)
            if uses is None and _may_leave_out(call.args[offset:], function, given, scope):
                want(call, scope, function, given, knot, offset)
            for use, count in uses or ():
                if _leaves_out(use.args, function.params, count, scope):
                    want(use, scope, function, count, knot)
        for call, given in list(asserted(program, function)):
            if _leaves_out(call.args, function.params, given, scope):
                want(call, scope, function, given, knot)
        self._tie_values_of(function, scope, knot, {id(call) for call, _, _ in passing})

    def _tie_values_of(
        self, function: Function, scope: Scope, knot: Knot, passing: set[int]
    ) -> None:
        """Where a function is a value, which who calls it may leave the scope out of, a person must look."""
        names = self.program.names
        for node in list(names.named(function.name)):
            parent = names.parent(node)
            called = isinstance(parent, tree.Call) and parent.func is node
            if called or id(parent) in passing or not isinstance(parent, _GIVING):
                continue
            types = self.program.inference.of(node)
            if any(isinstance(one, FunctionObject) and one.function is function for one in types):
                reason = f"is used as a value, and may leave `{scope.parameter}` out"
                where = names.module_of(node).filename, node.span, reason, function.symbol
                self.planner.obstacle(knot, *where, "reference", scope)

    def tie(self) -> None:
        """Where calls that make no key of their scope remain, or tests make some, a person must look."""
        for taker, scope in self._missing:
            self._tie_callers(taker, scope)
        groups = self.state.groups
        changing = {
            groups.find(("call", id(call)))
            for call, callee, scopes in self.planner.partial_calls.values()
            if any((callee, scope) in self._missing for scope in scopes)
        }
        for taker, scope in self._missing:
            knot: Knot = ("defaulted", (taker, scope.name))
            for call, _ in self._calls(taker, scope) if groups.find(knot) in changing else ():
                if id(call) not in self.planner.partial_calls and not self._is_meant(
                    call, taker, scope
                ):
                    filename = self.program.names.module_of(call).filename
                    reason = f"it leaves `{scope.parameter}` out as well"
                    where = filename, call.span, reason, taker.symbol
                    self.planner.obstacle(knot, *where, "reference", scope)

        for taker, scope in self._valued:
            self._tie_literals(taker, scope)

    def _tie_literals(self, taker: Taker, scope: Scope) -> None:
        """Where the same key has the value written out, what is told it and what is not would part: a person must
        look."""
        told = [
            call
            for call, callee, scopes in self.planner.partial_calls.values()
            if callee is taker and scope in scopes
        ]
        for site in self._spelled_out(taker, scope) if told else ():
            for call in told:
                reason = f"has `{scope.parameter}` of a key written out that others are told"
                where = site.module.filename, site.template.host.span, reason, taker.symbol
                self.planner.obstacle(("call", id(call)), *where, "reference", scope)

    def _spelled_out(self, taker: Taker, scope: Scope) -> Iterator[KeySite]:
        """The keys that are what a helper makes, but for a scope's value, which is written out."""
        program = self.program
        own = program.keys.inside(taker) if isinstance(taker, Function) else ()
        made = [set(program.domain.tags_of(site.template)) for site in own]
        for site in program.keys.sites if made else ():
            if site.module.is_test or site.module.generated:
                continue
            segments = program.templates.segments(site.template.pieces)
            if any(s.scope == scope.name and s.literal for s in segments):
                said = set(program.domain.tags_of(site.template))
                if any(tags and tags < said and len(said - tags) == 1 for tags in made):
                    yield site

    def _tie_callers(self, taker: Taker, scope: Scope) -> None:
        """Functions that hand their own default on, and entities whose keys are made of it, change together with
        what they hand it to."""
        knot: Knot = ("defaulted", (taker, scope.name))
        for call, _ in list(self._callers(taker)):
            around = self.program.names.function_of(call)
            for one in (around, around.owner) if around is not None else ():
                if one is not None and (one, scope) in self._missing:
                    self.state.groups.join(knot, ("defaulted", (one, scope.name)))

    @cached_property
    def _defaults(self) -> list[tuple[Taker, Scope, tree.Node]]:
        names, classes = self.program.names, self.program.classes
        takers: list[tuple[Taker, tuple[tree.Parameter, ...]]] = [
            (function, function.params)
            for module in names.judged()
            for function in (module.functions if not module.is_test else ())
        ]
        takers += [
            (cls, classes.constructor(cls) or ())
            for cls in sorted(self.program.domain.entities, key=lambda c: c.symbol)
            if classes.is_data(cls) and not cls.module.is_test
        ]
        return [
            (taker, scope, own.default)
            for taker, params in takers
            for scope in self.program.policy.scopes
            for own in params
            if own.name == scope.parameter and own.default is not None
        ]

    @cached_property
    def _valued(self) -> list[tuple[Taker, Scope]]:
        """What has a scope's value as its default."""
        constant = self.program.templates.constant
        return [(taker, scope) for taker, scope, node in self._defaults if constant(node)]

    @cached_property
    def _idle(self) -> set[tuple[Taker, Scope]]:
        """What has `None` as its default, and does nothing with what it is given."""
        return {
            (taker, scope)
            for taker, scope, node in self._defaults
            if isinstance(taker, Function)
            and _is_none(node)
            and not any(
                isinstance(one, tree.Name) and one.id == scope.parameter
                for one in self.program.names.inside(taker)
            )
        }

    @cached_property
    def _missing(self) -> list[tuple[Taker, Scope]]:
        """What has `None` as its default, and makes a key of what it is given."""
        left = [
            (taker, scope)
            for taker, scope, node in self._defaults
            if _is_none(node) and (taker, scope) not in self._idle
        ]
        helpers, scopes_of = self.program.keys.helpers, self.program.policy.scopes_of
        found = [
            (taker, scope)
            for taker, scope in left
            if taker in helpers or (isinstance(taker, Class) and scope in scopes_of(taker.name))
        ]
        before = 0
        while before != len(found):
            before = len(found)
            found += [pair for pair in left if pair not in found and self._passes_on(*pair, found)]
        return found

    def _passes_on(self, function: Taker, scope: Scope, makers: list[tuple[Taker, Scope]]) -> bool:
        """Whether a function does nothing with the scope but to hand it on to what makes keys."""
        program = self.program
        if isinstance(function, Class):
            return False
        reads = program.names.called(function, scope.parameter)
        return bool(reads) and all(
            isinstance(call := program.names.parent(node), tree.Call)
            and any(
                (callee.function, scope) in makers
                for callee in program.calls.callees(call)
                if callee.function is not None
            )
            for node in reads
        )

    def _callers(self, taker: Taker) -> Iterator[Call]:
        calls = self.program.calls
        if isinstance(taker, Class):
            yield from ((call, 0) for call, _ in calls.constructors_of(taker))
        else:
            yield from ((call, callee.given) for call, callee in calls.callers(taker))

    def _calls(self, taker: Taker, scope: Scope) -> Iterator[Call]:
        """The calls that leave the scope out."""
        made = self.program.classes.constructor(taker) if isinstance(taker, Class) else None
        params = taker.params if isinstance(taker, Function) else made or ()
        for call, given in list(self._callers(taker)):
            if _leaves_out(call.args, params, given, scope):
                yield call, given

    def _open(self, taker: Taker, scope: Scope) -> Iterator[Call]:
        """Those of them in the program itself that have not been asked."""
        for call, given in self._calls(taker, scope):
            module = self.program.names.module_of(call)
            silent = self.planner.silence.over(module, call.at, "CAP401")
            if id(call) not in self.planner.partial_calls and not module.is_test and not silent:
                yield call, given

    def _is_meant(self, call: tree.Call, taker: Taker, scope: Scope) -> bool:
        """Whether a call asks for the key without the scope: the value is missing there, the key is that of an
        entity which policy has without the scope, or the same code asks for the key with it as well."""
        names = self.program.names
        if absent_at(names, call, scope) or self.needs_less(call, scope):
            return True
        around, open_calls = (
            names.function_of(call),
            {id(c) for c, _ in self._calls(taker, scope)},
        )
        return around is not None and any(
            names.function_of(other) is around and id(other) not in open_calls
            for other, _ in list(self._callers(taker))
        )

    def _fill(self, call: tree.Call, taker: Taker, given: int, scope: Scope) -> bool:
        """Demand the argument of one call."""
        found = self.planner.sources.find(scope, call, call)
        if found is None and not self._makes_key(call, scope):
            return False
        self.planner.partial_calls[id(call)] = (call, taker, [scope])
        self.planner.signatures.want_argument(call, scope, taker, given, ("call", id(call)))
        return True

    def _makes_key(self, call: tree.Call, scope: Scope) -> bool:
        """Whether a call is made by a key helper, which is not told the scope."""
        around = self.program.names.function_of(call)
        return (
            around is not None
            and around in self.program.keys.helpers
            and self.program.domain.scope_parameter(around, scope) is None
        )

    def needs_less(self, call: tree.Call, scope: Scope) -> bool:
        """Whether a call says by a word, or by the name of what it is made in, that the key is that of an entity which
        policy has without the scope: `key(tenant_id, "SETTINGS")`, `settings_key(tenant_id)`."""
        program = self.program
        around, called = program.names.function_of(call), program.domain.belonging.called
        texts = (program.templates.constant(argument.value) for argument in call.args)
        said = [text for text in texts if text and not called.is_like_scope(text)]
        names = [one.name for one in (around, owner_of(around)) if one is not None]
        scopes_of = program.policy.scopes_of
        others = (cls for text in said for cls in called.naming.within(entity_words(text)))
        if any(scope in scopes_of(cls.name) for cls in others):
            return False  # whatever it is made in
        found = [called.after(text) for text in said] + [called.beside_scopes(n) for n in names]
        return any(one and scope not in scopes_of(one) for one in found)


def _is_none(node: tree.Node) -> bool:
    return isinstance(node, tree.Const) and node.value is None and not node.kind


def _leaves_out(
    args: Sequence[tree.Argument], params: Sequence[tree.Parameter], given: int, scope: Scope
) -> bool:
    """Whether a call leaves a scope to its default."""
    bound = bind(args, params, given)
    return bound is not None and not bound.starred and scope.parameter not in bound.arguments


def _may_leave_out(
    args: Sequence[tree.Argument], function: Function, given: int, scope: Scope
) -> bool:
    """The same of arguments to which others may be added: `partial(load, tenant_id)`."""
    behind = [p.name for p in function.params if p.by_position][given + len(args) :]
    stars = any(argument.star for argument in args)
    return (
        not stars
        and scope.parameter not in {argument.keyword for argument in args}
        and (scope.parameter in behind or any(argument.keyword for argument in args))
    )
