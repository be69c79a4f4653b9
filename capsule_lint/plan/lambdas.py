"""Keys that a lambda makes which is no function of the program: those who call it change with it or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.types import LambdaObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner


def tie_callers(planner: Planner) -> None:
    """Join the changes of such keys and of the functions that call their lambdas by a name."""
    names, state = planner.program.names, planner.state
    for defect in planner.defects:
        for scope in names.place(defect.template.host).scope.ancestors():
            made = names.index.lambdas.get(id(scope))
            for call in _calls(planner, made) if made is not None else ():
                function = names.place(call).scope.function
                if function is not None and function in state.params:
                    state.groups.join(defect.knot, ("function", function))


def _calls(planner: Planner, made: tree.Lambda) -> Iterator[tree.Call]:
    """The calls of a lambda by the name that it is given."""
    program = planner.program
    match program.names.parent(made):
        case tree.Assign(targets=(tree.Name(id=name),)):
            for call in program.calls.uses.calls(name):
                types = program.inference.of(call.func)
                if any(isinstance(t, LambdaObject) and t.node is made for t in types):
                    yield call
