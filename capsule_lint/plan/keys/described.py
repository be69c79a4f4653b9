"""Docstrings that tell how the keys are which change, ``TENANT#<tenant>#ORDER#<id>``: they tell how these will be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.code import rename
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_VALUE: Final = r"<\w[\w .-]*>|\{\w[\w.]*\}"
"""How a docstring says that a value comes: `<tenant>`, `{tenant_id}`."""
_APART: Final = r"[\w#|/:\-]"
"""What goes on where a key would stop."""
_EXAMPLE: Final = ">>>"


class Described(MendRoom, Struct, frozen=True):
    """Updates those beside the templates that change."""

    mends: Mends

    def build(self) -> None:
        """Add the mends, one a docstring."""
        changing: dict[Module, list[KeyDefect]] = {}
        for defect in self.planner.defects:
            if not defect.module.is_test and not defect.module.generated:
                changing.setdefault(defect.module, []).append(defect)
        for module, defects in changing.items():
            told = "__doc__" not in module.named  # else it may be filled: `__doc__.format(…)`
            for node in module.each(tree.Const) if told else ():
                parent = self.program.names.parent(node)
                if tree.text(node) and isinstance(parent, tree.Eval) and parent.kind == "expr":
                    self._update(module, node, defects)

    def _update(self, module: Module, node: tree.Const, defects: list[KeyDefect]) -> None:
        said = plain_literal(self.mends.source(module, node.span))
        if said is None or not said.single or _EXAMPLE in said.body:
            return
        body, told = said.body, None
        for defect in defects:
            new = self._told(body, defect)
            if new != body:
                body, told = new, told or defect
        if told is not None:
            code = said.code(body, formatted=False)
            mend = Replace(module.filename, node.span, "CAP101", code)
            self.mends.add(told.knot, mend)

    def _told(self, body: str, defect: KeyDefect) -> str:
        """A docstring with what a key gains that it tells of."""
        scopes = self.mends.policy_order(defect.missing)
        places = [self._place(defect, scope) for scope in scopes]
        pattern = _pattern(defect)
        if pattern is None or len(set(places)) != 1 or places[0] is None:
            return body

        def extended(found: re.Match[str]) -> str:
            end, value = found.end(f"at_{places[0]}"), found[f"at_{places[0]}"]
            new = [self._segment(defect, value, scope) for scope in scopes]
            at = end - found.start()
            return (
                found[0]
                if None in new
                else found[0][:at] + "".join(filter(None, new)) + found[0][at:]
            )

        return pattern.sub(extended, body)

    def _place(self, defect: KeyDefect, scope: Scope) -> int | None:
        """Behind which piece of a template the segment of a scope comes."""
        anchor = defect.anchors.get(scope.name)
        pieces = enumerate(defect.template.pieces)
        found = (n for n, one in pieces if not isinstance(one, Text) and one.value is anchor)
        return next(found, None) if anchor is not None else None

    def _segment(self, defect: KeyDefect, value: str, scope: Scope) -> str | None:
        """`#CAPSULE#<capsule>` beside `<tenant>`; `None` where that is not called as a scope is."""
        others = self.program.policy.others(scope)
        new = next((one for old in others if (one := rename(value, old, scope)) != value), None)
        return None if new is None else f"{defect.mark(scope)}{defect.tag(scope)}{new}"


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
