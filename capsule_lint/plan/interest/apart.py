"""Which files have nothing to do with what changes: no import leads from their package to it, nor back.

A name such as `get` stands in a great part of all that others wrote. Where no package that holds a key imports theirs, and
theirs imports none of these, nothing of the one gets into the other.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet


_IMPORT: Final = re.compile(
    r"(?:^|[;:])(?:[ \t]|\\\r?\n)*(?:from(?:[ \t]|\\\r?\n)*(?P<module>[.\w]+)|import(?:[ \t]|\\\r?\n)+(?P<modules>[^\r\n#;]+))",
    re.MULTILINE,
)
_NAMED: Final = re.compile(r"""["'](\w+)[.:]\w""")
"""What a text may name: `patch("app.notes.load")`, `"app.main:handler"`."""
_LOADING: Final = re.compile(r"\b(?:import_module|__import__|iter_modules|walk_packages)\b")
"""What imports by names that are made."""
_TABLES: Final = re.compile(
    r"dynamo|KeyConditionExpression|\b(?:batch_)?(?:get|put|delete|update|write)_items?\b",
    re.IGNORECASE,
)


@dataclass(eq=False)
class Apart:
    """Knows the packages of a program, by their topmost folders that hold modules, and what they import."""

    texts: Mapping[str, str]
    tags: tuple[str, ...] = ()
    """Those of the policy's scopes: what holds one has to do with isolation."""
    _telling: dict[str, bool] = field(default_factory=dict)
    """Whether files tell of it, or of the table, as far as that was asked."""

    @cached_property
    def names(self) -> frozenset[str]:
        """The names under which packages import each other."""
        return frozenset(self._folders.keys() | self._inside.keys())

    def leads_to(self, names: AbstractSet[str]) -> bool:
        """Whether one of the files imports, or names in a text, what other packages than its own are called."""
        for filename, text in self.texts.items():
            said = {name for name, _ in _imported(text, 0)} | _named(text)
            if not names.isdisjoint(said.difference(PurePosixPath(filename).parts)):
                return True
        return False

    def from_(self, living: AbstractSet[str], linked: AbstractSet[str], spare: int) -> set[str]:
        """The files of the packages that have nothing to do with those of some files; the linked ones tell by their texts,
        too. None, where one of these imports by names that are made, or where the files besides the linked ones have no
        more than `spare` characters."""
        alive = {self._homes[name] for name in living if name in self._homes}
        alive |= {self._homes[name] for name in linked if self._tells(name)}
        if self._size(self._others(alive) - linked) <= spare:
            return set()  # before all imports are looked at
        queue = list(alive)
        while queue:
            new = self._beside[queue.pop()] - alive
            alive |= new
            queue += new
        others = self._others(alive)
        if self._size(others - linked) <= spare:
            return set()
        near = self.texts.keys() - others
        return set() if any(_LOADING.search(self.texts[name]) for name in near) else others

    def _others(self, homes: AbstractSet[str]) -> set[str]:
        return {name for name, home in self._homes.items() if home not in homes}

    def _size(self, names: Iterable[str]) -> int:
        return sum(len(self.texts[name]) for name in names)

    def _tells(self, name: str) -> bool:
        """Whether a file has to do with isolation, or with the table."""
        if name not in self._telling:
            text = self.texts[name]
            told = any(tag in text for tag in self.tags) or _TABLES.search(text) is not None
            self._telling[name] = told
        return self._telling[name]

    @cached_property
    def _homes(self) -> dict[str, str]:
        """The topmost folder with modules in it around each file; a file that lies in none is one by itself."""
        some = {name.rpartition("/")[0]: name for name in self.texts}  # one of each folder
        folders = {folder: PurePosixPath(name).parents for folder, name in some.items()}
        holding = {str(above[0]) for above in folders.values()}
        tops = {}
        for folder, parents in folders.items():
            *above, _ = map(str, parents)  # all but the root itself
            tops[folder] = next((one for one in reversed(above) if one in holding), None)
        return {name: tops[name.rpartition("/")[0]] or name for name in self.texts}

    @cached_property
    def _folders(self) -> dict[str, set[str]]:
        """The packages by the folders that lead to them."""
        found = defaultdict(set)
        for home in set(self._homes.values()):
            for part in PurePosixPath(home).parts:
                found[PurePosixPath(part).stem].add(home)
        return dict(found)

    @cached_property
    def _inside(self) -> dict[str, set[str]]:
        """The packages by what lies in them, and in its folders: an import may begin with that where modules are looked
        for in a package itself."""
        found = defaultdict(set)
        for name, home in self._homes.items():
            inner = PurePosixPath(name).relative_to(home).parts
            inner = tuple(part.partition(".")[0] for part in inner)
            if inner and inner[0] != "__init__" and inner[0] not in sys.stdlib_module_names:
                found[inner[0]].add(home)
                found[".".join(inner[:2])].add(home)
        return dict(found)

    @cached_property
    def _beside(self) -> dict[str, set[str]]:
        """The packages that import a package, or that it imports."""
        found: dict[str, set[str]] = defaultdict(set)
        for filename, home in self._homes.items():
            text, depth = (
                self.texts[filename],
                len(PurePosixPath(filename).relative_to(home).parts),
            )
            said, others = _named(text), set[str]()
            for first, second in _imported(text, depth):
                said.add(first)
                others |= self._inside.get(f"{first}.{second}" if second else first, set())
            others.update(other for name in said for other in self._folders.get(name, ()))
            for other in others:
                found[home].add(other)
                found[other].add(home)
        return found


def _imported(text: str, depth: int) -> set[tuple[str, str]]:
    """What the imports of a file begin with, two names each, but for those that stay in the `depth` folders of its
    package."""
    found = set()
    text = text if text.isascii() else unicodedata.normalize("NFKC", text)
    for match in _IMPORT.finditer(text):
        for module in (match["module"] or match["modules"]).split(","):
            said = module.split()[0] if module.strip() else ""
            name = said.lstrip(".")
            if len(said) - len(name) <= depth and name != said:
                continue
            first, _, more = name.partition(".")
            found.add((first, more.partition(".")[0]))
    return found


def _named(text: str) -> set[str]:
    """What the texts in a file begin with that may name something."""
    return {match[1] for match in _NAMED.finditer(text)}
