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
from capsule_lint.plan.entities.expression_names import ExpressionNames
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Want
from capsule_lint.plan.testing.expected import typed_value
from capsule_lint.program.local_names import behind, entries_of_dict
from capsule_lint.program.model import last_name
from capsule_lint.program.places.sites import NAMES, UPDATE, VALUES
from capsule_lint.program.texts.pieces import names_scope, scope_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.entry_mends import EntryMends
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class

_SETTING: Final = re.compile(
    r"(?<![\w#.])(?P<name>#?\w+)\s*=\s*(?P<value>if_not_exists\(\s*(?P=name)\s*,\s*)?(?P<mark>:\w+)(?(value)\s*\))"
)
"""One attribute that an update sets, perhaps only where there is none yet."""
_UNPLACED: Final = "may be what an item is made of, and `{}` cannot be placed in the expression"
_UNSAID: Final = "sets `{0}` of an item that gets `{1}`: it may have to set that as well"
_SPELLED: Final = "spells out an expression that changes"


class _Setting(Struct, frozen=True):
    """An attribute that an update sets: what it is called and written as, and the mark of its value."""

    name: str
    written: str
    mark: str


class _Update(Struct, frozen=True):
    """The expression of an update, what the marks in it stand for, and what the `#names` do; and the call that has
    all that, if it is one."""

    text: tree.Node
    values: tree.Node | None
    names: tree.Node | None
    settings: tuple[_Setting, ...]
    call: tree.Call | None


@dataclass(eq=False, slots=True)
class Updates(MendRoom):
    """Extends them."""

    mends: Mends
    entries: EntryMends
    _codes: dict[int, tuple[tree.Node, Knot, str]] = field(default_factory=dict)
    """The code of expressions, as they become."""
    _done: set[tuple[int, str]] = field(default_factory=set)
    """The expressions, by their ids, and what they are to set besides."""

    def build(self, gained: set[Class]) -> None:
        """Add the mends; the classes gain a field, or inherit one that is gained."""
        for module in self.program.names.modules.values():
            if not module.generated and not module.is_test:
                for call in module.each(tree.Call):
                    self._look_at(dict(call.keywords), gained, call)
                for display in module.each(tree.DictDisplay):
                    self._look_at(dict(display.entries), gained)
        for node, knot, code in self._codes.values():
            filename = self.program.names.module_of(node).filename
            self.mends.add(knot, Replace(filename, node.span, "CAP301", code))

    def _look_at(
        self, told: dict[str, tree.Node], gained: set[Class], call: tree.Call | None = None
    ) -> None:
        """Extend the update that the arguments of a call, or the dict of a transaction, tell the table."""
        if UPDATE not in told or VALUES not in told:
            return
        names = self.program.names
        text = behind(names, told[UPDATE]) or told[UPDATE]
        aliases = entries_of_dict(names, told[NAMES]) if NAMES in told else {}
        settings = tuple(
            _Setting(tree.text(aliases.get(m["name"])) or m["name"], m["name"], m["mark"])
            for m in _SETTING.finditer(self._code(text))
        )
        values = behind(names, told[VALUES])
        update = _Update(text, values, told.get(NAMES), settings, call)
        self._of_entities(update, gained)
        if call is not None and last_name(call.func) == "update_item":
            for defect in self._changing(call):
                for scope in self.mends.policy_order(defect.missing):
                    self._of_key(update, scope, defect)

    # --- values of an entity ---

    def _of_entities(self, update: _Update, gained: set[Class]) -> None:
        """Set what a class gains beside what is set of it already."""
        values = update.values
        if not isinstance(values, tree.DictDisplay):
            return
        known = frozenset(one.name for one in update.settings)
        by_mark = {one.mark: one for one in update.settings}
        for mark, value in values.entries:
            setting = by_mark.get(mark)
            name = setting.name if setting is not None else mark.removeprefix(":")
            old = scope_named(name, self.program.policy.scopes)
            if old is None or self.program.policy.is_key_name(name):
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

    def _changing(self, call: tree.Call) -> Iterator[KeyDefect]:
        """The defects of the key of an item that a call updates."""
        key, is_key = call.keyword("Key"), self.program.policy.is_key_name
        found: dict[int, KeyDefect] = {}
        for name, value in entries_of_dict(self.program.names, key).items() if key else ():
            if value is not None and is_key(name):
                inner = typed_value(value) or value
                found |= {id(one): one for one in self.planner.items.changing(inner)}
        yield from (one for one in found.values() if not one.module.is_test)

    def _of_key(self, update: _Update, scope: Scope, defect: KeyDefect) -> None:
        """Set a scope that the key of the item gets."""
        old = self.planner.loads.nearest([one.name for one in update.settings], scope)
        setting = next(
            (s for s in update.settings if old is not None and names_scope(s.name, old)), None
        )
        if old is None or setting is None:
            return
        values = update.values
        said = values.under(setting.mark) if isinstance(values, tree.DictDisplay) else None
        code = self._value(said, old, scope, defect.knot) if said is not None else None
        if code is None:
            new = rename(setting.name, old, scope)
            if all(one.name != new for one in update.settings):
                reason = _UNSAID.format(setting.name, scope.parameter)
                self.mends.obstacle(defect.knot, update.text, reason)
            return
        self._set(update, setting, (old, scope), code, defect.knot)

    def _value(self, said: tree.Node, old: Scope, scope: Scope, knot: Knot) -> str | None:
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

    def _code(self, text: tree.Node) -> str:
        """The code of an expression, as it has become so far."""
        if id(text) in self._codes:
            return self._codes[id(text)][2]
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
        new, text = rename(setting.name, old, scope), update.text
        if new == setting.name or any(one.name == new for one in update.settings):
            return
        if (id(text), new) in self._done:
            self.state.groups.join(self._codes[id(text)][1], knot)
            return
        places = [m for m in _SETTING.finditer(self._code(text)) if m["name"] == setting.written]
        said: str | None = None
        values = update.values if isinstance(update.values, tree.DictDisplay) else None
        free = values is not None and values.under(f":{new}") is None
        if free and len(places) == 1 and not isinstance(text, tree.Name | tree.Attr):
            call = (update.call, UPDATE) if update.call is not None else None
            naming = ExpressionNames(self.mends)
            said = naming.name(new, setting.written, update.names, knot, call)
        if said is None or values is None:
            self.mends.obstacle(knot, text, _UNPLACED.format(new))
            return
        place, before = places[0], self.entries.comes_before(scope, old)
        value = place[0].partition("=")[2].lstrip()
        value = value.replace(setting.written, said).replace(setting.mark, f":{new}")
        pair = f"{said} = {value}"
        both = f"{pair}, {place[0]}" if before else f"{place[0]}, {pair}"
        whole = self._code(text)
        self._codes[id(text)] = text, knot, whole[: place.start()] + both + whole[place.end() :]
        self._done.add((id(text), new))
        anchor = values.under(setting.mark)
        at = anchor.span if anchor is not None else None
        filename, span = self.program.names.module_of(values).filename, values.span
        entry = AddEntry(filename, span, "CAP301", f'":{new}"', code, at, before)
        self.mends.add_once(knot, entry)
        self._note_tests(place[0], knot)

    def _note_tests(self, said: str, knot: Knot) -> None:
        """A test that spells the expression out expects the old one."""
        for module in self.program.names.modules.values():
            for node in module.each(tree.Const) if module.is_test else ():
                if said in (tree.text(node) or ""):
                    self.mends.obstacle(knot, node, _SPELLED)
