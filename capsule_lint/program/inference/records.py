"""What a mock has recorded: `mock.call_args.args`, `mock.call_args_list[0][0]`, and names for them; and
what a function in the place of another one does with its `*args`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import ADDING_ONE, IN_PLACE, LISTED
from capsule_lint.program.inference.types import FunctionObject, Mocked, ordered
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Binding, Function, Module
    from capsule_lint.program.names import Names

ONE_CALL: Final = frozenset(("call_args", "await_args"))
MANY_CALLS: Final = frozenset(
    ("call_args_list", "await_args_list", "mock_calls", "method_calls", "mock_awaits")
)
_NAMED: Final = frozenset(("mock_calls", "method_calls"))
"""Lists whose calls begin with the name of what was called."""
_MAX_DEPTH: Final = 8


class View(Enum):
    """Which part of what was recorded an expression is."""

    CALLS = "calls"
    CALL = "call"
    ARGS = "args"
    KWARGS = "kwargs"
    LISTED = "listed"
    """A list of the positional arguments of calls."""
    NAMED = "named"
    """A list of the keyword arguments of calls."""


LISTS: Final = {View.CALL: View.CALLS, View.ARGS: View.LISTED, View.KWARGS: View.NAMED}
"""What a list of such parts is."""
_ELEMENTS: Final = {several: one for one, several in LISTS.items()}


class Record(Struct, frozen=True):
    """A part of what a mock has recorded, the mock's expression, and where the arguments stand in a
    call that is taken apart."""

    view: View
    mock: tree.Node
    first: int
    others: tuple[tree.Node, ...] = ()
    """What else a test puts into the list in which it keeps the calls."""

    def part(self, view: View) -> Record:
        """Another part of the same."""
        return Record(view, self.mock, self.first, self.others)

    def item(self, index: int | None) -> Record | None:
        """What stands at an index; `None` for an index that is not known."""
        match self.view:
            case view if view in _ELEMENTS:
                return self.part(_ELEMENTS[view])
            case View.CALL if index is not None:
                at = index - self.first if index >= 0 else index + 2
                return self.part((View.ARGS, View.KWARGS)[at]) if at in (0, 1) else None
            case _:
                return None


@dataclass(eq=False, slots=True)
class Records:
    """Finds views on what mocks have recorded."""

    names: Names
    classes: Classes
    inference: Inference
    _views: dict[int, Record | None] = field(default_factory=dict)
    _functions: dict[int, tuple[tuple[Function, int], ...]] = field(default_factory=dict)
    _stars: dict[int, tuple[Function, int]] = field(default_factory=dict)
    _kept: dict[int, Record] = field(default_factory=dict)
    """What bindings are in what comes in a function's place."""
    kept: set[int] = field(default_factory=set)
    """The uses that only keep what was passed."""
    _compared: dict[int, tuple[tuple[tree.Node, bool], ...]] = field(default_factory=dict)
    _speaking: dict[str, dict[Function, list[tuple[tree.Call, int]]]] = field(default_factory=dict)
    """By the name of what is called."""

    def of(self, node: tree.Node, depth: int = 0) -> Record | None:
        """Which part of a mock's calls an expression is; `None` when it is none."""
        if id(node) not in self._views:
            self._views[id(node)] = None  # what an expression sees that is defined by itself
            found = self._find(node, depth) if depth < _MAX_DEPTH else None
            self._views[id(node)] = found
        return self._views[id(node)]

    def _find(self, node: tree.Node, depth: int) -> Record | None:
        match node:
            case tree.Attr(name=name) if name in ONE_CALL | MANY_CALLS:
                view = View.CALL if name in ONE_CALL else View.CALLS
                known = self._is_mock(node.base)
                return Record(view, node.base, int(name in _NAMED)) if known else None
            case tree.Attr(name="args" | "kwargs"):
                call = self.of(node.base, depth + 1)
                if call is None or call.view is not View.CALL:
                    return None
                return call.part(View.ARGS if node.name == "args" else View.KWARGS)
            case tree.Subscript():
                base = self.of(node.base, depth + 1)
                if base is None or isinstance(node.index, tree.Slice):  # a slice
                    return base if base is not None and base.view in _ELEMENTS else None
                return base.item(tree.integer(node.index))
            case tree.Call(args=(argument,)) if last_name(node.func) in IN_PLACE:
                base = self.of(argument.value, depth + 1)
                return base if base is not None and base.view is not View.CALL else None
            case tree.Call(args=(argument, *_)) if last_name(node.func) in LISTED:
                base = self.of(argument.value, depth + 1)
                return base if base is not None and base.view in _ELEMENTS else None
            case tree.Comprehension(results=(result,), generators=(_,)):
                part = self.of(result, depth + 1)
                several = LISTS.get(part.view) if part is not None else None
                return part.part(several) if part is not None and several is not None else None
            case tree.Walrus():
                return self.of(node.value, depth + 1)
            case tree.Name():
                bindings = self.names.bindings_of(node)
                return self._bound(bindings[0], node, depth) if len(bindings) == 1 else None
            case _:
                return None

    def _bound(self, binding: Binding, node: tree.Name, depth: int) -> Record | None:
        if id(binding) in self._kept:
            return self._kept[id(binding)] if binding.at != node.at else None
        if binding.kind not in ("assign", "for") or binding.value is None:
            return None
        if binding.at == node.at:  # the target itself
            return None
        found = self.of(binding.value, depth + 1)
        if binding.kind == "for" and found is not None:
            found = found.item(None)
        for step in binding.path:
            found = found.item(step) if found is not None and step >= 0 else None
        return found

    def _is_mock(self, node: tree.Node) -> bool:
        """Whether something records its calls; a method that is asked for them is one of a mock, whatever
        its object is declared as."""
        return any(isinstance(t, Mocked | FunctionObject) for t in self.inference.of(node))

    # --- functions in the place of others ---

    def star(
        self, module: Module, star: tree.Parameter, name: tree.Node, function: Function, given: int
    ) -> None:
        """Follow the `*args` of what comes in a function's place, from its parameter `given` on;
        `name` is where the function is named there."""
        record = Record(View.ARGS, name, 0)
        self._stars[id(name)] = (function, given)
        uses: list[tree.Name] = []
        for node in module.each(tree.Name):
            if node.id == star.name:
                for binding in self.names.bindings_of(node):
                    if binding.parameter is star:
                        self._kept[id(binding)] = record
                        uses.append(node)
        for node in uses:
            self._keep(node, record)
        self._views.clear()
        self._speaking.clear()

    def _keep(self, node: tree.Name, record: Record) -> None:
        """`calls.append(args)`, `calls.append((args, kwargs))`: a local list of calls."""
        kept: tree.Node = node
        parent = self.names.parent(kept)
        view = View.LISTED
        if (
            isinstance(parent, tree.Sequence)
            and len(parent.items) == 2
            and parent.items[0] is node
        ):
            kept, view = parent, View.CALLS
            parent = self.names.parent(kept)
        match parent:
            case tree.Call(func=tree.Attr(name="append", base=tree.Name() as base)):
                bindings = self.names.bindings_of(base)
                if len(bindings) == 1 and bindings[0].kind == "assign":
                    others = tuple(one for one in self._added(base) if one is not kept)
                    self._kept[id(bindings[0])] = Record(view, record.mock, record.first, others)
                    self.kept.update((id(node), id(base)))

    def _added(self, base: tree.Name) -> Iterator[tree.Node]:
        """What is added to a list of a test's, one by one."""
        bound = self.names.bindings_of(base)
        for node in self.names.module_of(base).each(tree.Name):
            method = self.names.parent(node) if node.id == base.id else None
            if isinstance(method, tree.Attr) and method.name in ADDING_ONE:
                call = self.names.parent(method)
                if (
                    isinstance(call, tree.Call)
                    and call.args
                    and self.names.bindings_of(node) == bound
                ):
                    yield call.args[-1].value

    # --- of which functions ---

    def functions(self, mock: tree.Node) -> tuple[tuple[Function, int], ...]:
        """The functions that a mock stands for, and how many of their first parameters it does not
        record. What is asked for its calls is a mock, also where it is declared as the method itself."""
        if id(mock) in self._stars:
            return (self._stars[id(mock)],)
        known = self._functions.get(id(mock))
        if known is None:
            known = tuple(
                (one.function, int(one.bound and one.function.takes_self))
                for one in ordered(self.inference.of(mock))
                if isinstance(one, FunctionObject)
            )
            if self.inference.table.settled(id(mock)) is not None:
                self._functions[id(mock)] = known
        return known

    def speaking(
        self, function: Function, name: str, calls: Iterable[tree.Call]
    ) -> Sequence[tuple[tree.Call, int]]:
        """Those of the calls of `name` that are asked of a mock of a function, or are compared with its calls
        as a `call(…)` is, and how many of the function's first parameters the mock does not record."""
        if name not in self._speaking:
            found = self._speaking[name] = defaultdict(list)
            for call in calls:
                for mock in self._mocks_of(call):
                    for one, given in dict.fromkeys(self.functions(mock)):
                        found[one].append((call, given))
        return self._speaking[name].get(function, ())

    def _mocks_of(self, call: tree.Call) -> Iterator[tree.Node]:
        if last_name(call.func) != "call":
            yield from (call.func.base,) if isinstance(call.func, tree.Attr) else ()
        elif not (isinstance(call.func, tree.Attr) and last_name(call.func.base) == "call"):
            yield from (mock for mock, _ in self.compared(call))  # not `call.call(…)`

    # --- `call(…)` ---

    def compared(self, call: tree.Call) -> tuple[tuple[tree.Node, bool], ...]:
        """The mocks with whose calls a `call(…)` is compared, and whether the calls of their methods
        are among those."""
        if id(call) not in self._compared:
            self._compared[id(call)] = tuple(self._compares(call, 0))
        return self._compared[id(call)]

    def _compares(self, node: tree.Node, depth: int) -> Iterator[tuple[tree.Node, bool]]:
        if depth > _MAX_DEPTH:
            return
        parent = self.names.parent(node)
        match parent:
            case tree.Sequence() | tree.Wrapped() | tree.Binary():
                yield from self._compares(parent, depth + 1)
            case tree.Comprehension(results=results) if any(one is node for one in results):
                yield from self._compares(parent, depth + 1)
            case tree.Call(func=tree.Attr(name="assert_has_calls" | "assert_has_awaits") as func):
                yield func.base, True
            case tree.Call() if last_name(parent.func) in ("list", "tuple", "sorted", "any"):
                yield from self._compares(parent, depth + 1)
            case tree.Call() if last_name(parent.func).startswith("assert"):
                yield from self._sides([a.value for a in parent.args], node)
            case tree.Compare():
                yield from self._sides([parent.left, *parent.rights], node)
            case tree.Assign() if parent.value is node:
                for name in self.uses(parent):
                    yield from self._compares(name, depth + 1)

    def _sides(self, sides: list[tree.Node], node: tree.Node) -> Iterator[tuple[tree.Node, bool]]:
        for side in sides:
            record = self.of(side) if side is not node else None
            if record is not None and record.view in (View.CALL, View.CALLS):
                yield record.mock, bool(record.first)

    def uses(self, statement: tree.Assign) -> Iterator[tree.Name]:
        """Where a local is read that only this statement binds."""
        if len(statement.targets) != 1 or not isinstance(statement.targets[0], tree.Name):
            return
        target = statement.targets[0]
        for node in reads_of(self.names, target, (target.at,)):
            if len(self.names.bindings_of(node)) == 1:
                yield node
