"""Code that has one key of a collection: it compares the key, takes it apart, or puts it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.key_pieces import neighbour_in
from capsule_lint.plan.memory.keyed_methods import KEYLESS, is_keyed
from capsule_lint.plan.memory.predicates import Predicates
from capsule_lint.plan.uses.choices import TRUTHS
from capsule_lint.program.containers import ADDING_ONE
from capsule_lint.program.inference.filled import made_empty
from capsule_lint.program.local_names import behind, bound_whole, reads_of
from capsule_lint.program.logs import LOGGING
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.key_pieces import KeyPieces
    from capsule_lint.plan.memory.key_readers import KeyReaders
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.plan.memory.rekeyed import Rekeyed

_SORTING: Final = frozenset(("sorted", "sort"))
SAFE_METHODS: Final = KEYLESS | frozenset(
    ("values", "clear", "move_to_end", "expire", "maxsize", "currsize", "pipeline", "execute")
)
"""Methods of a collection that have nothing to do with its keys."""


@dataclass(eq=False, slots=True)
class KeyUses:
    """Mends such code, or makes the change unsafe where it is not understood."""

    local: LocalKeys
    pieces: KeyPieces
    readers: KeyReaders
    """Follow what several keys are put into."""
    predicates: Predicates = field(init=False)
    followed: set[int] = field(default_factory=set)
    """The places that read a whole key."""
    _told: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.predicates = Predicates(self)

    def unsure(self, node: tree.Node, home: Home) -> None:
        """A reader that is not understood. What tests look into is judged with the literals of tests."""
        change = self.local.rekeyed[home]
        if change.made is not None and not change.width:
            return  # no part of an object has a position
        if not self._is_in_test(node):
            self._ask(node, home)

    def _ask(self, node: tree.Node, home: Home) -> None:
        reason = f"reads keys of `{home[1]}`, which change, in a way that is not understood"
        self.local.notes.obstacle(self.local.notes.knot_of(home, node), node, reason)

    def target(self, target: tree.Node, home: Home) -> None:
        """What a key is bound to."""
        change = self.local.rekeyed[home]
        if isinstance(target, tree.Name):
            for use in self.uses(target):
                self.key(use, home)
        elif home in self.local.mixed:
            self.unsure(target, home)
        elif isinstance(target, tree.Sequence) and len(target.items) == change.width > 1:
            neighbour = neighbour_in(target, change)
            uses = self.uses(neighbour) if isinstance(neighbour, tree.Name) else []
            self.pieces.unpacked(target, uses, home)
        elif isinstance(target, tree.Sequence) and (
            self.local.whole.unpacks(target, home) or self._rest_takes(target, change)
        ):
            self.local.notes.settle(target)
        else:
            self.unsure(target, home)

    def _rest_takes(self, target: tree.Sequence, change: Rekeyed) -> bool:
        """Whether the new elements of a key go where nothing reads them: `(kind, *_)`."""
        stars = [n for n, item in enumerate(target.items) if isinstance(item, tree.Wrapped)]
        if len(stars) != 1 or change.width < 2:
            return False
        star = target.items[stars[0]]
        rest = star.value if isinstance(star, tree.Wrapped) else star
        behind = len(target.items) - stars[0] - 1
        fits = stars[0] <= change.index <= change.width - behind
        return fits and isinstance(rest, tree.Name) and not self.uses(rest)

    def key(self, node: tree.Node, home: Home) -> None:
        """A place that reads a whole key."""
        self.followed.add(id(node))
        parent = self.local.program.names.parent(node)
        match parent:
            case tree.Compare():
                self._compared(parent, node, home)
            case tree.Subscript() if parent.base is node:
                self._indexed(parent, home)
            case tree.Subscript():
                if not self.has_such_keys(parent.base, home):
                    self.unsure(node, home)
            case tree.Attr() if self.local.rekeyed[home].made is not None:
                self.pieces.attribute(parent, home)
            case tree.Attr():
                self._text_method(parent, home)
            case tree.Call():
                self._key_passed(parent, node, home)
            case tree.Comprehension():
                self._collected(parent, node, home)
            case tree.Assign() if parent.value is node and len(parent.targets) == 1:
                self.target(parent.targets[0], home)
            case tree.Boolean() | tree.Block():
                return
            case tree.Eval(kind="expr"):
                return
            case tree.Lambda() | tree.Sequence() if self.orders(parent):
                return
            case _:
                self.unsure(node, home)

    def orders(self, holder: object) -> bool:
        """Whether something is sorted by whole keys, alone or beside more: `key=lambda row: (row.at, row.key)`. Those
        that have the same scopes keep their order."""
        parent = self.local.program.names.parent
        while isinstance(holder, tree.Sequence):
            holder = parent(holder)
        call = parent(holder) if isinstance(holder, tree.Lambda) else None
        return (
            isinstance(call, tree.Call)
            and last_name(call.func) in _SORTING
            and call.keyword("key") is holder
        )

    def told(self, home: Home) -> None:
        """Where a function takes the key apart that it is told and looks up: `tenant_id, note_id = key`."""
        names = self.local.program.names
        for key in self.local.asked[home]:
            bound = bound_whole(names, key)
            function = bound.function if bound is not None and bound.kind == "param" else None
            if bound is None or function is None:
                continue
            for node in names.called(function, bound.name):
                if id(node) not in self._told and bound_whole(names, node) is bound:
                    self._told.add(id(node))
                    self._taken_apart(node, home)

    def _taken_apart(self, node: tree.Name, home: Home) -> None:
        """A place that may take apart a key which is asked for: what is compared with its parts are no other keys."""
        change, parent = self.local.rekeyed[home], self.local.program.names.parent(node)
        match parent:
            case tree.Assign(targets=(tree.Sequence() as target,), op="") if parent.value is node:
                if home not in self.local.mixed and len(target.items) == change.width > 1:
                    self.pieces.unpacked(target, [], home, asked=True)
                else:
                    self.target(target, home)
            case tree.Subscript() if parent.base is node:
                self._indexed(parent, home)

    def _compared(self, compare: tree.Compare, node: tree.Node, home: Home) -> None:
        op, other = compare.ops[0], compare.other(node)
        values: tuple[tree.Node, ...] = (other,)
        if op in ("in", "not in"):
            if compare.left is node and self.has_such_keys(other, home):
                return
            if compare.left is not node or not isinstance(other, tree.Sequence):
                self.unsure(compare, home)
                return
            values = other.items
        if len(compare.ops) > 1 or not self.local.settles(home, *values):
            self.unsure(compare, home)

    def _indexed(self, node: tree.Subscript, home: Home) -> None:
        change, number = self.local.rekeyed[home], tree.integer(node.index)
        if change.width < 2 or home in self.local.mixed:
            self.unsure(node, home)
        elif self.local.whole.is_read(node, home):
            self.pieces.read_whole(node, number, home)
        elif number is None:
            if not self.pieces.begun(node, home):
                self.unsure(node, home)
                if self._is_longer(node, change):
                    self._ask(node, home)
        elif change.index - change.width <= number < 0:
            self.local.notes.settle(node.index)
        elif number < 0 or (number >= change.index and self.local.whole.is_doubtful(node, home)):
            self._ask(node, home)
        else:
            self.pieces.indexed(node, node.index, number, home)

    def _is_longer(self, node: tree.Subscript, change: Rekeyed) -> bool:
        """Whether a slice of a key in a test has other elements in it once the new ones come."""
        index = node.index
        if not isinstance(index, tree.Slice) or not self._is_in_test(node):
            return False
        last = change.index - change.width  # the first element behind the new ones, from the end
        start, end = tree.integer(index.lower), tree.integer(index.upper)
        begins = index.lower is None or (start is not None and start >= 0)
        in_front = begins and end is not None and 0 <= end <= change.index
        ends = index.upper is None or (end is not None and end < 0)
        behind = start is not None and last <= start < 0 and ends
        return index.step is not None or not (in_front or behind)

    def _is_in_test(self, node: tree.Node) -> bool:
        return self.local.program.names.module_of(node).is_test

    def _text_method(self, access: tree.Attr, home: Home) -> None:
        """`key.startswith(f"{tenant_id}:")` of a text."""
        call = self.local.program.names.parent(access)
        begins = access.name == "startswith" and not self.local.rekeyed[home].width
        given = call.args[0].value if isinstance(call, tree.Call) and len(call.args) == 1 else None
        if begins and given is not None:
            knot = self.local.notes.knot_of(home, given)
            if self.local.table.is_one(behind(self.local.program.names, given), knot):
                return
            if self.local.settles(home, given, made=isinstance(given, tree.Name | tree.Attr)):
                return
        self.unsure(access, home)

    def _key_passed(self, call: tree.Call, node: tree.Node, home: Home) -> None:
        func = call.func
        if self._is_spread(call, home):
            self.local.notes.spread[id(node)] = self.local.rekeyed[home]
        elif self.predicates.follow(call, node, home):
            return
        elif not isinstance(func, tree.Attr):
            raised = isinstance(parent := self.local.program.names.parent(call), tree.Eval) and (
                parent.kind == "raise"
            )
            if not raised and last_name(func) not in LOGGING | TRUTHS:
                self.unsure(node, home)
        elif func.name in ADDING_ONE and isinstance(func.base, tree.Name):
            for use in self._kept_in(func.base):
                self.readers.iterated(use, home, pairs=False)
        elif not self.has_such_keys(func.base, home) and func.name not in LOGGING:
            self.unsure(node, home)

    def _is_spread(self, call: tree.Call, home: Home) -> bool:
        """Whether a call gives a whole key, `self.delete(*key)`, to what looks things up there by as many parameters."""
        change, looking = self.local.rekeyed[home], self.local.notes.looking
        alone = len(call.args) == 1 and call.args[0].star == "*"
        functions = [c.function for c in self.local.program.calls.callees(call)] if alone else []
        return (
            home not in self.local.mixed
            and change.width > 1
            and bool(functions)
            and all(
                one is not None
                and home in looking.get(one, ())
                and sum(p.by_position for p in one.own_params) == change.width
                for one in functions
            )
        )

    def has_such_keys(self, node: tree.Node, home: Home) -> bool:
        """Whether an expression is the collection, or another one whose keys change as its do: a dict, and the list
        of its keys in order."""
        local, other = self.local, self.local.collections.of(node)
        if other is None or other == home:
            return other == home
        alike = local.rekeyed.get(other) == local.rekeyed[home]
        if not alike or not local.mixed.isdisjoint((other, home)):
            return False
        local.state.groups.join(local.notes.knot_of(home, node), local.notes.knot_of(other, node))
        return True

    def are_gone_through(self, display: tree.Sequence, home: Home) -> bool:
        """Whether a loop goes through several collections, and only looks something up in each of them: they change
        alike, unless that is nothing of their keys."""
        loop, targets = self.local.program.names.parent(display), list[tree.Node]()
        if isinstance(loop, tree.Block):
            targets = [b.target for b in loop.binds if b.value is display and b.how == "for"]
        elif isinstance(loop, tree.Comprehension):
            targets = [one.target for one in loop.generators if one.iter is display]
        if not targets or not all(isinstance(target, tree.Name) for target in targets):
            return False
        uses = [use for one in targets if isinstance(one, tree.Name) for use in self.uses(one)]
        if all(map(self._is_safe, uses)):
            return True
        alike = all(self.has_such_keys(item, home) for item in display.items)
        return alike and all(
            self._is_safe(use) or self.is_looked_into_alone(use, home) for use in uses
        )

    def _is_safe(self, node: tree.Node) -> bool:
        """Whether a method of a collection has nothing to do with its keys, nor gives the rows of all: `rows.clear()`."""
        access = self.local.program.names.parent(node)
        call = self.local.program.names.parent(access) if isinstance(access, tree.Attr) else None
        if not isinstance(call, tree.Call) or call.func is not access or call.args:
            return False
        return last_name(access) in SAFE_METHODS - {"values"}

    def is_looked_into_alone(
        self, node: tree.Node, home: Home, seen: frozenset[int] = frozenset()
    ) -> bool:
        """Whether one of several collections is chosen to look something up in it, under a key that is judged
        for each of them, and for nothing else; a name that was `seen` on the way may be given itself: `rows = rows`."""
        parent = self.local.program.names.parent(node)
        match parent:
            case tree.Subscript():
                looked_into = parent.base is node
            case tree.Compare(ops=("in" | "not in",)):
                looked_into = parent.rights[0] is node
            case tree.Attr(name=name):
                looked_into = is_keyed(name)
            case tree.Conditional():
                chosen = parent.test is not node
                return chosen and self.is_looked_into_alone(parent, home, seen)
            case tree.Assign(targets=(tree.Name() as target,)):
                seen, uses = seen | {id(target)}, () if id(target) in seen else self.uses(target)
                return all(self.is_looked_into_alone(use, home, seen) for use in uses)
            case _:
                return False
        collections = self.local.collections
        every = [one for one in collections.choices(node) if not made_empty(one)]
        homes = list(map(collections.of, every)) if looked_into else []
        return home in homes and all(one in self.local.rekeyed for one in homes)

    def _kept_in(self, name: tree.Name) -> list[tree.Name]:
        """The other uses of a local list that keys are added to."""
        names = self.local.program.names
        bound_at = {b.at for b in names.bindings_of(name)}
        return [use for use in reads_of(names, name, bound_at) if not self._is_addition(use)]

    def _is_addition(self, node: tree.Name) -> bool:
        access = self.local.program.names.parent(node)
        return isinstance(access, tree.Attr) and access.name in ADDING_ONE

    def _collected(self, parent: tree.Comprehension, node: tree.Node, home: Home) -> None:
        """`[key for key in rows]` gives keys again; `{key: … for …}` keeps them."""
        if parent.kind == "DictComp" and parent.results[0] is node:
            self.readers.made_again(parent, home)
        elif parent.kind != "DictComp" and parent.results == (node,):
            self.readers.iterated(parent, home, pairs=False)
        elif not any(node is one for part in parent.generators for one in part.ifs):
            self.unsure(node, home)

    def uses(self, target: tree.Name) -> list[tree.Name]:
        """Where a name is read that this target binds."""
        return list(reads_of(self.local.program.names, target, (target.at,)))
