"""Wrappers of decorators that take the arguments of what they decorate by their places, `args[1]`: they take another
one once there is one more before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.calling.wrapping import is_around
from capsule_lint.program.local_names import made_of, reads_of, reads_of_parameter
from capsule_lint.program.logs import is_for_people, is_log
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_SAME: Final = ("list", "tuple", "dict", "OrderedDict", "deque")
"""What makes of several values just these again."""
_BINDING: Final = ("bind", "bind_partial", "getcallargs")
_DECLARED: Final = frozenset(("parameters", "signature", "getfullargspec", "co_varnames"))
"""What says how a function calls what it takes."""
_ONE_BY_ONE: Final = ("iter", "reversed", "islice")
_SHOWING: Final = ("str", "repr", "format")
"""What makes a text of a value, for a person."""
_TURNED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_MAX_DEPTH: Final = 6


class Group(Struct, frozen=True):
    """An expression that has all that a function is given, how many of these come before the new one, and whether they
    are got by their names: `signature(function).bind(*args).arguments`."""

    node: tree.Node
    place: int
    named: bool = False


class ByPlace(Struct, frozen=True):
    """Finds what is taken of them at the new argument's place or behind it, but by functions that gain it as well."""

    program: Program
    gaining: Container[Function]

    def taken(self, function: Function, place: int) -> Iterator[tree.Node]:
        """Where a function takes something of its `*args` so: the new one comes at a place among all its arguments."""
        before = sum(p.by_position for p in function.params)
        for own in function.params:
            if own.kind == "*":
                yield from self._of_parameter(function, own, max(place - before, 0), 0)

    def _of_parameter(
        self, function: Function, own: tree.Parameter, place: int, depth: int
    ) -> Iterator[tree.Node]:
        for read in reads_of_parameter(self.program.names, own, function.module):
            yield from self._of(Group(read, place), depth)

    def _of(self, group: Group, depth: int) -> Iterator[tree.Node]:
        """What is taken where a group is used."""
        node, place = group.node, group.place
        parent = self.program.names.parent(node)
        if depth > _MAX_DEPTH:
            return
        match parent:
            case tree.Subscript(base=base, index=index) if base is node:
                yield from self._of_item(parent, index, group, depth)
            case tree.Assign(value=value, op="", targets=targets) if value is node:
                for target in targets:
                    yield from self._of_target(target, group, depth)
            case tree.Walrus():
                yield from self._of_target(parent, group, depth)
                yield from self._of(Group(parent, place, group.named), depth + 1)
            case tree.Call(func=func) if func is not node:
                yield from self._of_call(parent, group, depth)
            case tree.Attr(name="args" | "arguments" as name) if group.named:
                yield from self._of(Group(parent, place, name == "arguments"), depth + 1)
            case tree.Attr(name="values" | "items" | "keys") if group.named:
                call = self.program.names.parent(parent)
                if isinstance(call, tree.Call):
                    yield from self._of(Group(call, place), depth + 1)
            case tree.Wrapped(kind="starred"):
                around = self.program.names.parent(parent)
                if isinstance(around, tree.Sequence) and around.kind != "set":
                    behind = place + tree.behind(around.items, parent) - 1
                    yield from self._of(Group(around, behind), depth + 1)
            case tree.Binary(op="+", left=left):
                first = left.items if isinstance(left, tree.Sequence) else ()
                yield from self._of(Group(parent, place + len(first)), depth + 1)
            case tree.Block(kind="match", heads=heads) if heads[0] is node:
                yield node

    def _of_item(
        self, item: tree.Subscript, index: tree.Node, group: Group, depth: int
    ) -> Iterator[tree.Node]:
        """What a subscript takes: what comes before the new one is where it was, and a rest is followed."""
        if group.named or self._says(index):
            return
        if isinstance(index, tree.Slice):
            ends = [0 if index.lower is None else tree.integer(index.lower)]
            ends += [] if index.upper is None else [tree.integer(index.upper)]
            known = [end for end in ends if end is not None and 0 <= end <= group.place]
            if index.step is not None or len(known) < len(ends):
                yield item
            elif index.upper is None:
                yield from self._of(Group(item, group.place - known[0]), depth + 1)
            return
        at = tree.integer(index)
        if (at is None or not 0 <= at < group.place) and not self._is_shown(item):
            yield item

    def _of_target(self, target: tree.Node, group: Group, depth: int) -> Iterator[tree.Node]:
        """What gets the group, or parts of it, by an assignment."""
        match target:
            case tree.Name() | tree.Walrus():
                for read in reads_of(self.program.names, target, (target.at,)):
                    yield from self._of(Group(read, group.place, group.named), depth + 1)
            case tree.Sequence(items=items):
                rest = next((i for i, one in enumerate(items) if tree.spread(one)), None)
                taken = tree.spread(items[rest]) if rest is not None else None
                if rest is None or taken is None or rest > group.place or rest + 1 < len(items):
                    yield target
                else:
                    yield from self._of_target(taken, Group(taken, group.place - rest), depth + 1)

    def _of_call(self, call: tree.Call, group: Group, depth: int) -> Iterator[tree.Node]:
        """What a call takes that is given the group, whole or spread."""
        called = last_name(call.func)
        number = next((n for n, a in enumerate(call.args) if a.value is group.node), None)
        if number is None or self._is_told(call.func) or is_for_people(self.program.names, call):
            return
        star = call.args[number].star
        if star == "*" and called in _BINDING:
            place = group.place + number - (called == "getcallargs")
            yield from self._of(Group(call, place, named=True), depth + 1)
        elif not star and called in _SAME and number == 0:
            named = group.named and called in ("dict", "OrderedDict")
            yield from self._of(Group(call, group.place, named), depth + 1)
        elif not star and (
            called in _ONE_BY_ONE or (called == "zip" and not self._says(*call.plain))
        ):
            yield call
        elif not star and called == "len":
            match self.program.names.parent(call):
                case tree.Compare(left=left, ops=(op,), rights=(right,)):
                    other, op = (right, op) if left is call else (left, _TURNED.get(op, op))
                    before = _is_before(op, tree.integer(other), group.place)
                    yield from () if before or self._says(other) else (call,)
                case tree.Compare() | tree.Binary():
                    yield call
        elif star != "**":
            yield from self._of_callees(call, number, group, depth)

    def _of_callees(
        self, call: tree.Call, number: int, group: Group, depth: int
    ) -> Iterator[tree.Node]:
        """What functions of the program take of it that a call gives it to."""
        for callee in self.program.calls.callees(call):
            function = callee.function
            if function is None or function in self.gaining or callee.cls is not None:
                continue
            if is_around(self.program.names.place(call), function, self.program.classes):
                continue  # what is decorated
            params = function.params[callee.given :]
            if not call.args[number].star:
                keyword = call.args[number].keyword
                own = function.parameter(keyword) if keyword else next(iter(params[number:]), None)
                if own is not None and own.kind not in ("*", "**"):
                    yield from self._of_parameter(function, own, group.place, depth + 1)
                continue
            place, plain = number + group.place, sum(p.by_position for p in params)
            if place < plain:
                yield call
            for own in params if place >= plain else ():
                if own.kind == "*":
                    yield from self._of_parameter(function, own, place - plain, depth + 1)

    def _is_told(self, func: tree.Node) -> bool:
        """Whether something that a decorator is told itself is called: what it decorates, or what makes a key."""
        bindings = self.program.names.bindings_of(func) if isinstance(func, tree.Name) else ()
        return any(binding.parameter is not None for binding in bindings)

    def _says(self, *places: tree.Node) -> bool:
        """Whether values are asked of what a function itself says: `names.index("book_id")`, whose names are those of its
        signature."""
        return any(
            isinstance(node, tree.Name | tree.Attr) and last_name(node) in _DECLARED
            for value in places
            for node in made_of(self.program.names, value)
        )

    def _is_shown(self, item: tree.Node) -> bool:
        """Whether a person is told what is taken, and nothing else: a log or an error, also by a local."""
        names = self.program.names
        holder: object = item
        while isinstance(holder := names.parent(holder), tree.Expr):
            if isinstance(holder, tree.Call):
                called = last_name(holder.func)
                if is_log(holder):
                    return not list(self.program.calls.callees(holder))
                if called not in _SHOWING and not called.endswith(("Error", "Exception")):
                    return False
        match holder:
            case tree.Assign(value=value, op="", targets=(tree.Name() as target,)) if (
                value is item
            ):
                reads = list(reads_of(names, target, (target.at,)))
                return bool(reads) and all(
                    not isinstance(names.parent(read), tree.Assign) and self._is_shown(read)
                    for read in reads
                )
        return isinstance(holder, tree.Eval) and holder.kind == "raise"


def _is_before(op: str, number: int | None, place: int) -> bool:
    """Whether a comparison of how many there are with a number says as before: of those that stay where they are."""
    return number is not None and (number <= place if op in (">=", "<") else number < place)
