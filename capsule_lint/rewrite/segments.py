"""Segments into key templates, in the idiom in which each is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import libcst as cst

from capsule_lint.errors import InternalError
from capsule_lint.model import AddSegments, Mend, NewSegment, Span
from capsule_lint.rewrite.base import (
    COMMA,
    ExpressionFix,
    bare,
    code_for,
    name_of,
    parse,
    with_remarks,
)
from capsule_lint.rewrite.collections import inserted
from capsule_lint.rewrite.segment_code import (
    cased,
    element,
    escaped,
    fitting,
    operands,
    quoted,
    requoted,
    set_off,
    spelled,
    tag_alone,
    tag_in,
    text_in,
    unopened,
    word_in,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUOTED = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<quote>\"\"\"|'''|\"|')")

_ESCAPES = re.compile(r"(\\(?:N\{[^}]*\}|.))|[{}]", re.DOTALL)


class SegmentFix(ExpressionFix[AddSegments]):
    """Makes `AddSegments`."""

    kind: ClassVar[type[Mend]] = AddSegments

    def changed(self, original: cst.CSTNode, updated: cst.CSTNode) -> cst.CSTNode:
        """An expression with its mends made."""
        if self.mends and isinstance(original, cst.BaseExpression):
            for mend in sorted(self.expression(original), key=_from_behind):
                assert isinstance(updated, cst.BaseExpression)
                updated = self._mend(original, updated, mend)
        return updated

    def _mend(
        self, original: cst.BaseExpression, updated: cst.BaseExpression, mend: AddSegments
    ) -> cst.BaseExpression:
        match original, updated:
            case cst.FormattedString(), cst.FormattedString():
                return self._formatted(original, updated, mend)
            case cst.ConcatenatedString(), cst.ConcatenatedString():
                return self._concatenated(original, updated, mend)
            case cst.SimpleString(), cst.SimpleString():
                return self._simple(updated, mend)
            case cst.BinaryOperation(operator=cst.Add()), cst.BinaryOperation():
                return self._added(original, updated, mend)
            case cst.Call(), cst.Call():
                return self._call(original, updated, mend)
            case ((cst.List() | cst.Tuple()), (cst.List() | cst.Tuple())):
                return self._display(original, updated, mend)
            case _:
                return self._around(updated, mend)

    def _holds(self, node: cst.CSTNode, span: Span | None) -> bool:
        return span is not None and span in self.place.span_of(node)

    def _lost(self, mend: AddSegments) -> InternalError:
        start = mend.at.start
        return InternalError(
            f"{mend.filename}:{start.row}:{start.column}: the place of a segment was not found"
        )

    # --- strings ---

    def _pieces(self, mend: AddSegments, quote: str) -> list[cst.BaseFormattedStringContent]:
        front = mend.anchor is None or mend.opened
        found: list[cst.BaseFormattedStringContent] = []
        for segment in mend.segments:
            found += [] if front else set_off(mend, quote)
            found += tag_in(segment, quote)
            hole = segment.made or segment.hole
            found.append(cst.FormattedStringExpression(parse(requoted(hole, quote))))
            found += text_in(mend.separator if front else "")
        return found

    def _formatted(
        self, original: cst.FormattedString, updated: cst.FormattedString, mend: AddSegments
    ) -> cst.FormattedString:
        at = 0
        if mend.anchor is not None:
            holes = [
                number
                for number, part in enumerate(original.parts)
                if isinstance(part, cst.FormattedStringExpression)
                and self._holds(part.expression, mend.anchor)
            ]
            if not holes:
                raise self._lost(mend)
            at = holes[0] + 1
        new = self._pieces(mend, original.quote)
        return updated.with_changes(parts=[*updated.parts[:at], *new, *updated.parts[at:]])

    def _simple(self, updated: cst.SimpleString, mend: AddSegments) -> cst.FormattedString:
        opening = _opening(updated)
        quote = opening["quote"]
        text = updated.value[opening.end() : -len(quote)]
        prefix = opening["prefix"].replace("u", "").replace("U", "")
        old = [cst.FormattedStringText(_literal(text, prefix))] if text else []
        new = self._pieces(mend, quote)
        formatted = parse(f"{prefix}f{quote}{quote}")
        assert isinstance(formatted, cst.FormattedString)
        return formatted.with_changes(
            parts=[*new, *old] if mend.anchor is None else [*old, *new],
            lpar=updated.lpar,
            rpar=updated.rpar,
        )

    def _concatenated(
        self, original: cst.ConcatenatedString, updated: cst.ConcatenatedString, mend: AddSegments
    ) -> cst.ConcatenatedString:
        left = mend.anchor is None or self._holds(original.left, mend.anchor)
        part = original.left if left else original.right
        changed = self._mend(part, updated.left if left else updated.right, mend)
        return updated.with_changes(left=changed) if left else updated.with_changes(right=changed)

    def _around(self, updated: cst.BaseExpression, mend: AddSegments) -> cst.BaseExpression:
        """A constant or another expression becomes a hole of an f-string of its own; what fits into none, such as code
        with comments, fills a format."""
        match updated:
            case cst.Call(func=cst.Name("str"), args=[cst.Arg(value, keyword=None, star="")]):
                updated = value  # a hole says the same
        new, held = self._pieces(mend, '"'), code_for(updated)
        fits, front = fitting(held), mend.anchor is None
        if fits is not None:
            inner, hole = "".join(map(code_for, new)), "{" + requoted(fits, '"') + "}"
            return parse(f'f"{inner}{hole}"' if front else f'f"{hole}{inner}"')
        text = "".join(p.value if isinstance(p, cst.FormattedStringText) else "{}" for p in new)
        values = [
            code_for(p.expression) for p in new if isinstance(p, cst.FormattedStringExpression)
        ]
        filled = ", ".join([*values, held] if front else [held, *values])
        text = f"{text}{{}}" if front else f"{{}}{text}"
        return parse(f'"{text}".format({filled})')

    # --- `+` ---

    def _added(
        self, original: cst.BinaryOperation, updated: cst.BinaryOperation, mend: AddSegments
    ) -> cst.BaseExpression:
        if mend.anchor is None:
            return self._added_front(updated, mend)
        for side, old, new in (
            ("left", original.left, updated.left),
            ("right", original.right, updated.right),
        ):
            if not self._holds(old, mend.anchor):
                continue
            if isinstance(old, cst.FormattedString | cst.ConcatenatedString):
                return updated.with_changes(**{side: self._mend(old, new, mend)})
            if isinstance(old, cst.BinaryOperation) and isinstance(old.operator, cst.Add):
                assert isinstance(new, cst.BinaryOperation)
                return updated.with_changes(**{side: self._added(old, new, mend)})
            # Sums need no parentheses, so the operand can become one where it stands.
            wrap = isinstance(old, cst.Call) and name_of(old.func) == "str"
            for segment in mend.segments:
                if mend.mark:
                    new = _plus(new, parse(mend.mark))
                for part in operands(segment, "" if mend.mark else mend.separator):
                    new = _plus(new, part)
                hole = f"str({segment.hole})" if wrap else spelled(segment)
                new = _plus(new, parse(segment.made or hole))
            return updated.with_changes(**{side: new})
        raise self._lost(mend)

    def _added_front(self, updated: cst.BinaryOperation, mend: AddSegments) -> cst.BinaryOperation:
        left = updated.left
        if isinstance(left, cst.BinaryOperation) and isinstance(left.operator, cst.Add):
            return updated.with_changes(left=self._added_front(left, mend))
        base: cst.BaseExpression | None = None
        for segment in mend.segments:
            for part in operands(segment, "" if base is None else mend.separator):
                base = part if base is None else _plus(base, part)
            hole = parse(spelled(segment))
            base = hole if base is None else _plus(base, hole)
        assert base is not None
        if isinstance(left, cst.SimpleString):
            at = _opening(left).end()
            value = left.value[:at] + mend.separator + left.value[at:]
            return updated.with_changes(left=_plus(base, left.with_changes(value=value)))
        if mend.separator:
            base = _plus(base, parse(quoted(mend.separator)))
        return updated.with_changes(left=_plus(base, left))

    # --- joins ---

    def _call(
        self, original: cst.Call, updated: cst.Call, mend: AddSegments
    ) -> cst.BaseExpression:
        listed = _listed(original)
        display = original.args[listed].value if listed < len(original.args) else None
        if isinstance(display, cst.List | cst.Tuple):
            args = list(updated.args)
            inner = args[listed].value
            assert isinstance(inner, cst.List | cst.Tuple)
            args[listed] = args[listed].with_changes(value=self._display(display, inner, mend))
            return updated.with_changes(args=args)
        if mend.listed or any(self._holds(a.value, mend.anchor) for a in original.args):
            return self._parts(original, updated, mend)
        return self._around(updated, mend)

    def _parts(self, original: cst.Call, updated: cst.Call, mend: AddSegments) -> cst.Call:
        values = [a.value for a in original.args]
        at, new = self._elements(values, mend)
        args = list(updated.args)
        for number, value in enumerate(new):
            args.insert(at + number, cst.Arg(value))
        return updated.with_changes(args=_separated(args, updated.args))

    def _display(
        self, original: cst.List | cst.Tuple, updated: cst.List | cst.Tuple, mend: AddSegments
    ) -> cst.List | cst.Tuple:
        at, new = self._elements([e.value for e in original.elements], mend)
        old, parts = list(updated.elements), [cst.Element(value) for value in new]
        step = len(new) // len(mend.segments)
        like = old[at - step : at] if at >= step else old[:step]
        if len(like) < step or at == len(old) or old[-1] in like:
            return updated.with_changes(elements=inserted(old, at, parts))
        for number, part in enumerate(parts):  # as tag and value of the neighbour are laid out
            comma = like[number % step].comma
            between = bare(comma) if isinstance(comma, cst.Comma) else COMMA
            parts[number] = part.with_changes(comma=between)
        old[at:at] = parts
        fresh = [at <= number < at + len(parts) for number in range(len(old))]
        elements, _ = with_remarks(old, fresh, cst.SimpleWhitespace(""))
        return updated.with_changes(elements=elements)

    def _elements(
        self, values: Sequence[cst.BaseExpression], mend: AddSegments
    ) -> tuple[int, list[cst.BaseExpression]]:
        """Where new elements go, and what they are, in the style of their neighbours."""
        near = next((n for n, v in enumerate(values) if self._holds(v, mend.anchor)), None)
        if mend.anchor is not None and near is None:
            raise self._lost(mend)
        beside = values[near if near is not None else 0] if values else None
        if _has_tag(beside):
            added = isinstance(beside, cst.BinaryOperation)
            # A tag that begins with what separates the parts is joined by it like any other.
            parts = mend.segments if mend.separator else tuple(map(unopened, mend.segments))
            new = [element(s, added=added) for s in parts]
        elif isinstance(beside, cst.Tuple):
            like = _first_text(beside)
            new = [
                parse(f"({quoted(cased(word_in(s.tag), like))}, {s.hole})") for s in mend.segments
            ]
        else:
            tagged = values[near - 1] if near else None
            like = tagged.raw_value if isinstance(tagged, cst.SimpleString) else None
            wrap = isinstance(beside, cst.Call) and name_of(beside.func) == "str"
            new = []
            for segment in mend.segments:
                if segment.made:
                    new.append(parse(segment.made))
                    continue
                if segment.tag and near is None and not segment.tag.endswith(mend.separator):
                    # What separates the parts is not what the policy has between tag and value.
                    new.append(element(segment, added=False))
                    continue
                if segment.tag:  # the pieces of a local key have none
                    new.append(tag_alone(segment, like))
                new.append(parse(f"str({segment.hole})" if wrap else spelled(segment)))
        return (near + 1 if near is not None else 0), new


def _listed(call: cst.Call) -> int:
    """The place of the parts in a call that joins them; behind all of its arguments in any other."""
    match call:
        case cst.Call(func=cst.Attribute(value=cst.Name("str"), attr=cst.Name("join"))):
            return 1
        case _:
            return {"join": 0, "reduce": 1}.get(name_of(call.func), len(call.args))


def _has_tag(node: cst.BaseExpression | None) -> bool:
    """Whether one element says tag and value at once: `f"TENANT#{tenant_id}"`, `"TENANT#{}".format(tenant_id)`."""
    if isinstance(node, cst.Call):
        return name_of(node.func) == "format" and isinstance(node.func, cst.Attribute)
    return isinstance(node, cst.FormattedString | cst.BinaryOperation | cst.ConcatenatedString)


def _opening(string: cst.SimpleString) -> re.Match[str]:
    """The prefix of a string, and the quotes that open it."""
    found = _QUOTED.match(string.value)
    assert found is not None
    return found


def _separated(args: list[cst.Arg], before: Sequence[cst.Arg]) -> list[cst.Arg]:
    """Arguments with the commas of the layout that the call had."""
    comma = next((bare(a.comma) for a in before if isinstance(a.comma, cst.Comma)), COMMA)
    trailing = before[-1].comma if before else cst.MaybeSentinel.DEFAULT
    found = [
        a if isinstance(a.comma, cst.Comma) else a.with_changes(comma=comma) for a in args[:-1]
    ]
    return [*found, args[-1].with_changes(comma=trailing)]


def _from_behind(mend: AddSegments) -> tuple[int, int]:
    """The order in which several mends leave each other's places alone: the last one first."""
    if mend.anchor is None:
        return (0, 0)
    return (-mend.anchor.start.row, -mend.anchor.start.column)


def _plus(left: cst.BaseExpression, right: cst.BaseExpression) -> cst.BinaryOperation:
    return cst.BinaryOperation(left, cst.Add(), right)


def _literal(text: str, prefix: str) -> str:
    """The code between the quotes of a string, as it stands in an f-string: braces are doubled, those
    of `\\N{NUMBER SIGN}` are not."""
    if "r" in prefix.lower():
        return escaped(text)
    return _ESCAPES.sub(lambda found: found[0] if found[1] else found[0] * 2, text)


def _first_text(node: cst.Tuple) -> str | None:
    first = node.elements[0].value if node.elements else None
    return first.raw_value if isinstance(first, cst.SimpleString) else None


__all__ = ["NewSegment", "SegmentFix"]
