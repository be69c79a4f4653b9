"""`partial(f, …)`: whether it gives the scopes itself, or leaves them to its own calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.uses.passthrough import ASSERTIONS
from capsule_lint.program.inference.types import Partial
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function


def left_open(
    program: Program, function: Function, made: tree.Call, given: int
) -> list[tuple[tree.Call, int]] | None:
    """The calls of a partial that leaves another scope of the function to them, and how many of its
    parameters are given by then; `None` if this is no such partial."""
    if last_name(made.func) != "partial" or any(a.star for a in made.args):
        return None
    scoped = {
        p.name
        for p in function.params
        if p.kind not in ("*", "**") and names_any_of(p.name, program.policy.scopes)
    }
    count = given + sum(a.keyword is None for a in made.args[1:])
    said = {a.keyword for a in made.args} | {p.name for p in function.params[:count]}
    if not scoped or scoped & said:
        return None
    around, of_class = program.names.parent(made), function.name == "__init__"
    returned = isinstance(around, tree.Eval) and around.kind == "return"
    if isinstance(around, tree.Lambda) or (isinstance(around, tree.Eval) and not returned):
        return None  # whoever gets it calls it, under any name
    maker = program.names.function_of(made) if returned else None
    if maker is not None:
        program.names.ask(maker.name)  # who calls that has the partial
    anyhow = of_class or returned
    calls = program.calls.uses.all_calls() if anyhow else program.calls.candidates(function)
    uses = [call for call in calls if _is_of(program, call.func, made)]
    uses += _asserted(program, made)
    program.names.ask(*(last_name(call.func) for call in uses))
    return [(call, count) for call in uses] if uses or not anyhow else None


def _asserted(program: Program, made: tree.Call) -> list[tree.Call]:
    """The assertions that spell out what a mock in the place of that partial was called with."""
    return [
        call
        for name in ASSERTIONS
        for call in program.calls.uses.calls_beside(name)
        if isinstance(call.func, tree.Attr) and _is_of(program, call.func.base, made)
    ]


def _is_of(program: Program, node: tree.Node, made: tree.Call) -> bool:
    """Whether an expression is that partial."""
    return any(isinstance(t, Partial) and t.call is made for t in program.inference.of(node))
