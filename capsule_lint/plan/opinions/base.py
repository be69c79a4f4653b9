"""What all opinions stand on: the program, which functions lead to keys, and small questions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.program.aliases import closure
from capsule_lint.program.calling.binding import bind, bind_open
from capsule_lint.program.calling.callers import Callee
from capsule_lint.program.calling.calls import INDIRECT_CONSTRUCTION
from capsule_lint.program.calling.passing import COMPLETED, OF_METHOD, PASSING
from capsule_lint.program.calling.wrapping import calls_around
from capsule_lint.program.fields import COPYING, copied_by
from capsule_lint.program.inference.types import NOTHING, Instance, ordered
from capsule_lint.program.model import Class, Function, last_name, owner_of
from capsule_lint.program.texts.pieces import hole_name, names_any_of, names_scope, snake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.judgement import Fact
    from capsule_lint.model import Mend, Span
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_CASTS: Final = ("str", "UUID")
Node = tuple[Function | Class, str]
"""A function, or a class whose constructor is made from its fields, and a scope that it takes."""


class Opinion(Struct, frozen=True):
    """A fact that no change set follows from, and the mends that would end it by themselves."""

    fact: Fact
    mends: tuple[Mend, ...] = ()
    beside: tuple[Knot, ...] = ()
    """What must not change as long as this stays as it is."""


class Passed(Struct, frozen=True):
    """An argument of a resolved call that goes to the parameter of a scope."""

    call: tree.Call
    argument: tree.Argument
    callee: Callee
    parameter: str
    scope: Scope


@dataclass(eq=False)
class Ground(Room):
    """The program as it is, seen by opinions."""

    planner: Planner
    source: Callable[[Module, Span], str]
    """The text of a file between two places."""
    told: set[int] = field(default_factory=set)
    """The expressions of which it is said that they are written out."""
    _named: dict[str, Scope | None] = field(default_factory=dict)
    _parameters: dict[tuple[Function, str], tree.Parameter | None] = field(default_factory=dict)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes of the policy, outermost first."""
        return self.program.policy.scopes

    # --- files, functions, names ---

    def modules(self, *, tests: bool = False) -> list[Module]:
        """The modules that are judged: no generated ones; tests only where they are asked for."""
        names = self.program.names
        return names.editable() if tests else names.production()

    def symbol(self, node: tree.Node) -> str:
        """The function that an expression stands in, or its module."""
        return self.program.names.symbol_of(node)

    def scope_named(self, name: str) -> Scope | None:
        """The scope that a name means, when it means exactly one."""
        if name not in self._named:
            found = [s for s in self.scopes if names_scope(name, s)] if name else []
            self._named[name] = found[0] if len(found) == 1 else None
        return self._named[name]

    def said(self, node: tree.Node) -> tuple[str, Scope | None]:
        """What an expression is called, and the one scope whose value it is by that or by the policy."""
        name = self.path_name(node)
        scope = self.scope_named(name)
        if scope is None and not names_any_of(name, self.scopes):
            node = self.uncast(node)
            scope = self.program.domain.held.by_policy(node)
            if scope is not None and not name:
                name = text_of(node) or f"{last_name(node)}(…)"
        return name, scope

    def other_than(self, node: tree.Node, scope: Scope) -> tuple[str, Scope] | None:
        """What an expression is called, and whose value it is, where that is another scope's."""
        name, given = self.said(node)
        if given is None or given is scope or names_scope(name, scope):
            return None
        return name, given

    def path_name(self, node: tree.Node) -> str:
        """The name by which a plain path is known: `capsule_id` of `ctx.capsule_id`,
        `current().capsule_id`, `str(capsule_id)` or `claims["capsule_id"]`; empty for whatever is computed."""
        match self.uncast(node):
            case tree.Attr(base=tree.Call() as made, name=name) if self._is_made_here(made):
                return name if self.scope_named(name) is not None else ""
            case tree.Name() | tree.Attr() | tree.Subscript() as path:
                return hole_name(path) if is_path(path) else ""
            case tree.Call(func=tree.Attr(name="get") as func) as path if is_path(func.base):
                return hole_name(path)
            case _:
                return ""

    def _is_made_here(self, call: tree.Call) -> bool:
        """Whether a call gives what a function of the program makes of plain values: a context, or whatever has scopes."""
        plain = all(isinstance(a.value, tree.Const) or is_path(a.value) for a in call.args)
        return plain and is_path(call.func) and bool(self.callees(call))

    def can_trade(self, module: Module, one: tree.Node, two: tree.Node) -> bool:
        """Whether two values may take each other's places: neither is made another type there, and what calls give
        is asked for in the same way before and after."""
        made = {
            self.source(module, node.base.span)
            for node in (one, two)
            if isinstance(node, tree.Attr) and isinstance(node.base, tree.Call)
        }
        return len(made) < 2 and all(self.uncast(node) is node for node in (one, two))

    def uncast(self, node: tree.Node) -> tree.Node:
        """What stands inside of `str(…)`, or of the type of a scope."""
        while isinstance(node, tree.Call) and len(node.args) == 1 and self.is_cast(node):
            node = node.args[0].value
        return node

    def is_cast(self, call: tree.Call) -> bool:
        """Whether a call makes nothing but a scope's value, or a string, of its one argument."""
        if call.args[0].star or call.args[0].keyword is not None:
            return False
        name = last_name(call.func)
        types = [s.type.name.rpartition(".")[2] for s in self.scopes if s.type is not None]
        return name in _CASTS or name in types or snake(name) in [s.parameter for s in self.scopes]

    def parameter(self, function: Function, scope: Scope) -> tree.Parameter | None:
        """The parameter that takes the scope's value."""
        key = (function, scope.name)
        if key not in self._parameters:
            found = self.program.domain.scope_parameter(function, scope)
            self._parameters[key] = found
        return self._parameters[key]

    def required(self, function: Function) -> tuple[Scope, ...]:
        """The scopes that what a function works on needs."""
        return self.planner.demands.required_of(owner_of(function), function)

    # --- what is passed for scopes ---

    @cached_property
    def passed(self) -> tuple[Passed, ...]:
        """All arguments of resolved calls that go to the parameter of a scope."""
        return tuple(
            passed
            for module in self.modules(tests=True)
            for node in module.each(tree.Call)
            if node.args and self._may_pass(node.func)
            for callee in self.program.calls.callees(node)
            for passed in self._passed(node, callee)
        )

    def callees(self, call: tree.Call) -> Sequence[Callee]:
        """What a call may call; in a decorator, what this is put around, and the classes of what a call copies."""
        around = [callee for _, callee in self._around.get(id(call), ())]
        return self.program.calls.callees(call) or around or self._copied(call)

    @cached_property
    def _around(self) -> dict[int, list[tuple[tree.Call, Callee]]]:
        """The calls that a decorator makes of what it is put around, which they call where nothing else says what."""
        found: dict[int, list[tuple[tree.Call, Callee]]] = defaultdict(list)
        for module in self.modules(tests=True):
            for function in module.functions:
                for call in calls_around(self.program.classes, function):
                    found[id(call)].append((call, Callee(function, None, 0)))
        return found

    @cached_property
    def passed_around(self) -> tuple[Passed, ...]:
        """The arguments for scopes of the calls that decorators make of what they are put around."""
        return tuple(
            passed
            for called in self._around.values()
            for call, callee in called
            for passed in self._passed(call, callee)
            if not self.program.calls.callees(call)
        )

    @cached_property
    def passed_by_copies(self) -> tuple[Passed, ...]:
        """What copies are given for scopes: `replace(order, capsule_id=capsule_id)`. What they get of the very object that
        is copied is meant: in its own place it would change nothing."""
        return tuple(
            Passed(call, argument, callee, argument.keyword, scope)
            for module in self.modules(tests=True)
            for call in module.each(tree.Call)
            if last_name(call.func) in COPYING and not self.program.calls.callees(call)
            for argument in call.args
            if argument.keyword and (scope := self.scope_named(argument.keyword)) is not None
            if not self._is_of_copied(argument.value, call)
            for callee in self._copied(call)
        )

    def _is_of_copied(self, value: tree.Node, call: tree.Call) -> bool:
        """Whether a value is an attribute of what a call copies."""
        value, copied = self.uncast(value), copied_by(call)
        if copied is None or not isinstance(value, tree.Attr):
            return False
        return text_of(value.base) == text_of(copied) is not None

    def _copied(self, call: tree.Call) -> Sequence[Callee]:
        """The classes of what a call copies, where that is made of its fields."""
        classes, copied = self.program.classes, copied_by(call)
        types = self.program.inference.of(copied) if copied is not None else NOTHING
        found = [one.cls for one in ordered(types) if isinstance(one, Instance)]
        known = len(found) == len(types) and all(map(classes.is_data, found))
        return [Callee(None, cls, 0) for cls in found] if known else ()

    @cached_property
    def passed_later(self) -> tuple[Passed, ...]:
        """The arguments for scopes of the calls that something else makes: `pool.submit(f, tenant_id)`,
        `Thread(target=f, args=(tenant_id,))`, and those of `partial(f, tenant_id)`, which need not be all."""
        calls, editable = self.program.calls, self.modules(tests=True)
        later = [(box.call, False) for box in calls.uses.boxes.values()]
        later += [
            made for one in editable for node in one.each(tree.Call) for made in self._later(node)
        ]
        module_of = self.program.names.module_of
        return tuple(
            passed
            for call, is_open in later
            if call.args and self._may_pass(call.func) and module_of(call) in editable
            for callee in calls.callees(call)
            for passed in self._passed(call, callee, is_open=is_open)
        )

    def _later(self, holder: tree.Call) -> Iterator[tuple[tree.Call, bool]]:
        """The call that one has made of what it is given, as if it were made at once, and whether others complete it."""
        name, names = last_name(holder.func), self.program.names
        at = PASSING.get(name)
        func = holder.args[at] if at is not None and len(holder.args) > at else None
        if at is None or func is None or func.star or func.keyword or name == OF_METHOD:
            return
        if not self._may_pass(func.value) or self.program.calls.callees(holder):
            return
        made = tree.Call(holder.at, func.value, holder.args[at + 1 :])
        names.index.put(made, names.place(holder), holder)
        yield made, name in COMPLETED

    def _may_pass(self, func: tree.Node) -> bool:
        """Whether what is called may take a scope, by its name: to resolve every call costs much."""
        if last_name(func) in self._takers or not isinstance(func, tree.Name | tree.Attr):
            return True
        if not isinstance(func, tree.Name):
            return False
        return any(binding.is_variable for binding in self.program.names.bindings_of(func))

    @cached_property
    def _takers(self) -> set[str]:
        """The names of all functions and classes that take a scope."""
        program = self.program
        found = set(INDIRECT_CONSTRUCTION)
        for module in program.names.modules.values():
            for function in module.functions:
                if any(self.scope_named(p.name) for p in function.params):
                    owner = function.owner if function.name.startswith("__") else None
                    made = program.classes.subclasses(owner) if owner is not None else ()
                    found.update(
                        function.name, *(program.calls.uses.aliases(c.name) for c in made)
                    )
                    found |= program.calls.uses.aliases(function.name)
        for cls in program.classes.having(lambda name: self.scope_named(name) is not None):
            if any(self.scope_named(p.name) for p in program.classes.constructor(cls) or ()):
                found |= program.calls.uses.aliases(cls.name)
        return found

    def _passed(
        self, call: tree.Call, callee: Callee, *, is_open: bool = False
    ) -> Iterator[Passed]:
        params, given = self.program.calls.parameters(callee)
        bound = (bind_open if is_open else bind)(call.args, params, given)
        for name, argument in bound.arguments.items() if bound is not None else ():
            scope = self.scope_named(name)
            if scope is None:
                continue
            own = self.parameter(callee.function, scope) if callee.function is not None else None
            if callee.function is None or (own is not None and own.name == name):
                yield Passed(call, argument, callee, name, scope)

    # --- what leads to keys ---

    @cached_property
    def leading(self) -> frozenset[Node]:
        """What takes a scope that ends up in a key, a filter, an entity or a context."""
        feeds: dict[Node, set[Node]] = defaultdict(set)
        queue: list[Node] = []
        for passed in (*self.passed, *self.passed_later):
            target = (passed.callee.function or passed.callee.cls, passed.scope.name)
            if target[0] is None:
                continue
            node: Node = (target[0], target[1])
            for feeder in self._feeders(passed.argument.value, passed.scope):
                feeds[node].add(feeder)
            queue.append(node)
        for module in self.modules():
            for function in module.functions:
                queue += [(function, s.name) for s in self.scopes]
            queue += [(cls, s.name) for cls in module.classes for s in self.scopes]
        roots = [node for node in dict.fromkeys(queue) if self.is_root(node[0])]
        return frozenset(closure(roots, feeds))

    def is_root(self, one: Function | Class) -> bool:
        """Whether something builds keys, reads or writes items, or is one."""
        domain, keys = self.program.domain, self.program.keys
        cls = one if isinstance(one, Class) else one.owner
        if isinstance(one, Function):
            if one in keys.helpers or one in keys.functions or domain.touches_table(one):
                return True
            if cls is not None and cls in domain.repositories:
                return True
        constructs = isinstance(one, Class) or one.name == "__init__"
        return (
            constructs and cls is not None and (cls in domain.entities or domain.is_carrier(cls))
        )

    def leads(self, passed: Passed) -> bool:
        """Whether what is passed ends up in a key."""
        target = passed.callee.function or passed.callee.cls
        return target is not None and (target, passed.scope.name) in self.leading

    def _feeders(self, value: tree.Node, scope: Scope) -> Iterator[Node]:
        """The functions whose own parameter, or attribute of `self`, is passed on."""
        value = self.uncast(value)
        place = self.program.names.place(value)
        match value:
            case tree.Name():
                for binding in self.program.names.bindings(value.id, place):
                    if binding.kind == "param" and binding.function is not None:
                        yield binding.function, scope.name
            case tree.Attr(base=tree.Name()):
                owner = owner_of(place.scope.function)
                initializer = self.program.classes.initializer(owner) if owner else None
                if initializer is not None and self.scope_named(hole_name(value)) is scope:
                    yield initializer, scope.name


def is_path(node: tree.Node) -> bool:
    """Whether an expression only reads: names, attributes, constant items, `.get("…")`."""
    match node:
        case tree.Name():
            return True
        case tree.Attr():
            return is_path(node.base)
        case tree.Subscript(index=tree.Const()):
            return is_path(node.base)
        case tree.Call(func=tree.Attr(name="get") as func):
            return is_path(func.base) and all(isinstance(a.value, tree.Const) for a in node.args)
        case _:
            return False


def inside(node: tree.Node) -> Iterator[tree.Node]:
    """An expression and all that it consists of."""
    yield node
    match node:
        case tree.Comprehension():
            parts = [*node.results, *(g.iter for g in node.generators)]
            parts += [test for g in node.generators for test in g.ifs]
        case tree.Lambda():
            parts = [node.body]
        case _:
            parts = [*node.below()]
    for part in parts:
        yield from inside(part)
