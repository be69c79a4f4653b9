"""Keys that are kept in a local and go into several collections: `key = (tenant_id, post_id)`,
`self._order.add(key)`, `self._amounts[key]`. All of these change with the key; where it goes into a list, nothing
may take the keys apart that come out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import ADDING_ONE, LISTED, QUEUING, TAKING
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.program.model import Module

_ADDING: Final = ADDING_ONE | QUEUING


class SharedKeys(Struct, frozen=True):
    """Follows keys that are kept in locals."""

    local: LocalKeys

    def spread(
        self, defects: Iterable[LocalDefect], feed: Callable[[Home, LocalDefect], None]
    ) -> None:
        """Have what else gets keys that change judged by `feed`, where it does not change yet."""
        collections, needs = self.local.collections, self.local.needs
        for defect in defects:
            for use, into in self._uses(defect.node):
                home = collections.any(into)
                if home is None:
                    if _is_added(use) and isinstance(into, tree.Name | tree.Attr):
                        self._check(defect, into)
                elif home not in self.local.rekeyed and home not in needs.fed:
                    feed(home, defect)

    def _uses(self, host: tree.Node) -> Iterator[tuple[object, tree.Node]]:
        """Where a local that gets a key names something in a collection, and the collection."""
        names = self.local.program.names
        match names.parent(host):
            case tree.Assign(targets=(tree.Name() as target,), value=value) if value is host:
                for read in reads_of(names, target, (target.at,)):
                    use = names.parent(read)
                    into = looked_into(use, read)
                    if into is not None:
                        yield use, into

    def _check(self, defect: LocalDefect, into: tree.Node) -> None:
        """Refuse the change where the keys in a list are taken apart."""
        module = self.local.program.names.module_of(into)
        for node in self._apart(module, last_name(into)):
            reason = f"takes apart what `{last_name(into)}` holds, which are keys that change"
            self.local.notes.obstacle(defect.knot, node, reason)

    def _apart(self, module: Module, name: str) -> Iterator[tree.Node]:
        """The targets and indexes by which a module takes apart what something of that name holds."""
        for target, value in _taken(module):
            if last_name(value) != name:
                continue
            if isinstance(target, tree.Sequence):
                yield target
            elif isinstance(target, tree.Name):
                yield from self._read(target)

    def _read(self, target: tree.Name) -> Iterator[tree.Node]:
        """Where a name that is bound to such a key is taken apart."""
        names = self.local.program.names
        for node in reads_of(names, target, (target.at,)):
            parent = names.parent(node)
            if isinstance(parent, tree.Subscript) and parent.base is node:
                yield parent
            elif isinstance(parent, tree.Assign) and parent.value is node:
                yield from (t for t in parent.targets if isinstance(t, tree.Sequence))


def _is_added(use: object) -> bool:
    """Whether a key is added to a list, a set or a queue."""
    match use:
        case tree.Call(func=tree.Attr(name=name)):
            return name in _ADDING
        case _:
            return False


def _taken(module: Module) -> Iterator[tuple[tree.Node, tree.Node]]:
    """What gets the elements of something, one by one, and what that is."""
    for target, value in module.loops():
        yield from _looped(target, value)
    for statement, _ in module.statements:
        match statement:
            case tree.Assign(value=tree.Call(func=tree.Attr(name=name, base=base))) if (
                name in TAKING
            ):
                yield from ((target, base) for target in statement.targets)
            case tree.Assign(value=tree.Subscript(base=base, index=index)) if (
                tree.integer(index) is not None
            ):
                yield from ((target, base) for target in statement.targets)


def _looped(target: tree.Node, value: tree.Node) -> Iterator[tuple[tree.Node, tree.Node]]:
    """The same of a loop, through what goes on with the elements as they are."""
    match value:
        case tree.Name() | tree.Attr():
            yield target, value
        case tree.Call(func=tree.Name(id="enumerate"), args=(first, *_)) if (
            isinstance(target, tree.Sequence) and len(target.items) > 1
        ):
            yield from _looped(target.items[1], first.value)
        case tree.Call(func=tree.Name(id=name), args=(first, *_)) if name in LISTED:
            yield from _looped(target, first.value)
        case tree.Call(func=tree.Attr(name="copy", base=base), args=()):
            yield from _looped(target, base)
        case tree.Subscript(base=base, index=tree.Slice()):
            yield from _looped(target, base)


def looked_into(parent: object, key: tree.Node) -> tree.Node | None:
    """What is asked for something under a key, or is given it."""
    match parent:
        case tree.Subscript(base=base, index=index) if index is key:
            return base
        case tree.Call(func=tree.Attr(base=base)):
            return base
        case tree.Compare(ops=("in" | "not in",), left=left, rights=(base,)) if left is key:
            return base
        case _:
            return None
