"""Other code in the place of an expression."""

from __future__ import annotations

from typing import ClassVar

import libcst as cst

from capsule_lint.model import Mend, Replace
from capsule_lint.rewrite.base import ExpressionFix, parse


class ReplaceFix(ExpressionFix[Replace]):
    """Makes `Replace`."""

    kind: ClassVar[type[Mend]] = Replace

    def changed(self, original: cst.CSTNode, updated: cst.CSTNode) -> cst.CSTNode:
        """An expression with its mends made."""
        for mend in self.expression(original):
            new = _parsed(mend.replacement)
            lpar, rpar = getattr(updated, "lpar", ()), getattr(updated, "rpar", ())
            updated = (
                new.with_changes(lpar=[*lpar, *new.lpar], rpar=[*new.rpar, *rpar]) if lpar else new
            )
        return updated


def _parsed(code: str) -> cst.BaseExpression:
    """An expression from its code, which may go over several lines where the brackets around it allow that."""
    try:
        return parse(code)
    except cst.ParserSyntaxError:
        return parse(f"({code})").with_changes(lpar=[], rpar=[])
