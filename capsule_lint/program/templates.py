"""What a string expression says as a key: its texts and holes, and which scopes they carry."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.binding import bind
from capsule_lint.program.model import Binding, Function, last_name
from capsule_lint.program.pieces import (
    Filled,
    Piece,
    Segment,
    Template,
    Text,
    ends_with_tag,
    hole_name,
    names_scope,
    snake,
)
from capsule_lint.program.types import ClassObject, Instance
from capsule_lint.program.walk import children

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.policy import Scope as ScopePolicy
    from capsule_lint.program.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.infer import Inference
    from capsule_lint.program.names import Names

_MAX_DEPTH: Final = 12
_PERCENT: Final = re.compile(r"%(?:\((?P<name>\w+)\))?[-#0-9 +.]*(?P<kind>[a-zA-Z%])")
_BRACES: Final = re.compile(r"\{\{|\}\}|\{(?P<name>[\w.\[\]]*)(?:![rsa])?(?::[^{}]*)?\}")
_UNCHANGING: Final = frozenset(
    ("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "encode", "decode")
)
"""Methods of a string that leave its segments what they are."""
_TAKES_APART: Final = frozenset(
    [
        "startswith",
        "endswith",
        "removeprefix",
        "removesuffix",
        "split",
        "rsplit",
        "partition",
        "rpartition",
        "find",
        "index",
        "count",
        "match",
        "search",
        "fullmatch",
        "get",
        "pop",
    ]
)


@dataclass(eq=False, slots=True)
class Templates:
    """Evaluates expressions of the program as templates."""

    names: Names
    classes: Classes
    inference: Inference
    calls: Calls
    scopes: Sequence[ScopePolicy]
    _templates: dict[int, Template] = field(default_factory=dict)
    _generic: dict[Function, bool] = field(default_factory=dict)
    _said: dict[tuple[Function, int], list[Piece] | None] = field(default_factory=dict)
    """What functions return, by how deep in other templates they are called."""
    _fields: dict[tuple[int, str], tree.Name] = field(default_factory=dict)
    _steps: dict[int, Template] = field(default_factory=dict)
    _rough: dict[int, Template] = field(default_factory=dict)

    # --- segments ---

    def segments(self, pieces: Sequence[Piece]) -> tuple[Segment, ...]:
        """The scopes that a template carries, in the order in which they stand."""
        found: list[Segment] = []
        before = ""
        for number, piece in enumerate(pieces):
            if isinstance(piece, Text):
                found += self._literal(piece.value, number, number + 1 < len(pieces))
                before += piece.value
                continue
            scope, tagged = self._hole_scope(piece, before)
            if scope is not None:
                found.append(Segment(scope.name, number, literal=False, tagged=tagged))
            before = ""
        return tuple(found)

    def _hole_scope(self, piece: Filled, before: str) -> tuple[ScopePolicy | None, bool]:
        for scope in self.scopes:
            if ends_with_tag(before, scope.tag):
                return scope, True
        for scope in self.scopes:
            if names_scope(piece.name, scope):
                return scope, False
        return None, False

    def _literal(self, text: str, number: int, followed: bool) -> list[Segment]:
        found = [
            Segment(scope.name, number, literal=True, tagged=True, position=match.start())
            for scope in self.scopes
            for match in re.finditer(
                _tag_pattern(scope.tag) + r"(?P<value>[^#|/{}]+)", text, re.IGNORECASE
            )
        ]
        return sorted(found, key=lambda s: s.position)

    # --- templates at a key position ---

    def resolve(self, node: tree.Node, depth: int = 0) -> list[Template]:
        """The templates that may be the value of `node`, through locals, conditions and typed items.

        Those that a helper returns are the helper's own and not among them (see `helpers_in`).
        """
        if depth > _MAX_DEPTH:
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
            case tree.Call() if (inner := self._wrapped(node)) is not None:
                return self.resolve(inner, depth + 1)
            case tree.FString() | tree.Binary() | tree.Const() | tree.Call() | tree.Attr():
                template = self.template(node) or self.rough(node)
                return [template] if template is not None else []
            case _:
                return []

    def rough(self, node: tree.Node) -> Template | None:
        """A key that is put together in a way that is not known: it says the tag of a scope, and the
        scope's value is in it."""
        if not isinstance(node, tree.Call | tree.Binary) or last_name(node) in _TAKES_APART:
            return None
        known = self._rough.get(id(node))
        if known is None:
            known = self._rough[id(node)] = self._seen(node)
        return known if known.pieces else None

    def _seen(self, node: tree.Call | tree.Binary) -> Template:
        said: list[str] = []
        values: list[tree.Node] = []
        for part in _contents(node):
            match part:
                case str():
                    said.append(part)
                case tree.Const(value=str() as text):
                    said.append(text)
                case tree.Name() | tree.Attr():
                    constant = self.constant(part) or self._made_from(part)
                    said += [constant] if constant is not None else []
                    values += [part] if constant is None else []
        found: list[Piece] = []
        for scope in self.scopes:
            bare = scope.tag.rstrip("#|/:").lower()
            named = [v for v in values if names_scope(hole_name(v), scope)]
            if named and any(re.search(rf"\b{re.escape(bare)}\b", t.lower()) for t in said):
                found += [Text(scope.tag, node, node), Filled(named[0], node, hole_name(named[0]))]
        return Template(node, tuple(found), opaque=True)

    def _made_from(self, node: tree.Name | tree.Attr) -> str | None:
        """The text that a constant like `Template("TENANT#$tenant_id")` is made from."""
        target = self.classes.dotted(node)
        value = target.value if isinstance(target, Binding) else None
        if not isinstance(value, tree.Call) or len(value.args) != 1:
            return None
        first = value.args[0].value
        return (
            first.value if isinstance(first, tree.Const) and isinstance(first.value, str) else None
        )

    def _wrapped(self, node: tree.Call) -> tree.Node | None:
        """The string that a call only passes on: `key.lower()`, `str(key)`, `PartitionKey(key)`."""
        func, args = node.func, node.args
        if isinstance(func, tree.Attr) and func.name in _UNCHANGING and not args:
            return func.base
        if not args or any(a.star or a.keyword is not None for a in args):
            return None
        if last_name(func) == "cast" and len(args) == 2:
            return args[1].value
        if len(args) != 1 or self.calls.callees(node):
            return None
        inner = args[0].value
        made = isinstance(inner, tree.FString | tree.Binary | tree.Call)
        if isinstance(func, tree.Name) and func.id == "str":
            return inner if made else None
        return inner if made and last_name(func)[:1].isupper() else None

    def _resolve_name(self, node: tree.Name, depth: int) -> list[Template]:
        found: list[Template] = []
        for binding in self.names.bindings(node.id, self.names.place(node)):
            target = self.names.follow(binding)
            if not isinstance(target, Binding) or target.value is None:
                continue
            if target.kind == "for":
                for item in self._iterated(target.value, target.path):
                    found += self.resolve(item, depth + 1)
            elif target.kind != "assign":
                continue
            elif target.place.scope.kind in ("module", "class"):
                template = self.template(node)
                found += [template] if template is not None else []
            elif target.path:
                found += self._resolve_unpacked(target, depth)
            elif target.is_step:
                found += self._built_up(node, target)
            else:
                found += self.resolve(target.value, depth + 1)
        return found

    def _iterated(self, node: tree.Node, path: tuple[int, ...]) -> list[tree.Node]:
        """What a loop over a list that is written out gives its target, or the part `path` of it."""
        source = self.written_out(node)
        items = list(source.items) if isinstance(source, tree.Sequence) else []
        for step in path:
            rows = [item.items for item in items if isinstance(item, tree.Sequence)]
            items = [row[step] for row in rows if 0 <= step < len(row)]
        return items

    def _built_up(self, node: tree.Name, last: Binding) -> list[Template]:
        """`key = f"…"` and then `key += f"…"`: one template, written where it starts."""
        pieces = self._stepwise(self._history(last), 0)
        if not pieces:
            return []
        known = self._steps.get(id(node))
        if known is None:
            known = self._steps[id(node)] = Template(pieces[0].host, _merged(pieces))
        return [known]

    def _history(self, last: Binding) -> list[Binding]:
        """The bindings of a local from its plain assignment up to the step `last`, in order."""
        every = sorted(last.place.scope.bindings.get(last.name, ()), key=lambda b: b.place.order)
        before = [b for b in every if b.place.order <= last.place.order]
        start = max((n for n, b in enumerate(before) if not b.is_step), default=0)
        return before[start:]

    def _resolve_unpacked(self, target: Binding, depth: int) -> list[Template]:
        value = target.value
        if isinstance(value, tree.Sequence) and len(target.path) == 1:
            step = target.path[0]
            if 0 <= step < len(value.items):
                return self.resolve(value.items[step], depth + 1)
        return []

    def template(self, node: tree.Node) -> Template | None:
        """The template that the expression itself makes; `None` when it makes none."""
        known = self._templates.get(id(node))
        if known is not None:
            return known
        pieces = self._evaluate(node, node, 0)
        host = node
        if pieces and isinstance(pieces[0].host, tree.Sequence):  # joined from a local list
            host = pieces[0].host
        if pieces is None or not any(p.host is host for p in pieces):
            return None
        template = self._templates[id(node)] = Template(host, _merged(pieces))
        return template if template.has_text or len(template.pieces) > 1 else None

    def named_field(self, name: str, near: tree.Node) -> tree.Node:
        """A name of its own for a field that nothing written out fills: `%(tenant_id)s` of `locals()`."""
        known = self._fields.get((id(near), name))
        if known is None:
            known = self._fields[id(near), name] = tree.Name(near.at, name)
            self.names.index.places[id(known)] = self.names.place(near)
        return known

    # --- evaluation ---

    def _evaluate(self, node: tree.Node, host: tree.Node, depth: int) -> list[Piece] | None:
        """The pieces of an expression that is written in `host`; `None` when it makes no string."""
        if depth > _MAX_DEPTH:
            return None
        match node:
            case tree.Const(value=str() as value):
                return self._constant(value, node, host)
            case tree.FString():
                found: list[Piece] = []
                for part in node.parts:
                    if isinstance(part, str):
                        found.append(Text(part, host, node))
                    else:
                        found += self._inline(part.value, host, depth)
                return found
            case tree.Binary(op="+"):
                left = self._evaluate(node.left, host, depth + 1) or [self._hole(node.left, host)]
                right = self._evaluate(node.right, host, depth + 1) or [
                    self._hole(node.right, host)
                ]
                return left + right if any(isinstance(p, Text) for p in left + right) else None
            case tree.Binary(op="%"):
                text = self.constant(node.left)
                return None if text is None else self._percent(text, node, host, depth)
            case tree.Call():
                return self._call(node, host, depth)
            case tree.Name():
                return self._name(node, host, depth)
            case tree.Attr():
                return self._attribute(node, host, depth)
            case _:
                return None

    def _inline(self, node: tree.Node, host: tree.Node, depth: int) -> list[Piece]:
        found = self._evaluate(node, host, depth + 1)
        return found if found is not None else [self._hole(node, host)]

    def _hole(self, node: tree.Node, host: tree.Node) -> Filled:
        return Filled(node, host, hole_name(node))

    def _constant(self, value: str, node: tree.Const, host: tree.Node) -> list[Piece]:
        """A literal; one with `{name}` in it is a template for `.format` or for a decorator."""
        if host is not node or "{" not in value:
            return [Text(value, host, node)]
        return self._braces(value, node, host, {})

    def _braces(
        self, text: str, node: tree.Node, host: tree.Node, given: dict[str, tree.Node]
    ) -> list[Piece]:
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
                found.append(Filled(self.named_field(name, node), host, snake(name)))
            elif "." in name:
                found.append(Filled(value, host, snake(name)))
            else:
                found += self._inline(value, host, 1)
        found.append(Text(text[at:], host, node))
        return [p for p in found if not isinstance(p, Text) or p.value]

    def _percent(self, text: str, node: tree.Binary, host: tree.Node, depth: int) -> list[Piece]:
        right = node.right
        by_name = self.entries(right) or {}
        operands = self.operands(right)
        found: list[Piece] = []
        at = 0
        for match in _PERCENT.finditer(text):
            found.append(Text(text[at : match.start()], host, node))
            at = match.end()
            if match["kind"] == "%":
                found.append(Text("%", host, node))
            elif match["name"]:
                named = by_name.get(match["name"])
                found += (
                    self._inline(named, host, depth)
                    if named is not None
                    else [
                        Filled(self.named_field(match["name"], right), host, snake(match["name"]))
                    ]
                )
            elif operands:
                found += self._inline(operands.pop(0), host, depth)
        found.append(Text(text[at:], host, node))
        return [p for p in found if not isinstance(p, Text) or p.value]

    def _call(self, node: tree.Call, host: tree.Node, depth: int) -> list[Piece] | None:
        func = node.func
        if isinstance(func, tree.Attr):
            if func.name in ("format", "format_map"):
                return self._format(node, func.base, host, depth)
            if func.name == "join" and node.args:
                return self._join(node, func.base, host, depth)
            if func.name in _UNCHANGING and not node.args:
                return self._evaluate(func.base, func.base, depth + 1)
        if isinstance(func, tree.Name) and func.id == "str" and len(node.args) == 1:
            return self._evaluate(node.args[0].value, host, depth + 1)
        for callee in self.calls.callees(node):
            if callee.function is not None:
                found = self._called(node, callee.function, callee.given, host, depth)
                if found is not None:
                    return found
        return None

    def _format(
        self, node: tree.Call, base: tree.Node, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        text = self.constant(base)
        if text is None:
            return None
        if last_name(node.func) == "format_map":
            given = self.entries(node.args[0].value) if node.args else None
            return self._braces(text, node, host, dict(given or {}))
        given, number = {}, 0
        for argument in node.args:
            if argument.keyword is not None:
                given[argument.keyword] = argument.value
            elif argument.star == "**":
                given |= self.entries(argument.value) or {}
            else:
                for value in self.operands(argument.value) if argument.star else [argument.value]:
                    given[str(number)] = value
                    number += 1
        return self._braces(text, node, host, given)

    def operands(self, node: tree.Node) -> list[tree.Node]:
        """What the right side of `%` fills in one after the other: a tuple's items, or itself."""
        written = self.written_out(node)
        if isinstance(written, tree.Sequence) and written.kind == "tuple":
            return list(written.items)
        return [node]

    def entries(self, node: tree.Node) -> dict[str, tree.Node] | None:
        """What a mapping that is written out holds, by its string keys; `None` when it is not."""
        match self.written_out(node):
            case tree.DictDisplay() as display:
                found: dict[str, tree.Node] = {}
                for key, value in zip(display.keys, display.values, strict=True):
                    if key is None:
                        found |= self.entries(value) or {}
                    elif isinstance(key, tree.Const) and isinstance(key.value, str):
                        found[key.value] = value
                return found
            case tree.Call(func=tree.Name(id="dict")) as call:
                return {a.keyword: a.value for a in call.args if a.keyword is not None}
            case _:
                return None

    def written_out(self, node: tree.Node) -> tree.Node:
        """The expression itself, or that which the one assignment of a local gives it."""
        if not isinstance(node, tree.Name):
            return node
        bindings = self.names.bindings(node.id, self.names.place(node))
        if len(bindings) != 1 or bindings[0].kind != "assign" or bindings[0].path:
            return node
        statement, value = bindings[0].place.statement, bindings[0].value
        if value is None or (isinstance(statement, tree.Assign) and statement.op):
            return node
        return node if bindings[0].place.scope.kind in ("module", "class") else value

    def _join(
        self, node: tree.Call, base: tree.Node, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        separator = self.constant(base)
        rows = self._pairs(node.args[0].value)
        if separator is not None and rows is not None:
            return self._join_pairs(node, separator, *rows, depth)
        elements, written = self.elements(node.args[0].value, host)
        if separator is None or elements is None:
            return None
        found: list[Piece] = []
        for number, element in enumerate(elements):
            if number:
                found.append(Text(separator, written, node))
            found += self._inline(element, written, depth + 1)
        return found

    def _pairs(
        self, node: tree.Node
    ) -> tuple[tree.Comprehension, list[tree.Sequence], tree.Node] | None:
        """The rows of `f"{k}#{v}" for k, v in (("TENANT", tenant_id), …)`."""
        if not isinstance(node, tree.Comprehension) or len(node.generators) != 1:
            return None
        target, source = node.generators[0].target, node.generators[0].iter
        if not isinstance(target, tree.Sequence):
            return None
        items, written = self.elements(source, source)
        rows = [item for item in items or () if isinstance(item, tree.Sequence)]
        names = [item for item in target.items if isinstance(item, tree.Name)]
        if not rows or len(rows) != len(items or ()) or len(names) != len(target.items):
            return None
        return (node, rows, written) if all(len(r.items) == len(names) for r in rows) else None

    def _join_pairs(
        self,
        node: tree.Call,
        separator: str,
        each: tree.Comprehension,
        rows: list[tree.Sequence],
        written: tree.Node,
        depth: int,
    ) -> list[Piece] | None:
        form = self._evaluate(each.results[0], each.results[0], depth + 1)
        target = each.generators[0].target
        assert isinstance(target, tree.Sequence)
        names = [item.id for item in target.items if isinstance(item, tree.Name)]
        found: list[Piece] = []
        for number, row in enumerate(rows):
            if number:
                found.append(Text(separator, written, node))
            for piece in form or ():
                if isinstance(piece, Text):
                    found.append(Text(piece.value, written, node))
                elif isinstance(piece.value, tree.Name) and piece.value.id in names:
                    item = row.items[names.index(piece.value.id)]
                    found += self._inline(item, written, depth + 1)
                else:
                    return None
        return found

    def elements(
        self, node: tree.Node, host: tree.Node
    ) -> tuple[list[tree.Node] | None, tree.Node]:
        """The elements of a list display, or of a local list built in steps, and where it is written."""
        match node:
            case tree.Sequence():
                found: list[tree.Node] = []
                for item in node.items:
                    inner: list[tree.Node] | None = [item]
                    if isinstance(item, tree.Wrapped) and item.kind == "starred":
                        inner, _ = self.elements(item.value, item.value)
                    found += inner if inner is not None else [item]
                return found, host
            case tree.Comprehension() if len(node.generators) == 1 and self._only_passes(node):
                source = node.generators[0].iter
                return self.elements(source, source)
            case tree.Call(func=tree.Name(id="map" | "filter")) if len(node.args) == 2:
                source = node.args[1].value
                return self.elements(source, source)
            case tree.Call(func=tree.Name(id="list" | "tuple")) if len(node.args) == 1:
                return self.elements(node.args[0].value, node.args[0].value)
            case tree.Binary(op="+"):
                left, written = self.elements(node.left, node.left)
                right, _ = self.elements(node.right, node.right)
                return (None if left is None or right is None else left + right), written
            case tree.Name():
                return self._steps_of_list(node, host)
        return None, host

    def _only_passes(self, node: tree.Comprehension) -> bool:
        """Whether a comprehension's results are its items, as strings at most."""
        target, result = node.generators[0].target, node.results[0]
        while (
            isinstance(result, tree.Call)
            and len(result.args) + isinstance(result.func, tree.Attr) == 1
        ):
            func = result.func
            result = func.base if isinstance(func, tree.Attr) else result.args[0].value
        if isinstance(result, tree.FString) and len(result.parts) == 1:
            part = result.parts[0]
            result = part.value if isinstance(part, tree.Hole) else result
        return (
            isinstance(target, tree.Name)
            and isinstance(result, tree.Name)
            and result.id == target.id
        )

    def _steps_of_list(
        self, node: tree.Name, host: tree.Node
    ) -> tuple[list[tree.Node] | None, tree.Node]:
        """The elements of a local list: those of its display, and what is added before its use."""
        binding = self._first(node)
        if binding is None or binding.value is None:
            return None, host
        first, written = self.elements(binding.value, binding.value)
        if first is None or not isinstance(written, tree.Sequence):
            return None, host
        return first + self._appended(binding, node), written

    def _first(self, node: tree.Name) -> Binding | None:
        """The one plain assignment that a local starts with, whatever is added to it later."""
        place = self.names.place(node)
        for scope in place.scope.ancestors():
            every = scope.bindings.get(node.id, [])
            if every:
                plain = [b for b in every if not b.is_step]
                usable = len(plain) == 1 and plain[0].kind == "assign" and not plain[0].path
                return plain[0] if usable and scope.kind not in ("module", "class") else None
        return None

    def _appended(self, binding: Binding, use: tree.Name) -> list[tree.Node]:
        """What `parts.append(x)`, `parts.extend([x])` and `parts += [x]` add between the list's
        display and its use."""
        found: list[tree.Node] = []
        for statement, place in binding.place.scope.module.statements:
            if place.scope is not binding.place.scope or place.order <= binding.place.order:
                continue
            if place.order >= self.names.place(use).order:
                break
            for added in _added(statement, binding.name):
                more, _ = self.elements(added, added)
                found += more or []
        return found

    def _called(
        self, node: tree.Call, function: Function, given: int, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        """What a call of the program's own function says: the helper's template, or a `*parts` joiner's."""
        joiner = self.joiner(function)
        if joiner is not None:
            return self._joined(node, function, given, joiner, host, depth)
        if self._is_enum_key(function) and isinstance(node.func, tree.Attr):
            return self._enum_key(node, function, host, depth)
        if self.is_generic(function):
            return self._filled_in(node, function, given, host, depth)
        key = (function, depth)
        if key not in self._said:  # functions that call each other: many ways lead to each
            self._said[key] = self._first_said(function, depth)
        said = self._said[key]
        return None if said is None else list(said)

    def _first_said(self, function: Function, depth: int) -> list[Piece] | None:
        """The first template among the values that a function returns."""
        for value in function.returns:
            pieces = self._evaluate(value, value, depth + 1)
            if pieces is not None and any(isinstance(p, Text) for p in pieces):
                return pieces
        return None

    def joiner(self, function: Function) -> str | None:
        """The separator of a function that only joins its `*parts`."""
        variadic = next((p for p in function.params if p.kind == "*"), None)
        if variadic is None or len(function.returns) != 1:
            return None
        value = function.returns[0]
        if not (
            isinstance(value, tree.Call)
            and isinstance(value.func, tree.Attr)
            and value.func.name == "join"
            and value.args
        ):
            return None
        source = value.args[0].value
        while isinstance(source, tree.Comprehension) and len(source.generators) == 1:
            source = source.generators[0].iter
        if (
            isinstance(source, tree.Call)
            and len(source.args) == 2
            and last_name(source.func) in ("map", "filter")
        ):
            source = source.args[1].value
        if isinstance(source, tree.Name) and source.id == variadic.name:
            return self.constant(value.func.base)
        return None

    def _joined(
        self,
        node: tree.Call,
        function: Function,
        given: int,
        separator: str,
        host: tree.Node,
        depth: int,
    ) -> list[Piece] | None:
        fixed = [p for p in function.params if p.kind in ("posonly", "plain")][given:]
        if fixed or any(a.star for a in node.args):
            return None
        found: list[Piece] = []
        for number, argument in enumerate(a for a in node.args if a.keyword is None):
            if number:
                found.append(Text(separator, host, node))
            value = argument.value
            if isinstance(value, tree.Sequence) and value.kind == "tuple":
                for inner, item in enumerate(value.items):
                    if inner:
                        found.append(Text(separator, host, node))
                    found += self._inline(item, host, depth + 1)
            else:
                found += self._inline(value, host, depth + 1)
        return found

    def is_generic(self, function: Function) -> bool:
        """Whether a function only puts what it is given together: `return f"{kind}#{ident}"`.

        What such a function returns is a key of nobody yet; its calls are judged in its place.
        """
        if function in self._generic:
            return self._generic[function]
        self._generic[function] = False  # what a function sees that calls itself
        found = self._is_enum_key(function)
        if not found and function.own_params and len(function.returns) == 1:
            value = function.returns[0]
            pieces = self._evaluate(value, value, 0) or []
            names = {p.name for p in function.own_params}
            found = len(pieces) > 1 and all(
                not re.search(r"\w", piece.value)
                if isinstance(piece, Text)
                else isinstance(piece.value, tree.Name)
                and piece.value.id in names
                and not any(names_scope(piece.name, s) for s in self.scopes)
                for piece in pieces
            )
        self._generic[function] = found
        return found

    def _filled_in(
        self, node: tree.Call, function: Function, given: int, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        """What a call of a generic function says: its template with the arguments in it."""
        bound = bind(node.args, function.params, given)
        pieces = self._evaluate(function.returns[0], function.returns[0], depth + 1)
        if bound is None or pieces is None:
            return None
        found: list[Piece] = []
        for piece in pieces:
            if isinstance(piece, Text):
                found.append(Text(piece.value, host, node))
                continue
            assert isinstance(piece.value, tree.Name)
            argument = bound.arguments.get(piece.value.id)
            if argument is None:
                return None
            found += self._inline(argument.value, host, depth + 1)
        return found

    def _is_enum_key(self, function: Function) -> bool:
        return (
            function.owner is not None
            and self.classes.is_enum(function.owner)
            and len(function.own_params) >= 1
        )

    def _enum_key(
        self, node: tree.Call, function: Function, host: tree.Node, depth: int
    ) -> list[Piece] | None:
        """`TableKey.TEAM.key(id)`: the member's value, a separator, and the arguments."""
        assert isinstance(node.func, tree.Attr)
        tag = self.constant(node.func.base)
        if tag is None or "{" in tag or any(a.keyword is not None or a.star for a in node.args):
            return None
        found: list[Piece] = [Text(tag if tag.endswith("#") else f"{tag}#", host, node)]
        for number, argument in enumerate(node.args):
            if number:
                found.append(Text("#", host, node))
            found += self._inline(argument.value, host, depth + 1)
        return found

    # --- names and constants ---

    def _name(self, node: tree.Name, host: tree.Node, depth: int) -> list[Piece] | None:
        bindings = self.names.bindings(node.id, self.names.place(node))
        if not bindings:
            return None
        if len(bindings) > 1 and any(
            b.place.scope.kind not in ("module", "class") for b in bindings
        ):
            return self._stepwise(bindings, depth)
        target = self.names.follow(bindings[-1])
        if (
            not isinstance(target, Binding)
            or target.kind != "assign"
            or target.value is None
            or target.path
        ):
            return None
        if target.place.scope.kind in ("module", "class"):
            value = self.constant(target.value)
            return None if value is None else [Text(value, host, node)]
        if target.is_step:
            return self._stepwise(self._history(target), depth)
        if isinstance(target.value, tree.Name | tree.Attr) and target.value is not node:
            inner = self._evaluate(target.value, target.value, depth + 1)
            return inner if inner and any(isinstance(p, Text) for p in inner) else None
        pieces = self._evaluate(target.value, target.value, depth + 1)
        return pieces if pieces is not None and any(isinstance(p, Text) for p in pieces) else None

    def _stepwise(self, bindings: list[Binding], depth: int) -> list[Piece] | None:
        """`key = …` and then `key += …`: the steps in order; anything else is not one template."""
        ordered = sorted(bindings, key=lambda b: b.place.order)
        first, *steps = ordered
        if first.value is None or first.path or first.kind != "assign":
            return None
        found = self._evaluate(first.value, first.value, depth + 1)
        for step in steps:
            statement = step.place.statement
            if found is None or step.value is None:
                return None
            if isinstance(statement, tree.Assign) and statement.op == "+":
                more = self._evaluate(step.value, step.value, depth + 1)
                found = found + (more or [self._hole(step.value, step.value)])
            else:
                return None
        return found

    def _attribute(self, node: tree.Attr, host: tree.Node, depth: int) -> list[Piece] | None:
        value = self.constant(node)
        if value is not None:
            return [Text(value, host, node)]
        for one in self.inference.of(node.base):
            if isinstance(one, Instance):
                method = self.classes.method(one.cls, node.name)
                if method is not None and method.is_property:
                    for returned in method.returns:
                        pieces = self._evaluate(returned, returned, depth + 1)
                        if pieces is not None and any(isinstance(p, Text) for p in pieces):
                            return pieces
        return None

    def constant(self, node: tree.Node, depth: int = 0) -> str | None:
        """The string that an expression always is: a literal, a constant, an enum member's value."""
        if depth > _MAX_DEPTH:
            return None
        match node:
            case tree.Const(value=str() as value):
                return value
            case tree.Name():
                bindings = self.names.bindings(node.id, self.names.place(node))
                return self._constant_of(bindings, depth) if len(bindings) == 1 else None
            case tree.Attr():
                return self._constant_attribute(node, depth)
            case tree.Binary(op="+"):
                left, right = (
                    self.constant(node.left, depth + 1),
                    self.constant(node.right, depth + 1),
                )
                return left + right if left is not None and right is not None else None
            case tree.FString():
                parts = [
                    p if isinstance(p, str) else self.constant(p.value, depth + 1)
                    for p in node.parts
                ]
                return "".join(p for p in parts if p is not None) if None not in parts else None
            case _:
                return None

    def _constant_of(self, bindings: Sequence[Binding], depth: int) -> str | None:
        target = self.names.follow(bindings[-1])
        if (
            isinstance(target, Binding)
            and target.kind == "assign"
            and target.value is not None
            and not target.path
        ):
            statement = target.place.statement
            if isinstance(statement, tree.Assign) and statement.op:
                return None
            return self.constant(target.value, depth + 1)
        return None

    def _constant_attribute(self, node: tree.Attr, depth: int) -> str | None:
        inner = (
            node.base
            if node.name in ("value", "_value_") and isinstance(node.base, tree.Attr)
            else node
        )
        dotted = self.classes.dotted(inner)
        if isinstance(dotted, Binding):
            return self._constant_of([dotted], depth)
        if isinstance(inner.base, tree.Name) and inner.base.id in ("self", "cls"):
            for one in self.inference.of(inner.base):
                if isinstance(one, Instance | ClassObject):
                    for owner in self.classes.mro(one.cls):
                        bindings = owner.scope.bindings.get(inner.name)
                        if bindings and inner.name not in owner.stores:
                            return self._constant_of(bindings, depth)
        return None


def _compared(node: tree.DictDisplay) -> Iterator[tree.Node]:
    """The values of `{"AttributeValueList": […], "ComparisonOperator": "EQ"}`."""
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, tree.Const) and key.value == "AttributeValueList":
            yield from value.items if isinstance(value, tree.Sequence) else ()


def _contents(node: tree.Node) -> Iterator[tree.Node | str]:
    """All that an expression is made of, the names of its keyword arguments included."""
    yield node
    if isinstance(node, tree.Call):
        yield from (a.keyword for a in node.args if a.keyword is not None)
    parts = list(children(node))
    if isinstance(node, tree.Comprehension):
        parts = [*node.results, *(g.iter for g in node.generators)]
    for part in parts:
        yield from _contents(part)


def _added(statement: tree.Statement, name: str) -> Iterator[tree.Node]:
    """The lists that a statement adds to the list called `name`."""
    match statement:
        case tree.Assign(op="+", targets=(tree.Name() as target,), value=tree.Sequence() as value):
            if target.id == name:
                yield value
        case tree.Eval(
            values=(tree.Call(func=tree.Attr(base=tree.Name() as base) as func) as call,)
        ) if base.id == name and len(call.args) == 1:
            added = call.args[0].value
            if func.name == "append":
                yield tree.Sequence(added.at, "list", (added,))
            elif func.name == "extend":
                yield added


def _tag_pattern(tag: str) -> str:
    return rf"(?<![A-Za-z0-9_]){re.escape(tag)}"


def _merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Neighbouring texts of the same place as one."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if isinstance(piece, Text) and isinstance(last, Text) and last.host is piece.host:
            found[-1] = Text(last.value + piece.value, last.host, last.node)
        else:
            found.append(piece)
    return tuple(found)
