"""Segments that a function of the program makes, one at a time: beside `_segment("TENANT", tenant_id)` comes
`_segment("CAPSULE", capsule_id)`, and `Tag.CAPSULE.of(capsule_id)` beside `Tag.TENANT.of(tenant_id)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.texts.pieces import Filled, Text, word_of

if TYPE_CHECKING:
    from capsule_lint.plan.keys.tag_constants import TagConstants
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot


class SegmentCalls(MendRoom, Struct, frozen=True):
    """Writes such calls."""

    mends: Mends
    constants: TagConstants

    def beside(
        self, knot: Knot, host: tree.Node, anchor: tree.Node, tag: str, hole: str
    ) -> str | None:
        """The code of the call that makes a segment with a tag as the call around the anchor makes its own;
        `None` where there is no such call."""
        call = self.program.names.parent(anchor)
        if not isinstance(call, tree.Call) or call is host:
            return None
        made = self._made(call, anchor)
        if made is None:
            return None
        match call:
            case tree.Call(func=tree.Attr(base=tree.Attr() as member, name=method), args=(only,)):
                own = self._member(knot, member, made, tag)
                given = f"{only.keyword}={hole}" if only.keyword else hole
                return f"{own}.{method}({given})" if own is not None else None
            case tree.Call(args=(_, _)):
                return self._of_words(call, anchor, made, tag, hole)
            case _:
                return None

    def _member(self, knot: Knot, member: tree.Attr, made: str, tag: str) -> str | None:
        """The code of the constant that says a tag as another one says what a method of it makes."""
        word = self.program.templates.constant(member)
        if not word or not made.startswith(word):
            return None
        mark = made.removeprefix(word)
        wanted = tag.removesuffix(mark)
        return self.constants.sibling(knot, member, wanted) if wanted + mark == tag else None

    def _of_words(
        self, call: tree.Call, anchor: tree.Node, made: str, tag: str, hole: str
    ) -> str | None:
        """The same of a call that is given the tag as well, as it is written without its separator."""
        func, module = text_of(call.func), self.program.names.module_of(call)
        if func is None:
            return None
        said = []
        for argument in call.args:
            code = hole
            if argument.value is not anchor:
                quote = self.mends.source(module, argument.value.span)[0]
                if quote not in "\"'" or tree.text(argument.value) != word_of(made):
                    return None
                code = f"{quote}{word_of(tag)}{quote}"
            said.append(f"{argument.keyword}={code}" if argument.keyword else code)
        return f"{func}({', '.join(said)})"

    def _made(self, call: tree.Call, anchor: tree.Node) -> str | None:
        """The tag of a scope behind which a call puts the scope's value that it is given; `None` where it makes
        anything else."""
        program = self.program
        callees = program.calls.callees(call)
        if len(callees) != 1 or callees[0].function is None or any(a.star for a in call.args):
            return None
        pieces = program.templates.evaluate(call, call, 0) or []
        before = [piece.value for piece in pieces[:-1] if isinstance(piece, Text)]
        written, last = "".join(before), pieces[-1] if pieces else None
        alone = (
            isinstance(last, Filled) and last.value is anchor and len(before) == len(pieces) - 1
        )
        is_tag = any(written == scope.tag for scope in program.policy.scopes)
        return written if alone and is_tag else None
