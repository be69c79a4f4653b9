"""Objects that say whose something is, `Owner(tenant_id, capsule_id)` or `DocId(tenant_id, capsule_id, value)`:
whoever is given one has been told every scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Collection, Instance, TupleOf
from capsule_lint.program.model import last_name
from capsule_lint.program.purposes.naming import TAKING_IN
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Class, Function

_SPREADS: Final = frozenset(
    ("asdict", "astuple", "vars", "dict", "dumps", "model_dump", "_asdict", "__dict__", "json")
)
"""What makes an item of a whole object."""


@dataclass(eq=False, slots=True)
class ScopeObjects:
    """Tells such classes from those whose instances are items."""

    program: Program
    _known: dict[Class, bool] = field(default_factory=dict)
    _returned: set[Class] | None = None

    def carried(self, function: Function, gained: Mapping[Class, AbstractSet[str]]) -> bool:
        """Whether a parameter of a function is such an object, several of them, or an entity that says whose it is by
        one; some classes gain scopes."""
        given = [
            one
            for parameter in function.own_params
            for one in self.program.domain.parameter_types(function, parameter)
        ]
        several = [item for one in given if isinstance(one, Collection) for item in one.items]
        return any(
            isinstance(one, Instance) and (self.is_one(one.cls) or self._has_one(one.cls))
            for one in given
        ) or any(
            isinstance(one, Instance) and self._is_reference(one.cls, gained)
            for one in (*given, *several)
        )

    def _is_reference(self, cls: Class, gained: Mapping[Class, AbstractSet[str]]) -> bool:
        """Whether instances of a class say which item is meant, and nothing else, with all scopes that it has or gains,
        and items have one or are found by it: `NodeRef(tenant_id, node_id)` of `node.ref` and of `get(ref)`."""
        program = self.program
        classes, made_of = program.classes, program.classes.constructor(cls)
        return (
            bool(made_of)
            and classes.is_data(cls)
            and all(map(program.domain.is_identifier, made_of or ()))
            and all(
                self._has(cls, s) or s.parameter in gained.get(cls, ())
                for s in program.policy.scopes
            )
            and (self._is_of_items(cls) or self._finds_items(cls))
            and not self._is_kept(cls)
            and not any(map(self._puts_item, self._working_on(cls)))
        )

    def _is_of_items(self, cls: Class) -> bool:
        """Whether entities of another class give instances of one."""
        returned = self.program.inference.returned
        return any(
            isinstance(one, Instance) and one.cls is cls
            for entity in self.program.domain.entities - {cls}
            for method in entity.methods.values()
            for one in returned(method)
        )

    def _finds_items(self, cls: Class) -> bool:
        """Whether a repository gives back an item of another class for an instance, and none takes instances in, alone as
        items are given."""
        inference, repositories = self.program.inference, self.program.domain.repositories
        working = [one for one in self._working_on(cls) if one.owner in repositories]
        found = {one for function in working for one in _classes_in(inference.returned(function))}
        kept = {
            item
            for repository in repositories
            for name in repository.stores
            for item in _classes_in(inference.member(repository, name))
        }
        return (
            not found.isdisjoint(self.program.domain.entities - {cls})
            and cls not in kept
            and not any(TAKING_IN.match(one.name) and len(one.own_params) == 1 for one in working)
        )

    def _puts_item(self, function: Function) -> bool:
        """Whether a function writes an item."""
        return any(
            isinstance(node, tree.Call) and any(a.keyword == "Item" for a in node.args)
            for node in self.program.names.inside(function)
        )

    def is_one(self, cls: Class) -> bool:
        """Whether instances of a class have all scopes, and nothing shows that they are items."""
        if cls not in self._known:
            self._known[cls] = self._has_all(cls) and not self._is_kept(cls)
        return self._known[cls]

    def _has_one(self, cls: Class) -> bool:
        """Whether an object has no scope itself, and one that has them all."""
        classes, domain = self.program.classes, self.program.domain
        return (
            classes.is_data(cls)
            and not domain.has_scope(cls)
            and any(
                isinstance(one, Instance) and one.cls is not cls and self.is_one(one.cls)
                for field in classes.fields(cls)
                for one in self.program.inference.member(cls, field.name)
            )
        )

    def _has_all(self, cls: Class) -> bool:
        scopes = self.program.policy.scopes
        return self.program.classes.is_data(cls) and all(self._has(cls, s) for s in scopes)

    def _has(self, cls: Class, scope: Scope) -> bool:
        """Whether instances have the value of a scope, also under its short name: `scope.tenant`."""
        has = self.program.classes.has_attribute
        return has(cls, scope.parameter) or has(cls, scope.name)

    # --- items ---

    def _is_kept(self, cls: Class) -> bool:
        """Whether repositories return instances of a class, or put more of them into an item than a key."""
        if cls in self._returned_classes() or cls.name in self.program.policy.entities:
            return True
        if any(self._makes_item(method) for method in cls.methods.values()):
            return True
        return any(
            self._is_of(node, cls)
            for function in self._working_on(cls)
            for node in self._written(function)
        )

    def _makes_item(self, method: Function) -> bool:
        return any(
            is_key
            for node in self.program.names.inside(method)
            for is_key, _ in self._entries(node)
        )

    def _entries(self, node: tree.Node) -> Iterator[tuple[bool, tree.Node]]:
        """What an expression puts under a name, and whether that is a key's: `{"text": note.text}`, `dict(text=…)`,
        `item["text"] = …`."""
        key_name = self.program.keys.key_name
        match node, self.program.names.parent(node):
            case tree.DictDisplay(), _:
                yield from ((bool(key_name(k)), v) for k, v in node.pairs if k is not None)
            case tree.Call(), _ if tree.makes_dict(node):
                is_key = self.program.policy.is_key_name
                yield from ((is_key(name), value) for name, value in node.keywords)
            case tree.Subscript(), tree.Assign(targets=(target,), value=value):
                if target is node and value is not None:
                    yield bool(key_name(node.index)), value

    def _working_on(self, cls: Class) -> Iterator[Function]:
        """The functions, tests aside, that are given an instance and make an item or call the table."""
        program = self.program
        for module in program.names.judged():
            for function in module.functions if not module.is_test else ():
                if function.owner is not cls and any(
                    isinstance(one, Instance) and one.cls is cls
                    for parameter in function.own_params
                    for one in program.domain.parameter_types(function, parameter)
                ):
                    yield function

    def _written(self, function: Function) -> Iterator[tree.Node]:
        """The objects in a function whose fields go into items, or that are made items as a whole."""
        for node in self.program.names.inside(function):
            for is_key, value in self._entries(node):
                yield from (
                    one.base
                    for one in within(value)
                    if isinstance(one, tree.Attr) and not is_key and not self._is_scope(one.name)
                )
            match node:
                case tree.DictDisplay():
                    for value in node.spread:
                        yield from _told(value)
                case tree.Call() if any(a.keyword == "Item" for a in node.args):
                    for argument in node.args:
                        yield from _told(argument.value)
                case tree.Call() if last_name(node.func) in _SPREADS:
                    yield from (argument.value for argument in node.args)
                    if isinstance(node.func, tree.Attr):
                        yield node.func.base
                case tree.Attr() if node.name in _SPREADS:
                    yield node.base

    def _is_scope(self, name: str) -> bool:
        return any(name in (s.parameter, s.name) for s in self.program.policy.scopes)

    def _is_of(self, node: tree.Node, cls: Class) -> bool:
        return any(
            isinstance(one, Instance) and one.cls is cls for one in self.program.inference.of(node)
        )

    def _returned_classes(self) -> set[Class]:
        """The classes whose instances repositories return, alone or several of them."""
        if self._returned is None:
            inference = self.program.inference
            self._returned = {
                cls
                for repository in self.program.domain.repositories
                for method in repository.methods.values()
                for cls in _classes_in(
                    inference.annotations.of(method.fact.returns)
                    if method.fact.returns is not None
                    else inference.returned(method)
                )
            }
        return self._returned


def _told(node: tree.Node) -> Iterator[tree.Node]:
    """The object whose own method makes a dict: `order` of `order.as_record()`."""
    if isinstance(node, tree.Call) and isinstance(node.func, tree.Attr) and not node.args:
        yield node.func.base


def _classes_in(types: Iterable[Type]) -> Iterator[Class]:
    for one in types:
        match one:
            case Collection():
                yield from _classes_in(one.items)
            case TupleOf():
                for part in one.items:
                    yield from _classes_in(part)
            case Instance():
                yield one.cls
