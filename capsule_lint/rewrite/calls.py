"""Arguments into calls, with comments and layout kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import libcst as cst

from capsule_lint.model import AddArgument, Mend
from capsule_lint.rewrite.base import (
    COMMA,
    Fix,
    closing,
    code_for,
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
        lead = updated_node.whitespace_before_args
        below = _below(lead, args)
        if below is not None:
            args = [_closed(args[0])]
        result: list[cst.Arg] = []
        for index, arg in enumerate([*args, None]):
            result += [_argument(m) for m in mends if m.index == index]
            if arg is not None:
                result.append(arg)
        comma = below or _layout(args, lead)
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
                elif len(args) == 1:  # behind its comma stands the closing parenthesis
                    space = _deeper(space)
                return cst.Comma(whitespace_after=line_end(space))
            if len(args) > 1:
                return arg.comma.with_changes(
                    whitespace_before=cst.SimpleWhitespace(""),
                    whitespace_after=cst.SimpleWhitespace(" "),
                )
    return COMMA


def _below(lead: cst.BaseParenthesizableWhitespace, args: Sequence[cst.Arg]) -> cst.Comma | None:
    """The comma where the only argument begins a line of its own, behind `lead`, and takes several."""
    if len(args) != 1 or not isinstance(lead, cst.ParenthesizedWhitespace):
        return None
    if "\n" not in code_for(args[0].value):
        return None
    return cst.Comma(whitespace_after=line_end(lead))


def _closed(arg: cst.Arg) -> cst.Arg:
    """An argument that was the only one, with the comma that formatters put behind the last of several where
    the closing parenthesis stands in a line of its own."""
    end = arg.whitespace_after_arg
    if isinstance(arg.comma, cst.Comma) or not isinstance(end, cst.ParenthesizedWhitespace):
        return arg
    comma = cst.Comma(whitespace_after=end)
    return arg.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace(""))


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
            found.append(arg.with_changes(comma=_between(last.comma, comma)))
        else:
            found.append(arg)
    return found


def _deeper(space: cst.ParenthesizedWhitespace) -> cst.ParenthesizedWhitespace:
    """What stands before a closing parenthesis, as it stands before an argument above that."""
    deeper = cst.SimpleWhitespace(space.last_line.value + "    ")
    return space.with_changes(last_line=deeper, empty_lines=[])


def _between(own: cst.Comma | cst.MaybeSentinel, comma: cst.Comma) -> cst.Comma:
    """The comma behind what used to be last: its comment stays on its line."""
    if not isinstance(own, cst.Comma):
        return comma
    end = own.whitespace_after
    if isinstance(end, cst.ParenthesizedWhitespace) and isinstance(
        comma.whitespace_after, cst.SimpleWhitespace
    ):
        return own.with_changes(whitespace_after=_deeper(end))
    return with_remark(comma, end)
