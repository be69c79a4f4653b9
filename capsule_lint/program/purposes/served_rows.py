"""The sort keys of the rows that classes serve: what they are told, what they have by themselves, and who makes the same
key beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import owner_of
from capsule_lint.program.places.beside import Beside
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.purposes.domain import Domain
    from capsule_lint.program.texts.pieces import Template


@dataclass(eq=False, slots=True)
class ServedRows:
    """Knows them."""

    domain: Domain
    _makers: dict[Function, dict[str, set[Class]]] = field(default_factory=dict)

    def told(self, owner: Class) -> Iterator[Template]:
        """The sort keys that the methods of a class are told, or take where they are told none:
        `PROJECT#{project_id}` of `TenantDB(…).get(sk)`, `META` of `get(self, sk="META")`."""
        domain = self.domain
        for method in owner.methods.values():
            told = [p for p in method.own_params if domain.policy.is_sort_key_name(p.name)]
            for call, callee in domain.calls.callers(method) if told else ():
                is_test = domain.names.module_of(call).is_test
                bound = None if is_test else callee.bind(call)
                for param in told if bound is not None else ():
                    argument = bound.arguments.get(param.name) if bound is not None else None
                    value = argument.value if argument is not None else param.default
                    if value is not None:
                        yield from domain.keys.templates.resolve(value)

    def own(self, owner: Class) -> Iterator[Template]:
        """The sort keys that the methods of a class write out in their items: `{"PK": self.pk, "SK": "META"}`."""
        keys = self.domain.keys
        for method in owner.methods.values():
            for node in self.domain.names.inside(method):
                for name, value in node.entries if isinstance(node, tree.DictDisplay) else ():
                    made = (
                        keys.templates.resolve(value) if keys.policy.is_sort_key_name(name) else ()
                    )
                    yield from (
                        one for one in made if any(isinstance(p, Text) for p in one.pieces)
                    )

    def makers(self, function: Function) -> Mapping[str, set[Class]]:
        """The classes that have a key helper make the key beside a sort key, by what that is."""
        if function not in self._makers:
            made = self._makers[function] = {}
            for call, _ in self.domain.calls.callers(function):
                owner = owner_of(self.domain.names.function_of(call))
                if owner is not None and not owner.module.is_test:
                    for one in Beside(self.domain.keys).sort_keys(call):
                        made.setdefault(one.text, set()).add(owner)
        return self._makers[function]
