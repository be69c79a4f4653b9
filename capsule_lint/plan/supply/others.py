"""Values of a scope that are another's than those of the function around: `target_tenant_id`, beside `tenant_id`.
What belongs to the other tenant is in the other's capsule, and not in that of the function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import rename, text_of
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Value
from capsule_lint.plan.supply.rebuilds import changed
from capsule_lint.plan.supply.repeats import repeatable
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.fields import COPYING
from capsule_lint.program.local_names import bound_whole, entries_of_dict, only_assigned
from capsule_lint.program.model import enclosing, last_name
from capsule_lint.program.texts.pieces import names_scope, snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


class Others(Room, Struct, frozen=True):
    """Finds them at the places of wants."""

    planner: Planner

    def stated(self, want: Want) -> Value | None:
        """What the entity that a call is given has for the scope, where that is another's than what the function
        around is told: `save(replace(note, tenant_id=target_tenant_id))`, `save(Note(ctx.tenant_id, note_id))`."""
        for scope, node in self._of_entities(want):
            if scope is want.scope and self._is_another(node, scope):
                return Value(node.id, kind="name") if isinstance(node, tree.Name) else None
            if isinstance(node, tree.Attr) and self._is_told(want, scope):
                said = text_of(node) if repeatable(node) else None
                if scope is want.scope and said is not None:
                    return Value(said, kind="name")
                if scope is not want.scope:
                    return self.planner.gains.mirrored(node, want.scope, want.knot)
        return self._of_parameter(want)

    def _of_parameter(self, want: Want) -> Value | None:
        """The parameter that says whose the one entity is that a call is given, outside of tests, by whatever name:
        `save(task.copy_to(target))`."""
        call, names = want.call, self.program.names
        if call is None or names.module_of(want.node).is_test:
            return None
        said = {
            text_of(node): node for scope, node in self._of_entities(want) if scope is want.scope
        }
        node = next(iter(said.values()), None)
        binding = bound_whole(names, node) if node is not None and len(said) == 1 else None
        if binding is None or binding.kind != "param" or binding.name == want.scope.parameter:
            return None
        if self.program.domain.is_other(binding.parameter, want.scope):
            return None
        is_seen = names.bindings(binding.name, names.place(want.node)) == [binding]
        is_alone = not self._has_others(call, want.scope)
        return Value(binding.name, kind="name") if is_seen and is_alone else None

    def _has_others(self, call: tree.Call, scope: Scope) -> bool:
        """Whether a call is given objects besides what is made for it that have a scope."""
        given = (a.value for a in call.args if not self._made(a.value))
        classes = map(self.program.inference.the_class, map(self.program.inference.of, given))
        has = self.planner.sources.holders.attribute_of
        return any(cls is not None and has(cls, scope) is not None for cls in classes)

    def _made(self, node: tree.Node) -> tree.Call | None:
        """The call that makes an argument, there or in a local."""
        made = only_assigned(self.program.names, node) or node
        return made if isinstance(made, tree.Call) else None

    def _is_told(self, want: Want, scope: Scope) -> bool:
        """Whether a function around has, or gets, a parameter for a scope, tests aside."""
        place, told = self.program.names.place(want.node), self.program.domain.scope_parameter
        return not place.scope.module.is_test and any(
            told(function, scope) is not None or self.state.gains(function, scope)
            for function in enclosing(place)
        )

    def beside(self, want: Want) -> tuple[str, Value | None] | None:
        """The neighbour's value where that is another's, and the value of the scope that goes with it, if
        there is one; `None` where the neighbour is the function's own."""
        place = self.program.names.place(want.node)
        if place.scope.module.is_test:
            return None
        for scope, node in self._neighbours(want):
            if scope is want.scope or not self._is_another(node, scope):
                continue
            assert isinstance(node, tree.Name)
            name = rename(node.id, scope, want.scope)
            known = self.planner.sources.visible.binding(name, place)
            return node.id, Value(name) if known is not None and name != node.id else None
        return None

    def _neighbours(self, want: Want) -> Iterator[tuple[Scope, tree.Node]]:
        if want.mirror is not None:
            yield from ((scope, want.mirror) for scope in self.program.policy.scopes)
        if want.callee is not None:
            yield from self.planner.values.beside(want)
            yield from self._of_entities(want)

    def _of_entities(self, want: Want) -> Iterator[tuple[Scope, tree.Node]]:
        """The scopes that are written out in the entities among a call's arguments."""
        for argument in want.call.args if want.call is not None else ():
            made = self._made(argument.value)
            for name, node in self._written_in(made) if made is not None else ():
                for scope in self.program.policy.scopes:
                    if names_scope(name, scope):
                        yield scope, node

    def _written_in(self, call: tree.Call) -> Iterator[tuple[str, tree.Node]]:
        """What a copy, a constructor, or a function that gives one back, gives the fields of what it makes:
        `target` of `task.copy_to(target)`."""
        yield from self._fields_of(call)
        program = self.program
        for callee in program.calls.callees(call):
            function, params = callee.function, program.calls.parameters(callee)
            bound = bind(call.args, *params) if callee.cls is None else None
            for name, node in self._returned(function) if bound is not None and function else ():
                told = bound_whole(program.names, node)
                if told is not None and told.function is function and told.kind == "param":
                    argument = bound.arguments.get(told.name) if bound is not None else None
                    if argument is not None:
                        yield name, argument.value

    def _returned(self, function: Function) -> Iterator[tuple[str, tree.Node]]:
        """What a function gives the fields of what it gives back, if it makes that in one place."""
        made = self._made(function.returns[0]) if len(function.returns) == 1 else None
        return self._fields_of(made) if made is not None else iter(())

    def _fields_of(self, call: tree.Call) -> Iterator[tuple[str, tree.Node]]:
        """What a copy or a constructor gives the fields of what it makes."""
        if last_name(call.func) in COPYING:
            yield from changed(call)
        program = self.program
        for callee in program.calls.callees(call):
            params = program.classes.constructor(callee.cls) if callee.cls is not None else None
            bound = bind(call.args, params) if params else None
            for name, argument in bound.arguments.items() if bound is not None else ():
                yield name, argument.value
        for fields in call.spread:  # `Note(**{**asdict(note), "tenant_id": target_tenant_id})`
            for name, value in entries_of_dict(program.names, fields).items():
                if value is not None:
                    yield name, value

    def _is_another(self, node: tree.Node, scope: Scope) -> bool:
        """Whether a name is a parameter that holds a scope's value, of a function that has one of its own."""
        if not isinstance(node, tree.Name) or not _is_other_name(node.id, scope):
            return False
        binding = bound_whole(self.program.names, node)
        function = binding.function if binding is not None else None
        if binding is None or binding.kind != "param" or function is None:
            return False
        if any(p.name != node.id and names_scope(p.name, scope) for p in function.own_params):
            return True
        return self._reads_own(function, scope)

    def _reads_own(self, function: Function, scope: Scope) -> bool:
        """Whether a function takes the scope from a context that it is given."""
        program = self.program
        for node in program.names.inside(function):
            if not isinstance(node, tree.Attr) or not names_scope(node.name, scope):
                continue
            binding = bound_whole(program.names, node.base)
            if binding is not None and binding.place.scope is function.scope:
                cls = program.inference.the_class(program.inference.of(node.base))
                if cls is not None and program.domain.is_carrier(cls):
                    return True
        return False


def _is_other_name(name: str, scope: Scope) -> bool:
    """Whether a name says more than the scope: `target_tenant_id`."""
    own = snake(scope.parameter)
    return names_scope(name, scope) and snake(name).endswith(f"_{own}")
