"""Keys of collections whose class a call makes of listed fields, `Slot = namedtuple("Slot", "tenant_id sku")`: a person
has to extend these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.made_tuples import OF_LISTED
from capsule_lint.plan.supply.fake_owners import TUPLES, fields_of
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.key_needs import KeyNeeds
    from capsule_lint.plan.memory.local_notes import LocalNotes
    from capsule_lint.program import Program


class ListedKeys(Struct, frozen=True):
    """Notes what they lack."""

    program: Program
    needs: KeyNeeds
    notes: LocalNotes

    def judge(self, home: Home, key: tree.Node) -> None:
        """Note it of a key, or of an element of one, that says another scope."""
        listed = self._listed(key)
        if listed is None:
            return
        fields, place = fields_of(listed), self.program.names.place(key)
        scopes = self.program.policy.scopes
        said = [s.name for s in scopes if any(names_scope(f, s) for f in fields)]
        missing = [s for s in self.needs.demanded(home, place, said) if s.name not in said]
        defect = self.notes.draft(key, "made", missing, self.notes.knot_of(home, key))
        if said and missing and not self.notes.is_silenced(defect):
            self.notes.defects.append(defect)
            reason = OF_LISTED.format(last_name(key), missing[0].parameter)
            self.notes.obstacle(defect.knot, key, reason)

    def _listed(self, key: tree.Node) -> tree.Call | None:
        """What makes the class of a key that is an instance."""
        func = key.func if isinstance(key, tree.Call) else None
        if not isinstance(func, tree.Name | tree.Attr):
            return None
        target = self.program.classes.dotted(func)
        made = target.assigned if isinstance(target, Binding) else None
        return made if isinstance(made, tree.Call) and last_name(made.func) in TUPLES else None
