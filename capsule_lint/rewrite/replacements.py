"""Other code in the place of an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from capsule_lint.model import Mend, Replace
from capsule_lint.rewrite.base import Fix, parse

if TYPE_CHECKING:
    import libcst as cst


class ReplaceFix(Fix[Replace]):
    """Makes `Replace`."""

    kind: ClassVar[type[Mend]] = Replace

    def on_leave(  # type: ignore[override]  # an expression stays one
        self, original: cst.CSTNode, updated: cst.CSTNode
    ) -> cst.CSTNode:
        for mend in self.expression(original):
            new = parse(mend.replacement)
            lpar, rpar = getattr(updated, "lpar", ()), getattr(updated, "rpar", ())
            updated = (
                new.with_changes(lpar=[*lpar, *new.lpar], rpar=[*new.rpar, *rpar]) if lpar else new
            )
        return updated
