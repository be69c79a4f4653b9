"""What a module compares, by operators and, in tests, by the methods of `unittest` that assert as much."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.local_names import looked_up
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Module
    from capsule_lint.program.names import Names

_ASSERTED: Final = {
    "assertEqual": "==",
    "assertEquals": "==",
    "assertNotEqual": "!=",
    "assertIn": "in",
    "assertNotIn": "not in",
    "assertLess": "<",
    "assertLessEqual": "<=",
    "assertGreater": ">",
    "assertGreaterEqual": ">=",
}

_EQUATING: Final = (
    "assertEqual",
    "assertEquals",
    "assertCountEqual",
    "assertDictEqual",
    "assertListEqual",
    "assertTupleEqual",
    "assertSequenceEqual",
    "assertSetEqual",
)


HOLDING: Final = frozenset(("assertIn", "assertNotIn"))
"""The methods that say whether what they are given first is in what they are given then."""


class Comparison(Struct, frozen=True):
    """`left op right`, and the expression that says so."""

    node: tree.Node
    op: str
    left: tree.Node
    right: tree.Node


def comparisons(module: Module) -> Iterator[Comparison]:
    """All of a module that compare two things."""
    for node in module.each(tree.Compare):
        for op, left, right in zip(node.ops, (node.left, *node.rights), node.rights, strict=False):
            yield Comparison(node, op, left, right)
    for call in module.each(tree.Call) if module.is_test else ():
        said = _ASSERTED.get(last_name(call.func)) if len(call.args) > 1 else None
        if said is not None:
            yield Comparison(call, said, call.args[0].value, call.args[1].value)


def equated(node: tree.Node) -> Iterator[tuple[tree.Node, tree.Node]]:
    """What is asserted to be equal, both ways round; in `a == b == c` all three are."""
    match node:
        case tree.Compare() if set(node.ops) == {"=="}:
            yield from permutations((node.left, *node.rights), 2)
        case tree.Call(args=(first, second, *_)) if last_name(node.func) in _EQUATING:
            yield from ((first.value, second.value), (second.value, first.value))


def equal_to(around: tree.Node, node: tree.Node) -> Iterator[tree.Node]:
    """What a comparison, or an assertion's call, says to be equal to an expression in it."""
    return (other for side, other in equated(around) if side is node)


class Beside(Struct, frozen=True):
    """What an expression is compared with, or what it is looked for in."""

    other: tree.Node
    several: bool
    """Whether that holds many, of which the expression may be one."""
    alone: bool
    """Whether nothing else is compared in the same place."""


def beside(names: Names, node: tree.Node) -> Iterator[Beside]:
    """What the code around an expression compares it with: `pk == other`, `pk in other`, `other[pk]`, `other.get(pk)`."""
    around = names.parent(node)
    match around:
        case tree.Compare():
            pairs = zip((around.left, *around.rights), around.rights, strict=False)
            for op, (left, right) in zip(around.ops, pairs, strict=True):
                if op in ("==", "!=") and node in (left, right):
                    other = right if left is node else left
                    yield Beside(other, several=False, alone=len(around.rights) == 1)
                elif op in ("in", "not in") and left is node:
                    yield Beside(right, several=True, alone=len(around.rights) == 1)
        case tree.Call() if names.module_of(node).is_test:
            for other in equal_to(around, node):
                yield Beside(other, several=False, alone=True)
        case tree.Subscript() | tree.Call():
            table = looked_up(around)
            if table is not None and table[1] is node:
                yield Beside(table[0], several=True, alone=False)


def is_among(parent: object, node: tree.Sequence) -> bool:
    """Whether a set that is written out is said to be a part of another one: `item.keys() >= {"tenant_id", "note_id"}`.
    Once there is more in that, it still is."""
    if node.kind != "set":
        return False
    match parent:
        case tree.Compare(ops=(">=" | ">",), rights=(right,)):
            return right is node
        case tree.Compare(ops=("<=" | "<",), left=left):
            return left is node
        case tree.Attr(name="issubset"):
            return True
        case _:
            return False


def is_compared(program: Program, node: tree.Node) -> bool:
    """Whether something is compared, by itself or among others, here or by the local that it is."""
    whole, around = node, program.names.parent(node)
    while isinstance(around, tree.Sequence | tree.DictDisplay):
        whole, around = around, program.names.parent(around)
    match around:
        case tree.Compare(left=left, ops=("<=" | "<" | ">=" | ">" as op,)) if (
            isinstance(whole, tree.Sequence) and whole.kind == "set"
        ):
            return (left is whole) == op.startswith(">")  # else true of what has more as well
        case tree.Compare(left=tree.Const() as left, ops=("in" | "not in",)):
            return left is whole  # else written out on both sides
        case tree.Compare():
            return True
        case tree.Call():
            return last_name(around.func).startswith("assert")
        case tree.Assign(targets=(tree.Name(),)):
            return any(is_compared(program, use) for use in program.records.uses(around))
        case _:
            return False
