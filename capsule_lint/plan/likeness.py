"""Methods that may stand in for changing ones, though nothing in the program shows that they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.plan.strings import Symbol
    from capsule_lint.program import Program


def fitting(program: Program, definition: Symbol, symbols: Iterable[Symbol]) -> Function | None:
    """A changing method that another one may be meant by, or may stand in for: one of the two is a
    Protocol's, the other's class has all that it demands, and both take the same parameters."""
    if not isinstance(definition, Function) or definition.owner is None:
        return None
    own, scopes = definition.owner, program.policy.scopes
    demands = program.classes.is_protocol(own)
    scoped = any(program.domain.scope_parameter(definition, scope) for scope in scopes)
    if program.calls.family(definition) != {definition} or (demands and not scoped):
        return None
    taken = [parameter.name for parameter in definition.own_params]
    for symbol in symbols:
        if not isinstance(symbol, Function) or symbol.owner is None:
            continue
        pair = (symbol.owner, own) if demands else (own, symbol.owner)
        same = [parameter.name for parameter in symbol.own_params] == taken
        if same and program.classes.fits(*pair):
            return symbol
    return None
