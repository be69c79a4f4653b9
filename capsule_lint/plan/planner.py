"""Change sets by fixpoint over the call graph: what must gain a parameter, a field, an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, rename, renamed_item_access, text_of
from capsule_lint.plan.loads import Loads
from capsule_lint.plan.local import LocalKeys
from capsule_lint.plan.passthrough import asserted, forwarded
from capsule_lint.plan.probes import Probes
from capsule_lint.plan.readers import Readers
from capsule_lint.plan.rebuilds import rebuilds
from capsule_lint.plan.silence import Silence
from capsule_lint.plan.sources import Sources, repeatable
from capsule_lint.plan.standins import (
    Double,
    StandIn,
    StandIns,
    accepts_anything,
    agrees,
    callables,
    fits,
)
from capsule_lint.plan.state import KeyDefect, Knot, Obstacle, State, Value, Want
from capsule_lint.plan.tuples import Tuples
from capsule_lint.policy import selects
from capsule_lint.program.binding import bind
from capsule_lint.program.infer import is_collected
from capsule_lint.program.keys import KeySite, Role
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.templates import Filled, hole_name, names_scope
from capsule_lint.program.types import FunctionObject, Instance, LambdaObject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.model import Span
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

_SIGNATURES: Final = ("CAP201", "CAP202", "CAP203")
_SPECIAL: Final = ("__init__", "__new__", "__call__")
_CONSTRUCTORS: Final = ("__init__", "__new__", "__post_init__", "model_post_init")
_MAX_ROUNDS: Final = 200


@dataclass(eq=False)
class Planner:
    """Grows the plan until nothing is missing."""

    program: Program
    state: State = field(default_factory=State)
    sources: Sources = field(init=False)
    defects: list[KeyDefect] = field(default_factory=list)
    silenced: list[KeyDefect] = field(default_factory=list)
    """Defects that people have said are meant."""
    sites: dict[int, KeySite] = field(default_factory=dict)
    methods: dict[Function, list[Scope]] = field(default_factory=dict)
    """Repository methods that lack parameters, by themselves."""
    drifting: dict[Function, Function] = field(default_factory=dict)
    partial_calls: dict[int, tuple[tree.Call, Function | Class, list[Scope]]] = field(
        default_factory=dict
    )
    doubles: dict[int, Double] = field(default_factory=dict)
    """What tests put in the place of functions which change, by lambda or definition."""
    stand_ins: StandIns = field(init=False)
    silence: Silence = field(init=False)
    local: LocalKeys = field(init=False)
    loads: Loads = field(init=False)
    readers: Readers = field(init=False)
    tuples: Tuples = field(init=False)
    _queued: list[Want] = field(default_factory=list)
    _asked: dict[tuple[int, str], Knot] = field(default_factory=dict)
    _loose: set[int] = field(default_factory=set)
    """The wants that nothing but an entity in scope can satisfy."""
    _constants: set[int] = field(default_factory=set)
    _prefixes: list[KeySite] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sources = Sources(self.program, self.state)
        self.stand_ins = StandIns(self.program)
        self.silence = Silence(self.program.policy)
        self.local = LocalKeys(self.program, self.state, self.silence)
        self.loads = Loads(self)
        self.readers = Readers(self.program, self.state)
        self.tuples = Tuples(self)

    def plan(self) -> None:
        """Fill the state."""
        for site in self.program.keys.sites:
            if not site.module.is_test:
                self._judge_site(site)
        probes = Probes(self.program, self.readers)
        for site in [s for s in self._prefixes if probes.loses(s, self.defects)]:
            self._judge_site(site, prefix=True)
        self.local.find()
        for want in self.local.wants:
            self._mirror(want)
        for defect in self.defects:
            for want in defect.wants.values():
                self._mirror(want)
        self._demand_entity_fields()
        self._demand_methods()
        self._demand_calls()
        self._demand_helpers()
        for want in [w for d in self.defects for w in d.wants.values()] + self.local.wants:
            self._ask(want)
        self._settle()
        while self.loads.extend():
            self._settle()
        self._tie()
        self.local.check(self.state.wants)
        self.loads.check()
        self.readers.find(self.defects)
        self.tuples.find()

    # --- keys ---

    def key_code(self, site: KeySite) -> str:
        """The rule that a template belongs to."""
        if self.is_helper(site):
            return "CAP202"
        if site.role is Role.LOOKUP:
            return "CAP104"
        return "CAP102" if site.index else "CAP101"

    def is_helper(self, site: KeySite) -> bool:
        """Whether a template is that of a key helper, and no entity's own key."""
        function = site.function
        if site.role is not Role.HELPER or function is None:
            return False
        return not (
            function.owner in self.program.domain.entities
            and function.takes_self
            and not function.own_params
            and "classmethod" not in function.decorators
        )

    def _is_silenced(self, site: KeySite) -> bool:
        at = site.template.host.at
        if self.is_helper(site) and site.function is not None:
            at = site.function.fact.name_at
        if site.function is not None and self._is_fixed(site.function):
            return True
        return self.silence.over(site.module, at, self.key_code(site))

    def _judge_site(self, site: KeySite, *, prefix: bool = False) -> None:
        template, templates = site.template, self.program.templates
        segments = list(templates.segments(template.pieces))
        present = {s.scope for s in segments}
        missing = [s for s in self.program.domain.required(site) if s.name not in present]
        if site.prefix and not segments and missing and not prefix:
            self._prefixes.append(site)  # whether it lacks them, the keys tell that begin so
            return
        if not missing:
            return
        order = [s.name for s in self.program.policy.scopes]
        own: list[Scope] = []
        anchors: dict[str, tree.Node | None] = {}
        for scope in missing:
            before = [s for s in segments if order.index(s.scope) < order.index(scope.name)]
            piece = template.pieces[before[-1].piece] if before else None
            delegated = piece is not None and piece.host is not template.host
            if delegated and piece is not None and self._delegate(piece.host, site):
                continue
            if (
                piece is None
                and template.pieces[0].host is not template.host
                and self._is_site(template.pieces[0].host)
            ):
                continue
            own.append(scope)
            anchors[scope.name] = piece.value if isinstance(piece, Filled) else None
            if piece is not None and not isinstance(piece, Filled):
                anchors[scope.name] = piece.node
        if own:
            self._add_defect(site, own, anchors, [s.piece for s in segments])

    def _is_site(self, host: tree.Node) -> bool:
        return any(site.template.host is host for site in self.program.keys.sites)

    def _delegate(self, host: tree.Node, site: KeySite) -> bool:
        """A template that lacks a scope where it is built, in a local or in another function; whether
        it is one by itself."""
        if self._is_site(host) or id(host) in self.sites:
            return True
        template = self.program.templates.template(host)
        if template is None:
            return False
        place = self.program.names.place(host)
        role = site.role if place.scope.function is site.function else Role.HELPER
        inner = KeySite(template, place.scope.module, place.scope.function, role, site.index)
        self.sites[id(host)] = inner
        self.program.keys.sites.append(inner)
        if role is Role.HELPER and inner.function is not None:
            self.program.keys.helpers.add(inner.function)
        self._judge_site(inner)
        return True

    def _add_defect(
        self,
        site: KeySite,
        missing: list[Scope],
        anchors: dict[str, tree.Node | None],
        present: list[int],
    ) -> None:
        host = site.template.host
        knot: Knot = ("key", id(host))
        defect = KeyDefect(site.template, site.module, site.function, missing, anchors, knot)
        self.sites[id(host)] = site
        if self._is_silenced(site):
            self.silenced.append(defect)
            return
        self.defects.append(defect)
        for part in self._unpacked_parts(site):
            function = site.function
            symbol = function.symbol if function is not None else site.module.name
            reason = f"`{part.id}` is unpacked, and has scopes of the key in it"
            where = knot, site.module.filename, part.span, reason, symbol
            self._obstacle(*where, "reference", missing[0])
        entity = self.program.domain.entity_name(site)
        if entity is not None:
            self.state.groups.join(knot, ("entity", entity))
        tags = self.program.domain.tags(site)
        if tags:  # what is written under a tag and what is looked up under it change together
            self.state.groups.join(knot, ("tag", (tags[0].lower(), site.index)))
        pieces = site.template.pieces
        neighbours = [
            p.value for n in present if isinstance(p := pieces[n], Filled) and p.host is host
        ]
        for scope in missing:
            mirror = anchors[scope.name] or (neighbours[0] if neighbours else None)
            want = Want(scope, host, knot, "segment", mirror=mirror)
            defect.wants[scope.name] = want
            if mirror is None and self._belongs_to_entity(site):
                owner = self._owner(site.function)
                if owner is not None and self.sources.attribute_of(owner, scope) is None:
                    self.gain_field(owner, scope, knot)

    def _unpacked_parts(self, site: KeySite) -> Iterable[tree.Name]:
        """The names in a template that were unpacked from parts which carry scopes."""
        templates = self.program.templates
        for piece in site.template.pieces:
            if not isinstance(piece, Filled) or not isinstance(piece.value, tree.Name):
                continue
            place = self.program.names.place(piece.value)
            for binding in self.program.names.bindings(piece.value.id, place):
                node = binding.value
                for index in binding.path:
                    items = node.items if isinstance(node, tree.Sequence) else ()
                    node = items[index] if 0 <= index < len(items) else None
                part = templates.template(node) if binding.path and node is not None else None
                if part is not None and templates.segments(part.pieces):
                    yield piece.value

    def _owner(self, function: Function | None) -> Class | None:
        while function is not None and function.owner is None:
            function = function.parent
        return function.owner if function is not None else None

    def _belongs_to_entity(self, site: KeySite) -> bool:
        owner = self._owner(site.function)
        if owner is None or owner not in self.program.domain.entities:
            return False
        return self.program.domain.reads_self(site)

    # --- mirrors: beside `{self.tenant_id}` comes `{self.capsule_id}` ---

    def _mirror(self, want: Want) -> None:
        """Give the class of the neighbour's access path the field, where it is the program's own."""
        if want.mirror is not None:
            self.mirrored(want.mirror, want.scope, want.knot)

    def mirrored(self, node: tree.Node, scope: Scope, knot: Knot) -> Value | None:
        """The access path beside `node`, with the class's field demanded where it is not there yet."""
        match node:
            case tree.Call(func=tree.Name(id="str")) if len(node.args) == 1:
                return self.mirrored(node.args[0].value, scope, knot)
            case tree.Call(func=tree.Attr() as func) if not node.args:
                return self.mirrored(func.base, scope, knot)
            case tree.Attr(name="value" | "hex"):
                return self.mirrored(node.base, scope, knot)
            case tree.Attr():
                return self._mirrored_attribute(node, scope, knot)
            case _:
                return None

    def _mirrored_attribute(self, node: tree.Attr, scope: Scope, knot: Knot) -> Value | None:
        if not any(names_scope(node.name, s) for s in self.program.policy.scopes):
            return None
        for one in sorted(self.program.inference.of(node.base), key=repr):
            if not isinstance(one, Instance):
                continue
            base = text_of(node.base)
            if base is None or not repeatable(node.base):
                continue
            attribute = self.sources.attribute_of(one.cls, scope)
            if attribute is None:
                through = self._through_property(one.cls, node, scope, knot)
                if through is not None:
                    return through
                if self._is_narrowed(one.cls, scope) or not self.can_gain_field(one.cls):
                    continue
                attribute = self.gain_field(one.cls, scope, knot, like=node.name)
            owner = self._gaining(one.cls, scope)
            return Value(
                f"{base}.{attribute}", knot=("class", owner) if owner else None, kind="mirror"
            )
        return None

    def _gaining(self, cls: Class, scope: Scope) -> Class | None:
        return next(
            (
                c
                for c in self.program.classes.mro(cls)
                if scope.parameter in self.state.fields.get(c, ())
            ),
            None,
        )

    def _through_property(
        self, cls: Class, node: tree.Attr, scope: Scope, knot: Knot
    ) -> Value | None:
        """`self.tenant_id` that is a property over `self._ctx.tenant_id`: mirror what it returns."""
        method = self.program.classes.method(cls, node.name)
        if method is None or not method.is_property or len(method.returns) != 1:
            return None
        if not isinstance(node.base, tree.Name) or node.base.id != method.params[0].name:
            return None
        return self.mirrored(method.returns[0], scope, knot)

    # --- fields ---

    def is_entity(self, cls: Class) -> bool:
        """Whether instances are items: the program says so, or the plan has found that out."""
        domain = self.program.domain
        return cls in domain.entities or (cls in self.state.fields and domain.is_item(cls))

    def _is_narrowed(self, cls: Class, scope: Scope) -> bool:
        """Whether policy says that an entity is not kept apart by a scope."""
        policy = self.program.policy
        return scope not in policy.scopes_of(cls.name)

    def can_gain_field(self, cls: Class) -> bool:
        """Whether the class is ours to extend."""
        if (
            cls.module.generated
            or self.program.classes.is_enum(cls)
            or self.program.classes.is_protocol(cls)
        ):
            return False
        return self.program.classes.constructor(cls) is not None

    def gain_field(self, cls: Class, scope: Scope, knot: Knot, like: str | None = None) -> str:
        """Demand that instances of `cls` have the scope's value; returns the attribute's name."""
        home = self._home(cls, like)
        attribute = scope.parameter
        if like is not None and like.startswith("_"):
            attribute = f"_{scope.parameter}"
        knot_of = ("class", home)
        self.state.groups.join(knot, knot_of)
        if scope.parameter in self.state.fields[home]:
            return self.state.attributes.get((home, scope.parameter), attribute)
        self.state.fields[home][scope.parameter] = scope
        self.state.attributes[home, scope.parameter] = attribute
        self._check_setters(home, scope, knot_of)
        initializer = home.methods.get("__init__")
        if initializer is not None:
            self.state.groups.join(knot_of, ("function", initializer))
            self._gain_initializer(initializer, scope)
        else:
            for call, _ in list(self.program.calls.constructors_of(home)):
                self._want_argument(call, scope, home, 0, knot_of)
        for call, value in list(rebuilds(self.program, home, scope)):
            self._ask(Want(scope, call, knot_of, "rebuild", call=call, callee=home, mirror=value))
        return attribute

    def _check_setters(self, cls: Class, scope: Scope, knot: Knot) -> None:
        """Methods that set the neighbouring field, other than constructors, would have to set the new
        one too, and nobody gives them its value."""
        for name, stores in cls.stores.items():
            if not any(names_scope(name, s) for s in self.program.policy.scopes if s is not scope):
                continue
            for store in stores:
                if store.function.name in _CONSTRUCTORS or isinstance(store.value, tree.Const):
                    continue
                function = store.function
                reason = (
                    f"`{function.name}` sets `{name}`, and nothing sets `{scope.parameter}` there"
                )
                span = store.statement.targets[0].span
                where = knot, function.module.filename, span, reason, function.symbol
                self._obstacle(*where, "source", scope)

    def _home(self, cls: Class, like: str | None) -> Class:
        """The class of the hierarchy that defines the neighbouring field."""
        if like is not None:
            for owner in self.program.classes.mro(cls):
                if like in owner.stores or any(
                    f.name == like and f.owner is owner for f in self.program.classes.fields(owner)
                ):
                    return owner
        else:
            for scope in self.program.policy.scopes:
                for owner in self.program.classes.mro(cls):
                    if scope.parameter in owner.stores or any(
                        f.name == scope.parameter and f.owner is owner
                        for f in self.program.classes.fields(owner)
                    ):
                        return owner
        return cls

    def _gain_initializer(self, function: Function, scope: Scope) -> None:
        if self.program.domain.scope_parameter(function, scope) is not None:
            return
        own = function.owner.stores.items() if function.owner is not None else ()
        stores = [
            s
            for name, listed in own
            for s in listed
            if s.function is function and names_scope(name, self._neighbour(scope))
        ]
        source = stores[0].value if stores else None
        if (
            source is not None
            and not isinstance(source, tree.Name)
            and self.mirrored(source, scope, ("function", function)) is not None
        ):
            return  # `self.tenant_id = ctx.tenant_id` goes on as `self.capsule_id = ctx.capsule_id`
        if source is not None and self.reads_keywords(function, source):
            for call, callee in list(self.program.calls.callers(function)):
                self._want_argument(call, scope, function, callee.given, ("function", function))
            return  # and `self.tenant_id = kw["tenant_id"]` as `self.capsule_id = kw["capsule_id"]`
        self.gain_param(function, scope, ("function", function))

    def reads_keywords(self, function: Function, node: tree.Node) -> bool:
        """Whether an expression takes a value from the function's `**` parameter."""
        while isinstance(node, tree.Call | tree.Subscript):
            node = node.base if isinstance(node, tree.Subscript) else node.func
            node = node.base if isinstance(node, tree.Attr) else node
        keywords = {p.name for p in function.params if p.kind == "**"}
        return isinstance(node, tree.Name) and node.id in keywords

    def _neighbour(self, scope: Scope) -> Scope:
        """The scope beside which another one stands: the one before it, or else the one after."""
        scopes = self.program.policy.scopes
        at = scopes.index(scope)
        return scopes[at - 1] if at else scopes[min(1, len(scopes) - 1)]

    def _demand_entity_fields(self) -> None:
        """Entities whose repositories lack a scope get the field beside the one they have."""
        for cls in sorted(self.program.domain.entities, key=lambda c: c.symbol):
            entity = self.program.domain.narrowed_names(cls, None, cls.module.name)
            required = self.program.policy.scopes_of(entity)
            have = [
                s
                for s in self.program.policy.scopes
                if self.sources.attribute_of(cls, s) is not None
            ]
            lacking = [s for s in required if s not in have]
            if have and lacking and self.can_gain_field(cls) and not cls.module.is_test:
                for scope in lacking:
                    like = self.sources.attribute_of(cls, have[0])
                    self.gain_field(cls, scope, ("entity", cls.name), like=like)

    # --- parameters ---

    def _demand_methods(self) -> None:
        for cls in sorted(self.program.domain.repositories, key=lambda c: c.symbol):
            for method in cls.methods.values():
                if self._is_demanded(cls, method):
                    self._demand(method, cls)
        for function in self._repository_functions():
            self._demand(function, None)
        for method, scopes in list(self.methods.items()):
            for scope in scopes:
                base = self._drifts_from(method, scope)
                if base is not None:
                    self.drifting[method] = base
                code = "CAP201" if base is None else "CAP203"
                if not self.silence.over(method.module, method.fact.name_at, code):
                    self.gain_param(method, scope, ("function", method))

    def _drifts_from(self, method: Function, scope: Scope) -> Function | None:
        """The base method that has the parameter which its implementation lacks."""
        if method.owner is None:
            return None
        for other in sorted(self.program.calls.family(method), key=lambda f: f.symbol):
            if (
                other is method
                or other.owner is None
                or method.owner in self.program.classes.mro(other.owner)[1:]
            ):
                continue
            is_base = other.owner in self.program.classes.mro(
                method.owner
            ) or self.program.classes.is_abstract(other.owner)
            if is_base and self.program.domain.scope_parameter(other, scope) is not None:
                return other
        return None

    def required_of(self, cls: Class | None, function: Function) -> tuple[Scope, ...]:
        """The scopes that policy demands of a function, by the entity that it serves."""
        entity = self.program.domain.narrowed_names(cls, function, function.module.name)
        if entity is None and cls is not None:
            kinds = {e.name for e in self.program.domain.entities_of.get(cls, ())}
            narrow = kinds & set(self.program.policy.entities)
            if narrow and narrow == kinds:
                entity = sorted(narrow)[0]
        return self.program.policy.scopes_of(entity)

    def _demand(self, function: Function, cls: Class | None) -> None:
        """Note the scopes that a method, or a function like one, lacks."""
        domain = self.program.domain
        narrow = domain.narrowed_names(cls, function, function.module.name) is not None
        if (narrow or self.program.policy.entity_argument_suffices) and self.takes_entity(
            function
        ):
            return
        lacking = [
            scope
            for scope in self.required_of(cls, function)
            if domain.scope_parameter(function, scope) is None
            and not domain.carries(function, scope, self.state.gained())
            and not self._is_written_out(function, scope)
        ]
        if lacking:
            self.methods[function] = lacking

    def _is_written_out(self, function: Function, scope: Scope) -> bool:
        """Whether all keys of a function spell the scope's value out (CAP105): a parameter for it would
        reach nothing."""
        segments = self.program.templates.segments
        found = [
            any(s.scope == scope.name and s.literal for s in segments(site.template.pieces))
            for site in self.program.keys.sites
            if site.function is function
        ]
        return bool(found) and all(found)

    def _is_demanded(self, cls: Class, method: Function) -> bool:
        """Whether a repository's method touches entities."""
        if (
            method.name.startswith("_")
            or method.is_property
            or cls.module.generated
            or method in self.program.keys.helpers
        ):
            return False
        if method.is_static or "classmethod" in method.decorators or is_collected(method):
            return False
        if method in self.program.domain.handlers or self._only_silenced(method):
            return False
        family = self.program.calls.family(method)
        if any(self._constructor_scoped(f.owner) for f in family if f.owner is not None):
            return False
        return any(self._touches(f) for f in family)

    def _only_silenced(self, method: Function) -> bool:
        """Whether all keys of a method that lack scopes are meant to."""
        return any(d.function is method for d in self.silenced) and not any(
            d.function is method for d in self.defects
        )

    def _constructor_scoped(self, cls: Class) -> bool:
        """Whether instances are made for one scope: `Repo(tenant_id)`."""
        if cls not in self.program.domain.repositories:
            return False
        for owner in self.program.classes.mro(cls):
            for name, stores in owner.stores.items():
                if any(names_scope(name, s) for s in self.program.policy.scopes) and any(
                    s.function.name == "__init__" for s in stores
                ):
                    return True
                if any(s.function.name == "__init__" for s in stores):
                    for one in self.program.inference.member(owner, name):
                        if (
                            isinstance(one, Instance)
                            and self.program.domain.is_carrier(one.cls)
                            and any(
                                self.sources.attribute_of(one.cls, s)
                                for s in self.program.policy.scopes
                            )
                        ):
                            return True
        return False

    def takes_entity(self, method: Function) -> bool:
        """Whether a parameter is an entity."""
        return any(
            isinstance(t, Instance) and t.cls in self.program.domain.entities
            for p in method.own_params
            for t in self.program.domain.parameter_types(method, p)
        )

    def _touches(self, method: Function) -> bool:
        """Whether the method takes an entity or an identifier, or touches a key."""
        if any(self.program.policy.is_key_name(p.name) for p in method.own_params):
            return False
        if any(
            self.program.domain.is_identifier(p) for p in method.own_params
        ) or self.takes_entity(method):
            return True
        if any(defect.function is method for defect in self.defects):
            return True
        return method in self.local.touched

    def _repository_functions(self) -> Iterable[Function]:
        """Functions outside of classes that read or write entities themselves."""
        sites = {site.function for site in self.program.keys.sites if site.role is not Role.HELPER}
        for module in self.program.names.modules.values():
            if module.is_test or module.generated:
                continue
            for function in module.functions:
                if (
                    function.owner is not None
                    or function.parent is not None
                    or function in self.program.keys.helpers
                ):
                    continue
                if self.program.domain.enters(function) or function.name.startswith("__"):
                    continue
                if any(self.program.policy.is_key_name(p.name) for p in function.own_params):
                    continue  # it is given whole keys, and knows nothing of what is in them
                uses = function in sites or self.program.domain.touches_table(function)
                takes = any(self.program.domain.is_identifier(p) for p in function.own_params)
                if uses and (takes or self.takes_entity(function)):
                    yield function

    def gain_param(self, function: Function, scope: Scope, knot: Knot) -> None:
        """Demand that the function, with its whole family, takes the scope."""
        family = (
            self.program.calls.family(function)
            if function.name not in _SPECIAL
            else frozenset((function,))
        )
        first = ("function", function)
        self.state.groups.join(knot, first)
        stubs = {stub for member in family for stub in _overloads(member)}
        for member in sorted(family | stubs, key=lambda f: (f.symbol, f.fact.at)):
            own: Knot = ("function", member)
            self.state.groups.join(first, own)
            taken = self.program.domain.scope_parameter(member, scope)
            if scope.parameter in self.state.params.get(member, ()) or (
                taken is not None and taken.kind not in ("*", "**")
            ):
                continue
            if not self._can_gain(member):
                self._block(member, scope, own)
                continue
            if self.sources.is_taken(member, scope.parameter):
                self._block(member, scope, own, f"`{scope.parameter}` means something else in it")
                continue
            self.state.params[member][scope.parameter] = scope
            for call, callee in list(self.program.calls.callers(member)):
                self._want_argument(call, scope, member, callee.given, own)
            for call, given, offset in list(forwarded(self.program, member)):
                self._want_argument(call, scope, member, given, own, offset)
            for call, given in list(asserted(self.program, member)):
                self._want_argument(call, scope, member, given, own)
            for stand_in in self.stand_ins.of(member):
                self._stand_in(stand_in, member, scope, own)

    def _stand_in(self, stand_in: StandIn, function: Function, scope: Scope, knot: Knot) -> None:
        """What a test puts in the function's place takes what the function takes."""
        given = stand_in.given
        for one in callables(self.program, stand_in.node):
            if isinstance(one, LambdaObject) and fits(one.node.params, function, given):
                module = self.program.names.place(one.node).scope.module
                self.doubles[id(one.node)] = Double(one.node.span, module, function, given)
            elif isinstance(one, FunctionObject) and one.function is not function:
                other = one.function
                params = other.params[int(one.bound and other.takes_self) :]
                if accepts_anything(params) or not fits(params, function, given):
                    continue
                if agrees(params, function, given, self.program.policy.scopes):
                    self.gain_param(other, scope, knot)
                elif other.owner is None and not any(
                    True for _ in self.program.calls.callers(other)
                ):
                    at = tree.span_of(other.fact.name_at)
                    self.doubles[id(other.fact)] = Double(at, other.module, function, given)

    def _can_gain(self, function: Function) -> bool:
        if function.is_property or function.module.generated or self._is_fixed(function):
            return False
        if function.name.startswith("__") and function.name not in _SPECIAL:
            return False
        return not self.program.domain.enters(function) and not (
            function.module.is_test and is_collected(function)
        )

    def _is_fixed(self, function: Function) -> bool:
        """Whether people have said that a signature is meant to be as it is."""
        at = function.fact.name_at
        return any(
            comment.row in range(at[0], at[2] + 1)
            and any(selects(comment.codes or (code,), code) for code in _SIGNATURES)
            for comment in function.module.facts.suppressions
        )

    def _block(
        self,
        function: Function,
        scope: Scope,
        knot: Knot,
        why: str = "its signature is not ours to change",
    ) -> None:
        reason = f"`{function.name}` needs `{scope.parameter}` and {why}"
        self._obstacle(
            knot,
            function.module.filename,
            tree.span_of(function.fact.name_at),
            reason,
            function.symbol,
            "source",
            scope,
        )

    def _obstacle(
        self,
        knot: Knot,
        filename: str,
        span: Span,
        reason: str,
        symbol: str,
        kind: str,
        scope: Scope,
    ) -> None:
        self.state.obstacles.append(
            (knot, Obstacle(filename, span, reason, symbol, kind, (scope.name,)))
        )

    def _want_argument(
        self,
        call: tree.Call,
        scope: Scope,
        callee: Function | Class,
        given: int,
        knot: Knot,
        offset: int = 0,
    ) -> None:
        known = self._asked.setdefault((id(call), scope.parameter), knot)
        if known is not knot:
            self.state.groups.join(known, knot)
            return
        forwarder = self._forwarder(call)
        if forwarder is not None:
            before = sum(p.kind in ("plain", "posonly") for p in forwarder.own_params)
            for outer, _ in list(self.program.calls.callers(forwarder)):
                self._want_argument(outer, scope, callee, given, knot, offset + before)
            return
        want = Want(
            scope, call, knot, "argument", call=call, callee=callee, given=given, offset=offset
        )
        self.state.wants.append(want)
        self._queued.append(want)

    def _forwarder(self, call: tree.Call) -> Function | None:
        """The function that passes all of its `*args` and `**kwargs` on by this call, and only those:
        its callers are the call sites."""
        function = self.program.names.place(call).scope.function
        if function is None or len(call.args) < 1:
            return None
        own = {p.name: p.kind for p in function.params if p.kind in ("*", "**")}
        given = {a.value.id: a.star for a in call.args if isinstance(a.value, tree.Name)}
        return function if len(given) == len(call.args) and own == given else None

    # --- calls of what is scoped already ---

    def _demand_calls(self) -> None:
        """Calls that lack the argument of a parameter that is there (CAP401)."""
        for module in self.program.names.modules.values():
            for function in module.functions:
                scopes = [
                    (s, p)
                    for s in self.program.policy.scopes
                    if (p := function.parameter(s.parameter)) is not None
                    and p.default is None
                    and p.kind != "**"
                ]
                if (
                    scopes
                    and not is_collected(function)
                    and not self.program.domain.enters(function)
                ):
                    self._check_callers(function, scopes)
        for cls in self.program.classes.all:
            if self.program.classes.is_data(cls):
                params = self.program.classes.constructor(cls) or ()
                needed = [
                    (s, p)
                    for s in self.program.policy.scopes
                    for p in params
                    if p.name == s.parameter and p.default is None
                ]
                if needed:
                    for call, _ in list(self.program.calls.constructors_of(cls)):
                        self._check_call(call, params, 0, needed, cls)

    def _check_callers(
        self, function: Function, scopes: list[tuple[Scope, tree.Parameter]]
    ) -> None:
        for call, callee in list(self.program.calls.callers(function)):
            self._check_call(call, function.params, callee.given, scopes, function)

    def _check_call(
        self,
        call: tree.Call,
        params: tuple[tree.Parameter, ...],
        given: int,
        scopes: list[tuple[Scope, tree.Parameter]],
        callee: Function | Class,
    ) -> None:
        """A call that does not bind because a scope's argument is not there, and would without that parameter."""
        if any(a.star for a in call.args) or bind(call.args, params, given) is not None:
            return
        module = self.program.names.place(call).scope.module
        if self.silence.over(module, call.at, "CAP401"):
            return
        possible = []
        for lacking in (*([pair] for pair in scopes), scopes):
            names = {p.name for _, p in lacking}
            bound = bind(call.args, tuple(p for p in params if p.name not in names), given)
            if bound is not None and not any(
                self._is_misplaced(name, argument) for name, argument in bound.arguments.items()
            ):
                possible.append([s for s, _ in lacking])
        if not possible:
            return
        found = possible[0]
        knot: Knot = ("call", id(call))
        if len(possible) > 1 and len(scopes) > 1:  # by hand, the innermost is added last
            found = max(possible, key=lambda scopes: self.program.policy.scopes.index(scopes[-1]))
            reason = "it cannot be told which of the scopes this call lacks"
            symbol = callee.symbol
            where = module.filename, call.span
            self._obstacle(knot, *where, reason, symbol, "reference", found[-1])
        self.partial_calls[id(call)] = (call, callee, found)
        for scope in found:
            self._want_argument(call, scope, callee, given, knot)

    def _is_misplaced(self, parameter: str, argument: tree.Argument) -> bool:
        """Whether an argument that is named like one scope would go to the parameter of something else."""
        name = hole_name(argument.value)
        meant = [s for s in self.program.policy.scopes if name and names_scope(name, s)]
        return bool(meant) and not any(names_scope(parameter, s) for s in meant)

    def _demand_helpers(self) -> None:
        """A key helper takes its scopes as parameters, whatever else is in reach."""
        for defect in self.defects:
            function = defect.function
            if (
                function is None
                or function not in self.program.keys.helpers
                or not self._can_gain(function)
            ):
                continue
            for want in defect.wants.values():
                if (
                    want.mirror is not None
                    and self.mirrored(want.mirror, want.scope, want.knot) is not None
                ):
                    continue
                if self.sources.own(want.scope, want.node) is None:
                    self.gain_param(function, want.scope, want.knot)

    # --- fixpoint ---

    def want(self, want: Want) -> None:
        """One more place that needs a scope's value."""
        self._mirror(want)
        self._ask(want)

    def _ask(self, want: Want) -> None:
        self.state.wants.append(want)
        self._queued.append(want)

    def _settle(self) -> None:
        while self._queued:
            queue, self._queued = self._queued, []
            for want in queue:
                self._satisfy(want)

    def _tie(self) -> None:
        """Join every want to what its value comes from in the end: a later parameter may be nearer
        than the source that was there when it was asked first."""
        for want in self.state.wants:
            value = self.value(want)
            if value is None:
                continue
            if value.knot is not None:
                self.state.groups.join(want.knot, value.knot)
            if value.root in self.state.handler_params:
                self.state.groups.join(want.knot, self.state.handler_params[value.root])

    def _satisfy(self, want: Want) -> None:
        value = self.value(want)
        if value is not None:
            if value.knot is not None:
                self.state.groups.join(want.knot, value.knot)
            return
        place = self.program.names.place(want.node)
        function = place.scope.function
        outermost = function
        while (
            outermost is not None
            and outermost.parent is not None
            and not self.program.domain.enters(outermost)
        ):
            outermost = outermost.parent
        rivals = self.sources.rivals(want.scope, want.node, want.call)
        if rivals:
            said = " and ".join(f"`{code}`" for code in rivals)
            self._no_source(want, outermost, f"both {said} have `{want.scope.parameter}`")
            return
        if self._extend_item(want) or self._extend_self(want):
            return
        if outermost is not None and self._thread(outermost, want):
            name = want.scope.parameter
            if self.value(want) is None and not self.sources.is_taken(outermost, name):
                reason = f"`{name}` means something else here"
                self._no_source(want, outermost, reason)
            return
        self._loose.add(id(want))
        if self.value(want) is not None:
            return
        if self.sources.constant(want.scope) is not None:
            self._constants.add(id(want))
        else:
            self._no_source(want, outermost)

    def _extend_item(self, want: Want) -> bool:
        """A key helper that is given `item.tenant_id`: the class of `item` gets the other scope too."""
        if want.call is None or want.callee not in self.program.keys.helpers:
            return False
        for scope in self.program.policy.scopes:
            argument = (
                self.argument_of(want.call, want, scope) if scope is not want.scope else None
            )
            if argument is None or not isinstance(argument.value, tree.Attr):
                continue
            owners = self.program.inference.of(argument.value.base)
            classes = [t.cls for t in owners if isinstance(t, Instance)]
            if classes and all(self.program.domain.is_item(c) for c in classes):
                found = self.mirrored(argument.value, want.scope, want.knot)
                if found is not None and self.value(want) is not None:
                    return True
        return False

    def _extend_self(self, want: Want) -> bool:
        """A call that is given `self.tenant_id`, of a class whose constructor takes it: the class gets
        the other scope the same way."""
        for scope in self.program.policy.scopes:
            if want.call is None or scope is want.scope:
                continue
            argument = self.argument_of(want.call, want, scope)
            path = argument.value if argument is not None else None
            if not isinstance(path, tree.Attr) or not isinstance(path.base, tree.Name):
                continue
            function = self.program.names.place(want.call).scope.function
            owner = function.owner if function is not None else None
            if owner is None or function is None or not function.takes_self:
                continue
            if path.base.id != function.params[0].name or not self._is_given(owner, path.name):
                continue
            if self.mirrored(path, want.scope, want.knot) is not None:
                return self.value(want) is not None
        return False

    def _is_given(self, cls: Class, name: str) -> bool:
        """Whether a constructor stores one of its parameters under a name."""
        return any(
            store.function.name == "__init__" and isinstance(store.value, tree.Name)
            for owner in self.program.classes.mro(cls)
            for store in owner.stores.get(name, ())
        )

    def _thread(self, function: Function, want: Want) -> bool:
        """Give the enclosing function the parameter, so that its callers become call sites."""
        if self.program.domain.enters(function):
            parameter = self.program.policy.handlers.parameter
            if (
                parameter is None
                or function.parameter(parameter.name) is not None
                or function not in self.program.domain.handlers
            ):
                return False
            self.state.handler_params[function] = want.knot
            if self.value(want) is None:
                del self.state.handler_params[function]
                return False
            return True
        if (
            function.is_property
            and function.owner is not None
            and self.can_gain_field(function.owner)
        ):
            self.gain_field(function.owner, want.scope, want.knot)
            return self.value(want) is not None
        if not self._can_gain(function):
            return False
        if self._is_called_from_outside(function):
            return False
        self.gain_param(function, want.scope, want.knot)
        return True

    def _is_called_from_outside(self, function: Function) -> bool:
        """A method that a foreign base calls, or a command: nobody in the program passes it anything."""
        if function.fact.decorators and any(
            last_name(d)
            in (
                "command",
                "task",
                "shared_task",
                "on_event",
                "middleware",
                "exception_handler",
                "listener",
                "receiver",
                "validator",
                "field_validator",
                "model_validator",
                "callback",
            )
            for d in function.fact.decorators
        ):
            return True
        if function.owner is None:
            return function.name == "main"
        if any(
            self.program.domain.scope_parameter(function, s) is not None
            for s in self.program.policy.scopes
        ):
            return False  # no framework knows of scopes
        plain = ("object", "ABC", "Protocol", "Generic", "BaseModel", "NamedTuple", "TypedDict")
        foreign = [
            b
            for b in self.program.classes.foreign_bases(function.owner)
            if b.rpartition(".")[2] not in plain
        ]
        return (
            bool(foreign)
            and not any(True for _ in self.program.calls.callers(function))
            and function.name not in _SPECIAL
        )

    def _no_source(self, want: Want, function: Function | None, reason: str = "") -> None:
        module = self.program.names.place(want.node).scope.module
        symbol = function.symbol if function is not None else module.name
        reason = reason or f"nothing in scope yields `{want.scope.parameter}`"
        span = (want.call or want.node).span
        self._obstacle(want.knot, module.filename, span, reason, symbol, "source", want.scope)

    # --- values ---

    def value(self, want: Want) -> Value | None:
        """The value of a want, as things stand."""
        if want.mirror is not None:
            found = self.mirrored(want.mirror, want.scope, want.knot)
            if found is not None:
                return found
        if want.call is not None and isinstance(want.callee, Class | Function):
            loaded = self._loaded(want) or self._beside_item(want)
            if loaded is not None:
                return loaded
        loose = id(want) in self._loose
        found = self.sources.find(want.scope, want.node, want.call, loose=loose)
        if found is None and isinstance(want.callee, Class | Function):
            found = self.loads.beside(want)
        if found is None and id(want) in self._constants:
            return self.sources.constant(want.scope)
        return found

    def _loaded(self, want: Want) -> Value | None:
        """A constructor call that reads an item: beside `item["tenant_id"]` comes `item["capsule_id"]`."""
        call = want.call
        assert call is not None
        cls = (
            want.callee
            if isinstance(want.callee, Class)
            else want.callee.owner
            if isinstance(want.callee, Function) and want.callee.name == "__init__"
            else None
        )
        function = self.program.names.place(call).scope.function
        if (
            cls is None
            or function is None
            or self.program.domain.enters(function)
            or function.module.is_test
        ):
            return None
        if not self.is_entity(cls):
            return None
        neighbour = self._neighbour(want.scope)
        argument = self.argument_of(call, want, neighbour)
        if argument is None:
            return Value("", kind="spread") if self._spreads_item(call) else None
        if not _is_read_again(argument.value):
            return None
        code = renamed_item_access(
            text_of(argument.value) or "", argument.value, neighbour, want.scope
        )
        if code is None:
            code = self._by_position(argument.value, neighbour, want.scope)
        return Value(code, kind="loaded") if code is not None else None

    def _beside_item(self, want: Want) -> Value | None:
        """Beside `item["stage"]` comes `item["org_id"]`, where items are written with both."""
        call = want.call
        assert call is not None
        for scope in self.program.policy.scopes:
            argument = self.argument_of(call, want, scope) if scope is not want.scope else None
            key = item_key(argument.value, scope) if argument is not None else None
            if argument is None or key is None or not _is_read_again(argument.value):
                continue
            new = rename(key, scope, want.scope)
            code = renamed_item_access(
                text_of(argument.value) or "", argument.value, scope, want.scope
            )
            if code is not None and any({key, new} <= names for names in self._item_names):
                return Value(code, kind="loaded")
        return None

    @cached_property
    def _item_names(self) -> list[set[str]]:
        """The string keys of each dict that the program, tests aside, spells out."""
        return [
            {
                key.value
                for key in node.keys
                if isinstance(key, tree.Const) and isinstance(key.value, str)
            }
            for module in self.program.names.modules.values()
            if not module.is_test
            for node in module.nodes
            if isinstance(node, tree.DictDisplay)
        ]

    def _spreads_item(self, call: tree.Call) -> bool:
        """`Entity(**item)`: what was written with the field is read with it."""
        return any(a.star == "**" and not self.spells_scope(a.value) for a in call.args)

    def spells_scope(self, node: tree.Node) -> bool:
        """Whether a dict that is spread is written out nearby, with a scope among its keys."""
        match node:
            case tree.Name():
                bindings = self.program.names.bindings(node.id, self.program.names.place(node))
                return any(b.value is not None and self.spells_scope(b.value) for b in bindings)
            case tree.Binary(op="|"):
                return self.spells_scope(node.left) or self.spells_scope(node.right)
            case tree.DictDisplay():
                return any(
                    isinstance(key, tree.Const)
                    and isinstance(key.value, str)
                    and any(names_scope(key.value, s) for s in self.program.policy.scopes)
                    for key in node.keys
                ) or any(
                    key is None and self.spells_scope(value)
                    for key, value in zip(node.keys, node.values, strict=True)
                )
            case tree.Call(func=tree.Name(id="dict")):
                names = [a.keyword for a in node.args if a.keyword is not None]
                return any(names_scope(n, s) for n in names for s in self.program.policy.scopes)
            case _:
                return False

    def takes(self, call: tree.Call, scope: Scope) -> bool:
        """Whether everything that a call may call takes the scope once the plan is carried out."""
        for callee in self.program.calls.callees(call):
            function, cls = callee.function, callee.cls
            if function is not None and function.name not in ("__init__", "__new__"):
                has = self.program.domain.scope_parameter(function, scope) is not None
                if not has and scope.parameter not in self.state.params.get(function, ()):
                    return any(p.kind in ("*", "**") for p in function.params)
            elif cls is not None and function is None:
                names = {p.name for p in self.program.classes.constructor(cls) or ()}
                if scope.parameter not in names and self._gaining(cls, scope) is None:
                    return False
        return True

    def _by_position(self, node: tree.Node, old: Scope, new: Scope) -> str | None:
        """Beside `pk.split("#")[1]` comes `pk.split("#")[3]`; beside an unpacked name the new one."""
        match node:
            case tree.Call() if len(node.args) == 1 and not isinstance(node.func, tree.Attr):
                inner = self._by_position(node.args[0].value, old, new)
                if inner is None:
                    return None
                func = text_of(node.func) or ""
                if old.type is not None and new.type is not None and func == old.type.name:
                    func = new.type.name
                return f"{func}({inner})"
            case tree.Subscript(index=tree.Const(value=int() as index)):
                base = text_of(node.base)
                if base is None or not any(True for _ in self.readers.splits(node.base)):
                    return None
                return f"{base}[{index + 1 + new.tag.count('#')}]"
            case tree.Name():
                for binding in self.program.names.bindings(
                    node.id, self.program.names.place(node)
                ):
                    if (
                        len(binding.path) == 1
                        and binding.value is not None
                        and any(True for _ in self.readers.splits(binding.value))
                    ):
                        return new.parameter
        return None

    def argument_of(self, call: tree.Call, want: Want, scope: Scope) -> tree.Argument | None:
        """What a call passes for another scope."""
        callee = want.callee
        if isinstance(callee, Class):
            params, given = self.program.classes.constructor(callee) or (), 0
        else:
            assert callee is not None
            params, given = callee.params, want.given
        bound = bind(call.args[want.offset :], params, given)
        if bound is None:
            return next(
                (a for a in call.args if a.keyword and names_scope(a.keyword, scope)), None
            )
        return next((a for n, a in bound.arguments.items() if names_scope(n, scope)), None)


def _is_read_again(node: tree.Node) -> bool:
    """Whether what an item is read from can be read once more, for the other key: `item["tenant_id"]`,
    `kw.pop("tenant_id")`, but not `rows.pop()["tenant_id"]`."""
    match node:
        case tree.Call(func=tree.Attr(name="get" | "pop") as func, args=(first, *_)) if isinstance(
            first.value, tree.Const
        ) and isinstance(first.value.value, str):
            return repeatable(func.base)
        case tree.Call(args=(only,)) if not isinstance(node.func, tree.Attr):
            return _is_read_again(only.value)
        case tree.Call(func=tree.Attr(base=tree.Name()), args=(only,)):
            return _is_read_again(only.value)
        case _:
            return repeatable(node)


def _overloads(function: Function) -> list[Function]:
    """The `@overload` stubs of a function."""
    return [
        other
        for other in function.module.functions
        if other.qualname == function.qualname
        and other is not function
        and "overload" in other.decorators
    ]
