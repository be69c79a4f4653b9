"""Of which type the program says that a scope's value is, where policy names none."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.policy import Reference
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module

_BUILT_IN = "builtins"


class ScopeTypes:
    """The types of parameters and fields that have a scope's name."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def said(self, scope: Scope) -> Reference | None:
        """The type that the program gives the scope's own name most often."""
        return self._said.get(scope.parameter)

    def in_file(self, module: Module, scope: Scope) -> str | None:
        """How a file annotates all the values of a scope that it names, by a type that it imports."""
        said = {
            p.annotation.id if isinstance(p.annotation, tree.Name) else None
            for function in module.functions
            for p in function.params
            if p.name == scope.parameter and p.annotation is not None
        }
        name = said.pop() if len(said) == 1 else None
        bindings = module.scope.bindings.get(name or "", ())
        return name if [b.kind for b in bindings] == ["import"] else None

    @cached_property
    def are_text(self) -> bool:
        """Whether the program says somewhere that the value of a scope is a `str`."""
        scopes = self.program.policy.scopes
        return any(
            text_of(annotation) == "str" and names_any_of(name, scopes)
            for _, name, annotation in self._annotated()
        )

    @cached_property
    def _said(self) -> Mapping[str, Reference]:
        wanted = {scope.parameter for scope in self.program.policy.scopes if scope.type is None}
        found: dict[str, Counter[Reference]] = defaultdict(Counter)
        for module, name, annotation in self._annotated():
            if name in wanted and isinstance(annotation, tree.Name):
                reference = self._reference(module, annotation.id)
                if reference is not None:
                    found[name][reference] += 1
        return {name: counted.most_common(1)[0][0] for name, counted in found.items()}

    def _annotated(self) -> Iterator[tuple[Module, str, tree.Node]]:
        """What parameters and fields are called, and how they are annotated."""
        program = self.program
        for module in program.names.modules.values():
            for function in module.functions:
                for parameter in function.params:
                    if parameter.annotation is not None:
                        yield module, parameter.name, parameter.annotation
        for cls in program.classes.all:
            for field in program.classes.fields(cls):
                if field.annotation is not None:
                    yield field.owner.module, field.name, field.annotation

    def _reference(self, module: Module, name: str) -> Reference | None:
        """What an annotation means that is a plain name: a built-in, or what a file of the program has."""
        bindings = module.scope.bindings.get(name, ())
        if not bindings:
            return Reference(_BUILT_IN, name) if name in ("str", "int") else None
        names, (binding, *more) = self.program.names, bindings
        if more:
            return None
        if binding.imported is None:
            return Reference(module.name, name)
        base = names.absolute(module, binding.level, binding.imported.module)
        if binding.imported.name != name or names.module(base) is None:
            return None
        return Reference(base, name)
