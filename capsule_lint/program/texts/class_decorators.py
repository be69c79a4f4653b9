"""Texts that decorators of the program put on classes: `@entity(pk="TENANT#{tenant_id}")`, which sets `cls.pk_template`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import named_setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.names import Names


@dataclass(eq=False, slots=True)
class ClassDecorators:
    """Finds what the attributes are that classes get so."""

    names: Names
    calls: Calls
    owners: dict[int, Class] = field(default_factory=dict)
    """The classes that have been found to have a text so, by these."""
    _sets: dict[Function, dict[str, str]] = field(default_factory=dict)

    def values(self, cls: Class, name: str) -> Iterator[tree.Node]:
        """What a decorator of a class sets an attribute of it to."""
        for decorator in cls.fact.decorators:
            for callee in (
                self.calls.callees(decorator) if isinstance(decorator, tree.Call) else ()
            ):
                function = callee.function if callee.cls is None else None
                told = self._attributes(function).get(name) if function is not None else None
                if function is None or told is None or not isinstance(decorator, tree.Call):
                    continue
                argument = callee.arguments(decorator).get(told)
                parameter = function.parameter(told)
                value = argument.value if argument is not None else None
                if value is None and parameter is not None:
                    value = parameter.default
                if value is not None:
                    self.owners[id(value)] = cls
                    yield value

    def _attributes(self, function: Function) -> dict[str, str]:
        """The attributes that a function has the function that it gives back set of its first argument, and the
        parameters that these are set to: `cls.pk_template = pk`."""
        if function not in self._sets:
            found = self._sets[function] = {}
            for statement, place in function.module.statements:
                inner = place.scope.function
                if inner is None or inner.parent is not function or not inner.params:
                    continue
                match _set(statement):
                    case tree.Name(id=base), name, tree.Name(id=given) if (
                        base == inner.params[0].name and function.parameter(given) is not None
                    ):
                        found[name] = given
        return self._sets[function]


def _set(statement: tree.Stmt) -> tuple[tree.Node, str, tree.Node | None] | None:
    """What has an attribute set by a statement, which one, and to what: `cls.pk = pk`, `setattr(cls, "pk", pk)`."""
    match statement:
        case tree.Assign(targets=(tree.Attr() as target,)):
            return target.base, target.name, statement.value
        case tree.Eval(kind="expr", values=(tree.Call() as call,)):
            return named_setting(call)
        case _:
            return None
