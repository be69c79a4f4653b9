"""Mends of named tuples whose class a call makes of listed fields: `namedtuple("Note", "tenant_id note_id")` lists one
more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Replace
from capsule_lint.plan.room import Room
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.plan.entities.field_mends import FieldMends
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class

_AFTER_DEFAULT: Final = "some of the fields have defaults before which it comes"


class _New(Struct, frozen=True):
    """A field that comes, and the type of that of another scope beside it."""

    scope: Scope
    beside: tree.Node | None
    other: Scope


@dataclass(eq=False, slots=True)
class ListedFields(Room):
    """Builds them."""

    fields: FieldMends

    @property
    def planner(self) -> Planner:
        """The planner whose plan is mended."""
        return self.fields.planner

    def serve(self, cls: Class, scopes: list[Scope]) -> bool:
        """Whether a class is one whose fields, those of scopes that it gains too, are listed here, or a named tuple that a
        person has to extend."""
        heirs = self.program.classes.subclasses(cls)
        own = (one for one in heirs if not {"__new__", "__init__"}.isdisjoint(one.methods))
        made = next(own, None) if self.program.classes.is_named_tuple(cls) else None
        late = made is None and self._has_late_default(cls)
        if made is not None:
            self._refuse(cls, f"`{made.name}` makes its objects itself")
        elif late:
            self._refuse(cls, _AFTER_DEFAULT)
        elif cls.fact.listed is not None:
            self._gain(cls, cls.fact.listed, scopes)
        return made is not None or late or cls.fact.listed is not None

    def _has_late_default(self, cls: Class) -> bool:
        """Whether what a scope comes beside has a default that it is given once the class is made."""
        is_attribute, scopes = self.program.domain.held.is_attribute, self.program.policy.scopes
        return any(
            one.value is not one.statement.value and is_attribute(cls, one.name, scope)
            for one in self.program.classes.fields(cls)
            for scope in scopes
        )

    def _gain(self, cls: Class, listed: tree.Listed, scopes: list[Scope]) -> None:
        """List the fields of scopes that a class gains, or say why a person has to."""
        if listed.leading is not None:
            self._refuse(cls, "not all of them are written out")
            return
        added: dict[int, list[_New]] = {}
        for scope in scopes:
            at, new = self._placed(cls, listed, scope)
            added.setdefault(at, []).append(new)
            if at and listed.fields[at - 1].value is not None:
                self._refuse(cls, _AFTER_DEFAULT)
        for at, several in added.items():
            match listed.display:
                case tree.Sequence(items=items):
                    codes = tuple(self._item(cls, items[0], one) for one in several)
                    before, after = ((), codes) if at else (codes, ())
                    anchor = items[max(at - 1, 0)].span
                    where = cls.module.filename, listed.display.span
                    mend = AddElements(*where, "CAP301", before, after, anchor)
                    self.fields.mends.add(("class", cls), mend)
        if isinstance(listed.display, tree.Const):
            names = {at: [self._name(cls, one.scope) for one in new] for at, new in added.items()}
            self._text(cls, listed, names)

    def _placed(self, cls: Class, listed: tree.Listed, scope: Scope) -> tuple[int, _New]:
        """Before which field one comes, and what it comes beside."""
        is_attribute = self.program.domain.held.is_attribute
        for other, step in self.program.policy.beside(scope):
            for number, field in enumerate(listed.fields):
                if is_attribute(cls, last_name(field.targets[0]), other):
                    return number + step, _New(scope, field.annotation, other)
        return 0, _New(scope, None, scope)

    def _item(self, cls: Class, like: tree.Node, new: _New) -> str:
        """The code of a field in a list: its name, and its type where the others say theirs."""
        written = self.fields.mends.source(cls.module, like.span)
        quote = "'" if "'" in written.partition('"')[0] else '"'
        name = f"{quote}{self._name(cls, new.scope)}{quote}"
        if not isinstance(like, tree.Sequence):
            return name
        return f"({name}, {self.fields.annotation(cls, new.scope, new.beside, new.other)})"

    def _text(self, cls: Class, listed: tree.Listed, added: dict[int, list[str]]) -> None:
        """List the fields in a text, set off as the others are."""
        display = listed.display
        names = [last_name(one.targets[0]) for one in listed.fields]
        code = self.fields.mends.source(cls.module, display.span)
        gap = re.search(rf"\b{names[0]}\b([,\s]+)", code) if len(names) > 1 else None
        between = gap[1] if gap is not None else " "
        for at, new in added.items():
            name, said = names[max(at - 1, 0)], between.join(new)
            put = f"{name}{between}{said}" if at else f"{said}{between}{name}"
            code, count = re.subn(rf"\b{name}\b", put, code)
            if count != 1:
                self._refuse(cls, "the text that lists them is not understood")
        mend = Replace(cls.module.filename, display.span, "CAP301", code)
        self.fields.mends.add(("class", cls), mend)

    def _name(self, cls: Class, scope: Scope) -> str:
        return self.state.attributes[cls, scope.parameter]

    def _refuse(self, cls: Class, why: str) -> None:
        """Leave a class to a person."""
        gained = " and ".join(f"`{name}`" for name in self.state.fields[cls])
        listed = cls.fact.listed
        at = listed.display.at if listed is not None else cls.fact.name_at
        reason = f"lists the fields of `{cls.name}`, which gains {gained}; {why}"
        where = ("class", cls), cls.module.filename, tree.span_of(at), reason, cls.symbol
        scope = next(iter(self.state.fields[cls].values()))
        self.planner.obstacle(*where, "reference", scope)
