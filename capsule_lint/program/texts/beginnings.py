"""What keys begin with that is kept or given as one text: `f"{self._prefix}#NOTE#{note_id}"`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import MAX_DEPTH, Filled, Piece, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.texts.templates import Templates


@dataclass(eq=False, slots=True)
class Beginnings:
    """Follows attributes and parameters at the front of templates to the scopes in their texts."""

    templates: Templates
    _known: dict[tuple[int, int], list[Piece] | None] = field(default_factory=dict)
    """What expressions say, by these and how deep in others they are asked for."""
    _mixed: set[int] = field(default_factory=set)
    """The expressions that say scopes only sometimes, by their ids."""

    def given(self, host: tree.Node) -> bool:
        """Whether a template begins with such a text."""
        pieces = self.templates.evaluate(host, host, 0)
        return pieces is not None and self.opened(pieces) is not pieces

    def may_say(self, node: tree.Node) -> bool:
        """Whether an expression at the front of a template says scopes only where some of what it may be stands."""
        return id(node) in self._mixed

    def opened(self, pieces: list[Piece], depth: int = 0) -> list[Piece]:
        """A template with what its first hole says in the hole's place, where scopes are in that."""
        mark = self.templates.scopes[0].tag[-1:]
        first = pieces[0] if pieces else None
        if not isinstance(first, Filled) or not isinstance(
            first.value, tree.Attr | tree.Name | tree.Subscript | tree.Wrapped
        ):
            return pieces
        if not any(isinstance(p, Text) and mark in p.value for p in pieces[1:]):
            return pieces
        if self.templates.segments([first]):
            return pieces
        if isinstance(first.value, tree.Subscript):
            found = self._cut(first.value, depth)
        elif isinstance(first.value, tree.Wrapped):
            found = self._spread(first.value, pieces[1], depth)
        else:
            found = self.said(first.value, depth)
        return pieces if found is None else found + pieces[1:]

    def _spread(self, first: tree.Wrapped, following: Piece, depth: int) -> list[Piece] | None:
        """The scopes in a list that an attribute is set to, and whose items a key begins with:
        `"#".join([*self._parts, "NOTE", note_id])`."""
        values = self._values(first.value, depth) if tree.spread(first) is not None else []
        if len(values) != 1 or not isinstance(following, Text):
            return None
        items = values[0].items if isinstance(values[0], tree.Sequence) else ()
        found: list[Piece] = []
        for item in items:
            found += [replace(following, host=values[0])] if found else []
            found += self.templates.inline(item, values[0], depth)
        return found if self.templates.segments(found) else None

    def texts_in(self, node: tree.Attr) -> list[tree.Node]:
        """All that an attribute is set to, where each of it is a text with scopes: `key.text`."""
        return self._values(node, 0) if self.said(node) is not None else []

    def added_to(self, node: tree.Node) -> list[Piece] | None:
        """What `self._prefix + key` says, where scopes are in the attribute's text."""
        if (
            not isinstance(node, tree.Binary)
            or node.op != "+"
            or not isinstance(node.left, tree.Attr)
        ):
            return None
        found = self.said(node.left)
        return None if found is None else found + self.templates.inline(node.right, node, 0)

    def said(self, node: tree.Node, depth: int = 0) -> list[Piece] | None:
        """The text with scopes that an attribute or a parameter is, that with the fewest of several; `None` where that is
        not known, or one has none."""
        if depth > MAX_DEPTH:
            return None
        key = id(node), depth
        if key not in self._known:
            values = self._values(node, depth)
            every = [self._scoped(value, depth) for value in values]
            scoped = [pieces for pieces in every if pieces is not None]
            if len(scoped) < len(every):
                self._mixed |= {id(node)} if scoped else set()
                scoped = []
            number = self.templates.segments
            self._known[key] = min(scoped, key=lambda p: len(number(p)), default=None)
        return self._known[key]

    def _cut(self, node: tree.Subscript, depth: int) -> list[Piece] | None:
        """The scopes at the front of a key that is cut off behind them: `self.pk.rsplit("#", 2)[0]`."""
        match node:
            case tree.Subscript(
                index=tree.Const(value=0),
                base=tree.Call(
                    func=tree.Attr(name="rsplit" | "rpartition" as method, base=key), args=args
                ),
            ):
                separator = tree.text(args[0].value) if args else None
                parts = tree.integer(args[1].value) if len(args) > 1 else None
                parts = 1 if method == "rpartition" else parts
                pieces = self.templates.said(key, depth)
            case _:
                return None
        segments = self.templates.segments(pieces or ())
        if not pieces or not segments or not separator or parts is None:
            return None
        last = max(segment.piece for segment in segments)
        after = "".join(p.value for p in pieces[last + 1 :] if isinstance(p, Text))
        kept = not isinstance(pieces[last], Text) and after.count(separator) >= parts
        return pieces[: last + 1] if kept else None

    def _scoped(self, value: tree.Node, depth: int) -> list[Piece] | None:
        """What a value says, if scopes are in it."""
        pieces = self.templates.said(value, depth)
        if pieces is not None:
            pieces = self.opened(pieces, depth + 1)
        elif isinstance(value, tree.Attr | tree.Name):
            pieces = self.said(value, depth + 1)
        return pieces if pieces is not None and self.templates.segments(pieces) else None

    def _values(self, node: tree.Node, depth: int) -> list[tree.Node]:
        """All that an attribute is set to, or that a parameter is given; empty if that is not known."""
        names, classes = self.templates.names, self.templates.classes
        if isinstance(node, tree.Name):
            binding = bound_whole(names, node)
            function = binding.function if binding is not None else None
            if function is None or binding is None or binding.parameter is None:
                return []
            return self._given(function, node.id, depth)
        found: list[tree.Node] = []
        if isinstance(node, tree.Attr):
            types = self.templates.inference.of(node.base)
            if not any(isinstance(one, Instance) for one in types):
                return self._attached(node, depth)
            for one in types:
                if not isinstance(one, Instance) or classes.method(one.cls, node.name) is not None:
                    return []
                stores = [s for c in classes.mro(one.cls) for s in c.stores.get(node.name, ())]
                if any(s.value is None or s.path or s.statement.op for s in stores):
                    return []
                found += [s.value for s in stores if s.value is not None]
                found += self._constructed(one.cls, node.name, depth) if not stores else []
        return found

    def _attached(self, node: tree.Attr, depth: int) -> list[tree.Node]:
        """All that the program puts under a name on an object of a framework, `g.root = f"TENANT#{g.tenant_id}"`, as far as
        it says scopes; empty where it is put there in another way, or changed."""
        names, found = self.templates.names, list[tree.Node]()
        for target, value in self.templates.calls.uses.assigned(node.name):
            if last_name(target.base) == last_name(node.base):
                statement = names.place(target).statement
                if not isinstance(statement, tree.Assign) or statement.op:
                    return []
                found.append(value)
        said = (self.templates.said(value, depth) for value in found)
        if not any(self.templates.segments(pieces) for pieces in said if pieces is not None):
            return []
        names.ask(node.name)
        return self._judged(iter(found), depth)

    def _given(self, function: Function, name: str, depth: int) -> list[tree.Node]:
        """What callers give for a parameter, as far as all of them give something."""
        calls, parameter = self.templates.calls, function.parameter(name)
        if parameter is None or parameter.default is not None:
            return []
        if function.name == "__init__" and function.owner is not None:
            return self._constructed(function.owner, name, depth)
        members = sorted(calls.families.of(function), key=lambda f: f.symbol)
        given = (
            argument.value for m in members for _, argument in list(calls.arguments_for(m, name))
        )
        return self._judged(given, depth)

    def _constructed(self, cls: Class, name: str, depth: int) -> list[tree.Node]:
        """What constructors are given for a parameter or a field."""
        made = self.templates.calls.given_to(cls)
        return self._judged((given[name].value for _, given in made if name in given), depth)

    def _judged(self, values: Iterator[tree.Node], depth: int) -> list[tree.Node]:
        """The values that the program gives, or its tests where it gives none."""
        every = list(values)
        names = self.templates.names
        own = [v for v in every if not names.module_of(v).is_test]
        if own:
            return own
        scopes, segments = self.templates.scopes, self.templates.segments
        said = [self.templates.said(v, depth) or [] for v in every]
        return every if all(len(segments(found)) == len(scopes) for found in said) else []
