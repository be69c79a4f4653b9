"""What tests put in the place of what a patch names, or of what that yields when it is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.mocks import PATCHES, replacement
from capsule_lint.program.inference.types import (
    NOTHING,
    ClassObject,
    FunctionObject,
    Instance,
    Type,
    Types,
    join,
)
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Module


@dataclass(frozen=True, slots=True)
class Placed:
    """What a patch puts in place: `yields` says that it comes where something is called that is patched."""

    patch: tree.Call
    node: tree.Node
    yields: bool


@dataclass(eq=False, slots=True)
class Placements:
    """Finds what is put in place."""

    inference: Inference
    _found: dict[int, list[Placed]] = field(default_factory=dict)
    """By the module that it stands in."""

    def within(self, module: Module) -> list[Placed]:
        """What the patches of a module put in place."""
        if not self._found:
            self._find()
        return self._found.get(id(module), [])

    def by(self, patch: tree.Call, node: tree.Node) -> Types:
        """What a call replaces, if it is a patch, by an expression among its arguments."""
        found = self._put(patch) if last_name(patch.func) in PATCHES else ()
        return join(*(self.replaced(one) for one in found if one.node is node))

    def everywhere(self) -> Iterator[Placed]:
        """What the tests of the program put in place."""
        for module in self.inference.names.modules.values():
            if module.is_test:
                yield from self.within(module)

    def _find(self) -> None:
        modules = self.inference.names.modules.values()
        self._found.update((id(module), []) for module in modules)
        for word in sorted(PATCHES):
            for call in self.inference.calls.uses.calls_beside(word):
                module = self.inference.names.place(call).scope.module
                if module.is_test:
                    self._found[id(module)] += self._put(call)

    def _put(self, patch: tree.Call) -> Iterator[Placed]:
        """`setattr(api, "store", fake)`, `patch("api.stores", return_value=fake)`, `patch("api.stores",
        lambda: fake)`."""
        node = replacement(patch)
        back = next((a.value for a in patch.args if a.keyword == "return_value"), None)
        match node:
            case tree.Lambda():
                yield Placed(patch, node.body, True)
            case tree.Name() | tree.Attr() | tree.Call():
                yield Placed(patch, node, False)
                for function in self._functions(node):
                    yield from (Placed(patch, one, True) for one in function.returns)
        if back is not None:
            yield Placed(patch, back, True)

    def _functions(self, node: tree.Node) -> Iterator[Function]:
        """The functions of the test that a name stands for."""
        names = self.inference.names
        bindings = (
            names.bindings(node.id, names.place(node)) if isinstance(node, tree.Name) else ()
        )
        for binding in bindings:
            if isinstance(binding.definition, Function):
                yield binding.definition

    def replaced(self, placed: Placed) -> Types:
        """What of the program something comes in the place of."""
        target = self.inference.mocks.target(placed.patch) or NOTHING
        if not placed.yields:
            return target
        made = join(*map(self.yielded, target))
        return frozenset(one for one in made if isinstance(one, Instance))

    def yielded(self, one: Type) -> Types:
        """What something of the program yields when it is called."""
        match one:
            case ClassObject():
                return frozenset((Instance(one.cls),))
            case FunctionObject():
                returned = self.inference.returned(one.function)
                return self.inference.results.yielded(returned)
            case _:
                return NOTHING
