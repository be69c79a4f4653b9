"""Parameters and attributes that hold a scope's value under another name: by the tag that they fill, by
the parameter that they are passed for, or by their place in the method family."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.policy import SourceKind
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.local_names import named_by
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.texts.pieces import (
    GENERIC,
    Filled,
    hole_name,
    names_any_of,
    names_scope,
    snake,
)
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from capsule_lint.policy import Scope as ScopePolicy
    from capsule_lint.policy import SourceSpec
    from capsule_lint.program.purposes.domain import Domain

Holder = tuple[Function, str]
"""A function, and a scope."""


@dataclass(eq=False, slots=True)
class Held:
    """Finds the parameters and attributes."""

    domain: Domain
    _found: dict[Holder, tree.Parameter | None] | None = None
    """`None` for a parameter where several claim to be the one."""
    _attributes: dict[tuple[Class, str], str] = field(default_factory=dict)
    """The names of attributes, by class and scope."""
    _queue: list[tuple[Function, ScopePolicy, tree.Parameter]] = field(default_factory=list)

    def parameter(self, function: Function, scope: ScopePolicy) -> tree.Parameter | None:
        """The parameter that holds the scope's value, though its name does not say so."""
        return self._all().get((function, scope.name))

    def is_several(self, function: Function, scope: ScopePolicy) -> bool:
        """Whether several parameters hold values of the scope, `move(old, new)`, or one of them several: `plans(*tenant_ids)`."""
        key = (function, scope.name)
        if key in self._all() and self._all()[key] is None:
            return True
        return any(
            names_scope(one.name.removesuffix("s"), scope)
            for one in function.own_params
            if one.name.endswith("_ids") or (one.kind == "*" and one.name.endswith("s"))
        )

    def attribute(self, cls: Class, scope: ScopePolicy) -> str | None:
        """The attribute that holds the scope's value, though its name does not say so."""
        self._all()
        for owner in self.domain.classes.mro(cls):
            if (owner, scope.name) in self._attributes:
                return self._attributes[owner, scope.name] or None
        return None

    def _may_hold(self, name: str) -> bool:
        """Whether any class has an attribute of that name which holds a scope's value."""
        self._all()
        return name in self._attributes.values()

    def is_attribute(self, cls: Class, name: str, scope: ScopePolicy) -> bool:
        """Whether the attribute of that name holds the scope's value."""
        return names_scope(name, scope) or self.attribute(cls, scope) == name

    def is_scoped(self, cls: Class, name: str) -> bool:
        """Whether the attribute of that name holds the value of any scope."""
        return any(self.is_attribute(cls, name, scope) for scope in self.domain.policy.scopes)

    def takes(self, callee: Function | Class | None, name: str, scope: ScopePolicy) -> bool:
        """Whether the parameter of that name takes the scope's value; where one is called as the scope is,
        no other one does, `target_tenant_id` beside `tenant_id`."""
        if isinstance(callee, Class):
            return self.is_attribute(callee, name, scope)
        own = callee.parameter(scope.parameter) if callee is not None else None
        if own is not None and not self.domain.is_other(own, scope):
            return name == own.name
        held = self.parameter(callee, scope) if callee is not None else None
        if callee is not None and self.domain.is_other(callee.parameter(name), scope):
            return False
        return names_scope(name, scope) or (held is not None and held.name == name)

    def arguments(
        self,
        arguments: Sequence[tree.Argument],
        callee: Function | Class,
        given: int,
        scope: ScopePolicy,
    ) -> list[tree.Argument] | None:
        """What a call gives as the scope's value to a function of which the first `given` parameters are
        filled already, or to a constructor; `None` where the call does not bind, or what it gives is no scope's."""
        bound = bind(arguments, *self._taken(callee, given))
        if bound is None:
            return None
        found = [a for name, a in bound.arguments.items() if self.takes(callee, name, scope)]
        return None if found and self.is_shifted(arguments, callee, given, scope) else found

    def is_shifted(
        self,
        arguments: Sequence[tree.Argument],
        callee: Function | Class,
        given: int,
        scope: ScopePolicy,
    ) -> bool:
        """Whether what a call gives in a scope's place is what comes next, `order_pk(tenant_id, number, "LINE")` of
        `order_pk(tenant_id, capsule_id, number, part="HEAD")`: the other scope stands before it, and the value nowhere."""
        params, filled = self._taken(callee, given)
        places = [p.name for p in params if p.by_position][filled:]
        plain = [a.value for a in arguments if a.keyword is None and not a.star]
        at = places.index(scope.parameter) if scope.parameter in places else 0
        if not 0 < at < min(len(plain), len(places) - 1):
            return False
        said = [hole_name(one) for one in plain[at : at + 2]]
        if said[0] != snake(places[at + 1]) or said[0] in (*said[1:], *GENERIC):
            return False
        others = self.domain.policy.others(scope)
        before = [s for s in others if self.takes(callee, places[at - 1], s)]
        return any(self._is_said(plain[at - 1], s) for s in before) and not any(
            self._is_said(a.value, scope) for a in arguments
        )

    def _is_said(self, node: tree.Node, scope: ScopePolicy) -> bool:
        return self.is_value(node, scope) or self.by_policy(node) is scope

    def _taken(self, callee: Function | Class, given: int) -> tuple[Sequence[tree.Parameter], int]:
        """The parameters of what is called, and how many of these are filled already."""
        if isinstance(callee, Class):
            return self.domain.classes.constructor(callee) or (), 0
        return callee.params, given

    def is_value(self, node: tree.Node, scope: ScopePolicy) -> bool:
        """Whether an expression is the scope's value: its name says so, or the parameter holds it."""
        if names_scope(hole_name(node), scope):
            return True
        if isinstance(node, tree.Attr):
            return self._may_hold(node.name) and any(
                self.attribute(cls, scope) == node.name for cls in self._classes(node)
            )
        if isinstance(node, tree.Call) and not node.args:
            name = last_name(node.func)
            return any(one.kind is SourceKind.CALL and one.name == name for one in scope.sources)
        function, parameter = self._parameter_at(node)
        if function is not None:
            return self.parameter(function, scope) is parameter
        *_, given = named_by(self.domain.names, node) if isinstance(node, tree.Name) else (node,)
        if isinstance(given, tree.Name):
            function, parameter = self._parameter_at(given)
            held = self.parameter(function, scope) if function is not None else None
            return names_scope(given.id, scope) or (held is not None and held is parameter)
        plain = isinstance(given, tree.Attr) or (isinstance(given, tree.Call) and not given.args)
        return given is not node and plain and self.is_value(given, scope)

    def is_of_tests(self, node: tree.Node, scope: ScopePolicy) -> bool:
        """Whether an expression is what policy's source for tests gives: `test_tenant()`."""
        source = scope.test_source
        if source is None or source.kind is not SourceKind.CALL or not isinstance(node, tree.Call):
            return False
        return not node.args and last_name(node.func) == source.name

    def by_policy(self, node: tree.Node) -> ScopePolicy | None:
        """The one scope of which a call, or a local that is given it, asks a source of policy's, in tests or elsewhere:
        `test_tenant()`, `tenant_of(request)`."""
        *_, call = named_by(self.domain.names, node)
        if not isinstance(call, tree.Call) or not isinstance(call.func, tree.Name | tree.Attr):
            return None
        found = [
            scope
            for scope in self.domain.policy.scopes
            if any(self._asks(call, spec) for spec in (*scope.sources, scope.test_source) if spec)
        ]
        return found[0] if len(found) == 1 else None

    def _asks(self, call: tree.Call, spec: SourceSpec) -> bool:
        """Whether a call asks a source, of the value that policy says or of another one of that kind."""
        if spec.kind is not SourceKind.CALL or last_name(call.func) != spec.name.split(".")[-1]:
            return False
        plain = all(said.isidentifier() for said in spec.arguments) and not any(
            one.star or one.keyword or isinstance(one.value, tree.Const) for one in call.args
        )
        if not plain or len(call.args) != len(spec.arguments):
            return False
        named = self.domain.classes.dotted(call.func)
        if isinstance(named, str):
            return named == spec.dotted
        source = self.domain.names.definition(spec.dotted)
        return source is not None and named.definition is source

    def has_value(self, node: tree.Node) -> bool:
        """Whether the value of any scope is in an expression."""
        scopes = self.domain.policy.scopes
        return any(self.is_value(one, scope) for one in within(node) for scope in scopes)

    def _all(self) -> dict[Holder, tree.Parameter | None]:
        if self._found is None:
            self._found = {}
            self._find()
        return self._found

    def _find(self) -> None:
        for scope in self.domain.policy.scopes:
            for module in self.domain.names.modules.values():
                for function in module.functions:
                    named = self.domain.named_parameter(function, scope)
                    if named is not None:
                        self._queue.append((function, scope, named))
        for site in self.domain.keys.sites:
            pieces = site.template.pieces
            for segment in self.domain.templates.segments(pieces):
                piece = pieces[segment.piece]
                if segment.tagged and not segment.literal and isinstance(piece, Filled):
                    self._note(piece.value, segment.scope)
                    if isinstance(piece.value, tree.Attr):
                        self._note_attribute(piece.value, segment.scope)
        self._spread()
        self._given_attributes()
        self._spread()

    def _given_attributes(self) -> None:
        """The parameters for which all calls give an attribute of the same name that holds a scope's value:
        `docs.save(ctx.env, …)` to `def save(self, env, …)`."""
        names = {name for name in self._attributes.values() if name}
        for module in self.domain.names.modules.values() if names else ():
            for function in module.functions if not module.is_test else ():
                for parameter in function.own_params:
                    if parameter.name in names:
                        self._by_calls(function, parameter)

    def _by_calls(self, function: Function, parameter: tree.Parameter) -> None:
        module_of, given = self.domain.names.module_of, self.domain.calls.arguments_for
        values = [
            argument.value
            for _, argument in given(function, parameter.name)
            if not module_of(argument.value).is_test
        ]
        for scope in self.domain.policy.scopes if values else ():
            if all(
                isinstance(value, tree.Attr)
                and value.name == parameter.name
                and any(self.attribute(cls, scope) == value.name for cls in self._classes(value))
                for value in values
            ):
                self._add(function, scope.name, parameter)

    def adopt(self, function: Function, scope: ScopePolicy, parameter: tree.Parameter) -> None:
        """Note that all calls of a function give the scope's value for a parameter."""
        self._all()
        self._add(function, scope.name, parameter)
        self._spread()

    def adopt_attribute(self, cls: Class, scope: ScopePolicy, name: str) -> None:
        """Note that all that is made of a class is given the scope's value for a field."""
        self._all()
        self._attributes.setdefault((cls, scope.name), name)

    def _spread(self) -> None:
        """Note what is known by the parameters that are known newly."""
        while self._queue:
            function, scope, parameter = self._queue.pop()
            self._kin(function, scope, parameter)
            others = {p.name for p in function.params if p is not parameter}
            for _, argument in list(self.domain.calls.arguments_for(function, parameter.name)):
                self._note(argument.value, scope.name, others)
                value = argument.value
                if isinstance(value, tree.Attr) and (
                    value.name == parameter.name
                    or names_scope(value.name, scope)
                    or self._makes_key(value)
                ):
                    self._note_attribute(value, scope.name)

    def _makes_key(self, node: tree.Attr) -> bool:
        """Whether `self.env` is given to what makes a key where the object itself is asked for its own."""
        function = self.domain.names.function_of(node)
        if function is None or function.owner is None or not function.takes_self:
            return False
        own = isinstance(node.base, tree.Name) and node.base.id == function.params[0].name
        return own and self.domain.policy.is_key_name(function.name)

    def _note(self, node: tree.Node, name: str, others: Collection[str] = ()) -> None:
        """A value that fills a scope's tag, or goes to the parameter of a scope."""
        function, parameter = self._parameter_at(node)
        if function is None or parameter is None or parameter.name in others:
            return  # the callee means something else by that name
        self._add(function, name, parameter)

    def _classes(self, node: tree.Attr) -> list[Class]:
        types = self.domain.inference.of(node.base)
        found = classes_of(types)
        return sorted(found, key=lambda c: c.symbol)

    def _note_attribute(self, node: tree.Attr, name: str) -> None:
        """An attribute that fills a scope's tag: what its constructor is given for it is the scope's."""
        policy, classes = self.domain.policy, self.domain.classes
        scope = next(s for s in policy.scopes if s.name == name)
        plain = node.name.lstrip("_") == scope.parameter
        if plain or names_any_of(node.name, policy.others(scope)):
            return
        for cls in self._classes(node):
            homes = [c for c in classes.mro(cls) if node.name in (*c.stores, *c.scope.bindings)]
            if not homes or any(node.name in c.methods for c in homes):
                continue
            if self._is_of_type(cls, scope):
                continue  # it is the value itself
            if self._attributes.setdefault((homes[0], name), node.name) != node.name:
                self._attributes[homes[0], name] = ""  # one of them, and nobody can tell which
            for store in homes[0].stores.get(node.name, ()):
                if store.function.name == "__init__" and store.value is not None:
                    self._note(store.value, name)
            params = classes.constructor(homes[0]) or ()
            others = {p.name for p in params if p.name != node.name}
            for _, given in self.domain.calls.given_to(homes[0]):
                if node.name in given:
                    self._note(given[node.name].value, name, others)

    def _is_of_type(self, cls: Class, scope: ScopePolicy) -> bool:
        """Whether instances of a class are values of a scope, and nothing that has one: policy says so, or it is called
        like the scope and made of one thing, `TenantId(value)`."""
        if scope.type is not None and scope.type.name == cls.name:
            return self.domain.names.definition(scope.type.dotted) is cls
        made_of = self.domain.classes.constructor(cls) or ()
        return len(made_of) == 1 and snake(cls.name) == scope.parameter

    def _parameter_at(
        self, node: tree.Node
    ) -> tuple[Function, tree.Parameter] | tuple[None, None]:
        """The parameter that an expression is, as it was given, and its function."""
        if isinstance(node, tree.Call) and len(node.args) == 1 and last_name(node.func) == "str":
            node = node.args[0].value
        if not isinstance(node, tree.Name):
            return None, None
        bindings = self.domain.names.bindings_of(node)
        parameter = bindings[0].parameter if len(bindings) == 1 else None
        function = bindings[0].function if bindings else None
        if parameter is None or function is None or function.parameter(node.id) is not parameter:
            return None, None
        return function, parameter

    def _add(self, function: Function, name: str, parameter: tree.Parameter) -> None:
        assert self._found is not None
        scope = next(s for s in self.domain.policy.scopes if s.name == name)
        if self.domain.named_parameter(function, scope) is not None:
            return
        if parameter not in function.own_params or self.domain.is_object(function, parameter):
            return
        if names_any_of(parameter.name, self.domain.policy.scopes):
            return  # it is swapped
        key = (function, name)
        if key not in self._found:
            self._found[key] = parameter
            for stub in self.domain.names.declared(function):
                self._found[stub, name] = stub.parameter(parameter.name)
            self._queue.append((function, scope, parameter))
        elif self._found[key] is not parameter:
            self._found[key] = None

    def _kin(self, function: Function, scope: ScopePolicy, parameter: tree.Parameter) -> None:
        """The other members of the family have the value where this one has it."""
        own = _positional(function)
        if function.owner is None or parameter not in own or function.name.startswith("__"):
            return
        at, known = own.index(parameter), {p.name for p in function.own_params}
        for member in sorted(self.domain.calls.families.of(function), key=lambda f: f.symbol):
            other = _positional(member)
            if member is function or _required(other) != _required(own) or at >= len(other):
                continue
            if other[at].name == parameter.name or other[at].name not in known:
                self._add(member, scope.name, other[at])


def _positional(function: Function) -> list[tree.Parameter]:
    return [p for p in function.own_params if p.by_position]


def _required(params: list[tree.Parameter]) -> int:
    return sum(p.default is None for p in params)
