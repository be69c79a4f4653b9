"""Where a scope's value comes from at a place: the order of DESIGN's section 4."""

from __future__ import annotations

from dataclasses import replace as replaced
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.entities.told_later import told_by
from capsule_lint.plan.state import State, Value
from capsule_lint.plan.supply.ambient import Ambient
from capsule_lint.plan.supply.attached import Attached
from capsule_lint.plan.supply.by_name import ByName, passes
from capsule_lint.plan.supply.configured import Configured, made_class
from capsule_lint.plan.supply.either import either_beside, is_of_several
from capsule_lint.plan.supply.event_shapes import EventShapes
from capsule_lint.plan.supply.given import Given
from capsule_lint.plan.supply.holders import Holders, is_private
from capsule_lint.plan.supply.module_paths import ModulePaths
from capsule_lint.plan.supply.options import option_beside
from capsule_lint.plan.supply.policy_reads import PolicyReads
from capsule_lint.plan.supply.repeats import names_in, repeatable
from capsule_lint.plan.supply.restated import Restated
from capsule_lint.plan.supply.set_here import comes_later
from capsule_lint.plan.supply.visible import Visible
from capsule_lint.plan.testing.drawn import Drawn
from capsule_lint.plan.testing.shared import Shared
from capsule_lint.plan.testing.told_as import gives_as_other
from capsule_lint.policy import SourceKind, SourceSpec
from capsule_lint.program.model import Binding, Class, Function, Place, enclosing
from capsule_lint.program.purposes.other_types import is_id, is_made_other

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.supply.given import Said
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

_INLINE_LENGTH: Final = 48
"""So long an expression may be that stands in a call."""


class Sources:
    """Finds the nearest source of a scope's value."""

    def __init__(self, program: Program, state: State) -> None:
        self.program = program
        self.state = state
        self.visible = Visible(program)
        self.restated = Restated(program, state)
        self.holders = Holders(program, state, self.visible, self.restated)
        reads = self.policy_reads = PolicyReads(program)
        holders, paths, shapes = self.holders, ModulePaths(program), EventShapes(program)
        self.configured = Configured(program, state, self.visible, holders, shapes, paths, reads)
        self.by_name = ByName(program, self.visible, self.holders)
        self.given = Given(program, self.holders)
        self.ambient = Ambient(program, Attached(program))
        self.shared = Shared(program)
        self.drawn = Drawn(program, self.holders)

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

        In a test, what the arguments of `call`, or else the expressions `beside` the node, say already comes
        before the policy's `test-source`.

        Unless `loose`, an entity that happens to be in scope is none, where the enclosing function
        takes another scope as a parameter: there the value comes as a parameter too.
        """
        place = self.program.names.place(node)
        found = self._named(scope, place)
        told = self.holders.attribute_beside(scope, call)
        if told is not None and call is not None:
            # another's would make a key of two owners' parts
            meant = found is not None and self.by_name.is_meant(found, told, scope, place, call)
            return found if meant else told
        if place.scope.module.is_test and (told := self.drawn.beside(scope, call)) is not None:
            return told
        if found is not None and not passes(call, found.code):
            return self._beside_loop(found, scope, place, call) or found
        if place.scope.module.is_test and scope.test_source is not None:
            if (told := self.holders.gained_beside(scope, call, behind=True)) is not None:
                return told
            near = [a.value for a in call.args] if call is not None else beside
            return self._of_test(scope.test_source, scope, place, near, call)
        told = self.holders.told_beside(scope, call)
        told = told or self.holders.attribute_beside(scope, call, behind=True)
        told = told or either_beside(self.holders, scope, call)
        if told is not None:
            return told
        if call is not None and any(
            is_of_several(self.holders, scope, a.value) for a in call.args
        ):
            return None  # which of them is meant is not known here
        for spec in self.configured.in_order(scope, call, beside):
            found = self.configured.value(spec, place, call)
            if found is not None:
                near = [a.value for a in call.args] if call is not None else beside
                found, root = self.configured.of_local(found, spec, near), found.root
                taken = root is not None and self.visible.is_taken(root, scope.parameter)
                return replace(found, bind=False) if taken else found
        return self._option(scope, call) or self._attribute(scope, place, call, loose=loose)

    def _beside_loop(
        self, found: Value, scope: Scope, place: Place, call: tree.Call | None
    ) -> Value | None:
        """What the owner of the neighbour's value says, where the name is that of a loop, and is a mere word, so that
        the loop may go through something else: `for stage in stages`."""
        binding = self.visible.binding(found.code, place)
        if binding is None or binding.kind != "for" or found.knot is not None or is_id(scope):
            return None
        for spec in scope.sources if not place.scope.module.is_test else ():
            said = self.configured.beside(spec, call)
            if said is not None:
                return said
        return None

    def constant(self, scope: Scope) -> Value | None:
        """The configured constant, for places that nothing else can reach: it is in scope everywhere,
        and would hide every other source if it were asked before."""
        for spec in scope.sources:
            if self.is_constant(spec):
                first = spec.name.partition(".")[0]
                return Value(spec.code, ((spec.module, first),), kind="constant")
        return None

    def is_constant(self, spec: SourceSpec) -> bool:
        """Whether a source is a constant, or as good as one."""
        return spec.kind is SourceKind.CONSTANT or self._is_fixed(spec)

    def _is_fixed(self, spec: SourceSpec) -> bool:
        """Whether an attribute is that of an enum, of an object that a module keeps, or of a class whose
        objects have no other: `Capsule.PROD`, `settings.capsule`, `Settings.CAPSULE`."""
        if spec.kind is not SourceKind.ATTRIBUTE or "." in spec.name:
            return False
        names, classes = self.program.names, self.program.classes
        target = names.follow(names.member(spec.module, spec.name))
        cls = target.definition if isinstance(target, Binding) else None
        if not isinstance(cls, Class):
            kept = isinstance(target, Binding) and target.kind == "assign"
            return kept and made_class(self.program, spec) is None
        own = cls.scope.bindings.get(spec.access, ())
        is_set = any(binding.value is not None for binding in own)
        return is_set and not classes.declares(cls) and spec.access not in cls.stores

    def own(self, scope: Scope, node: tree.Node) -> Value | None:
        """What the enclosing functions have themselves: a name, or an attribute of `self`."""
        place = self.program.names.place(node)
        found = self._named(scope, place)
        for function in enclosing(place) if found is None else ():
            found = found or self.holders.of_self(scope, function)
        return found

    # --- a name in scope ---

    def _named(self, scope: Scope, place: Place) -> Value | None:
        for around in place.scope.ancestors() if self.state.lambdas else ():
            node = self.program.names.index.lambdas.get(id(around))
            if node is not None and scope.parameter in self.state.lambdas.get(id(node), ()):
                return Value(scope.parameter, knot=("lambda", id(node)))
        told = self._of_double(scope, place)
        if told is not None:
            return told
        for function in enclosing(place):
            if self.state.gains(function, scope):
                return Value(scope.parameter, knot=("function", function))
            name = self._own_name(scope, function, place)
            if name is not None:
                return Value(name)
            if scope.parameter in function.scope.bindings:
                return None  # the name means something else here, whatever it means around
        if self._bound(scope, place):
            return Value(scope.parameter)
        return None

    def _of_double(self, scope: Scope, place: Place) -> Value | None:
        """The parameter that what comes in a function's place gains because the function does."""
        if not self.state.doubles:
            return None
        lambdas = self.program.names.index.lambdas
        inner = (id(lambdas.get(id(one))) for one in place.scope.ancestors())
        for key in (*inner, *(id(function.fact) for function in enclosing(place))):
            double = self.state.doubles.get(key)
            if double is not None and self.state.gains(double.function, scope):
                return Value(scope.parameter, knot=("lambda", key))
        return None

    def _own_name(self, scope: Scope, function: Function, place: Place) -> str | None:
        name = self._told_as(scope, function, place)
        if name is None or not function.module.is_test:
            return name
        return None if self.given.is_strangers(function, name, scope) else name

    def _told_as(self, scope: Scope, function: Function, place: Place) -> str | None:
        """The name by which a function is told a scope, or has it."""
        if self._bound(scope, place):
            return scope.parameter
        parameter = self.program.domain.scope_parameter(function, scope)
        if parameter is None or parameter.kind in ("*", "**"):
            return None
        name = parameter.name
        if name != scope.parameter and gives_as_other(self.program, function, name, scope):
            return None
        others = len(function.scope.bindings.get(name, ())) > 1
        if (others or self.visible.deletions(function.scope, name)) and not self.visible.binding(
            name, place
        ):
            return None
        return name

    def _bound(self, scope: Scope, place: Place) -> bool:
        """Whether the name of the scope's parameter holds its value at a place."""
        binding = self.visible.binding(scope.parameter, place)
        if binding is None or self.program.domain.is_other(binding.parameter, scope):
            return False
        given = binding.kind in ("assign", "with")
        return not given or not is_made_other(self.program.inference.bound(binding), scope)

    # --- what a test gives ---

    def for_key(self, scope: Scope, node: tree.Node, beside: Sequence[tree.Node]) -> Value | None:
        """The source of a scope's value for a key that a test spells out: where several tests use it,
        what all of them give; `None` where they do not agree."""
        own = self.find(scope, node, beside=beside)
        place, spec = self.program.names.place(node), scope.test_source
        made = any(isinstance(one, tree.Call) for one in beside) and place.scope.function is None
        if own is None or own.kind != "test" or spec is None or made:
            return own  # what is made there is given the same
        if self.given.at(place, scope):
            return own
        usual = self.given.value_of_helper(scope)
        inside = (replaced(f.place, scope=f.scope) for f in self.shared.users(node))
        values = [self._of_test(spec, scope, one, ()) for one in inside]
        said = {
            None if one is None else usual if one.kind == "test" else one.literal for one in values
        }
        if said <= {usual}:
            return own
        literal = said.pop()
        return (
            None
            if said or literal is None
            else Value(f'"{literal}"', kind="given", literal=literal)
        )

    def _of_test(
        self,
        spec: SourceSpec,
        scope: Scope,
        place: Place,
        near: Sequence[tree.Node],
        call: tree.Call | None = None,
    ) -> Value | None:
        """What a test gives for the scope already, or else the helper; `None` where it gives several."""
        own, looped = self.given.by_argument(call, scope)
        if own is not None and looped and self._differ(looped, place):
            return own
        said = looped or self.given.near(near, scope) or self.given.at(place, scope)
        said = self._there(said, place)
        if len(said) > 1 and call is not None:
            said = self.given.of_arguments(call, said) or self.given.beside(call, scope) or said
        objects = self._there(self.given.by_objects(place, scope), place)
        if len({one.literal or one.code for one in objects}) > 1:
            return own  # nobody can tell whose is meant otherwise
        if not said or any(one.code == spec.code for one in said):
            return self._test(spec, scope, place)
        values = {one.literal or one.code for one in said}
        if (literal := self.given.value_of_helper(scope)) in values:
            constant = self.given.constant(place, scope, literal)
            if constant is not None and self._is_usable(constant, place):
                return Value(constant.code or "", kind="given", literal=literal)
            return self._test(spec, scope, place)
        if len(values) > 1:
            return own
        usable = [one.code for one in said if one.code and self._is_usable(one, place)]
        literal = next(iter(said)).literal
        if not usable and literal is None:  # it has a value of its own
            made = self.given.made_in(call, scope)
            value = Value(made, kind="given") if made is not None else None
            return value if value is not None and inline(value) else own
        return Value(min(usable, default=f'"{literal}"'), kind="given", literal=literal)

    def _differ(self, said: frozenset[Said], place: Place) -> bool:
        """Whether objects have several values of a scope, or one that nothing says at a place."""
        return len({one.literal or one.code for one in said}) > 1 or not any(
            one.literal is not None or self._is_usable(one, place) for one in said
        )

    def _there(self, said: frozenset[Said], place: Place) -> frozenset[Said]:
        """Those of some values that a place can have."""
        return frozenset(one for one in said if not self._comes_of(one, place))

    def _comes_of(self, said: Said, place: Place) -> bool:
        """Whether a value is one of what a statement is about to make itself, `note.tenant_id` in
        `note = notes.create(make_note())`, or a later one: that of `self.ctx`."""
        bindings = self.program.names.bindings(said.root, place) if said.root is not None else []
        here = bool(bindings) and all(
            b.kind == "assign" and b.place.statement is place.statement for b in bindings
        )
        return here or comes_later(self.program, said.code or "", place)

    def _is_usable(self, said: Said, place: Place) -> bool:
        """Whether the code of a value means the same at a place."""
        if said.root is None or said.code is None:
            return said.code is not None
        if self.visible.binding(said.root, place) is not None:
            return True
        bindings = self.program.names.bindings(said.root, place)
        return bool(bindings) and all(b.is_global for b in bindings)

    def _test(self, spec: SourceSpec, scope: Scope, place: Place) -> Value | None:
        """The helper of tests, or what it says where its name means something else; `None` where that is not known."""
        first = spec.name.partition(".")[0]
        if not any(
            binding.kind != "import"
            for around in place.scope.ancestors()
            if around.kind not in ("module", "class")
            for binding in around.bindings.get(first, ())
        ):
            imports = ((spec.module, first),) if spec.module else ()
            return Value(spec.code, imports, kind="test")
        literal = self.given.value_of_helper(scope)
        if literal is None:
            return None
        if scope.type is None:
            return Value(f'"{literal}"', kind="given", literal=literal)
        own, imports = scope.type, ((scope.type.module, scope.type.root),)
        return Value(f'{own.name}("{literal}")', imports, kind="given", literal=literal)

    # --- values in scope ---

    def _option(self, scope: Scope, call: tree.Call | None) -> Value | None:
        for argument in call.args if call is not None else ():
            for path in self.holders.paths_in(argument.value):
                name = option_beside(self.program, path, scope)
                if name is not None and repeatable(path, self.program):
                    return Value(f"{text_of(path.base)}.{name}")
        return None

    def _attribute(
        self, scope: Scope, place: Place, call: tree.Call | None, *, loose: bool
    ) -> Value | None:
        for code, value in self._attributes(scope, place, call, loose=loose):
            if call is None or code != told_by(self.program, call):
                return value
        return None

    def _attributes(
        self, scope: Scope, place: Place, call: tree.Call | None, *, loose: bool
    ) -> Iterator[tuple[str, Value]]:
        """The objects at hand that have a scope, nearest first, and how it is read of them."""
        telling = [f for f in enclosing(place) if self._is_for_another(f)]
        for function in enclosing(place):
            own = self.holders.of_self(scope, function)
            if own is not None and function not in telling:
                yield function.self_name or "", own
        copied = {function.self_name for function in telling}  # `replace(self, tenant_id=…)`
        near = [pair for pair in self.holders.beside(call) if pair[0] not in copied]
        near += self.holders.own_attributes(place)
        around = list(self.holders.values(place))
        carriers = [pair for pair in around if self.program.domain.is_carrier(pair[1])]
        others = [pair for pair in around if pair not in carriers]
        if not loose and any(map(self.program.domain.takes_scope, enclosing(place))):
            others = []
        holders = [
            pair for pair in others if self.holders.attribute_of(pair[1], scope) is not None
        ]
        holders = self._asking(holders, place)
        if len(holders) > 1:  # which of them is meant, nobody can tell
            holders = []
        carriers = self._meant(carriers, call)
        own_names = {function.self_name for function in enclosing(place)}
        for code, cls in (*near, *carriers, *holders):
            attribute = self.holders.attribute_of(cls, scope)
            knot = self.holders.field_knot(cls, scope)
            known = knot is not None or code in own_names
            if attribute is not None and (known or not is_private(attribute)):
                yield code, Value(self.holders.path(code, cls, attribute), knot=knot)

    def _asking(self, pairs: list[tuple[str, Class]], place: Place) -> list[tuple[str, Class]]:
        """Those that were not looked up by the scope of another, whose scopes they have then:
        `order = orders.get(command.tenant_id, command.order_id)`."""
        names = {code for code, _ in pairs}
        found: dict[str, set[str]] = {}
        for code, _ in pairs if len(pairs) > 1 else ():
            binding = self.visible.binding(code, place)
            value = binding.assigned if binding is not None else None
            paths = self.holders.paths_in(value) if isinstance(value, tree.Call) else ()
            found[code] = {path.base.id for path in paths if isinstance(path.base, tree.Name)}
        return [pair for pair in pairs if not found.get(pair[0], set()) & (names - {pair[0]})]

    def _is_for_another(self, function: Function) -> bool:
        """Whether a method is given another scope that its object has as well: it is about another one."""
        owner, scopes = function.owner, self.program.policy.scopes
        return owner is not None and any(
            self.program.domain.scope_parameter(function, s) is not None
            and self.holders.attribute_of(owner, s) is not None
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


def inline(value: Value) -> bool:
    """Whether an expression is short enough to stand in a call."""
    return len(value.code) <= _INLINE_LENGTH
