"""What the classes and functions of a program are for: entities, repositories, handlers, carriers."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.elsewhere import Elsewhere
from capsule_lint.program.held import Held
from capsule_lint.program.layers import Layers
from capsule_lint.program.model import Binding, Class, Function, last_name
from capsule_lint.program.naming import Naming, contains, entity_words
from capsule_lint.program.pieces import Filled, Text, names_scope, snake, words
from capsule_lint.program.tables import Tables, stands_in
from capsule_lint.program.types import (
    NOTHING,
    Collection,
    FunctionObject,
    Instance,
    TupleOf,
    Types,
)
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Policy
    from capsule_lint.policy import Scope as ScopePolicy
    from capsule_lint.program.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.infer import Inference
    from capsule_lint.program.keys import Keys
    from capsule_lint.program.names import Names
    from capsule_lint.program.pieces import Template
    from capsule_lint.program.sites import KeySite
    from capsule_lint.program.templates import Templates

_IDENTIFIER: Final = re.compile(r"(?:^|_)(?:ids?|uuid|guid|sku|code|slug|email|number|ref|name)$")
_STRUCTURE: Final = re.compile(
    r"(?:^|_)(?:table|index|gsi|lsi|attribute|attr|field|column|variable|bucket|queue|topic|region"
    r"|profile|function|method|class|cls|module|type|log|logger|key)_name$"
)
"""Names of what a program or a table is made of: no item is called so."""
_CARRIER: Final = re.compile(
    r"(?:Context|Scope|Identity|Principal|Caller|Session|Claims|Request|User|Actor|Settings)$"
)
_TAG: Final = re.compile(r"(?:^|[#|/:])([A-Za-z][\w-]*)(?=[#|/:]|$)")
_TEST_CLASS: Final = re.compile(r"^Test|Tests?$|TestCase$")
_GENERIC_WORDS: Final = frozenset(
    (
        "pk",
        "key",
        "partition",
        "hash",
        "gsi",
        "lsi",
        "index",
        "for",
        "of",
        "by",
        "make",
        "build",
        "get",
        "find",
        "load",
        "read",
        "fetch",
        "save",
        "put",
        "store",
        "write",
        "create",
        "add",
        "update",
        "delete",
        "remove",
        "exist",
        "list",
        "all",
        "the",
        "id",
        "item",
        "row",
        "table",
        "db",
    )
)
_INJECTORS: Final = frozenset(("Depends", "Security"))


@dataclass(eq=False, slots=True)
class Domain:
    """Roles of classes and functions."""

    names: Names
    classes: Classes
    inference: Inference
    calls: Calls
    templates: Templates
    policy: Policy
    keys: Keys = field(init=False)
    held: Held = field(init=False)
    handlers: set[Function] = field(default_factory=set)
    injected: set[Function] = field(default_factory=set)
    repositories: set[Class] = field(default_factory=set)
    layers: set[Class] = field(default_factory=set)
    """Classes that hand on what their callers give them to the table, and know no entity."""
    entities: set[Class] = field(default_factory=set)
    entities_of: dict[Class, set[Class]] = field(default_factory=lambda: defaultdict(set))
    item_modules: set[str] = field(default_factory=set)
    """The modules in which keys are written, or operations of the table are called."""
    _named: Naming | None = None
    tables: set[Function] = field(default_factory=set)
    """The functions that call an operation of the table."""

    def __post_init__(self) -> None:
        self.held = Held(self)

    # --- handlers: known before types are asked for ---

    def find_handlers(self) -> None:
        """Handlers by policy, and what frameworks call to fill their parameters."""
        for module in self.names.modules.values():
            for function in module.functions:
                if self._is_handler(function):
                    self.handlers.add(function)

    def _is_handler(self, function: Function) -> bool:
        if function.module.is_test:
            return False
        for decorator in function.fact.decorators:
            dotted = dotted_text(decorator.func if isinstance(decorator, tree.Call) else decorator)
            if self.policy.handlers.is_decorator(dotted):
                return True
        private = function.owner is not None and function.name.startswith("_")
        return (
            function.parent is None
            and not private
            and self.policy.handlers.is_function(function.symbol)
        )

    def find_injected(self, calls: Calls) -> None:
        """Functions given to `Depends(…)`, as far as `calls` resolves them."""
        for name in _INJECTORS:
            for call in calls.uses.calls_beside(name):
                for argument in call.args[:1]:
                    for one in calls.inference.of(argument.value):
                        if isinstance(one, FunctionObject):
                            self.injected.add(one.function)

    def enters(self, function: Function) -> bool:
        """Whether a framework calls the function and fills its parameters."""
        self.names.ask(function.name)
        return function in self.handlers or function in self.injected

    def handed(self, function: Function, name: str) -> Types:
        """What a framework gives a handler for a parameter of the name that policy's has."""
        said = self.policy.handlers.parameter
        if said is None or said.name != name or function not in self.handlers:
            return NOTHING
        meant = self.handler_class()
        return frozenset((Instance(meant),)) if meant is not None else NOTHING

    def handler_class(self) -> Class | None:
        """The class of the parameter that policy gives handlers; `Principal` where that is
        `CurrentPrincipal = Annotated[Principal, Depends(…)]`."""
        said = self.policy.handlers.parameter
        if said is None or said.annotation is None:
            return None
        target = self.names.follow(self.names.member(said.annotation.module, said.annotation.name))
        if not isinstance(target, Binding):
            return None
        if isinstance(target.definition, Class):
            return target.definition
        types = (
            self.inference.annotations.of(target.value) if target.value is not None else NOTHING
        )
        return next((one.cls for one in types if isinstance(one, Instance)), None)

    # --- entities and repositories: known after the keys are ---

    def find_roles(self, keys: Keys) -> None:
        """Entities and repositories, from names, keys and table calls."""
        self.keys = keys
        self.tables = Tables(self.names, self.inference, self.calls, keys).find()
        self.item_modules |= {function.module.name for function in self.tables}
        for cls in self.classes.all:
            if self._is_repository(cls):
                self.repositories.add(cls)
        self._spread_repositories()
        self.layers = Layers(self).find(self.repositories)
        self.repositories -= self.layers
        for site in keys.sites:
            self.item_modules.add(site.module.name)
            owner = site.owner
            if (
                owner is not None
                and owner not in self.repositories
                and owner not in self.layers
                and self._has_items(owner)
                and self.reads_self(site)
            ):
                self.entities.add(owner)
        self.entities.update(filter(self._is_model, self.classes.all))
        self.entities.update(filter(self.has_key, self.classes.having(self.policy.is_key_name)))
        self.entities.update(filter(self.is_item, self._making_items()))
        self.entities -= self.repositories | self.layers
        for cls in self.repositories:
            for entity in self._entities_of(cls):
                self.entities_of[cls].add(entity)
                self.entities.add(entity)

    def touches_table(self, function: Function) -> bool:
        """Whether the function itself calls a DynamoDB operation."""
        return function in self.tables

    def _is_repository(self, cls: Class) -> bool:
        by_name = self.policy.is_repository_name(cls.name)
        by_table = any(function in self.tables for function in cls.methods.values())
        if not (by_name or by_table) or _TEST_CLASS.search(cls.name):
            return False
        if self.classes.is_enum(cls) or self._is_model(cls) or stands_in(cls):
            return False
        if by_name and self._keeps_items(cls):
            return True
        if any(function in self.handlers for function in cls.methods.values()):
            return False
        return by_table and not self.classes.is_data(cls)

    def _keeps_items(self, cls: Class) -> bool:
        """Whether anything but its name says that a class reads or writes items of the table."""
        owners = self.classes.mro(cls)
        own = [method for owner in owners for method in owner.methods.values()]
        if any(method in self.tables or method in self.keys.functions for method in own):
            return True
        if Elsewhere(self.names, self.classes, self.inference).keeps(cls):
            return False
        for owner in owners:
            for method in owner.methods.values():
                if any(self._names_scope(p.name) for p in method.own_params):
                    return True
            if any(self._names_scope(name) for name in owner.stores):
                return True
        return any(self.has_key(e) or self.has_scope(e) for e in self._entities_of(cls))

    def _names_scope(self, name: str) -> bool:
        return any(names_scope(name, scope) for scope in self.policy.scopes)

    def has_scope(self, cls: Class) -> bool:
        """Whether instances have the value of a scope."""
        return any(self.classes.has_attribute(cls, s.parameter) for s in self.policy.scopes)

    def _spread_repositories(self) -> None:
        """Whatever implements a repository's methods is one."""
        queue = sorted(self.repositories, key=lambda c: c.symbol)
        while queue:
            cls = queue.pop()
            with self.names.aside(not self._speaks_of_scopes(cls)):
                kin = {
                    m.owner
                    for name, f in cls.methods.items()
                    if not name.startswith("_") and self.is_operation(f)
                    for m in self.calls.family(f)
                }
                kin |= {
                    sub for sub in self.classes.subclasses(cls) if not _TEST_CLASS.search(sub.name)
                }
            for other in sorted((k for k in kin if k is not None), key=lambda c: c.symbol):
                if other not in self.repositories and not stands_in(other):
                    self.repositories.add(other)
                    queue.append(other)

    def _speaks_of_scopes(self, cls: Class) -> bool:
        """Whether a method makes a key or takes a scope: there is something to fall short of."""
        return any(
            method in self.keys.functions or any(self._names_scope(p.name) for p in method.params)
            for owner in self.classes.mro(cls)
            for method in owner.methods.values()
        )

    def is_operation(self, method: Function) -> bool:
        """Whether a method is one of its object: no property, and no factory of the class."""
        if method.is_property or method.is_static:
            return False
        return "classmethod" not in method.decorators

    def has_key(self, cls: Class) -> bool:
        """Whether instances know their own key: a property or method named like one."""
        return self.is_item(cls) and self._says_key(cls)

    def _says_key(self, cls: Class) -> bool:
        return any(
            self.policy.is_key_name(name)
            and method.takes_self
            and not method.own_params
            and "classmethod" not in method.decorators
            for name, method in cls.methods.items()
        )

    def _making_items(self) -> Iterator[Class]:
        """The classes with a method that makes an item, whose key a function makes of the object's own:
        `{"PK": order_pk(self.tenant_id, self.number)}`."""
        for module in self.names.judged():
            for display in module.each(tree.DictDisplay) if not module.is_test else ():
                pairs = zip(display.keys, display.values, strict=True)
                keys = [value for key, value in pairs if self.keys.key_name(key)]
                function = self.names.place(display).scope.function if keys else None
                if function is None or function.owner is None or not function.takes_self:
                    continue
                own = function.params[0].name
                read = (one for key in keys for one in within(key) if isinstance(one, tree.Attr))
                if not function.own_params and any(
                    _root(one) == own and self._names_scope(one.name) for one in read
                ):
                    yield function.owner

    def _is_model(self, cls: Class) -> bool:
        """Whether instances are rows by their base: PynamoDB's models."""
        return self.classes.is_pynamo(cls) and not self.classes.is_pynamo_index(cls)

    def _has_items(self, cls: Class) -> bool:
        return not self.classes.is_enum(cls) and not self.classes.is_protocol(cls)

    def reads_self(self, site: KeySite) -> bool:
        """Whether a key is made of the object itself."""
        function = site.function
        if function is None:
            return False
        while function.owner is None and function.parent is not None:
            function = function.parent
        if not function.takes_self or "classmethod" in function.decorators:
            return False
        if not function.own_params or function.is_property:
            return True
        data = self.classes.is_data(function.owner) if function.owner else False
        return data and any(
            isinstance(piece, Filled) and _root(piece.value) == function.params[0].name
            for piece in site.template.pieces
        )

    def _entities_of(self, cls: Class) -> Iterator[Class]:
        for method in cls.methods.values():
            if method.name.startswith("__"):
                continue
            for parameter in method.own_params:
                if parameter.annotation is not None:
                    yield from self._item_classes(
                        self.inference.annotations.of(parameter.annotation)
                    )
            if method.fact.returns is not None:
                yield from self._item_classes(self.inference.annotations.of(method.fact.returns))
            elif not method.name.startswith("_"):
                yield from self._item_classes(self.inference.returned(method))

    def _item_classes(self, types: Types) -> Iterator[Class]:
        for one in types:
            if isinstance(one, Collection):
                yield from self._item_classes(one.items)
            elif isinstance(one, TupleOf):
                for part in one.items:
                    yield from self._item_classes(part)
            elif isinstance(one, Instance) and self.is_item(one.cls):
                yield one.cls

    def is_item(self, cls: Class) -> bool:
        """Whether instances of the class could be items: it has data, and is neither context nor service."""
        if cls in self.repositories or cls in self.layers:
            return False
        named = cls.name in self.policy.entities or self._says_key(cls)
        if self.classes.is_enum(cls) or (self.is_carrier(cls) and not named):
            return False
        if any(
            base.rpartition(".")[2] in ("str", "int", "Exception", "TypedDict")
            for base in self.classes.foreign_bases(cls)
        ):
            return False
        constructor = self.classes.constructor(cls)
        return bool(constructor) and not self._is_service(cls)

    def _is_service(self, cls: Class) -> bool:
        for name in cls.stores:
            for one in self.inference.attributes.member(cls, name):
                if isinstance(one, Instance) and (
                    one.cls in self.repositories
                    or one.cls in self.layers
                    or self.policy.is_repository_name(one.cls.name)
                ):
                    return True
        return False

    def is_carrier(self, cls: Class) -> bool:
        """Whether the class carries a request's scopes: a context, a caller, a configured source."""
        for scope in self.policy.scopes:
            for source in scope.sources:
                if source.name == cls.name and source.access:
                    return True
        return bool(_CARRIER.search(cls.name))

    # --- which scopes are demanded ---

    def required(self, site: KeySite) -> tuple[ScopePolicy, ...]:
        """The scopes that the key of a site needs."""
        scopes = self.policy.scopes_of(self.narrowed(site))
        return tuple(scope for scope in scopes if not self._lists(site, scope))

    def _lists(self, site: KeySite, scope: ScopePolicy) -> bool:
        """Whether an index key lists all values of a scope: `GSI1PK = "TENANTS"`."""
        pieces = site.template.pieces
        if not site.index or not all(isinstance(piece, Text) for piece in pieces):
            return False
        said = words(site.template.text.replace("#", "_"))
        return bool(said) and names_scope(said[-1], scope)

    def narrowed(self, site: KeySite) -> str | None:
        """The entity of policy's table that a site's key belongs to."""
        tags = self.tags_of(site.template)
        for entity in self.policy.entities:
            name = entity_words(entity)
            if any(
                words(tag) == name or (len(name) > 1 and "".join(words(tag)) == "".join(name))
                for tag in tags
            ):
                return entity
        if any(self._naming.is_named(words(tag)) for tag in tags):
            return None
        found = self.narrowed_names(site.owner, site.function, site.module.name)
        if found is None or not self._is_scope_named(found):
            return found
        if self._named_by_owner(site.owner) == found:
            return found
        return None if tags or self._serves_others(site.function, found) else found

    def is_boundary(self, cls: Class) -> bool:
        """Whether a class is what a scope is the boundary of: `Tenant`, whose `id` is the scope's value."""
        return self._is_scope_named(cls.name)

    def _is_scope_named(self, entity: str) -> bool:
        """Whether an entity is called like a scope: that row of the tenant itself, where `tenant`
        stands in the names of much else."""
        name = "_".join(words(entity.rpartition(".")[2]))
        return any(names_scope(name, scope) for scope in self.policy.scopes)

    def _serves_others(self, function: Function | None, entity: str) -> bool:
        """Whether a key helper's key is used by the code of other entities."""
        if function is None or function not in self.keys.helpers:
            return False
        for call, _ in self.calls.callers(function):
            caller = self.names.place(call).scope.function
            owner = caller.owner if caller is not None else None
            if owner is None or not (owner in self.repositories or owner in self.entities):
                continue
            if self._named_after(owner.name) != entity:
                return True
        return False

    def _named_by_owner(self, owner: Class | None) -> str | None:
        return self._named_after(owner.name) if owner is not None else None

    def narrowed_names(
        self, owner: Class | None, function: Function | None, module: str
    ) -> str | None:
        """The entity of policy's table that a class, function or module is named after, or that alone a
        repository is for."""
        found = self._named_by_owner(owner)
        if found is not None or owner in self.entities:
            return found
        if owner is not None and owner in self.repositories:
            kinds = {entity.name for entity in self.entities_of.get(owner, ())}
            return min(kinds) if kinds and kinds <= self.policy.entities.keys() else None
        if function is not None:
            found = self._named_after(function.name)
            if found is not None:
                others = set(words(function.name)) - _GENERIC_WORDS - set(words(found))
                return None if others and self._is_scope_named(found) else found
        return self._named_after(module.rpartition(".")[2])

    def _named_after(self, name: str) -> str | None:
        """The policy's entity whose name the words contain, unless another entity fits better."""
        have, entities = entity_words(name), self.policy.entities
        fits = [(len(w), e) for e in entities if contains(have, w := _last_words(e))]
        best = max(fits, key=lambda one: one[0], default=None)
        if best is None:
            return None
        others = self._naming.within(have)
        own = (cls for cls in others if cls.name not in entities)
        return None if any(len(entity_words(cls.name)) >= best[0] for cls in own) else best[1]

    def tags_of(self, template: Template) -> list[str]:
        """The tags of a template that are no scope's: `CONFIG` of `TENANT#{t}#CONFIG#{c}`."""
        scope_tags = {scope.tag.rstrip("#|/:").lower() for scope in self.policy.scopes}
        found = []
        for piece in template.pieces:
            if isinstance(piece, Text):
                found += [t for t in _TAG.findall(piece.value) if t.lower() not in scope_tags]
        return found

    def entity_name(self, site: KeySite) -> str | None:
        """The entity that a site's key belongs to, for reports."""
        owner = site.owner
        if owner is not None and owner in self.entities:
            return owner.name
        if owner is not None and len(self.entities_of.get(owner, ())) == 1:
            return next(iter(self.entities_of[owner])).name
        tags = {"".join(words(tag)) for tag in self.tags_of(site.template)}
        tagged = self._naming.joined(tags)
        if tagged:
            return min(tagged, key=lambda c: c.symbol).name
        have = words(site.function.name) if site.function is not None else ()
        named = self._naming.within(have)
        return min(named, key=lambda c: (-len(c.name), c.symbol)).name if named else None

    @property
    def _naming(self) -> Naming:
        """The entities as they are now, by their names."""
        if self._named is None or self._named.entities != self.entities:
            self._named = Naming(frozenset(self.entities))
        return self._named

    # --- what a function has ---

    def scope_parameter(self, function: Function, scope: ScopePolicy) -> tree.Parameter | None:
        """The parameter that takes the scope's value."""
        return self.named_parameter(function, scope) or self.held.parameter(function, scope)

    def named_parameter(self, function: Function, scope: ScopePolicy) -> tree.Parameter | None:
        """The parameter whose name says that it takes the scope's value."""
        exact = function.parameter(scope.parameter)
        return exact or next(
            (
                p
                for p in function.own_params
                if p.kind in ("plain", "posonly", "kwonly")
                and names_scope(p.name, scope)
                and not self.is_object(function, p)
            ),
            None,
        )

    def is_object(self, function: Function, parameter: tree.Parameter) -> bool:
        """Whether a parameter takes an instance of a class of the program."""
        types = self.parameter_types(function, parameter)
        return any(
            isinstance(t, Instance)
            and (self.classes.constructor(t.cls) or self.classes.is_data(t.cls))
            for t in types
        )

    def parameter_types(self, function: Function, parameter: tree.Parameter) -> Types:
        """What a parameter may be."""
        bindings = function.scope.bindings.get(parameter.name)
        return self.inference.bound(bindings[0]) if bindings else frozenset()

    def carries(
        self, function: Function, scope: ScopePolicy, gained: dict[Class, set[str]]
    ) -> bool:
        """Whether a parameter that is no entity has the scope: `ctx`, `scope`, `caller`."""
        for parameter in function.own_params:
            for one in self.parameter_types(function, parameter):
                if (
                    isinstance(one, Instance)
                    and one.cls not in self.entities
                    and not self.is_repository(one.cls)
                ) and (
                    self.classes.has_attribute(one.cls, scope.parameter)
                    or scope.parameter in gained.get(one.cls, ())
                    or (self.is_boundary(one.cls) and self.held.attribute(one.cls, scope))
                ):
                    return True
        return False

    def is_repository(self, cls: Class) -> bool:
        """Whether the class reads or writes entities."""
        return cls in self.repositories

    def is_identifier(self, parameter: tree.Parameter) -> bool:
        """Whether a parameter names an item, or a scope."""
        if any(names_scope(parameter.name, scope) for scope in self.policy.scopes):
            return True
        if _STRUCTURE.search(snake(parameter.name)):
            return False
        annotation = last_name(parameter.annotation)
        return (
            bool(_IDENTIFIER.search(snake(parameter.name)))
            or annotation.endswith("Id")
            or annotation == "UUID"
        )


def dotted_text(node: tree.Node) -> str:
    """`a.b.c` as it is written."""
    if isinstance(node, tree.Attr):
        return f"{dotted_text(node.base)}.{node.name}"
    return node.id if isinstance(node, tree.Name) else ""


def _root(node: tree.Node) -> str:
    """The name that a path or a chain of calls starts with."""
    while isinstance(node, tree.Attr | tree.Subscript | tree.Call):
        node = node.func if isinstance(node, tree.Call) else node.base
    return node.id if isinstance(node, tree.Name) else ""


def _last_words(entity: str) -> tuple[str, ...]:
    return entity_words(entity.rpartition(".")[2])
