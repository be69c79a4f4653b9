"""Values that calls make which are told scopes: what is put under a key, and must not be found by another scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import behind, filled_with, put_into
from capsule_lint.program.model import Binding, Function, first_name
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class

_MAX_DEPTH: Final = 3


@dataclass(eq=False, slots=True)
class PutValues(Room):
    """Tells what must land with a change of such a key."""

    planner: Planner

    def told(self, node: tree.Node, scope: Scope) -> list[Knot | None]:
        """What must land with a change because a value is made by calls that are told a scope, now
        (then it is `None`) or after the change; nothing where there are no such calls."""
        return self._told(node, scope, 0, {})

    def _told(
        self, node: tree.Node, scope: Scope, depth: int, seen: dict[int, int]
    ) -> list[Knot | None]:
        """The same, but for the bindings that have been followed from no farther away."""
        found: list[Knot | None] = []
        for one in within(node):
            if isinstance(one, tree.Lambda | tree.Comprehension):
                for part in one.all_below():
                    found += self._told(part, scope, depth, seen)
            elif isinstance(one, tree.Call):
                own = self.of_call(one, scope)
                found += own or [
                    *self._of_one_scope(one, scope),
                    *self._carried(one, scope, depth, seen),
                ]
            elif isinstance(one, tree.Name):
                for binding in self.program.names.bindings_of(one):
                    if depth < seen.get(id(binding), _MAX_DEPTH):
                        for value in self._values(one, binding):
                            seen[id(binding)] = depth
                            found += self._told(value, scope, depth + 1, seen)
            found += self._looked_up(one, scope)
        return found

    def _looked_up(self, node: tree.Node, scope: Scope) -> list[Knot | None]:
        """The same of a key that is looked up where it is written, and says the scope now or after the change."""
        site = self.program.keys.at(node)
        if site is None or site.role is not Role.LOOKUP:
            return []
        template = site.template
        gaining = [d for d in self.planner.defects if d.template.host is template.host]
        knots: list[Knot | None] = [d.knot for d in gaining if scope in d.missing]
        segments = self.program.templates.segments(template.pieces)
        return knots or [None for segment in segments if segment.scope == scope.name]

    def _of_one_scope(self, call: tree.Call, scope: Scope) -> Iterator[Knot | None]:
        """The same of a call of a repository that is told scopes when it is made: `Deals(table, tenant_id)`."""
        program = self.program
        for callee in program.calls.callees(call):
            owner = callee.function.owner if callee.function is not None else None
            if owner not in program.domain.repositories or owner is None:
                continue
            held, made = program.domain.held.is_attribute, program.classes.made_with(owner)
            for cls in program.classes.mro(owner):
                if self.state.gains(cls, scope):
                    yield "class", cls
            if any(held(cls, name, scope) for cls, name in made):
                yield None

    def _carried(
        self, call: tree.Call, scope: Scope, depth: int, seen: dict[int, int]
    ) -> Iterator[Knot | None]:
        """The same of what a function returns that is given an object with a request's scopes, `load(ctx, note_id)`, or
        is a method of the same object, which may know them itself: `self.load(note_id)`; and of what an object makes of
        those that it is given when it is made: `Session(table, ctx)`."""
        program = self.program
        if depth == _MAX_DEPTH or not (
            self._is_own_method(call)
            or any(
                isinstance(each, Instance) and program.domain.is_carrier(each.cls)
                for argument in call.args
                for given in self._given(argument)
                for each in program.inference.of(given)
            )
        ):
            return
        for callee in program.calls.callees(call):
            for value in callee.function.returns if callee.function is not None else ():
                yield from self._told(value, scope, depth + 1, seen)
            for value in self._made_by(callee.cls) if callee.cls is not None else ():
                yield from self._told(value, scope, depth + 1, seen)

    def _given(self, argument: tree.Argument) -> Iterator[tree.Node]:
        """What an argument gives; of a dict or a tuple that a call spreads, all that is written out in it."""
        names, value = self.program.names, argument.value
        if not argument.star:
            yield value
            return
        made = behind(names, value) or value
        callees = self.program.calls.callees(made) if isinstance(made, tree.Call) else ()
        returned = [one for c in callees if c.function is not None for one in c.function.returns]
        queue = returned or [made]
        while queue:
            match one := queue.pop():
                case tree.Binary(op="|"):
                    queue += [one.left, one.right]
                case tree.Sequence():
                    yield from one.items
                case tree.DictDisplay():
                    yield from (entry for _, entry in one.pairs)
                case tree.Call():
                    yield from (each.value for each in one.args)
        for binding in names.bindings_of(value) if isinstance(value, tree.Name) else ():
            yield from (put for _, put in put_into(names, binding))

    def _made_by(self, cls: Class) -> Iterator[tree.Node]:
        """What an object keeps from when it is made, and the calls that it makes later of what it has kept:
        `OrderRepository(self.table, self.ctx.tenant_id)`."""
        for one in self.program.classes.mro(cls):
            stores = (store for stored in one.stores.values() for store in stored)
            yield from (s.value for s in stores if s.function.name == "__init__" and s.value)
            for method in one.methods.values():
                for call in self.program.names.inside(method):
                    if isinstance(call, tree.Call) and self._is_of_own(call, method):
                        yield call

    def _is_of_own(self, call: tree.Call, method: Function) -> bool:
        """Whether a call is given a scope of what a method's object has, `self.ctx.tenant_id`, and none that the method is told."""
        scopes = self.program.policy.scopes
        given = [argument.value for argument in call.args]
        if any(isinstance(one, tree.Name) and names_any_of(one.id, scopes) for one in given):
            return False
        return any(
            isinstance(one, tree.Attr)
            and names_any_of(one.name, scopes)
            and isinstance(one.base, tree.Attr)
            and first_name(one) == method.self_name
            for one in given
        )

    def _is_own_method(self, call: tree.Call) -> bool:
        """Whether a method of the object is called whose method it is called in."""
        base = call.func.base if isinstance(call.func, tree.Attr) else None
        function = self.program.names.function_of(call)
        own = function.self_name if function is not None else None
        return isinstance(base, tree.Name) and base.id == own

    def _values(self, node: tree.Name, binding: Binding) -> Iterator[tree.Node]:
        """What a binding gives a local name, or what callers give for a parameter, or what a function inside of another
        one gives back."""
        program = self.program
        if isinstance(binding.definition, Function) and binding.function is not None:
            yield from binding.definition.returns
        if binding.kind == "param":
            if not isinstance(program.names.parent(node), tree.Attr):
                yield from program.calls.passed_to(binding)
        elif binding.kind in ("assign", "for") and binding.function is not None:
            yield from () if binding.value is None else (binding.value,)
            yield from (put for _, put in put_into(program.names, binding))
            yield from filled_with(program.names, binding)

    def knows(self, call: tree.Call, scope: Scope) -> bool:
        """Whether a call is going to be told the scope itself."""
        return bool(self.of_call(call, scope))

    def of_call(self, call: tree.Call, scope: Scope) -> list[Knot | None]:
        """What must land with a change because a call is told the scope itself, after the change or, then it is `None`,
        as it is; nothing where it is not."""
        knot = self.planner.signatures.asked(call, scope)
        return [knot] if knot is not None or self.is_told(call, scope) else []

    def is_told(self, call: tree.Call, scope: Scope) -> bool:
        """Whether what a call calls is told the scope as it is."""
        program = self.program
        for callee in program.calls.callees(call):
            one = callee.function or callee.cls
            if callee.cls is not None and program.domain.is_carrier(callee.cls):
                continue
            if one is not None and program.domain.held.arguments(
                call.args, one, callee.given, scope
            ):
                return True
        return False
