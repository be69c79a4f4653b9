"""Fields that are documented one by one, each by a text beneath it or by a comment `#: …`: a new one is as well."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from capsule_lint.lines import lines_of
from capsule_lint.plan.docstrings import with_text
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.room import MendRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from capsule_lint.facts import tree
    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Class

_MARK: Final = "#:"
"""What comments begin with that document something, as Sphinx reads them."""


class _Text(Struct, frozen=True):
    """What documents a field, and where: in lines `above`, `behind` it, or in a text `beneath`, which has these quotes."""

    place: Literal["above", "behind", "beneath"]
    text: str
    quote: str = ""


class FieldTexts(MendRoom, Struct, frozen=True, dict=True):
    """What documents the fields of a class that stand in its body."""

    mends: Mends
    cls: Class
    fields: Sequence[tree.Statement]

    def end_of(self, field: tree.Statement) -> tree.Statement:
        """The last statement that belongs to a field: the text beneath it, if there is one."""
        return with_text(self.cls.fact.body, field)

    def beside(
        self, near: tree.Statement, line: str, said: Callable[[str], str], *, behind: bool
    ) -> list[str]:
        """The statements that a new field `line` becomes beside another one, `behind` that or before it: with what documents
        it, which is `said` beside the neighbour's, where all fields have that."""
        own = self._text(near)
        texts = [self._text(field) for field in self.fields]
        if own is None or any(text is None or text.place != own.place for text in texts):
            return [line]
        gap = "\n" if behind and self._are_apart else ""
        match own.place:
            case "above":
                return [f"{gap}{_MARK} {said(own.text)}\n{line}"]
            case "behind":
                return [f"{gap}{line}  {_MARK} {said(own.text)}"]
            case "beneath":
                text = f"{own.quote}{said(own.text)}{own.quote}"
                return [f"{gap}{line}", text] if behind else [line]

    def _text(self, field: tree.Statement) -> _Text | None:
        end = self.end_of(field)
        if end is not field:
            code = plain_literal(self.mends.source(self.cls.module, end.span))
            one = code is not None and code.single
            return _Text("beneath", code.body.strip(), code.quote) if code and one else None
        remark = self._lines[field.span.end.row - 1][field.span.end.column - 1 :].strip()
        if remark.startswith(_MARK):
            return _Text("behind", remark.removeprefix(_MARK).strip())
        above = self._lines[self._first_row(field) - 1 : field.span.start.row - 1]
        said = [line.strip().removeprefix(_MARK).strip() for line in above]
        return _Text("above", " ".join(said)) if said else None

    @cached_property
    def _are_apart(self) -> bool:
        """Whether an empty line stands before each field but the first."""
        rows = [self._first_row(field) for field in self.fields[1:]]
        return bool(rows) and all(not self._lines[row - 2].strip() for row in rows)

    def _first_row(self, field: tree.Statement) -> int:
        """The row in which a field begins, with the comments above that document it."""
        row = field.span.start.row
        while row > 1 and self._lines[row - 2].lstrip().startswith(_MARK):
            row -= 1
        return row

    @cached_property
    def _lines(self) -> list[str]:
        return lines_of(self.mends.read(self.cls.module.filename))
