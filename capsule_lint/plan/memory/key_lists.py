"""What else gets the keys of collections that change: sets and dicts that change with them, and lists, from which
nothing may take the keys apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name
from capsule_lint.program.uses import TAKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.program.model import Module

_ADDING: Final = frozenset(("append", "add", "appendleft", "insert", "put", "put_nowait"))
_COPYING: Final = frozenset(("list", "sorted", "reversed", "tuple", "set", "iter"))


@dataclass(frozen=True, slots=True)
class KeyLists:
    """Follows keys that are kept in locals."""

    local: LocalKeys

    def spread(self, defects: Iterable[LocalDefect]) -> None:
        """Judge what else changing keys are put into."""
        collections = self.local.collections
        for defect in defects:
            for into in self._into(defect.node):
                home = collections.any(into)
                if home is None and isinstance(into, tree.Name | tree.Attr):
                    self._check(defect, into)
                elif home is not None and home not in self.local.rekeyed:
                    self.local.feed(home, tuple(defect.missing))

    def _into(self, host: tree.Node) -> Iterator[tree.Node]:
        """What a key is put into under the name of a local."""
        program = self.local.program
        statement = program.names.parent(host)
        if not isinstance(host, tree.Sequence) or not isinstance(statement, tree.Assign):
            return
        for use in list(program.records.uses(statement)):
            match program.names.parent(use):
                case tree.Call(func=tree.Attr(name=name, base=base)) if name in _ADDING:
                    yield base

    def _check(self, defect: LocalDefect, into: tree.Node) -> None:
        """Refuse the change where the keys in a list are taken apart."""
        module = self.local.program.names.place(into).scope.module
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
                yield from self._read(module, target)

    def _read(self, module: Module, target: tree.Name) -> Iterator[tree.Node]:
        """Where a name that is bound to such a key is taken apart."""
        names = self.local.program.names
        for node in reads_of(names, target, (target.at,)):
            parent = names.parent(node)
            if isinstance(parent, tree.Subscript) and parent.base is node:
                yield parent
            elif isinstance(parent, tree.Assign) and parent.value is node:
                yield from (t for t in parent.targets if isinstance(t, tree.Sequence))


def _taken(module: Module) -> Iterator[tuple[tree.Node, tree.Node]]:
    """What gets the elements of something, one by one, and what that is."""
    loops = [
        (bind.target, bind.value)
        for block in module.blocks.values()
        for bind in block.binds
        if block.kind == "for" and bind.value is not None
    ]
    loops += [
        (g.target, g.iter) for node in module.each(tree.Comprehension) for g in node.generators
    ]
    for target, value in loops:
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
        case tree.Call(func=tree.Name(id=name), args=(first, *_)) if name in _COPYING:
            yield from _looped(target, first.value)
        case tree.Call(func=tree.Attr(name="copy", base=base), args=()):
            yield from _looped(target, base)
        case tree.Subscript(base=base, index=tree.Other()):
            yield from _looped(target, base)
