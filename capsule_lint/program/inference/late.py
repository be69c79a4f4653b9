"""Names of modules, and attributes of classes, that are `None` until somebody puts something there:
`state.REPO = NoteRepository(table)`, `cls._repo = NoteRepository()`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.mocks import replacement
from capsule_lint.program.inference.types import (
    ANYTHING,
    NOTHING,
    ClassObject,
    Foreign,
    Instance,
    ModuleObject,
    Types,
    join,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Binding, Class

_NONE = Foreign("None")


class Late(Struct, frozen=True):
    """Finds what is put there."""

    inference: Inference

    def of(self, binding: Binding) -> Types:
        """What such a name may be; nothing where its own module gives it a value, or it is not one of a module.
        What tests put there tells what else may come only where it is the program's."""
        if binding.kind != "assign" or not binding.is_global or binding.annotation is not None:
            return NOTHING
        every = binding.place.scope.bindings[binding.name]
        if not all(isinstance(b.value, tree.Const) and b.value.value is None for b in every):
            return NOTHING
        self.inference.names.ask(binding.name)
        return self._known(self._put(binding))

    def of_class(self, cls: Class, name: str) -> Types:
        """What an attribute may be of which its class says nothing: what the methods of the class, or others,
        put there."""
        return self._known(self._put_on(cls, name))

    def _known(self, nodes: Iterable[tree.Node]) -> Types:
        known = join(*map(self._given, nodes))
        return frozenset(one for one in known if one != _NONE) or ANYTHING

    def _given(self, node: tree.Node) -> Types:
        types = self.inference.of(node)
        if not self.inference.names.module_of(node).is_test:
            return types
        own = all(
            isinstance(one, Instance) and not one.cls.module.is_test
            for one in types
            if one != _NONE
        )
        return types if own else join(types, ANYTHING)

    def _put_on(self, cls: Class, name: str) -> Iterator[tree.Node]:
        line = self.inference.classes.mro(cls)
        for owner in line:
            for store in owner.stores.get(name, ()):
                if store.value is not None and not store.path:
                    yield store.value
        for base, value in self._set(name):
            of = self.inference.of(base)
            if any(isinstance(one, ClassObject | Instance) and one.cls in line for one in of):
                yield value

    def _put(self, binding: Binding) -> Iterator[tree.Node]:
        """What is assigned to the name as an attribute of its module."""
        module = ModuleObject(binding.module)
        for base, value in self._set(binding.name):
            if module in self.inference.of(base):
                yield value

    def _set(self, name: str) -> Iterator[tuple[tree.Node, tree.Node]]:
        """What is assigned to attributes of a name, or by `setattr`, each with what has the attribute."""
        uses = self.inference.calls.uses
        for target, value in uses.assigned(name):
            yield target.base, value
        for call in uses.calls_beside("setattr"):
            if len(call.plain) > 2 and tree.text(call.plain[1]) == name:
                put = replacement(call)
                if put is not None:
                    yield call.plain[0], put
