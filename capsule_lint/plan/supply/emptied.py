"""Values that are read of dicts which have lost them by then: `event["capsule"]` after `event.pop("capsule")`, after
`normalise(event)` that does so, or after `event = normalised(event)`; and of an object whose name is another one's by then. They are taken beside the local that the neighbour is kept in."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.policy import SourceKind
from capsule_lint.program.inference.presence import ends, has_run
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.local_names import bound_whole, reads_of_parameter
from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Value, Want
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Place

_Path: TypeAlias = tuple[str | None, ...]
"""The entries and attributes by which something is read, `("headers", "x-capsule")`; `None` is any entry."""

_REMOVING: Final = frozenset(("pop", "popitem", "clear"))
_CHANGING: Final = frozenset(("update", "setdefault", *_REMOVING))
"""Methods that change a dict in place."""
_MAX_DEPTH: Final = 3


class Emptied(Room, Struct, frozen=True):
    """Sees to it that they are."""

    planner: Planner

    def kept(self, want: Want, found: Value | None) -> Value | None:
        """The value of a want, or what is kept beside its neighbour in its place; `None` where it may be gone."""
        names, place = self.program.names, self.program.names.place(want.node)
        host = place.scope.function
        if found is None or found.beside is not None or host is None or host.module.is_test:
            return found
        said = list(self.planner.origins.said(want))
        locals_ = [b for b in (bound_whole(names, node) for node in said) if b is not None]
        made = [b for b in locals_ if b.kind == "assign" and b.function is host]
        now = any(not isinstance(node, tree.Name) for node in said)
        since = min((b.place.order for b in made), default=place.order + 1 if now else 0)
        others = any(self._means_others(found.code, bound, place) for bound in made)
        if not others and not self._is_gone(found.code, want.scope, place, since):
            return found
        for bound in made:
            statement = bound.place.statement
            alone = isinstance(statement, tree.Assign) and statement.value is bound.value
            taken = self.planner.sources.visible.is_taken(host, want.scope.parameter)
            usable = alone and not taken and has_run(bound.place, place)
            at = bound.place
            if usable and not self._is_gone(found.code, want.scope, at, at.order):
                return replace(found, bind=True, root=host, beside=bound)
        return None

    def _means_others(self, code: str, local: Binding, place: Place) -> bool:
        """Whether names of code have got other values since a local got its own: `event = normalise(event)`, and `ctx` of
        `ctx.capsule_id` where the local is what that had, `ctx.tenant_id`."""
        names, earlier, read = self.program.names, local.place, local.value
        roots = [name for name, _ in _paths(code)]
        owner = text_of(read.base) if isinstance(read, tree.Attr) else None
        if owner is not None and owner == code.rpartition(".")[0]:
            roots.append(owner.partition(".")[0])
        pairs = ((names.bindings(n, earlier), names.bindings(n, place)) for n in roots)
        return any(before and before != now for before, now in pairs)

    def _is_gone(self, code: str, scope: Scope, place: Place, since: int) -> bool:
        """Whether the function around may have taken what code reads out of its dict once `place` is over, or, where that
        goes through more of the dict, has changed that `since` the neighbour was read of it."""
        names, host = self.program.names, place.scope.function
        for name, path in self._reads(code, scope) if host is not None else ():
            bound = names.bindings(name, place)
            for read in names.called(host, name) if host is not None and bound else ():
                at = names.place(read)
                if at.order > place.order and not _comes_again(at, place, bound[0].place):
                    continue
                if names.bindings_of(read) != bound or _leaves(at, place):
                    continue
                for changed, removed in self._changes(read, 0):
                    counts = at.order >= since if len(changed) > len(path) else removed
                    if counts and _meets(path, changed):
                        return True
        return False

    def _reads(self, code: str, scope: Scope) -> Iterator[tuple[str, _Path]]:
        """The names that code reads something of, and what; of those that policy has a function read, what that does."""
        functions = {
            f"{spec.name}({root})": self.program.names.definition(spec.dotted)
            for spec in scope.sources
            for root, _ in _paths(code)
            if spec.kind is SourceKind.CALL
        }
        reader = functions.get(code)
        for name, path in _paths(code):
            if path or not isinstance(reader, Function) or not reader.own_params:
                yield name, path
                continue
            own = reader.own_params[0]
            for read in reads_of_parameter(self.program.names, own, reader.module):
                yield name, self._path_of(read)

    def _path_of(self, read: tree.Name) -> _Path:
        """By what a function reads of what it is given, as far as that is known."""
        node, parent, path = self._steps(read)
        known = classes_of(self.program.inference.of(read))
        if path and any(self.program.classes.method(cls, path[0] or "") for cls in known):
            return ()  # which may read anything
        match parent:
            case tree.Call(func=func, args=args) if func is node and path:
                if path.pop() == "get" and args and (key := tree.text(args[0].value)) is not None:
                    path.append(key)
        return tuple(path)

    def _steps(self, read: tree.Name) -> tuple[tree.Node, object, list[str | None]]:
        """The longest chain of entries and attributes that begins with a name, what it stands in, and these."""
        names = self.program.names
        path, parent = list[str | None](), names.parent(read)
        node: tree.Node = read
        while isinstance(parent, tree.Subscript | tree.Attr) and parent.base is node:
            path.append(parent.name if isinstance(parent, tree.Attr) else tree.text(parent.index))
            node, parent = parent, names.parent(parent)
        return node, parent, path

    def _changes(self, read: tree.Name, depth: int) -> Iterator[tuple[_Path, bool]]:
        """What changes of what a name stands for, there or in the functions that it is given to, and whether it is gone
        then."""
        names = self.program.names
        node, parent, path = self._steps(read)
        match parent:
            case tree.Eval(kind="del") if path:
                yield tuple(path), True
            case tree.Assign(targets=targets) if node in targets and path:
                yield tuple(path), False
            case tree.Call(func=func, args=args) if func is node and path:
                method, key = path.pop(), tree.text(args[0].value) if args else None
                if method in _CHANGING:
                    yield (*path, key), method in _REMOVING
            case tree.Call() if depth < _MAX_DEPTH:
                for callee in self.program.calls.callees(parent):
                    for name, argument in callee.arguments(parent).items():
                        own = callee.function.parameter(name) if callee.function else None
                        if argument.value is not node or callee.function is None or own is None:
                            continue
                        for inner in reads_of_parameter(names, own, callee.function.module):
                            for one, removed in self._changes(inner, depth + 1):
                                yield (*path, *one), removed


def _meets(read: _Path, gone: _Path) -> bool:
    """Whether one path leads to a part of the other."""
    return all(None in pair or pair[0] == pair[1] for pair in zip(read, gone, strict=False))


def _comes_again(at: Place, place: Place, made: Place) -> bool:
    """Whether both are in a loop that goes on with what was made before it."""
    return any(one[2] and one in place.blocks and one not in made.blocks for one in at.blocks)


def _leaves(at: Place, place: Place) -> bool:
    """Whether a place is in a branch that another one never comes after."""
    blocks, inside = at.scope.module.blocks, {number: branch for number, branch, _ in place.blocks}
    return any(
        inside.get(number, -1) != branch
        and (number in inside or ends(blocks[number].bodies[branch]))
        for number, branch, _ in at.blocks
        if blocks[number].kind in ("if", "match")
    )


@lru_cache(1024)
def _paths(code: str) -> tuple[tuple[str, _Path], ...]:
    """The names that code reads something of, and what: `event` and `("claims", "capsule")` of
    `event["claims"].get("capsule")`."""
    found, nodes = list[tuple[str, _Path]](), list[ast.AST]()
    if "[" in code or "(" in code:
        nodes = [ast.parse(code, mode="eval").body]
    while nodes:
        node = nodes.pop()
        read = _path(node)
        if read is not None:
            found.append(read)
        else:
            nodes += ast.iter_child_nodes(node)
    return tuple(found)


def _path(node: ast.AST) -> tuple[str, _Path] | None:
    match node:
        case ast.Name(id=name):
            return name, ()
        case (
            ast.Subscript(value=base, slice=ast.Constant(value=key))
            | ast.Call(
                func=ast.Attribute(value=base, attr="get"), args=[ast.Constant(value=key), *_]
            )
            | ast.Attribute(value=base, attr=key)
        ) if isinstance(key, str) and (inner := _path(base)) is not None:
            return inner[0], (*inner[1], key)
        case _:
            return None
