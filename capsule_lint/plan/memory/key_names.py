"""Keys of what a decorator keeps, which it makes of the arguments of its function that it is told by name:
`@remembered("tenant_id", "note_id")`, `@remembered(by=("tenant_id", "note_id"))`, `@remembered(*NAMES)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.decorator_memos import DecoratorMemos
from capsule_lint.plan.room import Room
from capsule_lint.program.calling.binding import surplus
from capsule_lint.program.local_names import made_throughout, reads_of_parameter
from capsule_lint.program.model import Binding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Function

_SPREAD = "keeps results by names that are told elsewhere, and has to be told of `{}` as well"


class _Names(Struct, frozen=True):
    """What a decorator is told in a list, which may be the rest of its arguments."""

    maker: Function
    parameter: tree.Parameter
    node: tree.Node
    items: Sequence[tree.Node]
    here: bool = True
    """Whether it is written out where the decorator is told it, and nothing else has it."""


class KeyNames(Room, Struct, frozen=True):
    """The decorator is told of what its function gains."""

    planner: Planner

    def extend(self, function: Function, codes: dict[Scope, str]) -> None:
        """Note which of the scopes that a function takes, or is going to, by some names, its decorators are not told of,
        where they are told of another one."""
        notes = self.planner.local.notes
        for told in self._told(function):
            said = {tree.text(item): item for item in told.items}
            present = {scope: said[name] for scope, name in codes.items() if name in said}
            missing = [scope for scope in codes if scope not in present]
            if not present or not missing or not self._keeps_by(told):
                continue
            if not told.here:
                reason = _SPREAD.format("` and `".join(codes[scope] for scope in missing))
                notes.obstacle(("function", function), told.node, f"`{told.maker.name}` {reason}")
                continue
            shape = "call" if isinstance(told.node, tree.Call) else "tuple"
            defect = notes.defect(told.node, shape, missing, ("function", function))
            for scope in missing:
                beside = (one for one, _ in self.program.policy.beside(scope) if one in present)
                defect.anchors[scope.name] = present[next(beside)]
                defect.detail[scope.name] = f'"{codes[scope]}"'

    def _told(self, function: Function) -> Iterator[_Names]:
        """What the decorators of a function that are the program's are told in lists."""
        for decorator in function.fact.decorators:
            if isinstance(decorator, tree.Call):
                for callee in self.program.calls.callees(decorator):
                    yield from self._lists(decorator, callee)

    def _keeps_by(self, told: _Names) -> bool:
        """Whether a decorator makes of these names what it keeps results of its functions under."""
        names = self.program.names
        reads = set(map(id, reads_of_parameter(names, told.parameter, told.maker.module)))
        keys = DecoratorMemos(self.program).keys_of_results(told.maker)
        return any(id(part) in reads for key in keys for part in made_throughout(names, key))

    def _lists(self, decorator: tree.Call, callee: Callee) -> Iterator[_Names]:
        """The lists of what a decorator is told: those that are written out, there or under a name, and the rest of its
        arguments."""
        maker, bound = callee.function, callee.bind(decorator)
        if maker is None or bound is None:
            return
        for parameter in maker.params:
            argument = bound.arguments.get(parameter.name)
            if parameter.kind == "*":
                yield self._rest(decorator, callee, maker, parameter)
            elif argument is not None and (items := self._items(argument.value)) is not None:
                value = argument.value
                here = isinstance(value, tree.Sequence)
                yield _Names(maker, parameter, value, items, here)

    def _rest(
        self, decorator: tree.Call, callee: Callee, maker: Function, parameter: tree.Parameter
    ) -> _Names:
        """What is left for the `*` parameter of a decorator, which may be spread: `@remembered(*("tenant_id", "id"))`."""
        rest = surplus(decorator.args, maker.params, callee.given)
        match rest:
            case [tree.Argument(star="*", value=tree.Sequence() as spread)]:
                return _Names(maker, parameter, spread, spread.items)
        items: list[tree.Node] = []
        for one in rest:
            items += (self._items(one.value) or ()) if one.star else (one.value,)
        return _Names(maker, parameter, decorator, items, not any(one.star for one in rest))

    def _items(self, node: tree.Node) -> Sequence[tree.Node] | None:
        """What is in a list that is written out, where it stands or where what it is called gets it."""
        if isinstance(node, tree.Name):
            found = self.program.names.bindings_of(node)
            bound = self.program.names.follow(found[0]) if len(found) == 1 else None
            node = (bound.assigned if isinstance(bound, Binding) else None) or node
        return node.items if isinstance(node, tree.Sequence) else None
