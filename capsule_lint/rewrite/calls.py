"""Arguments into calls, with comments and layout kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import libcst as cst

from capsule_lint.model import AddArgument, Mend
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

_TIGHT = cst.AssignEqual(
    whitespace_before=cst.SimpleWhitespace(""), whitespace_after=cst.SimpleWhitespace("")
)


class ArgumentFix(Fix[AddArgument]):
    """Makes `AddArgument`."""

    kind: ClassVar[type[Mend]] = AddArgument

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        mends = self.expression(original_node)
        if not mends:
            return updated_node
        args = list(updated_node.args)
        if (
            len(args) == 1
            and isinstance(args[0].value, cst.GeneratorExp)
            and not args[0].value.lpar
        ):
            value = args[0].value.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            args = [args[0].with_changes(value=value)]
        result: list[cst.Arg] = []
        for index, arg in enumerate([*args, None]):
            result += [_argument(m) for m in mends if m.index == index]
            if arg is not None:
                result.append(arg)
        lead = updated_node.whitespace_before_args
        comma = _below(updated_node, args) or _layout(args, lead)
        fresh = [arg not in args for arg in result]
        result, lead = with_remarks(_separated(result, args, comma), fresh, lead)
        return updated_node.with_changes(args=result, whitespace_before_args=lead)


def _argument(mend: AddArgument) -> cst.Arg:
    if mend.keyword is None:
        return cst.Arg(parse(mend.value))
    return cst.Arg(parse(mend.value), keyword=cst.Name(mend.keyword), equal=_TIGHT)


def _layout(args: Sequence[cst.Arg], lead: cst.BaseParenthesizableWhitespace) -> cst.Comma:
    """The comma between arguments here, without its comments; `lead` stands before the first."""
    for arg in args[:-1] or args:
        if isinstance(arg.comma, cst.Comma):
            space = arg.comma.whitespace_after
            if isinstance(space, cst.ParenthesizedWhitespace):
                if len(args) == 1 and isinstance(lead, cst.ParenthesizedWhitespace):
                    space = lead
                return cst.Comma(whitespace_after=line_end(space))
            if len(args) > 1:
                return arg.comma.with_changes(
                    whitespace_before=cst.SimpleWhitespace(""),
                    whitespace_after=cst.SimpleWhitespace(" "),
                )
    return COMMA


def _below(call: cst.Call, args: Sequence[cst.Arg]) -> cst.Comma | None:
    """The comma where the only argument begins a line of its own and takes several."""
    space = call.whitespace_before_args
    if len(args) != 1 or not isinstance(space, cst.ParenthesizedWhitespace):
        return None
    if "\n" not in cst.Module([]).code_for_node(args[0].value):
        return None
    return cst.Comma(whitespace_after=line_end(space))


def _separated(
    result: list[cst.Arg], before: Sequence[cst.Arg], comma: cst.Comma
) -> list[cst.Arg]:
    """New arguments take the layout of the others; the end of the list stays as it was."""
    if not before:
        return [*(a.with_changes(comma=COMMA) for a in result[:-1]), result[-1]]
    old = {id(a) for a in before}
    last = before[-1]
    end = last.whitespace_after_arg
    found = []
    for number, arg in enumerate(result):
        if arg is last and number < len(result) - 1 and not isinstance(last.comma, cst.Comma):
            # What stood before the closing parenthesis stays there.
            between = with_remark(comma, end)
            found.append(
                arg.with_changes(comma=between, whitespace_after_arg=cst.SimpleWhitespace(""))
            )
        elif number == len(result) - 1 and arg is not last:
            if isinstance(last.comma, cst.Comma):
                found.append(arg.with_changes(comma=closing(last.comma)))
            else:
                space = without_remark(end, comma)
                found.append(arg.with_changes(comma=last.comma, whitespace_after_arg=space))
        elif number == len(result) - 1:
            found.append(arg)
        elif id(arg) not in old:
            found.append(arg.with_changes(comma=comma))
        elif arg is last:
            found.append(arg.with_changes(comma=_between(last.comma, comma, before)))
        else:
            found.append(arg)
    return found


def _between(
    own: cst.Comma | cst.MaybeSentinel, comma: cst.Comma, before: Sequence[cst.Arg]
) -> cst.Comma:
    """The comma behind what used to be last: its comment stays on its line."""
    if isinstance(own, cst.Comma) and isinstance(
        own.whitespace_after, cst.ParenthesizedWhitespace
    ):
        space = own.whitespace_after
        inner = comma.whitespace_after
        if isinstance(inner, cst.ParenthesizedWhitespace) and len(before) > 1:
            return comma.with_changes(
                whitespace_after=inner.with_changes(first_line=space.first_line)
            )
        deeper = space.with_changes(
            last_line=cst.SimpleWhitespace(space.last_line.value + "    "), empty_lines=[]
        )
        return own.with_changes(whitespace_after=deeper)
    return comma
