"""Where in a policy a value stands, so that every error can name file, key and likely spelling."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CLOSE = 0.62
_FEW = 20
"""How many names a message may list."""


class Place(Struct, frozen=True):
    """A file as a reader knows it, and the dotted key of a value in it."""

    path: str
    key: str = ""

    def at(self, part: str | int) -> Place:
        """The place of an entry of the table, or list, that stands here."""
        if isinstance(part, int):
            return Place(self.path, f"{self.key}[{part}]")
        return self.below(part if _BARE_KEY.fullmatch(part) else f'"{part}"')

    def below(self, key: str) -> Place:
        """The place of what has a dotted key in the table that stands here."""
        return Place(self.path, f"{self.key}.{key}" if self.key else key)

    def error(self, problem: str) -> PolicyError:
        """The error to raise for what stands here."""
        return PolicyError(self.path, self.key, problem)


def likely(word: str, known: Iterable[str]) -> str:
    """`did you mean ...?` for those of `known` that begin so, or the closest one, or else a list of them all, if
    they are few."""
    import difflib  # slow to load, and needed only when something is wrong

    names = sorted(known)
    lowered = {name.lower(): name for name in names}
    wanted = word.lower().replace("_", "-") if any("-" in name for name in names) else word.lower()
    close = [name for name in lowered if wanted and name.startswith(wanted)]
    if not 0 < len(close) <= _FEW:
        close = difflib.get_close_matches(wanted, lowered, n=1, cutoff=_CLOSE)
    if close:
        return f"did you mean {' or '.join(f'`{lowered[name]}`' for name in close)}?"
    if not names:
        return "none is known here"
    if len(names) > _FEW:
        return f"none of the {len(names)} known here is like it"
    return "known here: " + ", ".join(f"`{name}`" for name in names)
