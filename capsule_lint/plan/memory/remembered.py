"""Dicts of modules that remember what functions are told under a scope, and give it back: the documents
that a user saw last. Counters, locks and the like are no such dicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import ADDING, COPIED, KEYED, LISTED
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Module

_SAME: Final = LISTED | COPIED
"""What gives whoever asks all of what it is given."""
_MEASURES: Final = frozenset(
    ("int", "float", "bool", "Counter", "Decimal", "Lock", "RLock", "Semaphore", "datetime")
)
"""What counters, limits and locks are made of."""
_TIMES: Final = frozenset(("now", "at", "time", "timestamp", "count", "amount", "weight"))
"""What parameters are called of which something is measured."""


class _Access(Struct, frozen=True):
    """One element of a dict: the expression for it, and its key."""

    node: tree.Node
    key: tree.Node


@dataclass(eq=False, slots=True)
class Remembered:
    """Finds such dicts."""

    program: Program
    _known: dict[tuple[Module, str], bool] = field(default_factory=dict)

    def keeps(self, module: Module, name: str) -> bool:
        """Whether a dict of a module remembers what its functions are told."""
        if (module, name) not in self._known:
            self._known[module, name] = self._judge(module, name)
        return self._known[module, name]

    def _judge(self, module: Module, name: str) -> bool:
        if module.is_test or self._is_measure(module, name):
            return False
        accesses = [one for one in self._accesses(module, name) if self._is_scoped(one.key)]
        if any(self._is_counted(one) for one in accesses):
            return False
        told = any(
            is_given(self.program, value) for one in accesses for value in self._stored(one)
        )
        return told and any(self._is_returned(one.node) for one in accesses)

    def _is_measure(self, module: Module, name: str) -> bool:
        said = [
            node
            for binding in module.scope.bindings.get(name, ())
            for node in (binding.value, binding.annotation)
            if node is not None
        ]
        named = {
            last_name(one)
            for node in said
            for one in within(node)
            if isinstance(one, tree.Name | tree.Attr)
        }
        return not named.isdisjoint(_MEASURES)

    def _accesses(self, module: Module, name: str) -> Iterator[_Access]:
        parent_of = self.program.names.parent
        for node in module.each(tree.Name):
            if node.id != name or not self._is_of_module(node):
                continue
            parent = parent_of(node)
            if isinstance(parent, tree.Subscript) and parent.base is node:
                yield _Access(parent, parent.index)
            elif isinstance(parent, tree.Attr) and parent.name in KEYED:
                call = parent_of(parent)
                if isinstance(call, tree.Call) and call.args:
                    yield _Access(call, call.args[0].value)

    def _is_of_module(self, node: tree.Name) -> bool:
        bindings = self.program.names.bindings_of(node)
        return bool(bindings) and all(b.is_global for b in bindings)

    def _is_scoped(self, key: tree.Node) -> bool:
        """Whether a key is a tuple that says a scope and more."""
        binding = bound_whole(self.program.names, key)
        key = (binding.value if binding is not None else None) or key
        is_value, scopes = self.program.domain.held.is_value, self.program.policy.scopes
        return (
            isinstance(key, tree.Sequence)
            and len(key.items) > 1
            and any(is_value(item, scope) for item in key.items for scope in scopes)
        )

    def _is_counted(self, one: _Access) -> bool:
        """Whether numbers are kept: `hits[key] += 1`, `hits.get(key, 0)`."""
        parent = self.program.names.parent(one.node)
        if isinstance(parent, tree.Assign) and parent.op:
            return True
        default = one.node.args[1:2] if isinstance(one.node, tree.Call) else ()
        return any(
            isinstance(a.value, tree.Const) and isinstance(a.value.value, bool | int | float)
            for a in default
        )

    def _stored(self, one: _Access) -> Iterator[tree.Node]:
        """What is put under a key, or added to what stands there."""
        parent = self.program.names.parent(one.node)
        if isinstance(parent, tree.Assign) and parent.value is not None:
            if any(target is one.node for target in parent.targets):
                yield parent.value
        elif isinstance(parent, tree.Attr) and parent.name in ADDING:
            call = self.program.names.parent(parent)
            yield from (a.value for a in call.args) if isinstance(call, tree.Call) else ()
        if isinstance(one.node, tree.Call) and last_name(one.node.func) == "setdefault":
            yield from (a.value for a in one.node.args[1:])

    def _is_returned(self, node: tree.Node) -> bool:
        """Whether a function returns what stands under a key, whole or in part."""
        parent = self.program.names.parent(node)
        match parent:
            case tree.Eval(kind="return"):
                return True
            case tree.Call() if last_name(parent.func) in _SAME:
                return self._is_returned(parent)
            case tree.Subscript() if parent.base is node:
                return self._is_returned(parent)
            case tree.Boolean():
                return self._is_returned(parent)
            case _:
                return False


def is_given(program: Program, node: tree.Node) -> bool:
    """Whether something is what a function is told, as it is or among others, and no measure."""
    match node:
        case tree.Name():
            bindings = program.names.bindings_of(node)
            params = [b.parameter for b in bindings if b.parameter is not None]
            kinds = {last_name(p.annotation) for p in params if p.annotation is not None}
            return bool(params) and node.id not in _TIMES and kinds.isdisjoint(_MEASURES)
        case tree.Sequence():
            return any(is_given(program, item) for item in node.items)
        case tree.DictDisplay():
            return any(is_given(program, value) for value in node.values)
        case _:
            return False
