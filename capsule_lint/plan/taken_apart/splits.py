"""Which expressions are the parts of keys, and which are keys, where code takes them apart."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.taken_apart.listings import Listings
from capsule_lint.plan.taken_apart.parts import in_place
from capsule_lint.plan.taken_apart.shifts import Split, has, parts_in, second_from
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.texts.pieces import hole_name, names_scope, snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding

_KEYISH: Final = ("key", "_keys")
_CALLED: Final = ("split", "rsplit")
_MAX_DEPTH: Final = 3
_PLAIN: Final = re.compile(r"[^\\.^$*+?{}\[\]|()]+")
"""What means itself in a regular expression."""


class Splits(Struct, frozen=True, dict=True):
    """Finds the splits of keys."""

    program: Program

    def of(self, node: tree.Node, through: frozenset[int] = frozenset()) -> Iterator[Split]:
        """The splits of keys that a value comes from; `through` are the bindings that led to it."""
        match node:
            case tree.Call(func=tree.Attr(name=name) as func) if name in _CALLED and node.args:
                yield from self._of_call(node, func)
            case tree.Walrus():
                yield from self.of(node.value, through)
            case tree.Name():
                place = self.program.names.place(node)
                for binding in self.program.names.bindings(node.id, place):
                    value = binding.assigned
                    if value is None or isinstance(value, tree.Name) or id(binding) in through:
                        continue  # `parts = list(parts)` in a loop
                    yield from self.of(value, through | {id(binding)})
            case tree.Subscript() if (first := second_from(node.index)) is not None:
                for split in self.of(node.base, through):
                    if split.second_from is None and split.limit < 0 and not split.taken:
                        yield replace(split, second_from=first)
            case tree.Attr():
                yield from self.listings.of(node)
            case _ if (copied := in_place(node)) is not None:
                yield from self.of(copied, through)
            case tree.Call():
                yield from self.listings.of(node)

    @cached_property
    def listings(self) -> Listings:
        """What tells lists of which keys are joined."""
        return Listings(self.program)

    def says(self, node: tree.Node, scope: Scope) -> bool:
        """Whether an expression is the part that a scope's value is, `pk.split("#")[3]`, of all keys that have one."""
        at = tree.integer(node.index) if isinstance(node, tree.Subscript) else None
        if at is None or not isinstance(node, tree.Subscript):
            return False
        found = {
            names_scope(parts[at if at < 0 else at + split.taken] or "", scope)
            for split in self.of(node.base)
            for parts in self._forms(split)
            if has(parts, at, split) and any(names_scope(part or "", scope) for part in parts)
        }
        return found == {True}

    def place(self, base: tree.Node, at: int, old: Scope, new: Scope) -> int | None:
        """At which index the new scope's part stands in all keys whose part at the given one is the old scope's."""
        found: set[int | None] = set()
        for split in self.of(base):
            for parts in self._forms(split) if split.limit < 0 and not split.shared else ():
                first = split.taken if at >= 0 else len(parts)
                number = at + first
                if 0 <= number < len(parts) and names_scope(parts[number] or "", old):
                    places = [n for n, part in enumerate(parts) if names_scope(part or "", new)]
                    found.add(places[0] - first if len(places) == 1 else None)
        return found.pop() if len(found) == 1 else None

    def _forms(self, split: Split) -> Iterator[tuple[str | None, ...]]:
        """What the parts of all keys of the program are called."""
        templates = {id(s.template): s.template for s in self.program.keys.sites}.values()
        return (parts_in(template, split) for template in templates)

    def _of_call(self, node: tree.Call, func: tree.Attr) -> Iterator[Split]:
        """`key.split("#", 2)`, `re.split("#", key)`: from the end only where there is no limit."""
        first, *more = (argument.value for argument in node.args)
        base, limit = func.base, tree.integer(more[0]) if len(more) == 1 else -1
        if isinstance(base, tree.Name) and base.id in ("re", "str") and len(more) == 1:
            first, base = (first, more[0]) if base.id == "re" else (more[0], first)
            limit = -1
        elif len(more) > 1 or (more and func.name == "rsplit"):
            return
        mark = self.program.templates.constant(first)
        if not mark or limit is None or (base is not func.base and not _PLAIN.fullmatch(mark)):
            return
        key, prefix = self._unprefixed(base)
        if self.is_key(key):
            yield Split(node, key, mark, limit, prefix)
        elif mark in self._marks and (given := self._given(key)):
            yield Split(node, key, mark, limit, prefix, shared=not all(given))

    def counted(self, node: tree.Call) -> Iterator[Split]:
        """A key of which the separators are counted, `key.count("#")`, as if it was split there."""
        mark = self.program.templates.constant(node.args[0].value)
        if mark and isinstance(node.func, tree.Attr) and self.is_key(node.func.base):
            yield Split(node, node.func.base, mark, -1, "")

    @cached_property
    def _marks(self) -> str:
        """The characters of the texts that keys are made of."""
        return "".join({c for s in self.program.keys.sites for c in s.template.written})

    def _given(self, node: tree.Node, depth: int = 0) -> list[bool]:
        """Whether what callers give for a parameter is a key, each, also by one that they are given; nothing
        where none of them is."""
        found: list[bool] = []
        for binding in self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ():
            if binding.parameter is not None:
                with self.program.names.aside():  # where a key is given, its name stands
                    given = list(self.program.calls.passed_to(binding))
                for one in given:
                    further = self._given(one, depth + 1) if depth < _MAX_DEPTH else []
                    found += further or [self._is_named(one)]
        return found if any(found) else []

    def _is_named(self, node: tree.Node) -> bool:
        """Whether an expression has the name of a key, or a helper yields it."""
        if isinstance(node, tree.Name):
            node = only_assigned(self.program.names, node) or node
        return self.program.policy.is_key_name(self.name(node)) or (
            isinstance(node, tree.Call) and self.is_key(node)
        )

    def _unprefixed(self, node: tree.Node) -> tuple[tree.Node, str]:
        """`key` of `key.removeprefix(PREFIX)`, and the prefix."""
        match node:
            case tree.Call(func=tree.Attr(name="removeprefix") as func) if len(node.args) == 1:
                prefix = self.program.templates.constant(node.args[0].value)
                if prefix is not None:
                    return func.base, prefix
        return node, ""

    def is_key(self, node: tree.Node) -> bool:
        """Whether an expression is known as a key, by its name or by where it comes from."""
        name = self.name(node)
        if self.program.policy.is_key_name(name):
            return True
        if isinstance(node, tree.Call):
            callees = self.program.calls.callees(node)
            return any(callee.function in self.program.keys.helpers for callee in callees)
        plain = snake(name)
        if plain.endswith(_KEYISH) and not self.program.policy.is_sort_key_name(name):
            return True
        if isinstance(node, tree.Name):
            for binding in self.program.names.bindings_of(node):
                if self._is_read_back(binding):
                    return True
                if (
                    binding.kind == "assign"
                    and binding.value is not None
                    and not isinstance(binding.value, tree.Name)
                ):
                    return not binding.path and self.is_key(binding.value)
        return False

    def _is_read_back(self, binding: Binding) -> bool:
        """Whether a name is a parameter in a class that makes keys, `parse(cls, text)` beside `__str__`."""
        function = binding.function
        owner = function.owner if function is not None else None
        if owner is None or binding.parameter is None:
            return False
        return any(maker.owner is owner for maker in self.program.keys.functions)

    def name(self, node: tree.Node) -> str:
        """What an expression is called: `PK` of `item["PK"]["S"]`."""
        match node:
            case tree.Subscript(index=tree.Const(value=str() as key)) if key in ("S", "N"):
                return self.name(node.base)
            case tree.Subscript(index=tree.Const(value=str() as key)):
                return key
            case tree.Attr():
                return node.name
            case tree.Name():
                return node.id
            case _:
                return hole_name(node)
