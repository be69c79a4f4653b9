"""Functions and methods that say whose a row is, `belongs(row, tenant_id)` and `row.belongs_to(tenant_id)`, where a
repository asks them: what they compare is one of its filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import Class, Function, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program


class RowPredicates(Struct, frozen=True):
    """Finds who asks them."""

    program: Program

    def asked_by(self, function: Function, asked: tree.Node) -> list[Class]:
        """The repositories that ask a function which only compares something with what it is told: what is `asked` for."""
        if not isinstance(asked, tree.Name) or function.parameter(asked.id) is None:
            return []
        return list(self._asking(function, asked.id)) if self.may_be(function) else []

    def may_be(self, function: Function) -> bool:
        """Whether a function does nothing but give what it is asked."""
        body = function.fact.body[function.fact.doc :]
        return not function.module.is_test and len(body) == len(function.returns) == 1

    def _asking(self, function: Function, name: str) -> Iterator[Class]:
        names, repositories = self.program.names, self.program.domain.repositories
        with names.aside():  # who gives a scope names it
            calls = [call for call, _ in self.program.calls.arguments_for(function, name)]
        for call in calls:
            owner = owner_of(names.function_of(call))
            if owner is not None and owner in repositories and not owner.module.is_test:
                yield owner
