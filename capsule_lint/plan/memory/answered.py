"""What a request is answered, kept by one scope of its context: `_DONE[f"{ctx.tenant_id}:{command['key']}"] = fn(ctx,
command)`. Whatever that does for another capsule of the tenant is no answer to this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.memory.key_uses import SAFE_METHODS
from capsule_lint.program.calling.wrapping import decorated_by
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.plan.memory.put_values import PutValues
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding


class Answered(Struct, frozen=True):
    """Tells it of what is put under a key."""

    program: Program
    values: PutValues

    def of(
        self, value: tree.Node, elements: Iterable[tree.Node], scope: Scope
    ) -> list[Knot | None]:
        """What must land with a change because a value is what a handler, or a function that its own function is told,
        gives back for the object of which an element of the key says another scope, and which has this one as well."""
        told = {
            text_of(element.base): element.base
            for element in elements
            if isinstance(element, tree.Attr) and self._is_other(element, scope)
        }
        has = {text for text, node in told.items() if text and self._has(node, scope)}
        return [
            knot
            for call in (self._answering(value) if has else ())
            if any(text_of(argument.value) in has for argument in call.args)
            for knot in self._because_of(call, scope)
        ]

    def _answering(self, value: tree.Node) -> Iterator[tree.Call]:
        """The calls in a value, or in what a local is, that run something which answers a request."""
        names, domain = self.program.names, self.program.domain
        bound = names.bindings_of(value) if isinstance(value, tree.Name) else ()
        made = [b.value for b in bound if b.kind == "assign" and b.value is not None]
        for call in (one for node in made or [value] for one in within(node)):
            if isinstance(call, tree.Call) and (
                any(b.kind == "param" for b in self._called(call))
                or any(c.function in domain.handlers for c in self.program.calls.callees(call))
            ):
                yield call

    def _called(self, call: tree.Call) -> Sequence[Binding]:
        """What the name that is called is bound to."""
        func = call.func
        return self.program.names.bindings_of(func) if isinstance(func, tree.Name) else ()

    def _because_of(self, call: tree.Call, scope: Scope) -> Iterator[Knot | None]:
        """The same of such a call: of what a decorator is put over, all is in sight, and some of that must ask for
        something by the scope."""
        makers = [b.function for b in self._called(call) if b.function is not None]
        if any(map(self._puts_on_others, makers)):
            return  # nobody knows who calls that, and it may drop answers by the same keys
        decorated = [
            one
            for maker in makers
            for one in decorated_by(self.program.inference, maker)
            if isinstance(one, Function)
        ]
        if not decorated:
            yield None
        for function in decorated:
            for node in self.program.names.inside(function):
                if isinstance(node, tree.Call):
                    yield from self.values.told(node, scope)

    def _puts_on_others(self, maker: Function) -> bool:
        """Whether a function puts what may be called on one that it makes: `wrapper.forget = self.forget`; whatever
        clears all needs no key."""
        names = self.program.names
        for node in names.inside(maker):
            match node, names.parent(node):
                case tree.Attr(base=tree.Name() as on), tree.Assign(targets=targets, value=value):
                    put = value if node in targets else None
                case tree.Call(func=tree.Name(id="setattr"), args=(first, *_, last)), _ if (
                    isinstance(first.value, tree.Name)
                ):
                    on, put = first.value, last.value
                case _:
                    continue
            made = any(one.kind == "def" for one in names.bindings_of(on))
            idle = put is None or isinstance(put, tree.Const) or last_name(put) in SAFE_METHODS
            if made and not idle:
                return True
        return False

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
