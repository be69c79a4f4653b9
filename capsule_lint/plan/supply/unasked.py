"""Functions that the program, tests aside, calls nowhere: a parameter more would be passed by nobody, so they ask the
policy's sources by themselves where these can be asked anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Value
from capsule_lint.plan.supply.entries import SPECIAL
from capsule_lint.policy import SourceKind, SourceSpec
from capsule_lint.program.calling.deferred import BOXED
from capsule_lint.program.calling.passing import AS_GIVEN
from capsule_lint.program.local_names import reads_of_parameter
from capsule_lint.program.model import Binding, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function, Module

_MAPPING: Final = frozenset(
    ("map", "map_async", "imap", "imap_unordered", "starmap", "starmap_async")
)
"""Methods of pools that call a function with each of the values that they are given."""
_OPTIONS: Final = frozenset(("group", "name", "daemon", "interval", "timeout", "chunksize"))
"""What pools, threads and timers are told that is not for the function."""
_MAX_DEPTH: Final = 3


class Unasked(Room, Struct, frozen=True):
    """Finds what they ask: a call without arguments, or a constant."""

    planner: Planner

    def value(self, function: Function, scope: Scope) -> Value | None:
        """What a function asks by itself, if nobody calls it, or if that is what tests expect that do."""
        if not self._is_alone(function) or not all(map(self._is_anywhere, scope.sources)):
            return None
        tests = list(self._callers(function, tests=True))
        for spec in scope.sources:
            if spec.kind is SourceKind.CALL and not spec.roots and spec.module:
                if not all(self._sets(module, spec, scope) for module in tests):
                    return None
                if self._is_told(function):
                    return None  # another thread may not know what this one does
                bind = not self.planner.sources.visible.is_taken(function, scope.parameter)
                imports = ((spec.module, spec.name.partition(".")[0]),)
                return Value(spec.code, imports, bind=bind, root=function, kind="constant")
        value = self.planner.sources.constant(scope)
        return value if value is not None and (not tests or self._is_usual(value, scope)) else None

    def _is_anywhere(self, spec: SourceSpec) -> bool:
        """Whether a source has a value whoever asks: where others have one of a request, a function is told it."""
        called = spec.kind is SourceKind.CALL and not spec.roots
        return called or self.planner.sources.is_constant(spec)

    def _is_alone(self, function: Function) -> bool:
        """Whether nothing calls a function that is no part of a repository or an entity, and makes no key."""
        domain, keys = self.program.domain, self.program.keys
        if function.module.is_test or function.name in SPECIAL or domain.enters(function):
            return False
        if function in keys.helpers or function in keys.functions:
            return False
        if function.owner in domain.repositories or function.owner in domain.entities:
            return False
        if function in self.planner.methods or domain.touches_table(function):
            return False
        return not any(True for _ in self._callers(function, tests=False))

    def _is_told(self, function: Function) -> bool:
        """Whether a function is told whose things it is about where it runs elsewhere: `pool.submit(load, tenant_id)`."""
        if not self.program.domain.takes_scope(function):
            return False
        calls = self.program.calls
        found = [(call, before - 1) for call, _, before in calls.handed_on(function)]
        for name in calls.known_by(function):
            found += ((call, at) for call, at, _ in calls.passed_on(name, function))
        for name, (keyword, _) in BOXED.items():
            for call in calls.uses.calls_beside(name):
                value = call.keyword(keyword)
                if value is not None and any(True for _ in calls.named(value, function)):
                    found += ((call, n) for n, a in enumerate(call.args) if a.value is value)
        own = (one for one in found if not self.program.names.module_of(one[0]).is_test)
        return any(
            self._keeps_told(function, call, call.args[at])
            if last_name(call.func) == "partial"
            else self._sends(call, call.args[at], 0)
            for call, at in own
        )

    def _keeps_told(self, function: Function, partial: tree.Call, given: tree.Argument) -> bool:
        """Whether a partial says whose things a function is about, and may be kept to be submitted, or is itself given to
        what runs it elsewhere. One that does not say it is called like others with what is known there."""
        names, scopes = self.program.names, self.program.policy.scopes
        behind = [a for a in partial.args if a is not given]
        own = [p.name for p in function.own_params]
        told = {a.keyword or (own[n] if n < len(own) else "") for n, a in enumerate(behind)}
        needed = {self.program.domain.scope_parameter(function, scope) for scope in scopes}
        if any(a.star for a in behind) or any(p.name in told for p in needed if p is not None):
            return True
        parent = names.parent(partial)
        target = parent.targets[0] if isinstance(parent, tree.Assign) else None
        reads = names.module_of(partial).named
        kept = reads.get(target.id, ()) if isinstance(target, tree.Name) else ()
        around = [parent, *(names.parent(one) for one in kept)]
        return bool(behind) and any(isinstance(c, tree.Call) and _is_elsewhere(c) for c in around)

    def _sends(self, call: tree.Call, given: tree.Argument, depth: int) -> bool:
        """Whether a call, also of a function of the program, has what it is given run elsewhere with other arguments."""
        if last_name(call.func) == "partial":
            return len(call.args) > 1  # kept in a local or a list, it may be submitted later
        names = self.program.names
        callees = list(self.program.calls.callees(call))
        if not callees:
            behind = call.args.index(given)
            return _is_elsewhere(call) and any(
                number > behind if argument.keyword is None else argument.keyword not in _OPTIONS
                for number, argument in enumerate(call.args)
                if argument is not given
            )
        for callee in callees if depth < _MAX_DEPTH else ():
            name = next((n for n, one in callee.arguments(call).items() if one is given), "")
            own = callee.function.parameter(name) if callee.function is not None else None
            if callee.function is None or own is None:
                continue
            for read in reads_of_parameter(names, own, callee.function.module):
                inner = names.parent(read)
                if not isinstance(inner, tree.Call):
                    continue
                given_on = (a for a in inner.args if a.value is read)
                if any(self._sends(inner, argument, depth + 1) for argument in given_on):
                    return True
        return False

    def _callers(self, function: Function, *, tests: bool) -> Iterator[Module]:
        """The modules in which a function is called: tests, or others."""
        program = self.program
        for member in program.calls.families.of(function):
            for call, _ in program.calls.callers(member):
                module = program.names.module_of(call)
                if module.is_test is tests:
                    yield module

    def _is_usual(self, value: Value, scope: Scope) -> bool:
        """Whether a constant is what tests use unless they say otherwise."""
        program, given = self.program, self.planner.sources.given
        usual = given.value_of_helper(scope)
        target = [program.names.follow(program.names.member(*name)) for name in value.imports]
        said = [t.value for t in target if isinstance(t, Binding) and t.kind == "assign"]
        plain = value.code.isidentifier() and len(said) == 1
        return plain and usual is not None and given.literals.of(said[0]) == usual

    def _sets(self, module: Module, spec: SourceSpec, scope: Scope) -> bool:
        """Whether a module of tests gives what a call without arguments yields, and gives what tests use."""
        program, given = self.program, self.planner.sources.given
        usual = given.value_of_helper(scope)
        told = {
            given.literals.of(argument.value)
            for call in module.each(tree.Call)
            for callee in program.calls.callees(call)
            if callee.function is not None and callee.function.module.name == spec.module
            for argument in call.args
        }
        return usual is not None and told == {usual}


def _is_elsewhere(call: tree.Call) -> bool:
    """Whether a call has what it is given run in another thread or process, by its name."""
    func, name = call.func, last_name(call.func)
    if name in _MAPPING:
        return isinstance(func, tree.Attr) and last_name(func.base) != "itertools"
    return name in AS_GIVEN or name in BOXED
