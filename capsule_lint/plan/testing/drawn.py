"""Objects that a test draws from strategies of Hypothesis: nobody knows what they hold, so that a call which is given
one, or a part of it, is given the scope that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.state import Value
from capsule_lint.program.inference.strategies import filling, is_draw
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.plan.supply.holders import Holders
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding


class Drawn(Struct, frozen=True):
    """Finds them."""

    program: Program
    holders: Holders

    def beside(self, scope: Scope, call: tree.Call | None) -> Value | None:
        """What the one object that a call is given, whole or in part, holds of a scope."""
        found = {
            node.id: node
            for argument in (call.args if call is not None else ())
            for node in within(argument.value)
            if isinstance(node, tree.Name) and self.strategy(node) is not None
        }
        values = [value for node in found.values() if (value := self._held(node, scope))]
        return values[0] if len(values) == 1 else None

    def _held(self, node: tree.Name, scope: Scope) -> Value | None:
        cls = self.program.inference.the_class(self.program.inference.of(node))
        attribute = self.holders.attribute_of(cls, scope) if cls is not None else None
        if cls is None or attribute is None:
            return None
        return Value(f"{node.id}.{attribute}", knot=self.holders.field_knot(cls, scope))

    def strategy(self, node: tree.Name) -> tree.Node | None:
        """What an object is drawn from: what fills the parameter, `data.draw(notes())`, or one of several drawn."""
        bindings = self.program.names.bindings_of(node)
        return self._behind(bindings[0]) if len(bindings) == 1 else None

    def _behind(self, binding: Binding) -> tree.Node | None:
        function, value = binding.function, binding.value
        match binding.kind, value:
            case "param", _:
                is_test = function is not None and function.module.is_test
                return filling(function, binding.name) if function and is_test else None
            case "assign", tree.Call() if not binding.path and is_draw(
                self.program.inference, value
            ):
                return value.plain[0]
            case "for", tree.Name() if not binding.path:
                return self.strategy(value)
            case _:
                return None
