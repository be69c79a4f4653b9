"""Members of enums that stand for tags: beside `Kind.TENANT` comes `Kind.CAPSULE`, and the enum gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddStatement
from capsule_lint.plan.code import rename
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.uses.naming import naming
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import word_of

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class

_BASES: Final = frozenset(("str", "Enum", "StrEnum", "ReprEnum"))


class TagMembers(MendRoom, Struct, frozen=True):
    """Gives enums the members that they lack."""

    mends: Mends

    def added(self, knot: Knot, cls: Class, name: str, wanted: str) -> str | None:
        """What the member of an enum is called that comes beside another one and says a tag; `None` where that is not
        the tag of a scope, or something may go by what members there are."""
        members = _texts(cls)
        said = members[name] if members is not None and name in members else None
        if members is None or said is None or not isinstance(said.value, tree.Const):
            return None
        text = tree.text(said.value) or ""
        found = self._scope(text), self._scope(wanted)
        old, new = found
        if old is None or new is None or old is new or not self._may_grow(cls, members):
            return None
        own = rename(name, old, new).replace(old.name.upper(), new.name.upper())
        source = self.mends.source(cls.module, said.value.span)
        if own == name or cls.has(own) or source.count(text) != 1:
            return None
        before = self.mends.policy_order([old, new])[0] is new
        line = f"{own} = {source.replace(text, wanted)}"
        mend = AddStatement(cls.module.filename, said.span, "CAP101", line, before)
        self.mends.add(knot, mend)
        return own

    def _scope(self, text: str) -> Scope | None:
        """The scope whose tag a text is, or says."""
        scopes = self.program.policy.scopes
        return next((s for s in scopes if text in (s.tag, word_of(s.tag))), None)

    def _may_grow(self, cls: Class, members: dict[str, tree.Assign]) -> bool:
        """Whether nothing asks an enum for anything but members by their names, which stand in one file."""
        names, module = self.program.names, cls.module
        if module.generated or module.is_test or names.declared_class(cls) is not None:
            return False
        holders = (names.parent(node) for node in naming(self.program, cls))
        return all(isinstance(one, tree.Attr) and one.name in members for one in holders)


def _texts(cls: Class) -> dict[str, tree.Assign] | None:
    """The members of an enum by their names, where it has nothing but members, all of which are texts."""
    decorated = any(last_name(one) != "unique" for one in cls.fact.decorators)
    if decorated or any(a.keyword or last_name(a.value) not in _BASES for a in cls.fact.bases):
        return None
    found: dict[str, tree.Assign] = {}
    for statement in cls.fact.body[int(cls.fact.doc) :]:
        match statement:
            case tree.Assign(targets=(tree.Name(id=name),), annotation=None, op="") if tree.text(
                statement.value
            ):
                found[name] = statement
            case _:
                return None
    return found
