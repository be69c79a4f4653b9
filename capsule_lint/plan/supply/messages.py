"""What a function gets that others keep as a value: nobody can give it a parameter, so its message carries the scope."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.inference.types import FunctionObject, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function

_PLAIN: Final = frozenset(
    ("abstractmethod", "classmethod", "override", "overload", "property", "staticmethod")
)


@dataclass(eq=False)
class Messages(Room):
    """Gives the classes of messages the scope, where what is told by them needs it."""

    planner: Planner

    def extend(self, want: Want, function: Function) -> bool:
        """`self.orders.get(command.tenant_id, …)` in a handler that stands in a table: the class of
        `command` gets the other scope too."""
        found = list(self._messages(want.scope, function))
        if len(found) != 1 or self.program.domain.enters(function):
            return False
        classes, like, name = found[0]
        if not self._is_kept(function) and not self._is_told_by(want, function, name, classes):
            return False
        for cls in classes:
            self.planner.gains.gain_field(cls, want.scope, want.knot, like=like)
        return self.planner.values.value(want) is not None

    def _is_told_by(
        self, want: Want, function: Function, name: str, classes: Sequence[Class]
    ) -> bool:
        """Whether the neighbour's value is that of a message, `query.tenant_id`, which the program itself
        makes wherever one is made: what has one scope has the other one too."""
        paths = [node for _, node in self.planner.values.beside(want)]
        told = any(
            isinstance(path, tree.Attr)
            and isinstance(path.base, tree.Name)
            and path.base.id == name
            and self.program.names.function_of(path) is function
            for path in paths
        )
        return told and self._are_made_here(classes)

    def _are_made_here(self, classes: Sequence[Class]) -> bool:
        """Whether the program makes instances of classes by their constructors, each with all that they have,
        and no request is turned into one."""
        domain, calls = self.program.domain, self.program.calls
        made = [call for cls in classes for call, _ in calls.constructors_of(cls)]
        module_of = self.program.names.module_of
        if all(module_of(call).is_test for call in made):
            return False
        if any(argument.star for call in made for argument in call.args):
            return False
        return not any(
            isinstance(one, Instance) and one.cls in classes
            for handler in domain.handlers
            for parameter in handler.own_params
            for one in domain.parameter_types(handler, parameter)
        )

    def tells(self, function: Function, scope: Scope) -> bool:
        """Whether the message of a function that is kept in a table or the like is to carry a scope, since
        who calls it gives it that alone."""
        found = list(self._messages(scope, function))
        return (
            len(found) == 1
            and self.program.domain.entities.isdisjoint(found[0][0])
            and self._is_value(function)
        )

    def _messages(
        self, scope: Scope, function: Function
    ) -> Iterator[tuple[tuple[Class, ...], str, str]]:
        """The parameters that carry another scope: their class, or those of which it is one, the attribute that
        has it, and their name."""
        inference = self.program.inference
        for parameter in function.own_params:
            types = inference.bound(function.scope.bindings[parameter.name][0])
            classes = sorted(inference.any_class(types, present=True), key=lambda c: c.symbol)
            lacking = tuple(cls for cls in classes if not self._has(cls, scope))
            likes = {self._like(cls, scope) for cls in lacking}
            like = likes.pop() if len(likes) == 1 else None
            if like is not None:
                yield lacking, like, parameter.name

    def _has(self, cls: Class, scope: Scope) -> bool:
        """Whether messages of a class carry a scope already."""
        holders = self.planner.sources.holders
        known = holders.attribute_of(cls, scope)
        return known == scope.parameter and holders.field_knot(cls, scope) is None

    def _like(self, cls: Class, scope: Scope) -> str | None:
        """The attribute by which messages of a class carry another scope, if they may carry this one as well."""
        program, holders = self.program, self.planner.sources.holders
        if not program.classes.is_data(cls) or program.classes.is_typed_dict(cls):
            return None  # dicts that are written out make it, and nobody knows all of them
        if cls in program.domain.repositories or not self.planner.gains.can_gain_field(cls):
            return None
        if holders.attribute_of(cls, scope) and holders.field_knot(cls, scope) is None:
            return None  # it has it by another name, and something else is in the way
        likes = (holders.attribute_of(cls, other) for other in program.policy.others(scope))
        return next(filter(None, likes), None)

    def _is_kept(self, function: Function) -> bool:
        """Whether a function is used as a value, or decorated by what may keep it."""
        return bool(function.decorators - _PLAIN) or self._is_value(function)

    def _is_value(self, function: Function) -> bool:
        """Whether a function is used as a value."""
        return any(
            isinstance(one, FunctionObject) and one.function is function
            for node in self._values[function.name]
            for one in self.program.inference.of(node)
        )

    @cached_property
    def _values(self) -> dict[str, list[tree.Node]]:
        """The names and attributes that are not called where they stand, tests aside, by their last name."""
        found: dict[str, list[tree.Node]] = defaultdict(list)
        names = self.program.names
        for module in names.modules.values():
            if module.is_test:
                continue
            for node in module.either(tree.Name, tree.Attr):
                parent = names.parent(node)
                if not (isinstance(parent, tree.Call) and parent.func is node):
                    name = node.id if isinstance(node, tree.Name) else node.name
                    found[name].append(node)
        return found
