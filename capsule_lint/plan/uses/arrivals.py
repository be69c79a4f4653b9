"""Whether an object of a changing family can be what a receiver of unknown type is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.uses.dicts import Dicts
from capsule_lint.plan.uses.lookups import is_made_late
from capsule_lint.plan.uses.mentions import Mentions
from capsule_lint.program.inference.namespaces import MODULE
from capsule_lint.program.inference.types import Foreign, Instance, ModuleObject
from capsule_lint.program.model import Binding, Class, Function, enclosing, last_name, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.uses.mentions import Reached
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Module

_LOOKING: Final = ("getattr", "getmembers", "vars")
"""Functions that find what is in a module by a name, or all of it."""
_INNER: Final = ("_", "cr_", "ag_")
_PLAIN: Final = frozenset(("abstractmethod", "classmethod", "final", "override", "staticmethod"))
"""Decorators that change nothing about what a function returns."""
_OF_COROUTINES: Final = frozenset(("send", "throw", "close", "asend", "athrow", "aclose"))
"""What coroutines, and asynchronous generators, have without being awaited."""


@dataclass(eq=False)
class Arrivals:
    """Follows the objects of a family's classes by name."""

    program: Program
    _reached: dict[frozenset[Class], Reached] = field(default_factory=dict)
    _made: dict[frozenset[Class], bool] = field(default_factory=dict)

    def at(self, symbol: Function | Class, receiver: tree.Node) -> bool:
        """Whether an object whose class has the method `symbol`, or overrides it, may get to `receiver`."""
        if isinstance(symbol, Function) and self._must_be_awaited(symbol, receiver):
            return False
        classes = self._classes(symbol)
        if classes not in self._reached:
            names = {cls.name for cls in classes}
            origins = (*self._selves(classes), *self._looked_up(classes))
            self._reached[classes] = self._mentions.reach(origins, names)
        if not self._reached[classes].holds(receiver):
            if self._is_put_by_name(receiver, self._reached[classes]):
                return True
            return self._is_given_from_outside(receiver) and not self._is_made(classes)
        return not self._dicts.is_dict(symbol, receiver, classes)

    def _is_put_by_name(self, receiver: tree.Node, reached: Reached) -> bool:
        """Whether an attribute that its class does not have may be what something puts there by a name that is not
        known: `setattr(model, name, self)`."""
        if not isinstance(receiver, tree.Attr):
            return False
        known, homes = self.program.classes, self.program.inference.homes
        owners = list(homes(receiver.base, classes=True))
        if not owners or any(known.has_attribute(one, receiver.name) for one in owners):
            return False
        puts = (call.plain for call in self.program.calls.uses.calls_beside("setattr"))
        return any(
            len(put) > 2 and tree.text(put[1]) is None and reached.holds(put[2]) for put in puts
        )

    def _must_be_awaited(self, symbol: Function, receiver: tree.Node) -> bool:
        """Whether something is done at once with what a method of the receiver returns, `row.get("PK").lower()`, that
        fails where `symbol` is meant: it and all of its family return coroutines."""
        names = self.program.names
        func = names.parent(receiver)
        call = names.parent(func) if isinstance(func, tree.Attr) else None
        match names.parent(call):
            case tree.Attr(name=name) if name not in _OF_COROUTINES and not name.startswith(
                _INNER
            ):
                pass
            case tree.Subscript(base=base) if base is call:
                pass
            case _:
                return False
        family = self.program.calls.families.of(symbol)
        return all(f.fact.is_async and _PLAIN.issuperset(f.decorators) for f in family)

    def _is_made(self, classes: frozenset[Class]) -> bool:
        """Whether the program itself has objects of the classes: it names one, not in annotations alone."""
        if classes not in self._made:
            names = self.program.names
            named = names.named(*sorted(cls.name for cls in classes))
            self._made[classes] = any(not names.annotates(node) for node in named)
        return self._made[classes]

    def _is_given_from_outside(self, receiver: tree.Node) -> bool:
        """Whether a name, or an attribute of `self`, is a parameter of a function that nothing calls."""
        names, calls = self.program.names, self.program.calls
        if isinstance(receiver, tree.Attr) and isinstance(receiver.base, tree.Name):
            owner = owner_of(names.function_of(receiver))
            stores = owner.stores.get(receiver.name, ()) if owner is not None else ()
            return any(
                isinstance(store.value, tree.Name) and self._is_given_from_outside(store.value)
                for store in stores
            )
        bindings = names.bindings_of(receiver) if isinstance(receiver, tree.Name) else ()
        return any(
            binding.parameter is not None
            and (binding.function is None or not calls.is_called(binding.function))
            for binding in bindings
        )

    @cached_property
    def _dicts(self) -> Dicts:
        return Dicts(self.program)

    @cached_property
    def _mentions(self) -> Mentions:
        return Mentions(self.program, list(self.program.names.modules.values()))

    def _classes(self, symbol: Function | Class) -> frozenset[Class]:
        if isinstance(symbol, Class):
            owners = {symbol}
        else:
            family = self.program.calls.families.of(symbol)
            owners = {f.owner for f in family if f.owner is not None}
        return frozenset(
            owners.union(*(self.program.classes.subclasses(owner) for owner in owners))
        )

    def _selves(self, classes: frozenset[Class]) -> Iterator[tree.Node]:
        """Where methods of the classes, inherited ones too, speak of the object, or of its class."""
        methods = {
            method: method.params[0].name
            for cls in classes
            for owner in self.program.classes.mro(cls)
            for method in owner.methods.values()
            if method.params and not method.is_static
        }
        modules = {id(method.module): method.module for method in methods}
        for module in modules.values():
            for node in module.each(tree.Name):
                around = enclosing(self.program.names.place(node))
                function = next((f for f in around if f in methods), None)
                if function is not None and node.id == methods[function]:
                    yield node
        for meta in {m for cls in classes for m in self.program.classes.metaclasses(cls)}:
            yield from self._made_by(meta)

    def _looked_up(self, classes: frozenset[Class]) -> Iterator[tree.Node]:
        """Where a class may be looked up in its module by a name that is not known."""
        for name in _LOOKING:
            for call in self.program.calls.uses.calls_beside(name):
                named = len(call.args) > 1 and isinstance(call.args[1].value, tree.Const)
                types = self.program.inference.of(call.args[0].value) if call.args else ()
                if not named and any(self._may_have(one, classes) for one in types):
                    yield call
        yield from self._made_late()

    def _may_have(self, one: Type, classes: frozenset[Class]) -> bool:
        """Whether something has one of some classes under a name, or an object of it: a module that is not known
        may."""
        match one:
            case ModuleObject():
                return any(self._has(one.module, cls) for cls in classes)
            case Instance():
                known = self.program.classes
                names = {name for owner in known.mro(one.cls) for name in owner.stores}
                names.update(field.name for field in known.fields(one.cls))
                member = self.program.inference.member
                return any(
                    isinstance(held, Instance) and held.cls in classes
                    for name in sorted(names)
                    for held in member(one.cls, name)
                )
            case _:
                return one == Foreign(MODULE)

    def _made_late(self) -> Iterator[tree.Node]:
        """What is asked of modules that make it when it is asked for."""
        modules = self.program.names.modules.values()
        late = {module.name for module in modules if "__getattr__" in module.scope.bindings}
        for module in modules if late else ():
            if not any(self._imports(module, name) for name in late):
                continue
            for node in module.either(tree.Name, tree.Attr):
                if isinstance(node, tree.Attr) and is_made_late(self.program, node):
                    yield node
                elif isinstance(node, tree.Name):
                    names = self.program.names
                    bound = (b for b in names.bindings_of(node) if b.kind == "import")
                    if any(names.is_made_late(names.follow(b)) for b in bound):
                        yield node

    def _imports(self, module: Module, name: str) -> bool:
        """Whether a module imports another one, or something of it."""
        last = name.rpartition(".")[2]
        return any(
            last in (one.name, one.module.rpartition(".")[2])
            for statement, _ in module.statements
            if isinstance(statement, tree.Import)
            for one in statement.names
        )

    def _has(self, module: Module, cls: Class) -> bool:
        """Whether a module has a class, its own or an imported one."""
        names = self.program.names
        found = names.follow(names.member(module.name, cls.name))
        return isinstance(found, Binding) and found.definition is cls

    def _made_by(self, meta: Class) -> Iterator[tree.Node]:
        """Where the methods of a metaclass speak of a class that it makes."""
        for method in meta.methods.values():
            if not method.params or method.is_static:
                continue
            for node in self.program.names.inside(method):
                if method.name == "__new__":
                    if isinstance(node, tree.Call) and last_name(node.func) == "__new__":
                        yield node
                elif isinstance(node, tree.Name) and node.id == method.params[0].name:
                    yield node
