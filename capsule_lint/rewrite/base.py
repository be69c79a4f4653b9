"""What a fixer is: a LibCST transformer that makes the mends it is given, found by their spans."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from typing import TYPE_CHECKING, ClassVar, Final, Generic, Protocol, TypeVar

import libcst as cst

from capsule_lint.model import Mend, Position, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from capsule_lint.rewrite.offsets import Offsets

MendT = TypeVar("MendT", bound=Mend)
COMMA: Final = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
"""The comma of a list that stands on one line."""


class Place:
    """Where the nodes of a piece stand in their file."""

    def __init__(
        self, offsets: Offsets, first_row: int, columns: Mapping[int, int] | None = None
    ) -> None:
        """`columns` says how many characters a line of the piece lacks at its start."""
        self._offsets = offsets
        self._columns = columns or {}
        self._shift = first_row - 1
        self._spans: dict[int, Span] = {}

    def around(self, starts: Iterable[Position]) -> set[int]:
        """The nodes that start at one of these positions, and all nodes around them, by `id`."""
        rows = [(p.row - self._shift, p.column - 1) for p in starts]
        return self._offsets.starting(
            (row, column - self._columns.get(row, 0)) for row, column in rows
        )

    def span_of(self, node: cst.CSTNode) -> Span:
        """The node's span as the standard library's `ast` gives it: without enclosing parentheses,
        but with those of a tuple."""
        if id(node) not in self._spans:
            start, end = self._offsets.at(node)
            if isinstance(node, cst.Tuple | cst.MatchTuple) and node.lpar and node.rpar:
                start, end = self._offsets.at(node.lpar[-1])[0], self._offsets.at(node.rpar[0])[1]
            self._spans[id(node)] = Span(self._position(*start), self._position(*end))
        return self._spans[id(node)]

    def _position(self, row: int, column: int) -> Position:
        return Position(row + self._shift, column + 1 + self._columns.get(row, 0))


class Fix(cst.CSTTransformer, Generic[MendT]):
    """A transformer for one kind of mend. A node's mends are made when the node is left."""

    kind: ClassVar[type[Mend]] = Mend
    order: ClassVar[int] = 0
    """Where several fixers change one node, those of a lower order go first."""

    def __init__(self, mends: Sequence[MendT], place: Place) -> None:
        super().__init__()
        self.place = place
        self.mends: dict[Span, list[MendT]] = defaultdict(list)
        for mend in mends:
            self.mends[mend.at].append(mend)
        self.made: list[MendT] = []

    def take(self, span: Span) -> list[MendT]:
        """The mends for the node at `span`, which count as made."""
        found = self.mends.get(span, [])
        self.made.extend(found)
        return found

    def expression(self, original: cst.CSTNode) -> list[MendT]:
        """The mends for an expression, for nodes that are one."""
        if not self.mends or not isinstance(original, cst.BaseExpression):
            return []
        return self.take(self.place.span_of(original))


class ExpressionFix(Fix[MendT]):
    """A transformer of expressions of any kind, which may become expressions of another kind."""

    def on_leave(  # type: ignore[override]  # LibCST knows only nodes that stay of their kind
        self, original: cst.CSTNode, updated: cst.CSTNode
    ) -> cst.CSTNode:
        return self.changed(original, updated)

    @abstractmethod
    def changed(self, original: cst.CSTNode, updated: cst.CSTNode) -> cst.CSTNode:
        """What becomes of a node, which is `updated` by what was changed inside of it."""


def code_for(node: cst.CSTNode) -> str:
    """The code of a node by itself."""
    return cst.Module([]).code_for_node(node)


def parse(code: str) -> cst.BaseExpression:
    """An expression from its code."""
    return cst.parse_expression(code)


def parse_pattern(code: str) -> cst.MatchPattern:
    """A pattern from its code."""
    statement = cst.parse_statement(f"match _:\n    case {code}:\n        pass\n")
    assert isinstance(statement, cst.Match)
    return statement.cases[0].pattern


def name_of(node: cst.BaseExpression) -> str:
    """`join` for `"#".join`."""
    match node:
        case cst.Attribute():
            return node.attr.value
        case cst.Name():
            return node.value
        case _:
            return ""


def _without_comment(space: cst.ParenthesizedWhitespace) -> cst.ParenthesizedWhitespace:
    """A line end between brackets without the comment on that line."""
    line = cst.TrailingWhitespace(newline=space.first_line.newline)
    return space.with_changes(first_line=line)


def line_end(space: cst.ParenthesizedWhitespace) -> cst.ParenthesizedWhitespace:
    """The same without any comment or blank line."""
    return _without_comment(space).with_changes(empty_lines=[])


def bare(comma: cst.Comma) -> cst.Comma:
    """A comma of a list's layout without the comments behind it."""
    space = comma.whitespace_after
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return comma
    return comma.with_changes(whitespace_after=line_end(space))


class Listed(Protocol):
    """What stands in a list, with a comma behind it."""

    @property
    def comma(self) -> cst.Comma | cst.MaybeSentinel:
        """The comma."""

    def with_changes(self: ListedT, **changes: object) -> ListedT:
        """A copy with other parts."""


ListedT = TypeVar("ListedT", bound=Listed)


def with_remarks(
    listed: Sequence[ListedT], fresh: Sequence[bool], lead: cst.BaseParenthesizableWhitespace
) -> tuple[list[ListedT], cst.BaseParenthesizableWhitespace]:
    """A list in which comments that stand alone above an element stay there where a `fresh` one came before
    it, and what stands before the list, which was `lead`."""
    result = list(listed)
    for at in range(len(result)):
        end = next((n for n in range(at, len(result)) if not fresh[n]), at)
        if end == at or (at and fresh[at - 1]):
            continue
        ahead, behind = result[at - 1].comma, result[end - 1].comma
        space = ahead.whitespace_after if at and isinstance(ahead, cst.Comma) else lead
        if not isinstance(space, cst.ParenthesizedWhitespace) or not isinstance(behind, cst.Comma):
            continue
        if all(line.comment is None for line in space.empty_lines):
            continue
        bare = space.with_changes(empty_lines=[])
        if at and isinstance(ahead, cst.Comma):
            comma = ahead.with_changes(whitespace_after=bare)
            result[at - 1] = result[at - 1].with_changes(comma=comma)
        else:
            lead = bare
        comma = behind.with_changes(whitespace_after=_without_comment(space))
        result[end - 1] = result[end - 1].with_changes(comma=comma)
    return result, lead


def closing(comma: cst.Comma) -> cst.Comma:
    """The closing comma of a list, without a comment that belongs to its former last line."""
    space = comma.whitespace_after
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return comma
    return comma.with_changes(whitespace_after=_without_comment(space))


def with_remark(comma: cst.Comma, end: cst.BaseParenthesizableWhitespace) -> cst.Comma:
    """The comma behind what used to be last in a list: the comment on its line stays there.

    `end` is what stood behind it, before the closing bracket.
    """
    space = comma.whitespace_after
    if isinstance(space, cst.ParenthesizedWhitespace) and isinstance(
        end, cst.ParenthesizedWhitespace
    ):
        return comma.with_changes(whitespace_after=space.with_changes(first_line=end.first_line))
    return comma


def without_remark(
    end: cst.BaseParenthesizableWhitespace, comma: cst.Comma
) -> cst.BaseParenthesizableWhitespace:
    """What stands at the end of a list from now on, if `comma` took the comment on the last line."""
    if isinstance(comma.whitespace_after, cst.ParenthesizedWhitespace) and isinstance(
        end, cst.ParenthesizedWhitespace
    ):
        return _without_comment(end)
    return end
