"""What stands in collections that are written out, where a loop goes through them: `for prefix, read in READERS.items()`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import COPIED, LISTED
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.program.texts.constants import Constants

_ALIKE: Final = LISTED | COPIED | {"MappingProxyType"}
"""What gives a collection with the same in it."""
_MAX_DEPTH: Final = 6


class Collected(Struct, frozen=True):
    """Finds it, also in collections to which a module, a class or a function gives a name."""

    constants: Constants

    def looped(self, node: tree.Node) -> Iterator[tree.Node]:
        """What a loop gives a name, one after the other; nothing for any other expression."""
        for bound in self.constants.names.bindings_of(node) if isinstance(node, tree.Name) else ():
            if bound.kind == "for" and bound.value is not None:
                yield from self.each(bound.value, bound.path)

    def each(self, node: tree.Node, path: Sequence[int] = ()) -> Iterator[tree.Node]:
        """What a collection has in it, or what stands at the place `path` of each of its rows; a dict has its keys."""
        match node, tuple(path):
            case tree.Call(func=tree.Name(id="enumerate"), args=(first, *_)), (1, *rest):
                yield from self.each(first.value, rest)
            case tree.Call(args=(first, *_)), _ if last_name(node.func) in LISTED:
                yield from self.each(first.value, path)
            case tree.Call(func=tree.Attr(name="items", base=base), args=()), (0 | 1 as at, *rest):
                yield from _at(rest, (one[at] for one in self._pairs(base)))
            case tree.Call(func=tree.Attr(name="keys" | "values" as name, base=base), args=()), _:
                at = 1 if name == "values" else 0
                yield from _at(path, (one[at] for one in self._pairs(base)))
            case _:
                for display in self._displays(node):
                    inside = (
                        display.keys if isinstance(display, tree.DictDisplay) else display.items
                    )
                    yield from _at(path, inside)

    def _pairs(self, node: tree.Node) -> Iterator[tuple[tree.Node | None, tree.Node]]:
        for display in self._displays(node):
            if isinstance(display, tree.DictDisplay):
                yield from display.pairs

    def _displays(
        self, node: tree.Node, depth: int = 0
    ) -> Iterator[tree.Sequence | tree.DictDisplay]:
        """Where a collection is written out, or the parts of which it consists."""
        parts: list[tree.Node | None] = []
        match node:
            case tree.Sequence(items=items):
                yield node
                parts += map(tree.spread, items)
            case tree.DictDisplay():
                yield node
                parts += (value for key, value in node.pairs if key is None)
            case tree.Binary(op="+" | "|", left=left, right=right):
                parts += (left, right)
            case tree.Call(args=(first, *_)) if last_name(node.func) in _ALIKE:
                parts.append(first.value)
            case tree.Name() | tree.Attr():
                parts += (binding.assigned for binding in self.constants.kept(node))
        for part in parts if depth < _MAX_DEPTH else ():
            if part is not None:
                yield from self._displays(part, depth + 1)


def _at(path: Sequence[int], items: Iterable[tree.Node | None]) -> Iterator[tree.Node]:
    """What stands at a place of each of some rows."""
    for item in items:
        inner = item
        for step in path:
            row = inner.items if isinstance(inner, tree.Sequence) else ()
            inner = row[step] if 0 <= step < len(row) else None
        if inner is not None:
            yield inner
