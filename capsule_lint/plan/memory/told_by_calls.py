"""Parameters of helpers that make keys, and fields of keys, that hold a scope's value because that is what all
calls give: `cache_key("flag", tenant_id, name)` of `cache_key(kind, owner, name)`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function


@dataclass(eq=False, slots=True)
class ToldByCalls:
    """Finds them, and has them known."""

    program: Program
    _seen: set[int] = field(default_factory=set)

    def parameters(self, elements: Iterable[tree.Node], helper: Function) -> None:
        """Those of a helper that are elements of a key."""
        named = {one.id for one in elements if isinstance(one, tree.Name)}
        domain = self.program.domain
        for parameter in helper.own_params:
            if parameter.name not in named or id(parameter) in self._seen:
                continue
            self._seen.add(id(parameter))
            with self.program.names.aside():  # who gives a scope names it
                given = list(self.program.calls.arguments_for(helper, parameter.name))
            values = [argument.value for call, argument in given if not self._is_tested(call)]
            for scope in self.program.policy.scopes if values else ():
                if domain.scope_parameter(helper, scope) is None and all(
                    domain.held.is_value(value, scope) for value in values
                ):
                    domain.held.adopt(helper, scope, parameter)

    def fields(self, cls: Class) -> None:
        """Those of a class whose instances are keys."""
        if id(cls) in self._seen:
            return
        self._seen.add(id(cls))
        held = self.program.domain.held
        with self.program.names.aside():
            made = list(self.program.calls.given_to(cls))
        given = [arguments for call, arguments in made if not self._is_tested(call)]
        for parameter in self.program.classes.constructor(cls) or ():
            values = [arguments.get(parameter.name) for arguments in given]
            for scope in self.program.policy.scopes if values else ():
                if all(v is not None and held.is_value(v.value, scope) for v in values):
                    held.adopt_attribute(cls, scope, parameter.name)

    def _is_tested(self, call: tree.Call) -> bool:
        return self.program.names.module_of(call).is_test
