"""Objects that are given their key, and beside it whose they are: `Revision(pk=article_pk(tenant_id, slug),
tenant_id=tenant_id)`. With a new segment in the key comes the field of its scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from capsule_lint.plan.room import Room
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.facts import tree
    from capsule_lint.plan.planner import Planner
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class


class Keyed(Room, Struct, frozen=True):
    """Finds their classes."""

    planner: Planner
    lacking: set[Class] = field(default_factory=set)
    """Those that lack a field."""

    def find(self) -> None:
        """Demand the fields that the classes lack."""
        program, gains = self.program, self.planner.gains
        holders = self.planner.sources.holders
        for cls in self._classes() if self.planner.defects else ():
            like = next(filter(self._names_scope, self._fields(cls)), None)
            for key in list(self._keys(cls)):
                for defect in self.planner.items.changing(key):
                    for scope in defect.missing:
                        narrow = scope not in program.policy.scopes_of(cls.name)
                        if not narrow and holders.attribute_of(cls, scope) is None:
                            gains.gain_field(cls, scope, defect.knot, like=like)
                            self.lacking.add(cls)

    def _classes(self) -> list[Class]:
        """The classes whose instances have a key and a scope, and may be items."""
        program, is_key = self.program, self.program.policy.is_key_name
        return [
            cls
            for cls in program.classes.having(self._names_scope)
            if not cls.module.is_test
            and not cls.module.generated
            and any(map(is_key, self._fields(cls)))
            and any(map(self._names_scope, self._fields(cls)))
            and not program.classes.is_typed_dict(cls)
            and program.domain.is_item(cls)
            and self.planner.gains.can_gain_field(cls)
        ]

    def _fields(self, cls: Class) -> Iterator[str]:
        """What instances have, by the class and those above it."""
        for owner in self.program.classes.mro(cls):
            yield from (*owner.stores, *owner.scope.bindings)

    def _keys(self, cls: Class) -> Iterator[tree.Node]:
        """What is given as a key to instances that are given a scope as well."""
        program = self.program
        for _, arguments in program.calls.given_to(cls):
            if any(map(self._names_scope, arguments)):
                for name, argument in arguments.items():
                    if program.policy.is_key_name(name):
                        yield argument.value

    def _names_scope(self, name: str) -> bool:
        return names_any_of(name, self.program.policy.scopes)


def is_of_key_alone(program: Program, call: tree.Call, cls: Class) -> bool:
    """Whether a call makes a model of PynamoDB's for what its key finds, and does not say whose that is:
    `Visit(pk, "visit").update(actions=…)`, `batch.delete(Visit(pk, "visit"))`."""
    takes, scopes = program.domain.held.takes, program.policy.scopes
    return (
        program.classes.is_pynamo(cls)
        and bool(call.args)
        and not any(a.star for a in call.args)
        and not any(takes(cls, name, scope) for name, _ in call.keywords for scope in scopes)
    )
