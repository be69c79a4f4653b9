"""Keys that a test compares with other marks, or another word, in them than they have: `key.replace("#", " ") == "TENANT t
NOTE n"`, also where a function does that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.keys.spelled import literal_text
from capsule_lint.plan.literals import Literal, literal, plain_literal
from capsule_lint.program.local_names import behind

if TYPE_CHECKING:
    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.testing.testing import Testing

_MAX_DEPTH: Final = 3


class Remarked(Struct, frozen=True):
    """Updates what they are compared with."""

    testing: Testing

    def update(self, node: tree.Node, text: str, other: tree.Node) -> list[Form]:
        """The forms of the key that a text is made of which is compared with an expression; empty where that is not
        known. Where the text can be completed, it is; else a person has to do it."""
        told_in = self.testing.forms().told_in
        if literal_text(node) is None and not told_in(text):
            return []
        marks = self._marks(other, 0)
        key = text.replace(marks[1], marks[0]) if marks is not None else text
        if marks is None or key.replace(*marks) != text or not told_in(key):
            return []
        found = self.testing.forms().of(key)
        running = self.testing.reach.of(*(self.testing.places.makers(other) if found else ()))
        made = [form for form in found if form.functions & running]
        codes = {self._completed(node, form, marks) for form in made}
        code = codes.pop() if len(codes) == 1 else None
        mends = self.testing.mends
        if code is not None:
            filename = mends.planner.program.names.module_of(node).filename
            mends.add(self.testing.tie(made), Replace(filename, node.span, "CAP104", code))
        elif made:
            mends.spelled(made[0].defects[0].knot, node)
        return made

    def _completed(self, node: tree.Node, form: Form, marks: tuple[str, str]) -> str | None:
        """The code of such a text with what its key gains."""
        mends, (old, new) = self.testing.mends, marks
        module = mends.planner.program.names.module_of(node)
        said = plain_literal(mends.source(module, node.span))
        if said is None or said.formatted or not said.single or not form.provable:
            return None
        key = Literal("", said.quote, said.body.replace(new, old))
        code = self.testing.segments.completed(key, "", node, form)
        whole = literal(code) if code is not None else None
        if whole is None or whole.formatted:
            return None
        return said.code(whole.body.replace(old, new), formatted=False)

    def _marks(self, node: tree.Node, depth: int) -> tuple[str, str] | None:
        """Which mark an expression puts in the place of which."""
        program = self.testing.mends.planner.program
        node = behind(program.names, node) or node
        if not isinstance(node, tree.Call) or depth == _MAX_DEPTH:
            return None
        match node:
            case tree.Call(func=tree.Attr(name="replace"), args=(old, new)):
                marks = tree.text(old.value), tree.text(new.value)
                return (marks[0], marks[1]) if marks[0] and marks[1] else None
        returns = [
            value
            for callee in program.calls.callees(node)
            for value in (callee.function.returns if callee.function is not None else ())
        ]
        return self._marks(returns[0], depth + 1) if len(returns) == 1 else None
