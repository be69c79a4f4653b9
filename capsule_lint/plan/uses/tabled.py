"""Functions that are kept in tables: as good as the calls through these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Verdict
from capsule_lint.program.calling.fixtures import parameter_names
from capsule_lint.program.held_names import table_of
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.supply.values import Values
    from capsule_lint.plan.uses.asked import Asked
    from capsule_lint.program import Program
    from capsule_lint.program.model import Symbol


class Tabled(Struct, frozen=True):
    """Finds the calls of what stands in a table, and judges by them."""

    program: Program
    values: Values
    asked: Asked

    def judge(
        self, node: tree.Node, symbol: Symbol, kind: str = "a collection"
    ) -> tuple[Verdict, str]:
        """A table of functions is as good as the calls through it."""
        if isinstance(symbol, Function):
            for name in self._table_names(node):
                calls = self.program.calls.uses.calls(name)
                own = [c for c in calls if self._calls(c, symbol)]
                if own and all(self._settled(c) for c in own):
                    return Verdict.REWRITTEN, f"in {kind} whose calls are rewritten"
        return Verdict.ESCAPE, f"kept in {kind}"

    def _calls(self, call: tree.Call, symbol: Function) -> bool:
        return any(c.function is symbol for c in self.program.calls.callees(call))

    def _settled(self, call: tree.Call) -> bool:
        """Whether a call is rewritten, and everything that it may call changes in the same way."""
        wanted = self.asked.of(call)
        return wanted is not None and all(self.values.takes(call, scope) for scope in wanted)

    def _table_names(self, node: tree.Node) -> set[str]:
        """The names by which what stands in a display is called: the table's, a loop's, a parameter's."""
        parent_of = self.program.names.parent
        path, holder = node, parent_of(node)
        while isinstance(holder, tree.DictDisplay | tree.Sequence):
            path, holder = holder, parent_of(holder)
        if isinstance(holder, tree.Attr):  # `{…}.items()`
            call = parent_of(holder)
            holder = parent_of(call) if isinstance(call, tree.Call) else None
        if isinstance(holder, tree.Subscript) and holder.base is path:  # `{…}[kind]`
            holder = parent_of(holder)
        match holder:
            case tree.Call(func=tree.Attr(name="append", base=base)):
                return {last_name(base), *self._loops_over(path, last_name(base))}
            case tree.Assign():
                names = {last_name(target) for target in holder.targets}
                names |= {n for name in names for n in self._loops_over(path, name)}
                return names.union(*map(self.program.calls.uses.aliases, sorted(names)))
            case tree.Block(kind="for"):
                return {name for bind in holder.binds for name in _bound_names(bind.target)}
            case tree.Comprehension():
                return {n for part in holder.generators for n in _bound_names(part.target)}
            case tree.Call() if last_name(holder.func) == "param":
                return self._table_names(holder)
            case tree.Call() if last_name(holder.func) == "parametrize":
                return set(parameter_names(holder))
            case _:
                return set()

    def _loops_over(self, table: tree.Node, name: str) -> Iterator[str]:
        """The names of loops and comprehensions in the same module that go through a table."""
        for target, value in self.program.names.module_of(table).loops():
            if _table_of(value) == name:
                yield from _bound_names(target)


def _bound_names(target: tree.Node) -> set[str]:
    return {leaf.id for leaf, _ in targets_of(target) if isinstance(leaf, tree.Name)}


def _table_of(node: tree.Node) -> str:
    """The name of the table in `TABLE`, `TABLE.items()` and `TABLE.values()`."""
    table = table_of(node)
    return last_name(table) if isinstance(table, tree.Name | tree.Attr) else ""
