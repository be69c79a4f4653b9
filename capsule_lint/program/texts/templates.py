"""What a string expression says as a key: its texts and holes, and which scopes they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.local_names import entry_of_local
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.reaching import history
from capsule_lint.program.texts.beginnings import Beginnings
from capsule_lint.program.texts.begun_for_calls import BegunForCalls
from capsule_lint.program.texts.called import Called
from capsule_lint.program.texts.choices import Choices
from capsule_lint.program.texts.constants import Constants
from capsule_lint.program.texts.folds import folded
from capsule_lint.program.texts.formatted import Formatted
from capsule_lint.program.texts.given_lists import each, joined
from capsule_lint.program.texts.joins import Joins
from capsule_lint.program.texts.opaque import Opaque
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
    from collections.abc import Iterable, Iterator, Sequence

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
        self._opaque = Opaque(self)

    def constant(self, node: tree.Node) -> str | None:
        """The string that an expression always is: a literal, a constant, an enum member's value."""
        return self.constants.of(node)

    def segments(self, pieces: Iterable[Piece]) -> tuple[Segment, ...]:
        """The scopes that a template carries, in the order in which they stand."""
        return scopes_in(pieces, self.scopes)

    # --- templates at a key position ---

    def resolve(self, node: tree.Node, depth: int = 0) -> list[Template]:
        """The templates that may be the value of `node`, through locals, conditions and typed items.

        Those that a helper returns are the helper's own and not among them (see `helpers_in`).
        """
        if depth > MAX_DEPTH:
            return []
        match node:
            case tree.Name():
                return self._resolve_name(node, depth)
            case tree.Conditional():
                return self.resolve(node.then, depth + 1) + self.resolve(node.otherwise, depth + 1)
            case tree.Boolean():
                return [t for value in node.values for t in self.resolve(value, depth + 1)]
            case tree.DictDisplay(keys=(tree.Const(value="S"),)):
                return self.resolve(node.values[0], depth + 1)
            case tree.DictDisplay():
                return [t for value in _compared(node) for t in self.resolve(value, depth + 1)]
            case tree.Walrus():
                return self.resolve(node.value, depth + 1)
            case tree.Wrapped(kind="await"):
                return self.resolve(node.value, depth + 1)
            case tree.Lambda():
                return self.resolve(node.body, depth + 1)
            case tree.Call(func=tree.Name(id="property"), args=(getter, *_)):
                return self.resolve(getter.value, depth + 1)
            case tree.Call() if (inner := self.wrapped(node)) is not None:
                return self.resolve(inner, depth + 1)
            case tree.Call() if (paired := self.pairs.template(node)) is not None:
                return [paired]
            case tree.Call() if chosen := self._chosen(node):
                return chosen
            case tree.Call() if len(joined := self.joins.several(node)) > 1:
                return [Template(pieces[0].host, merged(pieces)) for pieces in joined if pieces]
            case tree.Subscript():
                entry = entry_of_local(self.names, node)
                return self.resolve(entry, depth + 1) if entry is not None else []
            case tree.FString() | tree.Binary() | tree.Const() | tree.Call() | tree.Attr():
                template = self.template(node) or self._opaque.of(node)
                return [template] if template is not None else []
            case _:
                return []

    def _chosen(self, node: tree.Call) -> list[Template]:
        """What `TEMPLATES[kind].format(…)` may fill: of a table of all kinds of texts, what has scopes in it."""
        method = self.formatted.method(node.func)
        if method is None:
            return []
        chosen = self.choices.of(method.base)
        found = [
            template
            if chosen.whole and self.formatted.is_filled_by_name(text)
            else replace(template, opaque=True)
            for text in chosen.texts
            if (template := self.template(text)) is not None
        ]
        if self.choices.may_be_any(method.base):  # a table has sort keys as well
            found = [one for one in found if self.segments(one.pieces)]
        for one in found:
            self.choices.filled.setdefault(id(one.host), node)
        return found

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

    def _resolve_name(self, node: tree.Name, depth: int) -> list[Template]:
        found: list[Template] = []
        bindings = self.names.bindings_of(node)
        if any(self.steps.goes_through_scopes(b.place, b.name) for b in bindings):
            return []
        for binding in bindings:
            target = self.names.follow(binding)
            if not isinstance(target, Binding) or target.value is None:
                continue
            if target.kind == "for":
                for item in self.joins.given.iterated(target.value, target.path):
                    found += self.resolve(item, depth + 1)
            elif target.kind != "assign":
                continue
            elif target.place.scope.kind in ("module", "class"):
                template = self.template(node)
                found += [template] if template is not None else []
            elif target.path:
                found += self._resolve_unpacked(target, depth)
            elif target.is_step:
                found += self._built_up(target) + self._begun_otherwise(target, depth)
            elif self.steps.goes_on_in_loop(target):
                whole = self.steps.whole(target.place, target.name)
                found += [whole] if whole is not None else []
            else:
                found += self.resolve(target.value, depth + 1)
        return found

    def _built_up(self, last: Binding) -> list[Template]:
        """`key = f"…"` and then `key += f"…"`: one template, written where it starts."""
        whole = self.steps.whole(last.place, last.name) or self.steps.up_to(last)
        return [whole] if whole is not None else []

    def _begun_otherwise(self, last: Binding, depth: int) -> list[Template]:
        """What `key` may be in other branches before `key += f"…"`."""
        before = self.names.bindings(last.name, last.place)
        begun = [b.value for b in before if b.kind == "assign" and not b.path and not b.is_step]
        started = history(last)[0].value
        others = [v for v in begun if v is not None and v is not started]
        return [t for value in others for t in self.resolve(value, depth + 1)]

    def _resolve_unpacked(self, target: Binding, depth: int) -> list[Template]:
        value = target.value
        if isinstance(value, tree.Sequence) and len(target.path) == 1:
            step = target.path[0]
            if 0 <= step < len(value.items):
                return self.resolve(value.items[step], depth + 1)
        if value is not None and len(target.path) == 1:
            return [t for one in each(value) for t in self.resolve(one, depth + 1)]
        return []

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


def _compared(node: tree.DictDisplay) -> Iterator[tree.Node]:
    """The values of `{"AttributeValueList": […], "ComparisonOperator": "EQ"}`, and of an update's
    `{"Value": …, "Action": "PUT"}`."""
    values, value = node.under("AttributeValueList"), node.under("Value")
    yield from values.items if isinstance(values, tree.Sequence) else ()
    yield from (value,) if value is not None else ()
