"""What a key that a test spells out becomes: its code with the segments that it lacks, and the values in these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.plan.keys.spelled import first_and_rest
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Want
from capsule_lint.program.model import Binding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.facts import tree
    from capsule_lint.plan.keys.spelled import Form, Gap
    from capsule_lint.plan.literals import Literal
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot, Value
    from capsule_lint.plan.testing.literal_places import LiteralPlaces
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module


@dataclass(eq=False, slots=True)
class SegmentTexts(MendRoom):
    """Writes them."""

    mends: Mends
    places: LiteralPlaces

    def filled(self, module: Module, node: tree.Node, form: Form) -> str | None:
        """The code of a literal with the missing segments; `None` when they cannot be put in."""
        first, rest = first_and_rest(node)
        known = plain_literal(self.mends.source(module, first.span))
        return self.completed(known, rest, node, form) if known is not None else None

    def completed(self, known: Literal, rest: str, node: tree.Node, form: Form) -> str | None:
        """The same of a literal that may not be all of the expression: `rest` comes behind it."""
        found = form.regex.fullmatch(known.body + rest)
        if found is None:
            return None
        formatted, body = known.formatted, known.body
        order = self.program.policy.scopes
        gaps = sorted(form.gaps, key=lambda g: (found.end(g.group), order.index(g.scope)))
        beside = [known.formatted and body[: found.end(g.group)].endswith("}") for g in gaps]
        segments = self._segments(gaps, node, beside, known.quote)
        for gap, segment in reversed(list(zip(gaps, segments, strict=True))):
            at = found.end(gap.group)
            if segment is None or at > len(known.body):
                return None
            text, is_hole = segment
            if is_hole and not formatted and ("{" in known.body or not known.single):
                return None
            if is_hole and known.quote in text:
                return None
            formatted = formatted or is_hole
            between = gap.separator
            new = f"{text}{between}" if gap.front else f"{between}{text}"
            body = f"{body[:at]}{new}{body[at:]}"
        return known.code(body, formatted=formatted)

    def _segments(
        self, gaps: Sequence[Gap], node: tree.Node, beside: Sequence[bool], quote: str
    ) -> list[tuple[str, bool] | None]:
        """The segments for a key that a test spells out: no half of it by a name and the other as a text."""
        each = list(zip(gaps, beside, strict=True))
        found = [self.segment(gap, node, has_hole=has_hole) for gap, has_hole in each]
        if not any(one is not None and one[1] for one in found):
            return found
        named = [self.segment(gap, node, has_hole=True) for gap in gaps]
        pairs = zip(named, found, strict=True)
        return [new if new is not None and quote not in new[0] else old for new, old in pairs]

    def segment(self, gap: Gap, node: tree.Node, *, has_hole: bool) -> tuple[str, bool] | None:
        """The segment for a key that a test spells out, and whether it has a hole: where the segment
        beside it has one (`has_hole`), or where the value is not known."""
        scope, knot = gap.scope, gap.defect.knot
        want = Want(scope, node, knot, "key")
        value = self.planner.sources.for_key(scope, node, self.places.beside(node))
        if value is None:
            return None
        known = self.known(value, want) if not has_hole else None
        if known is not None:
            return f"{gap.tag}{known}", False
        return f"{gap.tag}{{{self._code(value, want)}}}", True

    def code(self, scope: Scope, node: tree.Node, knot: Knot) -> str | None:
        """The code of a scope's value for a key that a test makes itself; `None` if it is not known."""
        value = self.planner.sources.for_key(scope, node, self.places.beside(node))
        return self._code(value, Want(scope, node, knot, "key")) if value is not None else None

    def _code(self, value: Value, want: Want) -> str | None:
        code = value.code if value.kind == "given" else self.mends.code_of(want, want.knot)
        return None if code is None else self.mends.members.in_text(code, value, want)

    def known(self, value: Value, want: Want) -> str | None:
        """The literal that an expression always is; `None` when it is not known."""
        scope, members = want.scope, self.mends.members
        is_test = value.kind == "test" and scope.test_source is not None
        if members.say_names(scope):
            return members.text_in_policy(scope) if is_test else None
        if is_test:
            given = self.planner.sources.given
            return given.value_of_helper(scope) or members.text_in_policy(scope)
        if value.literal is not None:
            return value.literal
        program = self.program
        if not value.code.isidentifier():
            return None
        bindings = program.names.bindings(value.code, program.names.place(want.node))
        found = [program.names.follow(binding) for binding in bindings]
        literals = self.planner.sources.given.literals
        values = {
            literals.of(one.value) if isinstance(one, Binding) and one.kind == "assign" else None
            for one in found
        }
        return next(iter(values)) if len(values) == 1 else None
