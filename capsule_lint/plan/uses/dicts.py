"""What shows that a receiver of unknown type is a dict, and so no object of the program."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.program.bases import ADDING_NOTHING
from capsule_lint.program.inference.namespaces import is_spelled
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.purposes.tables import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Linked, Program
    from capsule_lint.program.model import Class, Module

_STEPS: Final = 4
"""Through how many names an answer is followed."""
_METHODS: Final = ("get", "pop", "setdefault", "update", "items", "keys", "values")
_OF_SETS: Final = ("add", "append", "discard", "extend", "remove")
_ID: Final = re.compile(r"_u?uid$|_id$|[a-z]Id$")
_HUMP: Final = re.compile(r"^[A-Z]|[a-z][A-Z]")
_PLAIN: Final = frozenset(
    [
        "dict",
        "Mapping",
        "MutableMapping",
        "list",
        "tuple",
        "set",
        "str",
        "bytes",
        "int",
        "float",
        "bool",
        "Decimal",
        "datetime",
        "date",
        "timedelta",
        "UUID",
    ]
)
"""Classes whose instances have no methods of the program, and cannot be called."""


@dataclass(eq=False)
class Dicts:
    """Tells dicts by how they are made, tested and used."""

    program: Program
    _subscripted: dict[Module, set[tuple[object, str]]] = field(default_factory=dict)

    def is_dict(
        self, symbol: Function | Class, receiver: tree.Node, classes: frozenset[Class]
    ) -> bool:
        """Whether `x.get(…)` is that of a dict: by a default that no key has, by what `x` is, or because
        `x` is subscripted as well, while no class of the family can be."""
        if is_plain(self.program, receiver) or self._is_response(receiver):
            return True
        if symbol.name in _OF_SETS and self._is_set(receiver, classes):
            return True
        if symbol.name not in _METHODS:
            return False
        func = self.program.names.parent(receiver)
        call = self.program.names.parent(func) if isinstance(func, tree.Attr) else None
        if isinstance(call, tree.Call) and len(call.args) == 2:
            first, default = (a.value for a in call.args)
            if isinstance(first, tree.Const) and _is_default(default):
                return True
        return (
            _is_made(receiver)
            or self._is_read_elsewhere(symbol, receiver)
            or self._is_subscripted(receiver, classes)
        )

    # --- what else is done with it ---

    def _is_read_elsewhere(self, symbol: Function | Class, receiver: tree.Node) -> bool:
        """Whether the same expression is read as a dict in the same function: with a default, or, where
        it comes out of something or nothing is called so, by several names."""
        text = text_of(receiver)
        if text is None:
            return False
        scope = self.program.names.place(receiver).scope
        said = set()
        for call in self._gets.get((scope, text), ()):
            first = call.args[0].value
            if len(call.args) == 2 and _is_default(call.args[1].value):
                return True
            said.add(first.value if isinstance(first, tree.Const) else None)
        if len(said) < 2:
            return False
        return self._comes_out(receiver) or (not scope.module.is_test and self._wants_id(symbol))

    def _wants_id(self, symbol: Function | Class) -> bool:
        """Whether what a method is given first is the identifier of an item, `order_id`, which nobody but
        a test writes out in several ways side by side."""
        parameters = symbol.own_params if isinstance(symbol, Function) else ()
        return bool(parameters) and _ID.search(next(iter(parameters)).name) is not None

    def _is_set(self, receiver: tree.Node, classes: frozenset[Class]) -> bool:
        """Whether a method of sets or lists which no class of the family has is called on the same name, in the
        same block: `names.remove(old)`, `names.add(new)`."""
        known, place = self.program.classes, self.program.names.place(receiver)
        if not isinstance(receiver, tree.Name) or any(
            known.base_names(cls) - ADDING_NOTHING or known.method(cls, "__getattr__")
            for cls in classes
        ):
            return False
        for name in _OF_SETS:
            if any(known.has_attribute(cls, name) for cls in classes):
                continue
            for call in self.program.calls.uses.calls_beside(name):
                base = call.func.base if isinstance(call.func, tree.Attr) else None
                if isinstance(base, tree.Name) and base.id == receiver.id:
                    other = self.program.names.place(call)
                    if other.scope is place.scope and other.blocks == place.blocks:
                        return True
        return False

    @cached_property
    def _gets(self) -> dict[tuple[object, str], list[tree.Call]]:
        """All `x.get("name")`, with a default or without, by their function and their `x`."""
        found: dict[tuple[object, str], list[tree.Call]] = {}
        for call in self.program.calls.uses.calls_beside("get"):
            if not isinstance(call.func, tree.Attr) or not 1 <= len(call.args) <= 2:
                continue
            first = call.args[0].value
            text = text_of(call.func.base)
            if text is not None and isinstance(first, tree.Const) and isinstance(first.value, str):
                scope = self.program.names.place(call).scope
                found.setdefault((scope, text), []).append(call)
        return found

    def _comes_out(self, receiver: tree.Node) -> bool:
        """Whether a name is what a subscript or a loop yields."""
        if not isinstance(receiver, tree.Name):
            return False
        bindings = self.program.names.bindings_of(receiver)
        return bool(bindings) and all(
            b.kind == "for" or (b.kind == "assign" and isinstance(b.value, tree.Subscript))
            for b in bindings
        )

    def _is_subscripted(self, receiver: tree.Node, classes: frozenset[Class]) -> bool:
        if any(self.program.classes.method(cls, "__getitem__") for cls in classes):
            return False
        text = text_of(receiver) if isinstance(receiver, tree.Name | tree.Attr) else None
        if text is None:
            return False
        scope = self.program.names.place(receiver).scope
        if scope.module not in self._subscripted:
            self._subscripted[scope.module] = set(self._subscripts(scope.module))
        return (scope, text) in self._subscripted[scope.module]

    def _subscripts(self, module: Module) -> Iterator[tuple[object, str]]:
        """What is subscripted where: a name by a constant, a path by anything."""
        for node in module.each(tree.Subscript):
            constant = isinstance(node.index, tree.Const)
            if isinstance(node.base, tree.Attr) or (isinstance(node.base, tree.Name) and constant):
                text = text_of(node.base)
                if text is not None:
                    yield self.program.names.place(node).scope, text

    # --- answers of an API ---

    def _is_response(self, receiver: tree.Node, depth: int = 0) -> bool:
        """Whether something is the answer of an AWS client, or came out of one: `table.query(…)["Items"]`, and what all
        bindings of a name are of that."""
        match receiver:
            case tree.Wrapped(kind="await", value=value):
                return self._is_response(value, depth)
            case tree.Subscript(base=base) | tree.Call(func=tree.Attr(name="get", base=base)) if (
                self._is_response(base, depth)
            ):
                return True
            case tree.Call():
                return self._is_request(receiver)
            case tree.Name() if depth < _STEPS:
                bindings = self.program.names.bindings_of(receiver)
                return bool(bindings) and all(
                    b.kind in ("assign", "for")
                    and not b.path
                    and b.value is not None
                    and self._is_response(b.value, depth + 1)
                    for b in bindings
                )
            case _:
                return False

    def _is_request(self, call: tree.Call) -> bool:
        """Whether a call is one of an AWS client: all arguments have names like `TableName` and
        `repositoryName`, and the program has no such method; or one of a table, `get_item(Key=key)`, which
        a fake of the program's answers alike."""
        if not isinstance(call.func, tree.Attr) or not call.args:
            return False
        names = [a.keyword for a in call.args if a.keyword is not None]
        if call.func.name in OPERATIONS and all(name[:1].isupper() for name in names):
            return bool(names)
        if len(names) != len(call.args) or not all(map(_HUMP.search, names)):
            return False
        return call.func.name not in self._own and not self.program.calls.callees(call)

    @cached_property
    def _own(self) -> frozenset[str]:
        modules = self.program.names.modules.values()
        return frozenset(f.name for module in modules for f in module.functions)


def is_plain(program: Linked, node: tree.Node) -> bool:
    """Whether a test around the place says that a name is a dict there, or another plain value."""
    if not isinstance(node, tree.Name):
        return False
    place = program.names.place(node)
    for number, branch, _ in place.blocks:
        block = place.scope.module.blocks[number]
        if block.kind not in ("if", "while") or not block.heads:
            continue
        if branch == 0 and _says_plain(block.heads[0], node.id):
            start = place.scope.module.starts[number]
            bindings = program.names.bindings(node.id, place)
            if not any(start < b.place.order < place.order for b in bindings):
                return True
    return _is_tested(program, node, node.id)


def _is_tested(program: Linked, node: tree.Node, name: str) -> bool:
    """Whether the expression around a name has asked before whether it is plain: `isinstance(x, dict) and x…`."""
    below: object = node
    above = program.names.parent(node)
    while above is not None:
        match above:
            case tree.Boolean(op="and"):
                before = above.values[: next(i for i, v in enumerate(above.values) if v is below)]
                if any(_says_plain(value, name) for value in before):
                    return True
            case tree.Conditional(then=then) if then is below and _says_plain(above.test, name):
                return True
            case tree.Lambda() | tree.Comprehension():
                return False
        below, above = above, program.names.parent(above)
    return False


def _says_plain(test: tree.Node, name: str) -> bool:
    """Whether a test holds of nothing but plain values: `isinstance(x, dict)`."""
    match test:
        case tree.Boolean(op="and"):
            return any(_says_plain(value, name) for value in test.values)
        case tree.Call(func=tree.Name(id="isinstance")) if len(test.args) == 2:
            subject, kind = (a.value for a in test.args)
            kinds = tree.items(kind)
            return (
                isinstance(subject, tree.Name)
                and subject.id == name
                and all(last_name(one) in _PLAIN for one in kinds)
            )
        case _:
            return False


def _is_default(node: tree.Node) -> bool:
    """Whether a second argument is what `dict.get` gives where there is nothing."""
    match node:
        case tree.Const(value=value):
            return value is None or value == "" or isinstance(value, bool | int | float)
        case tree.DictDisplay(keys=()):
            return True
        case tree.Sequence(items=items):
            return all(isinstance(i, tree.DictDisplay | tree.Sequence) for i in items)
        case _:
            return False


def _is_made(node: tree.Node) -> bool:
    """Whether an expression is a namespace, or itself comes out of a dict with a dict, or a list of
    some, for a default."""
    match node:
        case tree.Attr(name="environ"):
            return True
        case _ if is_spelled(node):
            return True
        case tree.Call():
            last = node.args[-1].value if len(node.args) > 1 else None
            return isinstance(last, tree.DictDisplay) and not last.keys
        case tree.Subscript(
            base=tree.Call(args=(_, tree.Argument(value=tree.Sequence() as last)))
        ):
            return any(isinstance(item, tree.DictDisplay) for item in last.items)
        case _:
            return False
