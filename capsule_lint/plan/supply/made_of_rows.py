"""Entities that a call gets and that are made of a row, `save(Note(row["tenant_id"], …))`: the row may be another's than
the request, so whoever is told the scopes beside the entity is told those of the row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, text_of
from capsule_lint.plan.state import Value, Want
from capsule_lint.plan.supply.repeats import repeatable
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from capsule_lint.plan.supply.values import Values
    from capsule_lint.program.model import Class


def of_made(values: Values, want: Want) -> Value | None:
    """What an entity is told, or is going to be, of a row: there, or by the local that it is made in."""
    call, program, holders = want.call, values.program, values.planner.sources.holders
    if call is None or not isinstance(want.callee, Function) or want.purpose != "argument":
        return None
    if program.names.module_of(call).is_test:
        return None
    for argument in call.args:
        made = only_assigned(program.names, argument.value) or argument.value
        for callee in program.calls.callees(made) if isinstance(made, tree.Call) else ():
            if callee.cls is None or not isinstance(made, tree.Call):
                continue
            found = _told(values, want, made, callee.cls)
            if found is not None and isinstance(argument.value, tree.Name):
                attribute = holders.attribute_of(callee.cls, want.scope)
                knot = holders.field_knot(callee.cls, want.scope)
                return Value(f"{argument.value.id}.{attribute}", knot=knot) if attribute else None
            if found is not None:
                return found
    return None


def _told(values: Values, want: Want, made: tree.Call, cls: Class) -> Value | None:
    """What one entity is told, where a row says all scopes, and the call is told the same, or nothing, for others. What a
    handler makes it of is what the client sends, and no row."""
    attribute_of, program = values.planner.sources.holders.attribute_of, values.program
    function = program.names.function_of(made)
    if function is None or program.domain.enters(function):
        return None
    read, kept = dict[str, Value](), dict[str, tree.Node]()
    for scope in program.policy.scopes:
        attribute = attribute_of(cls, scope)
        own = program.classes.kept(cls, attribute, made.args) if attribute is not None else None
        if own is not None and item_key(own, scope) is not None and repeatable(own, program):
            kept[scope.name] = own
            read[scope.name] = Value(text_of(own) or "", kind="loaded")
        elif own is None and values.planner.gains.gaining(cls, scope) is not None:
            found = values.loaded(Want(scope, made, want.knot, "argument", made, cls))
            if found is None:
                return None
            read[scope.name] = found
        elif own is not None or attribute is not None:
            return None
    given = [(kept.get(scope.name), one) for scope, one in values.beside(want)]
    same = all(one is not None and text_of(one) == text_of(other) for one, other in given)
    return read.get(want.scope.name) if same else None
