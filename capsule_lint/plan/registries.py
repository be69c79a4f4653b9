"""Decorators that keep what they decorate: `@register` puts a function or a class into a table, from which it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.sources import enclosing
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.types import FunctionObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_PLACE: Final = re.compile(r"\{(\w+)")
_KEEPING: Final = frozenset(("append", "add", "insert", "register", "setdefault"))


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a decorator keeps what it decorates, and the name of the table."""

    node: tree.Name
    decorator: Function
    table: str


@dataclass(frozen=True, slots=True)
class Registries:
    """Finds what decorators keep."""

    program: Program

    def keeping(self, symbol: Function | Class) -> Iterator[Kept]:
        """The tables that decorators put a function or class into, from which others may call it."""
        for decorator in symbol.fact.decorators:
            for one in sorted(self.program.inference.of(decorator), key=repr):
                if isinstance(one, FunctionObject) and one.function.own_params:
                    for kept in self._kept(one.function):
                        if not isinstance(symbol, Class) or self._is_made(kept.table):
                            yield kept

    def _kept(self, decorator: Function) -> Iterator[Kept]:
        own, names = decorator.own_params[0], self.program.names
        for node in decorator.module.nodes:
            if not isinstance(node, tree.Name) or node.id != own.name:
                continue
            place = names.place(node)
            if decorator not in enclosing(place) or not any(
                b.parameter is own for b in names.bindings(node.id, place)
            ):
                continue
            table = self._table(node)
            if table:
                yield Kept(node, decorator, table)

    def _table(self, node: tree.Name) -> str:
        match self.program.names.parent(node):
            case tree.Assign(value=value, targets=(tree.Subscript(base=base), *_)) if (
                value is node
            ):
                return last_name(base)
            case tree.Call(func=tree.Attr(name=name, base=base) as func) if (
                name in _KEEPING and func.base is not node
            ):
                return last_name(base)
            case _:
                return ""

    def _is_made(self, table: str) -> bool:
        """Whether what is in a table is called with arguments by their position or name: a class that is
        only made of `**item` gets what the item has."""
        return any(
            not all(a.star == "**" for a in call.args)
            for name in {table, *self._taken(table)}
            for call in self.program.calls.uses.calls(name)
            if not isinstance(call.func, tree.Attr) or name != table
        )

    def _taken(self, table: str) -> Iterator[str]:
        """The locals that hold what was taken from a table: `cls = REGISTRY[kind]`."""
        for module in self.program.names.modules.values():
            for statement, _ in module.statements:
                if isinstance(statement, tree.Assign):
                    value = statement.value
                    if isinstance(value, tree.Call) and last_name(value.func) in ("get", "pop"):
                        value = value.func
                        value = value.base if isinstance(value, tree.Attr) else value
                    elif isinstance(value, tree.Subscript):
                        value = value.base
                    else:
                        continue
                    if last_name(value) == table:
                        yield from (t.id for t in statement.targets if isinstance(t, tree.Name))


def picking(function: Function) -> Iterator[tree.Node]:
    """What a decorator is given that takes the arguments of the function by their names, or says them in
    a text: `@cached(key=lambda tenant_id, order_id: …)`, `@cached("{tenant_id}:{order_id}")`."""
    own = {p.name for p in function.own_params}
    for decorator in function.fact.decorators:
        for argument in decorator.args if isinstance(decorator, tree.Call) else ():
            match argument.value:
                case tree.Lambda(params=params) if own & {p.name for p in params}:
                    yield argument.value
                case tree.Const(value=str() as text) if own & set(_PLACE.findall(text)):
                    yield argument.value
