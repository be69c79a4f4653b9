"""Calls of what is scoped already, and of key helpers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.reach import returning
from capsule_lint.plan.room import Room
from capsule_lint.plan.uses.absorbed import ANYTHING
from capsule_lint.plan.uses.decorated import giving
from capsule_lint.plan.uses.partials import called_with, is_known_late, left_open
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.calling.fixtures import is_collected
from capsule_lint.program.calling.passing import AS_GIVEN
from capsule_lint.program.expected_errors import expected_of
from capsule_lint.program.local_names import bound_whole, is_only_read
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.texts.pieces import hole_name, names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.calling.binding import Bound
    from capsule_lint.program.model import Class


_INJECTING: Final = frozenset(("inject", "autowired"))
"""Decorators of frameworks that fill the parameters which a call leaves out."""
_REFUSALS: Final = frozenset(("TypeError", "ValidationError"))
"""The errors, or what they are caught as, of calls that lack an argument, and of what validates its arguments."""


@dataclass(eq=False, slots=True)
class ScopedCalls(Room):
    """Finds the calls that lack an argument."""

    planner: Planner

    def calls(self) -> None:
        """Calls that lack the argument of a parameter that is there (CAP401)."""
        for module in self.program.names.modules.values():
            for function in module.functions:
                scopes = [
                    (s, p)
                    for s in self.program.policy.scopes
                    if (p := function.parameter(s.parameter)) is not None
                    and p.default is None
                    and p.kind != "**"
                ]
                if (
                    scopes
                    and not is_collected(function)
                    and not self.program.domain.enters(function)
                    and not giving(self.program, function)
                    and _INJECTING.isdisjoint(function.decorators)
                ):
                    self._check_callers(function, scopes)
        parameters = {scope.parameter for scope in self.program.policy.scopes}
        for cls in self.program.classes.having(parameters.__contains__):
            if self.program.classes.is_data(cls):
                for call, callee in list(self.program.calls.constructors_of(cls)):
                    params = self._fields(call, callee.cls or cls)
                    needed = [
                        (s, p)
                        for s in self.program.policy.scopes
                        for p in params
                        if p.name == s.parameter and p.default is None
                    ]
                    if needed:  # an heir may give fields defaults
                        self._check_call(call, params, 0, needed, cls)

    def _fields(self, call: tree.Call, cls: Class) -> tuple[tree.Parameter, ...]:
        """What a class is made of. Though a `TypedDict` may say of no key that it must be there, a row has the scopes that
        its key gains, and where it tells of one those that its key says, or all if that is not known. What is copied of
        another row, `Draft(PK=row["PK"], tenant_id=row["tenant_id"])`, has what that has."""
        params, program = self.program.classes.constructor(cls) or (), self.program
        if not program.classes.is_typed_dict(cls):
            return params
        scopes, given = program.policy.scopes, dict(call.keywords)
        keys = [value for name, value in given.items() if program.policy.is_key_name(name)]
        written = [t for key in keys for t in program.templates.resolve(key)]
        for maker in returning(program, *keys):
            written += [site.template for site in program.keys.inside(maker)]
        said = {one.scope for t in written for one in program.templates.segments(t.pieces)}
        told = [value for name, value in given.items() if names_any_of(name, scopes)]
        if said and not told:
            return params
        if told and keys and not written and not _is_copied([*keys, *told]):
            said = {scope.name for scope in scopes}
        said |= {
            s.name for key in keys for d in self.planner.items.changing(key) for s in d.missing
        }
        own = [s for s in scopes if s.name in said]
        return tuple(replace(p, default=None) if names_any_of(p.name, own) else p for p in params)

    def _check_callers(
        self, function: Function, scopes: list[tuple[Scope, tree.Parameter]]
    ) -> None:
        for call, callee in list(self.program.calls.callers(function)):
            self._check_call(call, function.params, callee.given, scopes, function)
        for call, given, offset in self.program.calls.handed_on(function):
            if last_name(call.func) in AS_GIVEN and not self.program.calls.callees(call):
                self._check_call(call, function.params, given, scopes, function, offset)
            told = called_with(self.program, call)
            if told and left_open(self.program, function, call, given) is None:
                self._check_call(call, function.params, given, scopes, function, offset, told)

    def _check_call(
        self,
        call: tree.Call,
        params: tuple[tree.Parameter, ...],
        given: int,
        scopes: list[tuple[Scope, tree.Parameter]],
        callee: Function | Class,
        offset: int = 0,
        told: Sequence[tuple[tree.Argument, ...]] = (),
    ) -> None:
        """A call that does not bind because a scope's argument is not there, and would without that parameter; or that
        binds since a default makes up for it. So many of its arguments stand before those that it passes on; what a
        partial gives is `told` with what its calls add."""
        given_by = [
            (args, unheld)
            for args in (self._said(own, params, scopes) for own in told or [call.args[offset:]])
            if (unheld := self._unheld(args)) is not None
        ]
        if len(given_by) < max(len(told), 1):
            return
        if any(_binds(args, params, given, unheld) for args, unheld in given_by):
            own = not told and not offset
            scopes = [pair for pair in scopes if own and self._is_shifted(call, pair[0])]
            if not scopes:
                return
        module = self.program.names.module_of(call)
        if module.is_test and self._is_refused(call, callee):
            return
        if self.planner.silence.over(module, call.at, "CAP401"):
            return
        possible, fitting = [], []
        for lacking in (*([pair] for pair in scopes), scopes):
            names = {p.name for _, p in lacking}
            others = [p for p in params if p.name not in names]
            bound = [(a, _binds(a, others, given, unheld)) for a, unheld in given_by]
            if not any(b is None or self._is_misplaced(a, b, callee) for a, b in bound):
                possible.append([s for s, _ in lacking])
                if not any(b is not None and self._is_of_another(b, callee) for _, b in bound):
                    fitting.append(possible[-1])
        if not possible:
            return
        if not any(self._says_all(args, params[given:], scopes) for args, _ in given_by):
            possible = fitting or possible
        found = possible[0]
        knot: Knot = ("call", id(call))
        where = module.filename, call.span
        if len(possible) > 1 and len(scopes) > 1:  # by hand, the innermost is added last
            found = max(possible, key=lambda scopes: self.program.policy.scopes.index(scopes[-1]))
            reason = "it cannot be told which of the scopes this call lacks"
            self.planner.obstacle(knot, *where, reason, callee.symbol, "reference", found[-1])
        self.planner.partial_calls[id(call)] = (call, callee, found)
        attribute_of = self.planner.sources.holders.attribute_of
        for scope in found if told else ():
            if is_known_late(self.program, call, scope, attribute_of):
                reason = (
                    "its calls may mean another value than the one that is known where it is made"
                )
                self.planner.obstacle(knot, *where, reason, callee.symbol, "reference", scope)
        for scope in found:
            self.planner.signatures.want_argument(call, scope, callee, given, knot, offset)
            for method in self._owing(callee, scope):
                self.planner.signatures.gain(method, scope, knot)

    def _owing(self, callee: Function | Class, scope: Scope) -> list[Function]:
        """What else is called where a call is given a scope, and does not take what its Protocol or base has."""
        if not isinstance(callee, Function):
            return []
        demands = self.planner.demands
        return [m for m in demands.drifting.owing(callee, scope) if demands.may_be_demanded(m)]

    def _is_refused(self, call: tree.Call, callee: Function | Class) -> bool:
        """Whether a test expects of a call just what happens to one that lacks an argument."""
        errors = _REFUSALS if isinstance(callee, Function) else _REFUSALS | {"ValueError"}
        return not errors.isdisjoint(expected_of(self.program.names, call))

    def _said(
        self,
        args: Sequence[tree.Argument],
        params: Sequence[tree.Parameter],
        scopes: Sequence[tuple[Scope, tree.Parameter]],
    ) -> Sequence[tree.Argument]:
        """The arguments without a last `*ids` that bears the name of the callee's own `*ids`, and is a collection, or
        what a function is given besides all scopes, one of which it gains: it is meant for that, and for no scope before
        it. Behind scopes that a function has always had may come those of another row."""
        rest = next((p.name for p in params if p.kind == "*"), None)
        if not rest or rest in ANYTHING or not args or args[-1].star != "*":
            return args
        if hole_name(args[-1].value) != rest:
            return args
        binding = bound_whole(self.program.names, args[-1].value)
        if binding is None and isinstance(args[-1].value, tree.Name):
            return args  # bound twice, `ids = (tenant_id, *ids)`: who knows what it begins with
        if binding is not None and self._begins_with_scope(binding.assigned):
            return args
        around = binding.function if binding is not None else None
        own = binding.parameter if binding is not None else None
        if own is None or around is None or own.kind != "*":
            return args[:-1]
        takes, gains = self.program.domain.scope_parameter, self.state.gains
        gained = [s for s, _ in scopes if gains(around, s)]
        told = all(takes(around, s) is not None or s in gained for s, _ in scopes)
        return args[:-1] if told and gained else args

    def _begins_with_scope(self, value: tree.Node | None) -> bool:
        """Whether the first thing in a tuple or list is a scope's value: `(tenant_id, number)`."""
        first = value.items[0] if isinstance(value, tree.Sequence) and value.items else None
        is_value, scopes = self.program.domain.held.is_value, self.program.policy.scopes
        return first is not None and any(is_value(first, scope) for scope in scopes)

    def _unheld(self, args: Sequence[tree.Argument]) -> Collection[str] | None:
        """The names under which nothing is that a call spreads, as far as that is known: a function's own `**fields`
        holds none of its other parameters. `None` where what is spread may be anything."""
        names, found = self.program.names, list[set[str]]()
        for argument in args:
            if not argument.star:
                continue
            binding = bound_whole(names, argument.value)
            own = binding.parameter if binding is not None else None
            function = binding.function if binding is not None else None
            if own is None or own.kind != "**" or function is None or own not in function.params:
                return None
            if not all(is_only_read(names, n) for n in names.called(function, own.name)):
                return None
            found.append({p.name for p in function.params if p.kind in ("plain", "kwonly")})
        return set.intersection(*found) if found else ()

    def _is_shifted(self, call: tree.Call, scope: Scope) -> bool:
        """Whether what a call gives in the place of a scope is what comes next, whatever it calls."""
        calls, is_shifted = self.program.calls, self.program.domain.held.is_shifted
        called = [(c.function or c.cls, c.given) for c in calls.callees(call)]
        return bool(called) and all(
            one is not None and is_shifted(call.args, one, given, scope) for one, given in called
        )

    def _is_misplaced(
        self, args: Sequence[tree.Argument], bound: Bound, callee: Function | Class
    ) -> bool:
        """Whether an argument that is one scope's value, by its name or by policy, would go to the parameter of something
        else, or among the callee's `*ids`; one of a scope that the call gives besides may be meant for what no scope is,
        `other=test_tenant()`."""
        scopes = self.program.policy.scopes
        left = [a for a in args if not a.star and a not in bound.arguments.values()]
        if any(names_any_of(hole_name(one.value), scopes) for one in left):
            return True
        for parameter, argument in bound.arguments.items():
            name, said = hole_name(argument.value), self.program.domain.held.by_policy
            meant = [s for s in self.program.policy.scopes if name and names_scope(name, s)]
            if not meant and (asked := said(argument.value)) is not None:
                meant = [asked]
            if not meant or self._is_for(callee, parameter, meant):
                continue
            given = all(any(self._is_for(callee, p, [s]) for p in bound.arguments) for s in meant)
            if not given or self._is_for(callee, parameter, self.program.policy.scopes):
                return True
        return False

    def _is_of_another(self, bound: Bound, callee: Function | Class) -> bool:
        """Whether a test gives one scope by its place what the helper of tests gives for another one, `"t"`."""
        scopes, given = self.program.policy.scopes, self.planner.sources.given
        for parameter, argument in bound.arguments.items():
            if argument.keyword or not self.program.names.module_of(argument.value).is_test:
                continue
            text = given.literals.of(argument.value)
            meant = [s for s in scopes if text and text == given.value_of_helper(s)]
            scoped = self._is_for(callee, parameter, scopes)
            if meant and scoped and not self._is_for(callee, parameter, meant):
                return True
        return False

    def _says_all(
        self,
        args: Sequence[tree.Argument],
        params: Sequence[tree.Parameter],
        scopes: Sequence[tuple[Scope, tree.Parameter]],
    ) -> bool:
        """Whether each scope has what the helper of tests gives for it in its own place already: what lacks is something else."""
        given = self.planner.sources.given
        placed = dict(zip(params, (a for a in args if not a.keyword), strict=False))
        texts = {p.name: given.literals.of(a.value) for p, a in placed.items()}
        return all(texts.get(p.name, "") == given.value_of_helper(s) for s, p in scopes)

    def _is_for(self, callee: Function | Class, parameter: str, scopes: Sequence[Scope]) -> bool:
        """Whether a parameter takes one of some scopes, by its name or by the tag that it fills."""
        if names_any_of(parameter, scopes):
            return True
        parameter_of = self.program.domain.scope_parameter
        taken = [parameter_of(callee, s) for s in scopes] if isinstance(callee, Function) else []
        return any(one is not None and one.name == parameter for one in taken)

    def helpers(self) -> None:
        """A key helper takes its scopes as parameters, whatever else is in reach; where it stands in a function
        from which it has another scope, that function does."""
        for defect in (*self.planner.defects, *self.planner.blank):
            function = defect.function
            if (
                function is None
                or function not in self.program.keys.helpers
                or not self.planner.signatures.can_gain(function)
            ):
                continue
            for want in defect.wants.values():
                if want.purpose == "text":
                    continue  # what fills it asks for the value
                if (
                    want.mirror is not None
                    and self.planner.gains.mirrored(want.mirror, want.scope, want.knot) is not None
                ):
                    continue
                reads = self.planner.sources.policy_reads
                if want.mirror is not None and reads.is_alike(want.mirror, want.scope):
                    continue  # policy says where the value is, beside the other one
                if self.planner.values.beside_part(want) is not None:
                    continue  # the key that it takes apart has both
                host = self.planner.origins.host(want) if want.mirror is not None else function
                if not isinstance(host, Function) or not self.planner.signatures.can_gain(host):
                    continue  # and what is in reach there is for it
                if self.planner.sources.own(want.scope, want.node) is None:
                    self.planner.signatures.gain(host, want.scope, want.knot)


def _is_copied(values: Sequence[tree.Node]) -> bool:
    """Whether some of these values are items of one and the same row."""
    rows = [text_of(one.base) for one in values if isinstance(one, tree.Subscript)]
    return len(rows) > len({*rows})


def _binds(
    args: Sequence[tree.Argument],
    params: Sequence[tree.Parameter],
    given: int,
    unheld: Collection[str],
) -> Bound | None:
    """How a call binds of which nothing that it spreads has one of these names."""
    bound = bind(args, params, given)
    if bound is None or not bound.starred:
        return bound
    needed = {p.name for p in params[given:] if p.default is None and not p.kind.startswith("*")}
    missing = needed - {*bound.arguments}
    return bound if missing.isdisjoint(unheld) else None
