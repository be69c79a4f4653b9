"""Scopes that get each other's names before they are passed on: `{"tenant_id": ctx.capsule_id}`, `tenant, capsule =
ctx.capsule_id, ctx.tenant_id`; and rows that say a scope which is not that of their key, `{"PK": pk(capsule_id), "capsule_id": "PRODUS"}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.judgement import SwapFact
from capsule_lint.model import Replace
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.opinions.base import Ground, Opinion, inside, is_path
from capsule_lint.plan.opinions.written_out import literals
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import last_name
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import hole_name, names_scope
from capsule_lint.program.walk import singles

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.policy import Scope


class Misnamed(Struct, frozen=True):
    """A value that is called after one scope, and gets the name, or has the place, of another."""

    value: tree.Node
    name: str
    given: Scope
    scope: Scope


@dataclass(eq=False, slots=True)
class NamedOpinions:
    """Judges what gets the name of a scope."""

    ground: Ground

    def find(self) -> Iterator[Opinion]:
        """What is called after another scope, tests aside."""
        for module in self.ground.program.names.production():
            if module.generated:
                continue
            for node in module.every(tree.DictDisplay, tree.Call):
                assert isinstance(node, tree.DictDisplay | tree.Call)
                if isinstance(node, tree.DictDisplay) or tree.makes_dict(node):
                    yield from self._judge(entries_of(node))
                yield from self._written_out(node)
            for statement, _ in module.statements:
                if isinstance(statement, tree.Assign):
                    yield from self._unpacked(statement)

    def _written_out(self, node: Display) -> Iterator[Opinion]:
        """What a row says of a scope is written out, or nothing, where its key has the scope's value."""
        program = self.ground.program
        entries, is_key_name = list(entries_of(node)), program.policy.is_key_name
        keys = [v for name, v in entries if is_key_name(name) and not name.startswith((":", "#"))]
        for name, value in entries if keys and self._is_row(node) else ():
            scope = self.ground.scope_named(name)
            if scope is None or not any(self._has(key, scope) for key in keys):
                continue
            if not self._is_said_otherwise(node, name, value):
                yield from literals(self.ground, value, scope)

    def _is_said_otherwise(self, node: Display, name: str, value: tree.Node) -> bool:
        """Whether a row may get another value under a name than the one it is made with: `row[name] = capsule_id`, or what
        is put into it whole behind that."""
        parts, names = self.ground.planner.spreaders.steps.of(node), self.ground.program.names
        own = {id(one) for one in parts.uses}
        above = [(use, names.parent(use)) for use in parts.uses]
        unnamed = [
            one
            for use, one in above
            if isinstance(one, tree.Subscript) and one.base is use and tree.text(one.index) is None
        ]
        return (
            any(key == name and one is not value for key, one in parts.entries)
            or any(one.at > value.at and id(one) not in own for one in parts.wholes)
            or any(isinstance(names.parent(one), tree.Assign) for one in unnamed)
        )

    def _is_row(self, node: Display) -> bool:
        """Whether it is a dict that is an item, and no answer or label which has such entries; what entities are given is
        judged with the arguments of calls."""
        if isinstance(node, tree.DictDisplay) or tree.makes_dict(node):
            return self.ground.planner.items.is_written(node) or self._is_put(node)
        made = [callee.cls for callee in self.ground.program.calls.callees(node)]
        is_typed, is_judged = self.ground.program.classes.is_typed_dict, self.ground.is_root
        return bool(made) and all(one and is_typed(one) and not is_judged(one) for one in made)

    def _is_put(self, node: tree.Node) -> bool:
        """Whether a function gives a dict to somebody who puts it into the table: `put_item(Item=row(number))`."""
        program = self.ground.program
        function = program.names.function_of(node)
        if function is None or not any(one is node for one in function.returns):
            return False
        around = program.keys.positions.roles.around
        return any(around(call) is Role.WRITTEN for call, _ in program.calls.callers(function))

    def _has(self, key: tree.Node, scope: Scope) -> bool:
        """Whether a key is made of what is called after a scope."""
        made = behind(self.ground.program.names, key) or key
        return any(names_scope(hole_name(one), scope) for one in inside(made) if is_path(one))

    def _unpacked(self, statement: tree.Assign) -> Iterator[Opinion]:
        """A local alone may have another scope's value on purpose, where that is its default."""
        each = singles(statement)
        named = [(last_name(o.targets[0]), o.value) for o in each if o.value is not None]
        trades = {name for name, _ in named} == {last_name(value) for _, value in named}
        if len(each) > 1 and not trades:
            yield from self._judge(named)

    def _judge(self, named: Iterable[tuple[str, tree.Node]]) -> Iterator[Opinion]:
        found = [m for name, value in named if (m := self._misnamed(name, value)) is not None]
        yield from traded(self.ground, found)

    def _misnamed(self, name: str, value: tree.Node) -> Misnamed | None:
        scope = self.ground.scope_named(name)
        return misnamed(self.ground, value, scope) if scope is not None else None


def misnamed(ground: Ground, value: tree.Node, scope: Scope) -> Misnamed | None:
    """A value in a scope's place, if it is called after another one."""
    other = ground.other_than(value, scope)
    return Misnamed(value, *other, scope) if other is not None else None


def traded(ground: Ground, found: Sequence[Misnamed]) -> Iterator[Opinion]:
    """Opinions on values that stand side by side: two that have each other's names are one mistake, and are swapped."""
    for one in found:
        other = next((m for m in found if _belong(one, m)), None)
        if other is None or len(found) != 2:
            yield _opinion(ground, one)
        elif one is found[0]:
            yield _opinion(ground, one, other)


def _belong(one: Misnamed, other: Misnamed) -> bool:
    """Whether each of two values has the other's name."""
    return one.scope is other.given and other.scope is one.given


def _opinion(ground: Ground, one: Misnamed, other: Misnamed | None = None) -> Opinion:
    names = ground.program.names
    module, symbol = names.module_of(one.value), names.symbol_of(one.value)
    missing, span = (one.scope.parameter,), one.value.span
    fact = SwapFact(module.filename, span, symbol, missing, reason=one.name)
    if other is None or not ground.can_trade(module, one.value, other.value):
        return Opinion(fact)
    spans = (one.value.span, other.value.span)
    first, second = (ground.source(module, at) for at in spans)
    return Opinion(
        fact,
        (
            Replace(module.filename, spans[0], "CAP402", second),
            Replace(module.filename, spans[1], "CAP402", first),
        ),
    )
