"""Objects that a test has from elsewhere, and what they hold of a scope: `CTX` of its module, `self.ctx` of
`setUp`, what it imports, the rows of `parametrize`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.supply.rebuilds import changed
from capsule_lint.plan.testing.drawn import Drawn
from capsule_lint.plan.testing.usual import usual
from capsule_lint.program.fields import copied_by
from capsule_lint.program.model import Binding, Function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.plan.supply.holders import Holders
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class

Told: TypeAlias = "Callable[[tree.Call, Scope], Iterator[tree.Node]]"
"""What a call gives for a scope to what takes it already."""
_MAX_DEPTH: Final = 4


@dataclass(eq=False, slots=True)
class Carried:
    """Finds them."""

    program: Program
    holders: Holders
    told: Told
    drawn: Drawn = field(init=False)
    _objects: dict[Function, list[tuple[tree.Node, list[tree.Node]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.drawn = Drawn(self.program, self.holders)

    def by(self, function: Function, scope: Scope) -> Iterator[tuple[tree.Node, list[tree.Node]]]:
        """The objects that a test names, and the values that they may hold: none where nothing shows them."""
        if function not in self._objects:
            self._objects[function] = list(self._named(function))
        for node, made in self._objects[function]:
            values = [v for one in made for v in self.held(one, scope)]
            if values or self._is_carrier(node, scope) or self._is_drawn(node, scope):
                yield node, values

    def _named(self, function: Function) -> Iterator[tuple[tree.Node, list[tree.Node]]]:
        """The objects that a test names and has from elsewhere, and the expressions that make them."""
        seen: set[str] = set()
        for node in self.program.names.inside(function):
            if not isinstance(node, tree.Name | tree.Attr):
                continue
            code = text_of(node)
            if code is None or code in seen:
                continue
            seen.add(code)
            made = list(self._origins(node, function))
            if made:
                yield node, made

    def path(self, node: tree.Node, scope: Scope) -> str | None:
        """The code by which an object yields the scope's value: `self.ctx.capsule_id`."""
        cls = self._class_of(node)
        attribute = self.holders.attribute_of(cls, scope) if cls is not None else None
        code = text_of(node)
        return f"{code}.{attribute}" if attribute is not None and code is not None else None

    def _is_carrier(self, node: tree.Node, scope: Scope) -> bool:
        cls = self._class_of(node)
        return (
            cls is not None
            and self.program.domain.is_carrier(cls)
            and self.holders.attribute_of(cls, scope) is not None
        )

    def _is_drawn(self, node: tree.Node, scope: Scope) -> bool:
        """Whether an object is drawn from a strategy, with a value of the scope that nobody knows."""
        cls = self._class_of(node)
        return (
            isinstance(node, tree.Name)
            and cls is not None
            and self.drawn.strategy(node) is not None
            and self.holders.attribute_of(cls, scope) is not None
            and self.holders.field_knot(cls, scope) is None
        )

    def _class_of(self, node: tree.Node) -> Class | None:
        return self.program.inference.the_class(self.program.inference.of(node))

    # --- where an object comes from ---

    def _origins(self, node: tree.Name | tree.Attr, function: Function) -> Iterator[tree.Node]:
        """The expressions that make what a name from elsewhere, or an attribute of a test's own class,
        stands for."""
        match node:
            case tree.Attr(base=tree.Name() as base) if _is_self(base, function):
                yield from self._stored(node.name, function)
            case tree.Attr(base=tree.Name() as base) if self._is_local(base):
                return
            case tree.Name() if self._is_local(node):
                if (strategy := self.drawn.strategy(node)) is not None:
                    yield strategy
                elif function.parameter(node.id) is not None:
                    yield from self.program.inference.fixtures.given(function, node.id)
            case _:
                target = self.program.classes.dotted(node)
                if isinstance(target, Binding) and target.kind == "assign" and target.value:
                    yield target.value

    def _is_local(self, node: tree.Name) -> bool:
        bindings = self.program.names.bindings_of(node)
        return any(not b.is_global for b in bindings)

    def _stored(self, name: str, function: Function) -> Iterator[tree.Node]:
        for cls in self.program.classes.mro(function.owner) if function.owner is not None else ():
            stores, bindings = cls.stores.get(name, ()), cls.scope.bindings.get(name, ())
            yield from (s.value for s in stores if s.value is not None and not s.path)
            yield from (b.value for b in bindings if b.value is not None and not b.path)
            if stores or bindings:
                return

    # --- what it holds ---

    def held(self, node: tree.Node, scope: Scope, depth: int = 0) -> Iterator[tree.Node]:
        """What an expression that makes an object gives it as the scope's value."""
        if depth > _MAX_DEPTH:
            return
        match node:
            case tree.Call():
                values = list(self.told(node, scope)) or _replaced(node, scope)
                yield from values
                for value in self._returned(node) if not values else ():
                    for one in self.held(value, scope, depth + 1):
                        known = usual(self.program, one)
                        yield from (known,) if known is not None else ()
            case tree.Name() | tree.Attr():
                target = self.program.classes.dotted(node)
                if isinstance(target, Binding) and target.kind == "assign" and target.value:
                    yield from self.held(target.value, scope, depth + 1)

    def _returned(self, call: tree.Call) -> Iterator[tree.Node]:
        copied = copied_by(call)
        if copied is not None:
            yield copied
        for callee in self.program.calls.callees(call):
            if callee.function is not None and callee.cls is None:
                yield from callee.function.returns


def _replaced(call: tree.Call, scope: Scope) -> list[tree.Node]:
    """`replace(CTX, capsule_id="STAGE")`."""
    if copied_by(call) is None:
        return []
    return [value for name, value in changed(call) if name == scope.parameter]


def _is_self(node: tree.Name, function: Function) -> bool:
    return function.owner is not None and node.id == function.self_name
