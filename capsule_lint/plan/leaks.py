"""Keys of caches that a function goes on making of one scope, though it is told another one as well: what
they find may be the other's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.pieces import hole_name, names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.plan.local import LocalKeys
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function, Module

_KEYS: Final = ("key", "cache_key", "name")
"""What arguments are called that are keys."""
_MADE: Final = (tree.Sequence, tree.FString, tree.Call)
"""What a key may be made by."""
_MAX_DEPTH: Final = 3


@dataclass(frozen=True, slots=True)
class Leaks:
    """Finds such keys once it is settled which functions gain parameters."""

    local: LocalKeys

    def note(self) -> None:
        """Make the changes unsafe that would leave such a key behind."""
        program = self.local.program
        known: dict[Module, dict[Function, list[tree.Node]]] = {}
        for function, gained in list(self.local.state.params.items()):
            module = function.module
            if module.is_test or function in program.keys.functions:
                continue
            if module not in known:
                made = (n for kind in _MADE for n in module.each(kind))
                known[module] = program.names.by_function(made)
            inside = known[module].get(function, ())
            for scope in gained.values():
                others = [s for s in program.policy.scopes if s is not scope]
                found = [program.domain.scope_parameter(function, s) for s in others]
                told = {p.name for p in found if p is not None}
                for node in inside if told else ():
                    if self._is_left(node, scope, told) and self._is_key(node, 0):
                        reason = f"is a key by one scope, and `{scope.parameter}` is no part of it"
                        self.local.obstacle(("function", function), node, reason)

    def _is_left(self, node: tree.Node, scope: Scope, told: set[str]) -> bool:
        """Whether something is made of another scope's value and of more, and not of this one's."""
        program = self.local.program
        if self.local.is_settled(node) or program.keys.at(node) is not None:
            return False
        match node:
            case tree.Sequence(kind="tuple", items=items):
                parts = list(items)
            case tree.FString():
                parts = [part.value for part in node.parts if isinstance(part, tree.Hole)]
            case tree.Call(func=tree.Attr(name="join"), args=(argument,)):
                parts = [one for one in within(argument.value) if isinstance(one, tree.Name)]
            case tree.Call():
                functions = [c.function for c in program.calls.callees(node)]
                changing = any(f in self.local.state.params for f in functions if f is not None)
                parts = [a.value for a in node.args] if any(functions) and not changing else []
            case _:
                return False
        values = [one for part in parts for one in within(part)]
        return (
            len(parts) > 1
            and any(isinstance(one, tree.Name) and one.id in told for one in values)
            and not any(names_scope(hole_name(one), scope) for one in values)
        )

    def _is_key(self, node: tree.Node, depth: int) -> bool:
        """Whether something is looked up by a value, here or under a local name."""
        program = self.local.program
        parent = program.names.parent(node)
        match parent:
            case tree.Subscript():
                return parent.index is node
            case tree.Compare(ops=("in" | "not in",)):
                return parent.left is node
            case tree.Call(func=tree.Attr() as func):
                keyword = next((a.keyword for a in parent.args if a.value is node), None)
                first = bool(parent.args) and parent.args[0].value is node
                collections = self.local.collections
                cached = collections.is_cache(last_name(func.base))
                keyed = cached or collections.is_keyed(func.name)
                return keyed and (first or keyword in _KEYS)
            case tree.Assign(targets=(tree.Name(),)) if depth < _MAX_DEPTH:
                return any(self._is_key(use, depth + 1) for use in program.records.uses(parent))
            case _:
                return False
