"""The `TypedDict` classes that dicts are of, where these are made or by what is said of the place that they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Instance, Types, ordered

if TYPE_CHECKING:
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function

_NONE: Types = frozenset()


@dataclass(eq=False, slots=True)
class TypedDicts:
    """Finds them."""

    program: Program

    def of(self, node: tree.Node) -> list[Class]:
        """The `TypedDict` classes that a dict is made by, or is annotated with where it stands."""
        types = self._expected(node, 0)
        if isinstance(node, tree.Call):
            types |= self.program.inference.of(node)
        found = [one.cls for one in ordered(types) if isinstance(one, Instance)]
        return [cls for cls in found if self.program.classes.is_typed_dict(cls)]

    def _expected(self, node: tree.Node, depth: int) -> Types:
        """What is said of the place that an expression stands in."""
        program = self.program
        parent, inference = program.names.parent(node), program.inference
        match parent:
            case tree.Assign(annotation=None, targets=(tree.Name(id=name),)):
                function = program.names.function_of(node)
                returned = (
                    [r for r in function.returns if isinstance(r, tree.Name) and r.id == name]
                    if function
                    else []
                )
                return inference.returned(function) if returned else _NONE
            case tree.Assign(annotation=annotation) if annotation is not None:
                return inference.annotations.of(annotation)
            case tree.Eval(kind="return"):
                function = program.names.function_of(node)
                return inference.returned(function) if function is not None else _NONE
            case tree.Call():
                return self._taken(parent, node)
            case tree.Conditional():
                return self._expected(parent, depth)
            case tree.Sequence() | tree.Comprehension(kind="ListComp") if depth == 0:
                return inference.elements(self._expected(parent, 1))
            case _:
                return _NONE

    def _taken(self, call: tree.Call, node: tree.Node) -> Types:
        """What the parameter is annotated with that an argument is given for."""
        program, found = self.program, _NONE
        for callee in program.calls.callees(call):
            function: Function | None = callee.function if callee.cls is None else None
            for name, argument in callee.arguments(call).items():
                parameter = function.parameter(name) if function is not None else None
                if argument.value is node and parameter is not None and parameter.annotation:
                    found |= program.inference.annotations.of(parameter.annotation)
        return found
