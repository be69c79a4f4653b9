"""Helpers of tests that are told a scope's value by another name: `make_note(owner="t")`, which gives it on as
`tenant_id=owner`, or a class of them that keeps it, `NoteFactory(owner="t")`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.displays import entry_of
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.fields import default_in
from capsule_lint.program.inference.types import FunctionObject
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

Telling: TypeAlias = "Callable[[tree.Call, Scope], Iterator[tree.Node]]"
"""What a call gives for a scope to what takes it."""


class Told(Struct, frozen=True):
    """The parameter by which a helper is told a scope's value, and what that is where nobody says it."""

    name: str
    usual: tree.Node | None = None


@dataclass(eq=False, slots=True)
class ToldAs:
    """Finds the parameters, and what calls give for them."""

    program: Program
    told: Telling
    _known: dict[tuple[Function | Class, str], Told | None] = field(default_factory=dict)
    _attributes: dict[tuple[Function, str], str | None] = field(default_factory=dict)
    _asked: set[int] = field(default_factory=set)
    """The calls of which it is being asked what their objects were told."""

    def values(
        self, call: tree.Call, taking: Function | Class, given: int, scope: Scope
    ) -> Iterator[tree.Node]:
        """What a call tells a helper so, or the default of that; or what the object was told before whose method it
        calls."""
        if not taking.module.is_test:
            return
        yield from self._values(call, taking, given, scope)
        owner = taking.owner if isinstance(taking, Function) else None
        name = self._attribute(taking, scope) if isinstance(taking, Function) else None
        if owner is not None and name is not None:
            yield from self._held(call, owner, name)
        elif owner is not None and isinstance(taking, Function):
            yield from self._spread(call, owner, taking, scope)

    def _spread(
        self, call: tree.Call, owner: Class, method: Function, scope: Scope
    ) -> Iterator[tree.Node]:
        """The same of an object that keeps all that it is told in one dict: `Note(**self._values)`."""
        spread = {
            a.value.name
            for node in self.program.names.inside(method)
            for a in (node.args if isinstance(node, tree.Call) else ())
            if a.star == "**" and isinstance(a.value, tree.Attr)
            if isinstance(a.value.base, tree.Name) and a.value.base.id == method.self_name
        }
        stores = [s for name in spread for s in owner.stores.get(name, ())]
        begun = [s.value for s in stores if isinstance(s.value, tree.DictDisplay)]
        entries = [entry for one in begun if (entry := entry_of(one, scope)) is not None]
        if len(entries) == 1 and id(call) not in self._asked:
            self._asked.add(id(call))
            said = [v for link in self._steps(call)[1] for v in self.told(link, scope)]
            self._asked.discard(id(call))
            yield from said or [entries[0][1]]

    def _held(self, call: tree.Call, owner: Class, name: str) -> Iterator[tree.Node]:
        """What an attribute holds of the object whose method is called: what `.tenant("t")` has set, or else what it
        was made with."""
        maker, links = self._steps(call)
        stores = owner.stores.get(name, ())
        said = [
            one
            for store in stores
            for link in links
            if last_name(link.func) == store.function.name and isinstance(store.value, tree.Name)
            for one in self._told(link, store.function.params, 1, store.value.id)
        ]
        begun = [s.value for s in stores if s.function.name == "__init__" and s.value is not None]
        if not said and maker is not None:
            params = self.program.classes.constructor(owner) or ()
            kept = [value.id for value in begun if isinstance(value, tree.Name)]
            said = [
                one for n in (kept if begun else [name]) for one in self._told(maker, params, 0, n)
            ]
            said += [value for value in begun if isinstance(value, tree.Const)]
        yield from said

    def _steps(self, call: tree.Call) -> tuple[tree.Call | None, list[tree.Call]]:
        """What has made the object whose method is called, and the calls of its methods before: `NoteBuilder()
        .tenant("t").build()`, or the same in several statements."""
        links: list[tree.Call] = []
        node = call.func.base if isinstance(call.func, tree.Attr) else call.func
        if isinstance(node, tree.Name):
            links += (one for one in self._calls_on(node, call) if one is not call)
            node = only_assigned(self.program.names, node) or node
        while isinstance(node, tree.Call) and isinstance(node.func, tree.Attr):
            if any(one.cls is not None for one in self.program.calls.callees(node)):
                break
            links.append(node)
            node = node.func.base
        return (node if isinstance(node, tree.Call) else None), links

    def _calls_on(self, name: tree.Name, call: tree.Call) -> Iterator[tree.Call]:
        """The calls of methods of what has a name, in the function of one of them."""
        function = self.program.names.function_of(call)
        for node in self.program.names.inside(function) if function is not None else ():
            match node:
                case tree.Call(func=tree.Attr(base=tree.Name(id=same))) if same == name.id:
                    yield node

    def _attribute(self, method: Function, scope: Scope) -> str | None:
        """The attribute of its object that a method of a helper gives on for a scope."""
        key = (method, scope.name)
        if key not in self._attributes:
            self._attributes[key] = None
            found = {
                value.name
                for value in self._given_on(method, scope)
                if isinstance(value, tree.Attr)
                and isinstance(value.base, tree.Name)
                and value.base.id == method.self_name
            }
            self._attributes[key] = found.pop() if len(found) == 1 else None
        return self._attributes[key]

    def _values(
        self, call: tree.Call, taking: Function | Class, given: int, scope: Scope
    ) -> Iterator[tree.Node]:
        told = self._parameter(taking, scope)
        params = (
            self.program.classes.constructor(taking) or ()
            if isinstance(taking, Class)
            else taking.params
        )
        if told is not None:
            yield from self._told(call, params, given, told.name, told.usual)

    def _parameter(self, taking: Function | Class, scope: Scope) -> Told | None:
        """The parameter by which a helper, or the constructor of a class of them, is told a scope's value."""
        key = (taking, scope.name)
        if key not in self._known:
            self._known[key] = None  # a helper that calls itself says nothing more
            found = {
                told.name: told
                for value in self._given_on(taking, scope)
                for told in self._kept(taking, value)
            }
            self._known[key] = next(iter(found.values())) if len(found) == 1 else None
        return self._known[key]

    def _given_on(self, taking: Function | Class, scope: Scope) -> Iterator[tree.Node]:
        """What a helper, or the methods of a class of them, give on for a scope."""
        functions = taking.methods.values() if isinstance(taking, Class) else (taking,)
        for function in functions:
            for node in self.program.names.inside(function):
                if isinstance(node, tree.Call):
                    yield from self.told(node, scope)

    def _kept(self, taking: Function | Class, value: tree.Node) -> Iterator[Told]:
        """The parameter that a value is, as it was told, or that an attribute keeps which it is."""
        names = self.program.names
        match value:
            case tree.Name() if isinstance(taking, Function):
                bindings = names.bindings_of(value)
                if [(b.kind, b.function) for b in bindings] == [("param", taking)]:
                    yield Told(value.id)
            case tree.Boolean(op="or", values=(first, tree.Const() as usual)):
                yield from (Told(one.name, usual) for one in self._kept(taking, first))
            case tree.Attr(base=tree.Name()) if isinstance(taking, Class):
                for store in taking.stores.get(value.name, ()):
                    if store.function.name == "__init__" and isinstance(store.value, tree.Name):
                        yield Told(store.value.id)
                if any(f.name == value.name for f in self.program.classes.fields(taking)):
                    yield Told(value.name)

    def _told(
        self,
        call: tree.Call,
        params: Sequence[tree.Parameter],
        given: int,
        name: str,
        usual: tree.Node | None = None,
    ) -> list[tree.Node]:
        """What a call gives for a parameter, or else the default of that."""
        bound = bind(call.args, params, given)
        argument = bound.arguments.get(name) if bound is not None else None
        if argument is not None:
            return [argument.value]
        if bound is None or bound.starred:
            return []
        defaults = [p.default for p in params if p.name == name and p.default is not None]
        known = [one for default in defaults for one in self._usual(default)]
        said = [one for one in known if not (isinstance(one, tree.Const) and one.value is None)]
        return said or [usual for _ in defaults if usual is not None]

    def _usual(self, default: tree.Node) -> Iterator[tree.Node]:
        """What a parameter or a field is where nobody says it; what a factory gives that is not known is the factory."""
        said, is_factory = default_in(default) or (default, False)
        if not is_factory:
            yield said
        elif isinstance(said, tree.Lambda):
            yield said.body
        else:
            made = [
                one.function.returns
                for one in self.program.inference.of(said)
                if isinstance(one, FunctionObject)
            ]
            yield from made[0] if len(made) == 1 and len(made[0]) == 1 else (default,)


def gives_as_other(program: Program, function: Function, name: str, scope: Scope) -> bool:
    """Whether a test gives a parameter that is called like a scope, `capsule`, to what calls it otherwise."""
    names, calls = program.names, program.calls
    for node in names.called(function, name) if function.module.is_test else ():
        call = names.parent(node)
        if isinstance(call, tree.Call):
            given = [argument for argument in call.args if argument.value is node]
            taken = [calls.parameter_of(call, argument) for argument in given]
            if any(one is not None and not names_scope(one, scope) for one in taken):
                return True
    return False
