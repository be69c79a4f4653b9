"""Repositories in memory that pick rows by anything but a scope: the other half of an index that had none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.state import Want
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import enclosing
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Class, Function


@dataclass(eq=False, slots=True)
class Unfiltered:
    """Demands conditions where a method goes through all rows and is going to be given its scopes."""

    planner: Planner
    _seen: set[int] = field(default_factory=set)

    def extend(self) -> bool:
        """Demand what is not demanded yet; whether there was anything."""
        found = False
        for function, scopes in list(self._functions()):
            for binding in self._loops(function):
                if id(binding) not in self._seen:
                    self._seen.add(id(binding))
                    found |= self._narrow(function, binding, scopes)
        return found

    def _functions(self) -> Iterator[tuple[Function, list[Scope]]]:
        """The methods of repositories that had no scope and get some, of which they make nothing yet."""
        program, state = self.planner.program, self.planner.state
        reached = {
            (function, want.scope.name)
            for want in (*state.wants, *self.planner.local.notes.wants)
            for function in enclosing(program.names.place(want.node))
        }
        for function, gained in state.params.items():
            if function.owner not in program.domain.repositories or function.module.is_test:
                continue
            if any(program.domain.scope_parameter(function, s) for s in program.policy.scopes):
                continue
            scopes = [s for s in gained.values() if (function, s.name) not in reached]
            if scopes:
                yield function, scopes

    def _loops(self, function: Function) -> Iterator[Binding]:
        """The names that go through a collection of the repository's."""
        place = self.planner.program.names.place
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
            case tree.Call(func=tree.Name(id="list" | "sorted" | "reversed"), args=(first, *_)):
                return self._goes_through(first.value, function)
            case tree.Attr(base=tree.Name(id=name)):
                return name == function.self_name
            case _:
                return False

    def _narrow(self, function: Function, binding: Binding, scopes: list[Scope]) -> bool:
        cls = self._entity(binding)
        if cls is None:
            return False
        if any(self._names_scope(node) for node in self._comparisons(function, binding)):
            return False  # it is narrowed by what the row itself says
        local = self.planner.local
        names = {s.name: self.planner.sources.holders.attribute_of(cls, s) for s in scopes}
        node = self._condition(function, binding)
        knot = ("function", function)
        if node is None or None in names.values():
            place = node or binding.value
            if place is not None:
                local.notes.obstacle(
                    knot, place, f"goes through the rows of every `{scopes[0].parameter}`"
                )
            return False
        defect = local.notes.defect(node, "filter", scopes, knot)
        self.planner.state.groups.join(knot, ("entity", cls.name))
        for scope in scopes:
            defect.anchors[scope.name] = node
            defect.detail[scope.name] = f"{binding.name}.{names[scope.name]}"
            want = Want(scope, node, knot, "filter")
            local.notes.ask(defect, want)
            self.planner.want(want)
        return True

    def _entity(self, binding: Binding) -> Class | None:
        for one in self.planner.program.inference.bound(binding):
            if isinstance(one, Instance) and one.cls in self.planner.program.domain.entities:
                return one.cls
        return None

    def _condition(self, function: Function, binding: Binding) -> tree.Compare | None:
        """The first comparison that decides alone, with others that must hold too, whether a row is taken."""
        return next(filter(self._decides, self._comparisons(function, binding)), None)

    def _comparisons(self, function: Function, binding: Binding) -> Iterator[tree.Compare]:
        """The comparisons of what a row has."""
        names = self.planner.program.names
        for node in function.module.each(tree.Compare):
            if len(node.ops) == 1:
                sides = (node.left, *node.rights)
                reads = any(self._reads(side, binding) for side in sides)
                if reads and function in enclosing(names.place(node)):
                    yield node

    def _names_scope(self, node: tree.Compare) -> bool:
        sides = [
            item
            for side in (node.left, *node.rights)
            for item in (side.items if isinstance(side, tree.Sequence) else (side,))
        ]
        scopes = self.planner.program.policy.scopes
        return any(names_scope(hole_name(side), s) for side in sides for s in scopes)

    def _reads(self, node: tree.Node, binding: Binding) -> bool:
        match node:
            case tree.Sequence():
                return any(self._reads(item, binding) for item in node.items)
            case tree.Attr(base=tree.Name(id=name) as base) if name == binding.name:
                names = self.planner.program.names
                return names.bindings(name, names.place(base)) == [binding]
            case _:
                return False

    def _decides(self, node: tree.Compare) -> bool:
        parent_of = self.planner.program.names.parent
        holder: object = parent_of(node)
        wanted = "and" if node.ops[0] == "==" else "or"
        while isinstance(holder, tree.Boolean) and holder.op == wanted:
            holder = parent_of(holder)
        match holder:
            case tree.Comprehension():
                return node.ops[0] == "==" or (node.ops[0] == "!=" and self._replaces(node))
            case tree.Block(kind="if", bodies=(body, *_)):
                if node.ops[0] == "==":
                    return True
                only = body[0] if len(body) == 1 else None
                return (
                    node.ops[0] == "!=" and isinstance(only, tree.Eval) and only.kind == "continue"
                )
            case _:
                return False

    def _replaces(self, node: tree.Compare) -> bool:
        """`[o for o in self._orders if o.order_id != order.order_id]` takes the old row of one out."""
        names = self.planner.program.names
        return any(
            isinstance(side, tree.Attr)
            and isinstance(side.base, tree.Name)
            and any(b.kind == "param" for b in names.bindings(side.base.id, names.place(side)))
            for side in (node.left, *node.rights)
        )
