"""What is put into collections, wherever that is done: `rows.append(x)`, `rows[key] = x`, `jobs.put(x)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.program.containers import ADDING, COPIED, KEYED, LISTED, QUEUING, TAKING
from capsule_lint.program.model import Binding, Class, Function, Module, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program

Owner: TypeAlias = Class | Module | Function
Home: TypeAlias = tuple[Owner, str]
"""A collection: the class, module or function that has it, and its name."""

QUEUES: Final = frozenset(("Queue", "SimpleQueue", "LifoQueue", "JoinableQueue", "deque", "list"))
"""What makes something that gives back what is put into it."""
ELEMENTS: Final = KEYED | {"popleft", "get_nowait"}
"""Methods that give one element of a collection."""
_EMPTY: Final = LISTED | COPIED | {"defaultdict", "field"}
_WAITING: Final = frozenset(("block", "timeout"))
"""What else `put` of a queue may be told."""
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
        held = [
            v for one in self._kept(home) if not isinstance(one, tree.Name) for v in _held(one)
        ]
        held += [value for value, base in self.to(home[1]) if self.home(base) == home]
        return held

    def handed(self, home: Home) -> list[tree.Node]:
        """The collections that one is, where it is made elsewhere: `queue` of `self._queue = queue`."""
        return [one for one in self._kept(home) if isinstance(one, tree.Name)]

    def _kept(self, home: Home) -> list[tree.Node]:
        """What a collection is made by."""
        owner, name = home
        found = [s.value for s in owner.stores.get(name, ())] if isinstance(owner, Class) else []
        found += [b.value for b in owner.scope.bindings.get(name, ())]
        return [
            part
            for value in found
            if value is not None
            for part in (value.values if isinstance(value, tree.Boolean) else (value,))
        ]

    def to(self, name: str) -> list[tuple[tree.Node, tree.Node]]:
        """What is added to collections of that name: `rows.append(x)`, `rows[key] = x`."""
        if self._found is None:
            self._found = {}
            for value, base in self._every_addition():
                for one in _added(value):
                    self._found.setdefault(last_name(root_of(base)), []).append((one, base))
        self.program.names.ask(name)
        return self._found.get(name, [])

    def _every_addition(self) -> Iterator[tuple[tree.Node, tree.Node]]:
        for name in sorted(ADDING - {"update"} | {"setdefault"}):
            position = int(name in ("insert", "setdefault"))
            for call in self.program.calls.uses.calls_beside(name):
                if isinstance(call.func, tree.Attr) and len(call.args) > position:
                    yield call.args[position].value, call.func.base
        for name in sorted(QUEUING):
            for call in self.program.calls.uses.calls_beside(name):
                if isinstance(call.func, tree.Attr) and is_put(call):
                    yield call.args[0].value, call.func.base
        for module in self.program.names.modules.values():
            for target, value in module.assigned:
                if isinstance(target, tree.Subscript):
                    yield value, target.base


def is_put(call: tree.Call) -> bool:
    """Whether a call of `put` gives a queue what comes out of it, and not a cache a key and a value."""
    first, *rest = call.args or (None,)
    if first is None or first.star or first.keyword not in (None, "item", "obj"):
        return False
    return all(one.keyword in _WAITING or isinstance(one.value, tree.Const) for one in rest)


def taking_till_none(call: tree.Call) -> tree.Node | None:
    """The queue of `iter(jobs.get, None)`, which gives all that is put into it until there comes a `None`."""
    match call:
        case tree.Call(
            func=tree.Name(id="iter"), plain=(tree.Attr() as take, tree.Const(value=None))
        ):
            return take.base if take.name in TAKING else None
        case _:
            return None


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
            case tree.Call() if (queue := taking_till_none(node)) is not None:
                node = queue
            case _:
                return node


def makes_queue(value: tree.Node | None) -> bool:
    """Whether an expression makes a queue with nothing in it."""
    match value:
        case tree.Sequence(kind="list", items=()):
            return True
        case tree.Call(func=func, args=args):
            return last_name(func) in QUEUES and all(
                a.keyword in ("maxsize", "maxlen") or isinstance(a.value, tree.Const) for a in args
            )
        case _:
            return False


def holds_something(node: tree.Node) -> bool:
    """Whether something stored is more than an empty collection."""
    match node:
        case tree.DictDisplay():
            return bool(node.keys)
        case tree.Sequence():
            return bool(node.items)
        case tree.Call():
            made = last_name(node.func)
            return (
                bool(node.args) and made not in ("defaultdict", "field") and not makes_queue(node)
            )
        case _:
            return True


def _added(node: tree.Node) -> list[tree.Node]:
    """What something that is added adds: a call without arguments is one of a function, `note.to_item()`, unless it makes
    an empty collection, `deque()`."""
    name = last_name(node.func) if isinstance(node, tree.Call) and not node.args else ""
    if name[:1].islower() and name not in _EMPTY:
        return [node]
    if not holds_something(node):
        return []
    return [node] if isinstance(node, tree.DictDisplay) else _held(node)


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
