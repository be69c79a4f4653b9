"""What the classes and functions of a program are for: entities, repositories, handlers, carriers."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.policy import SourceKind
from capsule_lint.program.inference.types import ANYTHING, Instance, Types
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import first_name, last_name
from capsule_lint.program.purposes.belonging import Belonging
from capsule_lint.program.purposes.held import Held
from capsule_lint.program.purposes.other_types import is_other
from capsule_lint.program.purposes.presence import Presence
from capsule_lint.program.purposes.roles import Roles
from capsule_lint.program.purposes.tables import Tables
from capsule_lint.program.purposes.told_by_reads import ToldByReads
from capsule_lint.program.texts.pieces import Filled, names_any_of, names_scope, snake
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Set as AbstractSet

    from capsule_lint.policy import Policy
    from capsule_lint.policy import Scope as ScopePolicy
    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.names import Names
    from capsule_lint.program.places.keys import Keys
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.purposes.entrances import Entrances
    from capsule_lint.program.texts.pieces import Template
    from capsule_lint.program.texts.templates import Templates

_IDENTIFIER: Final = re.compile(r"(?:^|_)(?:ids?|uuid|guid|sku|code|slug|email|number|ref|name)$")
_STRUCTURE: Final = re.compile(
    r"(?:^|_)(?:table|index|gsi|lsi|attribute|attr|field|column|variable|bucket|queue|topic|region"
    r"|profile|function|func|fn|method|class|cls|module|type|log|logger|key|env|environ|setting|metric"
    r"|operation|host|stack)_name$"
)
"""Names of what a program or a table is made of: no item is called so."""
_CARRIER: Final = re.compile(
    r"(?:Context|Scope|Identity|Principal|Caller|Session|Claims|Request|User|Actor|Settings"
    r"|Criteria|Filters|Specification|Params|Options|Command)$"
)
_VALUES: Final = frozenset(("str", "int", "TypedDict"))
"""Bases of what is a value, or a dict of some, and no item."""


@dataclass(eq=False, slots=True)
class Domain:
    """Roles of classes and functions."""

    names: Names
    classes: Classes
    inference: Inference
    calls: Calls
    templates: Templates
    policy: Policy
    entrances: Entrances
    keys: Keys = field(init=False)
    held: Held = field(init=False)
    belonging: Belonging = field(init=False)
    told_by_reads: ToldByReads = field(init=False)
    repositories: set[Class] = field(default_factory=set)
    layers: set[Class] = field(default_factory=set)
    """Classes that hand on what their callers give them to the table, and know no entity."""
    above_layers: set[Class] = field(default_factory=set)
    """The repositories that are such by what they do alone, whatever they are called."""
    elsewhere: set[Class] = field(default_factory=set)
    """The classes that are no repositories, for their models are kept elsewhere, and may share a Protocol with one."""
    apart: set[Class] = field(default_factory=set)
    """Those of them that keep nothing of the table either, for they ask nothing of it."""
    asking_layers: set[Function] = field(default_factory=set)
    """The functions outside of classes that give keys to a layer."""
    entities: set[Class] = field(default_factory=set)
    entities_of: dict[Class, set[Class]] = field(default_factory=lambda: defaultdict(set))
    making: set[Function] = field(default_factory=set)
    """The methods of entities that make the object's own key, or an item of it, by a key helper."""
    stored: set[Class] = field(default_factory=set)
    """The classes that are no contexts, whatever they are called: they make items, or a repository is for them."""
    item_modules: set[str] = field(default_factory=set)
    """The modules in which keys are written, or operations of the table are called."""
    tables: set[Function] = field(default_factory=set)
    """The functions that call an operation of the table."""

    def __post_init__(self) -> None:
        self.held = Held(self)
        self.belonging = Belonging(self)
        self.told_by_reads = ToldByReads(self)

    def find_roles(self, keys: Keys) -> None:
        """Entities and repositories, from names, keys and table calls."""
        self.keys = keys
        tables = Tables(self.names, self.inference, self.calls, keys)
        self.tables = tables.find()
        if not tables.sure and not Presence(self.names, keys, self.policy).shows():
            self.tables.clear()
            keys.forget()
        self.item_modules = {function.module.name for function in self.tables}
        self.item_modules |= {site.module.name for site in keys.sites}
        Roles(self).find()

    # --- what frameworks call ---

    @property
    def handlers(self) -> AbstractSet[Function]:
        """The functions that frameworks call by policy."""
        return self.entrances.handlers

    def enters(self, function: Function) -> bool:
        """Whether a framework calls the function and fills its parameters."""
        return self.entrances.enters(function)

    def handler_class(self) -> Class | None:
        """The class of the parameter that policy gives handlers."""
        return self.entrances.handler_class()

    # --- what classes are ---

    def touches_table(self, function: Function) -> bool:
        """Whether the function itself calls a DynamoDB operation."""
        return function in self.tables

    def has_scope(self, cls: Class) -> bool:
        """Whether instances have the value of a scope."""
        return any(self.classes.has_attribute(cls, s.parameter) for s in self.policy.scopes)

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
            and method not in self.keys.elsewhere.made_by
            for name, method in cls.methods.items()
        )

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
            isinstance(piece, Filled) and first_name(piece.value) == function.params[0].name
            for piece in site.template.pieces
        )

    def is_item(self, cls: Class) -> bool:
        """Whether instances of the class could be items: it has data, and is neither context nor service."""
        if cls in self.repositories or cls in self.layers:
            return False
        named = cls.name in self.policy.entities or self._says_key(cls) or cls in self.stored
        if self.classes.is_enum(cls) or (self.is_carrier(cls) and not named):
            return False
        if self.classes.is_exception(cls) or not self.classes.base_names(cls).isdisjoint(_VALUES):
            return False
        constructor = self.classes.constructor(cls)
        return bool(constructor) and not self.is_key(cls) and not self._is_service(cls)

    def is_key(self, cls: Class) -> bool:
        """Whether instances are keys themselves: all that they are made of is `pk` and `sk`."""
        made_of = [p.name for p in self.classes.constructor(cls) or ()]
        policy = self.policy
        return any(map(policy.is_key_name, made_of)) and all(
            policy.is_key_name(name) or policy.is_sort_key_name(name) for name in made_of
        )

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
        return bool(_CARRIER.search(cls.name)) and cls not in self.stored

    # --- whose a key is ---

    def required(self, site: KeySite) -> tuple[ScopePolicy, ...]:
        """The scopes that the key of a site needs."""
        return self.belonging.required(site)

    def shares(self, site: KeySite) -> str | None:
        """The entity of policy's table that a key helper is called like, or is called by, where others have keys of it
        besides."""
        return self.belonging.callers.shares(site)

    def needs_less(self, use: tree.Node, scope: ScopePolicy) -> bool:
        """Whether a text is used as a key of an entity that policy says has no such scope."""
        return self.belonging.callers.needs_less(use, scope)

    def is_boundary(self, cls: Class) -> bool:
        """Whether a class is what a scope is the boundary of: `Tenant`, whose `id` is the scope's value."""
        return self.belonging.called.is_like_scope(cls.name)

    def narrowed_names(
        self,
        owner: Class | None,
        function: Function | None,
        module: str,
        said: Collection[str] = (),
    ) -> str | None:
        """The entity of policy's table that a class, function or module is named after, or that alone a
        repository is for; `said` are the names of scopes in a key of a collection there."""
        return self.belonging.narrowed_names(owner, function, module, said)

    def tags_of(self, template: Template) -> list[str]:
        """The tags of a template that are no scope's: `CONFIG` of `TENANT#{t}#CONFIG#{c}`."""
        return self.belonging.tags.of(template)

    def entity_name(self, site: KeySite) -> str | None:
        """The entity that a site's key belongs to, for reports."""
        return self.belonging.entity_name(site)

    # --- what a function has ---

    def scope_parameter(self, function: Function, scope: ScopePolicy) -> tree.Parameter | None:
        """The parameter that takes the scope's value."""
        return self.named_parameter(function, scope) or self.held.parameter(function, scope)

    def takes_scope(self, function: Function) -> bool:
        """Whether a parameter takes the value of any scope."""
        scopes = self.policy.scopes
        return any(self.scope_parameter(function, scope) is not None for scope in scopes)

    def named_parameter(self, function: Function, scope: ScopePolicy) -> tree.Parameter | None:
        """The parameter whose name says that it takes the scope's value."""
        exact = function.parameter(scope.parameter)
        if exact is not None and not self.is_other(exact, scope):
            return exact
        return next(
            (
                p
                for p in function.own_params
                if p.kind in ("plain", "posonly", "kwonly")
                and names_scope(p.name, scope)
                and not self.is_object(function, p)
                and not self.is_other(p, scope)
            ),
            None,
        )

    def is_other(self, parameter: tree.Parameter | None, scope: ScopePolicy) -> bool:
        """Whether a parameter takes something else by its type, however it is called."""
        return is_other(self.names, self.classes, parameter, scope)

    def is_object(self, function: Function, parameter: tree.Parameter) -> bool:
        """Whether a parameter takes an instance of a class of the program."""
        types = self.parameter_types(function, parameter)
        return any(
            isinstance(t, Instance)
            and (self.classes.constructor(t.cls) or self.classes.is_data(t.cls))
            for t in types
        )

    def parameter_types(self, function: Function, parameter: tree.Parameter) -> Types:
        """What a parameter may be; where nothing says so, by what is read of it."""
        bindings = function.scope.bindings.get(parameter.name)
        found: Types = self.inference.bound(bindings[0]) if bindings else frozenset()
        told = self.told_by_reads.of(function, parameter) if found <= ANYTHING else None
        return frozenset((Instance(told),)) if told is not None else found

    def object_types(self, node: tree.Node) -> Types:
        """The same of any expression."""
        binding = bound_whole(self.names, node)
        function = binding.function if binding is not None else None
        parameter = binding.parameter if binding is not None else None
        if function is not None and parameter in function.own_params:
            return self.parameter_types(function, parameter)
        return self.inference.of(node)

    def carries(
        self, function: Function, scope: ScopePolicy, gained: dict[Class, set[str]]
    ) -> bool:
        """Whether a parameter that is no entity has the scope: `ctx`, `scope`, `caller`."""
        for parameter in function.own_params:
            types = self.parameter_types(function, parameter)
            classes = [one.cls for one in types if isinstance(one, Instance)]
            if any(cls in self.entities and not self._is_scope(cls) for cls in classes):
                continue
            for cls in classes:
                if not self._is_repository(cls) and (
                    self.classes.has_attribute(cls, scope.parameter)
                    or scope.parameter in gained.get(cls, ())
                    or (self.is_boundary(cls) and self.held.attribute(cls, scope))
                    or self._is_source(cls, scope)
                ):
                    return True
        return False

    def _is_source(self, cls: Class, scope: ScopePolicy) -> bool:
        """Whether policy says that objects of a class have the scope, whatever they call it."""
        attributes = [s for s in scope.sources if s.kind is SourceKind.ATTRIBUTE]
        mro = self.classes.mro(cls) if attributes else ()
        return any(self.names.definition(spec.dotted) in mro for spec in attributes)

    def reads_beside(self, function: Function, scope: ScopePolicy) -> bool:
        """Whether a function takes another scope's value from an object that it is given and that is no entity,
        `job.tenant_id`: what the scope's value is, that says as well, or comes to."""
        objects = {
            parameter.name
            for parameter in function.own_params
            for one in self.parameter_types(function, parameter)
            if isinstance(one, Instance)
            and self.entities.isdisjoint(self.classes.subclasses(one.cls))
            and not self._is_repository(one.cls)
        }
        names = {other.parameter for other in self.policy.others(scope)}
        return bool(objects) and any(
            isinstance(node, tree.Attr)
            and node.name in names
            and isinstance(node.base, tree.Name)
            and node.base.id in objects
            for node in self.names.inside(function)
        )

    def _is_scope(self, cls: Class) -> bool:
        """Whether objects, and those of heirs, hold values of scopes and nothing else, though they make keys of these,
        `Scope(tenant_id)`, or are keys themselves: `str(StreamId(tenant_id, cart_id))`."""
        scopes = self.policy.scopes
        for one in self.classes.subclasses(cls):
            made_of = self.classes.constructor(one) or ()
            others = [p for p in made_of if not names_any_of(p.name, scopes)]
            whole = self._is_key(one) and all(map(self.is_identifier, others))
            if not made_of or (others and not whole):
                return False
        return True

    def _is_key(self, cls: Class) -> bool:
        """Whether the text of an object, with the tag of a scope in it, is the only key that it makes."""
        method = cls.methods.get("__str__")
        if method is None or any(
            map(self.policy.is_key_name, {*cls.methods, *cls.scope.bindings})
        ):
            return False
        parts = [p for value in method.returns for one in within(value) for p in tree.said_in(one)]
        tags = [scope.tag for scope in self.policy.scopes if scope.tag]
        return any(tag in part for part in parts if isinstance(part, str) for tag in tags)

    def _is_repository(self, cls: Class) -> bool:
        """Whether the class reads or writes entities."""
        return cls in self.repositories

    def is_identifier(self, parameter: tree.Parameter) -> bool:
        """Whether a parameter names an item, or a scope."""
        if names_any_of(parameter.name, self.policy.scopes):
            return True
        if _STRUCTURE.search(snake(parameter.name)):
            return False
        annotation = last_name(parameter.annotation)
        return (
            bool(_IDENTIFIER.search(snake(parameter.name)))
            or annotation.endswith("Id")
            or annotation == "UUID"
        )
