"""Which classes are repositories, layers and entities: by their names, the keys they make and the operations
of the table that they call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.fixtures import SETUPS
from capsule_lint.program.inference.types import Collection, Instance, TupleOf, Types
from capsule_lint.program.model import Binding, Class, first_name, last_name
from capsule_lint.program.purposes.above_layers import AboveLayers
from capsule_lint.program.purposes.elsewhere import Elsewhere
from capsule_lint.program.purposes.keepers import Keepers
from capsule_lint.program.purposes.layers import Layers
from capsule_lint.program.purposes.models_elsewhere import ModelsElsewhere
from capsule_lint.program.purposes.naming import entity_words
from capsule_lint.program.purposes.tables import is_table, stands_in
from capsule_lint.program.texts.pieces import Filled, names_any_of, words
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Function
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.purposes.domain import Domain

_VALUES: Final = ("str", "int", "float", "bool", "bytes")
_QUERY: Final = re.compile(r"(?:Query|Condition|Expression|Statement|Update)$")
_TEST_CLASS: Final = re.compile(r"^Test|Tests?$|TestCase$")


@dataclass(eq=False, slots=True)
class Roles:
    """Finds the roles, and notes them in the domain."""

    domain: Domain

    def find(self) -> None:
        """Repositories and layers first, for neither is an entity; then what they keep."""
        domain = self.domain
        domain.repositories.update(filter(self._is_repository, domain.classes.all))
        keepers = Keepers(domain)
        domain.repositories.update(
            cls
            for cls in domain.classes.all
            if cls not in domain.repositories
            and not stands_in(cls)
            and keepers.is_keeper(cls)
            and not self._is_of_tests(cls)  # which asks for the heirs of a class of tests
        )
        self._spread_repositories()
        domain.layers = Layers(domain).find(domain.repositories)
        domain.repositories -= domain.layers
        asking, domain.asking_layers = AboveLayers(domain).find(domain.layers)
        domain.above_layers.update(asking - domain.repositories)
        domain.repositories |= domain.above_layers
        domain.entities.update(self._with_own_keys())
        domain.entities.update(filter(self._is_model, domain.classes.all))
        domain.entities.update(
            filter(domain.has_key, domain.classes.having(domain.policy.is_key_name))
        )
        making = set(self._making_items())
        domain.stored |= making
        domain.entities.update(filter(domain.is_item, making))
        for method in self._calling_helpers():
            owner = method.owner
            if owner is None:
                continue
            domain.stored.add(owner)
            if any(map(domain.is_item, domain.classes.subclasses(owner))):
                domain.entities.add(owner)
                domain.making.add(method)
        domain.entities -= domain.repositories | domain.layers
        domain.stored.update(cls for repo in domain.repositories for cls in self._named_in(repo))
        for cls in domain.repositories:
            domain.entities_of[cls].update(self._entities_of(cls))
        others = ModelsElsewhere(domain, self._served_by)
        self._leave_out(others.find())
        domain.apart.update(others.ask_nothing_else(domain.elsewhere))
        domain.entities.update(*domain.entities_of.values())

    def _leave_out(self, models: set[Class]) -> None:
        """Models that nothing keeps in the table are no entities, and who serves nothing else is no repository."""
        for cls, served in list(self.domain.entities_of.items()):
            if served and served <= models:
                self.domain.repositories.discard(cls)
                self.domain.elsewhere.add(cls)
                del self.domain.entities_of[cls]
            served -= models

    def _with_own_keys(self) -> Iterator[Class]:
        """The classes in which a key is made of the object itself."""
        domain = self.domain
        for site in domain.keys.sites:
            owner = site.owner
            if owner is None or owner in domain.repositories or owner in domain.layers:
                continue
            if self._has_items(owner) and (domain.reads_self(site) or self._is_filled_by(site)):
                yield owner

    def _is_filled_by(self, site: KeySite) -> bool:
        """Whether a text that a decorator puts on a class has nothing in it but what objects of the class have."""
        owners, classes = self.domain.templates.choices.decorators.owners, self.domain.classes
        owner = owners.get(id(site.template.host))
        names = [p.name for p in site.template.pieces if isinstance(p, Filled)]
        return owner is not None and all(classes.has_attribute(owner, name) for name in names)

    def _is_repository(self, cls: Class) -> bool:
        by_name = self.domain.policy.is_repository_name(cls.name)
        by_table = any(function in self.domain.tables for function in cls.methods.values())
        if not (by_name or by_table) or self._is_of_tests(cls):
            return False
        if self.domain.classes.is_enum(cls) or self._is_model(cls) or stands_in(cls):
            return False
        if by_name and self._keeps_items(cls):
            return True
        if any(function in self.domain.handlers for function in cls.methods.values()):
            return False
        return by_table and (not self._is_record(cls) or self._holds_table(cls))

    def _is_record(self, cls: Class) -> bool:
        """Whether instances are items, which may save themselves: a data class, or one that has its key."""
        return self.domain.classes.is_data(cls) or self.domain.has_key(cls)

    def _is_of_tests(self, cls: Class) -> bool:
        """Whether a class holds tests, or is mixed into those that do: it is set up for each."""
        if _TEST_CLASS.search(cls.name):
            return True
        mro, heirs = self.domain.classes.mro, self.domain.classes.subclasses
        family = (one for heir in heirs(cls) for one in mro(heir)) if cls.module.is_test else ()
        return any(name in one.methods for one in family for name in SETUPS)

    def _holds_table(self, cls: Class) -> bool:
        """Whether a field of a class is the table itself, as that of a repository is: `table: Table`."""
        classes = self.domain.classes
        if not classes.is_data(cls):
            return any(is_table(name) for one in classes.mro(cls) for name in one.stores)
        return any(
            is_table(field.name) and last_name(field.annotation) not in _VALUES
            for field in classes.fields(cls)
        )

    def _keeps_items(self, cls: Class) -> bool:
        """Whether anything but its name says that a class reads or writes items of the table."""
        domain = self.domain
        owners = domain.classes.mro(cls)
        own = [method for owner in owners for method in owner.methods.values()]
        if any(method in domain.tables or method in domain.keys.functions for method in own):
            return True
        if Elsewhere(domain.names, domain.classes, domain.inference).keeps(cls):
            return False
        for owner in owners:
            for method in owner.methods.values():
                if any(self._names_scope(p.name) for p in method.own_params):
                    return True
            if any(self._names_scope(name) for name in owner.stores):
                return True
        return any(domain.has_key(e) or domain.has_scope(e) for e in self._entities_of(cls))

    def _names_scope(self, name: str) -> bool:
        return names_any_of(name, self.domain.policy.scopes)

    def _spread_repositories(self) -> None:
        """Whatever implements a repository's methods is one."""
        queue = sorted(self.domain.repositories, key=lambda c: c.symbol)
        while queue:
            cls = queue.pop()
            with self.domain.names.aside(not self._speaks_of_scopes(cls)):
                kin = {
                    m.owner
                    for name, f in cls.methods.items()
                    if not name.startswith("_") and self.domain.is_operation(f)
                    for m in self.domain.calls.families.of(f)
                }
                kin |= {
                    sub
                    for sub in self.domain.classes.subclasses(cls)
                    if not self._is_of_tests(sub)
                }
            for other in sorted((k for k in kin if k is not None), key=lambda c: c.symbol):
                if other not in self.domain.repositories and not stands_in(other):
                    self.domain.repositories.add(other)
                    queue.append(other)

    def _speaks_of_scopes(self, cls: Class) -> bool:
        """Whether a method makes a key or takes a scope: there is something to fall short of."""
        return any(
            method in self.domain.keys.functions
            or any(self._names_scope(p.name) for p in method.params)
            for owner in self.domain.classes.mro(cls)
            for method in owner.methods.values()
        )

    def _making_items(self) -> Iterator[Class]:
        """The classes with a method that makes an item, whose key a function makes of the object's own:
        `{"PK": order_pk(self.tenant_id, self.number)}`."""
        for module in self.domain.names.judged():
            for display in module.each(tree.DictDisplay) if not module.is_test else ():
                keys = [v for key, v in display.pairs if self.domain.keys.key_name(key)]
                function = self.domain.names.function_of(display) if keys else None
                if function is None or function.owner is None or not function.takes_self:
                    continue
                own = function.params[0].name
                read = (one for key in keys for one in within(key) if isinstance(one, tree.Attr))
                if not function.own_params and any(
                    first_name(one) == own and self._names_scope(one.name) for one in read
                ):
                    yield function.owner

    def _calling_helpers(self) -> Iterator[Function]:
        """The methods that make an item, or its key, of the object's own by a key helper:
        `{"PK": order_pk(self.number)}`, `return order_key(self.number)`."""
        domain, uses = self.domain, self.domain.calls.uses
        for helper in sorted(domain.keys.helpers, key=lambda f: f.symbol):
            for name in sorted(uses.known_as(helper.name)):
                for call in uses.calls_beside(name):
                    function = domain.names.function_of(call)
                    if function is None or function.owner is None or function.module.is_test:
                        continue
                    callees = domain.calls.callees(call) if self._is_own(function, call) else ()
                    if any(callee.function is helper for callee in callees):
                        yield function

    def _is_own(self, function: Function, call: tree.Call) -> bool:
        """Whether a method that is told nothing calls something with what its object has, for what it makes."""
        if not function.takes_self or function.own_params or function in self.domain.tables:
            return False
        read = (n for a in call.args for n in within(a.value) if isinstance(n, tree.Attr))
        if not any(first_name(one) == function.self_name for one in read):
            return False
        return self._is_part_of_item(call, function.owner)

    def _is_part_of_item(self, made: tree.Node, owner: Class | None) -> bool:
        """Whether an expression is given back, or is an item's key or the entries of one."""
        parent, key_name = self.domain.names.parent(made), self.domain.keys.key_name
        match parent:
            case tree.Eval(kind="return") | tree.Binary(op="|"):
                return True
            case tree.DictDisplay(keys=(tree.Const(value="S"),)):
                return self._is_part_of_item(parent, owner)
            case tree.DictDisplay():
                return any(key is None or key_name(key) for key in parent.keys_for(made))
            case tree.Call(func=tree.Name(id="dict")):
                named = (a.keyword for a in parent.args if a.value is made)
                return any(n is None or self.domain.policy.is_key_name(n) for n in named)
            case tree.Assign(targets=(tree.Subscript(index=index),)):
                return bool(key_name(index))
            case tree.Assign():
                return owner is not None and self.domain.classes.is_data(owner)
            case _:
                return False

    def _is_model(self, cls: Class) -> bool:
        """Whether instances are rows by their base: PynamoDB's models."""
        return self.domain.classes.is_pynamo(cls) and not self.domain.classes.is_pynamo_index(cls)

    def _has_items(self, cls: Class) -> bool:
        return not self.domain.classes.is_enum(cls) and not self.domain.classes.is_protocol(cls)

    def _named_in(self, repository: Class) -> Iterator[Class]:
        """The classes of its module, or imported there, that a repository is called after: `User` for
        `DynamoUserRepository` and `Users`."""
        have = words(repository.name)
        for name, bindings in repository.module.scope.bindings.items():
            own = entity_words(name) if name[:1].isupper() and name != repository.name else ()
            if own and own in (have[-len(own) :], have[-len(own) - 1 : -1]):
                found = (self.domain.names.follow(binding) for binding in bindings)
                for one in found:
                    if isinstance(one, Binding) and isinstance(one.definition, Class):
                        yield one.definition

    def _entities_of(self, cls: Class) -> Iterator[Class]:
        for method in cls.methods.values():
            if not method.name.startswith("__"):
                yield from self._served_by(method)

    def _served_by(self, function: Function) -> Iterator[Class]:
        """What a function is given or gives back that could be an item; of a private one, what is said there."""
        inference, cls = self.domain.inference, function.owner
        for parameter in function.own_params:
            if (said := parameter.annotation) is not None:
                meant = inference.type_arguments.in_heirs(said, cls) if cls is not None else ()
                yield from self._item_classes(meant or inference.annotations.of(said))
            elif not function.name.startswith("_"):
                types = self.domain.parameter_types(function, parameter)
                yield from self._item_classes(types)
        if function.fact.returns is not None:
            yield from self._item_classes(inference.annotations.of(function.fact.returns))
        elif not function.name.startswith("_"):
            yield from self._item_classes(inference.returned(function))

    def _item_classes(self, types: Types) -> Iterator[Class]:
        for one in types:
            if isinstance(one, Collection):
                yield from self._item_classes(one.items)
            elif isinstance(one, TupleOf):
                for part in one.items:
                    yield from self._item_classes(part)
            elif isinstance(one, Instance) and self._is_item(one.cls):
                yield one.cls

    def _is_item(self, cls: Class) -> bool:
        return self.domain.is_item(cls) and not self._says_which(cls)

    def _says_which(self, cls: Class) -> bool:
        """Whether instances say which items are meant, or what becomes of them: `ItemQuery`, which builds that."""
        if self.domain.classes.is_data(cls) or self.domain.has_scope(cls):
            return False
        return _QUERY.search(cls.name) is not None and cls.name not in self.domain.policy.entities
