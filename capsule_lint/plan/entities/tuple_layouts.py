"""Where the fields of a tuple come to stand once it gets others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Collection, Instance, TupleOf, classes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.types import Type, Types
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


class Layouts(Struct, frozen=True):
    """The layouts of all classes that gain fields."""

    classes: Classes
    known: Mapping[Class, Layout]

    def are_mixed(self, types: Types, layout: Layout) -> bool:
        """Whether what is read may be a tuple whose fields stay where they are, or one that gains others."""
        return not all(self._is_alike(one, layout) for one in types)

    def keep(self, types: Types, layout: Layout, number: int | None) -> bool:
        """Whether the field of that index stays where it is in all that is read."""
        every = [layout, *(self.known.get(cls, layout) for cls in classes_of(types))]
        return number is not None and all(one.moved(number) == number for one in every)

    def _is_alike(self, one: Type, layout: Layout) -> bool:
        if not isinstance(one, Instance):
            return not isinstance(one, Collection | TupleOf)
        other = self.known.get(one.cls)
        return other.new == layout.new if other else not self.classes.is_named_tuple(one.cls)
