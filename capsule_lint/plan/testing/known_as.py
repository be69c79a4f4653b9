"""Where tests use the same object: under a name of a function or module, as what a fixture or a helper gives back, as an
attribute of the test, `self.cache`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ClassObject, Instance
from capsule_lint.program.model import method_around
from capsule_lint.program.reaching import history

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from capsule_lint.plan.testing.shared import Shared
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Class, Function, Store


class KnownAs(Struct, frozen=True):
    """Finds these uses."""

    program: Program
    shared: Shared

    def uses(self, nodes: Iterable[tree.Node]) -> Iterator[tree.Node]:
        """Every use of what these are, each once."""
        seen: set[int] = set()
        waiting = list(nodes)
        while waiting:
            for use in self._same(waiting.pop()):
                if id(use) not in seen:
                    seen.add(id(use))
                    yield use
                    waiting += self._given_on(use)

    def _same(self, node: tree.Node) -> Iterator[tree.Node]:
        """What says the same in the same way."""
        names = self.program.names
        match node:
            case tree.Name():
                bound = self._bound(node)
                for name in names.module_of(node).each(tree.Name):
                    if name.id == node.id and any(b in bound for b in self._bound(name)):
                        yield name
            case tree.Attr():
                having, around = set(owners(self.program, node)), names.function_of(node)
                storing = _storing(node.name, having)
                yield from () if having else (node,)
                for attr in names.module_of(node).each(tree.Attr) if having else ():
                    if attr.name != node.name or having.isdisjoint(owners(self.program, attr)):
                        continue
                    if not _apart(storing, around, names.function_of(attr)):
                        yield attr
            case _:
                yield node

    def _bound(self, name: tree.Name) -> list[Binding]:
        """The bindings that a name may be read from; where it is given something, that one alone."""
        here = self.program.names.place(name).scope.bindings.get(name.id, ())
        own = [one for one in here if one.at == name.at]
        found = own or self.program.names.bindings_of(name)
        return [one for last in found for one in (history(last) if last.is_step else (last,))]

    def _given_on(self, use: tree.Node) -> Iterator[tree.Node]:
        """Under what else it is known from there: to who asks the fixture or the helper, and where it is kept."""
        match self.program.names.parent(use):
            case tree.Assign(targets=(tree.Name() | tree.Attr() as target,), value=value):
                if value is use:
                    yield target
            case _:
                yield from (one for one in self.shared.stands(use) if one is not use)


def stores_of(program: Program, node: tree.Attr) -> Iterator[Store]:
    """What is stored in an attribute by the class that has it, other tests than the one around aside."""
    having, around = list(owners(program, node)), program.names.function_of(node)
    storing = _storing(node.name, having)
    for owner in having:
        for store in owner.stores.get(node.name, ()):
            if not _apart(storing, around, store.function):
                yield store


def _storing(name: str, having: Iterable[Class]) -> frozenset[Function]:
    """The functions that put something into an attribute of some classes."""
    return frozenset(store.function for owner in having for store in owner.stores.get(name, ()))


def _apart(storing: AbstractSet[Function], one: Function | None, other: Function | None) -> bool:
    """Whether one of two functions is a test that has put something of its own into an attribute, and the other one is
    a test as well, for which there is another object, or does so too."""
    first, second = method_around(one), method_around(other)
    if first is second:
        return False
    return any(
        own in storing and _is_test(own) and (theirs in storing or _is_test(theirs))
        for own, theirs in ((first, second), (second, first))
    )


def _is_test(function: Function | None) -> bool:
    return function is not None and function.module.is_test and function.name.startswith("test")


def owners(program: Program, node: tree.Attr) -> Iterator[Class]:
    """The classes that store something in an attribute."""
    for one in program.inference.of(node.base):
        if isinstance(one, Instance | ClassObject):
            for owner in program.classes.mro(one.cls):
                if node.name in owner.stores:
                    yield owner
