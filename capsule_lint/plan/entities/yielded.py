"""Fields that an object yields one after the other, `yield "title", self.title`, for `dict(note)`: what it gains as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddStatement
from capsule_lint.plan.room import MendRoom

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class


class Yielded(MendRoom, Struct, frozen=True):
    """Mends what classes yield that gain a field."""

    mends: Mends

    def gain(self, cls: Class, scopes: list[Scope]) -> None:
        """Yield the new fields beside those of other scopes, or in front of all."""
        pairs = pairs_of(cls)
        for scope in self.mends.policy_order(scopes) if pairs else ():
            name = self.state.attributes[cls, scope.parameter]
            if name in pairs:
                continue
            at, behind = next(iter(pairs.values())), 0
            for other, place in reversed(self.program.policy.beside(scope)):
                for said in pairs:
                    if self.program.domain.held.is_attribute(cls, said, other):
                        at, behind = pairs[said], place
            code = f'yield "{name}", self.{name}'
            mend = AddStatement(cls.module.filename, at.span, "CAP301", code, not behind)
            self.mends.add(("class", cls), mend)


def pairs_of(cls: Class) -> dict[str, tree.Statement]:
    """The fields that the objects of a class yield with their names, and where."""
    method = cls.methods.get("__iter__")
    found: dict[str, tree.Statement] = {}
    for statement in method.fact.body if method is not None else ():
        match statement:
            case tree.Eval(
                values=(
                    tree.Wrapped(
                        kind="yield",
                        value=tree.Sequence(
                            items=(
                                tree.Const(value=str() as name),
                                tree.Attr(name=attribute, base=tree.Name(id="self")),
                            )
                        ),
                    ),
                )
            ) if name == attribute:
                found[name] = statement
    return found
