"""Sort keys whose text the partition key of an index has as well: `{"SK": tag, "GSI1PK": tag}`."""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Module
    from capsule_lint.program.places.sort_keys import SortKeyPlaces
    from capsule_lint.program.texts.pieces import Template

_MAX_DEPTH: Final = 3
PARTING: Final = ("split", "rsplit", "partition", "rpartition")
"""Methods that give the parts of a key."""


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
            asked = chain.from_iterable(map(self._places.partitions, _told_in(module)))
            for value in asked if not module.is_test else ():
                sorts |= self._texts(value)
        return frozenset(sorts), frozenset(keys)

    def is_expected(self, template: Template) -> bool:
        """Whether a text is a sort key which other code expects to stay as it is: `begins_with(SK, "USER#")`."""
        hosts = {id(piece.host) for piece in template.pieces}
        return not hosts.isdisjoint(self._hosts[0] | self._made) and (
            self._are_parted or any(_agree(template.text, text) for text in self._expected(hosts))
        )

    @cached_property
    def _made(self) -> frozenset[int]:
        """The texts of helpers that make sort keys."""
        policy, helpers = self.program.policy, self.program.keys.results.helpers_in
        queue = [
            (function, 0)
            for module in self.program.names.judged()
            for name, value in self.named(module)
            if policy.is_sort_key_name(name) and not module.is_test
            for function in helpers(value)
        ]
        found: set[int] = set()
        seen: set[Function] = set()
        while queue:
            function, depth = queue.pop()
            for value in function.returns if function not in seen else ():
                found |= self._texts(value)
                queue += [(f, depth + 1) for f in helpers(value) if depth < _MAX_DEPTH]
            seen.add(function)
        return frozenset(found)

    def _expected(self, hosts: Container[int]) -> Iterator[str]:
        """What is asked of sort keys, other than what some texts make that are written at these places."""
        program = self.program
        for value in self._asked:
            yield from (
                one.text
                for one in program.templates.resolve(value)
                if program.keys.at(one.host) is None and id(one.host) not in hosts
            )

    @property
    def _places(self) -> SortKeyPlaces:
        return self.program.keys.positions.strays.sort_keys

    @cached_property
    def _are_parted(self) -> bool:
        """Whether sort keys are taken apart somewhere: `row["SK"].split("#")[1]`, `row["SK"][5:]`."""
        asked = self._places.asked
        return any(
            (
                isinstance(node, tree.Subscript)
                and isinstance(node.index, tree.Slice)
                and asked(node.base)
            )
            or (
                isinstance(node, tree.Call)
                and last_name(node.func) in PARTING
                and node.receiver is not None
                and asked(node.receiver)
            )
            for module in self.program.names.judged()
            for node in module.either(tree.Subscript, tree.Call)
            if not module.is_test
        )

    @cached_property
    def _asked(self) -> list[tree.Node]:
        """What code asks of sort keys, how they begin or what they are."""
        places, found = self._places, list[tree.Node]()
        for module in self.program.names.judged():
            if module.is_test:
                continue
            found += places.bound(module)
            for call in module.each(tree.Call):
                if call.receiver is not None and places.asked(call.receiver):
                    found += call.plain
            for compare in module.each(tree.Compare):
                sides = (compare.left, *compare.rights)
                found += [one for one in sides if any(map(places.asked, sides))]
        return found

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


def _told_in(module: Module) -> Iterator[dict[str, tree.Node]]:
    """What calls are told by keyword, and dicts that may be it."""
    for node in module.either(tree.Call, tree.DictDisplay):
        yield dict(node.keywords if isinstance(node, tree.Call) else node.entries)


def _agree(text: str, other: str) -> bool:
    """Whether one of two texts may be what the other one begins with."""
    said, asked = (one.partition("{}")[0] for one in (text, other))
    return bool(said and asked) and (said.startswith(asked) or asked.startswith(said))
