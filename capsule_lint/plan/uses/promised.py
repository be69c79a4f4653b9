"""With what a function is called that goes where that is said: to a parameter, a local or a result that is annotated,
`Callable[[str], Order]`, or to `map`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.model import Binding, last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program import Program

_MAPPING: Final = frozenset(("map", "imap", "imap_unordered", "map_async"))
_ALIASES: Final = 3
"""How many names for a type are followed."""


def promised(program: Program, node: tree.Node) -> Sequence[tree.Node] | None:
    """What stands for each argument that a function gets by position where an expression is one: what goes through
    `map`, or the type that is said; `None` where nothing says how many there are: `series.map(f)` has them itself."""
    match program.names.parent(node):
        case tree.Call() as call if call.func is not node:
            if last_name(call.func) in _MAPPING and not program.calls.callees(call):
                plain = not any(a.star for a in call.args) and call.plain[:1] == [node]
                return (call.plain[1:] or None) if plain else None
            return _declared(program, call, node)
        case tree.Assign(annotation=annotation, value=value) if value is node:
            return _listed(program, annotation)
        case tree.Eval(kind="return"):
            function = program.names.function_of(node)
            return _listed(program, function.fact.returns if function is not None else None)
        case _:
            return None


def _declared(program: Program, call: tree.Call, node: tree.Node) -> Sequence[tree.Node] | None:
    """What the annotation says of the parameter that an argument goes to, where a call calls one thing alone, and
    nothing beside that calls what has its name with more or less."""
    calls = program.calls
    callees = calls.callees(call)
    if len(callees) != 1:
        return None
    params, given = calls.parameters(callees[0])
    bound = bind(call.args, params, given)
    taken = [name for name, a in bound.arguments.items() if a.value is node] if bound else []
    own = next((p for p in params if p.name in taken), None)
    said = _listed(program, own.annotation) if own is not None else None
    one = callees[0].function or callees[0].cls
    if own is None or said is None or one is None:
        return None
    around = map(program.names.parent, one.module.named.get(own.name, ()))
    made = [c for c in around if isinstance(c, tree.Call) and last_name(c.func) == own.name]
    return said if all(len(c.args) == len(said) for c in made) else None


def _listed(
    program: Program, annotation: tree.Node | None, depth: int = 0
) -> Sequence[tree.Node] | None:
    """The types in `Callable[[str, int], Order]`, also by another name, or where it may be `None`."""
    match annotation:
        case tree.Subscript(
            base=base, index=tree.Sequence(items=(tree.Sequence(kind="list") as listed, _))
        ) if last_name(base) == "Callable":
            return listed.items
        case tree.Subscript(base=base, index=inner) if last_name(base) == "Optional":
            return _listed(program, inner, depth)
        case tree.Binary(op="|", left=left, right=tree.Const(value=None)):
            return _listed(program, left, depth)
        case tree.Name() | tree.Attr() if depth < _ALIASES:
            target = program.classes.dotted(annotation)
            meant = target.assigned if isinstance(target, Binding) else None
            return _listed(program, meant, depth + 1) if meant is not None else None
        case _:
            return None
