"""What tests look up in a table of theirs, `table.rows["TENANT#t", "META"]`, `table.rows["TENANT#t"]["META"]`: what puts
rows there says what stands where in it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.plan.testing.elements import position
from capsule_lint.plan.testing.known_as import owners
from capsule_lint.program.local_names import behind, looked_up
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from capsule_lint.plan.testing.elements import Position
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function

_Table: TypeAlias = "tuple[tree.Name | tree.Attr | tree.Comprehension, int, Position | None]"
"""A dict, how many dicts deep, `table.rows` and 1 of `table.rows[pk][sk]`, and where in its keys something stands."""
_MAX_STEPS: Final = 4


@dataclass(eq=False)
class RowKeys:
    """Tells it."""

    program: Program

    def is_called(
        self,
        node: tree.Node,
        places: Iterable[tuple[tree.Node, Iterable[tree.Node]]],
        is_so: Callable[[str], bool],
    ) -> bool:
        """Whether an expression stands where an attribute does that is called so: `"SK"` of
        `self.rows[item["PK"], item["SK"]] = item`. `places` are where it is read, or the pair that it stands in, and
        what is compared there."""
        at = position(self.program, node)
        return any(
            self._is_put_so(table, is_so)
            for place, sides in places
            for table in (*self._looked_into(place, at), *self._compared(sides, at))
        )

    def _is_put_so(self, table: _Table, is_so: Callable[[str], bool]) -> bool:
        """The same in one table: something puts it there as one, or everything does that may put into that table."""
        named, depth, at = table
        if isinstance(named, tree.Comprehension):
            return depth == 0 and self._is_called_so(named.results[0], at, is_so)
        homes = set(self._homes(named))
        own: list[tree.Node] = []
        others: list[tree.Node] = []
        for node, key in self._puts.get((last_name(named), depth), ()):
            theirs = set(self._homes(node))
            if not homes or not theirs:
                others.append(key)
            elif homes & theirs:
                own.append(key)
        if own:
            return any(self._is_called_so(key, at, is_so) for key in own)
        return bool(others) and all(self._is_called_so(key, at, is_so) for key in others)

    def _homes(self, node: tree.Name | tree.Attr) -> Iterator[Class | Function | Binding]:
        """The classes that have a dict, the function that makes it for itself, or the name of a module that stands for
        it, where that is known."""
        if isinstance(node, tree.Attr):
            yield from owners(self.program, node)
        else:
            for binding in self.program.names.bindings_of(node):
                if binding.kind == "assign" and not binding.is_global and binding.function:
                    yield binding.function
        target = self.program.classes.dotted(node)
        if isinstance(target, Binding) and target.is_global:
            yield target

    def _is_called_so(
        self, key: tree.Node, at: Position | None, is_so: Callable[[str], bool]
    ) -> bool:
        names = (self.program.templates.constant(name) or "" for name in self._said(key, at))
        return any(map(is_so, names))

    def _said(self, key: tree.Node, at: Position | None) -> Iterator[tree.Node]:
        """The name of the attribute that a key is, or what stands at a position in it."""
        names = self.program.names
        made = behind(names, key)
        callees = self.program.calls.callees(made) if isinstance(made, tree.Call) else ()
        returned = (v for c in callees if c.function is not None for v in c.function.returns)
        for one in (made, *returned):
            items = one.items if isinstance(one, tree.Sequence) and one.kind == "tuple" else ()
            part = items[at.number] if at is not None and len(items) == at.count else None
            said = behind(names, part) if part is not None else one if at is None else None
            while isinstance(said, tree.Subscript):
                yield said.index  # also that of a typed value, `item["SK"]["S"]`
                said = said.base

    def _looked_into(self, place: tree.Node, at: Position | None) -> Iterator[_Table]:
        """The table in which something is looked up: `rows[pk, sk]`, `rows.get((pk, sk))`."""
        parent = self.program.names.parent(place)
        found = _looked_up(parent)
        if found is not None and found[1] is place:
            yield from self._called(found[0], at)

    def _compared(self, sides: Iterable[tree.Node], at: Position | None) -> Iterator[_Table]:
        """The same of what is compared with what it has: `(pk, sk) in table.rows`, `list(rows) == [(pk, sk)]`,
        `[pk] == [pk for pk, _ in table.rows]`."""
        queue = list(sides)
        while queue:
            one = queue.pop()
            yield from self._called(one, at)
            match one:
                case tree.Comprehension(results=(tree.Name(id=name),), generators=(loop,)):
                    taken = [n for n in within(loop.target) if last_name(n) == name]
                    if taken:
                        yield from self._compared([loop.iter], position(self.program, taken[0]))
                        continue
                case tree.Comprehension(generators=loops):
                    queue += [inner.iter for inner in loops]
            if not _is_of_row(one):
                queue += one.below()

    def _called(
        self, table: tree.Node, at: Position | None, depth: int = 0, steps: int = 0
    ) -> Iterator[_Table]:
        node = self._behind(table)
        while (found := _looked_up(node)) is not None:
            node, depth = self._behind(found[0]), depth + 1
        match node:
            case tree.Name() | tree.Attr() | tree.Comprehension(kind="DictComp"):
                yield node, depth, at
            case tree.Call() if steps < _MAX_STEPS:
                for callee in self.program.calls.callees(node):
                    if callee.function is not None and callee.function.module.is_test:
                        for made in callee.function.returns:
                            yield from self._called(made, at, depth, steps + 1)

    def _behind(self, table: tree.Node) -> tree.Node:
        """What a name stands for; or the name itself, where that is a dict which is made there."""
        meant = behind(self.program.names, table)
        made = isinstance(meant, tree.DictDisplay | tree.Comprehension)
        return table if meant is None or made else meant

    @cached_property
    def _puts(self) -> dict[tuple[str, int], list[tuple[tree.Name | tree.Attr, tree.Node]]]:
        """What a program puts something under in its dicts, by what these are called, so many dicts deep."""
        found: dict[tuple[str, int], list[tuple[tree.Name | tree.Attr, tree.Node]]]
        found = defaultdict(list)
        modules = self.program.names.modules.values()
        statements = (statement for module in modules for statement, _ in module.statements)
        for made in (one for one in statements if isinstance(one, tree.Assign)):
            for target in made.targets:
                node, depth, key = target, -1, None
                while (inner := _looked_up(node)) is not None:
                    node, depth, key = inner[0], depth + 1, key or inner[1]
                match made.value:
                    case tree.Comprehension(kind="DictComp", results=(first, _)) if key is None:
                        depth, key = 0, first
                if isinstance(node, tree.Name | tree.Attr) and key is not None:
                    found[last_name(node), depth].append((node, key))
        return found


def _is_of_row(node: tree.Node) -> bool:
    """Whether an expression is what a dict has under a key, and none of its keys: `rows[key]`, `rows.values()`."""
    match node:
        case tree.Subscript(index=index):
            return not isinstance(index, tree.Slice) and tree.integer(index) is None
        case tree.Call(func=tree.Attr(name="values")):
            return True
        case _:
            return _looked_up(node) is not None


def _looked_up(node: object) -> tuple[tree.Node, tree.Node] | None:
    """The dict and the key of an expression that looks something up."""
    if not isinstance(node, tree.Subscript | tree.Call):
        return None
    found = (looked_up(node, method) for method in ("get", "pop", "setdefault"))
    return next((one for one in found if one is not None), None)
