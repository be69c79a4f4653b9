"""Entities that a call gets and that are made of a row, `save(Note(row["tenant_id"], …))`: the row may be another's than
the request, so whoever is told the scopes beside the entity is told those of the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, text_of
from capsule_lint.plan.state import Value, Want
from capsule_lint.plan.supply.repeats import repeatable
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Function, last_name, start_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.plan.supply.values import Values
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class

_SENT: Final = frozenset(("request", "req", "body"))
"""What a request and what it carries are called."""


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
    handler makes it of, or others of a request, is what the client sends, and no row."""
    attribute_of, program = values.planner.sources.holders.attribute_of, values.program
    function = program.names.function_of(made)
    if function is None or program.domain.enters(function):
        return None
    read, kept = dict[str, Value](), dict[str, tree.Node]()
    for scope in program.policy.scopes:
        attribute = attribute_of(cls, scope)
        own = program.classes.kept(cls, attribute, made.args) if attribute is not None else None
        if own is not None and _is_sent(program, own):
            return None
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


def _is_sent(program: Program, node: tree.Node) -> bool:
    """Whether something is read of a request: `request.json["tenant_id"]`, or `data["tenant_id"]` of
    `data = json.loads(event["body"])`."""
    start = start_of(node)
    made = only_assigned(program.names, start)
    return any(
        one.id in _SENT
        if isinstance(one, tree.Name)
        else isinstance(one, tree.Subscript)
        and tree.text(one.index) == "body"
        and "event" in last_name(one.base)
        for part in (node, made)
        if part is not None
        for one in within(part)
    )
