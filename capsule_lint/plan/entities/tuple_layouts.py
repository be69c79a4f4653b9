"""Where the fields of a tuple come to stand once it gets others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class


class Layout(Struct, frozen=True):
    """The fields of a class before the change, and before which of them the new ones come."""

    cls: Class
    home: Class
    width: int
    new: tuple[tuple[int, Scope], ...]

    def moved(self, index: int) -> int:
        """Where the field of that index is found after the change."""
        if index >= 0:
            return index + sum(at <= index for at, _ in self.new)
        return index - sum(at > self.width + index for at, _ in self.new)

    def names(self, at: int) -> list[Scope]:
        """The scopes whose fields come before the field of that index."""
        return [scope for place, scope in self.new if place == at]

    def places(self, items: Sequence[tree.Node]) -> Iterator[tuple[int, int | None]]:
        """For each place where fields come: the index of the target's item that they come before, or
        `None` where `*rest` takes them; nothing at all where the target does not fit."""
        stars = [n for n, item in enumerate(items) if isinstance(item, tree.Wrapped)]
        ats = sorted({at for at, _ in self.new})
        if not stars:
            if len(items) == self.width:
                yield from ((at, at) for at in ats)
            return
        first, behind = stars[0], len(items) - stars[0] - 1
        if len(stars) > 1 or first + behind > self.width:
            return
        for at in ats:
            if at < first:
                yield at, at
            elif at > self.width - behind:
                yield at, len(items) - (self.width - at)
            else:
                yield at, None
