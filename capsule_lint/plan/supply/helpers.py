"""Values beside what helpers without arguments read: `current().capsule_id` beside `tenant()`, and beside
`tenant_id, user = caller()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.repeats import names_in, repeatable
from capsule_lint.program.inference.types import ModuleObject
from capsule_lint.program.local_names import only_assigned

if TYPE_CHECKING:
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot, Value
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


@dataclass(eq=False, slots=True)
class Helpers(Room):
    """Finds them."""

    planner: Planner

    def beside(self, node: tree.Node, scope: Scope, knot: Knot) -> Value | None:
        """What is asked of the object of which a helper reads the neighbour, also where a local has what the
        helper returns, or a part of it."""
        call, step = self._call(node)
        function = self._called(call) if call is not None else None
        returned = function.returns[0] if function and len(function.returns) == 1 else None
        if step is not None and isinstance(returned, tree.Sequence):
            starred = any(isinstance(item, tree.Wrapped) for item in returned.items)
            within = step < len(returned.items) and not starred
            returned = returned.items[step] if within else None
        elif step is not None:
            returned = None
        if function is None or not isinstance(returned, tree.Attr):
            return None
        value = self._read(node, function, returned, scope, knot)
        home = self._home(call, function) if call is not None else None
        if value is None or home is None:
            return value
        return replace(value, code=f"{home}.{value.code}", imports=())

    def _home(self, call: tree.Call, function: Function) -> str | None:
        """The name under which a file knows the module of what it calls: `identity` of `identity.caller()`."""
        base = call.receiver
        types = self.program.inference.of(base) if base is not None else ()
        modules = [one.module for one in types if isinstance(one, ModuleObject)]
        return text_of(base) if base is not None and modules == [function.module] else None

    def _called(self, call: tree.Call) -> Function | None:
        """The function of a module, or one around, that is called: by its name or as `identity.caller()`."""
        found = self.program.calls.callees(call)
        only = found[0].function if len(found) == 1 and found[0].cls is None else None
        return only if only is not None and only.owner is None else None

    def _call(self, node: tree.Node) -> tuple[tree.Call | None, int | None]:
        """The call that yields a value, and which of several it is: `caller()[0]`, `tenant_id, *_ = caller()`."""
        match node:
            case tree.Call(func=tree.Name() | tree.Attr(), args=()):
                return node, None
            case tree.Subscript(base=tree.Call(func=tree.Name() | tree.Attr(), args=()) as call):
                number = tree.integer(node.index)
                return (call, number) if number is not None and number >= 0 else (None, None)
            case tree.Name():
                bindings = self.program.names.bindings_of(node)
                binding = bindings[0] if len(bindings) == 1 else None
                value = binding.value if binding is not None and binding.kind == "assign" else None
                if binding is None or not isinstance(value, tree.Call | tree.Subscript):
                    return None, None
                if not binding.path:
                    return self._call(value)
                statement = binding.place.statement
                target = statement.targets[0] if isinstance(statement, tree.Assign) else None
                before = (
                    target.items[: binding.path[0]] if isinstance(target, tree.Sequence) else ()
                )
                plain = not any(isinstance(item, tree.Wrapped) for item in before)
                if len(binding.path) > 1 or binding.path[0] < 0 or not plain:
                    return None, None
                whole, step = self._call(value)
                return (whole, binding.path[0]) if step is None else (None, None)
            case _:
                return None, None

    def _read(
        self, node: tree.Node, function: Function, returned: tree.Attr, scope: Scope, knot: Knot
    ) -> Value | None:
        """The same of `current().tenant_id`, and of `ctx.tenant_id` after `ctx = current()`, where that can be
        asked in the file of `node` as well."""
        program, names = self.program, self.program.names
        asked: tree.Node = returned
        made = only_assigned(names, returned.base)
        if made is not None and names.function_of(made) is function:
            asked = made
        root = next(iter(names_in(asked)), None)
        if root is None or not self.planner.sources.ambient.asks(returned):
            return None
        known = names.bindings(root.id, names.place(node))
        if any(not b.is_global for b in known) or root.id.startswith("_"):
            return None
        if not repeatable(returned, program) or not repeatable(asked, program):
            return None
        value = self.planner.gains.mirrored(returned, scope, knot)
        at = names.bindings(root.id, names.place(asked))
        if value is None or value.imports or any(not b.is_global for b in at):
            return None
        if asked is not returned:
            base, own = text_of(asked), text_of(returned.base)
            code = value.code.removeprefix(f"{own}.")
            if base is None or code == value.code:
                return None
            value = replace(value, code=f"{base}.{code}")
        return replace(value, imports=((function.module.name, root.id),))
