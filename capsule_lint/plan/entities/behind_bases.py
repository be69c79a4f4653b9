"""Fields that a class gains by itself, though what stands beside them is one of its bases': where an heir of the same base
is narrower by policy, `Row(tenant_id, created)` cannot gain it. It comes behind all that is inherited."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class


def inherited(program: Program, cls: Class, scope: Scope) -> frozenset[str]:
    """The fields behind which a class gets one for a scope; none where it keeps another scope itself, beside which
    that comes, and where no field has a place."""
    classes, held = program.classes, program.domain.held.is_attribute
    if not classes.is_data(cls) or classes.is_pynamo(cls):
        return frozenset()
    own = [field.name for field in classes.fields(cls) if field.owner is cls]
    if any(held(cls, name, other) for name in own for other, _ in program.policy.beside(scope)):
        return frozenset()
    return frozenset(f.name for base in classes.mro(cls)[1:] for f in classes.fields(base))


def is_behind_defaults(program: Program, cls: Class, scope: Scope) -> bool:
    """Whether one of these fields has a default, so that no class can be made with one behind it that has none."""
    bases = inherited(program, cls, scope)
    params = program.classes.constructor(cls) or ()
    return any(p.default is not None and p.by_position and p.name in bases for p in params)
