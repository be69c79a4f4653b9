"""Conditions beside conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import libcst as cst

from capsule_lint.model import AddCondition, Mend
from capsule_lint.rewrite.base import ExpressionFix, Place, parse

if TYPE_CHECKING:
    from collections.abc import Sequence


class ConditionFix(ExpressionFix[AddCondition]):
    """Makes `AddCondition`."""

    kind: ClassVar[type[Mend]] = AddCondition

    def __init__(self, mends: Sequence[AddCondition], place: Place) -> None:
        super().__init__(mends, place)
        self._parents: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Remember what stands around."""
        self._parents.append(node)
        return True

    def changed(self, original: cst.CSTNode, updated: cst.CSTNode) -> cst.CSTNode:
        """An expression with its mends made."""
        self._parents.pop()
        for mend in self.expression(original):
            assert isinstance(updated, cst.BaseExpression)
            updated = self._joined(updated, mend)
        return updated

    def _joined(self, updated: cst.BaseExpression, mend: AddCondition) -> cst.BaseExpression:
        condition = parse(mend.condition)
        operator = self._operator(mend)
        if updated.lpar:
            bare = updated.with_changes(lpar=[], rpar=[])
            return cst.BooleanOperation(
                bare, operator, condition, lpar=updated.lpar, rpar=updated.rpar
            )
        around = self._needs_parentheses(mend)
        return cst.BooleanOperation(
            updated,
            operator,
            condition,
            lpar=[cst.LeftParen()] if around else [],
            rpar=[cst.RightParen()] if around else [],
        )

    def _operator(self, mend: AddCondition) -> cst.BaseBooleanOp:
        """The operator, on a line of its own where that beside it is."""
        operator = cst.And() if mend.operator == "and" else cst.Or()
        parent = self._parents[-1] if self._parents else None
        if isinstance(parent, cst.BooleanOperation) and type(parent.operator) is type(operator):
            return parent.operator.deep_clone()
        return operator

    def _needs_parentheses(self, mend: AddCondition) -> bool:
        parent = self._parents[-1] if self._parents else None
        if isinstance(parent, cst.BooleanOperation):
            return mend.operator == "or" and isinstance(parent.operator, cst.And)
        return isinstance(
            parent,
            cst.UnaryOperation | cst.Comparison | cst.BinaryOperation | cst.Attribute | cst.Await,
        )
