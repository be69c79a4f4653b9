"""Sort keys whose text the partition key of an index has as well: `{"SK": tag, "GSI1PK": tag}`."""

from __future__ import annotations

from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.program.model import Class, last_name, owner_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Set
    from typing import TypeAlias

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Module
    from capsule_lint.program.places.sort_keys import SortKeyPlaces
    from capsule_lint.program.texts.pieces import Template

    Owner: TypeAlias = Class | Module

_MAX_DEPTH: Final = 3
_INDEX: Final = "IndexName"
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
        own = [module for module in self.program.names.judged() if not module.is_test]
        told = chain.from_iterable(map(_told_in, own))
        asked = chain.from_iterable(map(self._places.partitions, told))
        sorts = (at for value in (*self._named[0], *asked) for at in self._texts(value))
        keys = (at for value in self._named[1] for at in self._texts(value))
        return frozenset(sorts), frozenset(keys)

    @cached_property
    def _named(self) -> tuple[list[tree.Node], list[tree.Node]]:
        """What has the name of a sort key, and what has that of a partition key of the table."""
        policy, sorts, keys = self.program.policy, list[tree.Node](), list[tree.Node]()
        for module in self.program.names.judged():
            for name, value in self.named(module) if not module.is_test else ():
                if policy.is_sort_key_name(name):
                    sorts.append(value)
                elif policy.is_key_name(name) and not policy.is_index_key_name(name):
                    keys.append(value)
        return sorts, keys

    def is_expected(self, template: Template) -> bool:
        """Whether a text is a sort key which other code expects to stay as it is: `begins_with(SK, "USER#")`."""
        hosts = {id(piece.host): piece.host for piece in template.pieces}
        owners = {one for at in hosts for one in self._made.get(at, ())}
        owners |= {self._owner(host) for at, host in hosts.items() if at in self._hosts[0]}
        return bool(owners) and (
            any(_agree(template.text, text) for text in self._expected(hosts))
            or self._is_parted({text for one in owners for text in self._keys_in(one)})
        )

    def _is_parted(self, keys: Set[str]) -> bool:
        """Whether code takes sort keys apart that may stand beside some keys: it has one of these, or none at all."""
        return any(not own or not keys.isdisjoint(own) for own in self._parting)

    @cached_property
    def _made(self) -> dict[int, set[Owner]]:
        """The texts of helpers that make sort keys, and for whom."""
        helpers = self.program.keys.results.helpers_in
        queue = [(f, self._owner(value), 0) for value in self._named[0] for f in helpers(value)]
        found: dict[int, set[Owner]] = {}
        seen: set[tuple[Function, Owner]] = set()
        while queue:
            function, owner, depth = queue.pop()
            for value in function.returns if (function, owner) not in seen else ():
                for text in self._texts(value):
                    found.setdefault(text, set()).add(owner)
                queue += [(f, owner, depth + 1) for f in helpers(value) if depth < _MAX_DEPTH]
            seen.add((function, owner))
        return found

    def _owner(self, node: tree.Node) -> Owner:
        """The class in which an expression stands, or else the module."""
        names = self.program.names
        return owner_of(names.function_of(node)) or names.module_of(node)

    def _keys_in(self, owner: Owner) -> set[str]:
        """What the keys are that a class, or the functions of a module, have."""
        inside = self.program.keys.inside
        return {site.template.text for one in self._makers(owner) for site in inside(one)}

    def _makers(self, owner: Owner) -> set[Function]:
        """The functions of a class, or those of a module outside of classes, and the helpers that they have make keys."""
        if owner not in self._makers_of:
            module = owner.module if isinstance(owner, Class) else owner
            helpers = self.program.keys.helpers_of
            own = [one for one in module.functions if (owner_of(one) or module) is owner]
            self._makers_of[owner] = {one for f in own for one in (f, *helpers(f))}
        return self._makers_of[owner]

    @cached_property
    def _makers_of(self) -> dict[Owner, set[Function]]:
        return {}

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
    def _parting(self) -> list[set[str]]:
        """The keys of code that takes sort keys apart: `row["SK"].split("#")[1]`, `row["SK"][5:]`."""
        asked = self._places.asked
        functions = {
            self.program.names.function_of(node)
            for module in self.program.names.judged()
            for node in module.either(tree.Subscript, tree.Call)
            if not module.is_test and (parted := _parted(node)) is not None and asked(parted)
        }
        return [self._keys_beside(function) for function in functions]

    def _keys_beside(self, function: Function | None) -> set[str]:
        """The keys of rows that a function may have: those of its class, or of its module, and of what it calls, where it
        looks for rows itself, or all that calls it is beside it and does; none where the rows may be anybody's."""
        if function is None:
            return set()
        program, owner = self.program, owner_of(function)
        callers = [program.names.function_of(call) for call, _ in program.calls.callers(function)]
        makers = [one for one in callers if one is not None and not one.module.is_test]
        if self._makes_keys(function) or owner in program.domain.entities:
            makers = [function]
        elif None in callers or not all(
            owner_of(one) is owner and one.module is function.module and self._makes_keys(one)
            for one in makers
        ):
            return set()
        called = {
            callee.function
            for one in makers
            for call in program.names.inside(one)
            if isinstance(call, tree.Call)
            for callee in program.calls.callees(call)
        }
        others = {one for one in called if one is not None and one not in program.keys.helpers}
        owners = {owner_of(one) or one.module for one in (*makers, *others)}
        return {text for one in owners for text in self._keys_in(one)}

    def _makes_keys(self, function: Function) -> bool:
        """Whether a function makes keys, or has a helper make them."""
        keys = self.program.keys
        return any(keys.inside(one) for one in (function, *keys.helpers_of(function)))

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
        given, spelled = self.program.templates.joins.given, self.program.keys.spelled
        for made in module.each(tree.Comprehension):
            for name in spelled(made.results[0])[:1] if len(made.results) == 2 else ():
                yield from ((name, one) for _, one in given.comprehended(made))
        for display in module.either(tree.DictDisplay, tree.Call):
            if isinstance(display, tree.DictDisplay):
                named = ((k, v) for k, v in display.pairs if k is not None)
                yield from ((constant(key) or "", value) for key, value in named)
            elif tree.makes_dict(display):
                yield from entries_of(display)
        for target, value in module.assigned:
            index = target.index if isinstance(target, tree.Subscript) else None
            yield tree.text(index) or last_name(target), value
        for function in module.functions:
            yield from ((function.name, value) for value in function.returns)

    def _texts(self, value: tree.Node) -> set[int]:
        found = self.program.templates.resolve(value)
        return {id(piece.host) for template in found for piece in template.pieces}


def _told_in(module: Module) -> Iterator[dict[str, tree.Node]]:
    """What queries of an index are told by keyword, and dicts that may be it."""
    for node in module.either(tree.Call, tree.DictDisplay):
        told = dict(node.keywords if isinstance(node, tree.Call) else node.entries)
        if _INDEX in told:
            yield told


def _parted(node: tree.Subscript | tree.Call) -> tree.Node | None:
    """What is cut, or split into parts."""
    if isinstance(node, tree.Subscript):
        return node.base if isinstance(node.index, tree.Slice) else None
    return node.receiver if last_name(node.func) in PARTING else None


def _agree(text: str, other: str) -> bool:
    """Whether one of two texts may be what the other one begins with."""
    said, asked = (one.partition("{}")[0] for one in (text, other))
    return bool(said and asked) and (said.startswith(asked) or asked.startswith(said))
