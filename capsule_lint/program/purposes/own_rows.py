"""The keys that entities make of themselves, with the sort keys beside them: whose row a key tells, whoever asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.places.beside import Beside
from capsule_lint.program.texts.pieces import Filled

if TYPE_CHECKING:
    from capsule_lint.program.model import Class
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.purposes.domain import Domain

_Rows: TypeAlias = dict[str, dict[str, set[str]]]


@dataclass(eq=False, slots=True)
class OwnRows:
    """Knows them. The names of entities that policy's table does not have are empty."""

    domain: Domain
    _own: tuple[int, _Rows] = (-1, {})
    """What was found for so many keys."""

    def names(self, site: KeySite) -> set[str]:
        """The names of the entities that make such a key of themselves."""
        return {name for names in self.beside(site).values() for name in names}

    def beside(self, site: KeySite) -> dict[str, set[str]]:
        """The same by the sort keys that stand beside the key, which are empty where there is none."""
        return self._found().get(site.template.text, {})

    def _found(self) -> _Rows:
        """What the keys say that entities make of themselves, and the sort keys beside them, which are empty where there
        is none; with their names, which are empty where policy's table does not have them."""
        entities, sites = self.domain.policy.entities, self.domain.keys.sites
        if entities and self._own[0] != len(sites):
            self._own = len(sites), {}  # which is asked for again while it is found
            own: _Rows = {}
            for one in sites:
                cls = self._made_of(one)
                if cls is not None:
                    rows = own.setdefault(one.template.text, {})
                    sort_keys = Beside(self.domain.keys).sort_keys(one.template.host)
                    for sort_key in {found.text for found in sort_keys} or {""}:
                        rows.setdefault(sort_key, set()).add(self.listed(cls))
            self._own = len(sites), own
        return self._own[1]

    def sharing(self, site: KeySite) -> str | None:
        """The entity of policy's table that has rows of its own in a partition which is queried as a whole, beside those
        of others: `Key("PK").eq(f"TENANT#{tenant_id}")`."""
        parent, names = self.domain.names.parent, self.names(site)
        narrow = names - {""}
        if site.index or not narrow or "" not in names or "" in self.beside(site):
            return None
        match around := parent(site.template.host):
            case tree.Call(func=tree.Attr(name="eq")):
                whole = not isinstance(parent(around), tree.Binary)
            case tree.DictDisplay(entries=entries):
                told = [name for name, _ in entries]
                whole = len(told) == 1 and told[0].startswith(":")
            case _:
                whole = False
        return min(narrow) if whole else None

    def listed(self, cls: Class) -> str:
        """The name by which policy's table has a class, or nothing."""
        names = (name for name in (cls.name, cls.symbol) if name in self.domain.policy.entities)
        return next(names, "")

    def _made_of(self, site: KeySite) -> Class | None:
        """The entity that makes a key of itself, or of which alone it is made: `f"TAX#{rate.country}"`."""
        if site.owner is not None and site.owner in self.domain.entities:
            return site.owner
        holes = [piece.value for piece in site.template.pieces if isinstance(piece, Filled)]
        bases = [hole.base for hole in holes if isinstance(hole, tree.Attr)]
        if not bases or len(bases) < len(holes):
            return None
        made = {cls for base in bases for cls in classes_of(self.domain.inference.of(base))}
        return made.pop() if len(made) == 1 and made <= self.domain.entities else None
