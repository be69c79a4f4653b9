"""What an expression of a test has in it, one by one: what a loop or an unpacking takes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.reach import PLAIN
from capsule_lint.program.local_names import given

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_GIVING: Final = (
    *PLAIN,
    "enumerate",
    "frozenset",
    "iter",
    "max",
    "min",
    "next",
    "reversed",
    "set",
)
"""Functions of Python's own that give what there is in what they are given, or that itself."""
_MAX_DEPTH: Final = 6


class Position(Struct, frozen=True):
    """Which one of how many in a tuple or a list."""

    kind: str
    number: int
    count: int


def elements(
    program: Program, node: tree.Node, at: Position | None = None, depth: int = 0
) -> Iterator[tree.Node]:
    """An expression, and those that say what it has in it: `list(made())` and `first`, of `first, *rest = made()`,
    have what `made()` yields; `[r["PK"] for r in rows]` has `r["PK"]`. Of tuples, or of
    lists, only what stands `at` the one of so many places, if that is said."""
    yield node
    inner: list[tree.Node] = []
    match node:
        case tree.Call(func=tree.Name(id=name)) if name in _GIVING:
            inner += node.plain
        case tree.Call(func=tree.Attr(name="copy" | "items" | "keys" | "values", base=base)):
            inner.append(base)
        case tree.Comprehension(results=results):
            inner += results
        case tree.Binary(op="-" | "&" | "|", left=left, right=right):
            inner += (left, right)  # what is taken out of a set is such as is in it
        case tree.DictDisplay():
            inner += [key for key in node.keys if key is not None]
            inner += node.values
        case tree.Sequence(kind=kind, items=items) if at is not None and kind == at.kind:
            spread = [one for one in items if tree.spread(one) is not None]
            inner += [items[at.number]] if len(items) == at.count and not spread else spread
        case tree.Sequence(items=items):
            inner += items
        case tree.Subscript(base=base, index=index) if (
            isinstance(index, tree.Slice) or tree.integer(index) is not None
        ):
            inner.append(base)
        case tree.Wrapped(value=value) | tree.Walrus(value=value):
            inner.append(value)
        case tree.Name():
            for binding in program.names.bindings_of(node):
                if binding.kind in ("assign", "for"):
                    said = given(binding) or binding.value
                    inner += [said] if said is not None else []
    for one in inner if depth < _MAX_DEPTH else ():
        yield from elements(program, one, at, depth + 1)


def position(program: Program, node: tree.Node) -> Position | None:
    """Which one of how many in a tuple or a list an expression is; `None` where it stands in none."""
    match program.names.parent(node):
        case tree.Sequence(kind="tuple" | "list" as kind, items=items):
            return Position(kind, tree.behind(items, node) - 1, len(items))
        case _:
            return None


def yielding(program: Program, nodes: Iterable[tree.Node], at: Position | None) -> set[Function]:
    """The functions that give one of the expressions, or what it has in it, and those that give these theirs."""
    found: set[Function] = set()
    queue = list(nodes)
    while queue:
        for one in elements(program, queue.pop(), at):
            for function in program.keys.results.helpers_in(one):
                if function not in found:
                    found.add(function)
                    queue += function.given_back
    return found
