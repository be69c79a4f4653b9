"""What files hold, told by their status where that can be trusted, and by reading them elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.cache.status import is_settled, of_result, status_of
from capsule_lint.cache.store import digest
from capsule_lint.source.disk import contents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from capsule_lint.cache.store import Store

_NAME: Final = "contents"
_Known: TypeAlias = tuple[int, int, int, int, bytes]
"""The status of a file, and the digest of what was in it then."""


@dataclass(eq=False, slots=True)
class Contents:
    """The digests of files by their absolute names, kept from run to run."""

    store: Store
    _known: dict[str, _Known] = field(default_factory=dict)
    _used: dict[str, _Known] = field(default_factory=dict)
    _changed: bool = False

    def __post_init__(self) -> None:
        known = self.store.load(_NAME)
        self._known = known if isinstance(known, dict) else {}

    @property
    def settled(self) -> bool:
        """Whether the status of every file that was asked for told what is in it."""
        return not self._changed

    def digests(self, names: Iterable[str]) -> dict[str, bytes]:
        """The digest of each file; empty for one that cannot be read."""
        known, used = self._known, self._used
        found: dict[str, bytes] = {}
        for name in names:
            now = status_of(name)
            if now is None:
                found[name] = b""
                continue
            entry = known.get(name)
            if entry is not None and entry[:4] == now:
                used[name] = entry
                found[name] = entry[4]
            else:
                found[name] = self._read(name)
        return found

    def _read(self, name: str) -> bytes:
        self._changed = True
        try:
            data, now = contents(name)
        except (OSError, ValueError):
            return b""
        found = digest(data)
        status = of_result(now)
        if is_settled(status, time.time_ns()):
            self._used[name] = (*status, found)
        return found

    def save(self) -> None:
        """Keep what was asked for."""
        if self._changed or len(self._used) != len(self._known):
            self.store.save(_NAME, self._used)


def combined(digests: Mapping[str, bytes]) -> bytes:
    """One digest for several files, names included."""
    names = "\0".join(digests).encode(errors="surrogateescape")
    return digest(names, *(d or b"\0" for d in digests.values()))
