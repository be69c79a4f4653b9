"""Segments into format strings: a field more in the text, and what fills it beside the others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddElements, Mend, Replace
from capsule_lint.plan.code import text_of
from capsule_lint.plan.keys.format_constants import FormatConstants
from capsule_lint.plan.keys.format_fields import (
    Mark,
    Sign,
    has_starred_width,
    marks_in,
    named,
    of_same_object,
    positions_of,
    renumbered,
    start_of,
)
from capsule_lint.plan.keys.format_filling import (
    Addition,
    Filler,
    Filling,
    Group,
    Unknown,
    runs_of,
)
from capsule_lint.plan.keys.format_mappings import Mappings, is_namespace
from capsule_lint.plan.literals import changed_part
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.texts.text_objects import SUBSTITUTE
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot, Want


@dataclass(eq=False, slots=True)
class Formats(MendRoom):
    """Extends format strings and what fills them."""

    mends: Mends
    constants: FormatConstants = field(init=False)
    _mappings: Mappings = field(init=False)

    def __post_init__(self) -> None:
        self.constants, self._mappings = FormatConstants(self.mends), Mappings(self.mends)

    def is_format(self, host: tree.Node) -> bool:
        """Whether an expression fills a format string."""
        return self.program.templates.formatted.base(host) is not None

    def extend(self, knot: Knot, host: tree.Node, groups: Sequence[Group], code: str) -> None:
        """Put segments into the format that `host` fills, or say that it cannot be done."""
        self._add(knot, host, self._extended(knot, host, groups, code))

    def fill(self, want: Want) -> None:
        """Fill a field that a text has which nothing fills, or gains which is chosen while the program runs."""
        code, host, after = self.mends.members.hole(want, want.knot), want.node, want.mirror
        if code is None:
            return
        filling, name = self._filling(host), want.name or want.scope.parameter
        if not name.isidentifier():
            object_ = name.partition(".")[0].partition("[")[0]
            reason = f"nothing is filled in for `{object_}` of `{{{name}}}`"
            self.mends.obstacle(want.knot, host, reason)
            return
        self._add(want.knot, host, self._named(host, name, code, after, filling, "CAP104"))

    def _add(self, knot: Knot, host: tree.Node, mends: Iterator[Mend]) -> None:
        """Have the mends made, or say why they cannot be."""
        try:
            found = list(mends)
        except Unknown as reason:
            self.mends.obstacle(knot, host, str(reason))
            return
        for mend in found:
            self.mends.add(knot, mend)

    def _extended(
        self, knot: Knot, host: tree.Node, groups: Sequence[Group], code: str
    ) -> Iterator[Mend]:
        base = self.program.templates.formatted.base(host)
        assert base is not None
        constant = base if isinstance(base, tree.Const) else self.constants.of(base)
        if constant is None:
            raise Unknown("the format string is not a constant of the program")
        module = self.program.names.module_of(constant)
        literal = self.mends.source(module, constant.span)
        sign = self._sign(host)
        if sign == "%" and has_starred_width(literal):
            raise Unknown("the widths of the format string are filled in as well")
        values = [v for v in self._filling(host).values if not isinstance(v, str)]
        surplus = self.program.templates.formatted.surplus_in(host, values)
        text, filling = self._with_all(literal, host, groups, sign, surplus)
        at_end = sign == "{" and list(surplus.values()) == values[len(values) - len(surplus) :]
        if at_end and not _is_in_order(filling, values):  # nothing is filled in with these
            text, filling = self._with_all(literal, host, groups, sign, {})
        if not _is_in_order(filling, values):
            raise Unknown("what is filled in stands in another order than the text would have it")
        yield from self._operands(knot, host, filling, code)
        if constant is base and base.span in host.span:
            yield Replace(module.filename, constant.span, code, text)
            return
        self.state.groups.join(knot, ("constant", id(constant)))
        if not self.constants.becomes(constant, text):
            raise Unknown("the format string would have to change in different ways")
        span, text = changed_part(constant.span, literal, text)
        mend = Replace(module.filename, span, code, text)
        if not any(m == mend for _, m in self.mends.found):
            yield mend

    # --- the text ---

    def _sign(self, host: tree.Node) -> Sign:
        """What the fields of the format begin with that an expression fills."""
        if isinstance(host, tree.Binary):
            return "%"
        method = (
            self.program.templates.formatted.method(host.func)
            if isinstance(host, tree.Call)
            else None
        )
        return "$" if method is not None and method.name == SUBSTITUTE else "{"

    def _with_all(
        self,
        literal: str,
        host: tree.Node,
        groups: Sequence[Group],
        sign: Sign,
        surplus: dict[str, tree.Node],
    ) -> tuple[str, Filling]:
        """The code of a text with all its new segments, and what fills it then; some values have been given already."""
        filling, text = self._filling(host), literal
        filling.surplus, left = surplus, surplus.values()
        filling.values = [v for v in filling.values if all(v is not one for one in left)]
        for group in groups:
            text = self._with(text, group, filling, sign)
        return text, filling

    def _with(self, text: str, group: Group, filling: Filling, sign: Sign) -> str:
        marks = list(marks_in(text, sign))
        positions = positions_of(marks)
        if max(positions, default=-1) >= len(filling.values):
            raise Unknown("what is filled in is not written out")
        near = self._near(marks, positions, group, filling)
        like = marks[near] if near is not None else marks[0] if marks else None
        start = marks[near].end if near is not None else start_of(text)
        if like is None:
            raise Unknown("the format string has no fields")
        fills = self._value(like, positions[marks.index(like)], filling)
        holes = [a.hole for a in group.additions]
        fields = of_same_object(like, text_of(fills), holes) if fills is not None else []
        if not fields and like.is_named:
            after = self._value(marks[near], None, filling) if near is not None else None
            for addition in group.additions:
                name = self._name(addition, filling)
                filling.new.append((name, addition.hole, after))
                apart = not any(re.match(r"\w", a.after or a.before) for a in group.additions)
                fields.append(named(sign, name, text[like.start : like.end], apart=apart))
        elif not fields:
            first = positions[near] + 1 if near is not None else 0
            given = (filling.surplus.get(one.scope.name) for one in group.additions)
            filling.values[first:first] = [a or b for a, b in zip(given, holes, strict=True)]
            numbers = range(first, first + len(holes))
            fields += ["%s" if sign == "%" else f"{{{n}}}" if like.name else "{}" for n in numbers]
            if like.name:
                text, start = renumbered(text, marks, first, len(fields), start)
        parts = zip(group.additions, fields, strict=True)
        segment = "".join(f"{a.before}{one}{a.after}" for a, one in parts)
        return text[:start] + segment + text[start:]

    def _near(
        self, marks: list[Mark], positions: list[int], group: Group, filling: Filling
    ) -> int | None:
        """The field behind which the segments come."""
        if group.anchor is None:
            return None
        if any(one is group.anchor for value in filling.own.values() for one in within(value)):
            raise Unknown("the method that is called fills in the scope before it itself")
        for number, mark in enumerate(marks):
            value = self._value(mark, positions[number], filling)
            if value is None or mark.name in (name for name, _, _ in filling.new):
                continue
            known = not mark.is_named or mark.name in filling.names
            if value is group.anchor or (known and _holds(value, group.anchor)):
                return number
        raise Unknown("the scope before it is written out in the text")

    def _value(self, mark: Mark, position: int | None, filling: Filling) -> tree.Node | None:
        if mark.is_named:
            if mark.name not in filling.names and filling.mapping is not None:
                return self.program.templates.formatted.named_field(mark.name, filling.near)
            return filling.names.get(mark.name)
        if position is None or position >= len(filling.values):
            return None
        found = filling.values[position]
        return found if not isinstance(found, str) else None

    def _name(self, addition: Addition, filling: Filling) -> str:
        """What the new field is called: as the parameter is."""
        name = addition.scope.parameter
        if filling.mapping is not None and is_namespace(filling.mapping):
            if not addition.hole.isidentifier():
                raise Unknown(f"no local is called `{name}`")
            return addition.hole
        if filling.mapping is not None and self._mappings.holds_field(
            filling.mapping, addition.hole
        ):
            return addition.hole.rpartition(".")[2]
        if name in filling.names or name in filling.own:
            raise Unknown(f"something else is called `{name}` in the format string")
        return name

    # --- what fills it ---

    def _filling(self, host: tree.Node) -> Filling:
        templates = self.program.templates
        if isinstance(host, tree.Binary):
            entries = templates.formatted.entries(host.right)
            if entries is not None or is_namespace(host.right):
                return Filling([], dict(entries or {}), host.right, host.right)
            values: list[Filler] = [*templates.formatted.operands(host.right)]
            return Filling(values, {}, host.right, host.right)
        assert isinstance(host, tree.Call)
        names = dict(host.keywords)
        mapping = next(iter(host.spread), None)
        listed: list[Filler] = []
        for argument in host.args:
            if argument.star == "*":
                listed += templates.formatted.operands(argument.value)
            elif argument.keyword is None and not argument.star:
                listed.append(argument.value)
        method = templates.formatted.method(host.func)
        if method is not None and method.name == "format_map":
            mapping, listed = host.args[0].value, []
        if method is not None and method.name == SUBSTITUTE and listed:
            mapping, listed = host.args[0].value, []
        if mapping is not None:
            names |= templates.formatted.entries(mapping) or {}
        return Filling(listed, names, mapping, host, templates.formatted.own(host))

    def _operands(
        self, knot: Knot, host: tree.Node, filling: Filling, code: str
    ) -> Iterator[Mend]:
        runs = list(runs_of(filling.values))
        if isinstance(host, tree.Binary):
            if runs and not self._is_key_too(knot, host.right, runs):
                yield from self._listed(host.right, runs, filling, code)
        elif runs:
            yield from self._arguments(host, runs, filling, code)
        for name, value, after in filling.new:
            yield from self._named(host, name, value, after, filling, code)

    def _is_key_too(self, knot: Knot, node: tree.Node, runs: list[tuple[int, list[str]]]) -> bool:
        """Whether what fills a format is also the key of a collection, and gets the same for its sake:
        `key = (tenant_id, number)` of `cache[key]` and of `PK % key`."""
        display, planner = only_assigned(self.program.names, node), self.planner
        for defect in planner.local.notes.defects if display is not None else ():
            if (
                isinstance(display, tree.Sequence)
                and defect.node is display
                and defect.shape == "tuple"
            ):
                at = {tree.behind(display.items, defect.anchors[s.name]) for s in defect.missing}
                scopes = self.mends.policy_order(defect.missing)
                said = [self.mends.code_of(defect.wants[s.name], knot) for s in scopes]
                if len(at) == 1 and runs == [(at.pop(), said)]:
                    planner.state.groups.join(knot, defect.knot)
                    return True
        return False

    def _listed(
        self,
        node: tree.Node,
        runs: list[tuple[int, list[str]]],
        filling: Filling,
        code: str,
    ) -> Iterator[Mend]:
        """New items of the tuple on the right of `%`; a single value becomes one."""
        written = self._mappings.own(node)
        filename = self.program.names.module_of(written).filename
        old = [v for v in filling.values if not isinstance(v, str)]
        if isinstance(written, tree.Sequence):
            span = written.span
        elif len(old) == 1:
            span = old[0].span
        else:
            raise Unknown("what is filled in is not written out")
        if not old:
            raise Unknown("nothing is filled in")
        for at, new in reversed(runs):
            anchor = old[at - 1] if at else old[0]
            before, after = ((), tuple(new)) if at else (tuple(new), ())
            yield AddElements(filename, span, code, before, after, anchor.span)

    def _arguments(
        self,
        host: tree.Node,
        runs: list[tuple[int, list[str]]],
        filling: Filling,
        code: str,
    ) -> Iterator[Mend]:
        assert isinstance(host, tree.Call)
        starred = [a.value for a in host.args if a.star == "*"]
        if starred:
            plain = [a for a in host.args if a.keyword is None and not a.star]
            if plain or len(starred) > 1:
                raise Unknown("what is filled in is not written out")
            yield from self._listed(starred[0], runs, filling, code)
            return
        filename = self.program.names.module_of(host).filename
        for at, new in runs:
            for value in new:
                yield AddArgument(filename, host.span, code, value, None, at)

    def _named(
        self,
        host: tree.Node,
        name: str,
        value: str,
        after: tree.Node | None,
        filling: Filling,
        code: str,
    ) -> Iterator[Mend]:
        args = host.args if isinstance(host, tree.Call) else ()
        keywords = [(n, a) for n, a in enumerate(args) if a.keyword is not None]
        for number, argument in keywords:
            if argument.value is after or (after is None and filling.mapping is None):
                at = number + 1 if after is not None else number
                filename = self.program.names.module_of(host).filename
                yield AddArgument(filename, host.span, code, value, name, at)
                return
        if filling.mapping is None:
            raise Unknown("what is filled in is not written out")
        yield from self._mappings.entry(filling.mapping, name, value, after, code)


def _is_in_order(filling: Filling, values: Sequence[tree.Node]) -> bool:
    """Whether a format is filled with all that it was filled with, in that order, whatever is new between."""
    return [v for v in filling.values if not isinstance(v, str)] == values


def _holds(outer: tree.Node, inner: tree.Node) -> bool:
    return inner.span in outer.span
