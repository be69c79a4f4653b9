"""Other code in the place of an expression, or of `_` in a pattern."""

from __future__ import annotations

from typing import ClassVar

import libcst as cst

from capsule_lint.model import Mend, Replace
from capsule_lint.rewrite.base import ExpressionFix, parse, parse_pattern


class ReplaceFix(ExpressionFix[Replace]):
    """Makes `Replace`."""

    kind: ClassVar[type[Mend]] = Replace

    def changed(self, original: cst.CSTNode, updated: cst.CSTNode) -> cst.CSTNode:
        """An expression with its mends made."""
        if isinstance(original, cst.MatchAs):
            found = self.take(self.place.span_of(original)) if self.mends else ()
            return parse_pattern(found[0].replacement) if found else updated
        for mend in self.expression(original):
            new = _parsed(mend.replacement)
            lpar, rpar = getattr(updated, "lpar", ()), getattr(updated, "rpar", ())
            updated = (
                new.with_changes(lpar=[*lpar, *new.lpar], rpar=[*new.rpar, *rpar]) if lpar else new
            )
        return updated


class _AsWritten(cst.CSTTransformer):
    """Lines inside of brackets begin as they are written, and not at the indentation of what is around them."""

    def leave_ParenthesizedWhitespace(
        self, original_node: cst.ParenthesizedWhitespace, updated_node: cst.ParenthesizedWhitespace
    ) -> cst.ParenthesizedWhitespace:
        return updated_node.with_changes(indent=False)

    def leave_EmptyLine(
        self, original_node: cst.EmptyLine, updated_node: cst.EmptyLine
    ) -> cst.EmptyLine:
        return updated_node.with_changes(indent=False)


def _parsed(code: str) -> cst.BaseExpression:
    """An expression from its code, which may go over several lines where the brackets around it allow that."""
    try:
        found = parse(code)
    except cst.ParserSyntaxError:
        found = parse(f"({code})").with_changes(lpar=[], rpar=[])
    if "\n" not in code:
        return found
    written = found.visit(_AsWritten())
    assert isinstance(written, cst.BaseExpression)
    return written
