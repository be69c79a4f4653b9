"""Templates that are format strings: `%`, `.format`, `.format_map`, `string.Template`, and what fills their fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.local_names import bound_whole, put_into
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.texts.pieces import (
    Filled,
    Piece,
    Text,
    ends_with_tag,
    hole_name,
    scope_named,
    snake,
)
from capsule_lint.program.texts.text_objects import SUBSTITUTE

PERCENT: Final = re.compile(r"%(?:\((?P<name>\w+)\))?[-#0-9 +.]*(?P<kind>[a-zA-Z%])")

DOLLARS: Final = re.compile(
    r"\$(?:\$|(?P<plain>[_a-zA-Z][_a-zA-Z0-9]*)|\{(?P<braced>[_a-zA-Z][_a-zA-Z0-9]*)\})"
)

_BRACES: Final = re.compile(r"\{\{|\}\}|\{(?P<name>[\w.\[\]]*)(?:![rsa])?(?::[^{}]*)?\}")

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program.texts.templates import Templates


@dataclass(eq=False, slots=True)
class Formatted:
    """Evaluates format strings."""

    templates: Templates
    blanks: dict[int, tuple[tree.Node, str]] = field(default_factory=dict)
    """The fields, by the names that stand for them, that nothing fills of all that is written out: the expression that
    fills the others, and how each is called."""
    _fields: dict[tuple[int, str], tree.Name] = field(default_factory=dict)

    def named_field(self, name: str, near: tree.Node) -> tree.Node:
        """A name of its own for a field that nothing written out fills: `%(tenant_id)s` of `locals()`."""
        known = self._fields.get((id(near), name))
        if known is None:
            known = self._fields[id(near), name] = tree.Name(near.at, name)
            self.templates.names.index.put(known, self.templates.names.place(near))
        return known

    def _left_blank(
        self, name: str, near: tree.Node, filling: tree.Node, host: tree.Node
    ) -> Filled:
        """A field of a format that nothing fills which is written out."""
        found = self.named_field(name, near)
        if _is_written_out(filling) and self._is_plain(filling, name):
            self.blanks[id(found)] = (filling, name)
        return Filled(found, host, snake(name))

    def _is_plain(self, filling: tree.Node, name: str) -> bool:
        """Whether a field is filled as Python does it, and no method of the program's has a value of its own for it."""
        if not isinstance(filling, tree.Call):
            return True
        kept = self.templates.text_objects.kept(filling.func)
        if kept is not None:
            return all(name != field for field, _ in kept.own)
        own = any(c.function is not None for c in self.templates.calls.callees(filling))
        return self.base(filling) is not None and not own

    def own(self, filling: tree.Call) -> dict[str, tree.Node]:
        """The scopes that the method of an object that keeps a text fills in itself, by the fields' names."""
        kept, scopes = self.templates.text_objects.kept(filling.func), self.templates.scopes
        return {
            name: value
            for name, value in (kept.own if kept is not None else ())
            if any(scope_named(one, scopes) for one in (name, hole_name(value)))
        }

    def braces(
        self, text: str, node: tree.Node, host: tree.Node, given: dict[str, tree.Node], depth: int
    ) -> list[Piece]:
        """The pieces of a text with fields in braces."""
        found: list[Piece] = []
        at, number = 0, 0
        for match in _BRACES.finditer(text):
            found.append(Text(text[at : match.start()], host, node))
            at = match.end()
            if match[0] in ("{{", "}}"):
                found.append(Text(match[0][0], host, node))
                continue
            name = match["name"] or str(number)
            number += not match["name"]
            value = given.get(name.partition(".")[0].partition("[")[0])
            if value is None:
                found.append(self._left_blank(name, node, node, host))
            elif "." in name:
                found.append(Filled(value, host, snake(name)))
            else:
                found += self.templates.inline(value, host, depth)
        found.append(Text(text[at:], host, node))
        return [p for p in found if not isinstance(p, Text) or p.value]

    def dollars(
        self, text: str, node: tree.Node, host: tree.Node, given: dict[str, tree.Node], depth: int
    ) -> list[Piece]:
        """The pieces of a text for `string.Template`."""
        found: list[Piece] = []
        at = 0
        for match in DOLLARS.finditer(text):
            found.append(Text(text[at : match.start()], host, node))
            at, name = match.end(), match["plain"] or match["braced"]
            if name is None:
                found.append(Text("$", host, node))
            elif name in given:
                found += self.templates.inline(given[name], host, depth)
            else:
                found.append(self._left_blank(name, node, node, host))
        found.append(Text(text[at:], host, node))
        return [p for p in found if not isinstance(p, Text) or p.value]

    def is_filled_by_name(self, text: tree.Const) -> bool:
        """Whether all fields of a text have names, and none of them is a part of a value."""
        found = [m for m in _BRACES.finditer(str(text.value)) if m[0] not in ("{{", "}}")]
        return bool(found) and all(m["name"].isidentifier() for m in found)

    def percent(self, text: str, node: tree.Binary, host: tree.Node, depth: int) -> list[Piece]:
        """The pieces of `text % values`."""
        right = node.right
        by_name = self.entries(right) or {}
        operands = self._without(
            self.surplus(text, PERCENT, values := self.operands(right)), values
        )
        found: list[Piece] = []
        at = 0
        for match in PERCENT.finditer(text):
            found.append(Text(text[at : match.start()], host, node))
            at = match.end()
            if match["kind"] == "%":
                found.append(Text("%", host, node))
            elif match["name"]:
                named = by_name.get(match["name"])
                found += (
                    self.templates.inline(named, host, depth)
                    if named is not None
                    else [self._left_blank(match["name"], right, node, host)]
                )
            elif operands:
                found += self.templates.inline(operands.pop(0), host, depth)
        found.append(Text(text[at:], host, node))
        return [p for p in found if not isinstance(p, Text) or p.value]

    def base(self, host: tree.Node) -> tree.Node | None:
        """The format string of an expression that fills one."""
        match host:
            case tree.Binary(op="%"):
                return host.left
            case tree.Call():
                method = self.method(host.func)
                return method.base if method is not None else None
            case _:
                return None

    def method(self, func: tree.Node) -> tree.Attr | None:
        """The `text.format` or `text.format_map` that a call calls, also where a name is kept for it:
        `order_pk = "TENANT#{}#ORDER#{}".format`, or an object has the text and fills it; as `text.substitute` where that
        is a `string.Template`."""
        kept = self.templates.text_objects.kept(func)
        if kept is not None:
            return tree.Attr(func.at, kept.text, kept.how)
        target: object = None
        match func:
            case tree.Attr(name="format" | "format_map"):
                return func
            case tree.Name():
                names = self.templates.names
                bindings = names.bindings_of(func)
                target = names.follow(bindings[0]) if len(bindings) == 1 else None
            case tree.Attr():
                target = self.templates.classes.dotted(func)
        match target:
            case Binding(kind="assign", path=(), value=tree.Attr() as value):
                return value if value.name in ("format", "format_map") else None
            case _:
                return None

    def format(
        self, node: tree.Call, method: tree.Attr, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        """The pieces of `.format(…)`, `.format_map(…)` and `.substitute(…)`."""
        text = self.templates.constant(method.base)
        if text is None:
            return None
        if method.name == "format_map":
            given = self.entries(node.args[0].value) if node.args else None
            return self.braces(text, node, host, dict(given or {}), depth)
        if method.name == SUBSTITUTE:
            return self.dollars(text, node, host, self.substituted(node), depth)
        given, listed = self.own(node), list[tree.Node]()
        for argument in node.args:
            if argument.keyword is not None:
                given[argument.keyword] = argument.value
            elif argument.star == "**":
                given |= self.entries(argument.value) or {}
            else:
                listed += self.operands(argument.value) if argument.star else [argument.value]
        listed = self._without(self.surplus(text, _BRACES, listed), listed)
        given |= {str(number): value for number, value in enumerate(listed)}
        return self.braces(text, node, host, given, depth)

    def surplus_in(self, host: tree.Node, values: Sequence[tree.Node]) -> dict[str, tree.Node]:
        """The same for an expression that fills a format with some values in order."""
        base = self.base(host)
        text = self.templates.constant(base) if base is not None else None
        form = PERCENT if isinstance(host, tree.Binary) else _BRACES
        return self.surplus(text, form, values) if text is not None else {}

    def surplus(
        self, text: str, form: re.Pattern[str], values: Sequence[tree.Node]
    ) -> dict[str, tree.Node]:
        """The values of scopes for which a text that is filled in order has no place, by their scopes: it has so many
        fields less, `"TENANT#{}#NOTE#{}".format(tenant_id, capsule_id, note_id)`."""
        fields = [m for m in form.finditer(text) if m[0] not in ("{{", "}}", "%%")]
        if len(values) <= len(fields) or any(m["name"] for m in fields):
            return {}
        scopes, starts = self.templates.scopes, [0, *(m.end() for m in fields)]
        before = [text[at : m.start()] for at, m in zip(starts, fields, strict=False)]
        said = [s for s in scopes if any(ends_with_tag(one, s.tag) for one in before)]
        named = [(scope_named(hole_name(value), scopes), value) for value in values]
        found = {s.name: value for s, value in named if s is not None and s not in said}
        return found if len(found) == len(values) - len(fields) else {}

    def _without(
        self, surplus: dict[str, tree.Node], values: Sequence[tree.Node]
    ) -> list[tree.Node]:
        return [v for v in values if all(v is not one for one in surplus.values())]

    def substituted(self, node: tree.Call) -> dict[str, tree.Node]:
        """What a `string.Template` is given, by name and in mappings."""
        mappings = [a.value for a in node.args if a.keyword is None]
        found = {k: v for one in mappings for k, v in (self.entries(one) or {}).items()}
        return self.own(node) | found | dict(node.keywords)

    def operands(self, node: tree.Node) -> list[tree.Node]:
        """What the right side of `%` fills in one after the other: a tuple's items, or itself."""
        written = self.written_out(node)
        if isinstance(written, tree.Sequence) and written.kind == "tuple":
            return list(written.items)
        return [node]

    def entries(self, node: tree.Node) -> dict[str, tree.Node] | None:
        """What a mapping that is written out holds, by its string keys, also where a local gets them step by step; `None`
        when it is not."""
        written = self.written_out(node)
        match written:
            case tree.DictDisplay():
                found: dict[str, tree.Node] = {}
                for key, value in written.pairs:
                    if key is None:
                        found |= self.entries(value) or {}
                    elif (name := self.templates.constant(key)) is not None:
                        found[name] = value
            case tree.Call(func=tree.Name(id="dict")):
                found = dict(written.keywords)
            case tree.Binary(op="|", left=left, right=right):
                sides = self.entries(left), self.entries(right)
                return (
                    None if None in sides else {k: v for s in sides for k, v in (s or {}).items()}
                )
            case _:
                return None
        binding = bound_whole(self.templates.names, node) if written is not node else None
        put = list(put_into(self.templates.names, binding)) if binding is not None else []
        keys = [name for name, _ in put]
        for name, value in put:
            found.pop(name or "", None)
            if name is not None and keys.count(name) == 1:
                found[name] = value
        return found

    def written_out(self, node: tree.Node) -> tree.Node:
        """The expression itself, or that which the one assignment of a local gives it."""
        binding = bound_whole(self.templates.names, node)
        if binding is None or binding.kind != "assign":
            return node
        statement, value = binding.place.statement, binding.value
        if value is None or (isinstance(statement, tree.Assign) and statement.op):
            return node
        return node if binding.place.scope.kind in ("module", "class") else value


def _is_written_out(filling: tree.Node) -> bool:
    """Whether all that fills the names of a format is written out where it is filled."""
    match filling:
        case tree.Binary(right=right):
            return _is_whole(right)
        case tree.Call(func=tree.Attr(name="safe_substitute")):
            return False
        case tree.Call(func=func, args=args):
            maps = last_name(func) in ("format_map", SUBSTITUTE)
            spread = [a for a in args if a.star == "**" or (maps and a.keyword is None)]
            return bool(args) and all(_is_whole(argument.value) for argument in spread)
        case _:
            return False


def _is_whole(mapping: tree.Node) -> bool:
    """Whether a dict has no other names than those that are written out in it."""
    match mapping:
        case tree.DictDisplay(keys=keys):
            return all(key is not None and tree.text(key) is not None for key in keys)
        case tree.Call(func=tree.Name(id="dict"), args=args):
            return all(argument.keyword is not None for argument in args)
        case _:
            return False
