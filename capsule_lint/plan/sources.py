"""Where a scope's value comes from at a place: the order of DESIGN's section 4."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.ambient import Ambient
from capsule_lint.plan.code import text_of
from capsule_lint.plan.given import Given
from capsule_lint.plan.options import option_beside
from capsule_lint.plan.repeats import kept, names_in, repeatable
from capsule_lint.plan.state import State, Value
from capsule_lint.policy import SourceKind, SourceSpec
from capsule_lint.program.model import Binding, Class, Function, Place, enclosing
from capsule_lint.program.names import reaching, same_flow
from capsule_lint.program.pieces import names_scope
from capsule_lint.program.presence import has_run, is_present
from capsule_lint.program.types import Instance
from capsule_lint.program.walk import children

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.plan.given import Said
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Scope as ScopeOfNames

_OF_QUEUES: Final = frozenset(("Records", "records", "detail", "detail-type", "messages"))
"""The items of the events of queues, streams and buses."""
_OF_REQUESTS: Final = frozenset(
    (
        "arguments",
        "body",
        "cookies",
        "headers",
        "httpMethod",
        "identity",
        "info",
        "multiValueHeaders",
        "multiValueQueryStringParameters",
        "path",
        "pathParameters",
        "queryStringParameters",
        "rawPath",
        "request",
        "requestContext",
        "resource",
        "routeKey",
    )
)
"""The items of the events of API Gateway, of function URLs and of AppSync."""
_INLINE_LENGTH = 48


@dataclass(eq=False, slots=True)
class Sources:
    """Finds the nearest source of a scope's value."""

    program: Program
    state: State
    given: Given = field(init=False)
    ambient: Ambient = field(init=False)
    _deleted: dict[int, dict[tuple[int, str], list[Place]]] = field(default_factory=dict)
    """Where each scope of a module deletes a name, by the modules."""
    _read: dict[int, dict[str, list[ScopeOfNames]]] = field(default_factory=dict)
    """The scopes in which names are read that scopes' values have, by the modules."""

    _items: dict[tuple[Function, str], frozenset[str]] = field(default_factory=dict)
    """The items of its parameters that each function reads."""

    def __post_init__(self) -> None:
        self.given = Given(self.program)
        self.ambient = Ambient(self.program)

    def find(
        self,
        scope: Scope,
        node: tree.Node,
        call: tree.Call | None = None,
        *,
        loose: bool = True,
        beside: Sequence[tree.Node] = (),
    ) -> Value | None:
        """The source of `scope` at the expression `node`; `None` when there is none.

        In a test, what the calls in `call` or in the expressions `beside` it give comes first.

        Unless `loose`, an entity that happens to be in scope is none, where the enclosing function
        takes another scope as a parameter: there the value comes as a parameter too.
        """
        place = self.program.names.place(node)
        found = self._named(scope, place)
        if found is not None and not _passes(call, found.code):
            return found
        told = self._beside_attribute(scope, call)
        if told is not None:
            return told  # another's value would make one key of two owners' parts
        if place.scope.module.is_test and scope.test_source is not None:
            near = [a.value for a in call.args] if call is not None else beside
            return self._of_test(scope.test_source, scope, place, near)
        for spec in scope.sources:
            found = self._configured(spec, place, call)
            if found is not None:
                taken = found.root is not None and self.is_taken(found.root, scope.parameter)
                return replace(found, bind=False) if taken else found
        return self._option(scope, call) or self._attribute(scope, place, call, loose=loose)

    def constant(self, scope: Scope) -> Value | None:
        """The configured constant, for places that nothing else can reach: it is in scope everywhere,
        and would hide every other source if it were asked before."""
        for spec in scope.sources:
            if spec.kind is SourceKind.CONSTANT:
                return Value(spec.name, ((spec.module, spec.name),), kind="constant")
        return None

    def own(self, scope: Scope, node: tree.Node) -> Value | None:
        """What the enclosing functions have themselves: a name, or an attribute of `self`."""
        place = self.program.names.place(node)
        found = self._named(scope, place)
        for function in enclosing(place) if found is None else ():
            found = found or self._of_self(scope, function)
        return found

    # --- a name in scope ---

    def _named(self, scope: Scope, place: Place) -> Value | None:
        for around in place.scope.ancestors() if self.state.lambdas else ():
            node = self.program.names.index.lambdas.get(id(around))
            if node is not None and scope.parameter in self.state.lambdas.get(id(node), ()):
                return Value(scope.parameter, knot=("lambda", id(node)))
        for function in enclosing(place):
            if scope.parameter in self.state.params.get(function, ()):
                return Value(scope.parameter, knot=("function", function))
            name = self._own_name(scope, function, place)
            if name is not None:
                return Value(name)
            if scope.parameter in function.scope.bindings:
                return None  # the name means something else here, whatever it means around
        if self._visible(scope.parameter, place) is not None:
            return Value(scope.parameter)
        return None

    def _own_name(self, scope: Scope, function: Function, place: Place) -> str | None:
        if self._visible(scope.parameter, place) is not None:
            return scope.parameter
        parameter = self.program.domain.scope_parameter(function, scope)
        if parameter is None or parameter.kind in ("*", "**"):
            return None
        others = len(function.scope.bindings.get(parameter.name, ())) > 1
        if (others or self._deletions(function.scope, parameter.name)) and not self._visible(
            parameter.name, place
        ):
            return None
        return parameter.name

    def _visible(self, name: str, place: Place) -> Binding | None:
        """A parameter or local of that name that is certainly bound at `place`."""
        for scope in place.scope.ancestors():
            if scope.kind in ("module", "class") or name in scope.outer:
                return None
            bindings = scope.bindings.get(name, ())
            if any(b.kind in ("def", "class", "import", "except") for b in bindings):
                return None
            flows = scope is place.scope or same_flow(scope, place)
            if flows and any(
                at.order < place.order or any(b[2] for b in at.blocks if b in place.blocks)
                for at in self._deletions(scope, name)
            ):
                return None
            held = reaching(bindings, place) if flows and len(bindings) > 1 else bindings
            if any(self._is_overwritten(b, place) for b in held) or _is_none(held):
                return None
            for binding in bindings:
                if binding.parameter is not None and binding.parameter.kind in ("*", "**"):
                    return None
                if binding.kind == "param" or (
                    scope is not place.scope and scope.kind in ("comprehension", "lambda")
                ):
                    return binding
                if not flows:
                    continue
                if binding.kind in ("assign", "for", "with") and certainly_before(binding, place):
                    return binding
            if bindings:
                return None
        return None

    def _is_overwritten(self, binding: Binding, place: Place) -> bool:
        """Whether a loop that is over may have left its last value in the name."""
        return (
            binding.kind == "for"
            and binding.place.scope.kind != "comprehension"
            and binding.place.order < place.order
            and not certainly_before(binding, place)
        )

    def _deletions(self, scope: ScopeOfNames, name: str) -> list[Place]:
        module = scope.module
        if id(module) not in self._deleted:
            found = self._deleted[id(module)] = {}
            for statement, at in module.statements:
                if isinstance(statement, tree.Eval) and statement.kind == "del":
                    for node in statement.values:
                        for one in node.items if isinstance(node, tree.Sequence) else (node,):
                            if isinstance(one, tree.Name):
                                found.setdefault((id(at.scope), one.id), []).append(at)
        return self._deleted[id(module)].get((id(scope), name), [])

    # --- names that are taken ---

    def is_taken(self, function: Function, name: str) -> bool:
        """Whether a new parameter of that name would change what the function does, or would not hold
        what it is given: the name is bound to something else, or read from around the function."""
        if name in function.scope.outer or name in function.scope.bindings:
            return True
        return any(
            self._reads_around(at, function.scope, name) for at in self._reads(function, name)
        )

    def _reads(self, function: Function, name: str) -> list[ScopeOfNames]:
        found = self._read.setdefault(id(function.module), {})
        if name not in found:
            place = self.program.names.place
            found[name] = [
                place(node).scope for node in function.module.each(tree.Name) if node.id == name
            ]
        return found[name]

    def _reads_around(self, at: ScopeOfNames, inside: ScopeOfNames, name: str) -> bool:
        """Whether a name that is read in a scope is looked up in the one around `inside`."""
        for scope in at.ancestors():
            if scope is inside:
                return True
            if name in scope.bindings and (scope.kind != "class" or scope is at):
                return False
        return False

    # --- configured ---

    def _beside_attribute(self, scope: Scope, call: tree.Call | None) -> Value | None:
        """`cart.capsule_id` beside `cart.tenant_id` among the arguments of a call."""
        held = self.program.domain.held.is_attribute
        others = [s for s in self.program.policy.scopes if s is not scope]
        for argument in call.args if call is not None else ():
            path = argument.value
            if not isinstance(path, tree.Attr) or not repeatable(path.base, self.program):
                continue
            for one in self.program.inference.of(path.base):
                if isinstance(one, Instance) and any(held(one.cls, path.name, s) for s in others):
                    attribute, base = self.attribute_of(one.cls, scope), text_of(path.base)
                    if attribute is not None and base is not None:
                        return Value(f"{base}.{attribute}", knot=self._field_knot(one.cls, scope))
        return None

    def _of_test(
        self, spec: SourceSpec, scope: Scope, place: Place, near: Sequence[tree.Node]
    ) -> Value | None:
        """What a test gives for the scope already, or else the helper; `None` where it gives several."""
        said = self.given.near(near, scope) or self.given.at(place, scope)
        usual = any(one.code == spec.code for one in said)
        if usual or not said or not all(self._is_usable(one, place) for one in said):
            return self._test(spec)
        values = {one.literal or one.code for one in said}
        if self.given.value_of_helper(scope) in values:
            return self._test(spec)
        if len(values) > 1:
            return None
        first = min(said, key=lambda one: one.code or "")
        return Value(first.code or "", kind="given", literal=first.literal)

    def _is_usable(self, said: Said, place: Place) -> bool:
        """Whether the code of a value means the same at a place."""
        if said.root is None or said.code is None:
            return said.code is not None
        if self._visible(said.root, place) is not None:
            return True
        bindings = self.program.names.bindings(said.root, place)
        return bool(bindings) and all(b.place.scope.kind == "module" for b in bindings)

    def _test(self, spec: SourceSpec) -> Value:
        return Value(spec.code, ((spec.module, spec.name),) if spec.module else (), kind="test")

    def _configured(self, spec: SourceSpec, place: Place, call: tree.Call | None) -> Value | None:
        match spec.kind:
            case SourceKind.ATTRIBUTE:
                return self._of_class(spec, place, call)
            case SourceKind.CALL | SourceKind.EXPRESSION:
                return self._from_roots(spec, place)
        return None

    def _of_class(self, spec: SourceSpec, place: Place, call: tree.Call | None) -> Value | None:
        code = self._the_one(spec, place, call)
        if code is not None:
            return Value(f"{code}.{spec.access}", kind="configured")
        for function in enclosing(place):
            if function in self.state.handler_params:
                cls, name = self.program.domain.handler_class(), self._handler_parameter()
                if cls is not None and self._of_kind(spec, [(name, cls)]):
                    return Value(f"{name}.{spec.access}", root=function, kind="configured")
        return None

    def _the_one(self, spec: SourceSpec, place: Place, call: tree.Call | None) -> str | None:
        """The value of a source's class: what the call itself names, or else the only one in scope."""
        for group in (self.beside(call), self.values(place), self.own_attributes(place)):
            found = self._of_kind(spec, group)
            if found:
                return next(iter(found)) if len(found) == 1 else None
        return None

    def _of_kind(self, spec: SourceSpec, pairs: Iterable[tuple[str, Class]]) -> dict[str, Class]:
        wanted = self.program.names.definition(f"{spec.module}.{spec.name}")
        mro = self.program.classes.mro
        return {
            code: cls for code, cls in pairs if isinstance(wanted, Class) and wanted in mro(cls)
        }

    def rivals(self, scope: Scope, node: tree.Node, call: tree.Call | None) -> tuple[str, ...]:
        """Several values of one configured class, none of which the call names: nobody can tell which
        of them is meant."""
        place = self.program.names.place(node)
        for spec in scope.sources:
            if spec.kind is SourceKind.ATTRIBUTE:
                found = self._of_kind(spec, (*self.beside(call), *self.values(place)))
                if len(found) > 1:
                    return tuple(found)
        return ()

    def _from_roots(self, spec: SourceSpec, place: Place) -> Value | None:
        imports = ((spec.module, spec.name),) if spec.module else ()
        if (
            not spec.roots
        ):  # `current_capsule()` knows the request, and there is one in handlers alone
            handler = next((f for f in enclosing(place) if self.program.domain.enters(f)), None)
            if handler is None:
                return None
            return Value(spec.code, imports, bind=True, root=handler, kind="configured")
        root: Function | None = None
        for name in spec.roots:
            root = self._root(name, place, parameter=spec.kind is SourceKind.EXPRESSION)
            if root is None or self._is_of_other_shape(spec, name, root):
                return None
        return Value(spec.code, imports, bind=True, root=root, kind="configured")

    def _root(self, name: str, place: Place, *, parameter: bool) -> Function | None:
        for function in enclosing(place):
            own = function.parameter(name)
            if own is not None:
                return function if own.kind != "*" else None
            if function in self.state.handler_params and self._handler_parameter() == name:
                return function
        if parameter:
            return None
        if self._visible(name, place) is not None:
            return place.scope.function
        given = self.program.names.global_binding(place.scope.module, name)
        if given is None or self.program.names.bindings(name, place) != [given]:
            return None
        # Flask's `request`, or the `app` of Powertools: they know of a request in handlers alone.
        return next((f for f in enclosing(place) if self.program.domain.enters(f)), None)

    def _is_of_other_shape(self, spec: SourceSpec, name: str, function: Function) -> bool:
        """Whether a function reads `event["Records"]` or `event["day"]`, and nothing that requests have,
        of what a source takes `event["requestContext"]` of: queues and schedules call it."""
        wanted = self._wanted(spec, name)
        read = self._items_of(name, function) if wanted else frozenset()
        if not wanted.isdisjoint(_OF_REQUESTS):
            return bool(read) and read.isdisjoint(_OF_REQUESTS)
        return wanted.isdisjoint(read) and not read.isdisjoint(_OF_QUEUES)

    def _wanted(self, spec: SourceSpec, name: str) -> frozenset[str]:
        """The items that a source reads of what it calls `name`, as far as the program tells."""
        said = re.match(rf"""{re.escape(name)}(?:\[|\.get\()\s*["']([^"']+)""", spec.code)
        if said is not None:
            return frozenset((said[1],))
        asked = self.program.names.definition(f"{spec.module}.{spec.name}")
        if spec.kind is not SourceKind.CALL or not isinstance(asked, Function):
            return frozenset()
        own = asked.own_params[spec.roots.index(name) :][:1]
        return self._items_of(own[0].name, asked) if own else frozenset()

    def _items_of(self, name: str, function: Function) -> frozenset[str]:
        """The constant keys by which a function, with those in it, reads items of one of its parameters."""
        if (function, name) not in self._items:
            self._items[function, name] = frozenset(self._read_items(name, function))
        return self._items[function, name]

    def _read_items(self, name: str, function: Function) -> Iterator[str]:
        for node in function.module.either(tree.Subscript, tree.Call):
            match node:
                case tree.Subscript(base=tree.Name(id=base)):
                    key = tree.text(node.index)
                case tree.Call(
                    func=tree.Attr(base=tree.Name(id=base), name="get"), args=(one, *_)
                ):
                    key = tree.text(one.value)
                case _:
                    continue
            if base == name and key and function in enclosing(self.program.names.place(node)):
                yield key

    def _handler_parameter(self) -> str:
        parameter = self.program.policy.handlers.parameter
        return parameter.name if parameter is not None else ""

    # --- values in scope ---

    def _option(self, scope: Scope, call: tree.Call | None) -> Value | None:
        for argument in call.args if call is not None else ():
            for path in self._paths_in(argument.value):
                name = option_beside(self.program, path, scope)
                if name is not None and repeatable(path, self.program):
                    return Value(f"{text_of(path.base)}.{name}")
        return None

    def _attribute(
        self, scope: Scope, place: Place, call: tree.Call | None, *, loose: bool
    ) -> Value | None:
        for function in enclosing(place):
            own = self._of_self(scope, function)
            if own is not None and not self._is_for_another(function):
                return own
        near = [*self.beside(call), *self.own_attributes(place)]
        around = list(self.values(place))
        carriers = [pair for pair in around if self.program.domain.is_carrier(pair[1])]
        others = [pair for pair in around if pair not in carriers]
        if not loose and any(self._takes_scope(f) for f in enclosing(place)):
            others = []
        holders = [pair for pair in others if self.attribute_of(pair[1], scope) is not None]
        if len(holders) > 1:  # which of them is meant, nobody can tell
            holders = []
        carriers = self._meant(carriers, call)
        for code, cls in (*near, *carriers, *holders):
            attribute = self.attribute_of(cls, scope)
            if attribute is not None:
                typed = self.program.classes.is_typed_dict(cls)
                path = f'{code}["{attribute}"]' if typed else f"{code}.{attribute}"
                return Value(path, knot=self._field_knot(cls, scope))
        return None

    def _is_for_another(self, function: Function) -> bool:
        """Whether a method is given another scope that its object has as well: it is about another one."""
        owner, scopes = function.owner, self.program.policy.scopes
        return owner is not None and any(
            self.program.domain.scope_parameter(function, s) is not None
            and self.attribute_of(owner, s) is not None
            for s in scopes
        )

    def _meant(
        self, pairs: list[tuple[str, Class]], call: tree.Call | None
    ) -> list[tuple[str, Class]]:
        """Of several values of one class those that the call names, `guest` of `guest.name`; none if
        nobody can tell which is meant."""
        if len({cls for _, cls in pairs}) == len(pairs):
            return pairs
        said = {
            node.id for a in (call.args if call is not None else ()) for node in names_in(a.value)
        }
        named = [pair for pair in pairs if pair[0] in said]
        return named if len(named) == 1 else []

    def _takes_scope(self, function: Function) -> bool:
        return any(
            self.program.domain.scope_parameter(function, s) is not None
            for s in self.program.policy.scopes
        )

    def _of_self(self, scope: Scope, function: Function) -> Value | None:
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
            f"{function.params[0].name}.{attribute}", knot=self._field_knot(function.owner, scope)
        )

    def attribute_of(self, cls: Class, scope: Scope) -> str | None:
        """The attribute of the class, there or to come, that holds the scope's value."""
        for owner in self.program.classes.mro(cls):
            if scope.parameter in self.state.fields.get(owner, ()):
                return self.state.attributes.get((owner, scope.parameter), scope.parameter)
        for name in (scope.parameter, f"_{scope.parameter}"):
            method = self.program.classes.method(cls, name)
            if method is not None and not method.is_property:
                continue
            if self.program.classes.has_attribute(cls, name):
                return name
        return self.program.domain.held.attribute(cls, scope)

    def _field_knot(self, cls: Class, scope: Scope) -> tuple[str, object] | None:
        for owner in self.program.classes.mro(cls):
            if scope.parameter in self.state.fields.get(owner, ()):
                return ("class", owner)
        return None

    def beside(self, call: tree.Call | None) -> Iterator[tuple[str, Class]]:
        """The values of known class among a call's arguments: `ctx` of `ctx.tenant_id`, also where that
        was kept in a local before, and plain names.

        Where several values could be meant, the call's own arguments say which one is.
        """
        values = [self._told(a.value) for a in call.args] if call is not None else []
        paths = [p.base for value in values for p in self._paths_in(value)]
        for node in (*paths, *(v for v in values if isinstance(v, tree.Name))):
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

    def _told(self, node: tree.Node) -> tree.Node:
        """The `ctx.tenant_id` that a local was given."""
        found = kept(node, self.program)
        return found if isinstance(found, tree.Attr) and self._names_any(found.name) else node

    def _paths_in(self, node: tree.Node) -> Iterator[tree.Attr]:
        """The `x.tenant_id` in an argument, also deep inside of it, and behind a local."""
        node = self._told(node)
        if isinstance(node, tree.Attr) and self._names_any(node.name):
            yield node
        for child in children(node):
            yield from self._paths_in(child)

    def _class_of(self, node: tree.Node) -> Class | None:
        types = self.program.inference.of(node)
        if not isinstance(node, tree.Name):
            return self.program.inference.the_class(types)
        place = self.program.names.place(node)
        present = is_present(node.id, place)
        if not present and any(
            _may_be_none(b) for b in self.program.names.bindings(node.id, place)
        ):
            return None
        return self.program.inference.the_class(types, present=present)

    def _is_unfinished(self, node: tree.Node) -> bool:
        """Whether this is `self` where it is being made: nobody knows what it has by then."""
        function = self.program.names.place(node).scope.function
        return (
            isinstance(node, tree.Name)
            and function is not None
            and function.takes_self
            and function.name in ("__init__", "__new__")
            and node.id == function.params[0].name
        )

    def _names_any(self, name: str) -> bool:
        return any(names_scope(name, scope) for scope in self.program.policy.scopes)

    def values(self, place: Place) -> Iterator[tuple[str, Class]]:
        """The plain names in scope whose class is known, nearest scope first, parameters first."""
        for scope in place.scope.ancestors():
            if scope.kind in ("module", "class"):
                return
            for name, bindings in list(scope.bindings.items()):
                binding = self._visible(name, place)
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
                if not present and any(_may_be_none(b) for b in held):
                    continue
                types = frozenset(t for b in held for t in self.program.inference.bound(b))
                cls = self.program.inference.the_class(types, present=present)
                if cls is not None:
                    yield name, cls

    def own_attributes(self, place: Place) -> Iterator[tuple[str, Class]]:
        """The attributes of `self` whose class is known and that carry a request: `self.ctx`."""
        for function in enclosing(place):
            if function.owner is None or not function.takes_self or function.name == "__init__":
                continue
            for cls in self.program.classes.mro(function.owner):
                for name in cls.stores:
                    for one in self.program.inference.member(cls, name):
                        if isinstance(one, Instance) and self.program.domain.is_carrier(one.cls):
                            yield f"{function.params[0].name}.{name}", one.cls


def certainly_before(binding: Binding, place: Place) -> bool:
    """Whether a binding has run whenever `place` runs."""
    at = binding.place
    if at.order > place.order or (at.order == place.order and binding.kind == "assign"):
        return False
    if not has_run(at, place, binding.name):
        return False
    if binding.kind == "for" and binding.place.scope.kind != "comprehension":
        inner = [b for b in place.blocks if b not in at.blocks]
        own = bool(inner) and at.scope.module.blocks.get(inner[0][0]) is at.statement
        return at.blocks == place.blocks[: len(at.blocks)] and own
    return at.blocks == place.blocks[: len(at.blocks)]


def _is_none(bindings: Sequence[Binding]) -> bool:
    """Whether `None` is all that a name can hold."""
    return bool(bindings) and all(b.kind == "assign" and _says_none(b.value) for b in bindings)


def _may_be_none(binding: Binding) -> bool:
    """Whether a name may hold `None` whatever its annotation says: `ctx: Ctx = None`."""
    return binding.kind in ("param", "assign") and not binding.path and _says_none(binding.value)


def _says_none(node: tree.Node | None) -> bool:
    return isinstance(node, tree.Const) and node.value is None and node.kind == ""


def _passes(call: tree.Call | None, code: str) -> bool:
    """Whether a call passes a name already: then it is the value of something else."""
    return call is not None and any(
        isinstance(a.value, tree.Name) and a.value.id == code and a.keyword is None
        for a in call.args
    )


def inline(value: Value) -> bool:
    """Whether an expression is short enough to stand in a call."""
    return len(value.code) <= _INLINE_LENGTH


__all__ = ["Sources", "certainly_before", "inline", "names_scope"]
