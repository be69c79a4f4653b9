"""Objects by whose parts collections are keyed, and why a key of a collection must say a scope for their sake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class


class ObjectScopes(Room, Struct, frozen=True):
    """Tells it of an expression for an object."""

    planner: Planner

    def of(
        self, node: tree.Node, scope: Scope, elements: Sequence[tree.Node]
    ) -> Iterator[Knot | None]:
        """What must land with a change because an object, of which one of the elements of a key is, has the scope, now
        (then it is `None`) or after the change: its class gains the field, or it is told of an object whose class does;
        or what it says of another scope goes to what is told this one as well, `text(table, envelope.tenant_id,
        envelope.capsule_id)`. What is kept for a request's tenant, `flags[ctx.tenant_id, flag]`, is nothing of that."""
        for cls in list(self.program.inference.homes(node)):
            if self.state.gains(cls, scope):
                yield "class", cls
            elif self.program.domain.is_carrier(cls) and not self._says_more(node, elements):
                continue
            elif self.program.domain.held.attribute(
                cls, scope
            ) or self.program.classes.has_attribute(cls, scope.parameter):
                yield from self._serving(node, scope)
            else:
                yield from self.told_of(cls, scope)

    def _says_more(self, node: tree.Node, elements: Sequence[tree.Node]) -> bool:
        """Whether an object says what else tells one key from others."""
        own, scopes = text_of(node), self.program.policy.scopes
        is_value = self.program.domain.held.is_value
        return any(
            isinstance(one, tree.Attr)
            and text_of(one.base) == own
            and not any(is_value(one, scope) for scope in scopes)
            for one in elements
        )

    def _serving(self, node: tree.Node, scope: Scope) -> Iterator[Knot | None]:
        """The same of the calls in a function that are given what the object says of other scopes."""
        names, object_text = self.program.names, text_of(node)
        function = names.function_of(node)
        for call in names.inside(function) if function is not None and object_text else ():
            if isinstance(call, tree.Call) and any(
                isinstance(a.value, tree.Attr)
                and text_of(a.value.base) == object_text
                and self._is_other(a.value, scope)
                for a in call.args
            ):
                yield from self.planner.fed.values.of_call(call, scope)

    def told_of(self, cls: Class, scope: Scope) -> Iterator[Knot]:
        """The classes that gain the field, of whose objects all are made that a class has: `Paid(self.tenant_id,
        self.claim_id)`, an event of a claim."""
        if cls.module.is_test or not self.program.classes.is_data(cls):
            return
        found: list[Class] = []
        for call, given in self.program.calls.given_to(cls):
            if not self.program.names.module_of(call).is_test:
                gaining = self._behind({n: a.value for n, a in given.items()}, scope)
                if gaining is None:
                    return
                found.append(gaining)
        for one in dict.fromkeys(found):
            yield "class", one

    def _behind(self, given: Mapping[str, tree.Node], scope: Scope) -> Class | None:
        """The class that gains the field, of whose object another one is told a scope and more."""
        parts = [value for value in given.values() if isinstance(value, tree.Attr)]
        for part in parts:
            base = text_of(part.base) if self._is_other(part, scope) else None
            if base is None or sum(text_of(one.base) == base for one in parts) == 1:
                continue
            for cls in self.program.inference.homes(part.base):
                if self.state.gains(cls, scope):
                    return cls
        return None

    def _is_other(self, node: tree.Node, scope: Scope) -> bool:
        """Whether an expression is the value of another scope."""
        is_value = self.program.domain.held.is_value
        return any(is_value(node, other) for other in self.program.policy.others(scope))
