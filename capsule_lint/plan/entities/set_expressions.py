"""Updates that write an item, `SET tenant_id = :t, title = :title`, and take the values from an entity that gains a field:
the expression sets it as well."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddEntry, Replace
from capsule_lint.plan.code import rename
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.local_names import behind
from capsule_lint.program.places.sites import NAMES, UPDATE, VALUES
from capsule_lint.program.texts.pieces import scope_named

if TYPE_CHECKING:
    from capsule_lint.plan.entities.entry_mends import EntryMends
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.program.model import Class

_SET: Final = re.compile(r"(?<![\w#])(?P<name>#?\w+)\s*=\s*(?P<value>:\w+)")
_RESERVED: Final = frozenset(
    [
        *("bucket", "class", "cluster", "domain", "group", "location", "namespace", "partition"),
        *("path", "plan", "region", "role", "scope", "segment", "shard", "space", "zone"),
    ]
)
"""Words that mean something in expressions by themselves, as far as scopes are called so."""
_UNPLACED: Final = "may be what an item is made of, and `{}` cannot be placed in the expression"
_SPELLED: Final = "spells out an expression that changes"


class _Update(Struct, frozen=True):
    """The expression of an update, the values in it, and the attributes that its `#names` stand for."""

    text: tree.Node
    values: tree.DictDisplay
    names: tree.DictDisplay | None

    @property
    def aliases(self) -> dict[str, str]:
        """What the `#names` stand for."""
        entries = self.names.entries if self.names is not None else ()
        return {name: tree.text(value) or "" for name, value in entries}

    @property
    def sets(self) -> dict[str, str]:
        """What the `:values` are set as."""
        return {m["value"]: m["name"] for m in _SET.finditer(tree.text(self.text) or "")}


@dataclass(eq=False, slots=True)
class SetExpressions(MendRoom):
    """Extends them."""

    mends: Mends
    entries: EntryMends
    _codes: dict[int, tuple[tree.Node, Knot, str]] = field(default_factory=dict)
    """The code of expressions, as they become."""

    def build(self, gained: set[Class]) -> None:
        """Add the mends for the classes that gain a field, and their heirs."""
        for module in self.program.names.modules.values():
            if gained and not module.generated and not module.is_test:
                told = [dict(call.keywords) for call in module.each(tree.Call)]
                told += [dict(display.entries) for display in module.each(tree.DictDisplay)]
                for update in filter(None, map(self._told, told)):
                    self._complete(update, gained)
        for node, knot, code in self._codes.values():
            filename = self.program.names.module_of(node).filename
            self.mends.add(knot, Replace(filename, node.span, "CAP301", code))

    def _told(self, told: dict[str, tree.Node]) -> _Update | None:
        """The update that the arguments of a call, or the dict of a transaction, tell the table."""
        if UPDATE not in told or VALUES not in told:
            return None
        names = self.program.names
        text, values = behind(names, told[UPDATE]) or told[UPDATE], behind(names, told[VALUES])
        aliases = behind(names, told[NAMES]) if NAMES in told else None
        if not isinstance(values, tree.DictDisplay):
            return None
        return _Update(text, values, aliases if isinstance(aliases, tree.DictDisplay) else None)

    def _complete(self, update: _Update, gained: set[Class]) -> None:
        """Have an update set what a class gains beside what it sets already."""
        aliases, sets = update.aliases, update.sets
        known = frozenset(aliases.get(name, name) for name in sets.values())
        for mark, value in update.values.entries:
            said = sets.get(mark, mark.removeprefix(":"))
            name = aliases.get(said, said)
            old = scope_named(name, self.program.policy.scopes)
            if old is None or self.program.policy.is_key_name(name):
                continue
            for cls, scope in self.entries.lacking(update.values, name, value, gained, old, known):
                new, knot = rename(name, old, scope), ("class", cls)
                if new in known or new == name:
                    continue
                before = self.entries.comes_before(scope, old)
                if mark not in sets or not self._place(update, mark, new, knot, before=before):
                    self.mends.obstacle(knot, value, _UNPLACED.format(new))
                    continue
                code = self.entries.code(update.values, value, old, scope, knot)
                filename, at = self.program.names.module_of(value).filename, update.values.span
                entry = AddEntry(filename, at, "CAP301", f'":{new}"', code, value.span, before)
                if not self.entries.is_extended(update.values, f":{new}", cls):
                    self.mends.add_once(knot, entry)

    def _place(self, update: _Update, mark: str, new: str, knot: Knot, *, before: bool) -> bool:
        """Set one more attribute in the expression, beside what is set to a value; whether that could be done."""
        names, node, said = self.program.names, update.text, update.sets[mark]
        if id(node) in self._codes:
            code = self._codes[id(node)][2]
        else:
            code = self.mends.source(names.module_of(node), node.span)
        found = next((m for m in _SET.finditer(code) if m["value"] == mark), None)
        is_alias = said.startswith("#") or new.lower() in _RESERVED
        if found is None or (is_alias and update.names is None):
            return False
        name = f"#{new}" if is_alias else new
        if is_alias and update.names is not None:
            self._stand_for(update.names, said, new, knot)
        pair = f"{name} = :{new}"
        both = f"{pair}, {found[0]}" if before else f"{found[0]}, {pair}"
        self._codes[id(node)] = node, knot, code[: found.start()] + both + code[found.end() :]
        self._note_tests(found[0], knot)
        return True

    def _stand_for(self, names: tree.DictDisplay, beside: str, new: str, knot: Knot) -> None:
        """Have a `#name` stand for the attribute."""
        filename = self.program.names.module_of(names).filename
        spans = [value.span for name, value in names.entries if name == beside]
        anchor = next(iter(spans), None)
        mend = AddEntry(filename, names.span, "CAP301", f'"#{new}"', f'"{new}"', anchor)
        self.mends.add_once(knot, mend)

    def _note_tests(self, said: str, knot: Knot) -> None:
        """A test that spells the expression out expects the old one."""
        for module in self.program.names.modules.values():
            for node in module.each(tree.Const) if module.is_test else ():
                if said in (tree.text(node) or ""):
                    self.mends.obstacle(knot, node, _SPELLED)
