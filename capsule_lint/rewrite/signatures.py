"""Parameters into signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import libcst as cst

from capsule_lint.model import AddParameter, Mend
from capsule_lint.rewrite.base import (
    COMMA,
    Fix,
    closing,
    line_end,
    parse,
    with_remark,
    with_remarks,
    without_remark,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class ParameterFix(Fix[AddParameter]):
    """Makes `AddParameter`, on functions (found by their name) and lambdas."""

    kind: ClassVar[type[Mend]] = AddParameter

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        mends = self.take(self.place.span_of(original_node.name)) if self.mends else []
        if not mends:
            return updated_node
        params, lead = _with(updated_node.params, mends, updated_node.whitespace_before_params)
        return updated_node.with_changes(params=params, whitespace_before_params=lead)

    def leave_Lambda(self, original_node: cst.Lambda, updated_node: cst.Lambda) -> cst.Lambda:
        mends = self.expression(original_node)
        if not mends:
            return updated_node
        space = cst.SimpleWhitespace(" ")
        params, _ = _with(updated_node.params, mends, space)
        return updated_node.with_changes(params=params, whitespace_after_lambda=space)


def _with(
    params: cst.Parameters,
    mends: Sequence[AddParameter],
    lead: cst.BaseParenthesizableWhitespace,
) -> tuple[cst.Parameters, cst.BaseParenthesizableWhitespace]:
    """Parameters with the new ones, and what stands before them, which was `lead`."""
    first = next(iter([*params.posonly_params, *params.params]), None)
    for kind in dict.fromkeys(m.kind for m in mends):
        own = [m for m in mends if m.kind is kind]
        listed: list[cst.Param] = list(getattr(params, kind.value))
        layout = _layout(params, lead)
        result: list[cst.Param] = []
        for index, param in enumerate([*listed, None]):
            result += [_param(m, layout) for m in own if m.index == index]
            if param is not None:
                result.append(param)
        fresh = [param not in listed for param in result]
        result, ahead = with_remarks(_separated(result, listed, layout), fresh, lead)
        lead = ahead if first is not None and first in listed else lead
        params = params.with_changes(**{kind.value: result})
    return params, lead


def _param(mend: AddParameter, comma: cst.Comma) -> cst.Param:
    annotation = cst.Annotation(parse(mend.annotation)) if mend.annotation is not None else None
    return cst.Param(cst.Name(mend.parameter), annotation=annotation, comma=comma)


def _layout(params: cst.Parameters, lead: cst.BaseParenthesizableWhitespace) -> cst.Comma:
    """The comma that separates parameters here: on one line, or one a line."""
    every = [*params.posonly_params, *params.params, *params.kwonly_params]
    star = params.star_arg.comma if isinstance(params.star_arg, cst.ParamStar) else None
    commas = [c for p in every if isinstance(c := p.comma, cst.Comma)]
    between = [c for c in commas if c is not every[-1].comma]
    between += [star] if star is not None and params.kwonly_params else []
    spaces = [comma.whitespace_after for comma in between]
    if (
        not between
        and commas
        and isinstance(commas[0].whitespace_after, cst.ParenthesizedWhitespace)
    ):
        spaces = [lead]
    for space in spaces:
        if isinstance(space, cst.ParenthesizedWhitespace):
            return cst.Comma(whitespace_after=line_end(space))
    return COMMA


def _separated(
    result: list[cst.Param], before: list[cst.Param], comma: cst.Comma
) -> list[cst.Param]:
    """The last parameter keeps the comma (and the comment) that the last one had."""
    if not before:
        return [*result[:-1], result[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)]
    last = before[-1]
    if result[-1] is last:
        return result
    # Parameters were added behind the last one: it gets a comma, they end as it did. What stood
    # before the closing parenthesis stays there, a comment on the last line stays on that.
    ending = last.comma
    if isinstance(ending, cst.Comma):
        end = ending.whitespace_after
        old = last.with_changes(comma=with_remark(comma, end))
        new = result[-1].with_changes(comma=closing(ending))
    else:
        end = last.whitespace_after_param
        none = cst.SimpleWhitespace("")
        old = last.with_changes(whitespace_after_param=none, comma=with_remark(comma, end))
        space = without_remark(end, comma)
        new = result[-1].with_changes(whitespace_after_param=space, comma=ending)
    return [*(old if param is last else param for param in result[:-1]), new]
