"""Parts of the keys of a collection that a loop binds: tuples that are compared with them, keys that are
made of them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from capsule_lint.facts import tree
from capsule_lint.plan.state import Value
from capsule_lint.program.texts.pieces import Filled, names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.collections import Collections
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Function, Module, Place

_MAX_STEPS: Final = 3


class Side(Struct, frozen=True):
    """A comparison of two tuples: the one with a part of a key, that part, the other one, and what the part
    is compared with."""

    compare: tree.Compare
    stored: tree.Sequence
    part: tree.Node
    asked: tree.Sequence
    value: tree.Node


class Parts(Struct, frozen=True):
    """Finds what is done with parts of keys, and knows what the new ones are called."""

    program: Program
    collections: Collections
    _beside: dict[tuple[Module, tree.At, str], tuple[str, Knot]] = field(default_factory=dict)
    """By the target that binds a part, and the scope that comes beside it: its name, and what it lands with."""
    _indexed: dict[tuple[int, str], tuple[str, Knot]] = field(default_factory=dict)
    """The same by the expression that reads a part of a key by its position."""
    _taken: set[tuple[Function | None, str]] = field(default_factory=set)

    def name(
        self, neighbour: tree.Node, scope: Scope, knot: Knot, *, compared: bool, asked: bool
    ) -> str:
        """What the part beside another one is called, `capsule_id` beside `tenant_id`, or beside any part of a key that
        is `asked` for, unless that name is for something else there."""
        place, name = self.program.names.place(neighbour), f"stored_{scope.parameter}"
        if not isinstance(neighbour, tree.Name):
            return name
        if not compared and self._is_free(neighbour, scope, place, asked=asked):
            name = scope.parameter
        self._taken.add((place.scope.function, name))
        self._beside[place.scope.module, neighbour.at, scope.name] = (name, knot)
        return name

    def _is_free(self, neighbour: tree.Name, scope: Scope, place: Place, *, asked: bool) -> bool:
        function, scopes = place.scope.function, self.program.policy.scopes
        if function is not None and self.program.domain.takes_scope(function):
            return False
        taken = any(scope.parameter in one.bindings for one in place.scope.ancestors())
        return not taken and (asked or any(neighbour.id == one.parameter for one in scopes))

    def suffice(self, function: Function) -> bool:
        """Whether a function that is told no scope goes through keys of a collection that say it, and does not look for
        one thing in those of all."""
        if self.program.domain.takes_scope(function):
            return False
        names, scopes = self.program.names, self.program.policy.scopes
        bound = [
            (node, binding)
            for node in names.inside(function)
            if isinstance(node, tree.Name) and names_any_of(node.id, scopes)
            for binding in names.bindings_of(node)
            if self._is_unpacked(binding)
        ]
        is_read = any(node.at != binding.at for node, binding in bound)
        unpacked = is_read or not any(self._is_looked_for(function, one) for _, one in bound)
        return (bool(bound) and unpacked) or self._fills_by_position(function)

    def _is_looked_for(self, function: Function, part: Binding) -> bool:
        """Whether another part of the same key is compared with what a function is given: `if post_id == wanted`."""
        bindings_of = self.program.names.bindings_of
        for node in self.program.names.inside(function):
            if isinstance(node, tree.Compare):
                sides = (s for s in (node.left, *node.rights) if isinstance(s, tree.Name))
                found = [one for side in sides for one in bindings_of(side)]
                is_beside = any(
                    one.value is part.value and one.path[:-1] == part.path[:-1] for one in found
                )
                if is_beside and any(one.kind == "param" for one in found):
                    return True
        return False

    def _is_unpacked(self, binding: Binding) -> bool:
        """Whether a name gets a part of a key, by the loop or where that takes the key apart."""
        if not binding.path or binding.place.scope.kind != "function":
            return False
        if binding.kind == "for":
            return self._is_of_keys(binding.value)
        value = binding.value if binding.kind == "assign" else None
        return isinstance(value, tree.Name) and any(
            one.kind == "for" and self._is_of_keys(one.value)
            for one in self.program.names.bindings_of(value)
        )

    def _fills_by_position(self, function: Function) -> bool:
        """Whether a key is made in a function of parts that it reads by their positions: `key[0]`."""
        names, keys = self.program.names, self.program.keys
        bases = (
            piece.value.base
            for site in keys.inside(function)
            for piece in site.template.pieces
            if isinstance(piece, Filled) and isinstance(piece.value, tree.Subscript)
        )
        return any(
            one.kind == "for" and self._is_of_keys(one.value)
            for base in bases
            if isinstance(base, tree.Name)
            for one in names.bindings_of(base)
        )

    def _is_of_keys(self, node: tree.Node | None) -> bool:
        """Whether an expression goes through a collection."""
        return node is not None and any(
            self.collections.of(one) is not None
            for one in within(node)
            if isinstance(one, tree.Attr | tree.Name)
        )

    def is_taken(self, function: Function, name: str) -> bool:
        """Whether a new part of a key is called so in a function."""
        return (function, name) in self._taken

    def beside(self, node: tree.Node, scope: Scope) -> Value | None:
        """The new part of a key that a loop gives beside the one that an expression is."""
        names = self.program.names
        found = names.bindings_of(node) if isinstance(node, tree.Name) else ()
        part = self._indexed.get((id(node), scope.name))
        if len(found) == 1:
            part = self._beside.get((found[0].module, found[0].at, scope.name))
        return Value(part[0], knot=part[1]) if part is not None else None

    def at(self, node: tree.Subscript, scope: Scope, code: str, knot: Knot) -> None:
        """Note the code of the part that comes beside the one which an expression reads, `key[1]` beside
        `key[0]`."""
        self._indexed[id(node), scope.name] = (code, knot)

    def compared(self, uses: Iterable[tree.Node]) -> Iterator[Side]:
        """The comparisons of tuples that have one of the uses of a part in them: `(t, s) == (tenant_id,
        subject)`."""
        parent_of = self.program.names.parent
        for use in uses:
            display = parent_of(use)
            compare = parent_of(display) if isinstance(display, tree.Sequence) else None
            if not isinstance(compare, tree.Compare) or compare.ops not in (("==",), ("!=",)):
                continue
            sides = (compare.left, *compare.rights)
            other = next((s for s in sides if s is not display), None)
            if isinstance(display, tree.Sequence) and isinstance(other, tree.Sequence):
                at = next(n for n, item in enumerate(display.items) if item is use)
                if len(display.items) == len(other.items):
                    yield Side(compare, display, use, other, other.items[at])

    def again(
        self, uses: Iterable[tree.Name], home: Home
    ) -> Iterator[tuple[tree.Sequence, tree.Name]]:
        """The keys of the collection that one of the uses of a part is in: `del self._items[t, item_id]`."""
        for use in uses:
            display = self.program.names.parent(use)
            if not isinstance(display, tree.Sequence):
                continue
            holder = self.program.names.parent(display)
            if isinstance(holder, tree.Subscript | tree.Call | tree.Compare) and any(
                (owner, name) == home and key is display
                for owner, name, key in self.collections.sinks(holder)
            ):
                yield display, use

    def are_own(self, elements: Iterable[tree.Node], home: Home) -> bool:
        """Whether a key is made of nothing but parts of one that is in the collection already."""
        parts = [one for one in elements if not isinstance(one, tree.Const)]
        return bool(parts) and all(
            isinstance(one, tree.Name) and self._is_own(one, home) for one in parts
        )

    def is_key(self, node: tree.Node, home: Home) -> bool:
        """Whether something is a whole key that a loop over the collection gives."""
        found = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        return len(found) == 1 and not found[0].path and self._comes_from(found[0], home, 0)

    def _is_own(self, node: tree.Name, home: Home) -> bool:
        names = self.program.names
        found = names.bindings_of(node)
        return len(found) == 1 and bool(found[0].path) and self._comes_from(found[0], home, 0)

    def _comes_from(self, binding: Binding, home: Home, depth: int) -> bool:
        """Whether a name gets what a loop over the collection gives, or a part of that."""
        if binding.value is None or depth > _MAX_STEPS:
            return False
        if binding.kind == "for":
            nodes = (n for n in within(binding.value) if isinstance(n, tree.Attr | tree.Name))
            return any(self.collections.of(node) == home for node in nodes)
        if binding.kind == "assign" and isinstance(binding.value, tree.Name):
            names = self.program.names
            found = names.bindings(binding.value.id, names.place(binding.value))
            return len(found) == 1 and self._comes_from(found[0], home, depth + 1)
        return False
