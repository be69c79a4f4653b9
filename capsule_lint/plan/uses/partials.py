"""`partial(f, …)`: whether it gives the scopes itself, or leaves them to its own calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.uses.passthrough import ASSERTIONS
from capsule_lint.plan.uses.promised import promised
from capsule_lint.program.calling.passing import OF_METHOD
from capsule_lint.program.inference.types import ClassObject, Partial
from capsule_lint.program.local_names import calls_of_value, reads_of_value
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of, names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function

_LEAVING: Final = ("partial", OF_METHOD)


def left_open(
    program: Program, function: Function, made: tree.Call, given: int
) -> list[tuple[tree.Call, int]] | None:
    """The calls of a partial that leaves another scope of the function to them, and how many of its
    parameters are given by then; `None` if this is no such partial."""
    if last_name(made.func) not in _LEAVING or any(a.star for a in made.args):
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
    of_method = last_name(made.func) == OF_METHOD
    told = {id(call) for call in uses if of_method and _is_of_class(program, call.func)}
    if told and count > given:
        return None  # the object comes first, and what the partial gives behind it
    found = [(call, count - (id(call) in told)) for call in uses]
    return found if uses or not anyhow else None


def called_with(program: Program, made: tree.Call) -> list[tuple[tree.Argument, ...]]:
    """All that a partial is called with, together with what it gives itself, where it is called at once or by a local
    name, or goes where that is said; nothing where something else may call it as well."""
    names = program.names
    match names.parent(made):
        case tree.Assign(annotation=None) if names.function_of(made) is not None:
            reads = [*reads_of_value(names, made)]
        case tree.Walrus():
            reads = [*reads_of_value(names, made)]
        case _:
            reads = [made]
    told = [_told_at(program, read) for read in reads]
    if last_name(made.func) != "partial" or None in told:
        return []
    return [_together(made.args[1:], args) for args in told if args is not None]


def _told_at(program: Program, node: tree.Node) -> Sequence[tree.Argument] | None:
    """What a function is called with where an expression is one; `None` where that is not known."""
    call = program.names.parent(node)
    if isinstance(call, tree.Call) and call.func is node:
        return call.args
    said = promised(program, node)
    return [tree.Argument(one, None, "", one.at) for one in said] if said is not None else None


def is_known_late(
    program: Program,
    made: tree.Call,
    scope: Scope,
    attribute_of: Callable[[Class, Scope], str | None],
) -> bool:
    """Whether something has a scope's value where a partial is called and did not where it is made, or what that is given
    is another by then: `for capsule_id in …: make(…)`, `for note in notes: make(note.id)`."""
    names, start = program.names, program.names.place(made)
    known = list(start.scope.ancestors())
    given = {n.id for a in made.args[1:] for n in within(a.value) if isinstance(n, tree.Name)}
    for call in calls_of_value(names, made):
        for around in names.place(call).scope.ancestors():
            if around.kind in ("module", "class"):
                break
            for binding in (b for bound in around.bindings.values() for b in bound):
                if around in known and binding.place.order < start.order:
                    continue
                if binding.name in given or names_scope(binding.name, scope):
                    return True
                cls = program.inference.the_class(program.inference.bound(binding))
                if cls is not None and attribute_of(cls, scope) is not None:
                    return True
            for statement, at in around.statements:
                put = statement.targets if isinstance(statement, tree.Assign) else ()
                if (around not in known or at.order > start.order) and any(
                    isinstance(one, tree.Attr) and names_scope(one.name, scope) for one in put
                ):
                    return True
    return False


def _together(
    first: Sequence[tree.Argument], then: Sequence[tree.Argument]
) -> tuple[tree.Argument, ...]:
    """The arguments of a partial and of a call of it, which has the last word."""
    said = {argument.keyword for argument in then}
    named = [a for a in first if a.keyword is not None and a.keyword not in said]
    plain = [a for a in (*first, *then) if a.keyword is None]
    return (*plain, *named, *(a for a in then if a.keyword is not None))


def _asserted(program: Program, made: tree.Call) -> list[tree.Call]:
    """The assertions that spell out what a mock in the place of that partial was called with."""
    return [
        call
        for name in ASSERTIONS
        for call in program.calls.uses.calls_beside(name)
        if isinstance(call.func, tree.Attr) and _is_of(program, call.func.base, made)
    ]


def _is_of_class(program: Program, node: tree.Node) -> bool:
    """Whether an expression is an attribute of a class: `Titles.blank`."""
    types = program.inference.of(node.base) if isinstance(node, tree.Attr) else ()
    return any(isinstance(one, ClassObject) for one in types)


def _is_of(program: Program, node: tree.Node, made: tree.Call) -> bool:
    """Whether an expression is that partial."""
    return any(isinstance(t, Partial) and t.call is made for t in program.inference.of(node))
