"""Functions that nobody in the program passes anything: values cannot be threaded through them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.supply.own_bases import declares
from capsule_lint.plan.supply.repeats import kept
from capsule_lint.program.bases import PLAIN_BASES, last_name_of
from capsule_lint.program.inference.types import (
    ClassObject,
    FunctionObject,
    Instance,
    LambdaObject,
)
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.state import Want
    from capsule_lint.plan.supply.given import Said
    from capsule_lint.plan.supply.values import Values
    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Function

SPECIAL: Final = ("__init__", "__new__", "__call__")
"""The methods with two underscores that take what people pass."""
_REGISTERING: Final = frozenset(
    (
        "command",
        "on_event",
        "middleware",
        "exception_handler",
        "listener",
        "receiver",
        "validator",
        "field_validator",
        "model_validator",
        "root_validator",
        "field_serializer",
        "model_serializer",
        "validates",
        "callback",
    )
)
_TASKS: Final = frozenset(("task", "shared_task", "actor", "job"))
"""What makes a function one that a queue calls, with what the program has put there."""
_CALLED: Final = _TASKS | {
    "backoff",
    "beartype",
    "cached",
    "capture_lambda_handler",
    "capture_method",
    "circuit",
    "deprecated",
    "inject_lambda_context",
    "limits",
    "log_metrics",
    "memoize",
    "observe",
    "on_exception",
    "on_predicate",
    "override",
    "retry",
    "sleep_and_retry",
    "span",
    "throttle",
    "time",
    "timed",
    "timeit",
    "timeout",
    "trace",
    "traced",
    "typechecked",
    "validate_call",
    "wrap",
}
"""Decorators of libraries that leave it to others to call a function, or have what is queued for it passed on."""
_FOUND_BY_NAME: Final = {"http": "do_", "cmd": "do_", "ast": "visit_"}
"""How methods begin that classes of Python's own call by names which they make: `do_GET`, `visit_Call`."""
_OWN: Final = (ClassObject, FunctionObject, Instance, LambdaObject)
_DEPTH: Final = 4


@dataclass(eq=False)
class Entries:
    """Tells such functions."""

    program: Program
    values: Values
    _reading: set[tuple[Function, str]] = field(default_factory=set)
    """Functions that were given a scope's parameter though they read its neighbour from a message."""

    def takes_nothing(self, function: Function, want: Want) -> bool:
        """Whether a parameter of the function would be passed by nobody."""
        if self._is_called_from_outside(function):
            return True
        if self.is_told_by_data(function, want):
            return True
        if not self.program.domain.takes_scope(function) and self._message(want) is not None:
            self._reading.add((function, want.scope.parameter))
        return False

    def is_told_by_data(self, function: Function, want: Want) -> bool:
        """Whether a function reads the other scope from data that may be of another value than what its callers
        would give, or has no callers."""
        if self.program.domain.takes_scope(function) or self._message(want) is None:
            return False
        return self._is_taken_apart(want) or not any(
            True for _ in self._production_callers(function)
        )

    def keeper_of(self, function: Function) -> str | None:
        """The decorator from outside of the program that keeps a function, to call it as it is: one that is known
        for that, or any where nothing but tests calls the function, which is told no scope."""
        foreign = [d for d in function.fact.decorators if self._is_foreign(d)]
        known = next((d for d in foreign if last_name(d) in _REGISTERING), None)
        if known is None and (
            not foreign
            or function.owner is not None
            or function.module.is_test
            or self.program.domain.takes_scope(function)
            or any(True for _ in self._production_callers(function))
        ):
            return None
        keeper = known or next((d for d in foreign if last_name(d) not in _CALLED), None)
        return last_name(keeper) if keeper is not None else None

    def _is_foreign(self, decorator: tree.Node) -> bool:
        """Whether a decorator is neither of the program, nor one of Python's own: these put something around."""
        node = tree.uncalled(decorator)
        base: tree.Node | None = node
        while base is not None:
            if any(isinstance(one, _OWN) for one in self.program.inference.of(base)):
                return False
            base = base.base if isinstance(base, tree.Attr) else None
        named = self.program.classes.dotted(node)
        head, dot, _ = named.partition(".") if isinstance(named, str) else ("", "", "")
        # a plain name that is imported nowhere is a builtin
        known = dot if isinstance(node, tree.Name) else head
        return bool(known) and head not in sys.stdlib_module_names

    def foreign_bases(self, method: Function) -> Iterator[str]:
        """The bases of a method's class, and of those into which it is mixed, that may call it, and that the
        program does not know."""
        classes, owner = self.program.classes, method.owner
        if owner is None:
            return
        with self.program.names.aside():  # who inherits from it is asked for where it changes
            heirs = [
                c for c in classes.subclasses(owner) if classes.method(c, method.name) is method
            ]
        bases = (base for cls in heirs for base in classes.foreign_bases(cls))
        yield from (base for base in bases if last_name_of(base) not in PLAIN_BASES)

    def _is_called_from_outside(self, function: Function) -> bool:
        """A method that a foreign base calls, or a command."""
        if is_registered(function):
            return True
        if _decorators(function) & _TASKS and not any(
            True for _ in self._production_callers(function)
        ):
            return True
        if function.owner is None:
            return function.name == "main"
        if self.program.domain.takes_scope(function) or function.name in SPECIAL:
            return False  # no framework knows of scopes
        if not any(self.foreign_bases(function)):
            return False
        return not self.program.calls.is_called(function) or self.base_of(function) is not None

    def base_of(self, function: Function) -> str | None:
        """The base from outside of the program that may declare a method, and call it as it is: nothing
        of the program does, but for tests and, where it is public, the class itself."""
        domain, owner = self.program.domain, function.owner
        if owner is None or function.module.is_test or owner in domain.entities:
            return None
        if not domain.is_operation(function) or function.name.startswith("__"):
            return None
        base = next((b for b in self.foreign_bases(function) if _may_call(b, function.name)), None)
        if base is None or domain.takes_scope(function):
            return None
        kin = self.program.classes.mro(owner) if not function.name.startswith("_") else ()
        callers = map(self.program.names.function_of, self._production_callers(function))
        return base if all(one is not None and one.owner in kin for one in callers) else None

    def _production_callers(self, function: Function) -> Iterator[tree.Call]:
        for member in self.program.calls.families.of(function):
            for call, _ in self.program.calls.callers(member):
                if not self.program.names.module_of(call).is_test:
                    yield call

    def reason(self, want: Want) -> str:
        """Why a want has no source, where that is known."""
        name, place = want.scope.parameter, self.program.names.place(want.node)
        if place.scope.module.is_test and want.scope.test_source is not None:
            values = {one.literal or one.code for one in self._given_by_test(want)}
            known = " and ".join(f"`{one}`" for one in sorted(filter(None, values)))
            if len(values) > 1 and known:
                return f"the test gives {known} as `{name}`, and nothing says which is meant here"
        read = self._message(want)
        if read is None:
            function = place.scope.function
            who = function and (self.base_of(function) or self.keeper_of(function))
            return said_of_base(who, want.scope.parameter) if who else ""
        said = f"`{read}` is read from data" if read else "the callee reads data"
        return f"{said} that may lack `{want.scope.parameter}`"

    def _given_by_test(self, want: Want) -> frozenset[Said]:
        """What the test that a want stands in gives for its scope."""
        place = self.program.names.place(want.node)
        return self.values.planner.sources.given.at(place, want.scope)

    def _message(self, want: Want) -> str | None:
        """How the other scope that goes with the wanted one is read from a message; an empty text where
        that is done by what is called; none where it comes from elsewhere."""
        if want.call is None:
            mirror = want.mirror if isinstance(want.mirror, tree.Attr) else None
            return text_of(mirror) if mirror is not None and self._is_read(mirror) else None
        if (want.callee, want.scope.parameter) in self._reading:
            return ""
        _, beside = next(self.values.beside(want), (None, None))
        return text_of(beside) if beside is not None and self._is_read(beside) else None

    def _is_taken_apart(self, want: Want) -> bool:
        """Whether the other scope is one of several values that a call takes out of something:
        `tenant_id, meter = parse(item["PK"])`, or one of those that objects were grouped by."""
        _, beside = next(self.values.beside(want), (None, None))
        if beside is not None and self._is_cut(beside):
            return True
        if not isinstance(beside, tree.Name):
            return False
        return any(map(_is_part, self._bound(beside))) or self._is_gathered(beside)

    def _is_cut(self, node: tree.Node) -> bool:
        """Whether a value is a part of a key, with or without a name: `parts[1]`."""
        return self.values.planner.scope_parts.is_part(kept(node, self.program))

    def _is_read(self, node: tree.Node, depth: int = 0) -> bool:
        """`message["tenant_id"]`, `body.get("tenant_id")`, `Event.from_json(body).tenant_id`, a key's part."""
        match node:
            case _ if self._is_cut(node):
                return True
            case tree.Subscript(index=tree.Const(value=str())):
                return True
            case tree.Call(func=tree.Attr(name="get" | "pop"), args=(first, *_)):
                return tree.text(first.value) is not None
            case tree.Call(args=(only,)) if isinstance(node.func, tree.Name):
                return self._is_read(only.value, depth + 1)  # `str(message["tenant_id"])`
            case tree.Attr(base=base) | tree.Subscript(base=base):
                return any(isinstance(v, tree.Call) for v in self._given(base))
            case tree.Name() if depth < _DEPTH:
                bound = list(self._bound(node))
                had = kept(node, self.program)
                if isinstance(had, tree.Attr) and bound[0].kind == "case":
                    made = any(isinstance(one, tree.Call) for one in within(had))
                    return made or self._is_read(had, depth + 1)  # as what an object has it
                return (
                    any(b.kind == "case" or _is_part(b) for b in bound)
                    or self._is_gathered(node)
                    or any(
                        b.value is not None and self._is_read(b.value, depth + 1) for b in bound
                    )
                )
            case _:
                return False

    def _is_gathered(self, node: tree.Name) -> bool:
        """Whether a loop's name is a scope's value of objects that have the others too:
        `for tenant_id in {order.tenant_id for order in orders}`."""
        names, place = self.program.names, self.program.names.place(node)
        return any(
            self._holds_scope(value)
            for binding in names.bindings(node.id, place)
            if binding.kind == "for" and binding.value is not None
            for value in self.gathered(binding.value, place.scope.function)
        )

    def gathered(self, node: tree.Node, function: Function | None) -> Iterator[tree.Node]:
        """What a collection is made of, here or where something is put into a local."""
        local = {one.id for one in within(node) if isinstance(one, tree.Name)}
        yield from _results(node)
        nodes: list[tree.Node] = []
        if function is not None:
            nodes += function.module.either(tree.Subscript, tree.Call)
            nodes += function.module.each(tree.Comprehension)
        for one in nodes:
            match one:
                case tree.Subscript(base=tree.Name(id=name)) if name in local:
                    put: tuple[tree.Node, ...] = (one.index,)
                case tree.Call(func=tree.Attr(base=tree.Name(id=name))) if name in local:
                    put = tuple(a.value for a in one.args)
                case tree.Comprehension():
                    parent = self.program.names.parent(one)
                    targets = parent.targets if isinstance(parent, tree.Assign) else ()
                    put = one.results if local & {last_name(t) for t in targets} else ()
                case _:
                    put = ()
            if put and self.program.names.function_of(one) is function:
                yield from put

    def _holds_scope(self, node: tree.Node) -> bool:
        """Whether an expression is a scope's value of an object."""
        held = self.program.domain.held.is_scoped
        return isinstance(node, tree.Attr) and any(
            isinstance(one, Instance) and held(one.cls, node.name)
            for one in self.program.inference.of(node.base)
        )

    def _given(self, node: tree.Node) -> Iterator[tree.Node]:
        """What a local was given."""
        if isinstance(node, tree.Name):
            yield from (b.value for b in self._bound(node) if b.value is not None)

    def _bound(self, node: tree.Name) -> Iterator[Binding]:
        """The places that give a local its value, loops aside."""
        for binding in self.program.names.bindings_of(node):
            if binding.kind in ("assign", "case"):
                yield binding


def said_of_base(base: str, parameter: str) -> str:
    """Why a method gets no parameter that a base from outside does not know."""
    name = base.rpartition(".")[2]
    return f"`{name}`, which is no part of the program, may call this without `{parameter}`"


def _may_call(base: str, name: str) -> bool:
    """Whether a base may call a method: one of a library any, for it is not known; one of Python's own those that it has
    itself, or finds by names that it makes."""
    head, dot, _ = base.partition(".")
    if not dot or head not in sys.stdlib_module_names:
        return bool(dot)
    begins = _FOUND_BY_NAME.get(head)
    return bool(begins and name.startswith(begins)) or declares(base, name) is not False


def is_registered(function: Function) -> bool:
    """Whether a decorator gives a function to a framework, which calls it as it is: a command, a listener."""
    return not _decorators(function).isdisjoint(_REGISTERING)


def _decorators(function: Function) -> set[str]:
    return {last_name(decorator) for decorator in function.fact.decorators}


def _results(node: tree.Node) -> Iterator[tree.Node]:
    """The results of the comprehensions in an expression."""
    for one in within(node):
        if isinstance(one, tree.Comprehension):
            yield from one.results


def _is_part(binding: Binding) -> bool:
    """Whether a name is one of several that a call gives their values."""
    return bool(binding.path) and isinstance(binding.value, tree.Call)
