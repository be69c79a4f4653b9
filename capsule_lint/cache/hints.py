"""What the texts of files tell by themselves, and which of them did not matter to an earlier run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from capsule_lint.cache.store import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capsule_lint.cache.store import Plain, Store

_NAME: Final = "hints"


class Hints(NamedTuple):
    """What a text tells by itself, under one policy."""

    telling: bool
    """Whether it holds a word of interest."""
    stars: tuple[str, ...]
    """The modules that it imports all of."""
    lookups: tuple[str, ...]
    """What the names start with by which it looks functions up."""
    hidden: tuple[str, ...]
    """The words that are read in it, and are not written so."""


class Search(Struct, frozen=True):
    """What files were searched for in the end, and where something of it was found."""

    words: frozenset[str]
    parts: frozenset[str]
    """The words that are searched for beside a separator."""
    separators: frozenset[str]
    found: frozenset[str]


@dataclass(eq=False, slots=True)
class KnownHints:
    """The hints of an earlier run, from the cache or, without a `store`, from this process."""

    store: Store | None = None
    version: bytes = b""
    """The code of the tool."""
    search: Search | None = None
    """The last one; it counts for files whose hints are known."""
    joined: frozenset[str] = frozenset()
    """The files that names led to."""
    quiet: frozenset[str] = frozenset()
    """The others that look functions up by names that they make."""
    _name: bytes = b""
    _known: dict[str, tuple[bytes, Hints]] = field(default_factory=dict)
    """With the digest of the text."""
    _texts: dict[str, tuple[str, Hints]] = field(default_factory=dict)
    """Those of this process, with the text itself."""
    _digests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Of texts, where they have been made."""

    def of(self, texts: Mapping[str, str], policy: str) -> dict[str, Hints]:
        """The hints that are known of these texts, under a policy in words."""
        name = digest(self.version, policy.encode(errors="surrogateescape"))
        if name != self._name:
            self._name, self.search, self._texts = name, None, {}
            self._load()
        found: dict[str, Hints] = {}
        for filename, text in texts.items():
            seen = self._texts.get(filename)
            if seen is not None and seen[0] is text:
                found[filename] = seen[1]
            elif filename in self._known:
                known, hints = self._known[filename]
                if known == self._digest(filename, text):
                    found[filename] = hints
        return found

    def note(
        self, texts: Mapping[str, str], hints: Mapping[str, Hints], search: Search | None
    ) -> None:
        """Know the hints of these texts, and what they were searched for."""
        self._texts = {name: (text, hints[name]) for name, text in texts.items()}
        self.search = search

    def save(self) -> None:
        """Keep what is known."""
        if self.store is None or not self._texts or self.search is None:
            return
        kept: dict[str, Plain] = {}
        for filename, (text, hints) in self._texts.items():
            kept[filename] = self._digest(filename, text), tuple(hints)
        search = self.search
        said = (
            search.words,
            search.parts,
            search.separators,
            search.found,
            self.joined,
            self.quiet,
        )
        self.store.save(_NAME, (self._name, tuple(tuple(sorted(one)) for one in said), kept))

    def _load(self) -> None:
        match self.store.load(_NAME) if self.store is not None else None:
            case (bytes() as name, tuple() as said, dict() as kept) if name == self._name:
                words, parts, separators, found, self.joined, self.quiet = map(frozenset, said)
                self.search = Search(words, parts, separators, found)
                self._known = {n: (made, Hints(*hints)) for n, (made, hints) in kept.items()}

    def _digest(self, filename: str, text: str) -> bytes:
        made = self._digests.get(filename)
        if made is None or made[0] is not text:
            made = self._digests[filename] = text, digest(text.encode(errors="surrogatepass"))
        return made[1]
