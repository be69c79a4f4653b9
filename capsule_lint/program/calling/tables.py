"""Tables whose rows say what is called, and what with: those of `parametrize`, and those that a loop goes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.calling.fixtures import rows_of
from capsule_lint.program.inference.types import ClassObject, Instance
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Binding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function


def side_by_side(
    classes: Classes, one: tree.Node, other: tree.Node
) -> list[tuple[tree.Node, tree.Node]] | None:
    """What two names stand for that are filled row by row: `make` and `args` of `for make, args in TABLE`; `None` where
    they are not filled together, or a row is not written out."""
    if not isinstance(one, tree.Name) or not isinstance(other, tree.Name):
        return None
    names = classes.names
    first, second = names.bindings_of(one), names.bindings_of(other)
    if len(first) != 1 or len(second) != 1:
        return None
    (first_bound,), (second_bound,) = first, second
    function = first_bound.function
    if first_bound.kind == second_bound.kind == "param" and function is not None:
        rows = rows_of(function, one.id, other.id) if second_bound.function is function else None
        whole = rows is not None and all(one.id in row and other.id in row for row in rows)
        return [(row[one.id], row[other.id]) for row in rows] if rows and whole else None
    if first_bound.kind == second_bound.kind == "for" and first_bound.value is second_bound.value:
        return _looped(classes, first_bound, second_bound)
    return None


def methods_by_row(
    classes: Classes, inference: Inference, call: tree.Call
) -> list[tuple[Function, tree.Node]] | None:
    """The methods that a call calls of what each row has, or makes, with what the row gives it: `repo.get(*args)` of
    `repo = make(table)`, for rows of `make` and `args`; `None` where it is no such call."""
    func, spread = call.func, call.args[0] if len(call.args) == 1 and call.args[0].star else None
    if not isinstance(func, tree.Attr) or spread is None:
        return None
    of = only_assigned(classes.names, func.base) or func.base
    chosen = of.func if isinstance(of, tree.Call) else of
    found = []
    for one, given in side_by_side(classes, chosen, spread.value) or ():
        wanted = ClassObject if isinstance(of, tree.Call) else Instance
        made = [t.cls if isinstance(t, wanted) else None for t in inference.of(one)]
        method = classes.method(made[0], func.name) if len(made) == 1 and made[0] else None
        if method is None:
            return None
        found.append((method, given))
    return found or None


def _looped(
    classes: Classes, one: Binding, other: Binding
) -> list[tuple[tree.Node, tree.Node]] | None:
    found: list[tuple[tree.Node, tree.Node]] = []
    for row in _written(classes, one.value) or ():
        items = row.items if isinstance(row, tree.Sequence) else ()
        first, second = _at(items, one.path), _at(items, other.path)
        if first is None or second is None:
            return None
        found.append((first, second))
    return found or None


def _at(items: Sequence[tree.Node], path: Sequence[int]) -> tree.Node | None:
    """The item at a place in a row that is written out."""
    if len(path) != 1 or not 0 <= path[0] < len(items):
        return None
    if any(map(tree.spread, items[: path[0] + 1])):
        return None
    return items[path[0]]


def _written(classes: Classes, table: tree.Node | None) -> Sequence[tree.Node] | None:
    """The rows of a table: a display, a name that is given one, or a test's own `self.TABLE`."""
    match table:
        case tree.Sequence():
            return table.items
        case tree.Name():
            bound = classes.dotted(table)
            value = bound.assigned if isinstance(bound, Binding) else None
        case tree.Attr(base=tree.Name()):
            function = classes.names.function_of(table)
            owner = function.owner if function is not None else None
            held = owner.scope.bindings.get(table.name, ()) if owner is not None else ()
            value = held[0].assigned if len(held) == 1 else None
        case _:
            return None
    return value.items if isinstance(value, tree.Sequence) else None
