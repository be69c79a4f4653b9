"""Classes that gain a field, and the access paths that go through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import added_entry, text_of
from capsule_lint.plan.entities.keyed import needs_no_scope
from capsule_lint.plan.entities.setters import setters
from capsule_lint.plan.entities.told_later import begins_empty
from capsule_lint.plan.mixins import mixed_into
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Knot, Value, Want
from capsule_lint.plan.supply.rebuilds import rebuilds
from capsule_lint.plan.supply.repeats import repeatable
from capsule_lint.plan.supply.restated import CONSTRUCTORS
from capsule_lint.plan.uses.passthrough import asserted_made
from capsule_lint.program.fields import described
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function


@dataclass(eq=False, slots=True)
class Gains(Room):
    """Gives classes the fields that a plan needs."""

    planner: Planner

    def mirror(self, want: Want) -> None:
        """Give the class of the neighbour's access path the field, where it is the program's own."""
        if want.mirror is not None:
            self.mirrored(want.mirror, want.scope, want.knot)

    def mirrored(self, node: tree.Node, scope: Scope, knot: Knot) -> Value | None:
        """The access path beside `node`, with the class's field demanded where it is not there yet."""
        asked = self.planner.sources.ambient.beside(node, scope)
        if asked is not None:
            return asked
        node = self.planner.sources.restated.path(node)
        match node:
            case tree.Call(func=tree.Name(id="str")) if len(node.args) == 1:
                return self.mirrored(node.args[0].value, scope, knot)
            case tree.Call(func=tree.Name(), args=()):
                return self.planner.helpers.beside(node, scope, knot)
            case tree.Call(func=tree.Attr() as func) if not node.args:
                return self.mirrored(func.base, scope, knot)
            case tree.Attr(name="value" | "hex"):
                return self.mirrored(node.base, scope, knot)
            case tree.Attr():
                return self._mirrored_attribute(node, scope, knot)
            case tree.Call() if (path := _given_alone(node)) is not None:
                return self.mirrored(path, scope, knot)
            case tree.Name() if isinstance(
                made := only_assigned(self.program.names, node), tree.Call
            ) and (path := _given_alone(made)):
                return self.mirrored(path, scope, knot)
            case _:
                return None

    def _mirrored_attribute(self, node: tree.Attr, scope: Scope, knot: Knot) -> Value | None:
        scopes, held = self.program.policy.scopes, self.program.domain.held
        found: Value | None = None
        for one in ordered(self.program.domain.object_types(node.base)):
            if isinstance(one, Instance) and any(
                held.is_attribute(one.cls, node.name, s) for s in scopes
            ):
                # each class that it may be of has to have the field
                value = self._mirrored_in(one.cls, node, scope, knot)
                found = found or value
        return found

    def _mirrored_in(self, cls: Class, node: tree.Attr, scope: Scope, knot: Knot) -> Value | None:
        """The same for an object of one class."""
        if self._is_told_by(cls, node.name, scope):
            return self.mirrored(node.base, scope, knot)
        base = text_of(node.base)
        if base is None or not repeatable(node.base, self.program):
            return None
        holders = self.planner.sources.holders
        attribute = holders.read_of(node.base, cls, scope, node.name)
        if attribute is None and holders.attribute_of(cls, scope) is not None:
            return None  # it is its own, and no one else's to read
        if attribute is None:
            through = self._through_property(cls, node, scope, knot)
            if through is not None:
                return through
            if self._is_narrowed(cls, scope) or not self.can_gain_field(cls):
                return None
            attribute = self.gain_field(cls, scope, knot, like=node.name)
        owner = self.gaining(cls, scope)
        return Value(
            f"{base}.{attribute}", knot=("class", owner) if owner else None, kind="mirror"
        )

    def _is_told_by(self, cls: Class, name: str, scope: Scope) -> bool:
        """Whether an attribute is the `id` of a `Tenant`, which is in no capsule: what has the tenant is."""
        domain, planner = self.program.domain, self.planner
        others = self.program.policy.others(scope)
        if names_any_of(name, others) or not domain.is_boundary(cls):
            return False
        return planner.sources.holders.attribute_of(cls, scope) is None

    def gaining(self, cls: Class, scope: Scope) -> Class | None:
        """The class of the hierarchy that gains the field; `None` if none does."""
        homes = self.program.classes.mro(cls)
        return next((home for home in homes if self.state.gains(home, scope)), None)

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

    def is_entity(self, cls: Class) -> bool:
        """Whether instances are items: the program says so, or the plan has found that out."""
        domain = self.program.domain
        return cls in domain.entities or (cls in self.state.fields and domain.is_item(cls))

    def _is_narrowed(self, cls: Class, scope: Scope) -> bool:
        """Whether policy says that an entity is not kept apart by a scope."""
        policy = self.program.policy
        return scope not in policy.scopes_of(cls.name)

    def _has_narrowed(self, cls: Class, scope: Scope) -> bool:
        """Whether policy says so of a class, or of one that inherits its fields."""
        heirs = self.program.classes.subclasses(cls)
        return any(self._is_narrowed(heir, scope) for heir in heirs)

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
        if heirs := mixed_into(self.program, cls):
            for heir in heirs:
                if not self.program.classes.has_attribute(heir, scope.parameter):
                    self.gain_field(heir, scope, knot)
            return scope.parameter
        home = self._below_narrowed(cls, self._home(cls, like), scope)
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
        for heir in self._own_homes(home, like):
            self.gain_field(heir, scope, knot_of, like=like)
        initializer = home.methods.get("__init__")
        if initializer is not None:
            self.state.groups.join(knot_of, ("function", initializer))
            self._gain_initializer(initializer, scope)
        else:
            made = [call for call, _ in self.program.calls.constructors_of(home)]
            for call in (*made, *asserted_made(self.program, home)):
                if like is None or not needs_no_scope(self.program, call, home):
                    self.planner.signatures.want_argument(call, scope, home, 0, knot_of)
            for call, given, offset in self._made_by_others(home):
                self.planner.signatures.want_argument(call, scope, home, given, knot_of, offset)
        for call, value in list(rebuilds(self.program, home, scope)):
            self.planner.ask(
                Want(scope, call, knot_of, "rebuild", call=call, callee=home, mirror=value)
            )
        return attribute

    def _made_by_others(self, home: Class) -> Iterator[tuple[tree.Call, int, int]]:
        """The calls that have others make objects of a class, `submit(Note, tenant_id, note_id)`: a partial that gives
        no scope may leave them to whoever calls it."""
        classes, scopes = self.program.classes, self.program.policy.scopes
        for heir in classes.subclasses(home):
            for call, given, offset in self.program.calls.handed_on(heir):
                own, spread = classes.constructor(heir) or (), any(a.star for a in call.args)
                plain = () if spread else call.unnamed[offset:]
                said = [a.keyword for a in call.args if a.keyword]
                said += [p.name for p in own[given : given + len(plain)] if p.by_position]
                told = any(names_any_of(name, scopes) for name in said)
                if classes.initializer(heir) is None and (
                    told or last_name(call.func) != "partial"
                ):
                    yield call, given, offset

    def _own_homes(self, cls: Class, like: str | None) -> list[Class]:
        """The heirs of a class that only declares the neighbouring field which have it by themselves, or those of
        any that set it in an initializer of their own."""
        classes = self.program.classes
        if like is None:
            return []
        heirs = [heir for heir in classes.subclasses(cls) if heir is not cls]
        if classes.is_data(cls) or like in cls.stores:
            return [
                heir
                for heir in heirs
                if any(
                    s.function is heir.methods.get("__init__") for s in heir.stores.get(like, ())
                )
            ]
        return [
            heir
            for heir in heirs
            if (
                any(s.function.name in CONSTRUCTORS for s in heir.stores.get(like, ()))
                or (
                    classes.is_data(heir)
                    and any(f.name == like and f.owner is heir for f in classes.fields(heir))
                )
            )
        ]

    def _check_setters(self, cls: Class, scope: Scope, knot: Knot) -> None:
        """Methods that set the neighbouring field, other than constructors, have to set the new one too: those that
        are given its value are given both, and nobody gives it to the others."""
        given = setters(self.program, cls, self.neighbour(scope))
        for store in given:
            if self.program.domain.scope_parameter(store.function, scope) is None:
                self.planner.signatures.gain(store.function, scope, ("function", store.function))
            self.state.groups.join(knot, ("function", store.function))
        held, heirs = self.program.domain.held.is_attribute, self.program.classes.subclasses(cls)
        for name, stores in (pair for heir in heirs for pair in heir.stores.items()):
            if not any(held(cls, name, s) for s in self.program.policy.others(scope)):
                continue
            for store in stores:
                if store.function.name in CONSTRUCTORS or isinstance(store.value, tree.Const):
                    continue
                if store in given:
                    continue
                function = store.function
                reason = (
                    f"`{function.name}` sets `{name}`, and nothing sets `{scope.parameter}` there"
                )
                span = store.statement.targets[0].span
                where = knot, function.module.filename, span, reason, function.symbol
                self.planner.obstacle(*where, "source", scope)

    def _holding(self, cls: Class, scope: Scope) -> str | None:
        """The attribute by which instances have a scope: its value, or the `Tenant` that says it."""
        known = self.planner.sources.holders.attribute_of(cls, scope)
        if known is not None:
            return known
        program = self.program
        return next(
            (
                field.name
                for field in program.classes.fields(cls)
                if names_scope(field.name, scope)
                for one in program.inference.member(cls, field.name)
                if isinstance(one, Instance) and program.domain.is_boundary(one.cls)
            ),
            None,
        )

    def _is_left_to_heirs(self, cls: Class, scope: Scope) -> bool:
        """Whether those that inherit from a class have a scope by themselves, as with a mixin that reads it."""
        heirs = self.program.classes.subclasses(cls)
        return any(heir is not cls and self._holding(heir, scope) for heir in heirs)

    def _home(self, cls: Class, like: str | None) -> Class:
        """The class of the hierarchy that defines the neighbouring field."""
        if like is not None:
            for owner in self.program.classes.mro(cls):
                if like in owner.stores or any(
                    f.name == like and f.owner is owner for f in self.program.classes.fields(owner)
                ):
                    return owner
                if any(f.name == like for f in described(owner)):
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

    def _below_narrowed(self, cls: Class, home: Class, scope: Scope) -> Class:
        """The uppermost class from `cls` up to `home` none of whose heirs policy keeps apart by less, or has the field
        already: what is stored of the former never has it. Where an initializer sets the fields, one whose own
        takes scopes, too; `home` where there is none."""
        classes = self.program.classes
        made, takes = classes.is_data(home), self.program.domain.takes_scope
        line = [one for one in classes.mro(cls) if home in classes.mro(one)]
        own = ((one, one.methods.get("__init__")) for one in line)
        fit = [one for one, function in own if made or (function is not None and takes(function))]
        fit = [one for one in fit if not self._has_narrowed(one, scope)]
        fit = [one for one in fit if not (made and self._is_had(one, scope))]
        return fit[-1] if fit else home

    def _is_had(self, cls: Class, scope: Scope) -> bool:
        """Whether a class that inherits from another one has a field for a scope already, which that has not."""
        holders = self.planner.sources.holders
        had = [
            heir
            for heir in self.program.classes.subclasses(cls)
            if holders.field_knot(heir, scope) is None and self._holding(heir, scope) is not None
        ]
        return bool(had) and cls not in had

    def _gain_initializer(self, function: Function, scope: Scope) -> None:
        if self.program.domain.scope_parameter(function, scope) is not None:
            return
        own = function.owner.stores.items() if function.owner is not None else ()
        held = self.program.domain.held.takes
        stores = [
            s
            for name, listed in own
            for s in listed
            if s.function is function and held(function.owner, name, self.neighbour(scope))
        ]
        source = stores[0].value if stores else None
        if begins_empty(self.program, function, self.neighbour(scope)) is not None:
            return  # `self.tenant_id = None` is followed by one for the scope
        if (
            source is not None
            and not isinstance(source, tree.Name)
            and self.mirrored(source, scope, ("function", function)) is not None
        ):
            return  # `self.tenant_id = ctx.tenant_id` goes on as `self.capsule_id = ctx.capsule_id`
        if self._takes_any(function) or (
            source is not None and self.reads_keywords(function, source)
        ):
            for call, callee in list(self.program.calls.callers(function)):
                self.planner.signatures.want_argument(
                    call, scope, function, callee.given, ("function", function)
                )
            return  # and `self.tenant_id = kw["tenant_id"]` as `self.capsule_id = kw["capsule_id"]`
        added = self._added_keyword(function, scope)
        if added is not None and self.mirrored(added, scope, ("function", function)) is not None:
            return  # `kw.setdefault("tenant_id", page.tenant_id)` is followed by one for the scope
        self.planner.signatures.gain(function, scope, ("function", function))

    def _takes_any(self, function: Function) -> bool:
        """Whether an initializer hands whatever it is given by keyword to the one that sets the fields."""
        program = self.program
        if function.owner is None or not program.classes.declares(function.owner):
            return False
        if program.domain.takes_scope(function):
            return False
        return any(
            self.reads_keywords(function, argument.value)
            for call in program.calls.handed_up(function)
            for argument in call.args
            if argument.star == "**"
        )

    def _added_keyword(self, function: Function, scope: Scope) -> tree.Node | None:
        """What an initializer itself adds to its `**` parameter for the neighbouring scope."""
        for statement, _ in function.scope.statements:
            added = added_entry(statement)
            if (
                added is not None
                and names_scope(added.key, self.neighbour(scope))
                and self.reads_keywords(function, added.base)
            ):
                return added.value
        return None

    def reads_keywords(self, function: Function, node: tree.Node) -> bool:
        """Whether an expression takes a value from the function's `**` parameter."""
        while isinstance(node, tree.Call | tree.Subscript):
            node = node.base if isinstance(node, tree.Subscript) else node.func
            node = node.base if isinstance(node, tree.Attr) else node
        keywords = {p.name for p in function.params if p.kind == "**"}
        return isinstance(node, tree.Name) and node.id in keywords

    def neighbour(self, scope: Scope) -> Scope:
        """The scope beside which another one stands: the one before it, or else the one after."""
        scopes = self.program.policy.scopes
        at = scopes.index(scope)
        return scopes[at - 1] if at else scopes[min(1, len(scopes) - 1)]

    def keys(self) -> None:
        """Classes whose instances are keys of collections get the scopes that their keys lack."""
        classes = self.planner.local.classes
        for (cls, _), (scope, knot) in classes.lacking.items():
            if self.planner.sources.holders.attribute_of(
                cls, scope
            ) is None and self.can_gain_field(cls):
                like = classes.held(cls)
                self.gain_field(cls, scope, knot, like=next(iter(like.values())))

    def entities(self) -> None:
        """Entities whose repositories lack a scope get the field beside the one they have."""
        for cls in sorted(self.program.domain.entities, key=lambda c: c.symbol):
            entity = self.program.domain.narrowed_names(cls, None, cls.module.name)
            required = self.program.policy.scopes_of(entity)
            have = [s for s in self.program.policy.scopes if self._holding(cls, s)]
            lacking = [
                scope
                for scope in required
                if scope not in have
                and not self._has_narrowed(cls, scope)
                and not self._is_left_to_heirs(cls, scope)
            ]
            if have and lacking and self.can_gain_field(cls) and not cls.module.is_test:
                for scope in lacking:
                    like = self._holding(cls, have[0])
                    self.gain_field(cls, scope, ("entity", cls.name), like=like)


def _given_alone(call: tree.Call) -> tree.Node | None:
    """The path that a call makes something of: `ctx.tenant_id` of `slug(ctx.tenant_id)`, `quote(ctx.tenant_id, safe="")`."""
    given = [a.value for a in call.args if not isinstance(a.value, tree.Const)]
    return given[0] if len(given) == 1 and isinstance(given[0], tree.Attr) else None
