"""Decorators that keep what they decorate: `@register` puts a function or a class where others call it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.calling.dispatch import dispatchers
from capsule_lint.program.calling.passing import HARMLESS
from capsule_lint.program.calling.wrapping import called_of
from capsule_lint.program.containers import ADDING_ONE
from capsule_lint.program.inference.types import (
    ClassObject,
    Foreign,
    Instance,
    LambdaObject,
    ordered,
)
from capsule_lint.program.local_names import reads_of_parameter
from capsule_lint.program.logs import is_log
from capsule_lint.program.model import Class, enclosing, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Module

_PLACE: Final = re.compile(r"\{(\w+)")
_CACHING: Final = re.compile(r"cach|memo", re.IGNORECASE)
_KEEPING: Final = ADDING_ONE | {"register", "setdefault"}
_LOOKING: Final = frozenset(
    (
        "bool",
        "callable",
        "getattr",
        "getdoc",
        "getsource",
        "hasattr",
        "id",
        "iscoroutinefunction",
        "isfunction",
        "isinstance",
        "ismethod",
        "len",
        "repr",
        "setattr",
        "signature",
        "str",
        "unwrap",
    )
)
"""The names of functions that only look at what they are given."""
_REGISTERING: Final = ("register", "subscribe")
_STANDING_IN: Final = ("__call__", "__get__")


class Kept(Struct, frozen=True):
    """Where a decorator keeps what it decorates, its name, and that of the table, if it is one."""

    node: tree.Node
    decorator: str
    table: str = ""


class Registries(Struct, frozen=True):
    """Finds what decorators keep."""

    program: Program

    def keeping(self, symbol: Function | Class) -> Iterator[Kept]:
        """Where decorators keep a function, or put a class into a table, for others to call."""
        classes = self.program.classes
        for decorator in symbol.fact.decorators:
            if any(dispatchers(self.program.inference, decorator)):
                continue  # called in the place of another, with the same arguments
            types = self.program.inference.of(decorator)
            if all(isinstance(one, Foreign) for one in types):
                name = last_name(decorator)
                if not isinstance(symbol, Class) and name.startswith(_REGISTERING):
                    yield Kept(decorator, name)
                continue
            for one in ordered(types):
                function = (
                    classes.initializer(one.cls)
                    if isinstance(one, ClassObject)
                    else called_of(classes, one)
                )
                if function is not None:
                    own, module, name = function.own_params, function.module, function.name
                elif isinstance(one, LambdaObject):
                    own, module = one.node.params, self.program.names.module_of(one.node)
                    name = last_name(decorator)
                else:
                    continue
                if own and own[0].by_position:
                    keeping = self._tabled if isinstance(symbol, Class) else self._kept
                    for node in keeping(own[0], module):
                        if not isinstance(one, ClassObject) or self._is_used(one.cls, node):
                            yield Kept(node, name, self._table(node))

    def _is_used(self, cls: Class, node: tree.Node) -> bool:
        """Whether a class that decorates does anything with what it keeps but stand in its place."""
        parent = self.program.names.parent(node)
        target = parent.targets[0] if isinstance(parent, tree.Assign) else None
        if not isinstance(target, tree.Attr):
            return True
        return any(
            isinstance(call.func, tree.Attr)
            and Instance(cls) in self.program.inference.of(call.func.base)
            and not any(f.name in _STANDING_IN for f in enclosing(self.program.names.place(call)))
            for call in self.program.calls.uses.calls(target.name)
        )

    def _tabled(self, own: tree.Parameter, module: Module) -> Iterator[tree.Node]:
        """Where a class is put into a table from which it is made."""
        for node in reads_of_parameter(self.program.names, own, module):
            table = self._table(node)
            if table and self._is_made(table):
                yield node

    def _kept(
        self, own: tree.Parameter, module: Module, around: frozenset[Function] = frozenset()
    ) -> Iterator[tree.Node]:
        """Where a function does anything with what it is given but call it, return it or look at it."""
        for read in reads_of_parameter(self.program.names, own, module):
            node = self._choice(read)
            if self._table(node):
                yield read
                continue
            match self.program.names.parent(node):
                case tree.Attr() | tree.Compare() | tree.Block() | tree.Eval(kind="return"):
                    continue
                case tree.Wrapped(kind="not") | tree.Lambda() | tree.FString():
                    continue
                case tree.Call() as call if call.func is node or self._only_looks(call):
                    continue
                case tree.Call() as call:
                    passed = list(self._passed_on(call, node))
                    for function, parameter in passed:
                        if function not in around:
                            known = around | {function}
                            yield from self._kept(parameter, function.module, known)
                    if not passed:
                        yield read
                case _:
                    yield read

    def _choice(self, node: tree.Node) -> tree.Node:
        """What an expression is one of: `given or default`."""
        match self.program.names.parent(node):
            case tree.Boolean() as parent:
                return self._choice(parent)
            case tree.Conditional(test=test) as parent if test is not node:
                return self._choice(parent)
            case _:
                return node

    def _only_looks(self, call: tree.Call) -> bool:
        return last_name(call.func) in HARMLESS or only_looks(self.program, call)

    def _passed_on(
        self, call: tree.Call, node: tree.Node
    ) -> Iterator[tuple[Function, tree.Parameter]]:
        """The functions that a call gives a value to, and as which parameter."""
        for callee in self.program.calls.callees(call):
            if callee.function is None:
                continue
            for name, argument in callee.arguments(call).items():
                parameter = callee.function.parameter(name)
                if argument.value is node and parameter is not None:
                    yield callee.function, parameter

    def _table(self, node: tree.Node) -> str:
        """The name of the table that something is put into; empty where it is put into none."""
        match self.program.names.parent(node):
            case tree.Assign(value=value, targets=(tree.Subscript(base=base), *_)) if (
                value is node
            ):
                return last_name(base)
            case tree.Call(func=tree.Attr(name=name, base=base) as func) if (
                name in _KEEPING and func.base is not node
            ):
                match base:
                    case tree.Call(
                        func=tree.Attr(base=table)
                    ):  # `TABLE.setdefault(key, []).append`
                        return last_name(table)
                    case _:
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


def only_looks(program: Program, call: tree.Call) -> bool:
    """Whether a call does nothing with what it is given but look at it, or tell a person of it: `logger.info("%s", f)`."""
    return last_name(call.func) in _LOOKING or (is_log(call) and not program.calls.callees(call))


def caching(function: Function) -> Iterator[tree.Node]:
    """The same as `picking`, of decorators alone that are called like caches."""
    values = set(map(id, caching_arguments(function)))
    return (node for node in picking(function) if id(node) in values)


def caching_arguments(function: Function) -> Iterator[tree.Node]:
    """What decorators of a function are given that are called like caches."""
    for decorator in function.fact.decorators:
        if isinstance(decorator, tree.Call) and _CACHING.search(last_name(decorator.func)):
            yield from (argument.value for argument in decorator.args)


def placeholders(text: tree.Const) -> set[str]:
    """The names in a text that something else is going to fill."""
    return set(_PLACE.findall(tree.text(text) or ""))


def picking(function: Function) -> Iterator[tree.Node]:
    """What a decorator is given that takes the arguments of the function by their names, or says them in
    a text: `@cached(key=lambda tenant_id, order_id: …)`, `@cached("{tenant_id}:{order_id}")`."""
    own = {p.name for p in function.own_params}
    for decorator in function.fact.decorators:
        for argument in decorator.args if isinstance(decorator, tree.Call) else ():
            match argument.value:
                case tree.Lambda(params=params) if own & {p.name for p in params}:
                    yield argument.value
                case tree.Const(value=str()) if own & placeholders(argument.value):
                    yield argument.value
