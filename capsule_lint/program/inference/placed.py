"""What tests put in the place of what a patch names, or of what that yields when it is called."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.inference.mocks import MOCKS, PATCHES, replacement
from capsule_lint.program.inference.types import (
    NOTHING,
    ClassObject,
    FunctionObject,
    Instance,
    Mocked,
    ModuleObject,
    Type,
    Types,
    join,
)
from capsule_lint.program.model import Class, Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Binding, Place


_OVERRIDES: Final = "dependency_overrides"
"""What FastAPI calls in the place of dependencies: `app.dependency_overrides[get_notes] = lambda: fake`."""


class Placed(Struct, frozen=True):
    """What is put in place: `where` is the patch, the target of an assignment, what has the attribute
    `name` or, if `answers`, the mock that is told what to give; `yields` says that it comes where what it
    replaces is called."""

    where: tree.Node
    node: tree.Node
    yields: bool
    answers: bool = False
    name: str = ""

    @property
    def overrides(self) -> bool:
        """Whether it is told to FastAPI, which any code may do."""
        return isinstance(self.where, tree.Subscript)


@dataclass(eq=False)
class Placements:
    """Finds what is put in place."""

    inference: Inference

    def everywhere(self) -> list[Placed]:
        """What the program puts in place: tests do, and whoever overrides dependencies."""
        return self._all

    def under(self, binding: Binding) -> list[Placed]:
        """What is put in place by the name that is bound there."""
        return self._by_binding.get(id(binding), [])

    def by(self, patch: tree.Call, node: tree.Node) -> Types:
        """What a call replaces, if it is a patch, by an expression among its arguments."""
        found = self._patched(patch) if last_name(patch.func) in PATCHES else ()
        return join(*(self.replaced(one) for one in found if one.node is node))

    def over(self, node: tree.Node) -> Types:
        """What of the program an expression comes in the place of."""
        return join(*map(self.replaced, self._by_node.get(id(node), ())))

    def answering(self, function: Function) -> list[tree.Node]:
        """What comes where a function is called: `table.get.return_value = row`."""
        return self._answers.get(function, [])

    @cached_property
    def _answers(self) -> dict[Function, list[tree.Node]]:
        found: dict[Function, list[tree.Node]] = defaultdict(list)
        for placed in self._all:
            for one in self._target(placed) if placed.yields else ():
                if isinstance(one, FunctionObject):
                    found[one.function].append(placed.node)
        return found

    # --- what is put ---

    @cached_property
    def _all(self) -> list[Placed]:
        return list(self._find())

    @cached_property
    def _by_node(self) -> dict[int, list[Placed]]:
        found: dict[int, list[Placed]] = defaultdict(list)
        for placed in self._all:
            found[id(placed.node)].append(placed)
        return found

    @cached_property
    def _by_binding(self) -> dict[int, list[Placed]]:
        names = self.inference.names
        found: dict[int, list[Placed]] = defaultdict(list)
        for placed in self._all:
            if isinstance(placed.node, tree.Name):
                for binding in names.bindings(placed.node.id, names.place(placed.node)):
                    found[id(binding)].append(placed)
        return found

    def _find(self) -> Iterator[Placed]:
        calls_beside = self.inference.calls.uses.calls_beside
        for module in self.inference.names.modules.values():
            for statement, place in module.statements:
                if isinstance(statement, tree.Assign) and statement.value is not None:
                    for target in statement.targets:
                        if module.is_test or _is_override(target):
                            yield from self._assigned(target, statement.value, place)
        for call in calls_beside("multiple"):
            of = call.receiver
            if self._is_in_test(call) and last_name(of) == "patch":
                yield from self._several(call)
        for word in sorted(PATCHES):
            for call in calls_beside(word):
                if self._is_in_test(call):
                    yield from self._patched(call)

    def _is_in_test(self, node: tree.Node) -> bool:
        return self.inference.names.module_of(node).is_test

    def _patched(self, patch: tree.Call) -> Iterator[Placed]:
        """`setattr(api, "store", fake)`, `patch("api.stores", return_value=fake)`."""
        node, back = replacement(patch), patch.keyword("return_value")
        if node is not None:
            yield from self._put(patch, node)
        if back is not None:
            yield Placed(patch, back, True)

    def _several(self, patch: tree.Call) -> Iterator[Placed]:
        """`patch.multiple(api, store=fake)`."""
        for argument in patch.args[1:]:
            if argument.keyword is not None:
                for one in self._put(patch.args[0].value, argument.value):
                    yield replace(one, name=argument.keyword)

    def _assigned(self, target: tree.Node, value: tree.Node, place: Place) -> Iterator[Placed]:
        """`api.store = fake`, `stores.return_value = fake`; what a test keeps itself replaces nothing."""
        function = place.scope.function
        match target:
            case tree.Attr(name="return_value"):
                yield Placed(target.base, value, True, answers=True)
            case tree.Attr(base=tree.Name(id=base)) if function and base == function.self_name:
                return
            case tree.Attr():
                yield from self._put(target, value)
            case tree.Subscript() if _is_override(target):
                yield from self._put(target, value)

    def _put(self, where: tree.Node, node: tree.Node) -> Iterator[Placed]:
        """Something itself, and what it yields: `lambda: fake`, `MagicMock(return_value=fake)`."""
        match node:
            case tree.Lambda():
                yield Placed(where, node.body, True)
            case tree.Name() | tree.Attr():
                yield Placed(where, node, False)
                for function in self._functions(node):
                    yield from (Placed(where, given, True) for given in function.given_back)
            case tree.Call():
                yield Placed(where, node, False)
                back = node.keyword("return_value") if last_name(node.func) in MOCKS else None
                if back is not None:
                    yield Placed(where, back, True)

    def _functions(self, node: tree.Node) -> Iterator[Function]:
        """The functions of the test that a name stands for."""
        names = self.inference.names
        bindings = names.bindings_of(node) if isinstance(node, tree.Name) else ()
        for binding in bindings:
            if isinstance(binding.definition, Function):
                yield binding.definition

    # --- what it replaces ---

    def replaced(self, placed: Placed) -> Types:
        """What of the program something comes in the place of."""
        target = self._target(placed)
        if not placed.yields:
            return target
        made = join(*map(self.yielded, target))
        return frozenset(one for one in made if isinstance(one, Instance))

    def _target(self, placed: Placed) -> Types:
        where, text = placed.where, tree.text(placed.where)
        if placed.name:
            named = self.inference.mocks.dotted(f"{text}.{placed.name}") if text else NOTHING
            holders = self.inference.of(where)
            return named or join(*(self._declared(one, placed.name) for one in holders))
        if placed.answers:
            known = self.inference.of(where)
            return frozenset(one for one in known if isinstance(one, FunctionObject | Mocked))
        if isinstance(where, tree.Call):
            return self.inference.mocks.target(where) or NOTHING
        if isinstance(where, tree.Subscript):
            return self.inference.of(where.index)
        assert isinstance(where, tree.Attr)
        holders = self.inference.of(where.base)
        return join(*(self._declared(one, where.name) for one in holders))

    def _declared(self, holder: Type, name: str) -> Types:
        match holder:
            case ModuleObject():
                return self.inference.attributes.of(holder, name)
            case Instance(cls=cls) | Mocked(spec=Class() as cls):
                return self.inference.declared(cls, name)
            case _:
                return NOTHING

    def yielded(self, one: Type) -> Types:
        """What something of the program yields when it is called."""
        match one:
            case ClassObject(cls=made) | Mocked(spec=Class() as made):
                return frozenset((Instance(made),))
            case FunctionObject(function=Function(name="__init__", owner=Class() as made)):
                return frozenset((Instance(made),))
            case FunctionObject():
                returned = self.inference.returned(one.function)
                return self.inference.results.yielded(returned)
            case _:
                return NOTHING


def _is_override(target: tree.Node) -> bool:
    """Whether an assignment tells FastAPI what to call in the place of a dependency."""
    return isinstance(target, tree.Subscript) and last_name(target.base) == _OVERRIDES
