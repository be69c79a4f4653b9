"""Segments that a function of the program makes, one at a time: beside `_segment("TENANT", tenant_id)` comes
`_segment("CAPSULE", capsule_id)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.texts.pieces import Filled, Text, word_of

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends


class SegmentCalls(MendRoom, Struct, frozen=True):
    """Writes such calls."""

    mends: Mends

    def beside(self, host: tree.Node, anchor: tree.Node, tag: str, hole: str) -> str | None:
        """The code of the call that makes a segment with a tag as the call around the anchor makes its own;
        `None` where there is no such call."""
        call = self.program.names.parent(anchor)
        if not isinstance(call, tree.Call) or call is host:
            return None
        func, module = text_of(call.func), self.program.names.module_of(call)
        if func is None or not self._makes_segment(call, anchor):
            return None
        said = []
        for argument in call.args:
            code = hole
            if argument.value is not anchor:
                quote = self.mends.source(module, argument.value.span)[0]
                if quote not in "\"'":
                    return None
                code = f"{quote}{word_of(tag)}{quote}"
            said.append(f"{argument.keyword}={code}" if argument.keyword else code)
        return f"{func}({', '.join(said)})"

    def _makes_segment(self, call: tree.Call, anchor: tree.Node) -> bool:
        """Whether a call is given a scope's tag, as it is written without its separator, and the scope's
        value, and makes nothing but the segment of these."""
        program = self.program
        callees = program.calls.callees(call)
        if len(call.args) != 2 or len(callees) != 1 or callees[0].function is None:
            return False
        if any(argument.star for argument in call.args):
            return False
        tags = [tree.text(a.value) for a in call.args if a.value is not anchor]
        pieces = program.templates.evaluate(call, call, 0) or []
        before = [piece.value for piece in pieces[:-1] if isinstance(piece, Text)]
        written, last = "".join(before), pieces[-1] if pieces else None
        return (
            isinstance(last, Filled)
            and last.value is anchor
            and len(before) == len(pieces) - 1
            and any(
                written == scope.tag and tags == [word_of(scope.tag)]
                for scope in program.policy.scopes
            )
        )
