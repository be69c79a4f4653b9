"""Statements, and what one file says: its statements, and the comments that silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from capsule_lint.facts.tree.expressions import Argument, At, Node, Parameter, span_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.model import Span


class Stmt(Struct, frozen=True, tag=True):
    """A statement."""

    at: At

    @property
    def span(self) -> Span:
        """Where it stands."""
        return span_of(self.at)


class Assign(Stmt, frozen=True, tag=True):
    """`a = b = value`, `a: T = value`, `a: T`, `a += value` (then `op` is `+`)."""

    targets: tuple[Node, ...]
    value: Node | None
    annotation: Node | None = None
    op: str = ""


class Eval(Stmt, frozen=True, tag=True):
    """A statement that only evaluates or leaves: `kind` is `expr`, `return`, `raise`, `assert`, `del`,
    `break` or `continue`."""

    kind: str
    values: tuple[Node, ...]


class Field(Struct, frozen=True, tag=True):
    """What an object of a class has, which stands at a place among the heads: under a name, or at one of its places; by a
    pattern at a place, `Stored(tenant_id=tenant_id)`."""

    cls: int
    name: str
    place: int
    at: At
    value: At
    names: tuple[str, ...]
    """All names that the pattern asks for."""


class Entry(Struct, frozen=True, tag=True):
    """What a dict has under a key, by a pattern at a place, `{"tenant_id": str(tenant_id), "day": day}`."""

    key: str
    at: At
    value: At
    keys: tuple[str, ...]
    """All keys that the pattern asks for."""
    types: tuple[str, ...] | None
    """Of which classes what it finds there has to be; `None` where it asks for more, or binds not just one name."""
    rest: str | None
    """The name of all other entries, `**rest`."""


Step: TypeAlias = Entry | Field | int
"""Where a pattern looks for something: under a key of a dict, as what an object has, or at a place of a sequence before any
`*rest`."""


class Bind(Struct, frozen=True):
    """A target that a block's head binds: how is `for`, `with`, `except`, `except*` or `case`."""

    target: Node
    value: Node | None
    how: str
    keys: tuple[Step, ...] | None = ()
    """The steps to where a `case` finds it in the subject, each inside of the one before; `None` where they are not known."""
    body: int | None = None
    """The one body in which the target is bound; `None` where it is in all of them."""
    asked: bool = False
    """Whether a `case` asks what it is that it binds: `Note() as note`."""


class Case(Struct, frozen=True):
    """Of which classes the subject is in a `case`, by their places among the heads, and its name there."""

    classes: tuple[int, ...]
    name: str | None


class Sought(Struct, frozen=True):
    """A sequence that a `case` asks for: its place among the heads, and where in the subject it is, as a `Bind` says."""

    head: int
    keys: tuple[Step, ...]


class Block(Stmt, frozen=True, tag=True):
    """`if`, `for`, `while`, `with`, `try`, `match`: what its head evaluates and binds, its bodies, and what
    the cases of `match` ask for."""

    kind: str
    heads: tuple[Node, ...]
    binds: tuple[Bind, ...]
    bodies: tuple[tuple[Statement, ...], ...]
    cases: tuple[Case, ...] = ()
    sequences: tuple[Sought, ...] = ()


class Imported(Struct, frozen=True):
    """One name of an import: `import module as bound` has no `name`; `*` is a star import."""

    module: str
    name: str | None
    bound: str
    at: At


class Import(Stmt, frozen=True, tag=True):
    """`import …` or `from … import …`; `level` counts leading dots."""

    level: int
    names: tuple[Imported, ...]


class Outer(Stmt, frozen=True, tag=True):
    """`global` or `nonlocal`."""

    names: tuple[str, ...]


class FunctionDef(Stmt, frozen=True, tag=True):
    """A function; `at` covers the whole statement with its decorators, `name_at` its name. A lambda
    that a module or a class gives a name is one too: it stands at `lambda_at`. What `is_async` returns has to
    be awaited."""

    name: str
    name_at: At
    params: tuple[Parameter, ...]
    returns: Node | None
    decorators: tuple[Node, ...]
    body: tuple[Statement, ...]
    doc: bool
    lambda_at: At | None = None
    is_async: bool = False

    @property
    def signature_at(self) -> At:
        """Where what has its parameters is found: its name, or the lambda."""
        return self.lambda_at or self.name_at

    @property
    def straight(self) -> tuple[Statement, ...]:
        """The statements that are run whichever way it goes, those in `with` blocks among them."""
        return tuple(_straight(self.body))


class Listed(Struct, frozen=True):
    """The fields of a named tuple whose class a call makes, `namedtuple("Note", "tenant_id note_id")`, which stand where they
    are listed, and what lists them."""

    display: Node
    fields: tuple[Assign, ...]
    leading: int | None
    """How many of them stand before one that is not written out, `["tenant_id", SKU, *EXTRA]`; `None` where all are."""
    called: Node | None
    """What the call is told that the class is called."""


class ClassDef(Stmt, frozen=True, tag=True):
    """A class; `keywords` of its bases included as arguments. One that a call makes of listed fields is one too, under
    the name that it is assigned to."""

    name: str
    name_at: At
    bases: tuple[Argument, ...]
    decorators: tuple[Node, ...]
    body: tuple[Statement, ...]
    doc: bool
    listed: Listed | None = None

    @property
    def said(self) -> tuple[Statement, ...]:
        """The statements among which its fields are said."""
        return self.listed.fields if self.listed is not None else self.body

    @property
    def is_assigned(self) -> bool:
        """Whether a call makes it, and there is no statement `class`."""
        return self.listed is not None and self.at[:2] == self.name_at[:2]


Statement: TypeAlias = Assign | Eval | Block | Import | Outer | FunctionDef | ClassDef


class Suppression(Struct, frozen=True):
    """A comment that silences: `codes` empty means all; `row` 0 means the whole file. Where it is not written
    as it should be, its text from the `#` on is the one code, and is none of any rule."""

    row: int
    codes: tuple[str, ...]
    at: At


class FileFacts(Struct, frozen=True):
    """One file: what it says, or why it could not be read (then `problem` is set)."""

    filename: str
    body: tuple[Statement, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    generated: bool = False
    problem: str | None = None
    problem_at: tuple[int, int] = (1, 1)
    """Row and column of the problem."""


def _straight(body: tuple[Statement, ...]) -> Iterator[Statement]:
    for statement in body:
        yield statement
        if isinstance(statement, Block) and statement.kind == "with":
            yield from _straight(statement.bodies[0])


def spans_of(body: tuple[Statement, ...]) -> tuple[Span, ...]:
    """Where all statements stand, outer ones before inner ones."""
    found: list[Span] = []
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        found.append(statement.span)
        match statement:
            case FunctionDef() | ClassDef():
                stack.extend(reversed(statement.body))
            case Block():
                stack.extend(s for inner in reversed(statement.bodies) for s in reversed(inner))
    return tuple(found)
