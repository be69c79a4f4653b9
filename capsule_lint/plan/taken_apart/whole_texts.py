"""Code of the program that knows a key by its whole text: `pk == "ROOT#1"`, `pk in SPECIAL`, `NAMES[pk]`, and
`case "ROOT#1":` of `match pk`. Once segments come into such keys, it knows them no more."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.keys.spelled import Forms
from capsule_lint.program.comparisons import beside
from capsule_lint.program.local_names import looked_up
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.collected import Collected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.plan.taken_apart.readers import Readers
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module

_WHOLE: Final = "knows a key that changes by its whole text"


class WholeTexts(Struct, frozen=True):
    """Finds such code: a person has to look at it, for nobody knows whose the key is that it asks for."""

    readers: Readers

    @property
    def program(self) -> Program:
        """What is searched."""
        return self.readers.program

    def find(self, defects: Sequence[KeyDefect]) -> None:
        """Note what is unsure."""
        made = map(Forms(self.program).direct, defects)
        forms = [form for form in made if form is not None and not form.bare]
        if not forms:
            return
        changing = {id(defect.template.host) for defect in defects}

        @cache  # most places ask for nothing that is written out, or for what others ask for
        def fitting(texts: tuple[str, ...]) -> list[Form]:
            return [form for form in forms if any(map(form.regex.fullmatch, texts))]

        for module in self.program.names.editable():
            for node, key, texts in self._asked(module) if not module.is_test else ():
                fits = fitting(texts)
                known = fits and self.readers.splits.is_key(key)
                if known and not self._stays(texts, changing):
                    for defect in (one for form in fits for one in form.defects):
                        self.readers.unsure.append((node, defect.knot, _WHOLE))

    def _asked(self, module: Module) -> Iterator[tuple[tree.Node, tree.Node, tuple[str, ...]]]:
        """Where something may be asked for whole texts, what that is, and the texts."""
        every = [side for c in module.each(tree.Compare) for side in (c.left, *c.rights)]
        lookups: tuple[tree.Node, ...] = (
            *module.each(tree.Subscript),
            *module.each(tree.Call),
        )
        every += [table[1] for node in lookups if (table := looked_up(node)) is not None]
        for side in every:
            for one in beside(self.program.names, side) if not tree.text(side) else ():
                yield one.other, side, self._texts(one.other, several=one.several)
        for statement, _ in module.statements:
            if isinstance(statement, tree.Block) and statement.kind == "match":
                for head in statement.heads[1:]:
                    yield head, statement.heads[0], self._texts(head, several=False)

    def _texts(self, node: tree.Node, *, several: bool) -> tuple[str, ...]:
        """The constants among what something is asked for; those that are keys by themselves are looked up."""
        constants = self.program.templates.constants
        nodes = Collected(constants).each(node) if several else (node,)
        alone = (one for one in nodes if self.program.keys.at(one) is None)
        return tuple(text for one in alone if (text := self.program.templates.constant(one)))

    def _stays(self, texts: Sequence[str], changing: set[int]) -> bool:
        """Whether a key that does not change has such a text as well, and may be meant."""
        forms = Forms(self.program)
        for site in self.program.keys.sites:
            hosts = {id(site.template.host), *(id(p.host) for p in site.template.pieces)}
            if site.role is Role.LOOKUP or site.template.opaque or hosts & changing:
                continue
            form: Form | None = forms.of(site.template.pieces, (), site.function)
            if form is not None and any(map(form.regex.fullmatch, texts)):
                return True
        return False
