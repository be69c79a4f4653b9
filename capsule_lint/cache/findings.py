"""What rules have found in files, and what change sets replace, known by all that it depends on, and which rules there are."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from capsule_lint.cache.store import digest
from capsule_lint.model import Edit, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.cache.store import Store

_NAME: Final = "findings"
_EDITS: Final = "\0"
"""What stands before the id of a change set: no file is called so."""
Told: TypeAlias = tuple[str, str, str, str, str, str]
"""What a report says of a rule."""


@dataclass(eq=False, slots=True)
class Findings:
    """The findings of files from earlier runs; without a `store`, it knows of none."""

    store: Store | None = None
    version: bytes = b""
    """The code of the tool and of its rule packs."""
    rules: tuple[Told, ...] = ()
    """The rules of this version; empty if they have not been loaded yet."""
    _known: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    _used: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    _changed: bool = True

    def __post_init__(self) -> None:
        match self.store.load(_NAME) if self.store is not None else None:
            case (version, tuple() as rules, dict() as known) if version == self.version:
                self.rules, self._known, self._changed = rules, known, False

    def name(self, *parts: str) -> bytes:
        """What findings are known by that depend on these texts."""
        return digest(self.version, *(part.encode(errors="surrogatepass") for part in parts))

    def get(self, filename: str, name: bytes) -> list[Finding] | None:
        """What was found in a file."""
        found = self._entry(filename, name)
        return None if found is None else msgspec.msgpack.decode(found, type=list[Finding])

    def note(self, filename: str, name: bytes, found: Sequence[Finding]) -> None:
        """Know what was found in a file, unless a name in it is no text."""
        with suppress(UnicodeEncodeError):
            self._used[filename] = name, msgspec.msgpack.encode(found)
            self._changed = True

    def get_edits(self, change: str, name: bytes) -> list[Edit] | None:
        """What a change set, by its id, replaces."""
        found = self._entry(_EDITS + change, name)
        return None if found is None else msgspec.msgpack.decode(found, type=list[Edit])

    def note_edits(self, change: str, name: bytes, found: Sequence[Edit]) -> None:
        """Know what a change set replaces, unless something of it is no text."""
        with suppress(UnicodeEncodeError):
            self._used[_EDITS + change] = name, msgspec.msgpack.encode(found)
            self._changed = True

    def _entry(self, key: str, name: bytes) -> bytes | None:
        entry = self._used.get(key) or self._known.get(key)
        if entry is None or entry[0] != name:
            return None
        self._used[key] = entry
        return entry[1]

    def save(self) -> None:
        """Keep what was asked for, and which rules there are."""
        if self.store is not None and (self._changed or len(self._used) != len(self._known)):
            self.store.save(_NAME, (self.version, self.rules, self._used))
