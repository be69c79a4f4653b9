"""Fields that a class gains by itself, though what stands beside them is one of its bases': where an heir of the same base
is narrower by policy, `Row(tenant_id, created)` cannot gain it. It comes behind all that is inherited, also where the class
says the field beside it anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.fields import Field
    from capsule_lint.program.model import Class

_ATTRS: Final = frozenset(("define", "frozen", "mutable", "attrs", "s"))


def place_behind(
    program: Program, cls: Class, scope: Scope, names: Sequence[str | None]
) -> int | None:
    """Before which of some fields, the class's own or an heir's, one comes that a class gains by itself; `None` where it
    alone keeps another scope, beside which that comes, and where no field has a place."""
    bases, anew = _inherited(program, cls, scope), _said_anew(program, cls, scope)
    fields = [f for f in program.classes.fields(cls) if f.owner is cls]
    if anew is not None:
        fields = [f for f in fields if f.statement.at > anew.statement.at]
    own = {f.name for f in fields} - bases
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
    bases, anew = _inherited(program, cls, scope), _said_anew(program, cls, scope)
    if anew is not None and anew.has_default:
        return None  # and it has one as well
    params = program.classes.constructor(cls) or ()
    behind = [p for p in params if p.name in bases] if not is_by_keyword(program, cls) else []
    if any(p.default is not None and p.by_position for p in behind):
        return "inherits fields with defaults"
    if anew is None and not all(p.by_position for p in behind):
        return "inherits fields that are given by keyword alone"
    heir = _defaulting(program, cls, scope) if not is_by_keyword(program, cls) else None
    return f"has fields that `{heir.name}` gives defaults" if heir is not None else None


def _defaulting(program: Program, cls: Class, scope: Scope) -> Class | None:
    """The heir that gives fields defaults behind which one without comes that a class gains: none can be made so."""
    classes, held = program.classes, program.domain.held.is_attribute
    for other, step in program.policy.beside(scope):
        near = next((f for f in classes.fields(cls) if held(cls, f.name, other)), None)
        for heir in classes.subclasses(cls) if near is not None and not near.has_default else ():
            params = classes.constructor(heir) or ()
            at = [
                n + step for n, p in enumerate(params) if near is not None and p.name == near.name
            ]
            if any(p.default is not None and p.by_position for p in params[: at[0] if at else 0]):
                return heir
    return None


def _said_anew(program: Program, cls: Class, scope: Scope) -> Field | None:
    """The field beside it that a class says itself, as a base does."""
    held, beside, own = (
        program.domain.held.is_attribute,
        program.policy.beside(scope),
        _anew(program, cls),
    )
    return next((f for other, _ in beside for f in own if held(cls, f.name, other)), None)


def _anew(program: Program, cls: Class) -> list[Field]:
    """The fields that a class says as a base does, where they stay in the places that these have."""
    classes = program.classes
    if not _ATTRS.isdisjoint(cls.decorators):
        return []  # they come behind all others
    bases = {f.name for b in classes.mro(cls)[1:] if classes.is_data(b) for f in classes.fields(b)}
    return [f for f in classes.fields(cls) if f.owner is cls and f.name in bases]


def _inherited(program: Program, cls: Class, scope: Scope) -> frozenset[str]:
    classes, held = program.classes, program.domain.held.is_attribute
    if not classes.is_data(cls) or classes.is_pynamo(cls):
        return frozenset()
    bases = frozenset(f.name for base in classes.mro(cls)[1:] for f in classes.fields(base))
    anew = _anew(program, cls)
    own = [f.name for f in classes.fields(cls) if f.owner is cls and f not in anew]
    if any(held(cls, name, other) for name in own for other, _ in program.policy.beside(scope)):
        return frozenset()
    return bases
