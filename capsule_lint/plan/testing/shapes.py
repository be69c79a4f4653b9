"""The arguments that a mock records of a function, as they are and as they will be: where each comes to stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Function

_PLAIN: Final = ("posonly", "plain")


class Shape(Struct, frozen=True):
    """The arguments that a mock records, as they will be: the names of parameters, which are new, and
    which can come by position."""

    function: Function
    entries: tuple[tuple[str, str, bool], ...]
    sure: bool = True
    """Whether it is known that the call was one of this function."""

    @property
    def places(self) -> tuple[tuple[int, str], ...]:
        """Where the new parameters stand, and how they come."""
        return tuple((n, kind) for n, (_, kind, new) in enumerate(self.entries) if new)

    @property
    def _positional(self) -> list[tuple[str, str, bool]]:
        return [entry for entry in self.entries if entry[1] in _PLAIN]

    def moved(self, index: int) -> int:
        """The index at which the argument stands that stood at `index`; one from the end counts all
        parameters that have come by position."""
        places = [n for n, entry in enumerate(self._positional) if not entry[2]]
        length = len(self._positional)
        if index < 0:
            return places[index] - length if -index <= len(places) else index
        return places[index] if index < len(places) else index + length - len(places)

    def inserted(self, length: int) -> Iterator[tuple[int, str]]:
        """The parameters that come into a tuple of `length` arguments: behind how many, and which."""
        old = 0
        for name, _, new in self._positional:
            if new and (old < length or old == length > 0):
                yield old, name
            old += not new

    def between(self, start: int | None, stop: int | None) -> Shape:
        """What is recorded from the argument on that stood at `start`, and before the one that stood at `stop`."""
        old, entries = 0, []
        first = -1 if start is None else start
        for name, kind, new in self._positional:
            if first < old + (not new) and (stop is None or old < stop):
                entries.append((name, kind, new))
            old += not new
        return replace(self, entries=tuple(entries))

    def is_whole_from(self, index: int) -> bool:
        """Whether nothing new comes behind the argument that stood at `index`."""
        old = 0
        for _, _, new in self._positional:
            if new and old > index:
                return False
            old += not new
        return True

    def keyword(self, present: set[str], *, beside: bool) -> Iterator[str]:
        """The new parameters that come by keyword, as those before them do, or those that they stand `beside`."""
        first = next((name for name, _, new in self._positional if not new), None)
        before: set[str] = set()
        for name, kind, new in self.entries:
            named = beside or (before & present if before else first in present)
            if new and present and (kind == "kwonly" or (kind in _PLAIN and named)):
                yield name
            if not new and kind in _PLAIN:
                before.add(name)
