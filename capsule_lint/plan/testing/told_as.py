"""Helpers of tests that are told a scope's value by another name: `make_note(owner="t")`, which gives it on as
`tenant_id=owner`, or a class of them that keeps it, `NoteFactory(owner="t")`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Class, Function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

Told: TypeAlias = "Callable[[tree.Call, Scope], Iterator[tree.Node]]"
"""What a call gives for a scope to what takes it."""


@dataclass(eq=False, slots=True)
class ToldAs:
    """Finds the parameters, and what calls give for them."""

    program: Program
    told: Told
    _known: dict[tuple[Function | Class, str], str | None] = field(default_factory=dict)

    def values(
        self, call: tree.Call, taking: Function | Class, given: int, scope: Scope
    ) -> Iterator[tree.Node]:
        """What a call tells a helper so, or the default of that."""
        if not taking.module.is_test:
            return
        yield from self._values(call, taking, given, scope)
        owner = taking.owner if isinstance(taking, Function) else None
        made = call.func.base if isinstance(call.func, tree.Attr) else call.func
        maker = only_assigned(self.program.names, made) if owner is not None else None
        if owner is not None and isinstance(maker, tree.Call):  # what the object was told before
            yield from self._values(maker, owner, 0, scope)

    def _values(
        self, call: tree.Call, taking: Function | Class, given: int, scope: Scope
    ) -> Iterator[tree.Node]:
        name = self._parameter(taking, scope)
        params = (
            self.program.classes.constructor(taking) or ()
            if isinstance(taking, Class)
            else taking.params
        )
        bound = bind(call.args, params, given) if name is not None else None
        argument = bound.arguments.get(name) if bound is not None and name is not None else None
        if bound is None or (argument is None and bound.starred):
            return
        default = next((p.default for p in params if p.name == name), None)
        value = argument.value if argument is not None else default
        if value is not None:
            yield value

    def _parameter(self, taking: Function | Class, scope: Scope) -> str | None:
        """The parameter by which a helper, or the constructor of a class of them, is told a scope's value."""
        key = (taking, scope.name)
        if key not in self._known:
            self._known[key] = None  # a helper that calls itself says nothing more
            found = {
                name
                for value in self._given_on(taking, scope)
                for name in self._kept(taking, value)
            }
            self._known[key] = found.pop() if len(found) == 1 else None
        return self._known[key]

    def _given_on(self, taking: Function | Class, scope: Scope) -> Iterator[tree.Node]:
        """What a helper, or the methods of a class of them, give on for a scope."""
        functions = taking.methods.values() if isinstance(taking, Class) else (taking,)
        for function in functions:
            for node in self.program.names.inside(function):
                if isinstance(node, tree.Call):
                    yield from self.told(node, scope)

    def _kept(self, taking: Function | Class, value: tree.Node) -> Iterator[str]:
        """The parameter that a value is, as it was told, or that an attribute keeps which it is."""
        names = self.program.names
        match value:
            case tree.Name() if isinstance(taking, Function):
                bindings = names.bindings_of(value)
                if [(b.kind, b.function) for b in bindings] == [("param", taking)]:
                    yield value.id
            case tree.Attr(base=tree.Name()) if isinstance(taking, Class):
                for store in taking.stores.get(value.name, ()):
                    if store.function.name == "__init__" and isinstance(store.value, tree.Name):
                        yield store.value.id
                if any(f.name == value.name for f in self.program.classes.fields(taking)):
                    yield value.name
