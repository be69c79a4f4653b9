"""The keys that entities make of themselves, with the sort keys beside them: whose row a key tells, whoever asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.places.beside import Beside
from capsule_lint.program.texts.pieces import Filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Class
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.purposes.domain import Domain

_Rows: TypeAlias = dict[str, dict[str, set[str]]]


@dataclass(eq=False, slots=True)
class OwnRows:
    """Knows them. The names of entities that policy's table does not have are empty."""

    domain: Domain
    _known: tuple[int, dict[str, set[str]], _Rows] = (-1, {}, {})
    """What was found for so many keys: the names by what the keys say, and by the sort keys of the table beside these."""
    _inside: dict[Class, list[KeySite]] = field(default_factory=dict)
    _helped: tuple[tuple[int, int], dict[Class, list[KeySite]]] = ((-1, -1), {})
    """The keys that classes have helpers make, of so many keys and helpers."""

    def names(self, site: KeySite) -> set[str]:
        """The names of the entities that make such a key of themselves."""
        return self._found()[1].get(site.template.text, set())

    def inside(self, cls: Class, name: str) -> list[KeySite]:
        """The keys that stand in the class of an entity itself, where policy's table has it by that name."""
        self._found()
        return self._inside.get(cls, []) if self.listed(cls) == name else []

    def made(self, cls: Class, name: str) -> list[KeySite]:
        """Those and the keys that such a class has helpers make."""
        by_helpers = self._by_helpers(cls) if self.listed(cls) == name else ()
        return [*self.inside(cls, name), *by_helpers]

    def _by_helpers(self, cls: Class) -> list[KeySite]:
        keys = self.domain.keys
        asked = len(keys.sites), len(keys.helpers)
        if self._helped[0] != asked:
            self._helped = asked, {}
        known = self._helped[1]
        if cls not in known:
            methods = cls.methods.values()
            helpers = {helper: None for method in methods for helper in keys.helpers_of(method)}
            others = (site for helper in helpers for site in keys.inside(helper))
            known[cls] = [one for one in others if one.owner is not cls]
        return known[cls]

    def by_sort_keys(self, site: KeySite) -> dict[str, set[str]]:
        """The names of those that make such a key of the table, by the sort keys beside it, which are empty where there
        is none."""
        return self._found()[2].get(site.template.text, {})

    def _found(self) -> tuple[int, dict[str, set[str]], _Rows]:
        sites = self.domain.keys.sites
        if self.domain.policy.entities and self._known[0] != len(sites):
            self._known = len(sites), {}, {}  # which is asked for again while it is found
            names: dict[str, set[str]] = {}
            rows: _Rows = {}
            inside: dict[Class, list[KeySite]] = {}
            for one in sites:
                cls = self.made_of(one)
                if cls is None:
                    continue
                names.setdefault(one.template.text, set()).add(self.listed(cls))
                if one.owner is cls:
                    inside.setdefault(cls, []).append(one)
                beside = () if one.index else Beside(self.domain.keys).rows(one.template.host)
                for sort_key in {found.text for found in beside} or {""} if not one.index else ():
                    told = rows.setdefault(one.template.text, {})
                    told.setdefault(sort_key, set()).add(self.listed(cls))
            self._known, self._inside = (len(sites), names, rows), inside
        return self._known

    def sharing(self, site: KeySite) -> str | None:
        """The entity of policy's table that has rows of its own in a partition which is queried as a whole, beside those
        of others: `Key("PK").eq(f"TENANT#{tenant_id}")`."""
        rows = self.by_sort_keys(site)
        made = {name for names in rows.values() for name in names}
        narrow = made - {""}
        if site.index or not narrow or "" not in made or "" in rows:
            return None
        return min(narrow) if any(map(self._is_whole, self._stands(site.template.host))) else None

    def _stands(self, host: tree.Node) -> Iterator[tree.Node]:
        """Where a key stands: where it is written, or where the local name is read that gets it."""
        names = self.domain.names
        match names.parent(host):
            case tree.Assign(targets=(tree.Name() as local,)):
                yield from reads_of(names, local, (local.at,))
            case _:
                yield host

    def _is_whole(self, key: tree.Node) -> bool:
        """Whether a condition asks for nothing but a key."""
        parent = self.domain.names.parent
        around = parent(key)
        match around:
            case tree.DictDisplay(keys=(tree.Const(value="S"),)):
                around = parent(around)
        match around:
            case tree.Call(func=tree.Attr(name="eq")):
                return not isinstance(parent(around), tree.Binary)
            case tree.DictDisplay(entries=entries):
                told = [name for name, _ in entries]
                return len(told) == 1 and told[0].startswith(":")
            case _:
                return False

    def listed(self, cls: Class) -> str:
        """The name by which policy's table has a class, or nothing."""
        names = (name for name in (cls.name, cls.symbol) if name in self.domain.policy.entities)
        return next(names, "")

    def made_of(self, site: KeySite) -> Class | None:
        """The entity that makes a key of itself, or of which alone it is made: `f"TAX#{rate.country}"`."""
        if site.owner is not None and site.owner in self.domain.entities:
            return site.owner
        holes = [piece.value for piece in site.template.pieces if isinstance(piece, Filled)]
        bases = [hole.base for hole in holes if isinstance(hole, tree.Attr)]
        if not bases or len(bases) < len(holes):
            return None
        made = {cls for base in bases for cls in classes_of(self.domain.inference.of(base))}
        return made.pop() if len(made) == 1 and made <= self.domain.entities else None
