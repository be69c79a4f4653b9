"""Fields that a class gains by itself, though what stands beside them is one of its bases': where an heir of the same base
is narrower by policy, `Row(tenant_id, created)` cannot gain it. It comes behind all that is inherited."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class


def place_behind(
    program: Program, cls: Class, scope: Scope, names: Sequence[str | None]
) -> int | None:
    """Before which of some fields, the class's own or an heir's, one comes that a class gains by itself; `None` where it
    keeps another scope itself, beside which that comes, and where no field has a place."""
    bases = _inherited(program, cls, scope)
    own = {f.name for f in program.classes.fields(cls) if f.owner is cls} - bases
    first = next((n for n, name in enumerate(names) if name in own), None) if bases else None
    behind = (n + 1 for n, name in enumerate(names) if name in bases)
    return first if first is not None else max(behind, default=None)


def is_by_keyword(program: Program, cls: Class) -> bool:
    """Whether constructors take a field by keyword alone that a class gains before its own."""
    own = next((f for f in program.classes.fields(cls) if f.owner is cls), None)
    return program.classes.by_keyword(cls, cls) or (own is not None and own.behind_sentinel)


def against(program: Program, cls: Class, scope: Scope) -> str | None:
    """What a person has to decide before a class gains such a field: none can be made with one that has no default behind
    one that has, and what is given by keyword alone has no place before it."""
    bases = _inherited(program, cls, scope)
    params = program.classes.constructor(cls) or ()
    behind = [p for p in params if p.name in bases] if not is_by_keyword(program, cls) else []
    if any(p.default is not None and p.by_position for p in behind):
        return "inherits fields with defaults"
    if not all(p.by_position for p in behind):
        return "inherits fields that are given by keyword alone"
    return None


def _inherited(program: Program, cls: Class, scope: Scope) -> frozenset[str]:
    classes, held = program.classes, program.domain.held.is_attribute
    if not classes.is_data(cls) or classes.is_pynamo(cls):
        return frozenset()
    bases = frozenset(f.name for base in classes.mro(cls)[1:] for f in classes.fields(base))
    own = [f.name for f in classes.fields(cls) if f.owner is cls]
    if any(held(cls, name, other) for name in own for other, _ in program.policy.beside(scope)):
        return frozenset()
    return bases
