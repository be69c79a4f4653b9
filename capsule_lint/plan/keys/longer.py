"""Texts that have keys of changed templates in them: `f"{label} {key}"`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.keys.spelled import Form, Forms
from capsule_lint.plan.uses.mentions import texts_with
from capsule_lint.program.model import last_name
from capsule_lint.program.reaching import history
from capsule_lint.program.texts.pieces import Filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding
    from capsule_lint.program.texts.pieces import Piece, Template


@dataclass(eq=False, slots=True)
class Longer:
    """Makes forms of them."""

    program: Program
    defects: Sequence[KeyDefect]
    _changing: set[int] = field(init=False)
    _told: dict[Binding, list[Template]] = field(default_factory=dict)
    """The changing keys that callers give for a parameter: many texts have one parameter in them."""

    def __post_init__(self) -> None:
        self._changing = {id(defect.template.host) for defect in self.defects}

    def forms(self) -> list[Form]:
        """Those of the texts outside tests, in the order of the program, also where a parameter is such a key."""
        templates, found = self.program.templates, list[Form]()
        with self.program.names.aside():  # what has a key in it is read, for it has the key's name
            for node in texts_with(self.program, [d.template.host for d in self.defects]):
                template = templates.template(node) if id(node) not in self._changing else None
                if template is not None and template.host is node:
                    found += self._of(template, node)
            for step, template in self._in_steps() if self._changing else ():
                found += self._of(template, step)
        return found

    def _in_steps(self) -> Iterator[tuple[tree.Node, Template]]:
        """Locals that begin as what a call gives and are gone on with, `pk = order_pk(number)` and `pk += "LATEST"`."""
        names, steps = self.program.names, self.program.templates.steps
        for module in names.editable():
            for statement, place in module.statements if not module.is_test else ():
                if not isinstance(statement, tree.Assign) or statement.op != "+":
                    continue
                for target in statement.targets:
                    bound = place.scope.bindings.get(last_name(target), ())
                    last = next((b for b in bound if b.place.statement is statement), None)
                    first = history(last)[0].value if last is not None else None
                    made = steps.up_to(last) if last and isinstance(first, tree.Call) else None
                    if made is not None:
                        yield target, made

    def _of(self, template: Template, node: tree.Node) -> Iterator[Form]:
        forms, function = Forms(self.program), self.program.names.function_of(node)
        if function is not None and self.program.templates.called.is_generic(function):
            function = None  # its callers give it the key: it makes none by itself
        for pieces in (template.pieces, *self._told_by_callers(template.pieces)):
            hosts = {id(piece.host) for piece in pieces}
            inner = [d for d in self.defects if id(d.template.host) in hosts]
            form = forms.of(pieces, inner, function) if inner else None
            if form is not None:
                yield form

    def _told_by_callers(self, pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
        """The same pieces, with the changing key that callers give for a parameter in its place."""
        names = self.program.names
        for number, piece in enumerate(pieces):
            value = piece.value if isinstance(piece, Filled) else None
            bindings = names.bindings_of(value) if isinstance(value, tree.Name) else []
            for template in self._given(bindings[0]) if len(bindings) == 1 else ():
                yield [*pieces[:number], *template.pieces, *pieces[number + 1 :]]

    def _given(self, binding: Binding) -> list[Template]:
        if binding not in self._told:
            passed = map(self.program.templates.template, self.program.calls.passed_to(binding))
            self._told[binding] = [
                one
                for one in passed
                if one is not None
                and not self._changing.isdisjoint(id(piece.host) for piece in one.pieces)
            ]
        return self._told[binding]
