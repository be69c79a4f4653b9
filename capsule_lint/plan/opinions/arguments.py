"""Arguments for scopes that are wrong: another scope's value, or a value that is written out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.judgement import SwapFact
from capsule_lint.model import Replace
from capsule_lint.plan.opinions.base import Ground, Opinion, Passed
from capsule_lint.plan.opinions.no_values import NoValues
from capsule_lint.plan.opinions.written_out import is_everyone, literal, texts
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_MAKERS: Final = frozenset(("create", "register", "add", "ensure", "seed", "provision", "insert"))
"""How the names of functions begin that make a tenant, and so are told which."""


class Mistake(Struct, frozen=True):
    """An argument that is named after one scope and goes to the parameter of another."""

    passed: Passed
    given: Scope
    name: str


@dataclass(eq=False, slots=True)
class ArgumentOpinions:
    """Judges what resolved calls pass for scopes."""

    ground: Ground
    _nothing: NoValues = field(init=False)

    def __post_init__(self) -> None:
        self._nothing = NoValues(self.ground)

    def find(self) -> Iterator[Opinion]:
        """What is wrong with arguments that are there."""
        by_call: dict[int, list[Passed]] = defaultdict(list)
        ground = self.ground
        passed = (
            *ground.passed,
            *ground.passed_around,
            *ground.passed_by_copies,
            *ground.passed_later,
        )
        for one in passed:
            by_call[id(one.call)].append(one)
        for every in by_call.values():
            yield from self._swapped(every)
            yield from self._traded(every)
            if not self._module(every[0].call).is_test:
                yield from self._written_out(every)

    def _module(self, node: tree.Node) -> Module:
        return self.ground.program.names.module_of(node)

    # --- one scope in the place of another ---

    def _swapped(self, every: list[Passed]) -> Iterator[Opinion]:
        by_argument: dict[int, list[Passed]] = defaultdict(list)
        for passed in every:
            by_argument[id(passed.argument)].append(passed)
        callees = len(self.ground.callees(every[0].call))
        found: list[Mistake] = []
        for alike in by_argument.values():
            mistakes = [m for p in alike if (m := self._mistake(p)) is not None]
            if len(mistakes) == callees == len(alike):
                found.append(mistakes[0])
        settled: set[int] = set()
        for mistake in found:
            if id(mistake) in settled:
                continue
            other = next((m for m in found if self._belong(mistake, m)), None)
            if other is None or len(found) != 2:
                yield self._opinion(mistake.passed, mistake.name)
                continue
            settled.add(id(other))
            yield self._opinion(mistake.passed, mistake.name, other.passed.argument.value)

    def _belong(self, one: Mistake, other: Mistake) -> bool:
        """Whether each of two arguments stands in the place of the other one."""
        return one.passed.scope is other.given and other.passed.scope is one.given

    def _mistake(self, passed: Passed) -> Mistake | None:
        other = self.ground.other_than(passed.argument.value, passed.scope)
        return Mistake(passed, other[1], other[0]) if other is not None else None

    # --- a scope and an identifier in each other's places ---

    def _traded(self, every: list[Passed]) -> Iterator[Opinion]:
        """`drop(tenant_id, job_id, capsule_id)` of `drop(tenant_id, capsule_id, job_id)`: both names are
        those of each other's parameters."""
        by_argument: dict[int, list[tree.Argument | None]] = defaultdict(list)
        for passed in every:
            by_argument[id(passed.argument)].append(self._trading(passed))
        callees = len(self.ground.callees(every[0].call))
        for passed in {id(p.argument): p for p in every}.values():
            others = by_argument[id(passed.argument)]
            other = others[0]
            if other is not None and len(others) == callees and all(o is other for o in others):
                name = self.ground.path_name(passed.argument.value)
                yield self._opinion(passed, name, other.value)

    def _trading(self, passed: Passed) -> tree.Argument | None:
        """The argument that goes to the parameter after which another one is named, where that one goes to
        the parameter of the scope after which this one is named."""
        name = self.ground.path_name(passed.argument.value)
        if not name or self.ground.scope_named(name) is not None:
            return None
        params, given = self.ground.program.calls.parameters(passed.callee)
        bound = bind(passed.call.args, params, given)
        other = bound.arguments.get(name) if bound is not None else None
        if other is None or other is passed.argument:
            return None
        _, said = self.ground.said(other.value)
        return other if said is passed.scope else None

    def _opinion(self, passed: Passed, name: str, two: tree.Node | None = None) -> Opinion:
        """An argument called `name` is passed for another scope; `two` is what belongs there."""
        value = passed.argument.value
        module = self._module(value)
        callee = passed.callee.function or passed.callee.cls
        fact = SwapFact(
            module.filename,
            value.span,
            callee.symbol if callee is not None else "",
            (passed.scope.parameter,),
            reason=name,
        )
        if two is None:
            return Opinion(fact)
        one = value
        if not self.ground.can_trade(module, one, two):
            return Opinion(fact)
        if module.is_test and self._is_spelled_out(value):
            return Opinion(fact)  # it would not be what the test expects any more
        source, filename = self.ground.source, module.filename
        return Opinion(
            fact,
            (
                Replace(filename, one.span, "CAP402", source(module, two.span)),
                Replace(filename, two.span, "CAP402", source(module, one.span)),
            ),
        )

    def _is_spelled_out(self, node: tree.Node) -> bool:
        """Whether the test around an expression writes out keys."""
        names = self.ground.program.names
        around = names.function_of(node)
        nodes = names.inside(around) if around is not None else names.module_of(node).nodes
        tags = [scope.tag for scope in self.ground.scopes]
        return any(tag in text for n in nodes if (text := tree.text(n)) for tag in tags)

    # --- values that are written out ---

    def _written_out(self, every: list[Passed]) -> Iterator[Opinion]:
        seen: set[int] = set()
        for passed in every:
            value = passed.argument.value
            if id(value) in seen or not self.ground.leads(passed):
                continue
            if passed.argument.keyword is None and not self._is_in_place(passed):
                continue  # something lacks before it, or may, and stand in what is spread
            found = (one for one in texts(self.ground, value, passed.scope) if one[1])
            at, text = next(found, (value, ""))
            if is_everyone(text):
                text = self._nothing.given(passed, every) if not text else ""
            if not text or _makes_scope(passed):
                continue
            seen.add(id(value))
            callee = passed.callee.function or passed.callee.cls
            symbol = callee.symbol if callee is not None else ""
            yield from literal(self.ground, value, passed.scope, at, text, symbol)

    def _is_in_place(self, passed: Passed) -> bool:
        """Whether what a call gives by position is surely meant for where it comes: the call is not told to lack what comes
        there or before it, nothing is spread before it and, where `**fields` are, something behind it comes where it is
        named after."""
        args, at = passed.call.args, passed.call.args.index(passed.argument)
        params, given = self.ground.program.calls.parameters(passed.callee)
        own = self.ground.planner.partial_calls.get(id(passed.call))
        names = [p.name for p in params]
        until = names[: names.index(passed.parameter) + 1] if passed.parameter in names else []
        lacks = own is not None and any(self.ground.scope_named(one) in own[2] for one in until)
        if lacks or any(one.star for one in args[:at]):
            return False
        bound = bind(args, params, given)
        behind = [a for a in args[at + 1 :] if a.keyword is None]
        return not any(one.star == "**" for one in args) or any(
            argument in behind and self.ground.path_name(argument.value) == name
            for name, argument in (bound.arguments.items() if bound is not None else ())
        )


def _makes_scope(passed: Passed) -> bool:
    """Whether a call is one that makes the tenant itself: `register_tenant("acme")`."""
    head, _, rest = last_name(passed.call.func).strip("_").partition("_")
    return head in _MAKERS and names_scope(rest, passed.scope)
