"""Dicts that stand for items: where the one that an expression reads is spelled out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.additions import (
    ELEMENTS,
    Additions,
    holds_something,
    makes_queue,
    root_of,
    taking_till_none,
)
from capsule_lint.plan.entities.displays import Display, names_any
from capsule_lint.program.calling.fixtures import is_collected
from capsule_lint.program.containers import COPIED, LISTED, PICKING
from capsule_lint.program.inference.types import ClassObject, Instance
from capsule_lint.program.model import Binding, last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from capsule_lint.program import Program
    from capsule_lint.program.calling.callers import Callee

Step: TypeAlias = "Callable[[tree.Node, int], Origins]"
_MAX_DEPTH: Final = 12
_MAX_STEPS: Final = 1000
_SAME: Final = COPIED | {"cast", "MappingProxyType"}
"""What gives the dict that it is given, or one that says the same."""
_LOADING: Final = "loads"
_DUMPING: Final = "dumps"
_CODING: Final = ("encode", "decode")
"""What makes bytes of a text, and a text of bytes. What is made of a dict by this and by `dumps` is followed as it is."""
_RESPONSES: Final = ("Item", "Items", "Attributes")


class Origins(Struct, frozen=True):
    """The dicts that an expression may be, as they are written out; whether there can be no others."""

    displays: tuple[Display, ...] = ()
    complete: bool = True
    stored: tuple[tree.Node, ...] = ()
    """What reads it from a response of the table: what has been written with an entry is read with it."""

    wholes: tuple[tree.Node, ...] = ()
    """What gives all fields of an object, where somebody asks for these as well."""

    def __add__(self, other: Origins) -> Origins:
        every = {id(d): d for d in (*self.displays, *other.displays)}
        stored = {id(n): n for n in (*self.stored, *other.stored)}
        wholes = {id(n): n for n in (*self.wholes, *other.wholes)}
        complete = self.complete and other.complete
        return Origins(
            tuple(every.values()), complete, tuple(stored.values()), tuple(wholes.values())
        )


_NONE: Final = Origins()
_UNKNOWN: Final = Origins((), complete=False)


@dataclass(eq=False, slots=True)
class Rows:
    """Follows dicts back through names, parameters, collections and functions."""

    program: Program
    additions: Additions = field(init=False)
    _known: dict[int, Origins] = field(default_factory=dict)
    _lists: dict[int, Origins] = field(default_factory=dict)
    _path: set[int] = field(default_factory=set)
    _steps: int = 0

    def __post_init__(self) -> None:
        self.additions = Additions(self.program)

    def origins(self, node: tree.Node) -> Origins:
        """What is written where the dict `node` is made."""
        if id(node) not in self._known:
            self._steps = 0
            self._known[id(node)] = self._follow(node, 0)
        return self._known[id(node)]

    def elements(self, node: tree.Node) -> Origins:
        """What is written where the dicts in the list `node` are made."""
        if id(node) not in self._lists:
            self._steps = 0
            self._lists[id(node)] = self._elements(node, 0)
        return self._lists[id(node)]

    def _follow(self, node: tree.Node, depth: int) -> Origins:
        self._steps += 1
        if depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            return _UNKNOWN
        if id(node) in self._path:
            return _NONE
        self._path.add(id(node))
        try:
            return self._dict(node, depth + 1)
        finally:
            self._path.discard(id(node))

    def _all(self, nodes: Iterable[tree.Node], depth: int) -> Origins:
        return self._each(nodes, depth, self._follow)

    def _each(self, nodes: Iterable[tree.Node], depth: int, step: Step) -> Origins:
        found = _NONE
        for node in nodes:
            found += step(node, depth)
        return found

    def _dict(self, node: tree.Node, depth: int) -> Origins:
        if _is_stored(node):
            return Origins(stored=(node,))
        match node:
            case tree.DictDisplay():
                return self._display(node, depth)
            case tree.Call(func=tree.Name(id="dict")) if any(a.keyword for a in node.args):
                rest = [a.value for a in node.args if a.star == "**" or a.keyword is None]
                return Origins((node,)) + self._all(rest, depth)
            case tree.Const(value=None) | tree.Call(func=tree.Name(id="object"), args=()):
                return _NONE  # no dict, but what says that there is none
            case tree.Conditional():
                return self._all((node.then, node.otherwise), depth)
            case tree.Boolean():
                return self._all(node.values, depth)
            case tree.Binary(op="|"):
                return self._merged((node.left, node.right), depth)
            case tree.Wrapped(kind="await") | tree.Walrus():
                return self._follow(node.value, depth)
            case tree.Comprehension(kind="DictComp"):
                return self._filtered(node, depth)
            case tree.Name():
                return self._name(node, depth)
            case tree.Call():
                return self._call(node, depth)
            case tree.Attr():
                return self._attribute(node, depth)
            case tree.Subscript(index=tree.Slice()):
                return _UNKNOWN
            case tree.Subscript():
                return self._elements(node.base, depth)
            case _:
                return _UNKNOWN

    def _display(self, node: tree.DictDisplay, depth: int) -> Origins:
        if not node.keys:
            return _NONE
        spread = node.spread
        if len(spread) == len(node.keys):
            return self._merged(spread, depth)
        if spread and not names_any(node, self.program):
            return self._merged(spread, depth)
        return Origins((node,))

    def _merged(self, parts: Iterable[tree.Node], depth: int) -> Origins:
        """A dict that is made of others: where one of them surely has the scopes, it has them, whatever else is
        merged into it: `values | overrides`."""
        each = [self._follow(part, depth) for part in parts]
        sure = any(
            one.complete and one.displays and all(names_any(d, self.program) for d in one.displays)
            for one in each
        )
        found = sum(each, _NONE)
        return Origins(found.displays, found.complete or sure, found.stored, found.wholes)

    def _filtered(self, node: tree.Comprehension, depth: int) -> Origins:
        """`{k: v for k, v in item.items() if …}` is `item` with some keys."""
        source = node.generators[0].iter
        if (
            len(node.generators) == 1
            and isinstance(source, tree.Call)
            and isinstance(source.func, tree.Attr)
            and source.func.name == "items"
        ):
            return self._follow(source.func.base, depth)
        return _UNKNOWN

    def _name(self, node: tree.Name, depth: int) -> Origins:
        bindings = self.program.names.bindings_of(node)
        found = _NONE if bindings else _UNKNOWN
        for binding in bindings:
            target = self.program.names.follow(binding)
            found += self._bound(target, depth) if isinstance(target, Binding) else _UNKNOWN
        return found

    def _bound(self, binding: Binding, depth: int) -> Origins:
        match binding.kind:
            case "assign" if binding.assigned is not None:
                return self._follow(binding.assigned, depth)
            case "for" if binding.value is not None and not binding.path:
                return self._elements(binding.value, depth)
            case "for" if binding.path == (1,) and isinstance(binding.value, tree.Call):
                return self._second(binding.value, depth)
            case "param":
                return self._parameter(binding, depth, self._follow)
            case _:
                return _UNKNOWN

    def _attribute(self, node: tree.Attr, depth: int) -> Origins:
        """What a class, and those that inherit from it, say of an attribute that nothing sets later."""
        classes, found = self.program.classes, list[tree.Node]()
        for one in self.program.inference.of(node.base):
            cls = one.cls if isinstance(one, ClassObject | Instance) else None
            for owner in (*classes.mro(cls), *classes.subclasses(cls)) if cls is not None else ():
                if node.name in owner.stores:
                    return _UNKNOWN
                bindings = owner.scope.bindings.get(node.name, ())
                found += [b.value for b in bindings if b.kind == "assign" and b.value is not None]
        return self._all(found, depth) if found else _UNKNOWN

    def _second(self, call: tree.Call, depth: int) -> Origins:
        """The second names of `for key, row in rows.items()` and of `for n, row in enumerate(rows)`."""
        if isinstance(call.func, tree.Attr) and call.func.name == "items":
            return self._elements(call.func.base, depth)
        if last_name(call.func) == "enumerate" and call.args:
            return self._elements(call.args[0].value, depth)
        return _UNKNOWN

    def _parameter(self, binding: Binding, depth: int, step: Step) -> Origins:
        """What callers pass; `step` goes on from there."""
        scope, parameter = binding.place.scope, binding.parameter
        function = scope.function if scope.kind == "function" else None
        if parameter is None or parameter.kind in ("*", "**"):
            return _UNKNOWN
        if function is None or scope.kind == "lambda":
            return self._lambda(binding, depth)
        if is_collected(function):
            given = self.program.inference.fixtures.given(function, parameter.name)
            return self._each(given, depth, step) if given else _UNKNOWN
        if self.program.domain.enters(function):
            return _UNKNOWN
        found, callers = _NONE, list(self.program.calls.callers(function))
        for call, callee in callers:
            bound = callee.bind(call)
            argument = bound.arguments.get(binding.name) if bound is not None else None
            if argument is not None:
                found += step(argument.value, depth)
            elif bound is None or bound.starred or parameter.default is None:
                found += _UNKNOWN
        return found if callers else _UNKNOWN

    def _rest(self, binding: Binding, depth: int) -> Origins | None:
        """What callers give for `*rows`, one by one; `None` where nobody calls."""
        function, found = binding.function, _NONE
        if function is None:
            return None
        callers = list(self.program.calls.callers(function))
        for call, callee in callers:
            for argument in callee.surplus(call):
                step = self._elements if argument.star else self._follow
                found += step(argument.value, depth)
        return found if callers else None

    def _lambda(self, binding: Binding, depth: int) -> Origins:
        """`filter(lambda row: …, self._rows)`."""
        node = self.program.names.index.lambdas.get(id(binding.place.scope))
        call = self.program.names.parent(node)
        if node is None or not isinstance(call, tree.Call) or len(node.params) != 1:
            return _UNKNOWN
        others = [a.value for a in call.args if a.value is not node and a.keyword is None]
        return self._elements(others[0], depth) if len(others) == 1 else _UNKNOWN

    def _call(self, node: tree.Call, depth: int) -> Origins:
        callees = self.program.calls.callees(node)
        returns = [v for c in callees if c.function and c.cls is None for v in c.function.returns]
        if callees:
            found = self._all(returns, depth) if returns else _UNKNOWN
            return found + self._answered(callees, depth)
        name, plain = last_name(node.func), node.unnamed
        if isinstance(node.func, tree.Attr) and name in ELEMENTS:
            return self._elements(node.func.base, depth) + self._all(plain[1:], depth)
        if name == "copy" and isinstance(node.func, tree.Attr) and not plain:
            return self._follow(node.func.base, depth)
        if name in PICKING and plain:
            rest = plain[1:] if name == "next" else []
            return self._elements(plain[0], depth) + self._all(rest, depth)
        if name in _SAME and plain:
            return self._follow(plain[-1], depth)
        if name in _CODING and isinstance(node.func, tree.Attr):
            return self._follow(node.func.base, depth)
        if name == _DUMPING and plain:
            return self._follow(plain[0], depth)
        if name == _LOADING and plain:
            found = self._follow(plain[0], depth)
            return found + _UNKNOWN if found.stored else found  # what a text in an item says
        return _UNKNOWN

    def _answered(self, callees: Iterable[Callee], depth: int) -> Origins:
        """The items that tests have mocks give in the place of functions."""
        answering = self.program.inference.placements.answering
        given = [n for c in callees if c.function is not None for n in answering(c.function)]
        displays = self._all(given, depth).displays
        return Origins(tuple(one for one in displays if names_any(one, self.program)))

    # --- what is in collections ---

    def _elements(self, node: tree.Node, depth: int) -> Origins:
        """The dicts that a list, or the values of a dict, holds."""
        self._steps += 1
        if depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            return _UNKNOWN
        home = self.additions.home(node)
        if home is not None:
            handed = self._each(self.additions.handed(home), depth + 1, self._elements)
            return self._all(self.additions.stored(home), depth + 1) + handed
        if _is_stored(node):
            return Origins(stored=(node,))
        match node:
            case tree.Sequence():
                return self._all(node.items, depth + 1)
            case tree.Comprehension() if node.kind != "DictComp":
                return self._follow(node.results[0], depth + 1)
            case tree.Name():
                return self._listed(node, depth + 1)
            case tree.Wrapped(kind="await" | "starred"):
                return self._elements(node.value, depth + 1)
            case tree.Call() if not makes_queue(node):
                return self._passed(node, depth + 1)
            case tree.Call():
                return _NONE
            case _:
                return _UNKNOWN

    def _passed(self, node: tree.Call, depth: int) -> Origins:
        callees = self.program.calls.callees(node)
        found = _NONE
        for callee in callees:
            for value in callee.function.returns if callee.function is not None else ():
                found += self._elements(value, depth)
        if callees:
            return found
        name, plain = last_name(node.func), node.unnamed
        if name in LISTED and len(plain) == 1:
            return self._elements(plain[0], depth)
        if (queue := taking_till_none(node)) is not None:
            return self._elements(queue, depth)
        if name == "filter" and len(plain) == 2:
            return self._elements(plain[1], depth)
        if isinstance(node.func, tree.Attr) and name in ("values", "copy"):
            return self._elements(node.func.base, depth)
        return _UNKNOWN

    def _listed(self, node: tree.Name, depth: int) -> Origins:
        """A local list: what it starts with, and what is appended to it."""
        found = _NONE
        bindings = self.program.names.bindings_of(node)
        for binding in bindings:
            if binding.kind == "param":
                rest = binding.parameter is not None and binding.parameter.kind == "*"
                each = self._rest(binding, depth) if rest else None
                return each or self._parameter(binding, depth, self._elements)
            if binding.kind != "assign" or binding.value is None or binding.path:
                return _UNKNOWN
            found += (
                self._elements(binding.value, depth) if holds_something(binding.value) else _NONE
            )
        scope = bindings[0].place.scope if bindings else None
        for value, base in self.additions.to(node.id):
            root = root_of(base)
            if isinstance(root, tree.Name) and any(
                b.place.scope is scope for b in self.program.names.bindings_of(root)
            ):
                found += self._follow(value, depth)
        return found if bindings else _UNKNOWN


def _is_stored(node: tree.Node) -> bool:
    """`response["Item"]`, `response.get("Items", [])`."""
    match node:
        case tree.Subscript(index=tree.Const(value=str() as key)):
            return key in _RESPONSES
        case tree.Call(func=tree.Attr(name="get")) if node.args:
            first = node.args[0].value
            return isinstance(first, tree.Const) and first.value in _RESPONSES
        case _:
            return False
