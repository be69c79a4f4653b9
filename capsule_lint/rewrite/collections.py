"""Entries into dict displays, elements into tuples, lists and sets."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, ClassVar, TypeVar

import libcst as cst

from capsule_lint.model import AddElements, AddEntry, Mend, Span
from capsule_lint.rewrite.base import (
    COMMA,
    ExpressionFix,
    Fix,
    closing,
    line_end,
    parse,
    parse_pattern,
    with_remarks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_Listed = TypeVar(
    "_Listed",
    cst.BaseElement,
    cst.BaseDictElement,
    cst.SubscriptElement,
    cst.MatchMappingElement,
    cst.MatchKeywordElement,
    cst.MatchSequenceElement,
    cst.MatchSequenceElement | cst.MatchStar,
)
"""What stands in a list, with a comma behind it."""


class EntryFix(Fix[AddEntry]):
    """Makes `AddEntry`."""

    kind: ClassVar[type[Mend]] = AddEntry

    def leave_Dict(self, original_node: cst.Dict, updated_node: cst.Dict) -> cst.Dict:
        mends = self.expression(original_node)
        if not mends:
            return updated_node
        values = [self.place.span_of(e.value) for e in original_node.elements]
        places: dict[int, list[cst.BaseDictElement]] = defaultdict(list)
        for mend in mends:
            at = 0 if mend.anchor is None else values.index(mend.anchor) + (not mend.before)
            places[at].append(cst.DictElement(parse(mend.key), parse(mend.value)))
        return updated_node.with_changes(elements=_filled(updated_node.elements, places))

    def leave_MatchMapping(
        self, original_node: cst.MatchMapping, updated_node: cst.MatchMapping
    ) -> cst.MatchMapping:
        """`case {"tenant_id": tenant_id}:`, whose new entries are patterns."""
        mends = self.take(self.place.span_of(original_node)) if self.mends else ()
        if not mends:
            return updated_node
        places: dict[int, list[cst.MatchMappingElement]] = defaultdict(list)
        values = [self.place.span_of(e.pattern) for e in original_node.elements]
        for mend in mends:
            at = 0 if mend.anchor is None else values.index(mend.anchor) + (not mend.before)
            places[at].append(cst.MatchMappingElement(parse(mend.key), parse_pattern(mend.value)))
        return updated_node.with_changes(elements=_filled(updated_node.elements, places))

    def leave_MatchClass(
        self, original_node: cst.MatchClass, updated_node: cst.MatchClass
    ) -> cst.MatchClass:
        """`case Cart(tenant_id=tenant_id):`, whose new entries are attributes."""
        mends = self.take(self.place.span_of(original_node)) if self.mends else ()
        places: dict[int, list[cst.MatchKeywordElement]] = defaultdict(list)
        values = [self.place.span_of(e.pattern) for e in original_node.kwds if mends]
        for mend in mends:
            at = values.index(mend.anchor) + 1 if mend.anchor is not None else 0
            new = cst.MatchKeywordElement(cst.Name(mend.key), parse_pattern(mend.value))
            places[at].append(new)
        return updated_node.with_changes(kwds=_filled(updated_node.kwds, places))


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
            updated = self._subscript(original, updated)
        if isinstance(original, cst.MatchClass) and isinstance(updated, cst.MatchClass):
            return self._pattern(original, updated) if self.mends else updated
        if isinstance(original, cst.MatchSequence) and isinstance(updated, cst.MatchSequence):
            return self._sequence(original, updated) if self.mends else updated
        mends = self.expression(original)
        if not mends:
            return updated
        match original, updated:
            case ((cst.Tuple() | cst.List() | cst.Set()), (cst.Tuple() | cst.List() | cst.Set())):
                anchors = [self.place.span_of(e.value) for e in original.elements]
                elements = _beside(updated.elements, anchors, mends, cst.Element)
                if isinstance(original, cst.Tuple) and len(anchors) == 1:
                    elements = _several(elements)
                return updated.with_changes(elements=elements)
        assert isinstance(updated, cst.BaseExpression)
        before = [parse(code) for mend in mends for code in mend.before]
        after = [parse(code) for mend in mends for code in mend.after]
        return cst.Tuple([cst.Element(value) for value in (*before, updated, *after)])

    def _pattern(self, original: cst.MatchClass, updated: cst.MatchClass) -> cst.MatchClass:
        """`case Cart(_, owner):`, whose new elements are patterns that fit anything, with or without a name."""
        for mend in self.take(self.place.span_of(original)):
            at = next(
                n
                for n, e in enumerate(original.patterns)
                if self.place.span_of(e.value) == mend.anchor
            )
            new = [cst.MatchSequenceElement(parse_pattern(code)) for code in mend.before]
            patterns = inserted(list(updated.patterns), at, new)
            updated = updated.with_changes(patterns=patterns)
        return updated

    def _sequence(
        self, original: cst.MatchSequence, updated: cst.MatchSequence
    ) -> cst.MatchSequence:
        """`case ["TENANT", tenant_id]:`, which asks for more items behind one: for texts, or for anything."""
        for mend in self.take(self.place.span_of(original)):
            spans = [
                self.place.span_of(e.value if isinstance(e, cst.MatchSequenceElement) else e)
                for e in original.patterns
            ]
            at = spans.index(mend.anchor)
            for codes, place in ((mend.after, at + 1), (mend.before, at)):
                new = [cst.MatchSequenceElement(_asked(code)) for code in codes]
                updated = updated.with_changes(
                    patterns=inserted(list(updated.patterns), place, new)
                )
        return updated

    def _subscript(self, original: cst.Subscript, updated: cst.Subscript) -> cst.Subscript:
        """`d[a, b]` without parentheses."""
        items = original.slice
        if len(items) < 2:
            return updated
        span = Span(
            self.place.span_of(items[0].slice).start, self.place.span_of(items[-1].slice).end
        )
        mends = self.take(span)
        anchors = [self.place.span_of(item.slice) for item in items if mends]
        slices = _beside(updated.slice, anchors, mends, _subscripted)
        return updated.with_changes(slice=slices) if mends else updated


def _asked(code: str) -> cst.MatchPattern:
    return cst.MatchAs() if code == "_" else cst.MatchValue(parse(code))


def _subscripted(value: cst.BaseExpression) -> cst.SubscriptElement:
    return cst.SubscriptElement(cst.Index(value))


def _beside(
    elements: Sequence[_Listed],
    anchors: Sequence[Span],
    mends: Sequence[AddElements],
    made: Callable[[cst.BaseExpression], _Listed],
) -> list[_Listed]:
    """The elements that stand at `anchors`, with what the mends put beside them. What several of them put
    at one place stands in the order of the mends."""
    places: dict[int, list[_Listed]] = defaultdict(list)
    for mend in mends:
        at = anchors.index(mend.anchor)
        places[at] += [made(parse(code)) for code in mend.before]
        places[at + 1] += [made(parse(code)) for code in mend.after]
    return _filled(elements, places)


def _several(elements: list[_Listed]) -> list[_Listed]:
    """The elements of a tuple that had one, without the comma that told of that: `(a, b)` of `(a,)`."""
    *first, last = elements
    comma = last.comma
    told = isinstance(comma, cst.Comma) and isinstance(
        comma.whitespace_after, cst.SimpleWhitespace
    )
    return [*first, _before(cst.MaybeSentinel.DEFAULT, last)] if first and told else elements


def _filled(elements: Sequence[_Listed], places: Mapping[int, Sequence[_Listed]]) -> list[_Listed]:
    """The elements with new ones before those that have these numbers."""
    found = list(elements)
    for at in sorted(places, reverse=True):
        found = inserted(found, at, places[at])
    return found


def inserted(elements: list[_Listed], at: int, new: Sequence[_Listed]) -> list[_Listed]:
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
            ending = closing(ending)
        result[at - 1] = _before(between, last)
        result[-1] = _before(ending, result[-1])
    fresh = [at <= number < at + len(new) for number in range(len(result))]
    return with_remarks(result, fresh, cst.SimpleWhitespace(""))[0]


def _before(comma: cst.Comma | cst.MaybeSentinel, element: _Listed) -> _Listed:
    return element.with_changes(comma=comma)


def _layout(elements: Sequence[_Listed]) -> cst.Comma:
    for element in elements[:-1]:
        comma = element.comma
        if isinstance(comma, cst.Comma):
            space = comma.whitespace_after
            if isinstance(space, cst.ParenthesizedWhitespace):
                return cst.Comma(whitespace_after=line_end(space))
            return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return COMMA
