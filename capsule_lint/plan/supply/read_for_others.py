"""Objects of which functions read a scope for others: `Context.of(event)` of `_tenant(event)`, which only gives back its
`tenant_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.supply.repeats import kept, names_in, repeatable
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function


def read_for(program: Program, node: tree.Node) -> Iterator[tuple[str, tree.Node]]:
    """The objects of which an expression, also behind a local, asks functions for scopes: as code that says the same where
    it stands, and where the functions have them."""
    for call in within(kept(node, program)):
        found = _read_by(program, call) if isinstance(call, tree.Call) else None
        if found is not None:
            yield found


def _read_by(program: Program, call: tree.Call) -> tuple[str, tree.Node] | None:
    callees = program.calls.callees(call)
    function = callees[0].function if len(callees) == 1 and callees[0].cls is None else None
    read = kept(function.returns[0], program) if function and len(function.returns) == 1 else None
    if function is None or not isinstance(read, tree.Attr):
        return None
    if not names_any_of(read.name, program.policy.scopes) or not repeatable(call, program):
        return None
    arguments = callees[0].arguments(call)
    told = {name: text_of(argument.value) for name, argument in arguments.items()}
    if function.self_name and call.receiver is not None:
        told[function.self_name] = text_of(call.receiver)
    given = {name: text for name, text in told.items() if text is not None}
    holder = kept(read.base, program)
    if not all(_means_the_same(program, one, function, call, given) for one in names_in(holder)):
        return None
    code = text_of(holder, given)
    return (code, holder) if code is not None else None


def _means_the_same(
    program: Program,
    name: tree.Name,
    function: Function,
    call: tree.Call,
    given: Mapping[str, str],
) -> bool:
    """Whether a name in a function is a parameter that a call gives, or means there what it means at the call."""
    names = program.names
    bound = names.bindings_of(name)
    if bound and all(one.kind == "param" and one.function is function for one in bound):
        return name.id in given
    there = names.bindings(name.id, names.place(call))
    everywhere = all(one.is_global for one in (*bound, *there))
    return everywhere and [*map(names.follow, bound)] == [*map(names.follow, there)]
