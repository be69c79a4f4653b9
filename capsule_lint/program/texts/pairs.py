"""Keys that something builds of pairs of tags and values: `build_key(("tenant", t), ("order", o))`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.texts.pieces import Piece, Template, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Function
    from capsule_lint.program.texts.templates import Templates

_TAG: Final = re.compile(r"[A-Za-z][\w-]*")
_WORD: Final = re.compile(r"[A-Za-z]")


@dataclass(eq=False, slots=True)
class Pairs:
    """Evaluates calls whose arguments are pairs, where nobody sees how they are put together."""

    templates: Templates
    _builders: dict[Function, bool] = field(default_factory=dict)
    _made: dict[int, Template] = field(default_factory=dict)

    def template(self, node: tree.Call) -> Template | None:
        """The key that a call builds of pairs; `None` when it is no such call."""
        rows = node.plain
        joins = len(rows) == 1 and isinstance(node.func, tree.Attr) and node.func.name == "join"
        if not rows or joins or len(rows) != len(node.args) or not self._is_unseen(node):
            return None
        if id(node) not in self._made:
            pieces = self._pieces(node, rows)
            if pieces is None:
                return None
            self._made[id(node)] = Template(node, pieces, opaque=not self._has_first(pieces))
        return self._made[id(node)]

    def _is_unseen(self, node: tree.Call) -> bool:
        """Whether the function is none of the program, or one that only puts its arguments together."""
        functions = [c.function for c in self.templates.calls.callees(node)]
        return all(f is not None and self.is_builder(f) for f in functions)

    def _pieces(self, node: tree.Call, rows: list[tree.Node]) -> tuple[Piece, ...] | None:
        found: list[Piece] = []
        for number, row in enumerate(rows):
            if not isinstance(row, tree.Sequence) or row.kind != "tuple" or len(row.items) != 2:
                return None
            tag = self.templates.constant(row.items[0])
            if tag is None or not _TAG.fullmatch(tag):
                return None
            found.append(Text(f"#{tag}#" if number else f"{tag}#", node, row))
            found += self.templates.inline(row.items[1], node, 1)
        return tuple(found)

    def _has_first(self, pieces: tuple[Piece, ...]) -> bool:
        """Whether the outermost scope is among the pairs: others can stand beside it, as it stands."""
        segments = self.templates.segments(pieces)
        return any(s.scope == self.templates.scopes[0].name and not s.literal for s in segments)

    def is_builder(self, function: Function) -> bool:
        """Whether a function takes any number of parts, and has no word of its own to add to them."""
        if function not in self._builders:
            self._builders[function] = self._adds_nothing(function)
        return self._builders[function]

    def _adds_nothing(self, function: Function) -> bool:
        params = function.own_params
        if not any(p.kind == "*" for p in params) or any(p.kind == "plain" for p in params):
            return False
        return not any(_WORD.search(text) for text in self.words(function))

    def words(self, function: Function) -> Iterator[str]:
        """The texts in a function, but for those that it only tells somebody."""
        names = self.templates.names
        for node in names.inside(function):
            texts = [node.value] if isinstance(node, tree.Const) else []
            if isinstance(node, tree.FString):
                texts = [part for part in node.parts if isinstance(part, str)]
            said = [text for text in texts if isinstance(text, str)]
            place = names.place(node) if said else None
            if place is None or place.scope.function is not function:
                continue
            statement = place.statement
            if not (isinstance(statement, tree.Eval) and statement.kind in ("raise", "expr")):
                yield from said
