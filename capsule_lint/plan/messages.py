"""What a function gets that others keep as a value: nobody can give it a parameter, so its message carries the scope."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.types import FunctionObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Want
    from capsule_lint.program.model import Class, Function

_PLAIN: Final = frozenset(
    ("abstractmethod", "classmethod", "override", "overload", "property", "staticmethod")
)


@dataclass(eq=False)
class Messages:
    """Gives the classes of messages the scope, where handlers of theirs need it."""

    planner: Planner

    def extend(self, want: Want, function: Function) -> bool:
        """`self.orders.get(command.tenant_id, …)` in a handler that stands in a table: the class of
        `command` gets the other scope too."""
        found = list(self._messages(want, function))
        if len(found) != 1 or not self._is_kept(function):
            return False
        if self.planner.program.domain.enters(function):
            return False
        cls, like = found[0]
        self.planner.gains.gain_field(cls, want.scope, want.knot, like=like)
        return self.planner.values.value(want) is not None

    def _messages(self, want: Want, function: Function) -> Iterator[tuple[Class, str]]:
        """The parameters that carry another scope: their class, and the attribute that has it."""
        program, sources = self.planner.program, self.planner.sources
        for parameter in function.own_params:
            types = program.inference.bound(function.scope.bindings[parameter.name][0])
            cls = program.inference.the_class(types, present=True)
            if cls is None or not program.classes.is_data(cls):
                continue
            if program.classes.is_typed_dict(cls):
                continue  # dicts that are written out make it, and nobody knows all of them
            if cls in program.domain.repositories or not self.planner.gains.can_gain_field(cls):
                continue
            for scope in program.policy.scopes:
                like = (
                    sources.holders.attribute_of(cls, scope) if scope is not want.scope else None
                )
                if like is not None:
                    yield cls, like
                    break

    def _is_kept(self, function: Function) -> bool:
        """Whether a function is used as a value, or decorated by what may keep it."""
        if function.decorators - _PLAIN:
            return True
        return any(
            isinstance(one, FunctionObject) and one.function is function
            for node in self._values[function.name]
            for one in self.planner.program.inference.of(node)
        )

    @cached_property
    def _values(self) -> dict[str, list[tree.Node]]:
        """The names and attributes that are not called where they stand, tests aside, by their last name."""
        found: dict[str, list[tree.Node]] = defaultdict(list)
        names = self.planner.program.names
        for module in names.modules.values():
            if module.is_test:
                continue
            for node in module.either(tree.Name, tree.Attr):
                parent = names.parent(node)
                if not (isinstance(parent, tree.Call) and parent.func is node):
                    name = node.id if isinstance(node, tree.Name) else node.name
                    found[name].append(node)
        return found
