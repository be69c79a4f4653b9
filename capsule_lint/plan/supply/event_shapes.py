"""What the event of a handler looks like: that of a request, or of a queue, a stream or a schedule."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.policy import SourceKind, SourceSpec
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Function, enclosing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program

_OF_QUEUES: Final = frozenset(("Records", "records", "detail", "detail-type", "messages"))
"""The items of the events of queues, streams and buses."""
_OF_REQUESTS: Final = frozenset(
    (
        "arguments",
        "body",
        "cookies",
        "headers",
        "httpMethod",
        "identity",
        "info",
        "multiValueHeaders",
        "multiValueQueryStringParameters",
        "path",
        "pathParameters",
        "queryStringParameters",
        "rawPath",
        "request",
        "requestContext",
        "resource",
        "routeKey",
    )
)
"""The items of the events of API Gateway, of function URLs and of AppSync."""


@dataclass(eq=False, slots=True)
class EventShapes:
    """Compares what functions read of their parameters with what sources do."""

    program: Program
    _items: dict[tuple[Function, str], frozenset[str]] = field(default_factory=dict)
    """The items of its parameters that each function reads."""

    def is_other(self, spec: SourceSpec, name: str, function: Function) -> bool:
        """Whether a function reads `event["Records"]` or `event["day"]`, and nothing that requests have,
        of what a source takes `event["requestContext"]` of: queues and schedules call it; or is given an object that
        has no items at all, or an event with nothing in it."""
        if self._is_object(spec, name, function):
            return True
        wanted = self._wanted(spec, name)
        read = self._items_of(name, function) if wanted else frozenset()
        if wanted and not read and self._is_given_nothing(name, function):
            return True
        if not wanted.isdisjoint(_OF_REQUESTS):
            return bool(read) and read.isdisjoint(_OF_REQUESTS)
        return wanted.isdisjoint(read) and not read.isdisjoint(_OF_QUEUES)

    def _is_object(self, spec: SourceSpec, name: str, function: Function) -> bool:
        """Whether a parameter is an object of the program's without what a source first asks it for."""
        parameter, program = function.parameter(name), self.program
        asked = self._asked(spec, name) if parameter is not None else frozenset()
        if not asked or parameter is None:
            return False
        types = program.domain.parameter_types(function, parameter)
        return bool(types) and all(
            isinstance(one, Instance)
            and not any(program.classes.foreign_bases(one.cls))
            and not program.classes.has_attribute(one.cls, "__getattr__")
            and not all(map(partial(program.classes.has_attribute, one.cls), asked))
            for one in types
        )

    def _is_given_nothing(self, name: str, function: Function) -> bool:
        """Whether somebody calls a function with nothing in a parameter: `handler({}, None)`, as a schedule may."""
        names = self.program.names
        with names.aside():  # half of all programs have something called `handler`
            given = [a.value for _, a in self.program.calls.arguments_for(function, name)]
        made = (behind(names, value) for value in given)
        nothing = [isinstance(one, tree.DictDisplay) and not one.keys for one in made]
        return bool(nothing) and all(nothing) and not names.called(function, name)

    def _asked(self, spec: SourceSpec, name: str) -> frozenset[str]:
        """What an expression asks what it starts from for, or a function what it is given."""
        if spec.kind is SourceKind.EXPRESSION:
            said = re.match(rf"{re.escape(name)}(?:\.(\w+)|\[)", spec.code)
            return frozenset((said[1] or "__getitem__",) if said is not None else ())
        given = self._given_as(spec, name)
        if given is None:
            return frozenset()
        source, own = given
        return frozenset(
            node.name if isinstance(node, tree.Attr) else "__getitem__"
            for node in self.program.names.inside(source)
            if isinstance(node, tree.Attr | tree.Subscript)
            and isinstance(node.base, tree.Name)
            and node.base.id == own
        )

    def _given_as(self, spec: SourceSpec, name: str) -> tuple[Function, str] | None:
        """The function that a source calls, and its parameter for what is called `name` there."""
        source = self.program.names.definition(spec.dotted)
        if spec.kind is not SourceKind.CALL or not isinstance(source, Function):
            return None
        own = source.own_params[spec.roots.index(name) :][:1]
        return (source, own[0].name) if own else None

    def _wanted(self, spec: SourceSpec, name: str) -> frozenset[str]:
        """The items that a source reads of what it calls `name`, as far as the program tells."""
        said = re.match(rf"""{re.escape(name)}(?:\[|\.get\()\s*["']([^"']+)""", spec.code)
        if said is not None:
            return frozenset((said[1],))
        given = self._given_as(spec, name)
        return self._items_of(given[1], given[0]) if given is not None else frozenset()

    def _items_of(self, name: str, function: Function) -> frozenset[str]:
        """The constant keys by which a function, with those in it and those that it hands the parameter on to,
        reads items of one of its parameters."""
        if (function, name) not in self._items:
            self._items[function, name] = frozenset()  # what calls itself
            self._items[function, name] = frozenset(self._read_items(name, function))
        return self._items[function, name]

    def _read_items(self, name: str, function: Function) -> Iterator[str]:
        for node in function.module.either(tree.Subscript, tree.Call):
            if isinstance(node, tree.Call):
                yield from self._read_where_given(name, function, node)
            match node:
                case tree.Subscript(base=tree.Name(id=base)):
                    key = tree.text(node.index)
                case tree.Call(
                    func=tree.Attr(base=tree.Name(id=base), name="get"), args=(one, *_)
                ):
                    key = tree.text(one.value)
                case _:
                    continue
            if base == name and key and self._is_in(node, function):
                yield key

    def _read_where_given(self, name: str, function: Function, call: tree.Call) -> Iterator[str]:
        """What the functions read of the parameter that a call gives it to."""
        calls = self.program.calls
        given = [a for a in call.args if isinstance(a.value, tree.Name) and a.value.id == name]
        for argument in given if self._is_in(call, function) else ():
            for callee in calls.callees(call):
                taken = calls.parameter_of(call, argument)
                if callee.function is not None and taken is not None:
                    yield from self._items_of(taken, callee.function)

    def _is_in(self, node: tree.Node, function: Function) -> bool:
        return function in enclosing(self.program.names.place(node))
