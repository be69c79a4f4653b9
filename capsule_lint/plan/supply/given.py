"""What a test gives already as the value of a scope: what it gives a call more must be the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import put_together, text_of
from capsule_lint.plan.supply.literals import Literals
from capsule_lint.plan.supply.repeats import repeatable
from capsule_lint.plan.testing.carried import Carried
from capsule_lint.plan.testing.command_lines import typed
from capsule_lint.plan.testing.in_vain import InVain
from capsule_lint.plan.testing.lasting import Lasting
from capsule_lint.plan.testing.looped import Looped
from capsule_lint.plan.testing.told_as import ToldAs
from capsule_lint.plan.testing.usual import usual
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.calling.fixtures import SETUPS, parametrized
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Binding, Function, enclosing, last_name, start_of
from capsule_lint.program.texts.pieces import names_scope
from capsule_lint.program.walk import within

_MAX_DEPTH: Final = 3

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.state import Value
    from capsule_lint.plan.supply.holders import Holders
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Place


class Said(Struct, frozen=True):
    """A value as a test writes it: its text if it is known, and the code of a name or path."""

    literal: str | None
    code: str | None
    root: str | None
    """The name that the code begins with; `None` for a literal."""
    local: bool = False
    """Whether that name means something in its own function alone."""


@dataclass(eq=False, slots=True)
class Given:
    """Finds such values."""

    program: Program
    holders: Holders
    carried: Carried = field(init=False)
    literals: Literals = field(init=False)
    told_as: ToldAs = field(init=False)
    looped: Looped = field(init=False)
    lasting: Lasting = field(init=False)
    in_vain: InVain = field(init=False)
    _known: dict[tuple[Function, str, bool], frozenset[Said]] = field(default_factory=dict)
    _carried: dict[tuple[Function, str], frozenset[Said]] = field(default_factory=dict)
    _around: dict[tuple[Function | None, str], frozenset[Said]] = field(default_factory=dict)
    _by_objects: dict[tuple[Function | None, str], frozenset[Said]] = field(default_factory=dict)
    _pairs: dict[
        tuple[Function, str, str], dict[frozenset[str | None], list[tuple[tree.Call, Said]]]
    ] = field(default_factory=dict)
    _asked: set[tuple[Function, str]] = field(default_factory=set)
    """The helpers of which it is being asked what they give on."""

    def __post_init__(self) -> None:
        self.literals = Literals(self.program)
        self.lasting = Lasting(self.program)
        self.in_vain = InVain(self.program, self.literals.of)
        self.carried = Carried(self.program, self.holders, self._of)
        self.told_as = ToldAs(self.program, self._of)
        self.looped = Looped(self.program, self.holders, self.carried)

    def near(self, nodes: Iterable[tree.Node], scope: Scope) -> frozenset[Said]:
        """What the calls in some expressions give for a scope, or the helpers of tests give that they call."""
        made = (only_assigned(self.program.names, node) or node for node in nodes)
        calls = [one for node in made for one in within(node) if isinstance(one, tree.Call)]
        said = frozenset(self._said(value) for call in calls for value in self._of(call, scope))
        return said or frozenset(
            one
            for call in calls
            for helper in self._helpers(call)
            for one in self._in(helper, scope, elsewhere=True)
        )

    def made_in(self, call: tree.Call | None, scope: Scope) -> str | None:
        """The code of the text that a call, or one among its arguments, puts together for a scope: `f"t{n}"` of
        `put(Note(f"t{n}"))`; `None` where that may not be said once more, or there are several."""
        place, calls = self.program.names.place, within(call) if call is not None else ()
        codes = {
            put_together(value) if repeatable(value, self.program, depth=1) else None
            for one in calls
            for value in (self._of(one, scope) if isinstance(one, tree.Call) else ())
            if call is not None
            and place(value).scope is place(call).scope  # its names mean the same
        }
        return codes.pop() if len(codes) == 1 else None

    def by_argument(
        self, call: tree.Call | None, scope: Scope
    ) -> tuple[Value | None, frozenset[Said]]:
        """How the object that a call is given says a scope's value, and what those have for it that a loop has in its
        place."""
        found = self.looped.beside(call, scope) if call is not None else None
        return (found[0], frozenset(map(self._said, found[1]))) if found else (None, frozenset())

    def at(self, place: Place, scope: Scope) -> frozenset[Said]:
        """What the functions around a place give for a scope, or else the fixtures that they use and
        the functions of tests that they call."""
        key = place.scope.function, scope.name
        if key not in self._around:
            self._around[key] = self._found_at(place, scope)
        return self._around[key]

    def _found_at(self, place: Place, scope: Scope) -> frozenset[Said]:
        functions = list(enclosing(place))
        for depth in range(_MAX_DEPTH):
            found = frozenset(
                said for one in functions for said in self._in(one, scope, depth > 0)
            )
            if not depth:
                found |= self.by_objects(place, scope)
            if found:
                return found
            functions = [other for one in functions for other in self._used_by(one)]
        return frozenset()

    def constant(self, place: Place, scope: Scope, literal: str | None) -> Said | None:
        """The constant of a module by which the functions around a place say a scope's value wherever they do, if that
        is a text: `TENANT`."""
        functions = enclosing(place)
        found = {said for one in functions for said in self._in(one, scope, elsewhere=False)}
        said = found.pop() if len(found) == 1 else None
        if said is None or literal is None or said.literal != literal:
            return None
        return said if said.code == said.root and not said.local else None

    def of_arguments(self, call: tree.Call, said: frozenset[Said]) -> frozenset[Said]:
        """Those of some values that are read of what a call is given itself: `order.tenant_id` for `put(order)`."""
        whole = {a.value.id for a in call.args if isinstance(a.value, tree.Name)}
        return frozenset(one for one in said if one.root in whole and one.code != one.root)

    def beside(self, call: tree.Call, scope: Scope) -> frozenset[Said]:
        """What a test gives for a scope wherever it gives the same as a call for another one: the stage of a note
        that it makes for `"t"`, where it asks for one of `"t"`."""
        function = self.program.names.function_of(call)
        for other in self.program.policy.others(scope):
            own = self._told(call, other) if function is not None else frozenset()
            pairs = self._paired(function, other, scope) if function is not None and own else {}
            found = frozenset(said for node, said in pairs.get(own, ()) if node is not call)
            if found:
                return found
        return frozenset()

    def _paired(
        self, function: Function, one: Scope, scope: Scope
    ) -> dict[frozenset[str | None], list[tuple[tree.Call, Said]]]:
        """What the calls of a function give for a scope, by what they give for another one."""
        key = (function, one.name, scope.name)
        if key not in self._pairs:
            found = self._pairs[key] = defaultdict(list)
            for call in self._calls(function):
                values = [self._said(value) for value in self._of(call, scope)]
                told = self._told(call, one) if values else frozenset()
                found[told] += [(call, said) for said in values]
        return self._pairs[key]

    def _told(self, call: tree.Call, scope: Scope) -> frozenset[str | None]:
        """The texts, or else the code, of what a call gives for a scope."""
        said = map(self._said, self._of(call, scope))
        return frozenset(one.literal or one.code for one in said)

    def by_objects(self, place: Place, scope: Scope) -> frozenset[Said]:
        """What the objects say that the functions around a place have from elsewhere: `CTX.capsule_id`."""
        key = place.scope.function, scope.name
        if key not in self._by_objects:
            functions = enclosing(place)
            found = (said for one in functions for said in self._of_objects(one, scope))
            self._by_objects[key] = frozenset(found)
        return self._by_objects[key]

    def _of_objects(self, function: Function, scope: Scope) -> frozenset[Said]:
        key = (function, scope.name)
        if key not in self._carried:
            self._carried[key] = frozenset(
                self._held(node, values, scope)
                for node, values in self.carried.by(function, scope)
                if not self._is_strange(node)
            )
        return self._carried[key]

    def _held(self, node: tree.Node, values: list[tree.Node], scope: Scope) -> Said:
        """What an object says: its one value if that is known, and the path to it."""
        literals = {self.literals.of(value) for value in values}
        literal = literals.pop() if len(literals) == 1 else None
        code = self.carried.path(node, scope)
        helper = scope.test_source.code if scope.test_source is not None else None
        if values and all(text_of(value) == helper for value in values):
            code = helper
        return replace(self._said(node), literal=literal, code=code)

    def value_of_helper(self, scope: Scope) -> str | None:
        """The literal that the helper of tests yields; `None` when it is not known."""
        spec = scope.test_source
        module = self.program.names.module(spec.module) if spec is not None else None
        binding = (
            self.program.names.global_binding(module, spec.name)
            if spec is not None and module is not None
            else None
        )
        target = self.program.names.follow(binding) if binding is not None else None
        if isinstance(target, Binding) and isinstance(target.definition, Function):
            returns = target.definition.returns
            return self.literals.of(returns[0]) if len(returns) == 1 else None
        if isinstance(target, Binding) and target.kind == "assign" and target.assigned:
            made, name = target.assigned, spec.code.rpartition(".")[2] if spec is not None else ""
            if spec is None or spec.code == spec.name:
                return self.literals.of(made)
            return self._told_to(made, target.name, name, scope)
        return self.literals.in_policy(scope)

    def _in(self, function: Function, scope: Scope, elsewhere: bool) -> frozenset[Said]:
        """What the calls of a function give; `elsewhere` as another function can write it."""
        key = (function, scope.name, elsewhere)
        if key not in self._known:
            values = [
                value
                for call in self._calls(function)
                if not self.in_vain.finds_nothing(call)
                for value in self._of(call, scope)
                if not isinstance(value, tree.Name)
                or not self.is_strangers(function, value.id, scope)
            ]
            if elsewhere:
                known = [usual(self.program, value) for value in values]
                said = [_elsewhere(self._said(value)) for value in known if value is not None]
            else:
                said = [self._said(value) for value in values]
            self._known[key] = frozenset(said)
        return self._known[key]

    def is_strangers(self, function: Function, name: str, scope: Scope) -> bool:
        """Whether a test only looks in vain by a local."""
        return self.in_vain.is_strangers(function, name, self.value_of_helper(scope))

    def _is_strange(self, node: tree.Node) -> bool:
        """Whether an object is only given to a call that finds nothing."""
        parent = self.program.names.parent(node)
        while isinstance(parent, tree.Expr | tree.Argument) and not isinstance(parent, tree.Call):
            parent = self.program.names.parent(parent)
        return isinstance(parent, tree.Call) and self.in_vain.finds_nothing(parent)

    def _calls(self, function: Function) -> Iterator[tree.Call]:
        return (n for n in self.program.names.inside(function) if isinstance(n, tree.Call))

    def _used_by(self, function: Function) -> Iterator[Function]:
        yield from self._fixtures(function)
        for name in SETUPS:
            owner = function.owner
            method = self.program.classes.method(owner, name) if owner is not None else None
            if method is not None and method is not function:
                yield method
        for call in self._calls(function):
            yield from self._helpers(call)

    def _helpers(self, call: tree.Call) -> Iterator[Function]:
        """The functions of tests that a call runs."""
        for callee in self.program.calls.callees(call):
            if callee.function is not None and callee.function.module.is_test:
                yield callee.function

    def _fixtures(self, function: Function) -> Iterator[Function]:
        for parameter in function.own_params:
            if not parametrized(function, parameter.name):
                fixture = self.program.inference.fixtures.named(function, parameter.name)
                if fixture is not None:
                    yield fixture

    def _of(self, call: tree.Call, scope: Scope) -> Iterator[tree.Node]:
        """What a call gives for a scope to what takes it already."""
        held = self.program.domain.held
        for callee in self.program.calls.callees(call):
            taking = callee.cls or callee.function
            assert taking is not None
            found = held.arguments(call.args, taking, callee.given, scope)
            if not found and callee.function is not None and callee.function.name == "__new__":
                found = held.arguments(call.args, callee.function, callee.given, scope)
            yield from (argument.value for argument in found or ())
            if found == [] and isinstance(taking, Function) and taking.module.is_test:
                yield from self._defaults(call, taking, callee.given, scope)
            if not found:
                yield from typed(self.program, call, callee, scope)
                yield from self.told_as.values(call, taking, callee.given, scope)

    def _defaults(
        self, call: tree.Call, helper: Function, given: int, scope: Scope
    ) -> Iterator[tree.Node]:
        """The values that a helper of tests has where a call gives none."""
        bound = bind(call.args, helper.params, given)
        for parameter in helper.params if bound is not None and not bound.starred else ():
            if self.program.domain.held.takes(helper, parameter.name, scope):
                default = parameter.default
                if default is not None and self.literals.of(default) is not None:
                    yield default
                elif isinstance(default, tree.Const) and default.value is None:
                    yield from self._instead(helper, scope)

    def _instead(self, helper: Function, scope: Scope) -> Iterator[tree.Node]:
        """What a helper gives on in the place of `None`: `a_tenant()` of `Note(tenant_id or a_tenant())`."""
        key = (helper, scope.name)
        if key in self._asked:
            return  # it calls itself
        self._asked.add(key)
        values = [value for call in self._calls(helper) for value in self._of(call, scope)]
        self._asked.discard(key)
        for value in values:
            known = usual(self.program, value)
            if known is not None and known is not value and not self._said(known).local:
                yield known

    def _said(self, node: tree.Node) -> Said:
        root = start_of(node)
        literal, code = self.literals.of(node) or self._kept_in(node), text_of(node)
        if not self._lasts(node):
            return Said(literal, None, None)
        if not isinstance(root, tree.Name):
            return Said(literal, code, None)
        bindings = self.program.names.bindings_of(root)
        local = any(not b.is_global for b in bindings)
        return Said(literal, code, root.id, local)

    def _kept_in(self, node: tree.Node) -> str | None:
        """The text that an object of a module was made with: `"PRODUS"` of `SCOPE.capsule_id`."""
        scopes = self.program.policy.scopes if isinstance(node, tree.Attr) else ()
        for scope in scopes:
            if isinstance(node, tree.Attr) and names_scope(node.name, scope):
                return self._told_to(node.base, last_name(node.base), node.name, scope)
        return None

    def _told_to(self, node: tree.Node, known_as: str, name: str, scope: Scope) -> str | None:
        """The text that an object was made with, where it says that for good."""
        held = list(self.carried.held(node, scope))
        text = self.literals.of(held[0]) if len(held) == 1 else None
        return text if text is not None and self.lasting.says(node, known_as, name) else None

    def _lasts(self, node: tree.Node) -> bool:
        """Whether an expression says the same where it stands once more: `make_tenant()` may make another one."""
        helpers = (s.test_source for s in self.program.policy.scopes)
        if not isinstance(node, tree.Call) or repeatable(node, self.program):
            return True
        return any(one is not None and one.code == text_of(node) for one in helpers)


def _elsewhere(said: Said) -> Said:
    """A value as another function can write it."""
    return replace(said, code=None) if said.local else said
