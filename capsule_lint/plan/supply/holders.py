"""Objects at hand that hold a scope's value: those beside it in a call, those in scope, and `self`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.mixins import mixed_into
from capsule_lint.plan.state import State, Value
from capsule_lint.plan.supply.read_for_others import read_for
from capsule_lint.plan.supply.repeats import kept, repeatable
from capsule_lint.plan.supply.visible import may_be_none
from capsule_lint.policy import SourceKind
from capsule_lint.program.fields import COPY_FUNCTIONS
from capsule_lint.program.inference.presence import is_present
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Class, Function, Place, enclosing, last_name
from capsule_lint.program.reaching import reaching, same_flow
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.supply.restated import Restated
    from capsule_lint.plan.supply.visible import Visible
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type

_LIKE: Final = (*COPY_FUNCTIONS, "copy", "deepcopy")
"""Functions that make another object of what they are given first."""


@dataclass(eq=False, slots=True)
class Holders:
    """Finds them, and by which attribute they hold it."""

    program: Program
    state: State
    visible: Visible
    restated: Restated
    _told: dict[int, tuple[tree.Name, tree.Node]] = field(default_factory=dict)
    """Names, and what is said behind them."""
    _values: dict[int, tuple[Place, tuple[tuple[str, Class], ...]]] = field(default_factory=dict)
    """What is in scope at a place."""
    _beside: dict[int, tuple[tree.Call, tuple[tuple[str, Class], ...]]] = field(
        default_factory=dict
    )
    """What is beside what calls are given."""

    # --- attributes ---

    def attribute_of(self, cls: Class, scope: Scope) -> str | None:
        """The attribute of the class, there or to come, that holds the scope's value."""
        for owner in self.program.classes.mro(cls):
            if self.state.gains(owner, scope):
                return self.state.attributes.get((owner, scope.parameter), scope.parameter)
        for name in (scope.parameter, f"_{scope.parameter}"):
            method = self.program.classes.method(cls, name)
            if method is not None and not method.is_property:
                continue
            if self.program.classes.has_attribute(cls, name):
                return name
        every = {self.attribute_of(heir, scope) for heir in mixed_into(self.program, cls)}
        if len(every) == 1:
            return every.pop()
        return self.program.domain.held.attribute(cls, scope)

    def read_of(self, node: tree.Node, cls: Class, scope: Scope, beside: str = "") -> str | None:
        """How the scope's value is read of an object: of `self`, or where its class gains it, by that attribute; of
        another one as policy says, and by nothing private unless what is read `beside` it is."""
        attribute = self.attribute_of(cls, scope)
        if self._is_own(node) or self.field_knot(cls, scope) is not None:
            return attribute
        access = self.configured_access(cls, scope)
        if access is not None and (attribute is None or not beside.startswith("_")):
            return access
        private = is_private(attribute) and not beside.startswith("_")
        return None if private else attribute

    def _is_own(self, node: tree.Node) -> bool:
        """Whether an expression is the object whose method it stands in."""
        return isinstance(node, tree.Name) and any(
            function.self_name == node.id for function in enclosing(self.program.names.place(node))
        )

    def configured_access(self, cls: Class, scope: Scope) -> str | None:
        """What policy reads of the instances of a class."""
        mro = self.program.classes.mro(cls)
        for spec in scope.sources:
            if spec.kind is SourceKind.ATTRIBUTE and any(spec.name == c.name for c in mro):
                wanted = self.program.names.definition(spec.dotted)
                if isinstance(wanted, Class) and wanted in mro:
                    return spec.access
        return None

    def path(self, code: str, cls: Class | None, attribute: str) -> str:
        """The code that reads an attribute of an object of a class: `ctx.capsule_id`, `ctx["capsule_id"]` of a dict."""
        typed = cls is not None and self.program.classes.is_typed_dict(cls)
        return f'{code}["{attribute}"]' if typed else f"{code}.{attribute}"

    def field_knot(self, cls: Class, scope: Scope) -> tuple[str, object] | None:
        """The change by which a class gains the attribute of a scope; `None` where it has it."""
        for owner in self.program.classes.mro(cls):
            if self.state.gains(owner, scope):
                return ("class", owner)
        return None

    def of_self(self, scope: Scope, function: Function) -> Value | None:
        """What the object of a method holds: `self.tenant_id`; nothing while it is being made."""
        if (
            function.owner is None
            or not function.takes_self
            or function.name in ("__init__", "__new__")
            or "classmethod" in function.decorators
        ):
            return None
        attribute = self.attribute_of(function.owner, scope)
        if attribute is None:
            return None
        return Value(
            f"{function.params[0].name}.{attribute}", knot=self.field_knot(function.owner, scope)
        )

    def attribute_beside(
        self, scope: Scope, call: tree.Call | None, *, behind: bool = False
    ) -> Value | None:
        """`cart.capsule_id` beside `cart.tenant_id` among the arguments of a call, or, if that is asked, `behind` the
        locals among them: `tenant_id = cart.tenant_id`."""
        held = self.program.domain.held.is_attribute
        others = self.program.policy.others(scope)
        for argument in call.args if call is not None else ():
            path = self.restated.path(argument.value)
            path = kept(path, self.program) if behind else path
            if not isinstance(path, tree.Attr) or not repeatable(path.base, self.program):
                continue
            if behind and "(" in (text_of(path) or ""):
                continue
            types = ordered(self.program.inference.of(path.base))
            for one in types:
                if isinstance(one, Instance) and any(held(one.cls, path.name, s) for s in others):
                    attribute = self.read_of(path.base, one.cls, scope, path.name)
                    base = text_of(path.base)
                    if attribute is not None and base is not None and self._all_have(types, scope):
                        return Value(f"{base}.{attribute}", knot=self.field_knot(one.cls, scope))
                    within = self._within(one.cls, path.name, scope) if len(types) == 1 else None
                    if within is not None and attribute is None and base is not None:
                        return replace(within, code=f"{base}.{within.code}")
        return None

    def _within(self, cls: Class, name: str, scope: Scope) -> Value | None:
        """What an object within one has beside what a property reads of it: `scope.capsule_id` of an `actor` whose
        `tenant_id` is that of `self.scope`."""
        method = self.program.classes.method(cls, name)
        read = method.returns[0] if method is not None and len(method.returns) == 1 else None
        if method is None or not method.is_property or not isinstance(read, tree.Attr):
            return None
        of = read.base
        if not isinstance(of, tree.Attr) or text_of(of.base) != method.params[0].name:
            return None
        inner = self.program.inference.the_class(self.program.inference.of(of))
        attribute = self.attribute_of(inner, scope) if inner is not None else None
        if inner is None or is_private(attribute) or is_private(of.name):
            return None
        code = f"{of.name}.{attribute}" if attribute is not None else None
        return Value(code, knot=self.field_knot(inner, scope)) if code is not None else None

    def _all_have(self, types: Iterable[Type], scope: Scope) -> bool:
        """Whether an object has a scope whichever of these it is: one event of several."""
        classes = (one.cls for one in types if isinstance(one, Instance))
        return all(self.attribute_of(cls, scope) is not None for cls in classes)

    def gained_beside(
        self, scope: Scope, call: tree.Call | None, *, behind: bool = False
    ) -> Value | None:
        """What an object is going to be told that a call gets and that is made there, or, if that is asked, `behind` a
        local: beside `root.tenant_id` of `put(Stock(root.tenant_id))`."""
        names = self.program.names
        for argument in call.args if call is not None else ():
            made = argument.value
            if behind:
                made = only_assigned(names, made) or made
            for callee in self.program.calls.callees(made) if isinstance(made, tree.Call) else ():
                gains = callee.cls or callee.function
                if gains is None or not isinstance(made, tree.Call):
                    continue
                knot = self.field_knot(gains, scope) if isinstance(gains, Class) else None
                if knot is not None or self.state.gains(gains, scope):
                    beside = self.attribute_beside(scope, made)
                    root = beside.code.partition(".")[0] if beside is not None else ""
                    then, now = (
                        names.bindings(root, names.place(n)) for n in (made, argument.value)
                    )
                    same = made is argument.value or (then == now and len(now) == 1)
                    if beside is not None and same:
                        return beside
        return None

    def told_beside(self, scope: Scope, call: tree.Call | None) -> Value | None:
        """What an object is told that a call gets, which is made there or in a local: `args.tenant_id` of
        `put(Stock(tenant_id=args.tenant_id))`."""
        program = self.program
        if (gained := self.gained_beside(scope, call)) is not None:
            return gained
        for argument in call.args if call is not None else ():
            made = only_assigned(program.names, argument.value) or argument.value
            if made is argument.value and (whose := self._made_for(made, scope)) is not None:
                return whose
            for callee in program.calls.callees(made) if isinstance(made, tree.Call) else ():
                attribute = (
                    self.attribute_of(callee.cls, scope) if callee.cls is not None else None
                )
                if callee.cls is None or attribute is None or not isinstance(made, tree.Call):
                    continue
                told = program.classes.kept(callee.cls, attribute, made.args)
                here = isinstance(told, tree.Attr) and made is argument.value
                code = text_of(told) if told is not None and (here or self._stays(told)) else None
                if told is not None and code is not None and repeatable(told, program):
                    return Value(code)
        return None

    def _made_for(self, node: tree.Node, scope: Scope) -> Value | None:
        """What a method is told that makes another object of its own one: `target` of `task.copy_to(target)`."""
        if not isinstance(node, tree.Call) or self._copied(node) is None:
            return None
        for callee in self.program.calls.callees(node):
            function = callee.function
            taken = self.program.domain.scope_parameter(function, scope) if function else None
            if function is None or taken is None:
                continue
            given = callee.arguments(node).get(taken.name)
            code = text_of(given.value) if given is not None else None
            if given is not None and code is not None and repeatable(given.value, self.program):
                return Value(code)
        return None

    def _stays(self, node: tree.Node) -> bool:
        """Whether an expression is a name that is bound once."""
        return isinstance(node, tree.Name) and len(self.program.names.bindings_of(node)) == 1

    # --- objects ---

    def beside(self, call: tree.Call | None) -> tuple[tuple[str, Class], ...]:
        """The values of known class among a call's arguments: `ctx` of `ctx.tenant_id`, also where that
        was kept in a local before, or is read by a function, plain names, and what copies are made of: `cart` of `cart.paid()`.

        Where several values could be meant, the call's own arguments say which one is.
        """
        if call is None:
            return ()
        if id(call) not in self._beside:
            self._beside[id(call)] = call, tuple(self._beside_in(call))
        return self._beside[id(call)][1]

    def _beside_in(self, call: tree.Call) -> Iterator[tuple[str, Class]]:
        values = [self._said(a.value) for a in call.args]
        paths = [p.base for value in values for p in self.paths_in(value)]
        named = [one for one in map(self._named, values) if one is not None]
        for node in (*paths, *named):
            code = text_of(node)
            if code is None or self._is_unfinished(node) or not repeatable(node, self.program):
                continue
            if node in paths:
                types = self.program.inference.of(node)
                cls = self.program.inference.the_class(types, present=True)
            else:
                cls = self._class_of(node)
            if cls is not None:
                yield code, cls
        inference = self.program.inference
        for argument in call.args:
            for code, node in read_for(self.program, argument.value):
                cls = inference.the_class(inference.of(node), present=True)
                if cls is not None:
                    yield code, cls

    def _named(self, node: tree.Node) -> tree.Name | None:
        """A plain name, or that of which an argument is made and another object of its class, for nobody else."""
        if isinstance(node, tree.Name):
            return node
        base = self._copied(node)
        told = node.keywords if isinstance(node, tree.Call) else ()
        if base is None or any(self._names_any(name) for name, _ in told):
            return None
        callees = self.program.calls.callees(node) if isinstance(node, tree.Call) else ()
        takes = self.program.domain.takes_scope
        return None if any(c.function and takes(c.function) for c in callees) else base

    def _copied(self, node: tree.Node) -> tree.Name | None:
        """The name of which another object of its class is made: `cart.paid()`, `replace(cart, lines=[])`."""
        match node:
            case tree.Call(func=tree.Attr(base=tree.Name() as base)):
                pass
            case tree.Call(
                func=func, args=(tree.Argument(value=tree.Name() as base, star=""), *_)
            ) if last_name(func) in _LIKE:
                pass
            case _:
                return None
        cls = self._class_of(base)
        return base if cls is not None and self._class_of(node) is cls else None

    def holding(self, call: tree.Call, scope: Scope) -> Iterator[tuple[tree.Name, Class]]:
        """The plain names among a call's arguments that hold another scope: `command`, and its class."""
        others = self.program.policy.others(scope)
        for argument in call.args:
            if isinstance(argument.value, tree.Name):
                cls = self._class_of(argument.value)
                if cls is not None and any(self.attribute_of(cls, s) for s in others):
                    yield argument.value, cls

    def _said(self, node: tree.Node) -> tree.Node:
        """The `ctx.tenant_id` that a local was given."""
        if not isinstance(node, tree.Name):
            return node
        if id(node) not in self._told:
            found = kept(node, self.program)
            told = isinstance(found, tree.Attr) and self._names_any(found.name)
            self._told[id(node)] = node, found if told else node
        return self._told[id(node)][1]

    def paths_in(self, node: tree.Node) -> Iterator[tree.Attr]:
        """The `x.tenant_id` in an argument, also deep inside of it, and behind a local."""
        node = self._said(node)
        if isinstance(node, tree.Attr) and self._names_any(node.name):
            yield node
        for child in node.below():
            yield from self.paths_in(child)

    def _class_of(self, node: tree.Node) -> Class | None:
        types = self.program.inference.of(node)
        if not isinstance(node, tree.Name):
            return self.program.inference.the_class(types)
        place = self.program.names.place(node)
        present = is_present(node.id, place)
        if not present and any(
            may_be_none(b) for b in self.program.names.bindings(node.id, place)
        ):
            return None
        return self.program.inference.the_class(types, present=present)

    def _is_unfinished(self, node: tree.Node) -> bool:
        """Whether this is `self` where it is being made: nobody knows what it has by then."""
        function = self.program.names.function_of(node)
        return (
            isinstance(node, tree.Name)
            and function is not None
            and function.name in ("__init__", "__new__")
            and node.id == function.self_name
        )

    def _names_any(self, name: str) -> bool:
        return names_any_of(name, self.program.policy.scopes)

    def values(self, place: Place) -> tuple[tuple[str, Class], ...]:
        """The plain names in scope whose class is known, nearest scope first, parameters first."""
        if id(place) not in self._values:
            self._values[id(place)] = place, tuple(self._values_at(place))
        return self._values[id(place)][1]

    def _values_at(self, place: Place) -> Iterator[tuple[str, Class]]:
        for scope in place.scope.ancestors():
            if scope.kind in ("module", "class"):
                return
            for name, bindings in list(scope.bindings.items()):
                binding = self.visible.binding(name, place)
                if binding is None or binding not in bindings:
                    continue
                if (
                    binding.parameter is not None
                    and scope.function is not None
                    and scope.kind == "function"
                ):
                    if scope.function.takes_self and binding.parameter is scope.function.params[0]:
                        continue
                    if binding.parameter.kind in ("*", "**"):
                        continue
                held = reaching(bindings, place) if same_flow(scope, place) else bindings
                present = is_present(name, place)
                if not present and any(may_be_none(b) for b in held):
                    continue
                types = frozenset(t for b in held for t in self.program.inference.bound(b))
                cls = self.program.inference.the_class(types, present=present)
                if cls is not None:
                    yield name, cls

    def kept_in(self, pairs: Iterable[tuple[str, Class]]) -> Iterator[tuple[str, Class]]:
        """What values that are no repositories have from the start, and everybody may read: `command.ctx`."""
        inference, repositories = self.program.inference, self.program.domain.repositories
        for code, cls in pairs:
            names = () if cls in repositories else self.program.classes.made_with(cls)
            for name in dict.fromkeys(name for _, name in names):
                held = inference.the_class(inference.member(cls, name))
                if held is not None and not name.startswith("_"):
                    yield f"{code}.{name}", held

    def own_attributes(self, place: Place) -> Iterator[tuple[str, Class]]:
        """The attributes of `self` whose class is known and that carry a request: `self.ctx`."""
        for function in enclosing(place):
            if function.owner is None or not function.takes_self or function.name == "__init__":
                continue
            for cls in self.program.classes.mro(function.owner):
                fields = [f.name for f in self.program.classes.fields(cls) if f.owner is cls]
                for name in dict.fromkeys((*cls.stores, *fields)):
                    for one in self.program.inference.member(cls, name):
                        if isinstance(one, Instance) and self.program.domain.is_carrier(one.cls):
                            yield f"{function.params[0].name}.{name}", one.cls


def is_private(attribute: str | None) -> bool:
    """Whether an attribute is its own object's alone."""
    return attribute is not None and attribute.startswith("_")
