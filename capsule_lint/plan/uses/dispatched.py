"""Functions that are kept under names, `@bus.on("created")`, `bus.on("created", log)`, and calls that name those
that are meant: `bus.publish("created", note_id=note_id)`, where `publish` hands on what it is given by keyword."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.local_names import bound_whole, looked_up
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Class


_MAX_DEPTH: Final = 3
_ANYWHERE: Final = ""
"""The name of a table that is not known."""


class Dispatched(Struct, frozen=True):
    """Tells such functions apart."""

    program: Program

    def chooses(self, call: tree.Call) -> bool:
        """Whether a call calls what it finds in a table."""
        return self._looked_up(call.func)[0] is not None

    def reaches(
        self, outer: tree.Call, callee: Callee, call: tree.Call, function: Function | Class | None
    ) -> bool:
        """Whether a call of what hands its keywords on by `call` may reach a function by that: not where it names
        others, under which the function is not kept."""
        return self.names(outer, callee, call, function) is not False

    def names(
        self, outer: tree.Call, callee: Callee, call: tree.Call, function: Function | Class | None
    ) -> bool | None:
        """Whether it names the function; `None` where that is not known."""
        table, asked = self._looked_up(call.func)
        given = self._given(outer, callee, asked)
        said = self._said(given[0]) if len(given) == 1 else None
        if table is None or said is None or not isinstance(function, Function):
            return None
        kept = [name for place, name in self._names(function) if place in (table, _ANYWHERE)]
        if not kept or None in kept or self._is_filled_by_hand(table):
            return None
        return said in kept

    def _said(self, name: tree.Node | None) -> str | None:
        """What a name says that is written out, a constant or the member of an enum."""
        return self.program.domain.templates.constants.of(name) if name is not None else None

    def _looked_up(self, node: tree.Node) -> tuple[str | None, tree.Node | None]:
        """The name of the table in which what is called is looked up, and the key: of `for handler in
        self.handlers.get(name, ())`, or of `HANDLERS[name]`."""
        bound = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        value = bound[0].value if len(bound) == 1 and not bound[0].path else node
        if isinstance(value, tree.Boolean) and value.op == "or":
            value = value.values[0]
        found = looked_up(value)
        return (last_name(found[0]), found[1]) if found is not None else (None, None)

    def _names(self, function: Function) -> Iterator[tuple[str, str | None]]:
        """The tables in which a function is kept, and under which names; `None` for one that is not known."""
        for call in self._keeping(function):
            for callee in self.program.calls.callees(call):
                for table, key in self._tables(callee.function):
                    for name in self._given(call, callee, key) or (None,):
                        yield table, self._said(name)

    def _is_filled_by_hand(self, table: str) -> bool:
        """Whether something puts functions that it names into a table: `bus.handlers["created"] = log`."""
        fillings, names = self.program.calls.uses.fillings, self.program.names
        put = [value for _, value in (*fillings.puts(table), *fillings.nested_puts(table))]
        return any(
            binding.parameter is None
            for value in put
            if isinstance(value, tree.Name)
            for binding in names.bindings_of(value)
        ) or any(isinstance(value, tree.Attr) for value in put)

    def _keeping(self, function: Function) -> Iterator[tree.Call]:
        """The calls that make what decorates a function, and those that are given it."""
        calls = self.program.calls
        yield from (one for one in function.fact.decorators if isinstance(one, tree.Call))
        for name in sorted(calls.known_by(function)):
            for call, position, _ in calls.passed_on(name, function):
                given = bound_whole(self.program.names, call.args[position].value)
                if (
                    given is None or given.parameter is None
                ):  # else it is told by who gives it that
                    yield call

    def _tables(
        self, keeper: Function | None, depth: int = 0
    ) -> Iterator[tuple[str, tree.Node | None]]:
        """The tables into which a function, or a decorator that it makes, puts what it is given, with the key; `None`
        for one that is not known. It may leave that to another function."""
        names = self.program.names
        for own in keeper.module.functions if keeper is not None else ():
            for node in names.inside(own) if keeper in (own, own.parent) else ():
                bound = names.bindings_of(node) if isinstance(node, tree.Name) else ()
                if any(binding.parameter in own.own_params for binding in bound):
                    yield from self._put(node, depth)

    def _put(self, node: tree.Node, depth: int) -> Iterator[tuple[str, tree.Node | None]]:
        """The table into which something is put, and the key: of `self.handlers.setdefault(name, []).append(fn)`, of
        `HANDLERS[name] = fn`, and of `self.subscribe(name, fn)`, which does so."""
        parent = self.program.names.parent(node)
        target: tree.Node | None = None
        match parent:
            case tree.Assign(targets=(only,)):
                target = only
            case tree.Call(func=tree.Attr(base=base)):
                target = base
        found = looked_up(target, "setdefault")
        if found is not None:
            yield last_name(found[0]), found[1]
        elif depth == _MAX_DEPTH:
            yield _ANYWHERE, None
        elif isinstance(parent, tree.Call) and parent.func is not node:
            for callee in self.program.calls.callees(parent):
                for table, key in self._tables(callee.function, depth + 1):
                    for given in self._given(parent, callee, key) or (None,):
                        yield table, given

    def _given(
        self, call: tree.Call, callee: Callee, key: tree.Node | None
    ) -> Sequence[tree.Node]:
        """What a call gives for the parameter that a key is, or for the one that a key is each of: `*names`; nothing
        where that is not known."""
        own, function = self._parameter(key), callee.function
        if function is None or own is None or own not in function.params:
            return ()
        if own.kind == "*":
            told = callee.surplus(call)
            return [one.value for one in told] if not any(one.star for one in told) else ()
        argument = callee.arguments(call).get(own.name)
        return (argument.value,) if argument is not None else ()

    def _parameter(self, key: tree.Node | None) -> tree.Parameter | None:
        """The parameter that a key is, or the `*names` that a loop goes through by it."""
        binding = bound_whole(self.program.names, key) if key is not None else None
        if binding is None or binding.kind != "for":
            own = binding.parameter if binding is not None else None
            return own if own is not None and own.kind not in ("*", "**") else None
        every = bound_whole(self.program.names, binding.value) if binding.value else None
        own = every.parameter if every is not None else None
        return own if own is not None and own.kind == "*" else None
