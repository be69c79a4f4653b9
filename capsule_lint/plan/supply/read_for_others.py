"""Objects of which functions read a scope for others: `Context.of(event)` of `_tenant(event)`, which only gives back its
`tenant_id`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.supply.repeats import kept, names_in, repeatable
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_CHANGING: Final = frozenset(("pop", "popitem", "clear", "update", "setdefault"))
"""Methods that change a dict in place."""


def read_for(program: Program, node: tree.Node) -> Iterator[tuple[str, tree.Node]]:
    """The objects of which an expression, also behind a local, asks functions for scopes: as code that says the same where
    it stands, and where the functions have them."""
    said = kept(node, program)
    for call in within(said):
        found = _read_by(program, call) if isinstance(call, tree.Call) else None
        changed = said is not node and any(_is_changed(program, n) for n in names_in(call))
        if found is not None and not changed:
            yield found


def _is_changed(program: Program, name: tree.Name) -> bool:
    """Whether what a name stands for is changed in place in its function, `event.pop("tenant")`: it may say something else
    by the time it is asked again."""
    names = program.names
    function = names.function_of(name)
    for read in names.called(function, name.id) if function is not None else ():
        parent = names.parent(read)
        outer = names.parent(parent)
        match parent, outer:
            case tree.Attr(name=method), tree.Call(func=func) if func is parent:
                if method in _CHANGING:
                    return True
            case tree.Subscript(base=base), tree.Assign(targets=targets) if base is read:
                if parent in targets:
                    return True
            case tree.Subscript(base=base), tree.Eval(kind="del") if base is read:
                return True
    return False


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
