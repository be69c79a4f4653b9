"""Objects that go to whatever is found under a key made of them: `for inbox in self._inboxes[message.tenant_id,
message.room_id]: inbox.append(message)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.puts import Put
from capsule_lint.program.model import first_name, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Module

_MAX_DEPTH: Final = 2


class Delivered(Struct, frozen=True):
    """Finds them: they are as good as put there."""

    program: Program

    def puts(self, module: Module) -> Iterator[Put]:
        """What is handed to something in a collection, with its key."""
        for key in module.each(tree.Sequence):
            holder = self.program.names.parent(key)
            if isinstance(holder, tree.Call):
                into = holder.receiver
                into = into if last_name(holder.func) == "get" else None
            else:
                into = holder.base if isinstance(holder, tree.Subscript) else None
            if into is not None and isinstance(holder, tree.Call | tree.Subscript):
                for row in self._made_of(key):
                    if self._is_handed(row, key, holder):
                        yield Put(into, last_name(into), row, key)

    def _made_of(self, key: tree.Sequence) -> Iterator[tree.Name]:
        """The objects whose scope a key says."""
        is_value, scopes = self.program.domain.held.is_value, self.program.policy.scopes
        for item in key.items:
            if isinstance(item, tree.Attr) and any(is_value(item, scope) for scope in scopes):
                yield from (item.base,) if isinstance(item.base, tree.Name) else ()

    def _is_handed(self, row: tree.Name, key: tree.Sequence, found: tree.Node) -> bool:
        """Whether an object is an argument of what is called on something found, or of that itself, or such an argument
        says more of the object than its key does: `queue.put(event.model_dump())`."""
        names = self.program.names
        function = names.function_of(row)
        for call in names.inside(function) if function is not None else ():
            if isinstance(call, tree.Call) and any(
                self._says(a.value, row, key) for a in call.args
            ):
                if any(one is found for one in within(call.func)):
                    return True
                if function is not None and self._is_of(first_name(call.func), found, function, 0):
                    return True
        return False

    def _says(self, given: tree.Node, row: tree.Name, key: tree.Sequence) -> bool:
        """Whether an argument has an object in it, or more of that than is in its key."""
        said = {i.name for i in key.items if isinstance(i, tree.Attr) and first_name(i) == row.id}
        for one in within(given):
            if isinstance(one, tree.Name) and one.id == row.id:
                part = self.program.names.parent(one)
                if not isinstance(part, tree.Attr) or part.name not in said:
                    return True
        return False

    def _is_of(self, name: str, found: tree.Node, function: Function, depth: int) -> bool:
        """Whether a local is something found, or one of what that is, also by way of another local: `heard =
        self._inboxes.get(key)`, `for inbox in heard:`."""
        bound = function.scope.bindings.get(name, ())
        parts = [one for b in bound if b.value is not None for one in within(b.value)]
        if any(one is found for one in parts):
            return True
        names = [one.id for one in parts if isinstance(one, tree.Name)]
        return depth < _MAX_DEPTH and any(
            self._is_of(one, found, function, depth + 1) for one in names if one != name
        )
