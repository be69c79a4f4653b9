"""Templates that are joined of parts: lists, pairs, steps, and functions that only join their arguments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.containers import IN_PLACE
from capsule_lint.program.local_names import behind, bound_whole
from capsule_lint.program.model import Binding, Function, last_name
from capsule_lint.program.texts.folds import folded
from capsule_lint.program.texts.given_lists import GivenLists, joined, passed
from capsule_lint.program.texts.pieces import (
    MAX_DEPTH,
    MAX_PIECES,
    Filled,
    Piece,
    Text,
    hole_name,
    names_any_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.texts.templates import Templates


@dataclass(eq=False, slots=True)
class Joins:
    """Evaluates what is joined."""

    templates: Templates
    given: GivenLists = field(init=False)
    _joiners: dict[tuple[Function, int], str | None] = field(default_factory=dict)
    _lists: dict[tuple[int, int], tuple[list[tree.Node] | None, tree.Node]] = field(
        default_factory=dict
    )
    """What local lists hold, by the names that are read and how many others lead to them."""

    def __post_init__(self) -> None:
        self.given = GivenLists(self.templates)

    def pieces(self, node: tree.Call, host: tree.Node, depth: int) -> list[Piece] | None:
        """The pieces of `separator.join(…)`, or of what is the same."""
        separator, fold = self.separator(node), folded(node)
        source = fold.parts if fold is not None else node.args[0].value
        rows = self._pairs(source)
        if separator is not None and rows is not None:
            return self._join_pairs(node, separator, *rows, depth)
        elements, written = self.elements(source, host)
        if elements is None and (returned := self.given.joined_by(node)):
            written = returned[0]
            elements, _ = self.elements(written, written)
        if separator is None or elements is None:
            return None
        return self._in_order(node, separator, elements, written, depth)

    def _in_order(
        self,
        node: tree.Call,
        separator: str,
        elements: list[tree.Node],
        written: tree.Node,
        depth: int,
    ) -> list[Piece]:
        found: list[Piece] = []
        for number, element in enumerate(elements):
            if number:
                found.append(Text(separator, written, node))
            found += self.templates.inline(element, written, depth + 1)
        return found

    def several(self, node: tree.Call) -> list[list[Piece]]:
        """The pieces of what a call joins of lists that several functions return, by list."""
        lists = self.given.joined_by(node)
        separator = self.separator(node) if len(lists) > 1 else None
        every = [(written, self.elements(written, written)[0]) for written in lists]
        return [
            self._in_order(node, separator, elements, written, 0)
            for written, elements in every
            if separator is not None and elements is not None
        ]

    def is_buffer(self, node: tree.Node) -> bool:
        """Whether an expression is a local into which texts are written: `out = StringIO()`."""
        binding = self._first(node) if isinstance(node, tree.Name) else None
        value = binding.value if binding is not None else None
        return isinstance(value, tree.Call) and last_name(value.func) == "StringIO"

    def buffered(self, buffer: tree.Node, depth: int) -> list[Piece] | None:
        """The pieces of `out.getvalue()`: what has been written before that, one after the other."""
        if not isinstance(buffer, tree.Name) or not self.is_buffer(buffer):
            return None
        binding = self._first(buffer)
        assert binding is not None
        assert isinstance(binding.value, tree.Call)
        found: list[Piece] = []
        for node in (
            *(a.value for a in binding.value.args),
            *self._appended(binding, buffer, "write"),
        ):
            found += self.templates.inline(node, node, depth + 1)
        return found or None

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
        form = self.templates.evaluate(each.results[0], each.results[0], depth + 1)
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
                    found += self.templates.inline(item, written, depth + 1)
                else:
                    return None
        return found

    def elements(
        self, node: tree.Node, host: tree.Node, depth: int = 0
    ) -> tuple[list[tree.Node] | None, tree.Node]:
        """The elements of a list display, or of a local list built in steps, and where it is written; `None` for them
        where they are not known, or too many."""
        found, written = self._elements(node, host, depth)
        return (None, host) if found is not None and len(found) > MAX_PIECES else (found, written)

    def _elements(
        self, node: tree.Node, host: tree.Node, depth: int
    ) -> tuple[list[tree.Node] | None, tree.Node]:
        match node:
            case tree.Sequence():
                found: list[tree.Node] = []
                for item in node.items:
                    listed = tree.spread(item)
                    inner = None if listed is None else self.elements(listed, listed, depth)[0]
                    found += [item] if inner is None else inner
                return found, host
            case tree.Comprehension() if len(node.generators) == 1 and self._only_passes(node):
                source = node.generators[0].iter
                return self.elements(source, source, depth)
            case tree.Call(func=tree.Name(id="map" | "filter")) if len(node.args) == 2:
                source = node.args[1].value
                return self.elements(source, source, depth)
            case tree.Call(func=tree.Name(id=name), args=(_,)) if name in IN_PLACE:
                return self.elements(node.args[0].value, node.args[0].value, depth)
            case tree.Binary(op="+"):
                left, written = self.elements(node.left, node.left, depth)
                right, _ = self.elements(node.right, node.right, depth)
                return (None if left is None or right is None else left + right), written
            case tree.Name() if depth < MAX_DEPTH:
                key = id(node), depth
                if key not in self._lists:
                    self._lists[key] = self._steps_of_list(node, depth)
                items, written = self._lists[key]
                return (None, host) if items is None else (list(items), written)
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
        self, node: tree.Name, depth: int
    ) -> tuple[list[tree.Node] | None, tree.Node]:
        """The elements of a local list: those of its display, and what is added before its use."""
        binding = self._first(node)
        if (
            binding is None
            or binding.value is None
            or binding.place.statement is self.templates.names.place(node).statement
        ):
            return None, node
        first, written = self.elements(binding.value, binding.value, depth + 1)
        if first is None or not isinstance(written, tree.Sequence):
            return None, node
        added = self._appended(binding, node, depth=depth + 1)
        return self._inserted(first + added, binding, bool(added)), written

    def _inserted(
        self, items: list[tree.Node], binding: Binding, is_added_to: bool
    ) -> list[tree.Node] | None:
        """The elements of a list with those that `parts.insert(1, x)` adds; `None` where it is not known
        what comes where."""
        found = list(items)
        for statement, place in binding.module.statements:
            match statement:
                case tree.Eval(
                    values=(
                        tree.Call(
                            func=tree.Attr(base=tree.Name(id=name), name="insert"),
                            args=(index, item),
                        ),
                    )
                ) if name == binding.name and place.scope is binding.place.scope:
                    at = tree.integer(index.value)
                    if at is None or at < 0 or (at > 1 and is_added_to):
                        return None
                    found.insert(at, item.value)
        return found

    def _first(self, node: tree.Name) -> Binding | None:
        """The one plain assignment that a local starts with, whatever is added to it later."""
        place = self.templates.names.place(node)
        for scope in place.scope.ancestors():
            every = scope.bindings.get(node.id, [])
            if every:
                plain = [b for b in every if not b.is_step]
                usable = len(plain) == 1 and plain[0].kind == "assign" and not plain[0].path
                return plain[0] if usable and scope.kind not in ("module", "class") else None
        return None

    def _appended(
        self, binding: Binding, use: tree.Name, method: str = "append", depth: int = 0
    ) -> list[tree.Node]:
        """What `parts.append(x)`, `parts.extend([x])` and `parts += [x]` add between the list's
        display and its use."""
        found: list[tree.Node] = []
        for statement, place in binding.module.statements:
            if place.scope is not binding.place.scope or place.order <= binding.place.order:
                continue
            if place.order >= self.templates.names.place(use).order:
                break
            for added in _added(statement, binding.name, method):
                more, _ = self.elements(added, added, depth)
                found += more or []
        return found

    def joiner(self, function: Function, depth: int = 0) -> str | None:
        """The separator of a function that only joins its `*parts`, and what is given before these."""
        key = function, depth
        if key not in self._joiners:
            self._joiners[key] = self._joiner(function, depth)
        return self._joiners[key]

    def _joiner(self, function: Function, depth: int) -> str | None:
        variadic = next((p for p in function.params if p.kind == "*"), None)
        if variadic is None or len(function.returns) != 1:
            return None
        value = behind(self.templates.names, function.returns[0])
        if isinstance(value, tree.Call):
            value = self.templates.wrapped(value) or value
        if value is None:
            return None
        fixed = [p for p in function.own_params if p.by_position]
        if fixed:
            mark = self._joins_behind(value, [p.name for p in fixed], variadic.name, depth)
            return mark if mark is not None and self._is_told_words(function) else None
        source = joined(value)
        if not isinstance(source, tree.Name) or source.id != variadic.name:
            return None
        assert isinstance(value, tree.Call)
        return self.separator(value)

    def _joins_behind(
        self, value: tree.Node, fixed: list[str], variadic: str, depth: int
    ) -> str | None:
        """The separator between parameters and what joins any number more of them:
        `"#".join((kind, *parts))`, `f"{kind}#{'#'.join(parts)}"`."""
        *before, last = self.templates.said(value, depth + 1) or [Text("", value, value)]
        holes, texts = before[::2], before[1::2]
        said = [
            p.value.id if isinstance(p, Filled) and isinstance(p.value, tree.Name) else ""
            for p in holes
        ]
        marks = {p.value if isinstance(p, Text) else "" for p in texts}
        scoped = any(names_any_of(name, self.templates.scopes) for name in fixed)
        if said != fixed or len(marks) != 1 or scoped or not isinstance(last, Filled):
            return None
        (mark,) = marks
        rest = last.value
        if (listed := tree.spread(rest)) is not None:
            rest = passed(listed)
        elif isinstance(rest, tree.Call) and self.separator(rest) == mark:
            rest = joined(rest) or rest
        return mark if mark and isinstance(rest, tree.Name) and rest.id == variadic else None

    def _is_told_words(self, function: Function) -> bool:
        """Whether the program calls a function with a word that it writes out as what comes first: a kind, and no
        identifier; and nothing calls it by keywords, whose order says nothing."""
        calls = [call for call, _ in self.templates.calls.callers(function)]
        fixed = [p.name for p in function.own_params if p.by_position]
        if any(call.keyword(name) is not None for call in calls for name in fixed):
            return False
        given = (
            call.args[0]
            for call in calls
            if call.args and not self.templates.names.module_of(call).is_test
        )
        return any(
            not argument.star and self.templates.constant(argument.value) is not None
            for argument in given
        )

    def separator(self, node: tree.Call) -> str | None:
        """What stands between the parts that a call joins."""
        fold = folded(node)
        mark = fold.mark if fold is not None else node.receiver
        if mark is None or isinstance(mark, str):
            return mark
        said = self.templates.constant(mark)
        return said if said is not None else self._default(mark)

    def _default(self, node: tree.Node) -> str | None:
        """The text of a parameter by name alone that no call gives: `def key(*parts, sep="#")`."""
        binding = bound_whole(self.templates.names, node)
        parameter = binding.parameter if binding is not None else None
        function = binding.function if binding is not None else None
        if parameter is None or function is None or parameter.kind != "kwonly":
            return None
        for call, _ in self.templates.calls.callers(function):
            if call.keyword(parameter.name) is not None or any(a.star == "**" for a in call.args):
                return None
        return tree.text(parameter.default) if parameter.default is not None else None

    def joined(
        self,
        node: tree.Call,
        function: Function,
        given: int,
        separator: str,
        host: tree.Node,
        depth: int,
    ) -> list[Piece] | None:
        """The pieces of a call of a function that joins its `*parts`; what is spread behind the first of them is
        one piece, whatever it holds."""
        fixed = [p for p in function.params if p.by_position][given:]
        plain = [a for a in node.args if a.keyword is None]
        begun = plain[: max(1, len(fixed))]
        if (
            any(a.star for a in begun)
            or any(a.star == "**" for a in plain)
            or len(plain) < len(fixed)
        ):
            return None
        found: list[Piece] = []
        for number, argument in enumerate(plain):
            if number:
                found.append(Text(separator, host, node))
            value = argument.value
            if argument.star:
                found.append(Filled(value, host, hole_name(value), several=True))
            elif isinstance(value, tree.Sequence) and value.kind == "tuple":
                for inner, item in enumerate(value.items):
                    if inner:
                        found.append(Text(separator, host, node))
                    found += self.templates.inline(item, host, depth + 1)
            else:
                found += self.templates.inline(value, host, depth + 1)
        return found


def _added(statement: tree.Statement, name: str, method: str) -> Iterator[tree.Node]:
    """The lists that a statement adds to the list called `name`, to which `method` adds one item."""
    match statement:
        case tree.Assign(op="+", targets=(tree.Name() as target,), value=tree.Sequence() as value):
            if target.id == name:
                yield value
        case tree.Eval(
            values=(tree.Call(func=tree.Attr(base=tree.Name() as base) as func) as call,)
        ) if base.id == name and len(call.args) == 1:
            added = call.args[0].value
            if func.name == method:
                yield tree.Sequence(added.at, "list", (added,))
            elif func.name == "extend":
                yield added
