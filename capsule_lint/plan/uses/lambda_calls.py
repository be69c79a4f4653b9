"""Who calls a lambda: by the name that it is given, or through the table of a module in which it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Collection, LambdaObject
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program

_COUNTS: Final = frozenset(("len", "sorted", "list", "set", "tuple", "frozenset", "bool"))
"""What sees the keys of a table that it is given, and none of its values."""


def by_name(program: Program, made: tree.Lambda) -> Iterator[tree.Call]:
    """The calls of a lambda by the name that it is given."""
    match program.names.parent(made):
        case tree.Assign(targets=(tree.Name(id=name),)):
            for call in program.calls.uses.calls(name):
                types = program.inference.of(call.func)
                if any(isinstance(t, LambdaObject) and t.node is made for t in types):
                    yield call


def through_table(program: Program, node: tree.Lambda) -> list[tree.Call]:
    """All calls of a lambda that stands in a table of a module; none where it may be called elsewhere."""
    display = program.names.parent(node)
    statement = program.names.parent(display)
    if not isinstance(display, tree.DictDisplay) or not isinstance(statement, tree.Assign):
        return []
    target = statement.targets[0]
    if len(statement.targets) != 1 or not isinstance(target, tree.Name):
        return []
    names = program.calls.uses.aliases(target.id)
    found: list[tree.Call] = []
    for module in program.names.modules.values():
        for use in module.every(tree.Name, tree.Attr):
            if last_name(use) not in names:
                continue
            if use is target or not _is_table(program, use, node):
                continue
            taken = list(_taken(program, use))
            if None in taken:
                return []
            found += [call for call in taken if call is not None]
    return found


def _is_table(program: Program, use: tree.Node, node: tree.Lambda) -> bool:
    return any(
        isinstance(one, Collection) and LambdaObject(node) in one.items
        for one in program.inference.of(use)
    )


def _taken(program: Program, use: tree.Node) -> Iterator[tree.Call | None]:
    """The calls of what is looked up in a table; `None` for anything else that is done with it."""
    parent = program.names.parent(use)
    match parent:
        case tree.Subscript(base=base) if base is use:
            yield from _called(program, parent)
        case tree.Attr(name="get"):
            call = program.names.parent(parent)
            if isinstance(call, tree.Call) and len(call.args) == 1:
                yield from _called(program, call)
            else:
                yield None
        case tree.Attr(name="keys") | tree.Compare():
            return
        case tree.Call() if last_name(parent.func) in _COUNTS and parent.func is not use:
            return
        case tree.Block(kind="for") | tree.Comprehension():
            return  # goes through its keys
        case _:
            yield None


def _called(program: Program, value: tree.Node) -> Iterator[tree.Call | None]:
    """The calls of a value, here or by the local name that it is given; `None` for anything else."""
    parent = program.names.parent(value)
    match parent:
        case tree.Call() if parent.func is value:
            yield parent
        case tree.Assign(targets=(tree.Name() as target,)) if (
            parent.value is value and not isinstance(value, tree.Name)
        ):
            for use in reads_of(program.names, target, (target.at,)):
                yield from _called(program, use)
        case tree.Compare() | tree.Boolean() | tree.Wrapped(kind="not") | tree.Block():
            return
        case _:
            yield None
