"""Dicts and sets that are written out and only read, `PLANS = {"acme": "gold"}`: tables of settings, whatever they are
keyed by. Nothing of what the program is told is kept there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.keyed_methods import PUTTING
from capsule_lint.plan.memory.rekeyed import keys_of
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Binding, Class, Module, last_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.program import Program

_PUTTING: Final = PUTTING | {"update"}


@dataclass(eq=False)
class WrittenOut:
    """Tells them."""

    program: Program

    def is_one(self, home: Home) -> bool:
        """Whether a collection of a class or a module is one of them; what tests make stands for one that is filled."""
        owner, name = home
        module = owner if isinstance(owner, Module) else owner.module
        stores = owner.stores.get(name, []) if isinstance(owner, Class) else []
        bindings = owner.scope.bindings.get(name, [])
        kept = [*(one.value for one in stores), *(one.value for one in bindings)]
        values = [value for value in kept if value is not None]
        return (
            bool(values)
            and not module.is_test
            and all(map(_is_written_out, values))
            and self._put_into[0].isdisjoint(map(id, values))
            and not self._is_filled(name, values)
        )

    def _is_filled(self, name: str, values: Collection[tree.Node]) -> bool:
        """Whether something is put into what has one of these values under a name, or into any attribute of that name, as
        far as is known: see `Fillers`."""
        known = self.program.calls.uses.known_as(name)
        return any(
            (isinstance(node, tree.Attr) and node.name == name)
            or self._value_of(node) in (name, *map(id, values))
            for one in sorted(known & self._put_into[1].keys())
            for node in self._put_into[1][one]
        )

    def _value_of(self, node: tree.Name | tree.Attr) -> int | str:
        """The value that something has by its name; that name, where it is not known."""
        target = self.program.classes.dotted(node)
        return id(target.value) if isinstance(target, Binding) else last_name(node)

    @cached_property
    def _put_into(self) -> tuple[set[int], dict[str, list[tree.Name | tree.Attr]]]:
        """What something is put into: the values that are made beside that, and the others by their last names. To whom a
        name leads is asked only of those that may be meant: it may be read from files in which nothing else matters."""
        made, named = set[int](), defaultdict[str, list[tree.Name | tree.Attr]](list)
        for node in self._changed():
            one = behind(self.program.names, node) or node
            made.add(id(one))
            if isinstance(one, tree.Name | tree.Attr):
                named[last_name(one)].append(one)
        return made, dict(named)

    def _changed(self) -> Iterator[tree.Node]:
        """The expressions of what a program puts something into."""
        for module in self.program.names.modules.values():
            statements = () if module.is_test else module.statements
            for made in (one for one, _ in statements if isinstance(one, tree.Assign)):
                for target in made.targets:
                    if made.op or isinstance(target, tree.Subscript):
                        yield _whole(target)
            for deleted in (one for one, _ in statements if isinstance(one, tree.Eval)):
                yield from map(_whole, deleted.values if deleted.kind == "del" else ())
            for call in () if module.is_test else module.each(tree.Call):
                if isinstance(call.func, tree.Attr) and (
                    call.func.name in _PUTTING or isinstance(call.func.base, tree.Subscript)
                ):
                    yield _whole(call.func.base)


def _whole(node: tree.Node) -> tree.Node:
    """The dict in which something is: `rows` of `rows[tenant_id][note_id]`."""
    while isinstance(node, tree.Subscript):
        node = node.base
    return node


def _is_written_out(node: tree.Node) -> bool:
    """Whether a value is a dict or a set with something in it that stands there."""
    match node:
        case tree.Comprehension() | tree.Sequence(kind="list" | "tuple"):
            return False
        case tree.Call() if tree.makes_dict(node) and any(node.keywords):
            return True
        case _:
            return bool(keys_of(node))
