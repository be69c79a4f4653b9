"""What code does with the parts of a key that it has split, other than reading one by its number."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.taken_apart.shifts import second_from
from capsule_lint.program.comparisons import equal_to, equated
from capsule_lint.program.containers import IN_PLACE
from capsule_lint.program.local_names import behind, reads_of
from capsule_lint.program.logs import is_for_people
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.taken_apart.shifts import Shift
    from capsule_lint.program import Program

_COUNTING: Final = frozenset(("enumerate", "zip", "islice", "iter", "reversed", "itemgetter"))
"""Functions that give each part a number, or read one by it."""
CUTS: Final = (
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rpartition",
    "rsplit",
    "lstrip",
)
"""Methods that give a key without some of its beginning or end."""
_SHOWING: Final = (tree.Eval, tree.Sequence, tree.Comprehension, tree.DictDisplay, tree.Binary)
"""Where the number of parts is more than asked for."""
_MAX_DEPTH: Final = 4


class Use(Enum):
    """How parts are used."""

    SLICED = "sliced"
    COMPARED = "compared"
    MATCHED = "matched"
    UNCLEAR = "unclear"
    """By their places, in a way that cannot be followed."""


def uses(program: Program, node: tree.Node, depth: int = 0) -> Iterator[tuple[tree.Node, Use]]:
    """The uses of the parts that `node` yields, through names and copies, which depend on how many
    there are: the slice, what they are compared with, or the place itself. Reads by a number, targets
    that unpack all parts and comparisons of their number are not among them."""
    parent = program.names.parent(node)
    match parent:
        case tree.Subscript() if parent.base is node:
            if isinstance(parent.index, tree.Slice):
                yield parent, Use.SLICED
            elif tree.integer(parent.index) is None:
                yield parent, Use.UNCLEAR
        case tree.Assign(targets=(tree.Name(),)) if depth < _MAX_DEPTH:
            for use in program.records.uses(parent):
                yield from uses(program, use, depth + 1)
        case tree.Assign(targets=(tree.Attr(),)):
            yield node, Use.UNCLEAR
        case tree.Expr() if in_place(parent) is node and depth < _MAX_DEPTH:
            yield from uses(program, parent, depth + 1)
        case tree.Comprehension(generators=(only,)) if only.iter is node:
            yield from ((one, Use.UNCLEAR) for one in _placed(program, parent, depth))
        case tree.Call() if parent.func is not node and _reads(program, parent):
            yield node, Use.UNCLEAR
        case tree.Attr(name="pop") if not _is_end(program, node, program.names.parent(parent)):
            yield node, Use.UNCLEAR
        case tree.Call(func=tree.Name(id="len")) if isinstance(
            program.names.parent(parent), _SHOWING
        ):
            yield parent, Use.UNCLEAR
        case tree.Compare(ops=("==" | "!=",)):
            other = parent.other(node)
            yield behind(program.names, other) or other, Use.COMPARED
        case tree.Call() if any(side is node for side, _ in equated(parent)):
            for other in equal_to(parent, node):
                yield behind(program.names, other) or other, Use.COMPARED
        case tree.Block(kind="match") if parent.heads[0] is node:
            patterns = list(_matched(parent))
            yield from ((one, Use.MATCHED) for one in patterns)
            if any(
                bind.how == "case"
                and not _is_in(bind.target, patterns)
                and not _is_only_told(program, bind.target)
                for bind in parent.binds
            ):
                yield node, Use.UNCLEAR  # `case parts:`
        case tree.Sequence() if isinstance(program.names.parent(parent), tree.Block):
            yield node, Use.UNCLEAR  # `match len(parts), parts:`
        case tree.Eval(kind="return") | tree.Lambda():
            yield node, Use.UNCLEAR
        case tree.Wrapped(kind="starred"):
            around = program.names.parent(parent)
            if (
                isinstance(around, tree.Sequence)
                and in_place(around) is node
                and depth < _MAX_DEPTH
            ):
                yield from uses(program, around, depth + 1)
            else:
                yield node, Use.UNCLEAR


def _matched(block: tree.Block) -> Iterator[tree.Other]:
    """The sequences that a `match` asks for, without those that others have in them."""
    found: list[tree.Node] = []
    for head in block.heads[1:]:
        match head:
            case tree.Other(children=(tree.Const(kind="pattern"), *_)) if not _is_in(head, found):
                found.append(head)
                yield head


def _is_only_told(program: Program, target: tree.Node) -> bool:
    """Whether a name that is bound is only shown to people: `raise ValueError(parts)`."""
    reads = reads_of(program.names, target, {target.at}) if isinstance(target, tree.Name) else ()
    return isinstance(target, tree.Name) and all(
        is_for_people(program.names, read) for read in reads
    )


def _is_in(node: tree.Node, around: Sequence[tree.Node]) -> bool:
    return any(node.span in one.span for one in around)


def in_place(node: tree.Node) -> tree.Node | None:
    """What another list has one element for each of, in the same places: `parts` of `list(parts)`,
    `[p.strip() for p in parts]`, `map(str.strip, parts)` and `[*parts]`."""
    match node:
        case tree.Call(func=tree.Name(id=name), args=(tree.Argument(star="", value=only),)):
            return only if name in IN_PLACE else None
        case tree.Call(func=tree.Name(id="map"), args=(_, tree.Argument(star="", value=last))):
            return last
        case tree.Comprehension(kind="ListComp" | "GeneratorExp", generators=(one,)):
            empty = isinstance(one.target, tree.Name) and all(
                isinstance(test, tree.Name) and test.id == one.target.id for test in one.ifs
            )
            return one.iter if empty or not one.ifs else None  # no part of a key is empty
        case tree.Sequence(kind="list" | "tuple", items=(tree.Wrapped(kind="starred") as only,)):
            return only.value
        case _:
            return None


def _placed(program: Program, filtered: tree.Node, depth: int) -> Iterator[tree.Node]:
    """Where what a comprehension leaves of the parts is read by its places."""
    parent = program.names.parent(filtered)
    match parent:
        case tree.Subscript() if parent.base is filtered:
            yield parent
        case tree.Call() if depth < _MAX_DEPTH and last_name(parent.func) in (*IN_PLACE, "next"):
            if last_name(parent.func) == "next":
                yield parent
            yield from _placed(program, parent, depth + 1)
        case tree.Call(func=tree.Attr(name="join")) | tree.Comprehension():
            yield filtered
        case tree.Eval(kind="return"):
            yield filtered
        case tree.Assign(targets=(tree.Sequence(),)):
            yield filtered
        case tree.Assign(targets=(tree.Name(),)) if depth < _MAX_DEPTH:
            for use in program.records.uses(parent):
                yield from _placed(program, use, depth + 1)


def is_paired(program: Program, sliced: tree.Node) -> bool:
    """Whether a slice is one half of `dict(zip(parts[::2], parts[1::2]))`: tags with their values."""
    pairs = program.names.parent(sliced)
    outer = program.names.parent(pairs) if isinstance(pairs, tree.Call) else None
    halves = halves_of(pairs)
    match outer:
        case tree.Call():
            by_tag = last_name(outer.func) == "dict"
        case tree.Comprehension(
            kind="DictComp", results=(tree.Name() as key, *_), generators=(one,)
        ):
            first = one.target.items[0] if isinstance(one.target, tree.Sequence) else None
            by_tag = isinstance(first, tree.Name) and first.id == key.id
        case _:
            return False
    return by_tag and halves is not None


def halves_of(node: object) -> tree.Node | None:
    """The tags of `zip(parts[::2], parts[1::2])`, also as a `dict` of these; `None` for anything else."""
    if not isinstance(node, tree.Call):
        return None
    if last_name(node.func) == "dict" and len(node.args) == 1:
        return halves_of(node.args[0].value)
    if last_name(node.func) != "zip" or len(node.args) < 2:
        return None
    tags, values = (argument.value for argument in node.args[:2])
    firsts = [
        second_from(half.index) if isinstance(half, tree.Subscript) else None
        for half in (tags, values)
    ]
    return tags if firsts == [0, 1] else None


def _reads(program: Program, call: tree.Call) -> bool:
    """Whether a call may read what it is given by its places: of `itemgetter(3)(parts)` that is known,
    of a function of the program it may be."""
    if isinstance(call.func, tree.Call):
        return last_name(call.func.func) in _COUNTING
    return last_name(call.func) in _COUNTING or bool(program.calls.callees(call))


def _is_end(program: Program, parts: tree.Node, call: object) -> bool:
    """Whether `parts.pop(…)` takes the last part of all."""
    if not isinstance(call, tree.Call) or (call.args and tree.integer(call.args[0].value) != -1):
        return False
    if not isinstance(parts, tree.Name):
        return True
    reads = reads_of(program.names, parts, {b.at for b in program.names.bindings_of(parts)})
    popped = (program.names.parent(one) for one in reads)
    return sum(isinstance(one, tree.Attr) and one.name == "pop" for one in popped) == 1


def leaves(method: str, text: str, index: int | None, shift: Shift, mark: str) -> bool:
    """Whether a segment that is added is in what a cut leaves, or in the part `index` of it, beside
    something that stood there alone."""
    taken = text.count(mark)
    match method:
        case "removeprefix":
            return taken <= shift.start and _may_begin(shift, text)
        case "partition" if index == 2 and shift.is_behind(text, mark):
            return False
        case "partition":
            return index != 0 if text == mark else index is not None and index != 1
        case "removesuffix":
            return shift.is_in_head(text, mark)
        case "rpartition" if text != mark and index != 2 and not shift.is_in_head(text, mark):
            return False
        case "rpartition" | "rsplit":
            return index == 0 or shift.start == len(shift.parts)  # it was the last one
        case _:
            return taken <= shift.start


def _may_begin(shift: Shift, text: str) -> bool:
    """Whether keys may begin with a text, as they are or as they will be: what nothing begins with is cut off none."""
    heads = (shift.plain.partition("?")[0], *shift.tags)
    return any(head.startswith(text) or text.startswith(head) for head in heads)


def is_cut_again(program: Program, node: tree.Node, depth: int = 0) -> bool:
    """Whether what a cut leaves of a key has parts of its own read, here or where a local is it."""
    names = program.names
    parent = names.parent(node)
    match parent:
        case tree.Attr():
            return True
        case tree.Subscript(base=base) if base is node:
            return depth > 0 or is_cut_again(program, parent, depth + 1)
        case tree.Assign(targets=targets) if depth <= 1:
            bound = [n for t in targets for n in within(t) if isinstance(n, tree.Name)]
            reads = (read for name in bound for read in reads_of(names, name, {name.at}))
            return any(is_cut_again(program, read, depth + 2) for read in reads)
        case _:
            return False
