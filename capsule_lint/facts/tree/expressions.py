"""Expressions, as frozen data, and what literals say."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from capsule_lint.model import Position, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

At: TypeAlias = tuple[int, int, int, int]
"""Row, column, end row, end column; rows and columns count from 1, in characters."""


def span_of(at: At) -> Span:
    """`at` as a value of the model."""
    return Span(Position(at[0], at[1]), Position(at[2], at[3]))


class Expr(Struct, frozen=True, tag=True):
    """An expression."""

    at: At

    def below(self) -> tuple[Node, ...]:
        """The expressions directly below it, without those of a scope of its own."""
        return ()

    def all_below(self) -> tuple[Node, ...]:
        """The expressions directly below it, those of a scope of its own too."""
        return self.below()

    def last_name(self) -> str:
        """The last identifier of `a.b.c`, `a.b.c(…)` or `a.b.c[…]`; empty for anything else."""
        return ""

    @property
    def span(self) -> Span:
        """Where it stands, without enclosing parentheses (a tuple's own belong to it)."""
        return span_of(self.at)


class Name(Expr, frozen=True, tag=True):
    """A plain name."""

    id: str

    def last_name(self) -> str:
        return self.id


class Attr(Expr, frozen=True, tag=True):
    """`base.name`."""

    base: Node
    name: str

    @property
    def name_span(self) -> Span:
        """The attribute's own token."""
        _, _, row, column = self.at
        return Span(Position(row, column - len(self.name)), Position(row, column))

    def below(self) -> tuple[Node, ...]:
        return (self.base,)

    def last_name(self) -> str:
        return self.name


class Const(Expr, frozen=True, tag=True):
    """A literal: a string, number, boolean or `None` (bytes and `...` are `None` with a `kind`)."""

    value: str | int | float | bool | None
    kind: str = ""


class Hole(Struct, frozen=True, tag=True):
    """The replacement field of an f-string."""

    value: Node
    plain: bool
    """Whether it says nothing of how the value is written: `{n}`, and neither `{n!r}` nor `{n:03}`."""


class FString(Expr, frozen=True, tag=True):
    """An f-string, implicit concatenations joined; neighbouring literal texts are one."""

    parts: tuple[str | Hole, ...]

    def below(self) -> tuple[Node, ...]:
        return tuple(part.value for part in self.parts if isinstance(part, Hole))


class Argument(Struct, frozen=True):
    """One argument of a call: `star` is `""`, `*` or `**`; `keyword` is `None` when positional."""

    value: Node
    keyword: str | None
    star: str
    at: At


class Call(Expr, frozen=True, tag=True):
    """A call; arguments in the order in which they are written."""

    func: Node
    args: tuple[Argument, ...]

    def below(self) -> tuple[Node, ...]:
        return (self.func, *[argument.value for argument in self.args])

    def last_name(self) -> str:
        return self.func.last_name()

    @property
    def plain(self) -> list[Node]:
        """What it gives by position, without what is spread."""
        return [a.value for a in self.args if a.keyword is None and not a.star]

    @property
    def unnamed(self) -> list[Node]:
        """What it gives without a keyword, what is spread among it."""
        return [a.value for a in self.args if a.keyword is None]

    @property
    def spread(self) -> list[Node]:
        """The dicts whose entries it gives by keywords."""
        return [a.value for a in self.args if a.star == "**"]

    @property
    def receiver(self) -> Node | None:
        """What it calls a method of."""
        return self.func.base if isinstance(self.func, Attr) else None

    @property
    def keywords(self) -> Iterator[tuple[str, Node]]:
        """What it gives by keywords."""
        return ((a.keyword, a.value) for a in self.args if a.keyword is not None)

    def keyword(self, name: str) -> Node | None:
        """What it gives by one keyword."""
        return next((value for keyword, value in self.keywords if keyword == name), None)


class Binary(Expr, frozen=True, tag=True):
    """`left op right`."""

    op: str
    left: Node
    right: Node

    def below(self) -> tuple[Node, ...]:
        return self.left, self.right


class Boolean(Expr, frozen=True, tag=True):
    """`a and b and c`, `a or b`."""

    op: str
    values: tuple[Node, ...]

    def below(self) -> tuple[Node, ...]:
        return self.values


class Compare(Expr, frozen=True, tag=True):
    """`left op right op …`."""

    left: Node
    ops: tuple[str, ...]
    rights: tuple[Node, ...]

    def below(self) -> tuple[Node, ...]:
        return (self.left, *self.rights)

    @property
    def both_ways(self) -> tuple[tuple[Node, Node], tuple[Node, Node]]:
        """Each of the first two sides with the other one."""
        return (self.left, self.rights[0]), (self.rights[0], self.left)

    def other(self, side: Node) -> Node:
        """What one side is compared with first."""
        return self.rights[0] if self.left is side else self.left


class Subscript(Expr, frozen=True, tag=True):
    """`base[index]`."""

    base: Node
    index: Node

    def below(self) -> tuple[Node, ...]:
        return self.base, self.index

    def last_name(self) -> str:
        return self.base.last_name()


class DictDisplay(Expr, frozen=True, tag=True):
    """`{key: value, **spread}`; a spread has the key `None`."""

    keys: tuple[Node | None, ...]
    values: tuple[Node, ...]

    def below(self) -> tuple[Node, ...]:
        return (*[key for key in self.keys if key is not None], *self.values)

    @property
    def pairs(self) -> Iterator[tuple[Node | None, Node]]:
        """The keys with their values."""
        return zip(self.keys, self.values, strict=True)

    @property
    def entries(self) -> Iterator[tuple[str, Node]]:
        """The keys that are literal texts, with their values."""
        return ((name, value) for key, value in self.pairs if (name := text(key)) is not None)

    @property
    def spread(self) -> list[Node]:
        """What is spread into it."""
        return [value for key, value in self.pairs if key is None]

    def under(self, name: str) -> Node | None:
        """The value of a key that is a literal text."""
        return next((value for key, value in self.entries if key == name), None)

    def keys_for(self, part: object) -> list[Node | None]:
        """The keys that one of its values has."""
        return [key for key, value in self.pairs if value is part]


class Sequence(Expr, frozen=True, tag=True):
    """A tuple, list or set display: `kind` says which."""

    kind: str
    items: tuple[Node, ...]

    def below(self) -> tuple[Node, ...]:
        return self.items


class Generator(Struct, frozen=True):
    """One `for target in iter if …` of a comprehension."""

    target: Node
    iter: Node
    ifs: tuple[Node, ...]


class Comprehension(Expr, frozen=True, tag=True):
    """A list, set, dict or generator comprehension; a dict's results are key and value."""

    kind: str
    results: tuple[Node, ...]
    generators: tuple[Generator, ...]

    def all_below(self) -> tuple[Node, ...]:
        every = [(one.target, one.iter, *one.ifs) for one in self.generators]
        return (*self.results, *chain.from_iterable(every))


class Conditional(Expr, frozen=True, tag=True):
    """`then if test else otherwise`."""

    test: Node
    then: Node
    otherwise: Node

    def below(self) -> tuple[Node, ...]:
        return self.test, self.then, self.otherwise


class Wrapped(Expr, frozen=True, tag=True):
    """`await x`, `yield x`, `yield from x`, `*x`, `not x`, `-x`."""

    kind: str
    value: Node

    def below(self) -> tuple[Node, ...]:
        return (self.value,)


class Walrus(Expr, frozen=True, tag=True):
    """`(name := value)`."""

    name: str
    value: Node

    def below(self) -> tuple[Node, ...]:
        return (self.value,)

    def last_name(self) -> str:
        return self.name


class Parameter(Struct, frozen=True):
    """A parameter; `kind` is one of `posonly`, `plain`, `*`, `kwonly`, `**`; `at` covers its name."""

    name: str
    kind: str
    annotation: Node | None
    default: Node | None
    at: At

    @property
    def by_position(self) -> bool:
        """Whether an argument by position may go to it, and no other one."""
        return self.kind in ("posonly", "plain")


class Lambda(Expr, frozen=True, tag=True):
    """A lambda."""

    params: tuple[Parameter, ...]
    body: Node

    def all_below(self) -> tuple[Node, ...]:
        every = [(param.annotation, param.default) for param in self.params]
        return (self.body, *[one for one in chain.from_iterable(every) if one is not None])


class Slice(Expr, frozen=True, tag=True):
    """`lower:upper:step` between the brackets of a subscript."""

    lower: Node | None
    upper: Node | None
    step: Node | None

    def below(self) -> tuple[Node, ...]:
        return tuple([one for one in (self.lower, self.upper, self.step) if one is not None])


class Other(Expr, frozen=True, tag=True):
    """Any other expression, for what it contains."""

    children: tuple[Node, ...]

    def below(self) -> tuple[Node, ...]:
        return self.children


Node: TypeAlias = (
    Name
    | Attr
    | Const
    | FString
    | Call
    | Binary
    | Boolean
    | Compare
    | Subscript
    | DictDisplay
    | Sequence
    | Comprehension
    | Conditional
    | Wrapped
    | Walrus
    | Lambda
    | Slice
    | Other
)


def text(node: Node | None) -> str | None:
    """The text that a literal says; `None` for anything else."""
    return node.value if isinstance(node, Const) and isinstance(node.value, str) else None


def makes_dict(node: object) -> bool:
    """Whether a call makes a dict of its keywords: `dict(PK=pk, SK=sk)`."""
    match node:
        case Call(func=Name(id="dict"), args=args):
            return any(argument.keyword is not None for argument in args)
        case _:
            return False


def items(node: Node) -> tuple[Node, ...]:
    """The items of a tuple, list or set that is written out; anything else is its only one."""
    return node.items if isinstance(node, Sequence) else (node,)


def spread(node: Node) -> Node | None:
    """What `*x` gives the items of; `None` for anything else."""
    return node.value if isinstance(node, Wrapped) and node.kind == "starred" else None


def behind(several: Iterable[Node], one: Node | None) -> int:
    """The index right behind one of several expressions; 0 where it is none of them."""
    return next((number for number, node in enumerate(several, 1) if node is one), 0)


def uncalled(node: Node) -> Node:
    """What is called: `app.get` of the decorator `app.get("/")`; anything else itself."""
    return node.func if isinstance(node, Call) else node


def integer(node: Node | None) -> int | None:
    """The integer that a literal says; it may be negative. `None` for anything else."""
    match node:
        case Const(value=int() as number) if not isinstance(number, bool):
            return number
        case Wrapped(kind="unary", value=Const(value=int() as number)):
            return -number
        case _:
            return None
