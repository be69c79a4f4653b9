"""Who calls a lambda by the name that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import LambdaObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program


def by_name(program: Program, made: tree.Lambda) -> Iterator[tree.Call]:
    """The calls of a lambda by the name that it is given."""
    match program.names.parent(made):
        case tree.Assign(targets=(tree.Name(id=name),)):
            for call in program.calls.uses.calls(name):
                types = program.inference.of(call.func)
                if any(isinstance(t, LambdaObject) and t.node is made for t in types):
                    yield call
