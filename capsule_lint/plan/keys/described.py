"""Docstrings that tell how the keys are which change, ``TENANT#<tenant>#ORDER#<id>``: they tell how these will be."""

from __future__ import annotations

import re
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import rename
from capsule_lint.plan.docstrings import Addition, Docstring, docstring_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.policy import Scope

_VALUE: Final = r"<\w[\w .-]*>|\{\w[\w.]*\}"
"""How a docstring says that a value comes: `<tenant>`, `{tenant_id}`."""
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
        """Those of the functions and classes in which the templates stand."""
        found: dict[int, tuple[tree.Node, list[KeyDefect]]] = {}
        for defect in (*self.planner.defects, *self.planner.silenced):
            if not defect.module.is_test and not defect.module.generated:
                for node in self._around(defect):
                    found.setdefault(id(node), (node, []))[1].append(defect)
        for node, defects in found.values():
            yield Docstring(node, defects[0].module, partial(self._additions, defects))

    def _around(self, defect: KeyDefect) -> Iterator[tree.Node]:
        for scope in self.program.names.place(defect.template.host).scope.ancestors():
            around = {"class": scope.cls, "function": scope.function}.get(scope.kind)
            node = docstring_of(around.fact) if around is not None else None
            if node is not None:
                yield node

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
        modules = self.program.names.modules.values()
        nodes = (node for module in modules if module.is_test for node in module.each(tree.Const))
        return [text for text in map(tree.text, nodes) if text and re.search(_VALUE, text)]

    def _gains(self, body: str, defect: KeyDefect) -> Iterator[_Gain]:
        """What a key gains wherever the text of a docstring tells it; nothing where that tells of it already, for it
        may tell of the old key as well on purpose."""
        scopes = self.mends.policy_order(defect.missing)
        places = [self._place(defect, scope) for scope in scopes]
        pattern = _pattern(defect)
        if pattern is None or len(set(places)) != 1 or places[0] is None:
            return
        group = f"at_{places[0]}"
        for found in pattern.finditer(body):
            new = [self._value(found[group], scope) for scope in scopes]
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


def _pattern(defect: KeyDefect) -> re.Pattern[str] | None:
    """How a docstring tells a key; `None` where hardly anything would tell that it is this one."""
    pieces = defect.template.pieces
    texts = [one.value for one in pieces if isinstance(one, Text) and re.search(r"\w", one.value)]
    if len(texts) < 2:
        return None
    parts = [
        re.escape(one.value) if isinstance(one, Text) else f"(?P<at_{number}>{_VALUE})"
        for number, one in enumerate(pieces)
    ]
    return re.compile(f"(?<!{_APART}){''.join(parts)}(?!{_APART})")
