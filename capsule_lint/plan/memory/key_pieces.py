"""Code that takes the keys of a collection apart: unpacking, positions, attributes. It gets the new elements,
and conditions on these beside those on their neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.asked import is_asked
from capsule_lint.plan.memory.local_notes import left_out_of_key
from capsule_lint.plan.state import Want
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.plan.memory.rekeyed import Rekeyed
    from capsule_lint.plan.memory.unpacked import Side
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope


_EQUAL: Final = (("==",), ("!=",))


class KeyPieces(Struct, frozen=True):
    """Notes what such code lacks."""

    local: LocalKeys

    def unpacked(
        self, target: tree.Sequence, uses: list[tree.Name], home: Home, *, asked: bool = False
    ) -> None:
        """`for (tenant, item_id), item in self._items.items()`; `uses` are those of the neighbour. A key that is
        `asked` for says its scopes to the function."""
        change = self.local.rekeyed[home]
        self.local.notes.settle(target)
        neighbour = neighbour_in(target, change)
        compared = list(self._comparisons(uses))
        inside = list(self.local.parted.compared(uses))
        again = list(self.local.parted.again(uses, home))
        spare = isinstance(neighbour, tree.Name) and neighbour.id.startswith("_")
        spare = spare and not compared and not inside and not again
        knot = self.local.notes.knot_of(home, target)
        names = {
            s.name: "_"
            if spare
            else self.local.parted.name(
                neighbour, s, knot, compared=bool(compared or inside), asked=asked
            )
            for s in change.scopes
        }
        self._name(target, neighbour, home, names, "target")
        for scope in change.scopes if not spare else ():
            for compare in compared:
                self._beside(compare, names[scope.name], scope, home)
        for use in uses:
            self._grouped(use, change.scopes, knot)
        for one in inside:
            self._among(one, {scope: _stored(scope) for scope in change.scopes}, home)
        for display, part in again:
            self._name(display, part, home, names)
            self.local.notes.settle(display)

    def _grouped(self, use: tree.Name, scopes: Iterable[Scope], knot: Knot) -> None:
        """What a method puts under a part of a key alone, and gives who asks by that, mixes what the keys tell apart."""
        names, held = self.local.program.names, self.local.program.policy.scopes
        into = names.parent(use)
        if isinstance(into, tree.Call) and last_name(into.func) == "setdefault":
            into = into.func
        if names_any_of(use.id, held) or not isinstance(into, tree.Subscript | tree.Attr):
            return  # whatever names the scope is asked as any other key
        if into.base is not use and is_asked(self.local.program, into.base):
            for scope in scopes:
                self.local.notes.obstacle(knot, use, left_out_of_key(scope))

    def _name(
        self,
        display: tree.Sequence,
        neighbour: tree.Node,
        home: Home,
        names: dict[str, str],
        shape: str = "pattern",
    ) -> None:
        """Names for the new elements of a tuple, beside one of the old ones."""
        change, knot = self.local.rekeyed[home], self.local.notes.knot_of(home, display)
        defect = self.local.notes.defect(display, shape, list(change.scopes), knot)
        for scope in change.scopes:
            defect.anchors[scope.name] = neighbour if change.index else None
            defect.detail[scope.name] = names[scope.name]

    def _comparisons(self, uses: Iterable[tree.Name]) -> Iterator[tree.Compare]:
        """The comparisons of a name that a loop binds."""
        for use in uses:
            parent = self.local.program.names.parent(use)
            if isinstance(parent, tree.Compare) and parent.ops in _EQUAL:
                yield parent

    def _among(self, one: Side, names: dict[Scope, str], home: Home) -> None:
        """More elements of two tuples that are compared, one of which is made of parts of a key: their code, by
        their scopes."""
        knot, scopes = self.local.notes.knot_of(home, one.compare), list(names)
        read = self.local.notes.defect(one.stored, "pattern", list(scopes), knot)
        asked = self.local.notes.defect(one.asked, "tuple", list(scopes), knot)
        mirror = one.value if isinstance(one.value, tree.Attr | tree.Name) else None
        front = not self.local.rekeyed[home].index
        for scope in scopes:
            read.anchors[scope.name] = None if front else one.part
            read.detail[scope.name] = names[scope]
            asked.anchors[scope.name] = None if front else one.value
            self.local.notes.ask(asked, Want(scope, one.asked, knot, "filter", mirror=mirror))
        self.local.notes.settle(one.compare)

    def _beside(self, compare: tree.Compare, left: str, scope: Scope, home: Home) -> None:
        """Another condition beside one that compares a part of a key."""
        knot = self.local.notes.knot_of(home, compare)
        defect = self.local.notes.defect(compare, "filter", [scope], knot)
        self.local.notes.settle(compare)
        defect.anchors[scope.name] = compare
        defect.detail[scope.name] = left
        mirror = next(
            (s for s in (compare.left, *compare.rights) if isinstance(s, tree.Attr)), None
        )
        self.local.notes.ask(defect, Want(scope, compare, knot, "filter", mirror=mirror))

    def indexed(self, node: tree.Subscript, index: tree.Node, number: int, home: Home) -> None:
        """`key[1]` behind the new element becomes `key[2]`."""
        change = self.local.rekeyed[home]
        self.local.notes.settle(index)
        if number >= change.index:
            knot = self.local.notes.knot_of(home, node)
            defect = self.local.notes.defect(index, "index", list(change.scopes), knot)
            defect.detail["index"] = str(number + len(change.scopes))
        parent, code = self.local.program.names.parent(node), _code(node.base)
        if number != max(change.index - 1, 0) or code is None:
            return
        new = {s: f"{code}[{change.index + step}]" for step, s in enumerate(change.scopes)}
        for scope, part in new.items():
            knot = self.local.notes.knot_of(home, node)
            self.local.parted.at(node, scope, part, knot)
            if isinstance(parent, tree.Compare) and parent.ops in _EQUAL:
                self._beside(parent, part, scope, home)
        for one in self.local.parted.compared([node]):
            self._among(one, new, home)

    def read_whole(self, node: tree.Subscript, number: int | None, home: Home) -> None:
        """A part of a key, or its beginning, is read as it will be: only the condition may be missing."""
        change, compare = self.local.rekeyed[home], self.local.program.names.parent(node)
        self.local.notes.settle(node.index)
        if not isinstance(compare, tree.Compare):
            return
        self.local.notes.settle(compare)
        if number is None or number != max(change.index - 1, 0) or compare.ops not in _EQUAL:
            return
        code = _code(node.base)
        for at, scope in enumerate(change.scopes, change.index):
            if code is not None and not self.local.whole.reads(node, at):
                self._beside(compare, f"{code}[{at}]", scope, home)

    def begun(self, node: tree.Subscript, home: Home) -> bool:
        """`key[:2] == (tenant_id, device_id)`: a longer beginning of a key is compared with more elements. Whether
        that is what a slice is for."""
        change, compare = self.local.rekeyed[home], self.local.program.names.parent(node)
        match node.index, compare:
            case (
                tree.Slice(lower=None, upper=tree.Const(value=int() as end) as upper, step=None),
                tree.Compare(ops=("==" | "!=",)),
            ) if change.index <= end:
                asked = compare.other(node)
            case _:
                return False
        elements = asked.items if isinstance(asked, tree.Sequence) else ()
        if len(elements) != end or not end:
            return False
        knot, scopes = self.local.notes.knot_of(home, compare), list(change.scopes)
        longer = self.local.notes.defect(upper, "index", scopes, knot)
        longer.detail["index"] = str(end + len(scopes))
        more = self.local.notes.defect(asked, "tuple", scopes, knot)
        beside = elements[max(change.index - 1, 0)]
        mirror = beside if isinstance(beside, tree.Attr | tree.Name) else None
        for scope in scopes:
            more.anchors[scope.name] = beside if change.index else None
            self.local.notes.ask(more, Want(scope, asked, knot, "filter", mirror=mirror))
        self.local.notes.settle(asked)
        self.local.notes.settle(compare)
        return True

    def attribute(self, access: tree.Attr, home: Home) -> None:
        """`slot.tenant_id == tenant_id` gets a condition beside it."""
        change, parent = self.local.rekeyed[home], self.local.program.names.parent(access)
        code = _code(access.base)
        compared = isinstance(parent, tree.Compare) and parent.ops in _EQUAL
        if change.made is None or not compared or not isinstance(parent, tree.Compare):
            return
        held = self.local.classes.held(change.made).values()
        if access.name not in held or code is None or self.local.notes.is_settled(parent):
            return
        for scope in change.scopes:
            new = self.local.classes.attribute(change.made, scope)
            self._beside(parent, f"{code}.{new}", scope, home)


def neighbour_in(target: tree.Sequence, change: Rekeyed) -> tree.Node:
    """The element of a key beside which the new ones come."""
    return target.items[max(change.index - 1, 0)]


def _stored(scope: Scope) -> str:
    """What a part of a key is called that is a scope's value."""
    return f"stored_{scope.parameter}"


def _code(node: tree.Node) -> str | None:
    """`key` and `pair[0]` as code."""
    match node:
        case tree.Name():
            return node.id
        case tree.Subscript(index=tree.Const(value=int() as number)):
            base = _code(node.base)
            return f"{base}[{number}]" if base is not None else None
        case _:
            return None
