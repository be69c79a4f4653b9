"""Sort keys whose text the partition key of an index has as well: `{"SK": tag, "GSI1PK": tag}`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Module


class SortKeys(Struct, frozen=True, dict=True):
    """Knows the texts that are sort keys, and those that are no partition keys of the table besides."""

    program: Program

    def is_one(self, host: tree.Node) -> bool:
        """Whether a text is a sort key."""
        return id(host) in self._hosts[0]

    def has(self, host: tree.Node) -> bool:
        """Whether a text is one, and no partition key: what changes for the sake of an index is not found by it any more."""
        sorts, keys = self._hosts
        return id(host) in sorts and id(host) not in keys

    @cached_property
    def _hosts(self) -> tuple[frozenset[int], frozenset[int]]:
        """The texts that are sort keys, and those that are partition keys."""
        policy, sorts, keys = self.program.policy, set[int](), set[int]()
        for module in self.program.names.judged():
            for name, value in self.named(module) if not module.is_test else ():
                if policy.is_sort_key_name(name):
                    sorts |= self._texts(value)
                elif policy.is_key_name(name) and not policy.is_index_key_name(name):
                    keys |= self._texts(value)
        return frozenset(sorts), frozenset(keys)

    def named(self, module: Module) -> Iterator[tuple[str, tree.Node]]:
        """What has a name in a module: entries, what is assigned, and what functions return."""
        constant = self.program.templates.constant
        for display in module.either(tree.DictDisplay, tree.Call):
            if isinstance(display, tree.DictDisplay):
                named = ((k, v) for k, v in display.pairs if k is not None)
                yield from ((constant(key) or "", value) for key, value in named)
            elif tree.makes_dict(display):
                yield from entries_of(display)
        for statement, _ in module.statements:
            if isinstance(statement, tree.Assign) and statement.value is not None:
                for target in statement.targets:
                    index = target.index if isinstance(target, tree.Subscript) else None
                    yield tree.text(index) or last_name(target), statement.value
        for function in module.functions:
            yield from ((function.name, value) for value in function.returns)

    def _texts(self, value: tree.Node) -> set[int]:
        found = self.program.templates.resolve(value)
        return {id(piece.host) for template in found for piece in template.pieces}
