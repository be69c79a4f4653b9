"""Wants are served: with the value that is there, or by what has to gain something so that there is one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.entities.told_later import told_by_methods
from capsule_lint.plan.room import Room
from capsule_lint.plan.supply.absent import is_absent
from capsule_lint.plan.supply.unasked import Unasked
from capsule_lint.program.calling.kept_handlers import is_kept_to_call
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.model import Function, last_name
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.program.model import Class


@dataclass(eq=False, slots=True)
class Serving(Room):
    """Serves the wants of a plan, one by one."""

    planner: Planner
    unserved: dict[Want, tuple[Function | None, str]] = field(default_factory=dict)
    """The wants that nobody who calls the functions around can satisfy, and why."""
    loose: set[int] = field(default_factory=set)
    """The wants that nothing but an entity in scope can satisfy."""
    last: dict[int, Value] = field(default_factory=dict)
    """What wants are given for which nothing else has a value: a constant, or a call without arguments."""

    def serve(self, want: Want) -> None:
        """See to it that a want has a value, or note why it has none."""
        self.planner.queued.extend(want)
        value = self.planner.values.value(want)
        if value is not None:
            if value.knot is not None:
                self.state.groups.join(want.knot, value.knot)
            return
        host = self.planner.origins.host(want)
        function = host if isinstance(host, Function) else None
        rivals = self.planner.owners.rivals(want) or self.planner.sources.configured.rivals(
            want.scope, want.node, want.call
        )
        if rivals:
            said = " and ".join(f"`{code}`" for code in rivals)
            self._no_source(want, function, f"both {said} have `{want.scope.parameter}`")
            return
        if self._extend_item(want) or self._extend_record(want) or self._extend_self(want):
            return
        why = self.planner.origins.why_not(want)
        anothers = self.planner.others.beside(want) is not None
        if why is not None and (anothers or not self._has_constant(want)):
            self.unserved[want] = (function, why)
            return
        if function is not None and self.planner.messages.extend(want, function):
            return
        if function is not None and self._asks_by_itself(function, want):
            return
        if function is not None and self._thread(function, want):
            name, taken = want.scope.parameter, self.planner.sources.visible.is_taken
            has = self.program.domain.scope_parameter(function, want.scope) is not None
            if self.planner.values.value(want) is None and (has or not taken(function, name)):
                self._no_source(want, function, f"`{name}` means something else here")
            return
        if function is None and self.planner.lambdas.serve(want):
            return
        self.loose.add(id(want))
        if self.planner.values.value(want) is None and not self._has_constant(want):
            self._no_source(want, function, self.planner.entries.reason(want))

    def close(self) -> None:
        """Note the wants that nothing has served in the end, or something that may be missing there."""
        for want, (function, why) in self.unserved.items():
            if self.planner.values.value(want) is None:
                self._no_source(want, function, why)
                for knot in self.planner.origins.loop_knots(want):
                    self.state.groups.join(want.knot, knot)
        for want in self.state.wants:
            value = self.planner.values.value(want) if want.call is not None else None
            if value is not None and is_absent(self.program.names, want.node, value.code):
                function = self.program.names.function_of(want.node)
                self._no_source(want, function, f"`{value.code}` may be missing here")

    def _has_constant(self, want: Want) -> bool:
        """Whether policy names a constant that a want can be given where there is nothing else."""
        constant = self.planner.sources.constant(want.scope)
        return not self.planner.bodies.is_sent(want) and self._fall_back(want, constant)

    def _asks_by_itself(self, function: Function, want: Want) -> bool:
        """Whether a function that nobody calls finds the value by itself, and no object at hand has another."""
        value = Unasked(self.planner).value(function, want.scope)
        if value is None:
            return False
        self.loose.add(id(want))
        held = self.planner.values.value(want)
        self.loose.discard(id(want))
        return held is None and self._fall_back(want, value)

    def _fall_back(self, want: Want, value: Value | None) -> bool:
        if value is not None:
            self.last[id(want)] = value
        return value is not None

    def _extend_item(self, want: Want) -> bool:
        """A key helper that is given `item.tenant_id`: the class of `item` gets the other scope too."""
        if want.call is None or want.callee not in self.program.keys.helpers:
            return False
        for _, path in self.planner.values.beside(want):
            if not isinstance(path, tree.Attr):
                continue
            owners = self.program.inference.of(path.base)
            classes = classes_of(owners)
            if classes and all(self.program.domain.is_item(c) for c in classes):
                found = self.planner.gains.mirrored(path, want.scope, want.knot)
                if found is not None and self.planner.values.value(want) is not None:
                    return True
        return False

    def _extend_record(self, want: Want) -> bool:
        """What is told `parsed.tenant_id` of a record into which the program takes a key apart, or the part that it has
        unpacked of a tuple: that gets the other part as well."""
        gains = self.planner.gains
        for _, path in self.planner.values.beside(want) if want.call is not None else ():
            if not isinstance(path, tree.Attr):
                wholes = self.planner.thrown_away.wholes(path)
                if wholes and all(self._is_of_parts(*one) for one in wholes.items()):
                    for cls, name in (
                        wholes.items() if all(map(gains.can_gain_field, wholes)) else ()
                    ):
                        gains.gain_field(cls, want.scope, want.knot, like=name)
                    return self.planner.values.value(want) is not None
                continue
            classes = classes_of(self.program.inference.of(path.base))
            if classes and all(self._is_of_parts(cls, path.name) for cls in classes):
                found = gains.mirrored(path, want.scope, want.knot)
                if found is not None and self.planner.values.value(want) is not None:
                    return True
        return False

    def _is_of_parts(self, cls: Class, name: str) -> bool:
        """Whether the program makes instances of a data class of nothing but keys' parts under that name."""
        if not self.program.classes.is_data(cls):
            return False
        given = [
            arguments[name].value if name in arguments else None
            for call, arguments in self.program.calls.given_to(cls)
            if not self.program.names.module_of(call).is_test
        ]
        may_be = self.planner.scope_parts.may_be
        return bool(given) and all(value is not None and may_be(value) for value in given)

    def _extend_self(self, want: Want) -> bool:
        """A call that is given `self.tenant_id`, of a class whose constructor takes it, or whose objects are told it by a
        method: the class gets the other scope the same way."""
        function = self.program.names.function_of(want.node)
        owner = function.owner if function is not None else None
        if owner is None or function is None or not function.takes_self:
            return False
        return (
            any(
                self.planner.gains.mirrored(path, want.scope, want.knot) is not None
                for path in self._read_of_self(function, want)
                if self._is_given(owner, path.name)
                or told_by_methods(self.program, owner, path.name)
            )
            and self.planner.values.value(want) is not None
        )

    def _is_given(self, cls: Class, name: str) -> bool:
        """Whether a constructor stores one of its parameters under a name, or what one of them has."""
        classes = self.program.classes
        if classes.is_data(cls) and any(p.name == name for p in classes.constructor(cls) or ()):
            return True
        return any(
            store.function.name == "__init__"
            and isinstance(value.base if isinstance(value, tree.Attr) else value, tree.Name)
            for owner in classes.mro(cls)
            for store in owner.stores.get(name, ())
            for value in self._may_be(store.value)
        )

    def _may_be(self, node: tree.Node | None) -> Iterator[tree.Node]:
        """What a value is, or one of those that it may be, `tenant_id or current_tenant()`; and of what scope's value
        it is made: `TenantId(tenant_id)`, `tenant_id.lower()`."""
        match node:
            case tree.Conditional():
                yield from (*self._may_be(node.then), *self._may_be(node.otherwise))
            case tree.Boolean():
                yield from (one for value in node.values for one in self._may_be(value))
            case tree.Call():
                for given in (*node.unnamed, node.receiver):
                    if names_any_of(last_name(given), self.program.policy.scopes):
                        yield from self._may_be(given)
            case _ if node is not None:
                yield node

    def _thread(self, function: Function, want: Want) -> bool:
        """Give the enclosing function the parameter, so that its callers become call sites."""
        if self.planner.signatures.is_entered(function):
            parameter = self.program.policy.handlers.parameter
            if (
                parameter is None
                or function.parameter(parameter.name) is not None
                or function not in self.program.domain.handlers
                or self.program.policy.handlers.is_function(function.symbol)
                or self.program.calls.is_called(function)
                or is_kept_to_call(self.program, function)
            ):
                return False
            self.state.handler_params[function] = want.knot
            if self.planner.values.value(want) is None:
                del self.state.handler_params[function]
                return False
            return True
        if (
            (function.is_property or function in self.program.domain.making)
            and function.owner is not None
            and self.planner.gains.can_gain_field(function.owner)
        ):
            like = next((path.name for path in self._read_of_self(function, want)), None)
            self.planner.gains.gain_field(function.owner, want.scope, want.knot, like=like)
            return self.planner.values.value(want) is not None
        if not self.planner.signatures.can_gain(function):
            return False
        if self.planner.entries.takes_nothing(function, want):
            return False
        self.planner.signatures.gain(function, want.scope, want.knot)
        return True

    def _read_of_self(self, function: Function, want: Want) -> Iterator[tree.Attr]:
        """The attributes of a method's object that the neighbours of a want are."""
        for _, path in self.planner.values.beside(want):
            match path:
                case tree.Attr(base=tree.Name(id=own)) if own == function.self_name:
                    yield path

    def _no_source(self, want: Want, function: Function | None, reason: str = "") -> None:
        module = self.program.names.module_of(want.node)
        if module.generated and want.call is not None:
            return  # the call is told of as one that nobody may edit
        symbol = function.symbol if function is not None else module.name
        if not reason:
            reason = f"nothing in scope yields `{want.scope.parameter}`"
            if module.is_test and want.scope.test_source is None:
                reason += ", and the policy names no `test-source` for it"
        span = (want.call or want.node).span
        self.planner.obstacle(
            want.knot, module.filename, span, reason, symbol, "source", want.scope
        )
