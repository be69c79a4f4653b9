"""What is put into collections, wherever that is done: `rows.append(x)`, `rows[key] = x`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.program.containers import ADDING, KEYED, LISTED
from capsule_lint.program.model import Binding, Class, Function, Module, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program

Owner: TypeAlias = Class | Module | Function
Home: TypeAlias = tuple[Owner, str]
"""A collection: the class, module or function that has it, and its name."""

ELEMENTS: Final = KEYED | {"popleft"}
"""Methods that give one element of a collection."""
_READS: Final = ELEMENTS | {"values", "copy", "popitem"}
"""Methods that give a part of a collection, or another one of the same."""


@dataclass(eq=False, slots=True)
class Additions:
    """Finds the collections that are filled, and with what."""

    program: Program
    _found: dict[str, list[tuple[tree.Node, tree.Node]]] | None = None
    """By the name of the collection: what is added, and to which expression."""

    def home(self, node: tree.Node) -> Home | None:
        """The class (or module) and name of the collection that an expression is, or is a part of."""
        node = root_of(node)
        if isinstance(node, tree.Attr):
            for owner in self.program.inference.homes(node.base):
                if node.name in owner.stores or node.name in owner.scope.bindings:
                    return None if node.name in owner.methods else (owner, node.name)
        if isinstance(node, tree.Name):
            for binding in self.program.names.bindings_of(node):
                target = self.program.names.follow(binding)
                if isinstance(target, Binding) and target.kind == "assign" and target.is_global:
                    return target.module, target.name
        return None

    def stored(self, home: Home) -> list[tree.Node]:
        """Everything that is put into a collection, however deep in it."""
        owner, name = home
        found = [s.value for s in owner.stores.get(name, ())] if isinstance(owner, Class) else []
        found += [b.value for b in owner.scope.bindings.get(name, ())]
        held = [v for value in found if value is not None for v in _held(value)]
        held += [value for value, base in self.to(name) if self.home(base) == home]
        return held

    def to(self, name: str) -> list[tuple[tree.Node, tree.Node]]:
        """What is added to collections of that name: `rows.append(x)`, `rows[key] = x`."""
        if self._found is None:
            self._found = {}
            for value, base in self._every_addition():
                values = [value] if isinstance(value, tree.DictDisplay) else _held(value)
                for one in values if holds_something(value) else ():
                    self._found.setdefault(last_name(root_of(base)), []).append((one, base))
        self.program.names.ask(name)
        return self._found.get(name, [])

    def _every_addition(self) -> Iterator[tuple[tree.Node, tree.Node]]:
        for name in sorted(ADDING - {"update"} | {"setdefault"}):
            position = int(name in ("insert", "setdefault"))
            for call in self.program.calls.uses.calls_beside(name):
                if isinstance(call.func, tree.Attr) and len(call.args) > position:
                    yield call.args[position].value, call.func.base
        for module in self.program.names.modules.values():
            for statement, _ in module.statements:
                if isinstance(statement, tree.Assign) and statement.value is not None:
                    for target in statement.targets:
                        if isinstance(target, tree.Subscript):
                            yield statement.value, target.base


def root_of(node: tree.Node) -> tree.Node:
    """`self._rows` of `self._rows.setdefault(tenant_id, {}).values()` and of `self._rows[key]`."""
    while True:
        match node:
            case tree.Subscript():
                node = node.base
            case tree.Call(func=tree.Attr() as func) if func.name in _READS:
                node = func.base
            case tree.Call() if last_name(node.func) in LISTED and len(node.args) == 1:
                node = node.args[0].value
            case _:
                return node


def holds_something(node: tree.Node) -> bool:
    """Whether something stored is more than an empty collection."""
    match node:
        case tree.DictDisplay():
            return bool(node.keys)
        case tree.Sequence():
            return bool(node.items)
        case tree.Call():
            return bool(node.args) and last_name(node.func) not in ("defaultdict", "field")
        case _:
            return True


def _held(node: tree.Node) -> list[tree.Node]:
    """The elements of a collection that is written out; a comprehension's element stands for all."""
    match node:
        case tree.Sequence():
            return list(node.items)
        case tree.Comprehension():
            return [node.results[-1]]
        case tree.DictDisplay():
            return [v for v in node.values if holds_something(v)]
        case _:
            return [node] if holds_something(node) else []
