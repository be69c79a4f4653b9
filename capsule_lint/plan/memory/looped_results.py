"""What a loop puts into a collection of its function for each of its rounds, by one scope: `results[ctx.tenant_id, "purge"]
= purge(ctx.tenant_id, ctx.capsule_id)`. Where each round has another scope as well, one would come in the place of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.plan.memory.puts import Put
    from capsule_lint.policy import Scope


class LoopedResults(Struct, frozen=True):
    """Tells what is put that way."""

    local: LocalKeys

    def replace(self, put: Put, keys: Iterable[tree.Node], scope: Scope) -> bool:
        """Whether what is put under keys replaces what another round has put, which differs in a scope alone."""
        is_value = self.local.program.domain.held.is_value
        others = self.local.program.policy.others(scope)
        hosts = self.local.hosts
        replacing = keys if self._is_replacing(put) else ()
        with self.local.program.names.aside():
            written = [hosts.parts(h) for key in replacing for h, _ in hosts.scopes_in(key)]
        return any(
            any(is_value(element, other) for other in others) and self._is_looped(element, scope)
            for parts in written
            for element in (parts[1] if parts is not None else ())
        )

    def _is_replacing(self, put: Put) -> bool:
        """Whether what is put comes in the place of what was there, and is no part of a sum."""
        parent_of = self.local.program.names.parent
        at = parent_of(put.key)
        to = parent_of(at) if isinstance(at, tree.Subscript) else None
        is_put = isinstance(at, tree.Comprehension) or (isinstance(to, tree.Assign) and not to.op)
        return is_put and all(last_name(part) != put.name for part in within(put.value))

    def _is_looped(self, element: tree.Node, scope: Scope) -> bool:
        """Whether a loop binds one scope's value, or what it is taken of, and with it the other scope's."""
        program = self.local.program
        match element:
            case tree.Attr(base=tree.Name() as base):
                held, has = program.domain.held.attribute, program.classes.has_attribute
                return any(b.kind == "for" for b in program.names.bindings_of(base)) and any(
                    held(cls, scope) or has(cls, scope.parameter)
                    for cls in program.inference.homes(base)
                )
            case tree.Name():
                return any(
                    other.value is one.value and names_any_of(name, (scope,))
                    for one in program.names.bindings_of(element)
                    if one.kind == "for" and one.path
                    for name, others in one.place.scope.bindings.items()
                    for other in others
                )
            case _:
                return False
