"""Dicts that say which row is meant, `{"tenant": tenant_id, "id": note_id}`, and are compared with what rows say: whole,
or entry by entry. Both sides get the other scope, or neither does."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, rename
from capsule_lint.plan.entities.displays import entries_of, entry_of, names_any
from capsule_lint.plan.memory.local_filters import dict_in
from capsule_lint.plan.memory.matched_rows import MatchedRows, Side
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import last_name, owner_of

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class


_WHOLE: Final = frozenset(("frozenset", "tuple", "sorted"))
"""What keeps all entries that it is given."""
_MAY_BE_DICTS: Final = (tree.DictDisplay, tree.Call, tree.Name, tree.Subscript)


class DictKeys(Struct, frozen=True):
    """Demands the entries of the scopes that they lack."""

    local: LocalKeys
    rows: MatchedRows

    def find(self) -> None:
        """Look at every comparison of a repository, and at what its collections are asked for."""
        names, repositories = self.local.program.names, self.local.program.domain.repositories
        homes = {cls.module: None for cls in sorted(repositories, key=lambda c: c.symbol)}
        for module in homes:
            for node in () if module.generated else module.each(tree.Compare):
                if len(node.ops) == 1 and owner_of(names.function_of(node)) in repositories:
                    self._judge(node, *self._sides(self._compared(node)))
        for keys in self.local.asked.values():
            hashed = list(itertools.takewhile(bool, map(self._hashed, keys)))
            if len(hashed) == len(keys):
                for key in keys:
                    self._judge(key, [one for found in hashed for one in found])

    def _sides(self, sides: list[Side]) -> tuple[list[Display], set[Class]]:
        """The dicts that are compared, and the classes of the objects: those that say no scope ask for rows of all, where
        the other side has nothing but objects."""
        displays = [one for side in sides for one in side.displays]
        if not all(side.displays for side in sides):
            displays = [one for one in displays if names_any(one, self.local.program)]
        return displays, {cls for side in sides for cls in side.classes}

    def _judge(
        self, node: tree.Node, displays: list[Display], classes: AbstractSet[Class] = frozenset()
    ) -> None:
        """Demand what dicts lack, where objects of some classes are compared with them too."""
        notes, function = self.local.notes, self.local.program.names.function_of(node)
        owner = owner_of(function)
        if function is None or owner is None:
            return
        found: list[tuple[Display, Scope, Scope]] = []
        for scope in self.local.needs.required(owner, function, function.module):
            old = self._beside(displays, scope)
            if old is not None and all(self._has(c, displays, old, scope) for c in classes):
                every = self._with_rows(displays, old)
                found += [(one, old, scope) for one in every if entry_of(one, scope) is None]
        knot = notes.knot_in(owner, node)
        if not found or not self._tell(node, found, knot):
            return
        for display, old, scope in found:
            notes.extend(display, old, scope, knot)
        # where it takes any keywords, whoever calls it says the scopes among these
        inside, kinds = self.local.program.names.function_of, {p.kind for p in function.params}
        if "**" not in kinds or any(inside(display) is function for display, _, _ in found):
            notes.filtering.add(function)
        for cls in classes:
            notes.state.groups.join(knot, ("entity", cls.name))

    def _tell(
        self, node: tree.Node, found: list[tuple[Display, Scope, Scope]], knot: Knot
    ) -> bool:
        """Note that a comparison lacks scopes, or the calls that say by keywords what it asks for; not where people have
        said that this is meant."""
        notes, names = self.local.notes, self.local.program.names
        lacking: dict[int, tuple[tree.Node, list[Scope]]] = {}
        for display, _, scope in found:
            told = isinstance(display, tree.Call) and not tree.makes_dict(display)
            place = display if told else node
            if names.module_of(place).is_test:
                continue
            scopes = lacking.setdefault(id(place), (place, []))[1]
            scopes += [scope] if scope not in scopes else []
        if len(lacking) > 1:
            lacking.pop(id(node), None)
        drafts = [notes.draft(place, "made", scopes, knot) for place, scopes in lacking.values()]
        meant = [one for one in drafts if notes.is_silenced(one)]
        notes.defects += [] if meant else drafts
        return not meant

    def _has(self, cls: Class, displays: list[Display], old: Scope, scope: Scope) -> bool:
        """Whether the objects of a class have a scope, or gain it, under the name that dicts have beside the other one."""
        program, entry = self.local.program, entry_of(displays[0], old)
        if entry is None or not program.classes.has_attribute(cls, entry[0]):
            return False
        gains = cls in program.domain.entities and scope in program.policy.scopes_of(cls.name)
        return gains or program.classes.has_attribute(cls, rename(entry[0], old, scope))

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

    def _compared(self, node: tree.Compare) -> list[Side]:
        """What is compared, as it is written out; nothing where there may be others."""
        sides = self._items(node) or self._by_entry(node)
        if node.ops[0] in ("==", "!=") and not sides:
            sides = (node.left, node.rights[0])
            if not all(isinstance(side, _MAY_BE_DICTS) for side in sides):
                return []
        found = [side for one in sides if (side := self._side(one)) is not None]
        known = len(found) == len(sides) and any(side.displays for side in found)
        return found if known else []

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
                case (
                    [("for", (1,), tree.Call(func=tree.Attr(name="items", base=wanted), args=()))],
                    tree.Call(func=tree.Name(id="getattr")),
                ):
                    return (wanted, other)
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

    def _side(self, node: tree.Node) -> Side | None:
        """What an expression may be, wherever it comes from."""
        displays = self._displays(node)
        return Side(displays) if displays else self.rows.side(node)

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
