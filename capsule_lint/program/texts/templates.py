"""What a string expression says as a key: its texts and holes, and which scopes they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.reaching import history
from capsule_lint.program.texts.alternatives import Alternatives
from capsule_lint.program.texts.beginnings import Beginnings
from capsule_lint.program.texts.begun_for_calls import BegunForCalls
from capsule_lint.program.texts.called import Called
from capsule_lint.program.texts.choices import Choices
from capsule_lint.program.texts.constants import Constants
from capsule_lint.program.texts.folds import folded
from capsule_lint.program.texts.formatted import Formatted
from capsule_lint.program.texts.given_lists import joined
from capsule_lint.program.texts.joins import Joins
from capsule_lint.program.texts.pairs import Pairs
from capsule_lint.program.texts.pieces import (
    MAX_DEPTH,
    MAX_PIECES,
    Filled,
    Piece,
    Segment,
    Template,
    Text,
    hole_name,
    merged,
)
from capsule_lint.program.texts.segments import scopes_in
from capsule_lint.program.texts.steps import Steps
from capsule_lint.program.texts.text_objects import TextObjects, are_texts
from capsule_lint.program.texts.typed_values import TypedValues

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.policy import Scope as ScopePolicy
    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function
    from capsule_lint.program.names import Names

_UNCHANGING: Final = frozenset(
    ("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "encode", "decode")
)
"""Methods of a string that leave its segments what they are."""


class Templates:
    """Evaluates expressions of the program as templates."""

    def __init__(
        self,
        names: Names,
        classes: Classes,
        inference: Inference,
        calls: Calls,
        scopes: Sequence[ScopePolicy],
    ) -> None:
        self.names = names
        self.classes = classes
        self.inference = inference
        self.calls = calls
        self.scopes = scopes
        self._templates: dict[int, Template] = {}
        self._said: dict[tuple[int, int, bool], list[Piece] | None] = {}
        """What expressions say by themselves, by these, how deep in others they are asked for, and whether aside."""
        self._said_too_deep: set[tuple[int, int, bool]] = set()
        """Those of them that are not known for they lie too deep."""
        self._cuts = 0
        """How often a text was not followed any further, for it lies too deep."""
        self._cut_off: set[int] = set()
        """The holes that stand for such texts."""
        self.joins = Joins(self)
        self.typed = TypedValues(self.inference)
        self.formatted = Formatted(self)
        known_as = self.calls.uses.known_as
        self.text_objects = TextObjects(self.names, self.classes, self.scopes[0].tag, known_as)
        self.called = Called(self)
        self.begun = BegunForCalls(self)
        self.pairs = Pairs(self)
        self.constants = Constants(self.names, self.classes, self.calls, self.scopes)
        self.steps = Steps(self)
        self.beginnings = Beginnings(self)
        self.choices = Choices(self.names, self.classes, self.inference, self.constants)
        self._alternatives = Alternatives(self)

    def constant(self, node: tree.Node) -> str | None:
        """The string that an expression always is: a literal, a constant, an enum member's value."""
        return self.constants.of(node)

    def segments(self, pieces: Iterable[Piece]) -> tuple[Segment, ...]:
        """The scopes that a template carries, in the order in which they stand."""
        return scopes_in(pieces, self.scopes)

    # --- templates at a key position ---

    def resolve(self, node: tree.Node) -> list[Template]:
        """The templates that may be the value of `node`, through locals, conditions and typed items.

        Those that a helper returns are the helper's own and not among them (see `helpers_in`).
        """
        return self._alternatives.of(node)

    def wrapped(self, node: tree.Call) -> tree.Node | None:
        """The string that a call only passes on: `key.lower()`, `str(key)`, `PartitionKey(key)`,
        `super().__new__(cls, key)`."""
        func, args = node.func, node.args
        if isinstance(func, tree.Attr) and func.name in _UNCHANGING and not args:
            return func.base
        if (given := self.called.given_back(node)) is not None:
            return given
        if not args or any(a.star or a.keyword is not None for a in args):
            return None
        if last_name(func) in ("cast", "__new__") and len(args) == 2:
            return args[1].value
        if len(args) != 1:
            return None
        inner = args[0].value
        callees = self.calls.callees(node)
        if are_texts(self.classes, callees):
            return inner
        if callees:
            function = callees[0].function if len(callees) == 1 else None
            return inner if function is not None and self.typed.gives(function) else None
        if self.typed.serializes(func):
            return inner
        made = isinstance(inner, tree.FString | tree.Binary | tree.Call)
        if isinstance(func, tree.Name) and func.id == "str":
            return inner if made else None
        return inner if made and last_name(func)[:1].isupper() else None

    def template(self, node: tree.Node) -> Template | None:
        """The template that the expression itself makes; `None` when it makes none."""
        known = self._templates.get(id(node))
        if known is not None:
            return known
        pieces = self.evaluate(node, node, 0)
        pieces = self.beginnings.opened(pieces) if pieces else self.beginnings.added_to(node)
        host = node
        if pieces and (self._is_listed(node, pieces[0].host) or _is_buffered(node)):
            host = pieces[0].host  # joined from a local list, or written in steps
        if pieces is None or not (tree.makes_text(node) or any(p.host is host for p in pieces)):
            return None
        first = pieces[0].value if pieces and isinstance(pieces[0], Filled) else None
        # What is spread at the front, lies too deep, or is several texts may have any scopes in it.
        opaque = first is not None and (
            tree.spread(first) is not None
            or id(first) in self._cut_off
            or self.beginnings.may_say(first)
        )
        template = self._templates[id(node)] = Template(host, merged(pieces), opaque)
        return template if template.has_text or len(template.pieces) > 1 else None

    def _is_listed(self, node: tree.Node, host: tree.Node) -> bool:
        """Whether an expression joins a list that is written out at `host`, and does not have a helper do that."""
        function_of = self.names.function_of
        joins = isinstance(node, tree.Call) and joined(node) is not None
        return isinstance(host, tree.Sequence) and (
            joins or function_of(host) is function_of(node)
        )

    # --- evaluation ---

    def evaluate(self, node: tree.Node, host: tree.Node, depth: int) -> list[Piece] | None:
        """The pieces of an expression that is written in `host`; `None` when it makes no string, or one that is too much."""
        if depth > MAX_DEPTH:
            self._cuts += not self._is_parameter(node)
            return None
        found = self._pieces(node, host, depth)
        return found if found is None or len(found) <= MAX_PIECES else None

    def _is_parameter(self, node: tree.Node) -> bool:
        bindings = self.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        return bool(bindings) and all(b.parameter is not None for b in bindings)

    def said(self, node: tree.Node, depth: int) -> list[Piece] | None:
        """The pieces of an expression that stands by itself, to which many ways may lead."""
        key = id(node), depth, self.names.guessing > 0
        if key not in self._said:
            before = self._cuts
            self._said[key] = self.evaluate(node, node, depth)
            if self._said[key] is None and self._cuts > before:
                self._said_too_deep.add(key)
        elif key in self._said_too_deep:
            self._cuts += 1
        found = self._said[key]
        return None if found is None else list(found)

    def _pieces(self, node: tree.Node, host: tree.Node, depth: int) -> list[Piece] | None:
        match node:
            case tree.Const(value=str() as value):
                return self._constant(value, node, host)
            case tree.FString():
                found: list[Piece] = []
                for part in node.parts:
                    if len(found) > MAX_PIECES:
                        return None
                    if isinstance(part, str):
                        found.append(Text(part, host, node))
                    else:
                        found += self.inline(part.value, host, depth)
                return found
            case tree.Binary(op="+"):
                left = self.inline(node.left, host, depth)
                right = self.inline(node.right, host, depth)
                return left + right if any(isinstance(p, Text) for p in left + right) else None
            case tree.Binary(op="%"):
                text = self.constant(node.left)
                return None if text is None else self.formatted.percent(text, node, host, depth)
            case tree.Call():
                return self._call(node, host, depth)
            case tree.Name():
                return self._name(node, host, depth)
            case tree.Attr():
                return self._attribute(node, host, depth)
            case tree.Subscript() if (entry := self.constant(node)) is not None:
                return None if self.constants.is_filled(node) else [Text(entry, host, node)]
            case _:
                return None

    def inline(self, node: tree.Node, host: tree.Node, depth: int) -> list[Piece]:
        """The pieces of a hole's expression: what it says, or itself."""
        before = self._cuts
        found = self.evaluate(node, host, depth + 1)
        if found is None:
            found = self.called.said_by(node, depth)
        if found is None and self._cuts > before:
            self._cut_off.add(id(node))
        return found if found is not None else [self._hole(node, host)]

    def _hole(self, node: tree.Node, host: tree.Node) -> Filled:
        return Filled(node, host, hole_name(node), tree.spread(node) is not None)

    def _constant(self, value: str, node: tree.Const, host: tree.Node) -> list[Piece]:
        """A literal; one with `{name}` in it is a template for `.format` or for a decorator."""
        if host is not node or "{" not in value:
            return [Text(value, host, node)]
        return self.formatted.braces(value, node, host, {}, 0)

    def _call(self, node: tree.Call, host: tree.Node, depth: int) -> list[Piece] | None:
        func = node.func
        method = self.formatted.method(func)
        if method is not None:
            return self.formatted.format(node, method, host, depth)
        if isinstance(func, tree.Attr):
            if func.name == "join" and len(node.args) == 1:
                return self.joins.pieces(node, host, depth)
            if func.name == "getvalue" and not node.args:
                return self.joins.buffered(func.base, depth)
            if func.name in _UNCHANGING and not node.args:
                return self.evaluate(func.base, func.base, depth + 1)
        if isinstance(func, tree.Name) and func.id == "str" and len(node.args) == 1:
            said = node.args[0].value
            return self.evaluate(said, host, depth + 1) or self.called.said_by(said, depth)
        if folded(node) is not None:
            return self.joins.pieces(node, host, depth)
        callees = self.calls.callees(node)
        if len(node.plain) == len(node.args) == 1 and are_texts(self.classes, callees):
            return self.evaluate(node.plain[0], host, depth + 1)
        for callee in callees:
            if callee.function is not None:
                found = self.called.pieces(node, callee.function, callee.given, host, depth)
                if found is not None:
                    return found
        return None

    # --- names and constants ---

    def _name(self, node: tree.Name, host: tree.Node, depth: int) -> list[Piece] | None:
        bindings = self.names.bindings_of(node)
        if not bindings:
            return None
        if len(bindings) > 1 and any(
            b.place.scope.kind not in ("module", "class") for b in bindings
        ):
            return self.steps.added(bindings, depth)
        target = self.names.follow(bindings[-1])
        if (
            not isinstance(target, Binding)
            or target.kind != "assign"
            or target.value is None
            or target.path
        ):
            return None
        if (value := self.constants.unless_set(target)) is not None:
            return [Text(value, host, node)]
        value = self.constant(target.value)
        if target.place.scope.kind in ("module", "class"):
            return None if value is None else [Text(value, host, node)]
        if value is not None and not target.is_step and _is_plain(value):
            return [Text(value, host, node)]
        if target.is_step:
            return self.steps.added(history(target), depth)
        if isinstance(target.value, tree.Name | tree.Attr) and target.value is not node:
            inner = self.said(target.value, depth + 1)
            return inner if inner and any(isinstance(p, Text) for p in inner) else None
        pieces = self.said(target.value, depth + 1)
        return pieces if pieces is not None and any(isinstance(p, Text) for p in pieces) else None

    def _attribute(self, node: tree.Attr, host: tree.Node, depth: int) -> list[Piece] | None:
        value = self.constant(node)
        if value is not None:
            return [Text(value, host, node)]
        for one in ordered(self.inference.of(node.base)):
            if isinstance(one, Instance):
                method = self.classes.method(one.cls, node.name) or self._of_heirs(one, node.name)
                if method is not None and method.is_property:
                    pieces = self.called.first_said(method, depth)
                    if pieces is not None:
                        return pieces
        return None

    def _of_heirs(self, one: Instance, name: str) -> Function | None:
        """The method that a mixin asks of its heirs, where only one of them has it."""
        if self.classes.has_attribute(one.cls, name):
            return None
        with self.names.aside():
            heirs = tuple(self.classes.subclasses(one.cls))
        found = [heir.methods[name] for heir in heirs if name in heir.methods]
        return found[0] if len(found) == 1 else None


def _is_plain(text: str) -> bool:
    """Whether a text of a local can only be a value, or a word, of a key that is written elsewhere, and no part of one."""
    return bool(text) and all(c.isalnum() or c in "-_." for c in text)


def _is_buffered(node: tree.Node) -> bool:
    """Whether an expression is what has been written into a buffer: `out.getvalue()`."""
    return isinstance(node, tree.Call) and last_name(node.func) == "getvalue"
