"""Docstrings and comments that tell how the keys are which change, ``TENANT#<tenant>#ORDER#<id>``: they tell how these will
be."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint import syntax
from capsule_lint.facts import tree
from capsule_lint.facts.comments import comments_of
from capsule_lint.lines import lines_of
from capsule_lint.model import Position, ReplaceComment, Span
from capsule_lint.plan.code import rename
from capsule_lint.plan.docstrings import Addition, Docstring, docstring_of, with_additions
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.model import outwards
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_VALUE: Final = r"<\w[\w .-]*>|\{\w[\w.]*\}|…|\.{3}"
"""How people say that a value comes: `<tenant>`, `{tenant_id}`, `…`."""
_FORMER: Final = re.compile(
    r"\b(old|older|legacy|former|formerly|previous|previously|deprecated|before|was|were|used to|no longer|without|migrat\w+)\b",
    re.IGNORECASE,
)
"""Words by which a comment tells of keys as they were."""
_MARK: Final = re.compile("#")
_APART: Final = r"[\w#|/:\-]"
"""What goes on where a key would stop."""


class _Gain(Struct, frozen=True):
    """What a key gains that a docstring tells: where in its text the key begins, and what comes in at which place."""

    start: int
    at: int
    segments: str


class Described(MendRoom, Struct, frozen=True, dict=True):
    """Finds what such docstrings gain."""

    mends: Mends

    def docstrings(self) -> Iterator[Docstring]:
        """Those of the functions, classes and modules in which the templates stand, or what reads their parts."""
        found: dict[int, tuple[tree.Node, Module, dict[KeyDefect, None]]] = {}
        for node, module, defects in self._changes:
            for doc in self._around(node, module):
                found.setdefault(id(doc), (doc, module, {}))[2].update(dict.fromkeys(defects))
        for doc, module, told in found.values():
            yield Docstring(doc, module, partial(self._additions, list(told)))

    def comments(self) -> None:
        """Add the mends of those on lines that change, and right above a statement or function that does."""
        by_module: dict[Module, list[tuple[tree.Node, Sequence[KeyDefect]]]] = defaultdict(list)
        for node, module, defects in self._changes:
            by_module[module].append((node, defects))
        for module, changes in by_module.items():
            text = self.mends.read(module.filename)
            told = {defect for _, defects in changes for defect in defects}
            patterns = [one for one in map(self._patterns.get, told) if one is not None]
            lines = lines_of(text) if any(one.search(text) for one in patterns) else []
            if not any(_may_comment(line, patterns) for line in lines):
                continue
            readable = syntax.read(text)[0]
            said = {row: (at, one) for row, at, one in comments_of(readable)}
            alone = {row for row, (at, _) in said.items() if not lines[row - 1][:at].strip()}
            found: dict[int, dict[KeyDefect, None]] = defaultdict(dict)
            for node, defects in changes:
                for row in self._beside(node, alone):
                    found[row].update(dict.fromkeys(defects))
            for row in sorted(found.keys() & said.keys()):
                self._comment(module, row, *said[row], list(found[row]))

    def _beside(self, node: tree.Node, alone: Collection[int]) -> Iterator[int]:
        """The lines of what changes, and those right above it, its statement and functions that are comments `alone`."""
        yield from range(node.span.start.row, node.span.end.row + 1)
        holder = self.program.names.parent(node)
        while holder is not None and not isinstance(holder, tree.Statement):
            holder = self.program.names.parent(holder)
        function = self.program.names.function_of(node)
        for one in (node, holder, *(outer.fact for outer in outwards(function))):
            row = one.span.start.row - 1 if one is not None else 0
            while row in alone:
                yield row
                row -= 1

    def _comment(
        self, module: Module, row: int, at: int, said: str, defects: Sequence[KeyDefect]
    ) -> None:
        gains = self._additions(defects, said) if not _FORMER.search(said) else []
        if len({self.state.groups.find(one.knot) for one in gains}) == 1:
            span = Span(Position(row, at + 1), Position(row, at + 1 + len(said)))
            new = with_additions(said, gains)
            self.mends.add(gains[0].knot, ReplaceComment(module.filename, span, "CAP101", new))

    @cached_property
    def _patterns(self) -> dict[KeyDefect, re.Pattern[str] | None]:
        """How people tell the keys that change."""
        return {one: _pattern(one) for one in (*self.planner.defects, *self.planner.silenced)}

    @cached_property
    def _changes(self) -> list[tuple[tree.Node, Module, Sequence[KeyDefect]]]:
        """What changes, and the keys that it is about."""
        silenced, find = self.planner.silenced, self.state.groups.find
        found = [
            (one.template.host, one.module, [one]) for one in (*self.planner.defects, *silenced)
        ]
        together: dict[Knot, list[KeyDefect]] = defaultdict(list)
        for defect in self.planner.defects:
            together[find(defect.knot)].append(defect)
        for reader in self.planner.readers.found:
            own = together.get(find(reader.knot), ())
            found.append((reader.node, reader.module, [*own, *silenced]))
        return [one for one in found if not one[1].is_test and not one[1].generated]

    def _around(self, node: tree.Node, module: Module) -> Iterator[tree.Node]:
        for scope in self.program.names.place(node).scope.ancestors():
            around = {"class": scope.cls, "function": scope.function}.get(scope.kind)
            doc = docstring_of(around.fact) if around is not None else None
            if doc is not None:
                yield doc
        if (doc := docstring_of(module.facts)) is not None:
            yield doc

    def _additions(self, defects: Sequence[KeyDefect], body: str) -> list[Addition]:
        told = [(one, defect) for defect in defects for one in self._gains(body, defect)]
        gains = {one for one, _ in told}
        beginnings = {body[one.start : one.at] for one in gains}
        if (
            len({one.at for one in gains}) < len(gains)
            or any(defect in self.planner.silenced for _, defect in told)
            or any(beginning in text for beginning in beginnings for text in self._tested)
        ):
            return []
        return [Addition(defect.knot, one.at, one.segments) for one, defect in told]

    @cached_property
    def _tested(self) -> list[str]:
        """The texts of tests in which a value comes as it does in docstrings."""
        texts = map(tree.text, self.program.names.constants_of_tests())
        return [text for text in texts if text and re.search(_VALUE, text)]

    def _gains(self, body: str, defect: KeyDefect) -> Iterator[_Gain]:
        """What a key gains wherever a text tells it; nothing where that tells of it already, for it
        may tell of the old key as well on purpose."""
        scopes = self.mends.policy_order(defect.missing)
        places = [self._place(defect, scope) for scope in scopes]
        pattern = self._patterns.get(defect)
        if pattern is None or len(set(places)) != 1 or places[0] is None:
            return
        group = f"at_{places[0]}"
        for found in pattern.finditer(body):
            values = found.groups()
            alike = values[0] if len(values) > 1 and len({*values}) == 1 else None
            new = [self._value(found[group], scope) or alike for scope in scopes]
            segments = [
                (defect.mark(scope), defect.tag(scope), value)
                for scope, value in zip(scopes, new, strict=True)
                if value is not None
            ]
            if len(segments) == len(new) and not any((t or v) in body for _, t, v in segments):
                yield _Gain(found.start(), found.end(group), "".join(map("".join, segments)))

    def _place(self, defect: KeyDefect, scope: Scope) -> int | None:
        """Behind which piece of a template the segment of a scope comes."""
        anchor = defect.behind(scope)
        pieces = enumerate(defect.template.pieces)
        found = (n for n, one in pieces if not isinstance(one, Text) and one.value is anchor)
        return next(found, None) if anchor is not None else None

    def _value(self, value: str, scope: Scope) -> str | None:
        """`<capsule>` beside `<tenant>`; `None` where that is not called as a scope is."""
        others = self.program.policy.others(scope)
        return next((one for old in others if (one := rename(value, old, scope)) != value), None)


def _may_comment(line: str, patterns: Sequence[re.Pattern[str]]) -> bool:
    """Whether a line may have a comment that one of some patterns finds something in: a key itself has a `#` too."""
    return any(
        pattern.search(line[mark.start() :])
        for mark in _MARK.finditer(line)
        for pattern in patterns
    )


def _pattern(defect: KeyDefect) -> re.Pattern[str] | None:
    """How people tell a key; `None` where hardly anything would tell that it is this one."""
    pieces = defect.template.pieces
    texts = [one.value for one in pieces if isinstance(one, Text) and re.search(r"\w", one.value)]
    if len(texts) < 2:
        return None
    parts = [
        re.escape(one.value) if isinstance(one, Text) else f"(?P<at_{number}>{_VALUE})"
        for number, one in enumerate(pieces)
    ]
    return re.compile(f"(?<!{_APART}){''.join(parts)}(?!{_APART})")
