"""Frozen values that every room shares: places, findings, mends, change sets, the ledger."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Position(Struct, frozen=True, order=True):
    """A place between two characters of a file; `row` and `column` count from 1, in characters."""

    row: int
    column: int


class Span(Struct, frozen=True, order=True):
    """From `start` up to, and not including, `end`."""

    start: Position
    end: Position

    def __contains__(self, other: Span) -> bool:
        return self.start <= other.start and other.end <= self.end


NOWHERE: Final = Span(Position(1, 1), Position(1, 1))
"""Where a mend or an obstacle stands that is about a file as a whole."""


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"


class Safety(StrEnum):
    """Whether a change set may be applied without a person looking."""

    SAFE = "safe"
    UNSAFE = "unsafe"


class Verdict(StrEnum):
    """What became of one occurrence of a changing name (see the documentation of the ledger)."""

    REWRITTEN = "rewritten"
    ALREADY_CORRECT = "already-correct"
    ESCAPE = "escape"
    CANDIDATE = "candidate"
    TEXT = "text"
    OTHER = "other"

    @property
    def settled(self) -> bool:
        """Whether nobody needs to look at an occurrence with this verdict."""
        return self in (Verdict.REWRITTEN, Verdict.ALREADY_CORRECT, Verdict.OTHER)


class Occurrence(Struct, frozen=True, order=True):
    """One row of the ledger: a token equal to the name of a changing symbol."""

    filename: str
    position: Position
    symbol: str
    verdict: Verdict
    reason: str
    text: str


# --- mends: what the plan asks the transformers to do, one small frozen value each -----------------


class Mend(Struct, frozen=True):
    """One syntactic change. `filename` is relative to the root; `at` is the exact span of the node
    that changes (without enclosing parentheses); `code` is the rule whose transformer does it."""

    filename: str
    at: Span
    code: str


class NewSegment(Struct, frozen=True):
    """A segment for a key template: the literal tag (`CAPSULE#`) and the hole's expression.

    A `constant` stands for the tag where the neighbours are written so; `joint` is the text between
    it and the hole, empty where the constant has its separator. `mark` is a constant that stands for
    what the tag ends with, in its place. `made` is a call that makes tag and
    hole together, where the neighbour is such a call. `spelled` is the hole where nothing but a text
    fits, as in a sum; empty where that is the hole itself.
    """

    tag: str
    hole: str
    constant: str = ""
    joint: str = ""
    mark: str = ""
    made: str = ""
    spelled: str = ""


class AddSegments(Mend, frozen=True):
    """Put segments into the key template at `at`, in the idiom in which it is written.

    `anchor` is the span of the expression, inside the template, after which the segments come (the
    hole of the preceding scope: inside an f-string's braces, an operand of `+` or `%`, an argument
    of `.format(...)`, an element of the list given to `join` or an argument of a `*parts` helper);
    `None` puts them at the very front. `separator` is the template's own (`#`, `|`, `/`). With `listed`
    the front is before the first argument of a `*parts` helper. With `opened` the anchor ends with the separator.
    `mark` is a constant that stands for the separator behind the anchor, in its place.
    """

    segments: tuple[NewSegment, ...]
    anchor: Span | None
    separator: str
    listed: bool = False
    opened: bool = False
    mark: str = ""


class ParameterKind(StrEnum):
    """Which of LibCST's parameter lists a parameter lives in."""

    POSITIONAL_ONLY = "posonly_params"
    PLAIN = "params"
    KEYWORD_ONLY = "kwonly_params"


class AddParameter(Mend, frozen=True):
    """Give the function whose name token is at `at` (or the lambda at `at`) a parameter.

    `index` is its place in the list `kind`, counted before the change.
    """

    parameter: str
    annotation: str | None
    kind: ParameterKind
    index: int


class AddArgument(Mend, frozen=True):
    """Give the call at `at` an argument: `index` is its place among the arguments as written before."""

    value: str
    keyword: str | None
    index: int


class AddStatement(Mend, frozen=True):
    """Add a line of code beside the statement that `at` covers, at the same indentation."""

    statement: str
    before: bool = False


class DropStatement(Mend, frozen=True):
    """Take away the statement that `at` covers, a line of its own in the body of the function that `inside`
    covers; comments on it and above it stay."""

    inside: Span


class AddEntry(Mend, frozen=True):
    """Add `key: value` to the dict display, or the pattern of a dict, at `at`, after the entry whose value
    is at `anchor` (or first), or right before that; or `key=value` to the pattern of a class."""

    key: str
    value: str
    anchor: Span | None
    before: bool = False


class AddElements(Mend, frozen=True):
    """Add elements to the tuple, list or set at `at` before and after the element at `anchor`, or
    names or wildcards (`before`) to a class pattern.

    An expression that is no sequence becomes a tuple of `before`, itself and `after`, in parentheses
    (there `anchor` is equal to `at`).
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    anchor: Span


class AddCondition(Mend, frozen=True):
    """Join the condition at `at` with another one: `at and condition` (or `&` between query conditions)."""

    condition: str
    operator: str = "and"


class Replace(Mend, frozen=True):
    """Put other code in the place of the expression at `at`."""

    replacement: str


class ReplaceComment(Mend, frozen=True):
    """Put another comment in the place of the one at `at`."""

    replacement: str


class AddImport(Mend, frozen=True):
    """Import `name` from `module` (as it would be written, leading dots included) at the top of the file.

    `at` is not used. Nothing happens where the file has the import already.
    """

    module: str
    name: str
    typing: bool = False
    """Whether it stands under `if TYPE_CHECKING:`."""
    inside: str = ""
    """The function that imports from the module itself, by its qualified name, and is to import the name as well."""
    apart: bool = False
    """Whether it is of the program's own, of which the file imports nothing yet: it stands behind all others."""


class AppendCode(Mend, frozen=True):
    """Add top-level code at the end of the file, which is created if it does not exist, or before what
    needs it while the file is imported. `at` is not used."""

    source: str


# --- what a run says -------------------------------------------------------------------------------


class Edit(Struct, frozen=True):
    """A replacement of text: what stands in `span` of the file as it is on disk becomes `content`."""

    filename: str
    span: Span
    content: str


class Gain(Struct, frozen=True):
    """An entity that gains a field, and the fields that it needs already."""

    entity: str
    had: tuple[str, ...]
    name: str


class ChangeSet(Struct, frozen=True):
    """All mends that must land together, and how far they reach."""

    id: str
    safety: Safety
    mends: tuple[Mend, ...]
    obstacles: tuple[str, ...]
    """Why a person must look, each `file:row:column: reason`; empty when it is safe."""
    symbols: tuple[str, ...]
    """The definitions whose signature or fields change, by qualified name."""
    entities: tuple[str, ...]
    """The entities whose keys or fields change."""
    definitions: int
    call_sites: int
    tests: int
    files: int
    keys: tuple[str, ...] = ()
    """Regular expressions for the keys that change, as they are before, in any text."""
    gains: tuple[Gain, ...] = ()
    """What entities gain that may also be spelled out in data files."""

    @property
    def reach(self) -> str:
        """`7 definitions, 127 call sites in 41 files`."""
        counts = [(self.definitions, "definition"), (self.call_sites, "call site")]
        said = ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n)
        files = f"{self.files} file{'' if self.files == 1 else 's'}"
        return f"{said} in {files}" if said else files


class Suggestion(Struct, frozen=True):
    """How a finding would be fixed: the change set's safety, a sentence, and its text edits."""

    applicability: Safety
    message: str
    edits: tuple[Edit, ...] = ()


class Finding(Struct, frozen=True):
    """One defect at one place."""

    code: str
    name: str
    message: str
    filename: str
    span: Span
    symbol: str = ""
    entity: str | None = None
    scopes: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR
    fingerprint: str = ""
    change_set: str | None = None
    suggestion: Suggestion | None = None

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """File, line, column, code: the order of every report."""
        start = self.span.start
        return (self.filename, start.row, start.column, self.code)
