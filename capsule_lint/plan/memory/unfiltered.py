"""Repositories in memory that pick rows by anything but a scope: the other half of an index that had none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.whose_rows import WhoseRows
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want
from capsule_lint.program.containers import LISTED
from capsule_lint.program.model import enclosing
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.memory.whole_reads import WholeRead, WholeReads
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Class, Function

_TIGHT: Final = (tree.Compare, tree.Call, tree.Name, tree.Attr, tree.Subscript)
"""What binds as tight as `and`, or tighter."""


@dataclass(eq=False, slots=True)
class Unfiltered(Room):
    """Demands conditions where a method goes through all rows and is going to be given its scopes."""

    planner: Planner
    reads: WholeReads
    _seen: set[int] = field(default_factory=set)
    _whose: WhoseRows = field(init=False)

    def __post_init__(self) -> None:
        self._whose = WhoseRows(self.planner)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        found, wants = False, self._wants()
        for function, gained in list(self._functions()):
            own = wants.get(function, [])
            used = {want.scope.name for want in own}
            scopes = [scope for scope in gained if scope.name not in used]
            for binding in self._loops(function):
                lacking = scopes or (gained if self._are_keyed_by(binding, own) else [])
                if lacking and id(binding) not in self._seen:
                    self._seen.add(id(binding))
                    found |= self._narrow(function, binding, lacking)
            for read in self.reads.of(function) if scopes else ():
                if id(read.node) not in self._seen:
                    self._seen.add(id(read.node))
                    found |= self._pick(function, read, scopes)
        return found

    def _wants(self) -> dict[Function, list[Want]]:
        """What functions ask for already."""
        found: dict[Function, list[Want]] = {}
        for want in (*self.state.wants, *self.planner.local.notes.wants):
            for function in enclosing(self.program.names.place(want.node)):
                found.setdefault(function, []).append(want)
        return found

    def _are_keyed_by(self, binding: Binding, wants: list[Want]) -> bool:
        """Whether a key is made of the row that a loop goes on with, and of scopes that the method is told: `del
        self._orders[order.order_id]`. In the rows of others it would not be found."""
        return any(
            self._whose.is_row(node, binding)
            for want in wants
            if want.purpose == "local"
            for node in within(want.node)
        )

    def _functions(self) -> Iterator[tuple[Function, list[Scope]]]:
        """The methods of repositories that had no scope and get some."""
        program, state = self.program, self.state
        for function, gained in state.params.items():
            if function.owner not in program.domain.repositories or function.module.is_test:
                continue
            if program.domain.takes_scope(function):
                continue
            if gained:
                yield function, list(gained.values())

    def _loops(self, function: Function) -> Iterator[Binding]:
        """The names that go through a collection of the repository's."""
        place = self.program.names.place
        scopes = {
            id(scope): scope
            for node in function.module.each(tree.Name)
            if (scope := place(node).scope).function is function
        }
        for scope in scopes.values():
            for binding in (b for bindings in scope.bindings.values() for b in bindings):
                if binding.kind == "for" and self._goes_through(binding.value, function):
                    yield binding

    def _goes_through(self, node: tree.Node | None, function: Function) -> bool:
        match node:
            case tree.Call(func=tree.Attr(name="values") as func, args=()):
                return self._goes_through(func.base, function)
            case tree.Call(func=tree.Name(id=name), args=(first, *_)) if name in LISTED:
                return self._goes_through(first.value, function)
            case tree.Attr(base=tree.Name(id=name)):
                return name == function.self_name
            case tree.Name():  # the rows of one of several: `for rows in self._rows.values() for row in rows`
                bound = self.program.names.bindings_of(node)
                return bool(bound) and all(
                    one.kind == "for" and self._goes_through(one.value, function) for one in bound
                )
            case _:
                return False

    def _narrow(self, function: Function, binding: Binding, scopes: list[Scope]) -> bool:
        """Let a loop go on with the rows alone that have the scopes."""
        cls = self._whose.entity(binding)
        if cls is None:
            return False
        read = self._read_by(function, binding)
        if read is not None:
            self._seen.add(id(read.node))
        if self._is_told_apart(function, binding, scopes):
            return False  # it is narrowed by what the row itself says
        row = cls, binding.name
        condition, kept = self._condition(function, binding), self._kept(binding, function)
        if kept is not None and (condition is None or condition.ops == ("==",)):
            # what it does not go on with is lost: nobody else's rows may be
            if self._is_told(kept, function):
                self._refuse(function, binding.value, scopes)
            return False
        if condition is not None:
            return self._add(function, condition, "filter", row, scopes)
        last = self._last_condition(binding)
        if last is not None:
            return self._add(function, last, "beside", row, scopes)
        if read is None:
            self._refuse(function, binding.value, scopes)
            return False
        return self._pick(function, read, scopes)

    def _kept(self, binding: Binding, function: Function) -> tree.Comprehension | None:
        """The comprehension whose rows come in the place of all of them: `self._rows = [row for … if …]`."""
        made = self.program.names.parent(binding.value) if binding.value is not None else None
        if not isinstance(made, tree.Comprehension) or not made.generators[-1].ifs:
            return None
        own = any(self._goes_through(target, function) for target in self._targets(made))
        return made if own or self._comes_back(made, binding, function) else None

    def _targets(self, rows: tree.Node) -> list[tree.Node]:
        """What rows are assigned to, as they are or with others: `[*(row for …), order]`."""
        holder = self.program.names.parent(rows)
        while isinstance(holder, tree.Call | tree.Binary | tree.Sequence | tree.Wrapped):
            holder = self.program.names.parent(holder)
        targets = holder.targets if isinstance(holder, tree.Assign) else ()
        return [t.base if isinstance(t, tree.Subscript) else t for t in targets]

    def _comes_back(self, made: tree.Node, binding: Binding, function: Function) -> bool:
        """Whether rows get a name, by which they are put where they were: `kept = […]`, `self._rows = kept`."""
        names = self.program.names
        places = (
            {n.name for n in within(binding.value) if isinstance(n, tree.Attr)}
            if binding.value
            else ()
        )
        locals_ = {t.id for t in self._targets(made) if isinstance(t, tree.Name)}
        return any(
            isinstance(node, tree.Name)
            and node.id in locals_
            and isinstance(target, tree.Attr)
            and target.name in places
            and self._goes_through(target, function)
            for node in names.inside(function)
            for target in self._targets(node)
        )

    def _is_told(self, kept: tree.Comprehension, function: Function) -> bool:
        """Whether a function is told which rows a comprehension takes."""
        names = (
            node.id
            for test in kept.generators[-1].ifs
            for node in within(test)
            if isinstance(node, tree.Name) and node.id != function.self_name
        )
        return any(function.parameter(name) is not None for name in names)

    def _pick(self, function: Function, read: WholeRead, scopes: list[Scope]) -> bool:
        """Put the rows alone that have the scopes in the place of all of them."""
        return self._add(function, read.node, "rows", (read.cls, "row"), scopes, read.rows)

    def _refuse(self, function: Function, node: tree.Node | None, scopes: list[Scope]) -> None:
        reason = f"goes through the rows of every `{scopes[0].parameter}`"
        if node is not None:
            self.planner.local.notes.obstacle(("function", function), node, reason)

    def _add(
        self,
        function: Function,
        node: tree.Node,
        shape: str,
        row: tuple[Class, str],
        scopes: list[Scope],
        rows: str = "",
    ) -> bool:
        cls, said = row
        names = {s.name: self.planner.sources.holders.attribute_of(cls, s) for s in scopes}
        if None in names.values():
            self._refuse(function, node, scopes)
            return False
        knot, notes = ("function", function), self.planner.local.notes
        defect = notes.defect(node, shape, scopes, knot)
        self.state.groups.join(knot, ("entity", cls.name))
        defect.detail["rows"] = rows
        for scope in scopes:
            defect.anchors[scope.name] = node
            defect.detail[scope.name] = f"{said}.{names[scope.name]}"
            want = Want(scope, node, knot, "filter")
            notes.ask(defect, want)
            self.planner.want(want)
        return True

    def _read_by(self, function: Function, binding: Binding) -> WholeRead | None:
        """What a loop goes through, where that is all rows of a collection."""
        inside = {id(n) for n in within(binding.value)} if binding.value is not None else set()
        return next((r for r in self.reads.of(function) if id(r.node) in inside), None)

    def _last_condition(self, binding: Binding) -> tree.Node | None:
        """The last condition of a comprehension, beside which another one may be put by `and`."""
        value = binding.value
        around = self.program.names.parent(value) if value is not None else None
        for one in around.generators if isinstance(around, tree.Comprehension) else ():
            last = one.ifs[-1] if one.iter is value and one.ifs else None
            if isinstance(last, _TIGHT) or (isinstance(last, tree.Boolean) and last.op == "and"):
                return last
        return None

    def _condition(self, function: Function, binding: Binding) -> tree.Compare | None:
        """The first comparison that decides alone, with others that must hold too, whether a row is taken."""
        return next(filter(self._decides, self._whose.comparisons(function, binding)), None)

    def _is_told_apart(self, function: Function, binding: Binding, scopes: list[Scope]) -> bool:
        """Whether a comparison asks whose a row is, here or in what says something about it: `self._same(row, other)`,
        where that one has every scope after the change."""
        whose = self._whose
        if any(map(whose.is_told, whose.comparisons(function, binding))):
            return True
        inside = self.program.names.inside
        if any(
            whose.passes_others(node, binding) and self._spares_others(node, function, binding)
            for node in inside(function)
        ):
            return True
        return any(
            isinstance(call, tree.Call)
            and not self._takes_others(call, function, binding)
            and whose.is_told_by(call, binding, scopes)
            for call in inside(function)
        )

    def _decides(self, node: tree.Compare) -> bool:
        match holder := self._holder(node, "and" if node.ops[0] == "==" else "or"):
            case tree.Comprehension():
                return node.ops[0] == "==" or (node.ops[0] == "!=" and self._replaces(node))
            case tree.Block(kind="if"):
                return node.ops[0] == "==" or (node.ops[0] == "!=" and _goes_on(holder))
            case _:
                return False

    def _holder(self, node: tree.Node, op: str) -> object:
        """What a condition stands in, alone or with others that are joined by `op`."""
        holder: object = self.program.names.parent(node)
        while isinstance(holder, tree.Boolean) and holder.op == op:
            holder = self.program.names.parent(holder)
        return holder

    def _spares_others(self, node: tree.Node, function: Function, binding: Binding) -> bool:
        """Whether all rows that differ from another one are kept, or passed by, where that alone is asked."""
        holder = self._holder(node, "or")
        if isinstance(holder, tree.Comprehension):
            return holder is self._kept(binding, function) and len(holder.generators[-1].ifs) == 1
        return isinstance(holder, tree.Block) and holder.kind == "if" and _goes_on(holder)

    def _takes_others(self, call: tree.Call, function: Function, binding: Binding) -> bool:
        """Whether rows of which a call does not say yes are what goes on: `return [o for … if not o.same_as(order)]`."""
        holder: object = self.program.names.parent(call)
        if not isinstance(holder, tree.Wrapped) or holder.kind != "not":
            return False
        while isinstance(holder, tree.Boolean | tree.Wrapped):
            holder = self.program.names.parent(holder)
        kept = self._kept(binding, function)
        return isinstance(holder, tree.Comprehension) and holder is not kept

    def _replaces(self, node: tree.Compare) -> bool:
        """`[o for o in self._orders if o.order_id != order.order_id]` takes the old row of one out."""
        names = self.program.names
        return any(
            isinstance(side, tree.Attr)
            and isinstance(side.base, tree.Name)
            and any(b.kind == "param" for b in names.bindings(side.base.id, names.place(side)))
            for side in (node.left, *node.rights)
        )


def _goes_on(block: tree.Block) -> bool:
    """Whether a condition does nothing but go on with the next row."""
    body = block.bodies[0] if block.bodies else ()
    only = body[0] if len(body) == 1 else None
    return isinstance(only, tree.Eval) and only.kind == "continue"
