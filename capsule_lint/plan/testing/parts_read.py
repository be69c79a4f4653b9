"""Keys that tests write out and take apart besides: `key = ("t", "v")` with `key[1]`, `for tenant, visit in KEYS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import LISTED, PICKING
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.testing.shared import Shared
    from capsule_lint.program import Program

_MAX_DEPTH: Final = 6


class PartsRead(Struct, frozen=True):
    """Follows such keys to whoever reads them, alone or among others in a list."""

    program: Program
    shared: Shared

    def of(self, node: tree.Node, depth: int = 0) -> bool:
        """Whether a key is read by position somewhere."""
        match self.program.names.parent(node):
            case parent if depth > _MAX_DEPTH or parent is None or _takes_apart(parent, node):
                return depth <= _MAX_DEPTH and parent is not None
            case tree.Sequence(kind="list" | "set" | "tuple") as several:
                return self._of_each(several, depth + 1)
            case _:
                return any(self.of(use, depth + 1) for use in self._known_as(node))

    def _of_each(self, node: tree.Node, depth: int) -> bool:
        """The same of the keys in a list."""
        parent = self.program.names.parent(node)
        if depth > _MAX_DEPTH:
            return False
        match parent:
            case tree.Call(func=func) if last_name(func) in LISTED:
                return self._of_each(parent, depth + 1)
            case tree.Call(func=func) if last_name(func) in PICKING:
                return self.of(parent, depth + 1)
            case tree.Subscript(base=base) if base is node:
                read = self._of_each if isinstance(parent.index, tree.Slice) else self.of
                return read(parent, depth + 1)
            case tree.Block() | tree.Comprehension():
                return any(self._is_unpacked(target, depth) for target in _targets(parent, node))
            case _:
                return any(self._of_each(use, depth + 1) for use in self._known_as(node))

    def _is_unpacked(self, target: tree.Node, depth: int) -> bool:
        """Whether a loop takes each key apart, or what it does with them."""
        return not isinstance(target, tree.Name) or self._of_name(target, depth)

    def _of_name(self, target: tree.Name, depth: int) -> bool:
        reads = reads_of(self.program.names, target, (target.at,))
        return any(self.of(use, depth + 1) for use in reads)

    def _known_as(self, node: tree.Node) -> Iterator[tree.Node]:
        """The reads of what a value is given to: of a name, or of the parameter of a function of the tests."""
        names = self.program.names
        match names.parent(node):
            case tree.Assign(value=value) as kept if value is node:
                for target in kept.targets:
                    if isinstance(target, tree.Name):
                        yield from reads_of(names, target, (target.at,))
            case tree.Call() as call:
                yield from self.shared.received(call, node)


def _targets(around: tree.Block | tree.Comprehension, node: tree.Node) -> list[tree.Node]:
    """What a loop through something binds."""
    if isinstance(around, tree.Block):
        return [bind.target for bind in around.binds if bind.value is node and bind.how == "for"]
    return [loop.target for loop in around.generators if loop.iter is node]


def _takes_apart(parent: object, node: tree.Node) -> bool:
    """Whether `parent` reads the parts of a tuple by their positions."""
    match parent:
        case tree.Subscript():
            return parent.base is node
        case tree.Call():
            return any(a.value is node and a.star for a in parent.args)
        case tree.Assign(targets=(tree.Sequence(),)) | tree.Wrapped():
            return True
        case _:
            return False
