"""Parts of keys that members of enums and fixed instances make: `Tag.CART(cart_id)`, `CART.key(cart_id)`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Binding
from capsule_lint.program.texts.pieces import (
    Filled,
    Piece,
    Text,
    names_any_of,
    names_scope,
    word_of,
)
from capsule_lint.program.texts.text_objects import VALUE

if TYPE_CHECKING:
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.texts.templates import Templates

_FIELD: Final = re.compile(r"\{|%[-#0 +]*[\d.]*[(a-zA-Z]|\$[\w{]")
"""Where a text is to be filled, so that nothing comes behind it: `TENANT#%s`."""


@dataclass(eq=False, slots=True)
class Tagged:
    """Evaluates calls of methods that put a word of their object and their arguments together."""

    templates: Templates
    _wordy: dict[tuple[Function, int], bool] = field(default_factory=dict)

    def is_method(self, function: Function, depth: int = 0) -> bool:
        """Whether what a method makes is a key of nobody yet: its words are those of its object."""
        key = function, depth
        if key not in self._wordy:
            of_enum = self._of_enum(function, depth)
            self._wordy[key] = of_enum or self._of_instances(function, depth)
        return self._wordy[key]

    def pieces(
        self, node: tree.Call, function: Function, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        """What a call says: what the method says of the object and the arguments. Where a method of an
        enum is not plain: the member's value, a separator, and the arguments."""
        receiver = self._receiver(node, function)
        if receiver is None:
            return None
        said = self._said(node, function, receiver, host, depth)
        if said is not None or not self._of_enum(function, depth):
            return said
        tag = self.templates.constant(receiver)
        if (
            tag is None
            or _FIELD.search(tag)
            or any(a.keyword is not None or a.star for a in node.args)
        ):
            return None
        ended = re.search(r"[\W_]\Z", tag) is not None
        found: list[Piece] = [Text(tag if ended else f"{tag}#", host, node)]
        for number, argument in enumerate(node.args):
            if number:
                found.append(Text("#", host, node))
            found += self.templates.inline(argument.value, host, depth + 1)
        return found

    def is_read(self, node: tree.Call, function: Function) -> bool:
        """Whether it is known what a method says of its object and the arguments of a call."""
        receiver = self._receiver(node, function)
        said = receiver and self._said(node, function, receiver, node, 0)
        return said is not None

    def _receiver(self, node: tree.Call, function: Function) -> tree.Node | None:
        """The object whose method is called, also where a name is kept for that: `tenant = Tag.TENANT.of`."""
        if function.name == "__call__":
            return node.func
        method = behind(self.templates.names, node.func)
        return method.base if isinstance(method, tree.Attr) else None

    def _said(
        self, node: tree.Call, function: Function, receiver: tree.Node, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        """The method's template with the object's words and the arguments in it."""
        bound = bind(node.args, function.params, 1)
        if bound is None or bound.starred or len(function.returns) != 1:
            return None
        value = function.returns[0]
        found: list[Piece] = []
        for piece in self._put_together(value, depth + 1):
            match piece:
                case Text():
                    found.append(Text(piece.value, host, node))
                case Filled(value=tree.Name(id=name)) if name in bound.arguments:
                    found += self.templates.inline(bound.arguments[name].value, host, depth + 1)
                case Filled(value=tree.Name(id=name)) if one := function.parameter(name):
                    text = self.templates.constant(one.default) if one.default else None
                    if text is None:
                        return None
                    found.append(Text(text, host, node))
                case Filled(value=tree.Attr() as own):
                    word = self._word(function, receiver, own)
                    if word is None or _FIELD.search(word):
                        return None
                    found.append(Text(word, host, node))
                case _:
                    return None
        return found or None

    def _put_together(self, value: tree.Node, depth: int) -> list[Piece]:
        """What a method says; `self.value + ident` says no word of its own."""
        found = self.templates.evaluate(value, value, depth)
        if found is None and isinstance(value, tree.Binary) and value.op == "+":
            sides = (value.left, value.right)
            return [one for side in sides for one in self.templates.inline(side, value, depth)]
        return found or []

    def _of_enum(self, function: Function, depth: int) -> bool:
        """Whether a method of an enum says what its members are; one that is given a scope, or puts one
        or its tag in, makes a whole key as any other function does."""
        return (
            function.owner is not None
            and self.templates.classes.is_enum(function.owner)
            and len(function.own_params) >= 1
            and not self._has_scope(function, depth)
        )

    def _has_scope(self, function: Function, depth: int) -> bool:
        """Whether scopes are among what a method is known to make a key of."""
        scopes = self.templates.scopes
        made = [self.templates.said(value, depth + 1) for value in function.returns]
        seen = any(isinstance(piece, Text) for pieces in made for piece in pieces or ())
        seen = seen or any(map(self._fills_its_value, function.returns))
        if not seen and not any(p.kind == "*" for p in function.own_params):
            return False  # its calls are told of: they take no other parts
        holes = [
            piece.name for pieces in made for piece in pieces or () if isinstance(piece, Filled)
        ]
        names = [*holes, *(p.name for p in function.own_params)]
        if any(names_scope(name, scope) for name in names for scope in scopes):
            return True
        tags = {word_of(scope.tag).lower() for scope in scopes}
        texts = self.templates.pairs.words(function)
        return any(not tags.isdisjoint(re.split(r"[\W_]+", text.lower())) for text in texts)

    def _fills_its_value(self, node: tree.Node) -> bool:
        """Whether an expression fills the text that a member of an enum is: `self.value.format(…)`."""
        base = self.templates.formatted.base(node)
        return isinstance(base, tree.Attr) and base.name in VALUE

    def _of_instances(self, function: Function, depth: int) -> bool:
        """Whether a method puts nothing but its arguments and words together that all its objects are
        made with: `return f"{self.word}#{ident}"`, `CART = Tag("CART")`."""
        owner = function.owner
        if owner is None or not function.own_params or len(function.returns) != 1:
            return False
        value = function.returns[0]
        own: list[str] = []
        for piece in self.templates.said(value, depth + 1) or ():
            match piece:
                case Text() if not re.search(r"\w", piece.value):
                    continue
                case Filled() if names_any_of(piece.name, self.templates.scopes):
                    return False
                case Filled(value=tree.Name(id=name)) if function.parameter(name) is not None:
                    continue
                case Filled(value=tree.Attr(base=tree.Name(id="self"), name=name)):
                    own.append(name)
                case _:
                    return False
        made = [call for call, _ in self.templates.calls.constructors_of(owner)] if own else []
        return bool(made) and all(
            self._given(owner, call, name) is not None for call in made for name in own
        )

    def _word(self, function: Function, receiver: tree.Node, node: tree.Attr) -> str | None:
        """The text that an attribute of `self` is in a method of that object."""
        if not isinstance(node.base, tree.Name) or node.base.id != "self":
            return None
        assert function.owner is not None
        if self.templates.classes.is_enum(function.owner):
            return self.templates.constant(receiver) if node.name in VALUE else None
        target = self.templates.classes.dotted(receiver)
        if not isinstance(target, Binding) or target.kind != "assign" or target.path:
            return None
        made = target.value
        return (
            self._given(function.owner, made, node.name) if isinstance(made, tree.Call) else None
        )

    def _given(self, cls: Class, made: tree.Call, name: str) -> str | None:
        """The text that an attribute is in an object that a call makes; `None` when it may be another."""
        given = self.templates.classes.kept(cls, name, made.args)
        return self.templates.constant(given) if given is not None else None
