"""Sources of policy: the attribute of a class, a call, or an expression on what a handler is given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.state import State, Value
from capsule_lint.plan.supply.properties import own_property, reads
from capsule_lint.plan.supply.readings import in_one_style, spelled_out
from capsule_lint.plan.supply.repeats import kept
from capsule_lint.policy import SourceKind, SourceSpec
from capsule_lint.program.inference.types import Foreign
from capsule_lint.program.model import (
    Binding,
    Class,
    Function,
    Place,
    enclosing,
    last_name,
    start_of,
)
from capsule_lint.program.names import External

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from capsule_lint.plan.supply.event_shapes import EventShapes
    from capsule_lint.plan.supply.holders import Holders
    from capsule_lint.plan.supply.module_paths import ModulePaths
    from capsule_lint.plan.supply.policy_reads import PolicyReads
    from capsule_lint.plan.supply.visible import Visible
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

_MAKING_CLASSES: Final = frozenset(
    (
        "namedtuple",
        "NamedTuple",
        "make_dataclass",
        "make_class",
        "create_model",
        "TypedDict",
        "type",
    )
)
"""What makes a class and returns it."""
_CLASS_NAME: Final = re.compile(r"[A-Z]\w*[a-z]\w*")
"""The name of a class, and not of an object or a constant."""
_NAME: Final = re.compile(r"(?<![.\w])[A-Za-z_]\w*")
"""The names in code, attributes aside."""


class Configured(Struct, frozen=True):
    """Asks them."""

    program: Program
    state: State
    visible: Visible
    holders: Holders
    shapes: EventShapes
    paths: ModulePaths
    policy_reads: PolicyReads

    def in_order(
        self, scope: Scope, call: tree.Call | None, beside: Sequence[tree.Node]
    ) -> Iterable[SourceSpec]:
        """The sources of a scope in policy's order, but first those that say of a message what a call, or what
        stands beside, says of it for another scope: `message["capsule_id"]` for `get(message["tenant_id"])`."""
        specs = scope.sources
        if sum(spec.kind is SourceKind.EXPRESSION for spec in specs) < 2:
            return specs
        near = [a.value for a in call.args if not a.star] if call is not None else beside
        given = {spelled_out(node, self.program) for node in near}
        return sorted(specs, key=lambda spec: given.isdisjoint(self.policy_reads.codes(spec)))

    def value(self, spec: SourceSpec, place: Place, call: tree.Call | None) -> Value | None:
        """The value that a source has at a place; `None` if it has none there."""
        match spec.kind:
            case SourceKind.ATTRIBUTE:
                found = self._of_class(spec, place, call) or self._of_made(spec, place)
                return found or self._of_framework(spec, place)
            case SourceKind.CALL | SourceKind.EXPRESSION:
                return self._from_roots(spec, place)
        return None

    def of_local(self, found: Value, spec: SourceSpec, beside: Iterable[tree.Node]) -> Value:
        """The same value as its neighbour is read, of a local that has what policy reads it of: `d["stage"]` beside
        `d["tenant_id"]`, where `d = event["detail"]`."""
        alike, code = self.policy_reads.codes(spec), spec.code.replace("'", '"')
        for node in beside:
            local = start_of(kept(node, self.program))
            if isinstance(local, tree.Name) and spelled_out(node, self.program) in alike:
                start = spelled_out(local, self.program)
                if start is not None and start != local.id and code.startswith(f"{start}["):
                    return replace(found, code=local.id + code.removeprefix(start))
        return found

    def rivals(self, scope: Scope, node: tree.Node, call: tree.Call | None) -> tuple[str, ...]:
        """Several values of one configured class, none of which the call names: nobody can tell which
        of them is meant."""
        place = self.program.names.place(node)
        for spec in scope.sources:
            if spec.kind is SourceKind.ATTRIBUTE:
                found = self._of_kind(
                    spec, (*self.holders.beside(call), *self.holders.values(place))
                )
                if len(found) > 1:
                    return tuple(found)
        return ()

    def held(self, scope: Scope, place: Place) -> dict[str, Value]:
        """What policy takes from each of the objects in scope, by their names and paths."""
        specs = [spec for spec in scope.sources if spec.kind is SourceKind.ATTRIBUTE]
        if not specs:
            return {}
        pairs = [*self.holders.values(place), *self.holders.own_attributes(place)]
        found: dict[str, Value] = {}
        for spec in specs:
            for code in self._of_kind(spec, pairs):
                found.setdefault(code, Value(self._access(code, spec), kind="configured"))
        return found

    def beside(self, spec: SourceSpec, call: tree.Call | None) -> Value | None:
        """The value that the object has from which a call is given the neighbour's."""
        if spec.kind is not SourceKind.ATTRIBUTE:
            return None
        found = list(self._of_kind(spec, self.holders.beside(call)))
        code = self._access(found[0], spec) if len(found) == 1 else None
        return Value(code, kind="configured") if code is not None else None

    # --- a class ---

    def _of_class(self, spec: SourceSpec, place: Place, call: tree.Call | None) -> Value | None:
        code = self._the_one(spec, place, call)
        if code is not None:
            if all(one != code for one, _ in self.holders.beside(call)):
                read = self._access(code, spec)
                own = own_property(self.program, self.holders, spec, read, place)
                if own is not None:
                    return Value(own, kind="configured")
            spec, code = self._nearer(spec, code, place, call)
            root = self._asked_once(code, place, call)
            access = self._access(code, spec)
            return Value(access, bind=root is not None, root=root, kind="configured")
        for function in enclosing(place):
            if function in self.state.handler_params:
                cls, name = self.program.domain.handler_class(), self._handler_parameter()
                if cls is not None and self._of_kind(spec, [(name, cls)]):
                    return Value(self._access(name, spec), root=function, kind="configured")
        return None

    def _nearer(
        self, spec: SourceSpec, code: str, place: Place, call: tree.Call | None
    ) -> tuple[SourceSpec, str]:
        """The object in which another one is kept, where policy takes the value of that as well, and it is the same by a
        property, and the call names neither: `actor.capsule_id`, and not `actor.scope.capsule_id`."""
        base, _, within = code.rpartition(".")
        if not base or any(one == code for one, _ in self.holders.beside(call)):
            return spec, code
        pairs = [pair for pair in self.holders.values(place) if pair[0] == base]
        alike = (s.sources for s in self.program.policy.scopes if pairs and spec in s.sources)
        for other in (one for sources in alike for one in sources):
            owners = self._of_kind(other, pairs) if other.kind is SourceKind.ATTRIBUTE else {}
            path = f"{within}.{spec.access}"
            if any(reads(self.program, cls, other.access, path) for cls in owners.values()):
                return other, base
        return spec, code

    def _asked_once(self, code: str, place: Place, call: tree.Call | None) -> Function | None:
        """The function which asks for an object of its parameters, `Ctx.from_event(event)`, and keeps in a local what it
        has of another scope: this one gets a local too, where it is needed more than once."""
        function = place.scope.function
        given = (
            [text_of(argument.value) or "" for argument in call.args] if call is not None else []
        )
        if "(" not in code or function is None:
            return None
        if place.scope is not function.scope and place.scope.kind != "comprehension":
            return None
        if any(code in one for one in given):
            return None
        own = {name: function.scope.bindings.get(name, ()) for name in _NAME.findall(code)}
        steady = all([b.kind for b in bindings] in ([], ["param"]) for bindings in own.values())
        known = self.program.names.bindings
        inside = any(b.place.scope.kind == "comprehension" for n in own for b in known(n, place))
        return function if steady and not inside else None

    def _access(self, code: str, spec: SourceSpec) -> str:
        """How the value is read of an object of a source's class."""
        cls = self.program.names.definition(spec.dotted)
        return self.holders.path(code, cls if isinstance(cls, Class) else None, spec.access)

    def _the_one(self, spec: SourceSpec, place: Place, call: tree.Call | None) -> str | None:
        """The value of a source's class: what the call itself names, or else the only one in scope."""
        for group in (
            self.holders.beside(call),
            self.holders.values(place),
            self.holders.own_attributes(place),
        ):
            found = self._of_kind(spec, group)
            if found:
                return next(iter(found)) if len(found) == 1 else None
        if any(map(self.program.domain.takes_scope, enclosing(place))):
            return None  # whose things they are is what it is told, and no message's matter
        for group in (self.holders.kept_in(self.holders.values(place)), self.paths.at(place)):
            found = self._of_kind(spec, group)
            if found:
                return next(iter(found)) if len(found) == 1 else None
        return None

    def _of_kind(self, spec: SourceSpec, pairs: Iterable[tuple[str, Class]]) -> dict[str, Class]:
        wanted = self.program.names.definition(spec.dotted)
        mro = self.program.classes.mro
        return {
            code: cls for code, cls in pairs if isinstance(wanted, Class) and wanted in mro(cls)
        }

    def _of_framework(self, spec: SourceSpec, place: Place) -> Value | None:
        """`g.capsule_id` of `flask:g.capsule_id`: an object of a framework that knows the request, in handlers, and
        where the same function reads `g.tenant_id`."""
        target = self.program.names.follow(self.program.names.member(spec.module, spec.name))
        if not isinstance(target, External):
            return None
        root = spec.name.partition(".")[0]
        if _CLASS_NAME.fullmatch(root):
            return self._of_library(spec, Foreign(target.name), place)
        if self._handler(place) is None:
            alike = {f"{one.name}.{one.access}" for one in self.policy_reads.counterparts(spec)}
            only_reads = self.policy_reads.only_reads
            if not (self._is_of_framework(root, place) and only_reads(place, alike)):
                return None
        return Value(f"{spec.name}.{spec.access}", ((spec.module, root),), kind="configured")

    def _of_library(self, spec: SourceSpec, wanted: Foreign, place: Place) -> Value | None:
        """`request.state.capsule_id` of `fastapi:Request.state.capsule_id`, where one parameter is declared so, or
        a handler is given it."""
        annotations = self.program.inference.annotations
        for function in enclosing(place):
            found = [
                parameter.name
                for parameter in function.own_params
                if parameter.annotation is not None
                and wanted in annotations.of(parameter.annotation)
            ]
            parameter = self.program.policy.handlers.parameter
            if function in self.state.handler_params and parameter is not None:
                said = parameter.annotation
                if said is not None and (said.module, said.name) == (spec.module, spec.name):
                    found.append(parameter.name)
            if found:
                code = f"{found[0]}.{spec.access}"
                known = Value(code, root=function, kind="configured")
                return known if len(found) == 1 else None
        return None

    def _of_made(self, spec: SourceSpec, place: Place) -> Value | None:
        """The attribute of the one parameter that is declared as a class which a call makes:
        `Request = namedtuple("Request", …)`."""
        made, names = made_class(self.program, spec), self.program.names
        for function in enclosing(place) if made is not None else ():
            found = [
                parameter.name
                for parameter in function.own_params
                if isinstance(note := parameter.annotation, tree.Name)
                and any(names.follow(b) is made for b in names.bindings_of(note))
            ]
            if found:
                code = f"{found[0]}.{spec.access}"
                return Value(code, kind="configured") if len(found) == 1 else None
        return None

    # --- what a handler is given ---

    def _from_roots(self, spec: SourceSpec, place: Place) -> Value | None:
        imports = ((spec.module, spec.name),) if spec.module else ()
        if not spec.roots:
            # `current_capsule()` knows the request, and there is one in handlers alone
            handler = self._handler(place)
            if handler is None:
                return None
            return Value(spec.code, imports, bind=True, root=handler, kind="configured")
        root: Function | None = None
        for name in spec.roots:
            root = self._root(name, place, parameter=spec.kind is SourceKind.EXPRESSION)
            if root is None and self._is_read(spec, name, place):
                return Value(spec.code, imports, kind="configured")
            if root is None:
                return None
            told = any(True for _ in self.policy_reads.named(root, self.policy_reads.codes(spec)))
            if self.shapes.is_other(spec, name, root) and not told:
                return None
        return Value(spec.code, imports, bind=True, root=root, kind="configured")

    def _is_read(self, spec: SourceSpec, name: str, place: Place) -> bool:
        """Whether a local, or an object of a framework, is what an expression starts from: the scope, or another one,
        is read of it in the same function just as policy says, `message["tenantId"]` of `message = event["detail"]`,
        `g.tenant_id`."""
        if spec.kind is not SourceKind.EXPRESSION or len(spec.roots) > 1:
            return False
        alike = self.policy_reads.codes(spec)
        if self.visible.binding(name, place) is not None:
            return self.policy_reads.only_reads(place, alike | {in_one_style(spec.code)})
        return self._is_of_framework(name, place) and self.policy_reads.only_reads(place, alike)

    def _root(self, name: str, place: Place, *, parameter: bool) -> Function | None:
        for function in enclosing(place):
            own = function.parameter(name)
            if own is not None and own.kind == "**":
                return function if self.program.domain.enters(function) else None
            if own is not None:
                return function if own.kind != "*" else None
            if function in self.state.handler_params and self._handler_parameter() == name:
                return function
        if not parameter and self.visible.binding(name, place) is not None:
            return place.scope.function
        if not self._is_of_framework(name, place, ours=not parameter):
            return None
        # Flask's `request`, or the `app` of Powertools: they know of a request in handlers alone.
        return self._handler(place)

    def _is_of_framework(self, name: str, place: Place, *, ours: bool = False) -> bool:
        """Whether a name is one that its module has from elsewhere, or an object that a module makes, such as the
        `app` of Powertools; or, if that is asked, any that it has."""
        names = self.program.names
        given = names.global_binding(place.scope.module, name)
        if given is None or names.bindings(name, place) != [given]:
            return False
        target = names.follow(given)
        made = isinstance(target, Binding) and isinstance(target.assigned, tree.Call)
        return ours or made or isinstance(target, External)

    def _handler(self, place: Place) -> Function | None:
        """The function around a place in which a request enters."""
        return next((f for f in enclosing(place) if self.program.domain.enters(f)), None)

    def _handler_parameter(self) -> str:
        parameter = self.program.policy.handlers.parameter
        return parameter.name if parameter is not None else ""


def made_class(program: Program, spec: SourceSpec) -> Binding | None:
    """What a source names, where that is a class which a call makes: `namedtuple("Request", …)`."""
    target = program.names.follow(program.names.member(spec.module, spec.name))
    if not isinstance(target, Binding) or not isinstance(target.value, tree.Call):
        return None
    return target if last_name(target.value.func) in _MAKING_CLASSES else None
