"""What a test puts in the place of a dependency of FastAPI: `app.dependency_overrides[get_notes] = lambda: stub`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import (
    ClassObject,
    FunctionObject,
    Instance,
    Types,
    join,
)
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.model import Class

    Dependency: TypeAlias = Function | Class
    """What FastAPI calls for a parameter."""

_OVERRIDES: Final = "dependency_overrides"
_INJECTING: Final = frozenset(("Depends", "Security"))


@dataclass(eq=False, slots=True)
class Overrides:
    """Finds what is called in the place of others."""

    calls: Calls

    def of(self, dependency: Dependency) -> Iterator[tree.Node]:
        """What is called in the place of a dependency."""
        for overridden, value in self._all():
            if dependency in self._meant(overridden):
                yield value

    def given(self, parameter: tree.Parameter) -> Types:
        """What a parameter gets of what is called in the place of its dependency."""
        made_by = self.calls.inference.results.made_by
        return join(*(made_by(v) for d in self._dependencies(parameter) for v in self.of(d)))

    def expected(self, value: tree.Node | Function) -> Types:
        """What is expected of what comes in the place of a dependency: what that gives."""
        made_by = self.calls.inference.results.made_by
        return join(
            *(
                made_by(overridden)
                for overridden, other in self._all()
                if other is value or any(one is value for one in self._meant(other))
            )
        )

    def made_in(self, function: Function | None) -> Iterator[tree.Node]:
        """What is put in the place of dependencies in a function."""
        for _, value in self._all():
            if self.calls.uses.names.place(value).scope.function is function:
                yield value

    def _all(self) -> list[tuple[tree.Node, tree.Node]]:
        return self.calls.uses.kept_under(_OVERRIDES)

    def _meant(self, node: tree.Node) -> Iterator[Dependency]:
        for one in self.calls.inference.of(node):
            match one:
                case FunctionObject():
                    yield one.function
                case ClassObject():
                    yield one.cls

    def _dependencies(self, parameter: tree.Parameter) -> Iterator[Dependency]:
        """What FastAPI calls for a parameter: `= Depends(f)`, `Annotated[C, Depends(f)]`, `: C = Depends()`."""
        said = [parameter.default]
        if isinstance(parameter.annotation, tree.Subscript):
            index = parameter.annotation.index
            said += index.items if isinstance(index, tree.Sequence) else ()
        for node in said:
            if not isinstance(node, tree.Call) or last_name(node.func) not in _INJECTING:
                continue
            if node.args:
                yield from self._meant(node.args[0].value)
            elif parameter.annotation is not None:
                types = self.calls.inference.annotations.of(parameter.annotation)
                yield from (one.cls for one in types if isinstance(one, Instance))
