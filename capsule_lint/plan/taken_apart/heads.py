"""Beginnings of keys that are cut out by a number: `pk[:6] == "AUDIT#"`, `pk[:6] in HIDDEN`, `KINDS[pk[:6]]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.comparisons import beside
from capsule_lint.program.local_names import reads_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.taken_apart.splits import Splits
    from capsule_lint.program import Program


class Head(Struct, frozen=True):
    """The first characters of a key, so many as `length` says, and what they are compared with, or what that is in."""

    cut: tree.Subscript
    length: tree.Node
    beside: tree.Node
    several: bool
    alone: bool
    """Whether the cut stands in the comparison itself, and nothing else does besides the other."""

    @property
    def key(self) -> tree.Node:
        """What is cut."""
        return self.cut.base


class Heads(Struct, frozen=True):
    """Finds them."""

    program: Program
    splits: Splits

    def all(self) -> Iterator[Head]:
        """Those in code that may be edited."""
        for module in self.program.names.editable():
            for cut in module.each(tree.Subscript):
                match cut.index:
                    case tree.Slice(lower=lower, upper=length, step=None) if (
                        length is not None
                        and (tree.integer(length) or 0) > 0
                        and (lower is None or tree.integer(lower) == 0)
                        and self.splits.is_key(cut.base)
                    ):
                        for use in self._uses(cut):
                            yield from self._compared(cut, length, use)

    def _uses(self, cut: tree.Subscript) -> Iterator[tree.Node]:
        """Where it is read that may have a name."""
        names = self.program.names
        match parent := names.parent(cut):
            case tree.Assign(targets=(tree.Name() as target,)):
                yield from reads_of(names, target, (target.at,))
            case tree.Walrus():
                yield parent
                yield from reads_of(names, parent, (parent.at,))
            case _:
                yield cut

    def _compared(self, cut: tree.Subscript, length: tree.Node, use: tree.Node) -> Iterator[Head]:
        for one in beside(self.program.names, use):
            yield Head(cut, length, one.other, one.several, use is cut and one.alone)
