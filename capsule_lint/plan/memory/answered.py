"""What a request is answered, kept by one scope of its context: `_DONE[f"{ctx.tenant_id}:{command['key']}"] = fn(ctx,
command)`. Whatever that does for another capsule of the tenant is no answer to this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program


class Answered(Struct, frozen=True):
    """Tells it of what is put under a key."""

    program: Program

    def of(self, value: tree.Node, elements: Iterable[tree.Node], scope: Scope) -> bool:
        """Whether a value is what a handler, or a function that its own function is told, gives back for the object of
        which an element of the key says another scope, and which has this one as well."""
        told = {
            text_of(element.base): element.base
            for element in elements
            if isinstance(element, tree.Attr) and self._is_other(element, scope)
        }
        has = {text for text, node in told.items() if text and self._has(node, scope)}
        return bool(has) and any(
            any(text_of(argument.value) in has for argument in call.args)
            for call in self._answering(value)
        )

    def _answering(self, value: tree.Node) -> Iterator[tree.Call]:
        """The calls in a value, or in what a local is, that run something which answers a request."""
        names, domain = self.program.names, self.program.domain
        bound = names.bindings_of(value) if isinstance(value, tree.Name) else ()
        made = [b.value for b in bound if b.kind == "assign" and b.value is not None]
        for call in (one for node in made or [value] for one in within(node)):
            if not isinstance(call, tree.Call):
                continue
            given = names.bindings_of(call.func) if isinstance(call.func, tree.Name) else ()
            if any(b.kind == "param" for b in given) or any(
                callee.function in domain.handlers for callee in self.program.calls.callees(call)
            ):
                yield call

    def _is_other(self, node: tree.Node, scope: Scope) -> bool:
        is_value = self.program.domain.held.is_value
        return any(is_value(node, other) for other in self.program.policy.others(scope))

    def _has(self, node: tree.Node, scope: Scope) -> bool:
        """Whether an object has a scope's value already."""
        held, classes = self.program.domain.held, self.program.classes
        return any(
            held.attribute(cls, scope) or classes.has_attribute(cls, scope.parameter)
            for cls in self.program.inference.homes(node)
        )
