"""Dicts and sets that are written out and only read, `PLANS = {"acme": "gold"}`: tables of settings, whatever they are
keyed by. Nothing of what the program is told is kept there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.keyed_methods import PUTTING
from capsule_lint.plan.memory.rekeyed import keys_of
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Binding, Class, Module

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            and all(map(_is_written_out, values))
            and not any(id(value) in self._filled for value in values)
            and name not in self._filled
            and not module.is_test
        )

    @cached_property
    def _filled(self) -> frozenset[int | str]:
        """What something is put into: by the value that it is made of, or by the name of an attribute."""
        return frozenset(one for node in self._changed() for one in self._told_by(node))

    def _told_by(self, node: tree.Node) -> Iterator[int | str]:
        names = self.program.names
        made = behind(names, node) or node
        yield id(made)
        if isinstance(made, tree.Name | tree.Attr):
            target = self.program.classes.dotted(made)
            yield id(target.value) if isinstance(target, Binding) else made.last_name()
            yield from (made.name,) if isinstance(made, tree.Attr) else ()

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
