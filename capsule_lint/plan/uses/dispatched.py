"""Functions that are kept under names, `@bus.on("created")`, `bus.on("created", log)`, and calls that name those
that are meant: `bus.publish("created", note_id=note_id)`, where `publish` hands on what it is given by keyword."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.local_names import looked_up
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Class


class Dispatched(Struct, frozen=True):
    """Tells such functions apart."""

    program: Program

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
        given = self._given(outer, callee, asked) if asked is not None else None
        said = tree.text(given)
        if table is None or said is None or not isinstance(function, Function):
            return None
        kept = [name for place, name in self._names(function) if place == table]
        if not kept or None in kept or self._is_filled_by_hand(table):
            return None
        return said in kept

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
                    yield table, tree.text(self._given(call, callee, key))

    def _is_filled_by_hand(self, table: str) -> bool:
        """Whether something puts functions that it names into a table: `bus.handlers["created"] = log`."""
        uses, names = self.program.calls.uses, self.program.names
        put = [value for _, value in (*uses.puts(table), *uses.nested_puts(table))]
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
            yield from (call for call, _, _ in calls.passed_on(name, function))

    def _tables(self, keeper: Function | None) -> Iterator[tuple[str, tree.Node]]:
        """The tables into which a function, or a decorator that it makes, puts what it is given, with the key."""
        names = self.program.names
        for own in keeper.module.functions if keeper is not None else ():
            for node in names.inside(own) if keeper in (own, own.parent) else ():
                bound = names.bindings_of(node) if isinstance(node, tree.Name) else ()
                table, key = self._put(node)
                if key is not None and any(b.parameter in own.own_params for b in bound):
                    yield table, key

    def _put(self, node: tree.Node) -> tuple[str, tree.Node | None]:
        """The table into which something is put, and the key: of `self.handlers.setdefault(name, []).append(fn)`, or
        of `HANDLERS[name] = fn`."""
        parent = self.program.names.parent(node)
        target: tree.Node | None = None
        match parent:
            case tree.Assign(targets=(only,)):
                target = only
            case tree.Call(func=tree.Attr(base=base)):
                target = base
        found = looked_up(target, "setdefault")
        return (last_name(found[0]), found[1]) if found is not None else ("", None)

    def _given(self, call: tree.Call, callee: Callee, key: tree.Node) -> tree.Node | None:
        """What a call gives for the parameter that a key is."""
        function = callee.function
        bound = self.program.names.bindings_of(key) if isinstance(key, tree.Name) else ()
        own = bound[0].parameter if len(bound) == 1 else None
        if function is None or own is None or own not in function.params:
            return None
        found = bind(call.args, function.params, callee.given)
        argument = found.arguments.get(own.name) if found is not None else None
        return argument.value if argument is not None else None
