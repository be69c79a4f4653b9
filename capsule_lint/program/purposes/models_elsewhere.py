"""Models that nothing keeps in DynamoDB, and the classes that are for these alone: one in SQL that shares a Protocol with
one of the table, and the dict which stands for it in tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ClassObject, Foreign, classes_of
from capsule_lint.program.model import last_name, method_around
from capsule_lint.program.purposes.elsewhere import Elsewhere
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.purposes.domain import Domain

_VAGUE: Final = ("TypeVar()", "Any", "object")


@dataclass(eq=False, slots=True)
class ModelsElsewhere:
    """Tells them by who serves them."""

    domain: Domain
    served_by: Callable[[Function], Iterable[Class]]
    """What a function is given or gives back that could be an item."""

    def find(self) -> set[Class]:
        """The classes that one serves which keeps them elsewhere, that make no key themselves, and that nothing serves
        which works on the table."""
        domain = self.domain
        elsewhere = Elsewhere(domain.names, domain.classes, domain.inference)
        found: set[Class] = set()
        for cls, served in domain.entities_of.items():
            if not served - domain.entities - found or self._works(cls):
                continue
            if elsewhere.keeps(cls) and not self._may_stand_for_table(cls, served):
                found |= served
        found = {c for c in found - domain.entities if c.name not in domain.policy.entities}
        if found:
            found -= {one for f in self._working() for one in self._around(f)}
        return found

    def ask_nothing_else(self, kept: Iterable[Class]) -> set[Class]:
        """Those of some classes in which nothing may be asked of the table, or of a repository of it."""
        domain = self.domain
        working = domain.tables | {f for r in domain.repositories for f in r.methods.values()}
        names = {function.name for function in working}
        return {
            cls
            for cls in kept
            if not any(
                self._may_ask(node, names)
                for method in cls.methods.values()
                for node in domain.names.inside(method)
                if isinstance(node, tree.Call) and last_name(node.func) in names
            )
        }

    def _may_ask(self, call: tree.Call, names: set[str]) -> bool:
        """Whether a call, of a function with one of those names, may be one of theirs."""
        if not isinstance(call.func, tree.Attr):
            return True
        types = self.domain.inference.of(call.func.base)
        own = classes_of(types) & self.domain.repositories
        return bool(own) or not types or any(map(_is_vague, types))

    def _may_stand_for_table(self, cls: Class, served: set[Class]) -> bool:
        """Whether a class that works on the table has a method like one of a class, and what this is given or gives back
        there is not said, or may be what the class serves: a generic repository, or one without annotations."""
        domain = self.domain
        methods = {n: len(f.own_params) for n, f in cls.methods.items() if not n.startswith("_")}
        owners = {f.owner for f in domain.tables if f.owner is not None} | domain.repositories
        bases = {base for one in served for base in domain.classes.mro(one)}
        return any(
            methods.get(method.name) == len(method.own_params) and self._is_open(method, bases)
            for owner in owners
            if owner is not cls and not owner.module.is_test and self._works(owner)
            for method in owner.methods.values()
        )

    def _is_open(self, method: Function, bases: set[Class]) -> bool:
        """Whether a method does not say what it is given or gives back, or that this is of one of some classes."""
        said = [p.annotation for p in method.own_params]
        if method.fact.returns is not None:
            said.append(method.fact.returns)
        elif any(not isinstance(value, tree.Const) for value in method.returns):
            return True
        for one in said:
            if one is None:
                return True
            for name in within(one):
                if isinstance(name, tree.Name):
                    types = self.domain.inference.of(name)
                    if not types or any(map(_is_vague, types)):
                        return True
                    if any(isinstance(t, ClassObject) and t.cls in bases for t in types):
                        return True
        return False

    def _works(self, cls: Class) -> bool:
        """Whether a class asks the table itself, or one of the layers above it."""
        domain = self.domain
        return any(
            any(method in domain.tables for method in owner.methods.values())
            or any(
                classes_of(domain.inference.attributes.member(owner, name)) & domain.layers
                for name in owner.stores
            )
            for owner in domain.classes.mro(cls)
        )

    def _working(self) -> Iterator[Function]:
        """The functions that ask the table, or make keys or have these made, and the methods that ask layers."""
        domain, keys = self.domain, self.domain.keys
        yield from domain.tables | keys.functions | keys.helpers | domain.asking_layers
        for helper in sorted(keys.helpers, key=lambda f: f.symbol):
            with domain.names.aside():  # whoever makes a key is looked at anyway
                callers = list(domain.calls.callers(helper))
            for call, _ in callers:
                function = domain.names.function_of(call)
                if function is not None:
                    yield method_around(function) or function
        for cls in domain.repositories:
            yield from cls.methods.values() if self._works(cls) else ()

    def _around(self, function: Function) -> set[Class]:
        """What a function serves, or the class of which it is a method."""
        owner = function.owner
        whole = self.domain.entities_of.get(owner, ()) if owner is not None else ()
        return {*self.served_by(function), *whole}


def _is_vague(one: Type) -> bool:
    return isinstance(one, Foreign) and one.name.endswith(_VAGUE)
