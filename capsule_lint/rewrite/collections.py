"""Entries into dict displays, elements into tuples, lists and sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

import libcst as cst

from capsule_lint.model import AddElements, AddEntry, Mend, Span
from capsule_lint.rewrite.base import ExpressionFix, Fix, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

_Listed = TypeVar(
    "_Listed",
    cst.BaseElement,
    cst.BaseDictElement,
    cst.SubscriptElement,
    cst.MatchSequenceElement,
)
"""What stands in a list, with a comma behind it."""
_COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


class EntryFix(Fix[AddEntry]):
    """Makes `AddEntry`."""

    kind: ClassVar[type[Mend]] = AddEntry

    def leave_Dict(self, original_node: cst.Dict, updated_node: cst.Dict) -> cst.Dict:
        spans = [self.place.span_of(e.value) for e in original_node.elements]
        places = [
            (0 if m.anchor is None else spans.index(m.anchor) + (not m.before), m)
            for m in self.expression(original_node)
        ]
        places.sort(key=lambda place: place[0])
        for at, mend in reversed(places):
            new = cst.DictElement(parse(mend.key), parse(mend.value))
            elements = _inserted(list(updated_node.elements), at, [new])
            updated_node = updated_node.with_changes(elements=elements)
        return updated_node


class ElementFix(ExpressionFix[AddElements]):
    """Makes `AddElements`."""

    kind: ClassVar[type[Mend]] = AddElements

    def changed(self, original: cst.CSTNode, updated: cst.CSTNode) -> cst.CSTNode:
        """An expression with its mends made."""
        if (
            isinstance(original, cst.Subscript)
            and isinstance(updated, cst.Subscript)
            and self.mends
        ):
            return self._subscript(original, updated)
        if isinstance(original, cst.MatchClass) and isinstance(updated, cst.MatchClass):
            return self._pattern(original, updated) if self.mends else updated
        for mend in self.expression(original):
            assert isinstance(updated, cst.BaseExpression)
            updated = self._mend(original, updated, mend)
        return updated

    def _mend(
        self, original: cst.CSTNode, updated: cst.BaseExpression, mend: AddElements
    ) -> cst.BaseExpression:
        if isinstance(original, cst.Tuple | cst.List | cst.Set) and isinstance(
            updated, cst.Tuple | cst.List | cst.Set
        ):
            at = next(
                n
                for n, e in enumerate(original.elements)
                if self.place.span_of(e.value) == mend.anchor
            )
            elements = _inserted(
                list(updated.elements), at + 1, [cst.Element(parse(c)) for c in mend.after]
            )
            elements = _inserted(elements, at, [cst.Element(parse(c)) for c in mend.before])
            return updated.with_changes(elements=elements)
        values = [*map(parse, mend.before), updated, *map(parse, mend.after)]
        return cst.Tuple([cst.Element(value) for value in values])

    def _pattern(self, original: cst.MatchClass, updated: cst.MatchClass) -> cst.MatchClass:
        """`case Cart(_, owner):`, whose new elements are patterns that fit anything."""
        for mend in self.take(self.place.span_of(original)):
            at = next(
                n
                for n, e in enumerate(original.patterns)
                if self.place.span_of(e.value) == mend.anchor
            )
            new = [cst.MatchSequenceElement(cst.MatchAs()) for _ in mend.before]
            patterns = _inserted(list(updated.patterns), at, new)
            updated = updated.with_changes(patterns=patterns)
        return updated

    def _subscript(self, original: cst.Subscript, updated: cst.Subscript) -> cst.Subscript:
        """`d[a, b]` without parentheses."""
        items = original.slice
        if len(items) < 2:
            return updated
        span = Span(
            self.place.span_of(items[0].slice).start, self.place.span_of(items[-1].slice).end
        )
        for mend in self.take(span):
            at = next(n for n, e in enumerate(items) if self.place.span_of(e.slice) == mend.anchor)
            slices = _inserted(
                list(updated.slice),
                at + 1,
                [cst.SubscriptElement(cst.Index(parse(c))) for c in mend.after],
            )
            slices = _inserted(
                slices, at, [cst.SubscriptElement(cst.Index(parse(c))) for c in mend.before]
            )
            updated = updated.with_changes(slice=slices)
        return updated


def _inserted(elements: list[_Listed], at: int, new: Sequence[_Listed]) -> list[_Listed]:
    """Elements with the commas of the layout; the end of the list stays as it was."""
    if not new:
        return elements
    if not elements:
        return list(new)
    comma = _layout(elements)
    last = elements[-1]
    ending = last.comma
    result = list(elements)
    result[at:at] = [_before(comma, element) for element in new]
    if at == len(elements):
        between = comma
        if (
            isinstance(ending, cst.Comma)
            and isinstance(ending.whitespace_after, cst.ParenthesizedWhitespace)
            and isinstance(comma.whitespace_after, cst.ParenthesizedWhitespace)
        ):
            kept = comma.whitespace_after.with_changes(
                first_line=ending.whitespace_after.first_line
            )
            between = comma.with_changes(whitespace_after=kept)
            bare = cst.TrailingWhitespace(newline=ending.whitespace_after.first_line.newline)
            ending = ending.with_changes(
                whitespace_after=ending.whitespace_after.with_changes(first_line=bare)
            )
        result[at - 1] = _before(between, last)
        result[-1] = _before(ending, result[-1])
    return result


def _before(comma: cst.Comma | cst.MaybeSentinel, element: _Listed) -> _Listed:
    return element.with_changes(comma=comma)


def _layout(elements: Sequence[_Listed]) -> cst.Comma:
    for element in elements[:-1]:
        comma = element.comma
        if isinstance(comma, cst.Comma):
            space = comma.whitespace_after
            if isinstance(space, cst.ParenthesizedWhitespace):
                newline = cst.TrailingWhitespace(newline=space.first_line.newline)
                return cst.Comma(
                    whitespace_after=space.with_changes(first_line=newline, empty_lines=[])
                )
            return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return _COMMA
