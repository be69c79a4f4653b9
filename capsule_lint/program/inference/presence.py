"""Whether a name that may be `None` cannot be `None` at a place."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.blocks import contains, managers
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.steps import path_of
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from capsule_lint.program.model import Place

_LEAVES: Final = ("return", "raise", "break", "continue")
_EXITS: Final = ("exit", "fail", "skip", "abort", "xfail")
_SWALLOW: Final = ("suppress", "raises", "assertRaises", "assertRaisesRegex")


def is_present(name: str, place: Place) -> bool:
    """Whether `name` is proven not to be `None` where `place` is: it is tested around the place, or
    before it in a way that leaves, or an attribute of it was read on the way; and it has not been
    given another value since."""
    module = place.scope.module
    since = _last_bound(name, place)
    if any(
        module.starts[number] >= since and _guards(module.blocks[number], branch, name)
        for number, branch, _ in place.blocks
    ):
        return True
    around = {module.starts[number] for number, _, _ in place.blocks}
    return any(
        (at.order > since or not isinstance(statement, tree.Assign))
        and at.order not in around
        and _proves(statement, name)
        and has_run(at, place)
        for statement, at in _between(place.scope.statements, since, place.order)
    )


def _between(
    statements: list[tuple[tree.Statement, Place]], first: int, end: int
) -> list[tuple[tree.Statement, Place]]:
    """Those that come in the order of statements from `first` on, and before `end`."""
    return statements[
        bisect_left(statements, first, key=_order) : bisect_left(statements, end, key=_order)
    ]


def _order(one: tuple[tree.Statement, Place]) -> int:
    return one[1].order


def may_be_absent(name: str, place: Place) -> bool:
    """Whether `place` is where a test has found that `name`, a path of names, is `None` or empty, or may
    have."""
    module = place.scope.module
    around = [(module.blocks[number], number, branch) for number, branch, _ in place.blocks]
    blocks = [block for block, _, _ in around]
    found = [
        module.starts[number]
        for block, number, branch in around
        if block.kind == "if"
        and branch <= 1
        and block.heads
        and _holds(block.heads[0], name, present=branch == 1)
    ]
    found += [
        at.order
        for statement, at in _between(place.scope.statements, 0, place.order)
        if isinstance(statement, tree.Block)
        and statement.kind == "if"
        and statement.heads
        and _holds(statement.heads[0], name, present=True)
        and ends(statement.bodies[0])
        and at.blocks == place.blocks[: len(at.blocks)]
        and statement not in blocks
    ]
    return bool(found) and max(found) >= _last_given(name, place)


def _last_given(name: str, place: Place) -> int:
    """When the name was certainly given a value last, in the order of statements, before `place`."""
    given = place.scope.bindings.get(name, ())
    run = [b.place.order for b in given if b.place.order < place.order and has_run(b.place, place)]
    around = [place.scope.module.blocks[number] for number, _, _ in place.blocks]
    run += [
        at.order
        for statement, at in _between(place.scope.statements, 0, place.order)
        if _is_given_by(statement, name) and statement not in around and has_run(at, place, name)
    ]
    return max(run, default=0)


def _is_given_by(statement: tree.Statement, name: str) -> bool:
    """Whether a statement gives a path of names a value, or what the path begins with, whatever happens in it."""
    match statement:
        case tree.Assign(op="", value=value) if value is not None:
            paths = (path_of(leaf) for one in statement.targets for leaf, _ in targets_of(one))
            is_none = isinstance(value, tree.Const) and value.value is None and not value.kind
            return not is_none and any(one and f"{name}.".startswith(f"{one}.") for one in paths)
        case tree.Block(kind="if", bodies=bodies):
            return len(bodies) > 1 and all(_gives_or_leaves(one, name) for one in bodies)
        case tree.Block(kind="with", bodies=(body, *_)):
            swallows = any(last_name(head) in _SWALLOW for head in managers(statement))
            return not swallows and any(_is_given_by(one, name) for one in body)
        case tree.Block(kind="try", bodies=(body, *others)):
            in_all = (_gives_or_leaves(one, name) for one in others[:-2])
            return any(_is_given_by(one, name) for one in body) and all(in_all)
        case _:
            return False


def _gives_or_leaves(body: tuple[tree.Statement, ...], name: str) -> bool:
    return ends(body) or any(_is_given_by(one, name) for one in body)


def ends(body: tuple[tree.Statement, ...]) -> bool:
    """Whether a body leaves what stands around it, whatever happens in it."""
    match body[-1] if body else None:
        case tree.Eval(kind="expr", values=(tree.Call(func=func),)):
            return last_name(func) in _EXITS
        case tree.Eval(kind=kind):
            return kind in _LEAVES
        case tree.Block(kind="if", bodies=bodies):
            return all(ends(one) for one in bodies)
        case tree.Block(kind="with", bodies=(one, *_)):
            return ends(one)
        case _:
            return False


def absent_in(test: tree.Node, name: str, *, otherwise: bool) -> bool:
    """The same for one side of a conditional expression."""
    return _holds(test, name, present=otherwise)


def _guards(block: tree.Block, branch: int, name: str) -> bool:
    """Whether being in a branch of a block says that the name is there."""
    if block.kind not in ("if", "while") or not block.heads or branch > 1:
        return False
    return _holds(block.heads[0], name, present=branch == 0)


def _last_bound(name: str, place: Place) -> int:
    """When the name was last given a value, in the order of statements: what was proven before that
    is worth nothing."""
    module = place.scope.module
    scope = next((s for s in place.scope.ancestors() if name in s.bindings), None)
    last = 0
    for binding in scope.bindings[name] if scope is not None else ():
        at = binding.place
        if at.order < place.order:
            last = max(last, at.order)
        else:  # it may have run in the round before
            loops = [b for b in place.blocks if b[2] and b in at.blocks]
            last = max(last, module.starts[loops[0][0]] if loops else 0)
    return last


def has_run(earlier: Place, place: Place, name: str = "") -> bool:
    """Whether what stands at `earlier` has run, to its end, whenever `place` runs.

    A `try` may have been left early: its handlers count as if they gave `name` a value where they do.
    """
    if earlier.order > place.order or earlier.blocks != place.blocks[: len(earlier.blocks)]:
        return False
    module = place.scope.module
    inside = {number: branch for number, branch, _ in place.blocks}
    for number, block in module.blocks.items():
        if block.kind not in ("try", "with") or not contains(block.bodies[0], earlier.statement):
            continue
        if contains(block.bodies[0], place.statement):
            continue
        if block.kind == "with":
            if any(last_name(head) in _SWALLOW for head in managers(block)):
                return False
        elif number in inside:
            if inside[number] != len(block.bodies) - 2:  # the `else` comes after the whole body
                return False
        elif any(not _gives(body, name, earlier) for body in block.bodies[1:-2]):
            return False
    return True


def _gives(body: tuple[tree.Statement, ...], name: str, place: Place) -> bool:
    """Whether a handler leaves, or gives the name a value itself."""
    bindings = place.scope.bindings.get(name, ())
    return ends(body) or any(contains(body, b.place.statement) for b in bindings)


def _proves(statement: tree.Statement, name: str) -> bool:
    match statement:
        case tree.Block(kind="if", heads=(test, *_), bodies=(body, *_)):
            return _holds(test, name, present=False) and ends(body)
        case tree.Eval(kind="assert", values=(test, *_)):
            return _holds(test, name, present=True)
        case tree.Eval(kind="expr" | "return"):
            return any(_reads(value, name) for value in statement.values)
        case tree.Assign(value=value) if value is not None:
            return _reads(value, name)
        case _:
            return False


def _holds(test: tree.Node, name: str, *, present: bool) -> bool:
    """Whether a test that holds says that the name is there (or, not `present`, that it is not)."""
    match test:
        case tree.Name() | tree.Attr():
            return present and path_of(test) == name
        case tree.Walrus():
            return present and test.name == name
        case tree.Wrapped(kind="not"):
            return not present and _holds(test.value, name, present=True)
        case tree.Compare(
            left=(tree.Name() | tree.Attr()) as left,
            ops=(op,),
            rights=(tree.Const(value=None, kind=""),),
        ):
            return path_of(left) == name and op == ("is not" if present else "is")
        case tree.Compare(
            left=tree.Walrus() as left, ops=(op,), rights=(tree.Const(value=None, kind=""),)
        ):
            return left.name == name and op == ("is not" if present else "is")
        case tree.Boolean(op="and") if present:
            return any(_holds(value, name, present=True) for value in test.values)
        case tree.Boolean(op="or") if not present:
            return any(_holds(value, name, present=False) for value in test.values)
        case _:
            return False


def _reads(node: tree.Node, name: str) -> bool:
    """Whether evaluating an expression certainly reads an attribute of the name."""
    match node:
        case tree.Attr(base=tree.Name() as base):
            return base.id == name
        case tree.Attr():
            return _reads(node.base, name)
        case tree.Call():
            return _reads(node.func, name) or any(_reads(a.value, name) for a in node.args)
        case tree.Wrapped():
            return _reads(node.value, name)
        case tree.FString():
            return any(_reads(p.value, name) for p in node.parts if isinstance(p, tree.Hole))
        case tree.Binary():
            return _reads(node.left, name) or _reads(node.right, name)
        case tree.Boolean():
            return _reads(node.values[0], name)
        case tree.Sequence():
            return any(_reads(item, name) for item in node.items)
        case tree.DictDisplay():
            return any(_reads(value, name) for value in node.values)
        case _:
            return False
