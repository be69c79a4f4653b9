"""Methods that may stand in for changing ones, though nothing in the program shows that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Symbol


def fitting(program: Program, definition: Symbol, symbols: Iterable[Symbol]) -> Function | None:
    """A changing method that another one may be meant by, or may stand in for: one of the two is a
    Protocol's, the other's class has all that it demands, and both take the same parameters."""
    if not isinstance(definition, Function) or definition.owner is None:
        return None
    own = definition.owner
    demands = program.classes.is_protocol(own)
    others = program.calls.families.of(definition) - {definition}
    if any(not (demands and other.module.is_test) for other in others):
        return None  # a Protocol that only tests' fakes stand in for is somebody else's too
    if demands and not _is_of_tenants(program, definition, own):
        return None
    taken = [parameter.name for parameter in definition.own_params]
    for symbol in symbols:
        if not isinstance(symbol, Function) or symbol.owner is None:
            continue
        pair = (symbol.owner, own) if demands else (own, symbol.owner)
        same = [parameter.name for parameter in symbol.own_params] == taken
        if same and program.classes.fits(*pair) and not (demands and _is_taken(program, symbol)):
            return symbol
    return None


def _is_taken(program: Program, method: Function) -> bool:
    """Whether a method is known to stand in for that of a Protocol."""
    return any(
        other.owner is not None and program.classes.is_protocol(other.owner)
        for other in program.calls.families.of(method)
    )


def _is_of_tenants(program: Program, demanded: Function, protocol: Class) -> bool:
    """Whether a method of a Protocol takes an entity, or one of the Protocol's methods a scope."""
    types = [
        one
        for parameter in demanded.own_params
        if parameter.annotation is not None
        for one in program.inference.annotations.of(parameter.annotation)
    ]
    return any(
        isinstance(one, Instance) and program.domain.is_item(one.cls) for one in types
    ) or any(
        program.domain.scope_parameter(method, scope)
        for method in protocol.methods.values()
        for scope in program.policy.scopes
    )
