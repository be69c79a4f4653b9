"""Dicts that say which row is meant, `{"tenant": tenant_id, "id": note_id}`, and are compared with what rows say: whole,
or entry by entry. Both sides get the other scope, or neither does."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key
from capsule_lint.plan.entities.displays import entries_of, entry_of
from capsule_lint.plan.memory.local_filters import dict_in
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import last_name, owner_of

if TYPE_CHECKING:
    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.policy import Scope


_WHOLE: Final = frozenset(("frozenset", "tuple", "sorted"))
"""What keeps all entries that it is given."""
_MAY_BE_DICTS: Final = (tree.DictDisplay, tree.Call, tree.Name, tree.Subscript)


class DictKeys(Struct, frozen=True):
    """Demands the entries of the scopes that they lack."""

    local: LocalKeys

    def find(self) -> None:
        """Look at every comparison of a repository, and at what its collections are asked for."""
        names, repositories = self.local.program.names, self.local.program.domain.repositories
        homes = {cls.module: None for cls in sorted(repositories, key=lambda c: c.symbol)}
        for module in homes:
            for node in () if module.generated else module.each(tree.Compare):
                if len(node.ops) == 1 and owner_of(names.function_of(node)) in repositories:
                    self._judge(node, self._compared(node))
        for keys in self.local.asked.values():
            displays = list(itertools.takewhile(bool, map(self._hashed, keys)))
            if len(displays) == len(keys):
                for key in keys:
                    self._judge(key, [one for found in displays for one in found])

    def _judge(self, node: tree.Node, displays: list[Display]) -> None:
        notes, function = self.local.notes, self.local.program.names.function_of(node)
        owner = owner_of(function)
        if function is None or owner is None:
            return
        for scope in self.local.needs.required(owner, function, function.module):
            old = self._beside(displays, scope)
            if old is None:
                continue
            for display in self._with_rows(displays, old):
                if entry_of(display, scope) is None:
                    notes.extend(display, old, scope, notes.knot_in(owner, node))
                    notes.filtering.add(function)

    def _with_rows(self, displays: list[Display], old: Scope) -> list[Display]:
        """The dicts, and the rows of which they are made, `{"tenant": row["tenant"], …}`; none where a row is not
        known."""
        every = list(displays)
        for display in displays:
            entry = entry_of(display, old)
            key = item_key(entry[1], old) if entry is not None else None
            row = dict_in(entry[1]) if entry is not None and key is not None else None
            if row is not None:
                rows = self._displays(row)
                said = [entry_of(one, old) for one in rows]
                if not rows or any(one is None or one[0] != key for one in said):
                    return []
                self.local.notes.of_rows.add(id(display))
                every += rows
        return every

    def _beside(self, displays: list[Display], scope: Scope) -> Scope | None:
        """The scope that all of them say under one name, beside which another one comes."""
        for old, _ in self.local.program.policy.beside(scope):
            entries = [entry_of(one, old) for one in displays]
            if len({entry and entry[0] for entry in entries}) == 1 and None not in entries:
                return old
        return None

    def _compared(self, node: tree.Compare) -> list[Display]:
        """The dicts that are compared, as they are written out; none where there may be others."""
        sides = self._items(node) or self._by_entry(node)
        if node.ops[0] in ("==", "!=") and not sides:
            sides = (node.left, node.rights[0])
            if not all(isinstance(side, _MAY_BE_DICTS) for side in sides):
                return []
        found = list(itertools.takewhile(bool, map(self._displays, sides)))
        return [one for side in found for one in side] if len(found) == len(sides) else []

    def _items(self, node: tree.Compare) -> tuple[tree.Node, ...]:
        """`wanted` and `row` of `wanted.items() <= row.items()`."""
        match node.left, node.rights[0]:
            case (
                tree.Call(func=tree.Attr(name="items", base=one), args=()),
                tree.Call(func=tree.Attr(name="items", base=other), args=()),
            ):
                return (one, other)
            case _:
                return ()

    def _by_entry(self, node: tree.Compare) -> tuple[tree.Node, ...]:
        """`wanted` and `row` of `all(row[name] == value for name, value in wanted.items())`."""
        for side, other in ((node.left, node.rights[0]), (node.rights[0], node.left)):
            bindings = (
                self.local.program.names.bindings_of(side) if isinstance(side, tree.Name) else ()
            )
            match [(b.kind, b.path, b.value) for b in bindings], other:
                case (
                    [("for", (1,), tree.Call(func=tree.Attr(name="items", base=wanted), args=()))],
                    tree.Subscript(base=row) | tree.Call(func=tree.Attr(name="get", base=row)),
                ):
                    return (wanted, row)
        return ()

    def _hashed(self, key: tree.Node) -> tuple[Display, ...]:
        """The dict of which a key is made, whole: `frozenset(wanted.items())`, `tuple(sorted(wanted.items()))`."""
        made = behind(self.local.program.names, key) or key
        while isinstance(made, tree.Call) and last_name(made.func) in _WHOLE and made.plain:
            made = made.plain[0]
        match made:
            case tree.Call(func=tree.Attr(name="items", base=base), args=()):
                return self._displays(base)
            case _:
                return ()

    def _displays(self, node: tree.Node) -> tuple[Display, ...]:
        """A dict as it is written out, wherever it comes from."""
        origins = self.local.rows.origins
        found = origins(node)
        key = tree.text(node.index) if isinstance(node, tree.Subscript) else None
        if isinstance(node, tree.Subscript) and key is not None:  # what rows have under a key
            rows = origins(node.base)
            under = [value for row in rows.displays for k, value in entries_of(row) if k == key]
            parts = [origins(value) for value in under]
            whole = rows.complete and all(one.complete and one.displays for one in parts)
            return tuple(d for one in parts for d in one.displays) if whole else ()
        return found.displays if found.complete else ()
