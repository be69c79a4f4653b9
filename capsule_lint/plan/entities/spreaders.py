"""Functions that put whatever keywords they are given into an item: `table.put(key, tenant_id=…, sku=…)`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeGuard

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entry_of
from capsule_lint.plan.entities.steps import Steps
from capsule_lint.program.model import last_name
from capsule_lint.program.places.sites import UPDATE, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_MAX_DEPTH: Final = 10
"""Steps after which nobody follows keywords any more."""


@dataclass(eq=False, slots=True)
class Spreaders:
    """Finds the calls whose keywords become the entries of an item in the functions that they call."""

    program: Program
    steps: Steps = field(init=False)
    _known: dict[Function, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.steps = Steps(self.program)

    @property
    def found(self) -> list[Function]:
        """The functions that are known to put keywords into items."""
        return [function for function, puts in self._known.items() if puts]

    def takes_any(self, node: tree.Node, scopes: Iterable[Scope]) -> bool:
        """Whether an expression is a call which gives the entry of a scope to an item."""
        if not isinstance(node, tree.Call):
            return False
        entries = (entry_of(node, scope) for scope in scopes)
        return any(entry is not None and self._takes(node, entry[0]) for entry in entries)

    def keys_given(self, node: tree.Node, scopes: Iterable[Scope]) -> Iterator[tree.Node]:
        """What may be the key of an item whose entries a call gives by keyword."""
        if isinstance(node, tree.Call) and self.takes_any(node, scopes):
            yield from self.keys_beside(node)

    def keys_beside(self, call: tree.Call) -> Iterator[tree.Node]:
        """What a call gives by position, and the keys in the dicts among that."""
        for argument in call.args:
            if argument.keyword is None and not argument.star:
                yield argument.value
                yield from self.steps.keys_given(argument.value)

    def put_beside(self, item: tree.Node) -> Iterator[tree.Node]:
        """What may be the key of a dict that a call puts into the table, `gateway.put(note_key, item)`, or into
        an item: `{**note_key(tenant_id, note_id), **typed({"tenant_id": tenant_id})}`."""
        names = self.program.names
        statement = names.parent(item)
        uses = self.program.records.uses(statement) if _gives_name(statement, item) else (item,)
        for use in uses:
            call = names.parent(use)
            if isinstance(call, tree.Call) and self._is_given(call, use, 1):
                yield from (a.value for a in call.args if a.value is not use)
                outer = names.parent(call)
                if isinstance(outer, tree.DictDisplay) and outer.keys_for(call) == [None]:
                    yield from (one for one in outer.spread if one is not call)
                    yield from (v for k, v in outer.pairs if self._is_key(k))

    def _is_key(self, node: tree.Node | None) -> bool:
        text = tree.text(node)
        return text is not None and self.program.policy.is_key_name(text)

    def _takes(self, call: tree.Call, name: str) -> bool:
        """Whether what a call gives by that name is an entry of an item, whatever the call runs."""
        callees = self.program.calls.callees(call)
        functions = [c.function for c in callees if c.function is not None and c.cls is None]
        return (
            bool(functions)
            and len(functions) == len(callees)
            and all(_keywords(f) and f.parameter(name) is None for f in functions)
            and any(self._puts(m) for f in functions for m in self.program.calls.families.of(f))
        )

    def _puts(self, function: Function) -> bool:
        """Whether the keywords that a function takes end up in an item that is put into the table."""
        if function not in self._known:
            self._known[function] = False
            name = _keywords(function)
            self._known[function] = name is not None and self._is_read(function, name, 0)
        return self._known[function]

    def _is_read(self, function: Function, name: str, depth: int) -> bool:
        """Whether what a function calls by that name is put into the table, whole or among others."""
        return any(
            self.is_put(node, depth + 1) for node in self.program.names.called(function, name)
        )

    def is_put(self, node: tree.Node, depth: int = 0) -> bool:
        """Whether an expression is put into the table, whole or among others."""
        if depth > _MAX_DEPTH:
            return False
        parent = self.program.names.parent(node)
        match parent:
            case tree.Call():
                return self._is_given(parent, node, depth)
            case tree.DictDisplay():
                keys = parent.keys_for(node)
                if keys == [None]:
                    return self.is_put(parent, depth + 1)
                return any(tree.text(key) == "Item" for key in keys)
            case tree.Binary(op="|") | tree.Boolean() | tree.Conditional():
                return self.is_put(parent, depth + 1)
            case tree.Comprehension(kind="DictComp"):
                return self.is_put(parent, depth + 1) or self._is_set(parent)
            case tree.Attr(name="items" | "copy"):
                call = self.program.names.parent(parent)
                return isinstance(call, tree.Call) and self.is_put(call, depth + 1)
            case tree.Assign(targets=(tree.Name() as target,)) if parent.value is node:
                return self._is_local_put(target, depth)
            case _:
                return False

    def _is_set(self, node: tree.Comprehension) -> bool:
        """Whether an update sets all that a dict has: `ExpressionAttributeValues={f":{k}": v for k, v in …}`."""
        call = self.program.names.parent(node)
        return (
            isinstance(call, tree.Call)
            and last_name(call.func) == "update_item"
            and call.keyword(VALUES) is node
        )

    def _is_local_put(self, name: tree.Name, depth: int) -> bool:
        function = self.program.names.function_of(name)
        return function is not None and self._is_read(function, name.id, depth)

    def _is_given(self, call: tree.Call, node: tree.Node, depth: int) -> bool:
        """Whether the argument of a call is put into the table."""
        given = next((a for a in call.args if a.value is node), None)
        if given is None:
            return False
        if given.keyword == "Item" or last_name(call.func) == "put_item":
            return True
        if given.keyword == VALUES:
            return call.keyword(UPDATE) is not None
        match call.func:
            case tree.Attr(name="update", base=tree.Name() as base):
                return self._is_local_put(base, depth)
            case tree.Name(id="dict"):
                return self.is_put(call, depth + 1)
        callees = self.program.calls.callees(call)
        functions = [c for c in callees if c.function is not None and c.cls is None]
        for callee in functions:
            assert callee.function is not None
            if given.star == "**":
                if self._puts(callee.function):
                    return True
                continue
            names = [n for n, a in callee.arguments(call).items() if a is given]
            if any(self._is_read(callee.function, name, depth) for name in names):
                return True
        return bool(functions) and not given.star and self.is_put(call, depth + 1)


def _gives_name(statement: object, value: tree.Node) -> TypeGuard[tree.Assign]:
    """Whether a statement does nothing but give a local name to a value."""
    match statement:
        case tree.Assign(targets=(tree.Name(),), op=""):
            return statement.value is value
        case _:
            return False


def _keywords(function: Function) -> str | None:
    """The name of the parameter that takes any keywords."""
    return next((p.name for p in function.params if p.kind == "**"), None)
