"""Lines beside other lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

import libcst as cst

from capsule_lint.model import AddStatement, DropStatement, Mend
from capsule_lint.rewrite.base import Fix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.rewrite.base import Place

_Block = TypeVar("_Block", cst.IndentedBlock, cst.Module)


class StatementFix(Fix[AddStatement]):
    """Makes `AddStatement`: a line of its own beside the line that holds the anchor."""

    kind: ClassVar[type[Mend]] = AddStatement

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        return self._with_lines(original_node, updated_node)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        return self._with_lines(original_node, updated_node)

    def leave_SimpleStatementSuite(
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.BaseSuite:
        mends = [m for small in original_node.body for m in self._at(small)]
        if not mends:
            return updated_node
        line = cst.SimpleStatementLine(
            updated_node.body, trailing_whitespace=updated_node.trailing_whitespace
        )
        return cst.IndentedBlock(_beside(line, mends))

    def _at(self, node: cst.CSTNode) -> list[AddStatement]:
        start = self.place.span_of(node).start
        found = [m for mends in self.mends.values() for m in mends if m.at.start == start]
        self.made.extend(found)
        return found

    def _with_lines(self, original: _Block, updated: _Block) -> _Block:
        body = self._body(original.body, updated.body)
        return updated if body is None else updated.with_changes(body=body)

    def _body(
        self, original: Sequence[cst.BaseStatement], updated: Sequence[cst.BaseStatement]
    ) -> list[cst.BaseStatement] | None:
        if not self.mends:
            return None
        found: list[cst.BaseStatement] = []
        changed = False
        for old, new in zip(original, updated, strict=True):
            parts: Sequence[cst.CSTNode] = (
                old.body if isinstance(old, cst.SimpleStatementLine) else [old]
            )
            mends = [m for part in parts for m in self._at(part)]
            if isinstance(old, cst.FunctionDef | cst.ClassDef):
                mends += [m for d in old.decorators[:1] for m in self._at(d)]
            changed = changed or bool(mends)
            found += _beside(new, mends)
        return found if changed else None


def _beside(line: cst.BaseStatement, mends: Sequence[AddStatement]) -> list[cst.BaseStatement]:
    first = [_line(m.statement) for m in mends if m.before]
    after = [_line(m.statement) for m in mends if not m.before]
    if first:
        # Blank lines above the anchor go above the new line; its comments stay with it.
        leading: list[cst.EmptyLine] = list(getattr(line, "leading_lines", ()))
        blank = 0
        while blank < len(leading) and leading[blank].comment is None:
            blank += 1
        first[0] = first[0].with_changes(leading_lines=[*leading[:blank], *first[0].leading_lines])
        rest = leading[blank:]
        if isinstance(line, cst.FunctionDef | cst.ClassDef):
            rest = [*[cst.EmptyLine(indent=False)] * max(blank, 1), *rest]
        line = line.with_changes(leading_lines=rest)
    return [*first, line, *after]


def _line(code: str) -> cst.SimpleStatementLine | cst.BaseCompoundStatement:
    statement = cst.parse_statement(code)
    lines = [
        line.with_changes(indent=line.comment is not None) for line in statement.leading_lines
    ]
    return statement.with_changes(leading_lines=lines)


class DropFix(Fix[DropStatement]):
    """Makes `DropStatement`. It goes last: others count the statements of a body."""

    kind: ClassVar[type[Mend]] = DropStatement
    order: ClassVar[int] = 1

    def __init__(self, mends: Sequence[DropStatement], place: Place) -> None:
        super().__init__(mends, place)
        self._dropped: list[cst.CSTNode] = []

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        if len(original_node.body) == 1 and self.take(self.place.span_of(original_node.body[0])):
            self._dropped.append(updated_node)
        return updated_node

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        kept: list[cst.BaseStatement] = []
        remarks: list[cst.EmptyLine] = []
        for line in updated_node.body:
            if any(line is one for one in self._dropped):
                remarks += _remarks(line)
                continue
            leading: Sequence[cst.EmptyLine] = getattr(line, "leading_lines", ())
            kept.append(line.with_changes(leading_lines=[*remarks, *leading]) if remarks else line)
            remarks = []
        if len(kept) == len(updated_node.body):
            return updated_node
        return updated_node.with_changes(body=kept or [cst.parse_statement("pass")])


def _remarks(line: cst.BaseStatement) -> list[cst.EmptyLine]:
    """The comments above a line and behind it, as lines of their own."""
    if not isinstance(line, cst.SimpleStatementLine):
        return []
    found = [above for above in line.leading_lines if above.comment is not None]
    comment = line.trailing_whitespace.comment
    return found if comment is None else [*found, cst.EmptyLine(comment=comment)]
