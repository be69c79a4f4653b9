"""What tests show: that scopes are kept apart, and that an entity has the scope it was made with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.judgement import AssertionFact, EvidenceFact, MarkerFact
from capsule_lint.model import AddStatement
from capsule_lint.plan.code import text_of
from capsule_lint.plan.opinions.base import Ground, Opinion, Passed, inside
from capsule_lint.plan.opinions.moved import Moved
from capsule_lint.plan.opinions.siblings import Siblings
from capsule_lint.plan.supply.repeats import repeatable
from capsule_lint.plan.supply.visible import certainly_before
from capsule_lint.program.inference.types import classes_of
from capsule_lint.program.local_names import bound_whole, only_assigned, reads_of
from capsule_lint.program.model import enclosing
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Binding, Class, Function, Place

_EQUAL: Final = frozenset(("assertEqual", "assertEquals", "assertIs", "assertNotEqual"))
_ENOUGH: Final = 2
"""How many fields a test asserts that is about the whole of an entity."""
_DEPTH: Final = 6


class Claim(Struct, frozen=True):
    """One asserted side: `name.field`, and the statement that asserts it."""

    name: tree.Name
    field: str
    statement: tree.Statement
    method: str
    """`self.assertEqual`, or empty for a plain `assert`."""


@dataclass(eq=False, slots=True)
class EvidenceOpinions:
    """Judges tests by what they say about the innermost scope, and entities by their marker."""

    ground: Ground

    def find(self) -> Iterator[Opinion]:
        """What no test shows, and what no marker says."""
        if not self.ground.scopes:
            return
        yield from self._markers()
        yield from self._untested()
        for module in self.ground.modules(tests=True):
            for function in module.functions if module.is_test else ():
                if function.name.startswith("test"):
                    yield from self._unasserted(function)

    @property
    def _innermost(self) -> Scope:
        return self.ground.scopes[-1]

    def _is_stored(self, cls: Class) -> bool:
        """Whether instances are certainly items: they build keys, or have a scope."""
        classes = self.ground.program.classes
        if any(classes.has_attribute(cls, scope.parameter) for scope in self.ground.scopes):
            return True
        owners = {site.owner for site in self.ground.program.keys.sites}
        return any(owner in owners for owner in classes.mro(cls)) and not self._is_base(cls)

    def _is_isolated(self, cls: Class) -> bool:
        """Whether policy wants the innermost scope in an entity's keys."""
        entity = self.ground.program.domain.narrowed_names(cls, None, cls.module.name)
        return self._innermost in self.ground.program.policy.scopes_of(entity)

    # --- markers ---

    def _markers(self) -> Iterator[Opinion]:
        marker = f"{self._innermost.name}_isolated"
        classes, domain = self.ground.program.classes, self.ground.program.domain
        for cls in sorted(domain.entities, key=lambda c: c.symbol):
            if cls.module.is_test or cls.module.generated or classes.is_abstract(cls):
                continue
            if cls.fact.is_assigned:
                continue  # nothing takes a decorator
            marked = any(marker in owner.decorators for owner in classes.mro(cls))
            if not marked and self._is_isolated(cls) and self._is_stored(cls):
                yield Opinion(
                    MarkerFact(
                        cls.module.filename,
                        tree.span_of(cls.fact.name_at),
                        cls.symbol,
                        (self._innermost.parameter,),
                        cls.name,
                        reason=marker,
                    )
                )

    # --- tests of isolation ---

    def _untested(self) -> Iterator[Opinion]:
        domain, classes = self.ground.program.domain, self.ground.program.classes
        tested, siblings = self._tested(), Siblings(self)
        for cls in sorted(domain.repositories, key=lambda c: c.symbol):
            entities = list(filter(self._is_stored, domain.entities_of.get(cls, ())))
            if cls.module.is_test or cls.module.generated or not entities or cls in tested:
                continue
            if classes.is_abstract(cls) or not self._is_isolated(cls) or self._is_base(cls):
                continue
            if any(map(self._is_isolated, entities)):
                yield Opinion(
                    EvidenceFact(
                        cls.module.filename,
                        tree.span_of(cls.fact.name_at),
                        cls.symbol,
                        (self._innermost.parameter,),
                        entities[0].name if len(entities) == 1 else None,
                    ),
                    siblings.beside(cls),
                )

    def _is_base(self, cls: Class) -> bool:
        """Whether others are made from it: they are what has to be tested."""
        return any(sub is not cls for sub in self.ground.program.classes.subclasses(cls))

    def _tested(self) -> set[Class]:
        """The repositories that one test calls, or makes, for two values of the innermost scope."""
        values: dict[tuple[Function, Class], set[str]] = defaultdict(set)
        for passed in self.ground.passed:
            place = self.ground.program.names.place(passed.call)
            test = next((f for f in enclosing(place) if f.name.startswith("test")), None)
            if not place.scope.module.is_test or passed.scope is not self._innermost:
                continue
            text = self.said(passed.argument.value)
            for cls in self.repositories(passed):
                if test is not None:
                    values[test, cls].add(text)
        return {cls for (_, cls), said in values.items() if len(said) > 1}

    def said(self, node: tree.Node, depth: int = 0) -> str:
        """An argument as text, the same for the same value as far as can be told."""
        node = self.ground.uncast(node)
        known = self.ground.program.templates.constant(node)
        source = self.behind(node) if known is None and depth < _DEPTH else None
        if source is not None:
            return self.said(source, depth + 1)
        return known or text_of(node) or str(node.at)

    def behind(self, node: tree.Node) -> tree.Node | None:
        """What a local is assigned, a helper without arguments returns, or an object was made with."""
        names = self.ground.program.names
        match node:
            case tree.Name():
                return only_assigned(names, node)
            case tree.Attr(base=tree.Name() as base) if names_scope(node.name, self._innermost):
                return self._held(base)
            case tree.Call(args=()):
                found = self.ground.program.calls.callees(node)
                functions = [c.function for c in found if c.function is not None]
                if len(found) == len(functions) == 1 and len(functions[0].returns) == 1:
                    return functions[0].returns[0]
        return None

    def _held(self, made: tree.Name) -> tree.Node | None:
        """The one value of the innermost scope that an object was made with, in a test or in its fixture."""
        names, carried = self.ground.program.names, self.ground.planner.sources.given.carried
        function, own = names.function_of(made), only_assigned(names, made)
        if own is not None:
            values = list(carried.held(own, self._innermost))
        else:
            named = carried.by(function, self._innermost) if function is not None else ()
            values = [value for node, held in named if text_of(node) == made.id for value in held]
        return values[0] if len(values) == 1 else None

    def repositories(self, passed: Passed) -> Iterator[Class]:
        """The implementations that a call may reach."""
        domain, callee = self.ground.program.domain, passed.callee
        receivers: set[Class] = set()
        if callee.cls is not None:
            receivers.add(callee.cls)
        elif callee.function is not None and isinstance(passed.call.func, tree.Attr):
            types = self.ground.program.inference.of(passed.call.func.base)
            receivers |= classes_of(types)
        for cls in receivers:
            if cls in domain.repositories:
                yield cls
                if self.ground.program.classes.is_abstract(cls):
                    yield from self.ground.program.calls.families.kin(cls)

    # --- assertions on entities ---

    def _unasserted(self, test: Function) -> Iterator[Opinion]:
        claims: dict[str, list[Claim]] = defaultdict(list)
        whole: set[str] = set()
        for statement, place in test.module.statements:
            if place.scope.function is test or self._runs(test, place.scope.function):
                for claim, names in self._claims(statement):
                    whole |= names
                    if claim is not None:
                        claims[claim.name.id].append(claim)
        for name, own in claims.items():
            if name in whole or len({claim.field for claim in own}) < _ENOUGH:
                continue
            cls = self._entity(own[-1].name)
            if cls is None or self._is_about_scope(own):
                continue
            yield self._unasserted_scope(test, own, cls)

    def _runs(self, test: Function, inner: Function | None) -> bool:
        """Whether a function inside of a test is told nothing: what the test does, as a coroutine."""
        return inner is not None and inner.parent is test and not inner.params

    def _claims(self, statement: tree.Statement) -> Iterator[tuple[Claim | None, set[str]]]:
        """What a statement asserts about fields, and the names that it asserts something else about."""
        match statement:
            case tree.Eval(kind="assert", values=(test, *_)):
                parts = (
                    test.values if isinstance(test, tree.Boolean) and test.op == "and" else (test,)
                )
                for part in parts:
                    yield from self._claimed(statement, part)
            case tree.Eval(
                kind="expr", values=(tree.Call(func=tree.Attr(name=name) as func) as call,)
            ) if name in _EQUAL:
                sides = [argument.value for argument in call.args[:2]]
                yield from _of_sides(statement, sides, text_of(func) or "")
            case tree.Eval(kind="expr"):
                yield None, set()
            case _:
                return

    def _claimed(
        self, statement: tree.Statement, test: tree.Node
    ) -> Iterator[tuple[Claim | None, set[str]]]:
        match test:
            case tree.Compare(ops=("==" | "is",)):
                yield from _of_sides(statement, [test.left, *test.rights], "")
            case tree.Compare(left=tree.Name(), ops=("is not",), rights=(tree.Const(value=None),)):
                pass  # that there is one at all says nothing of it
            case _:
                yield None, _names((test,))

    def _entity(self, name: tree.Name) -> Class | None:
        """The entity that a local name of a test holds, if it has the innermost scope."""
        program = self.ground.program
        found = classes_of(program.inference.of(name))
        if len(found) != 1:
            return None
        cls = found.pop()
        has = program.classes.has_attribute(cls, self._innermost.parameter)
        known = cls in program.domain.entities and self._is_isolated(cls)
        return cls if known and has else None

    def _is_about_scope(self, claims: list[Claim]) -> bool:
        """Whether one of the fields is the scope, or a key that holds it."""
        policy = self.ground.program.policy
        return any(
            names_scope(claim.field, self._innermost) or policy.is_key_name(claim.field)
            for claim in claims
        )

    def _unasserted_scope(self, test: Function, claims: list[Claim], cls: Class) -> Opinion:
        last, others = claims[-1], self.ground.program.policy.others(self._innermost)
        fact = AssertionFact(
            test.module.filename,
            last.name.span,
            test.symbol,
            (self._innermost.parameter,),
            cls.name,
            reason=last.name.id,
        )
        place = self.ground.program.names.place
        neighbours = [
            claim
            for claim in claims
            if names_any_of(claim.field, others)
            and place(claim.name).scope is place(last.name).scope
            and place(claim.name).blocks == place(last.name).blocks  # else it may not run
        ]
        beside = neighbours[-1] if neighbours else last
        expected = self._expected(beside.name, claims, cls)
        if expected is None:
            return Opinion(fact)
        actual = f"{beside.name.id}.{self._innermost.parameter}"
        line = f"assert {actual} == {expected}"
        if beside.method:
            line = f"{beside.method}({actual}, {expected})"
        mend = AddStatement(test.module.filename, beside.statement.span, "CAP602", line)
        return Opinion(fact, (mend,))

    def _expected(self, name: tree.Name, claims: Sequence[Claim], cls: Class) -> str | None:
        """The value that the entity was made with, where it was made in the test itself, and keeps what it got, or by a
        function of its module that asks the same for it whoever calls, and the test does nothing but claim something of it."""
        names = self.ground.program.names
        binding = bound_whole(names, name)
        if binding is None or binding.kind != "assign":
            return None
        made, place = binding.value, names.place(name)
        if isinstance(made, tree.Wrapped) and made.kind == "await":
            made = made.value
        if not isinstance(made, tree.Call):
            return None
        value = self._given(made)
        if value is not None:
            moved = Moved(self.ground.program).may_be(name, binding, cls, self._innermost)
            same = not moved and self._is_same(value, binding, place)
        else:
            claimed = {id(claim.name) for claim in claims}
            alone = all(id(read) in claimed for read in reads_of(names, name, (binding.at,)))
            value, same = self._given_inside(made), alone and certainly_before(binding, place)
        told = value is not None and same and repeatable(value, self.ground.program, 1)
        return text_of(value) if value is not None and told else None

    def _given(self, made: tree.Call) -> tree.Node | None:
        """What a call gives for the innermost scope."""
        given = [p for p in self.ground.passed if p.call is made and p.scope is self._innermost]
        return given[0].argument.value if len(given) == 1 else None

    def _given_inside(self, made: tree.Call) -> tree.Node | None:
        """What the function that is called gives for the innermost scope where it makes what it returns, if that means the
        same in the test."""
        names, found = self.ground.program.names, self.ground.program.calls.callees(made)
        function = found[0].function if len(found) == 1 and found[0].cls is None else None
        result = function.returns[0] if function and len(function.returns) == 1 else None
        value = self._given(result) if isinstance(result, tree.Call) else None
        if function is None or value is None or function.module is not names.module_of(made):
            return None
        read = [node for node in inside(value) if isinstance(node, tree.Name)]
        there = [names.bindings_of(node) for node in read]
        here = [names.bindings(node.id, names.place(made)) for node in read]
        alone = all(len(bound) == 1 and bound[0].is_global for bound in there)
        return value if alone and there == here else None

    def _is_same(self, value: tree.Node, made: Binding, place: Place) -> bool:
        """Whether an expression still says at `place` what it said when the entity was made."""
        names = self.ground.program.names
        for node in inside(value):
            if isinstance(node, tree.Name):
                then = names.bindings(node.id, made.place)
                if then != names.bindings(node.id, place) or len(then) > 1:
                    return False
        return certainly_before(made, place)


def _of_sides(
    statement: tree.Statement, sides: Sequence[tree.Node], method: str
) -> Iterator[tuple[Claim | None, set[str]]]:
    for side in sides:
        if isinstance(side, tree.Attr) and isinstance(side.base, tree.Name):
            yield Claim(side.base, side.name, statement, method), set()
        else:
            yield None, _names((side,))


def _names(nodes: tuple[tree.Node, ...]) -> set[str]:
    """The plain names in expressions, those aside of which only a field is read."""
    found: set[str] = set()
    fields: set[int] = set()
    for node in nodes:
        for part in inside(node):
            if isinstance(part, tree.Attr) and isinstance(part.base, tree.Name):
                fields.add(id(part.base))
            elif isinstance(part, tree.Call) and isinstance(part.func, tree.Attr):
                fields.discard(id(part.func.base))
            if isinstance(part, tree.Name) and id(part) not in fields:
                found.add(part.id)
    return found
