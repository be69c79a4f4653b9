"""What initializers, and other methods, set a field to that a class gains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddStatement
from capsule_lint.plan.code import renamed_code, text_of
from capsule_lint.plan.docstrings import with_text
from capsule_lint.plan.entities.setters import setters
from capsule_lint.plan.entities.told_later import asserted, begins_empty
from capsule_lint.plan.room import MendRoom

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function, Store

    _Neighbour: TypeAlias = tuple[Store, Scope, bool]
    """Where another scope's attribute is set, which one's, and whether that comes after."""


@dataclass(eq=False, slots=True)
class StoredFields(MendRoom):
    """Builds the mends."""

    mends: Mends

    def store(self, cls: Class, initializer: Function, scope: Scope) -> None:
        """Have an initializer set the new field: beside another scope's, or else before all that it does."""
        found = self.beside(cls, initializer, scope)
        if found is not None and any(found[0].statement is s for s in initializer.fact.straight):
            self._store_beside(cls, initializer, scope, found)
        else:
            self._store_first(cls, initializer, scope, found)

    def _store_beside(
        self, cls: Class, initializer: Function, scope: Scope, found: _Neighbour
    ) -> None:
        """Set it as the other scope's is set, before or behind that."""
        knot: Knot = ("class", cls)
        store, other, before = found
        empty = begins_empty(self.program, initializer, other) is store
        value = self._stored_value(store.value, other, scope, initializer)
        if empty and store.value is not None:
            value = self.mends.source(cls.module, store.value.span)
        if value is None:
            node = store.value or store.statement.targets[0]
            reason = f"nothing in `__init__` yields `{scope.parameter}`"
            self.mends.obstacle(knot, node, reason)
            return
        target = self._target(cls, initializer, scope)
        if store.annotation is not None:
            if empty:  # it says that there may be nothing
                told = self.mends.source(cls.module, store.annotation.span)
                said: str | None = renamed_code(told, other, scope)
            else:
                said = self.mends.annotation(knot, cls.module, scope, store.annotation)
            target += f": {said}" if said else ""
        at = store.statement if before else with_text(initializer.fact.body, store.statement)
        line, filename = f"{target} = {value}", cls.module.filename
        self.mends.add(knot, AddStatement(filename, at.span, "CAP301", line, before))

    def _store_first(
        self, cls: Class, initializer: Function, scope: Scope, found: _Neighbour | None
    ) -> None:
        """Set it first of all; where the other scope's is found, it may be set or not, and a person has to look."""
        knot: Knot = ("class", cls)
        own = self._own_parameter(initializer, scope)
        body = initializer.fact.body[initializer.fact.doc :]
        if own is None and found is not None:  # set in a branch, from something that may be there
            node = found[0].value or found[0].statement.targets[0]
            self.mends.obstacle(knot, node, f"`{scope.parameter}` would be set on one path alone")
        if body:
            line = f"{self._target(cls, initializer, scope)} = {own or scope.parameter}"
            before, filename = not _hands_up(body[0]), cls.module.filename
            self.mends.add(knot, AddStatement(filename, body[0].span, "CAP301", line, before))

    def _target(self, cls: Class, initializer: Function, scope: Scope) -> str:
        """The new field of the object that is made: `self.capsule_id`."""
        return f"{initializer.params[0].name}.{self.state.attributes[cls, scope.parameter]}"

    def set_by_others(self, cls: Class, scope: Scope) -> None:
        """Have methods that are given both scopes set the new field beside the other one, and others assert that as well
        which assert that they were."""
        attribute, other = (
            self.state.attributes[cls, scope.parameter],
            self.planner.gains.neighbour(scope),
        )
        given = setters(self.program, cls, other)
        for store in given:
            own = self._own_parameter(store.function, scope)
            line = f"{store.function.params[0].name}.{attribute} = {own}"
            at, filename = store.statement.span, store.function.module.filename
            before = (other, 0) in self.program.policy.beside(scope)
            self.mends.add(("class", cls), AddStatement(filename, at, "CAP301", line, before))
        for name in [n for n in cls.stores if given and self._is(cls, n, other)]:
            for method, statement in asserted(cls, name):
                line, at = f"assert {method.self_name}.{attribute} is not None", statement.span
                mend = AddStatement(method.module.filename, at, "CAP301", line)
                self.mends.add(("class", cls), mend)

    def hand_up(self, cls: Class, initializer: Function, scope: Scope) -> None:
        """`super().__init__(tenant_id=tenant_id)`, which sets the fields, names the new one as well."""
        knot: Knot = ("class", cls)
        own, calls = self._own_parameter(initializer, scope), self.program.calls
        for call in calls.handed_up(initializer) if own is not None else ():
            at = next(
                (
                    number + step
                    for other, step in self.program.policy.beside(scope)
                    for number, argument in enumerate(call.args)
                    if argument.keyword and self._is(cls, argument.keyword, other)
                ),
                None,
            )
            attribute = self.state.attributes[cls, scope.parameter]
            if at is None:
                self.mends.obstacle(knot, call, f"`{attribute}` cannot be placed in it")
            else:
                filename = cls.module.filename
                mend = AddArgument(filename, call.span, "CAP301", own or "", attribute, at)
                self.mends.add(knot, mend)

    def beside(self, cls: Class, initializer: Function, scope: Scope) -> _Neighbour | None:
        """Where the initializer sets another scope's attribute, which one's, and whether that comes after."""
        for other, step in self.program.policy.beside(scope):
            for name, stores in cls.stores.items():
                for store in stores:
                    if store.function is initializer and self._is(cls, name, other):
                        if not store.path:
                            return store, other, not step
                        break
        return None

    def _own_parameter(self, function: Function, scope: Scope) -> str | None:
        """The parameter by which a function takes a scope, or will."""
        if self.state.gains(function, scope):
            return scope.parameter
        own = self.program.domain.scope_parameter(function, scope)
        return own.name if own is not None else None

    def _stored_value(
        self, value: tree.Node | None, old: Scope, new: Scope, initializer: Function
    ) -> str | None:
        own = self._own_parameter(initializer, new)
        if value is None or isinstance(value, tree.Name):
            return own
        text = text_of(value)
        taken = self.program.domain.scope_parameter(initializer, old)
        if text is not None and taken is not None and own is not None:
            match value:  # `str(tenant_id)`, and what else is made of the parameter
                case tree.Call(func=tree.Name(id=func), args=(tree.Argument(value=given),)):
                    same = renamed_code(func, old, new)
                    known = new.type.name if new.type is not None else func
                    if isinstance(given, tree.Name) and given.id == taken.name:
                        return f"{same}({own})" if same in (func, known) else own
        if not self.state.gains(initializer, new):
            found = self.planner.gains.mirrored(value, new, ("function", initializer))
            if found is not None:
                return found.code
            if self.planner.gains.reads_keywords(initializer, value) and text is not None:
                return renamed_code(text, old, new)
        return own

    def _is(self, cls: Class, name: str, scope: Scope) -> bool:
        return self.program.domain.held.is_attribute(cls, name, scope)


def _hands_up(statement: tree.Statement) -> bool:
    """Whether a statement is `super().__init__(…)`, or the like."""
    match statement:
        case tree.Eval(values=(tree.Call(func=func), *_)):
            return "super" in (text_of(func) or "")
        case _:
            return False
