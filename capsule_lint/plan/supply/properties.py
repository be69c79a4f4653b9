"""Properties that only read a path of their object: `tenant_id` that returns `self.context.tenant_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.plan.code import text_of
from capsule_lint.program.model import enclosing

if TYPE_CHECKING:
    from capsule_lint.plan.supply.holders import Holders
    from capsule_lint.policy import SourceSpec
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Place


def own_property(
    program: Program, holders: Holders, spec: SourceSpec, code: str, place: Place
) -> str | None:
    """The property of the object around a place that reads what a source has of an attribute of it: `self.tenant_id` for
    the code `self.context.tenant_id`; `None` in that itself."""
    own, _, path = code.partition(".")
    owners = [(f, f.owner) for f in enclosing(place) if f.self_name == own and f.owner]
    scopes = [scope for scope in program.policy.scopes if spec in scope.sources]
    for function, cls in owners:
        for name in (holders.attribute_of(cls, scope) for scope in scopes):
            if name is not None and name != function.name and reads(program, cls, name, path):
                return f"{own}.{name}"
    return None


def reads(program: Program, cls: Class, name: str, path: str) -> bool:
    """Whether an attribute of a class is a property that only reads a path of its object: `scope.capsule_id`."""
    method = program.classes.method(cls, name)
    if method is None or not method.is_property or len(method.returns) != 1:
        return False
    return text_of(method.returns[0]) == f"{method.params[0].name}.{path}"
