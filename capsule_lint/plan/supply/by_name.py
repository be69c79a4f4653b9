"""Names that hold a scope's value where a call is given the neighbour's of an object: `capsule_id` of
`for capsule_id in …` beside `ctx.tenant_id`. The name comes first unless something shows that it is another's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.supply.repeats import names_in
from capsule_lint.plan.supply.visible import may_be_none
from capsule_lint.program.model import enclosing
from capsule_lint.program.optional import how_optional
from capsule_lint.program.purposes.other_types import is_id
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.state import Value
    from capsule_lint.plan.supply.holders import Holders
    from capsule_lint.plan.supply.visible import Visible
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Place

_ROOT: Final = re.compile(r"[^\W\d]\w*(?=\.|\[)")
"""The name of which code reads something."""
_REQUESTS: Final = frozenset(("request", "req", "event"))
"""What parameters are called that are, or hold, what a client sends."""


class ByName(Struct, frozen=True):
    """Tells whether such a name is meant."""

    program: Program
    visible: Visible
    holders: Holders

    def is_meant(
        self, named: Value, held: Value, scope: Scope, place: Place, call: tree.Call
    ) -> bool:
        """Whether the name, and not what the object has of which the neighbour is read, is the scope's value for a
        call: it is made of what the object has, or that is the request's context, and no other pair is at hand to
        which the name could belong. Of any other object its own is meant: `note.capsule_id` in `copy_to(note, capsule_id)`."""
        binding, root = self.visible.binding(named.code, place), _ROOT.match(held.code)
        if binding is None or root is None or not is_id(scope) or named.knot is not None:
            return False  # a mere word is called like a scope by chance
        own = binding.function is place.scope.function
        if not own or any(n.id == named.code for a in call.args for n in names_in(a.value)):
            return False
        if self._has_pair(scope, held, place):
            return False
        if self._is_made_of(binding, held.code):
            return True
        if place.scope.module.is_test or self._may_be_none(binding):
            return False
        if not self._is_carried(held, place):
            return False
        if self._is_sent(binding, root[0], place):
            return False
        return self._comes_after(binding, root[0], place) and not self._is_of_another(
            binding, root[0], scope, place
        )

    def _is_carried(self, held: Value, place: Place) -> bool:
        """Whether what the object has is that of a request's context, of which the function asks nothing else: one that
        asks for both compares them."""
        root, _, _ = held.code.rpartition(".")
        owner = self.visible.binding(root, place)
        types = self.program.inference.bound(owner) if owner is not None else frozenset()
        cls = self.program.inference.the_class(types)
        if cls is None or not self.program.domain.is_carrier(cls):
            return False
        function = place.scope.function
        inside = self.program.names.inside(function) if function is not None else ()
        return not any(isinstance(one, tree.Attr) and text_of(one) == held.code for one in inside)

    def _may_be_none(self, binding: Binding) -> bool:
        """Whether a name may hold nothing, where the object surely has a value."""
        parameter, value = binding.parameter, binding.value
        if parameter is not None:
            return bool(how_optional(parameter.annotation, parameter.default is not None))
        certain = isinstance(value, tree.Attr | tree.Subscript | tree.Sequence) or (
            binding.kind == "for" or isinstance(value, tree.Const)
        )
        return may_be_none(binding) or not certain

    def _has_pair(self, scope: Scope, held: Value, place: Place) -> bool:
        """Whether a function around has another scope by a name, and not of the object: then the two names go
        together."""
        others = self.program.policy.others(scope)
        gains = self.holders.state.gains
        return any(gains(f, other) for f in enclosing(place) for other in others) or any(
            names_any_of(name, others)
            and not all(self._is_read_of(binding, held) for binding in bindings)
            for around in place.scope.ancestors()
            if around.kind not in ("module", "class")
            for name, bindings in around.bindings.items()
        )

    def _is_read_of(self, binding: Binding, held: Value) -> bool:
        """Whether a local is what the object has: `tenant_id = ctx.tenant_id`."""
        value = binding.assigned
        base = text_of(value.base) if isinstance(value, tree.Attr) else None
        return base is not None and base == held.code.rpartition(".")[0]

    def _is_made_of(self, binding: Binding, code: str) -> bool:
        """Whether a local is made of what the object has: `clean(ctx.capsule_id)`."""
        value = binding.assigned
        return value is not None and any(text_of(node) == code for node in within(value))

    def _is_sent(self, binding: Binding, root: str, place: Place) -> bool:
        """Whether the client may say what a name holds: it is a parameter, or made of one, where a request enters, or is
        read of the request. What the object has is to be trusted more."""
        function, value = place.scope.function, binding.value
        if function is None:
            return False
        made_of = {n.id for n in names_in(value)} if value is not None else set()
        made_of |= {binding.name} if binding.kind == "param" else set()
        given = {p.name for p in function.params if p.name != root} & made_of
        return bool(given) and (
            self.program.domain.enters(function) or not given.isdisjoint(_REQUESTS)
        )

    def _comes_after(self, binding: Binding, root: str, place: Place) -> bool:
        """Whether a name is bound when one knows the request's context, and is not one for each of several of these."""
        owner = self.visible.binding(root, place)
        if owner is None or owner.kind == "param":
            return True
        later = binding.kind != "param" and owner.place.order < binding.place.order
        return later or owner.kind != "for"

    def _is_of_another(self, binding: Binding, root: str, scope: Scope, place: Place) -> bool:
        """Whether another object is at hand that has the scope, or another scope is read of what the name is made of:
        `row["tenant_id"]` beside `capsule_id = row["capsule_id"]`."""
        attribute = self.holders.attribute_of
        if any(
            name != root and attribute(cls, scope) is not None
            for name, cls in self.holders.values(place)
        ):
            return True
        for function in enclosing(place):
            if function.self_name != root and self.holders.of_self(scope, function) is not None:
                return True
        made_of = {n.id for n in names_in(binding.value)} if binding.value is not None else set()
        others = self.program.policy.others(scope)
        return any(
            base != root and base in made_of and names_any_of(name, others)
            for base, name in self._reads(place)
        )

    def _reads(self, place: Place) -> Iterator[tuple[str, str]]:
        """The names of which a function reads something, and what: attributes, and keys of dicts."""
        function = place.scope.function
        for node in self.program.names.inside(function) if function is not None else ():
            match node:
                case tree.Attr(base=tree.Name(id=base), name=name):
                    yield base, name
                case (
                    tree.Subscript(base=tree.Name(id=base), index=tree.Const(value=str() as name))
                    | tree.Call(
                        func=tree.Attr(base=tree.Name(id=base), name="get"),
                        args=(tree.Argument(value=tree.Const(value=str() as name)), *_),
                    )
                ):
                    yield base, name


def passes(call: tree.Call | None, code: str) -> bool:
    """Whether a call passes a name already: then it is the value of something else."""
    return call is not None and any(
        isinstance(a.value, tree.Name) and a.value.id == code and a.keyword is None
        for a in call.args
    )
