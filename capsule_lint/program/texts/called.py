"""Templates that functions of the program make: what they return, with the arguments of the call filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.keyworded import Keyworded
from capsule_lint.program.texts.pieces import (
    Filled,
    Piece,
    Text,
    ends_with_tag,
    hole_name,
    names_any_of,
)
from capsule_lint.program.texts.tagged import Tagged
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from capsule_lint.program.model import Function
    from capsule_lint.program.texts.templates import Templates

SAYING: Final = ("__format__", "__str__")
"""The methods by which objects become texts, in the order in which f-strings ask for them."""
_STRIPPING: Final = ("strip", "lstrip", "rstrip")


@dataclass(eq=False)
class Called:
    """Evaluates calls of functions."""

    templates: Templates
    tagged: Tagged = field(init=False)
    keyworded: Keyworded = field(init=False)
    _generic: dict[tuple[Function, int], bool] = field(default_factory=dict)
    _said: dict[tuple[Function, int], list[Piece] | None] = field(default_factory=dict)
    """What functions return, by how deep in other templates they are called."""

    def __post_init__(self) -> None:
        self.tagged = Tagged(self.templates)
        self.keyworded = Keyworded(self.templates)

    def pieces(
        self, node: tree.Call, function: Function, given: int, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        """What a call of the program's own function says: the helper's template, or a `*parts` joiner's."""
        joiner = self.templates.joins.joiner(function, depth)
        if joiner is not None:
            return self.templates.joins.joined(node, function, given, joiner, host, depth)
        by_name = self.keyworded.joiner(function, depth)
        if by_name is not None:
            return self.keyworded.pieces(node, by_name, host, depth)
        if self.tagged.is_method(function, depth):
            return self.tagged.pieces(node, function, host, depth)
        if self.templates.pairs.is_builder(function) or self.templates.begun.goes_on(
            function, depth
        ):
            return None
        if self.is_generic(function, depth):
            return self._filled_in(node, function, given, host, depth)
        return self.first_said(function, depth)

    def first_said(self, function: Function, depth: int) -> list[Piece] | None:
        """The first template among the values that a function returns."""
        key = function, depth
        if key not in self._said:  # functions that call each other: many ways lead to each
            every = (self.templates.said(value, depth + 1) for value in function.returns)
            texts = (one for one in every if one and any(isinstance(p, Text) for p in one))
            self._said[key] = next(texts, None)
        said = self._said[key]
        return None if said is None else list(said)

    def said_by(self, node: tree.Node, depth: int) -> list[Piece] | None:
        """What an object says of itself where it becomes a part of a text, `f"{stream}#SNAPSHOT"`, as far as it has
        scopes in it."""
        if not self._sayings or not isinstance(node, tree.Name | tree.Attr | tree.Call):
            return None
        classes = self.templates.classes
        for one in ordered(self.templates.inference.of(node)):
            if isinstance(one, Instance):
                methods = (classes.method(one.cls, name) for name in SAYING)
                method = next(filter(None, methods), None)
                if method is None:
                    continue
                opened = self.templates.beginnings.said
                kept = (opened(one, depth + 1) for one in method.returns)
                said = self.first_said(method, depth) or next(filter(None, kept), None)
                segments = self.templates.segments(said or ())
                if said and segments and not self._is_id(node, said):
                    return said if segments[0].tagged or self._is_behind_tag(node) else None
        return None

    def _is_behind_tag(self, node: tree.Node) -> bool:
        """Whether the text before it says which scope an object begins with, `f"TENANT#{ref}"`; without, what it says
        may be for people: `f"locks/{ref}"`."""
        around = self.templates.names.parent(node)
        parts = around.parts if isinstance(around, tree.FString) else ()
        tags = [scope.tag for scope in self.templates.scopes]
        return any(
            isinstance(before, str)
            and not isinstance(part, str)
            and part.value is node
            and any(ends_with_tag(before, tag) for tag in tags)
            for before, part in pairwise(parts)
        )

    def _is_id(self, node: tree.Node, said: Sequence[Piece]) -> bool:
        """Whether an object says no more than its scope's segment, and is the scope's value by its name, or has that
        by a name that is no scope's: it is an id, `f"TENANT#{self.value}"`, behind which the next segment comes."""
        scopes, holes = self.templates.scopes, [p for p in said if isinstance(p, Filled)]
        if len(holes) != 1 or said[-1] is not holes[0]:
            return False
        return names_any_of(hole_name(node), scopes) or not names_any_of(holes[0].name, scopes)

    @cached_property
    def _sayings(self) -> bool:
        """Whether any object of the program says itself in words of its own."""
        modules = self.templates.names.modules.values()
        return any(f.name in SAYING for module in modules for f in module.functions)

    def _takes_anything(self, function: Function, depth: int) -> bool:
        """Whether a function makes a text without words of whatever it is given, as what caches results does."""
        if not function.own_params or any(p.kind not in ("*", "**") for p in function.own_params):
            return False
        made = [
            v.items[0] if isinstance(v, tree.Sequence) and v.items else v for v in function.returns
        ]
        found = [self.templates.said(value, depth + 1) for value in made]
        return bool(found) and all(
            pieces is not None
            and all(not re.search(r"\w", p.value) for p in pieces if isinstance(p, Text))
            and all(isinstance(p.value, tree.Name) for p in pieces if isinstance(p, Filled))
            for pieces in found
        )

    def is_generic(self, function: Function, depth: int = 0) -> bool:
        """Whether a function only puts what it is given together: `return f"{kind}#{ident}"`.

        What such a function returns is a key of nobody yet; its calls are judged in its place.
        """
        key = function, depth
        if key in self._generic:
            return self._generic[key]
        found = self._joins(function, depth) or self._takes_anything(function, depth)
        if not found and function.own_params and len(function.returns) == 1:
            pieces = self.templates.said(function.returns[0], depth + 1) or []
            names = {p.name for p in function.own_params}
            found = len(pieces) > 1 and all(
                not re.search(r"\w", piece.value)
                if isinstance(piece, Text)
                else self._is_given(piece, names) or self._is_ending(pieces, number)
                for number, piece in enumerate(pieces)
            )
        self._generic[key] = found
        return found

    def _joins(self, function: Function, depth: int) -> bool:
        """Whether a function sets parts off in a way of its own."""
        joiner = self.templates.joins.joiner
        return (
            self.tagged.is_method(function, depth)
            or self.keyworded.joiner(function, depth) is not None
            or (bool(function.own_params) and joiner(function, depth) is not None)
            or self.templates.pairs.is_builder(function)
            or self.templates.begun.goes_on(function, depth)
        )

    def together(self, node: tree.Call) -> list[Piece | tree.Node] | None:
        """What the call of a generic function puts together: its own texts, and what it is given between them, as
        it stands in the call, or what it has by itself for a part; `None` where it does that in a way of its own or
        something else with it, or is no function that is known."""
        callees = self.templates.calls.callees(node)
        function = callees[0].function if len(callees) == 1 else None
        if function is None or not self.is_generic(function) or self._joins(function, 0):
            return None
        own = {p.name for p in function.own_params}
        inside = self.templates.names.inside(function)
        read = [n.id for n in inside if isinstance(n, tree.Name) and n.id in own]
        once = len(read) == len(set(read))
        return self._given_to(node, function, callees[0].given, 0) if once else None

    def given_back(self, node: tree.Node | None) -> tree.Node | None:
        """What a call is given, alone, and a function gives back as it is, having looked at it, or without spaces
        around it: `checked(order_id)`."""
        if not isinstance(node, tree.Call) or len(node.args) != 1 or node.args[0].star:
            return None
        functions = [callee.function for callee in self.templates.calls.callees(node)]
        function = functions[0] if len(functions) == 1 else None
        if function is None or len(function.own_params) != 1:
            return None
        name = function.own_params[0].name
        own = all(_is_one_of(_bare(one), (name,)) for one in function.returns)
        if not function.returns or not own or len(function.scope.bindings.get(name, ())) != 1:
            return None
        return node.args[0].value

    def _is_given(self, piece: Filled, names: Collection[str]) -> bool:
        """Whether a part is an argument whose name is no scope's."""
        is_scope = names_any_of(piece.name, self.templates.scopes)
        return _is_one_of(piece.value, names) and not is_scope

    def _is_ending(self, pieces: Sequence[Piece], number: int) -> bool:
        """Whether a part that is no argument, and has no scope in it, ends what one begins, behind another mark than
        that of scopes: `f"{base}.{random.randrange(3) if shard is None else shard}"`."""
        scopes, last = self.templates.scopes, pieces[number]
        before = "".join(p.value for p in pieces if isinstance(p, Text))
        if number + 1 != len(pieces) or number == 0 or scopes[0].tag[-1:] in before:
            return False
        return isinstance(last, Filled) and not any(
            names_any_of(last_name(one), scopes)
            for one in within(last.value)
            if isinstance(one, tree.Name | tree.Attr)
        )

    def _filled_in(
        self, node: tree.Call, function: Function, given: int, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        """What a call of a generic function says: its template with the arguments in it."""
        parts = self._given_to(node, function, given, depth)
        if parts is None:
            return None
        found: list[Piece] = []
        for part in parts:
            if isinstance(part, Text):
                found.append(Text(part.value, host, node))
            elif isinstance(part, Filled):
                found.append(replace(part, host=host))  # what it ends with
            else:
                found += self.templates.inline(part, host, depth + 1)
        return found

    def _given_to(
        self, node: tree.Call, function: Function, given: int, depth: int
    ) -> list[Piece | tree.Node] | None:
        """The pieces of a generic function's template, of which those that a call gives are the arguments, and those
        that it does not give the texts that the function has for them, where it makes nothing else of these."""
        bound = bind(node.args, function.params, given)
        pieces = self.templates.said(function.returns[0], depth + 1)
        if bound is None or pieces is None:
            return None
        own = {p.name for p in function.own_params}
        bindings = function.scope.bindings
        kept = [p for p in function.own_params if len(bindings.get(p.name, ())) == 1]
        defaults = ((p.name, p.default, tree.text(p.default)) for p in kept)
        had = {name: Text(text, node, node) for name, node, text in defaults if node and text}
        found: list[Piece | tree.Node] = []
        for piece in pieces:
            if isinstance(piece, Text) or not _is_one_of(piece.value, own):
                found.append(piece)
                continue
            assert isinstance(piece.value, tree.Name)
            argument = bound.arguments.get(piece.value.id)
            part = argument.value if argument is not None else had.get(piece.value.id)
            if part is None:
                return None
            found.append(part)
        return found


def _bare(node: tree.Node) -> tree.Node:
    """`value` of `value.strip()`."""
    match node:
        case tree.Call(func=tree.Attr(name=name, base=base), args=()) if name in _STRIPPING:
            return base
        case _:
            return node


def _is_one_of(node: tree.Node, names: Collection[str]) -> bool:
    return isinstance(node, tree.Name) and node.id in names
