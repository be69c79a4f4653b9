"""Keys that are looked up, and that nothing writes which may change, but generated files, and what a comment exempts,
keys that are written and that only what a comment exempts looks up, and keys that a helper makes as well whose
signature is kept: these cannot change alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.room import Room
from capsule_lint.program.places.sites import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.program.model import Function
    from capsule_lint.program.texts.pieces import Template


class Unedited(Room, Struct, frozen=True):
    """Finds them. What other files write as well is made anew from those."""

    planner: Planner

    def find(self) -> Iterator[KeyDefect]:
        """The keys that are looked up and change, though what is written does not."""
        silenced = {id(one.template.host) for one in self.planner.silenced}
        written = [s for s in self.program.keys.sites if s.role is not Role.LOOKUP]
        exempt = [s.template for s in written if id(s.template.host) in silenced]
        fixed = {self._form(one) for one in (*exempt, *self._generated())}
        if not fixed:
            return
        ours = {self._form(s.template) for s in written if id(s.template.host) not in silenced}
        for defect in self.planner.defects:
            site = self.planner.sites.get(id(defect.template.host))
            if site is not None and site.role is Role.LOOKUP:
                form = self._form(defect.template)
                if form in fixed and form not in ours:
                    yield defect

    def unread(self) -> Iterator[KeyDefect]:
        """The keys that are written and change, though a comment exempts all that looks them up."""
        silenced = {id(one.template.host) for one in self.planner.silenced}
        if not silenced:
            return
        kept, ours = set[str](), set[str]()
        for site in self.program.keys.sites:
            if site.role is Role.LOOKUP and not site.module.is_test:
                exempt = id(site.template.host) in silenced
                (kept if exempt else ours).add(self._form(site.template))
        for defect in self.planner.defects if kept - ours else ():
            written = self.planner.sites.get(id(defect.template.host))
            if written is None or written.role is Role.LOOKUP or written.module.is_test:
                continue
            if self._form(defect.template) in kept - ours:
                yield defect

    def beside_kept(self) -> Iterator[tuple[KeyDefect, Function]]:
        """The keys that change, though a helper whose signature people keep makes such keys as well."""
        planner = self.planner
        kept = [
            (site, site.function)
            for one in planner.silenced
            if (site := planner.sites[id(one.template.host)]).function is not None
            and planner.keys.is_helper(site)
            and planner.signatures.is_fixed(site.function)
        ]
        for site, helper in kept:
            for defect in planner.defects if not site.module.is_test else ():
                other = planner.sites.get(id(defect.template.host))
                if other is None or other.module.is_test:
                    continue
                if planner.keys.ties.may_be_same(site, other):
                    yield defect, helper

    def _generated(self) -> Iterator[Template]:
        """The texts in generated files that say a scope."""
        templates = self.program.templates
        for module in self.program.names.judged():
            if module.generated and not module.is_test:
                for node in module.every(tree.FString, tree.Binary, tree.Call):
                    made = templates.template(node) if tree.makes_text(node) else None
                    if made is not None and any(True for _ in templates.segments(made.pieces)):
                        yield made

    def _form(self, template: Template) -> str:
        """What tells keys of one kind from others: their tag, or their text where they have none."""
        tags = self.program.domain.tags_of(template)
        return tags[0].lower() if tags else template.text
