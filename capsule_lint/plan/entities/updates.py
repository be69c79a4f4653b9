"""Updates that say whose an item is, `SET tenant_id = :t, title = :title`: they set the other scope as well, beside it,
where they take the values from an entity that gains a field, or the item's key changes. What loads the item comes to read
that."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddEntry, Replace
from capsule_lint.plan.code import attribute_in, rename
from capsule_lint.plan.entities.displays import entry_of
from capsule_lint.plan.entities.expression_names import ExpressionNames
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.entities.spelled import Part, Spelled
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Want
from capsule_lint.plan.testing.expected import typed_value
from capsule_lint.program.local_names import entries_of_dict, told_by_name
from capsule_lint.program.model import last_name
from capsule_lint.program.places.sites import NAMES, UPDATE, VALUES
from capsule_lint.program.texts.pieces import names_scope, scope_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.plan.entities.entry_mends import EntryMends
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class

_SETTING: Final = re.compile(
    r"(?<![\w#.])(?P<name>#?\w+)\s*=\s*(?P<value>if_not_exists\(\s*(?P=name)\s*,\s*)?(?P<mark>:\w+)(?(value)\s*\))"
)
"""One attribute that an update sets, perhaps only where there is none yet."""
_MARK: Final = re.compile(r":\w+")
_ASKED: Final = "ConditionExpression"
_UNPLACED: Final = "may be what an item is made of, and `{}` cannot be placed in the expression"
_UNSAID: Final = "sets `{0}` of an item that gets `{1}`: it may have to set that as well"
_VALUELESS: Final = "is an expression that sets `{}` as well, and no value for that comes here"
_SPELLED: Final = "spells out an expression that changes"


class _Setting(Struct, frozen=True):
    """An attribute that an update sets: what it is called and written as, and the mark of its value."""

    name: str
    written: str
    mark: str
    part: Part
    """The text in which it stands."""


class _Update(Struct, frozen=True):
    """The expression of an update with what it sets, the parts that what the marks in it stand for is made of, and what
    the `#names` stand for; the key of the item, and the call that has all that, if it is one."""

    told: tree.Node
    parts: tuple[Part, ...]
    settings: tuple[_Setting, ...]
    values: tuple[Part, ...]
    names: tree.Node | None
    key: tree.Node | None
    elsewhere: frozenset[str]
    """The marks in conditions."""
    call: tree.Call | None

    def values_of(self, mark: str) -> tree.DictDisplay | None:
        """The dict that says what a mark stands for, if it is one."""
        found = [p.node for p in self.values if isinstance(p.node, tree.DictDisplay)]
        having = [one for one in found if one.under(mark) is not None]
        return having[0] if len(having) == 1 else None


@dataclass(eq=False, slots=True)
class Updates(MendRoom):
    """Extends them."""

    mends: Mends
    entries: EntryMends
    _codes: dict[int, tuple[tree.Node, Knot, str]] = field(default_factory=dict)
    """The code of expressions, as they become."""
    _spelled: Spelled = field(init=False)
    _done: dict[tuple[int, str], str] = field(default_factory=dict)
    """The expressions, by their ids, what they are to set besides, and how they name that."""
    _changed: list[tuple[str, Knot]] = field(default_factory=list)
    """What expressions set that come to set more beside it, as it is written, and the change that this belongs to."""
    _looked_at: list[_Update] = field(default_factory=list)
    _given_for: set[tuple[int, str, int]] = field(default_factory=set)
    """The expressions, what they are to set besides, and what of the updates that get a value for that is told the table."""

    def __post_init__(self) -> None:
        self._spelled = Spelled(self.program, set())

    def build(self, gained: set[Class]) -> None:
        """Add the mends; the classes gain a field, or inherit one that is gained."""
        updates = list(self._updates())
        for told, _ in updates:
            list(self._spelled.parts(told[UPDATE]))  # all names that are read there
        for told, call in updates:
            self._look_at(told, gained, call)
        self._note_others()
        self._note_tests()
        for node, knot, code in self._codes.values():
            filename = self.program.names.module_of(node).filename
            self.mends.add(knot, Replace(filename, node.span, "CAP301", code))

    def _updates(self) -> Iterator[tuple[dict[str, tree.Node], tree.Call | None]]:
        """What updates tell the table by name, each with the call that does; or as a dict of a transaction."""
        names = self.program.names
        for module in names.modules.values():
            if module.generated or module.is_test:
                continue
            for call in module.each(tree.Call):
                given = told_by_name(names, call)
                if given.get(UPDATE) and given.get(VALUES):
                    yield {n: value for n, value in given.items() if value is not None}, call
            for display in module.each(tree.DictDisplay):
                told = dict(display.entries)
                if UPDATE in told and VALUES in told:
                    yield told, None

    def _look_at(
        self, told: dict[str, tree.Node], gained: set[Class], call: tree.Call | None = None
    ) -> None:
        """Extend the update that the arguments of a call, or the dict of a transaction, tell the table."""
        names = self.program.names
        aliases = entries_of_dict(names, told[NAMES]) if NAMES in told else {}
        parts = tuple(self._spelled.parts(told[UPDATE]))
        settings = tuple(
            _Setting(tree.text(aliases.get(m["name"])) or m["name"], m["name"], m["mark"], part)
            for part in {id(part.node): part for part in parts}.values()
            for m in _SETTING.finditer(self._written(part.node))
        )
        values = tuple(self._spelled.parts(told[VALUES]))
        key, named = told.get("Key"), told.get(NAMES)
        asked = self._spelled.parts(told[_ASKED]) if _ASKED in told else ()
        marks = frozenset(m for p in asked for text in p.texts for m in _MARK.findall(text))
        update = _Update(told[UPDATE], parts, settings, values, named, key, marks, call)
        self._looked_at.append(update)
        for display in [p.node for p in values if isinstance(p.node, tree.DictDisplay)]:
            self._of_entities(update, display, gained)
        known = entries_of_dict(names, key) if key is not None else {}
        parts_of_key = self._spelled.parts(key) if key is not None and not known else ()
        made = [p.node for p in parts_of_key if isinstance(p.node, tree.DictDisplay)]
        keys = [known] if known else [dict(one.entries) for one in made]
        for defect in (defect for one in keys for defect in self._changing(one)):
            for scope in self.mends.policy_order(defect.missing):
                if len(keys) == 1:
                    self._of_key(update, scope, defect)
                else:
                    self._of_any(update, scope, defect.knot)

    # --- values of an entity ---

    def _of_entities(self, update: _Update, values: tree.DictDisplay, gained: set[Class]) -> None:
        """Set what a class gains beside what is set of it already."""
        known = frozenset(one.name for one in update.settings)
        by_mark = {one.mark: one for one in update.settings}
        for mark, value in values.entries:
            setting = by_mark.get(mark)
            name = setting.name if setting is not None else mark.removeprefix(":")
            old = scope_named(name, self.program.policy.scopes)
            if not mark.startswith(":") or old is None or self.program.policy.is_key_name(name):
                continue
            for cls, scope in self.entries.lacking(values, name, value, gained, old, known):
                knot: Knot = ("class", cls)
                if setting is None:
                    new = rename(name, old, scope)
                    if new not in known and new != name:
                        self.mends.obstacle(knot, value, _UNPLACED.format(new))
                elif not self.entries.is_extended(values, f":{rename(name, old, scope)}", cls):
                    code = self.entries.code(values, value, old, scope, knot)
                    self._set(update, setting, (old, scope), code, knot)

    # --- items whose key changes ---

    def _changing(self, key: Mapping[str, tree.Node | None]) -> Iterator[KeyDefect]:
        """The defects of the key of an item that is updated."""
        is_key = self.program.policy.is_key_name
        found: dict[int, KeyDefect] = {}
        for name, value in key.items():
            if value is not None and is_key(name):
                inner = typed_value(value) or value
                found |= {id(one): one for one in self.planner.items.changing(inner)}
        yield from (one for one in found.values() if not one.module.is_test)

    def _of_any(self, update: _Update, scope: Scope, knot: Knot) -> None:
        """Note that an update of one of several items, whose key a caller gives, says whose it is by another scope."""
        for old, _ in self.program.policy.beside(scope):
            for setting in update.settings:
                new = rename(setting.name, old, scope)
                said = (id(setting.part.node), new) in self._done
                said = said or any(one.name == new for one in update.settings)
                if names_scope(setting.name, old) and not said:
                    reason = _UNSAID.format(setting.name, scope.parameter)
                    self.mends.obstacle(knot, setting.part.node, reason)

    def _of_key(self, update: _Update, scope: Scope, defect: KeyDefect) -> None:
        """Set a scope that the key of the item gets."""
        old = self.planner.loads.nearest([one.name for one in update.settings], scope)
        setting = next(
            (s for s in update.settings if old is not None and names_scope(s.name, old)), None
        )
        if old is None or setting is None:
            self._of_fields(update, scope, defect.knot)
            return
        values = update.values_of(setting.mark)
        said = values.under(setting.mark) if values is not None else None
        code = self.value(said, old, scope, defect.knot) if said is not None else None
        if code is None:
            new = rename(setting.name, old, scope)
            if all(one.name != new for one in update.settings):
                reason = _UNSAID.format(setting.name, scope.parameter)
                self.mends.obstacle(defect.knot, update.told, reason)
            return
        self._set(update, setting, (old, scope), code, defect.knot)

    def _of_fields(self, update: _Update, scope: Scope, knot: Knot) -> None:
        """Set a scope that a dict of fields lacks of which the expression and its values are made, `{f":{k}": v for k, v in
        fields.items()}`, or note that a person must."""
        found = False
        for part in update.parts:
            display = part.node
            if part.each is not None and isinstance(display, tree.DictDisplay):
                old = self.planner.loads.present(display, scope)
                entry = entry_of(display, old) if old is not None else None
                if old is not None and entry is not None:
                    found = True
                    self._field(update, display, entry, (old, scope), knot)
        if not found:
            self._of_unknown(update, scope, knot)

    def _field(
        self,
        update: _Update,
        display: tree.DictDisplay,
        entry: tuple[str, tree.Node],
        scopes: tuple[Scope, Scope],
        knot: Knot,
    ) -> None:
        """Put a scope's entry into such a dict, beside that of another one."""
        (name, value), (old, scope) = entry, scopes
        new = rename(name, old, scope)
        if new in dict(display.entries) or self._has_entry(display, new, knot):
            return
        named = self._spelled.parts(update.names) if update.names is not None else None
        whole = all(
            any(one.node is display and one.each is not None for one in parts)
            for parts in (update.values, named)
            if parts is not None
        )
        code = self.value(value, old, scope, knot) if whole else None
        if code is None:
            self.mends.obstacle(knot, display, _UNSAID.format(name, scope.parameter))
            return
        filename = self.program.names.module_of(display).filename
        before = self.entries.comes_before(scope, old)
        key = f'"{new}"'
        self.mends.add(
            knot, AddEntry(filename, display.span, "CAP301", key, code, value.span, before)
        )
        self.mends.expected.note(display, knot, scope, new)

    def _has_entry(self, display: tree.DictDisplay, new: str, knot: Knot) -> bool:
        """Whether a dict gets an entry already; what changes then belongs together."""
        filename = self.program.names.module_of(display).filename
        other = self.mends.added_entries().get((filename, display.span, new))
        if other is not None:
            self.state.groups.join(knot, other)
        return other is not None

    def _of_unknown(self, update: _Update, scope: Scope, knot: Knot) -> None:
        """Note an expression of which it is not known what it sets, where it is told the value of another scope."""
        if all(part.is_known for part in update.parts):
            return
        for part in update.values:
            for mark, value in (
                part.node.entries if isinstance(part.node, tree.DictDisplay) else ()
            ):
                said = last_name(typed_value(value) or value) or mark.removeprefix(":")
                old = scope_named(said, self.program.policy.scopes)
                if old is not None and old is not scope and mark not in update.elsewhere:
                    reason = _UNSAID.format(said, scope.parameter)
                    self.mends.obstacle(knot, update.told, reason)
                    return

    def value(self, said: tree.Node, old: Scope, scope: Scope, knot: Knot) -> str | None:
        """The code of what the new attribute is set to, beside what the other one is."""
        inner = typed_value(said) or said
        path, program = attribute_in(inner), self.program
        gaining = self.planner.sources.holders.field_knot
        classes = program.inference.any_class(program.inference.of(path.base)) if path else ()
        knots = [gaining(cls, scope) for cls in classes]
        if path is not None and knots and None not in knots:
            code: str | None = self.mends.fields.renamed_value(
                program.names.module_of(said), inner, old, scope
            )
        else:
            mirror = inner if isinstance(inner, tree.Name | tree.Attr) else None
            want = Want(scope, said, knot, "entry", mirror=mirror)
            value = self.mends.value(want)
            knots = [value.knot] if value is not None else []
            code = self.mends.code_of(want, knot)
        for one in knots:
            if one is not None:
                self.state.groups.join(knot, one)
        return f'{{"S": {code}}}' if inner is not said and code is not None else code

    # --- the expression ---

    def _written(self, text: tree.Node) -> str:
        """The code of an expression, as it is."""
        return self.mends.source(self.program.names.module_of(text), text.span)

    def _set(
        self,
        update: _Update,
        setting: _Setting,
        scopes: tuple[Scope, Scope],
        code: str,
        knot: Knot,
    ) -> None:
        """Have an update set one more scope beside what it sets of another one, or note that a person must."""
        old, scope = scopes
        new, text = rename(setting.name, old, scope), setting.part.node
        if new == setting.name or any(one.name == new for one in update.settings):
            return
        values = update.values_of(setting.mark)
        alike = [one for one in update.settings if one.written == setting.written]
        if values is None or len(alike) != 1 or self._is_other(setting.part):
            self.mends.obstacle(knot, text, _UNPLACED.format(new))
            return
        call = (update.call, UPDATE) if update.call is not None else None
        said = ExpressionNames(self.mends).name(new, setting.written, update.names, knot, call)
        known = self._done.get((id(text), new))
        if said is None or values.under(f":{new}") is not None or known not in (None, said):
            self.mends.obstacle(knot, text, _UNPLACED.format(new))
            return
        if known is not None:
            self.state.groups.join(self._codes[id(text)][1], knot)
        elif not self._say(setting, (old, scope), said, knot):
            self.mends.obstacle(knot, text, _UNPLACED.format(new))
            return
        self._given_for.add((id(text), new, id(update.told)))
        anchor, key = values.under(setting.mark), f":{new}"
        if not self._has_entry(values, key, knot):
            filename, span = self.program.names.module_of(values).filename, values.span
            at = anchor.span if anchor is not None else None
            before = self.entries.comes_before(scope, old)
            self.mends.add(knot, AddEntry(filename, span, "CAP301", f'"{key}"', code, at, before))

    def _say(self, setting: _Setting, scopes: tuple[Scope, Scope], said: str, knot: Knot) -> bool:
        """Have the expression set one more scope, which it names so; whether that can be written."""
        old, scope = scopes
        new, text = rename(setting.name, old, scope), setting.part.node
        _, _, whole = self._codes.get(id(text), (text, knot, self._written(text)))
        place = next((m for m in _SETTING.finditer(whole) if m["name"] == setting.written), None)
        if place is None:
            return False
        value = place[0].partition("=")[2].lstrip()
        value = value.replace(setting.written, said).replace(setting.mark, f":{new}")
        pair = f"{said} = {value}"
        before = self.entries.comes_before(scope, old)
        both = f"{pair}, {place[0]}" if before else f"{place[0]}, {pair}"
        self._codes[id(text)] = text, knot, whole[: place.start()] + both + whole[place.end() :]
        self._done[id(text), new] = said
        self._changed.append((place[0], knot))
        return True

    def _note_others(self) -> None:
        """An update that is told an expression which comes to set more, and gets no value for that, needs a person."""
        for text, new in self._done:
            for update in self._looked_at:
                reads = any(id(part.node) == text for part in update.parts)
                if reads and (text, new, id(update.told)) not in self._given_for:
                    knot = self._codes[text][1]
                    self.mends.obstacle(knot, update.told, _VALUELESS.format(new))

    def _is_other(self, part: Part) -> bool:
        """Whether something else than the updates that are looked at reads a constant."""
        if isinstance(part.node, tree.Name | tree.Attr):
            return True
        uses = NamedFields(self.mends).uses
        return any(
            id(use) not in self._spelled.read
            for binding in part.names
            if binding.kind == "assign" and binding.function is None
            for use in uses(binding)
        )

    def _note_tests(self) -> None:
        """A test that spells out what changes in an expression expects the old one."""
        for node in self.program.names.constants_of_tests() if self._changed else ():
            text = tree.text(node) or ""
            for said, knot in self._changed:
                if said in text:
                    self.mends.obstacle(knot, node, _SPELLED)
