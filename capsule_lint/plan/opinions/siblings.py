"""Tests of isolation, written beside a test that creates an entity and fetches it: the same set-up, and
a look with another value of the scope."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import NOWHERE, AddImport, AddStatement, Mend, Position, Span
from capsule_lint.plan.code import text_of
from capsule_lint.plan.imports import Imports, Refused
from capsule_lint.program.inference.types import ClassObject, Instance
from capsule_lint.program.model import Binding, Class, Function, last_name
from capsule_lint.program.purposes.naming import TAKING_IN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.opinions.base import Passed
    from capsule_lint.plan.opinions.evidence import EvidenceOpinions
    from capsule_lint.program.model import Module

_CODE: Final = "CAP601"
_FETCHES: Final = re.compile(r"(?:get|find|fetch|load|read|look_?up|list)(?:_|$)")
_SKIPPED: Final = frozenset(("skip", "skipif", "xfail", "expectedFailure"))


class RoundTrip(Struct, frozen=True):
    """A test that creates something in one repository and fetches it by the same scopes."""

    test: Function
    statement: tree.Statement
    """The one that fetches."""
    fetch: Passed
    classes: tuple[Class, ...]
    """The repositories that it is about."""


class Missing(Struct, frozen=True):
    """What a method says of an item that is not there."""

    value: str = ""
    """`None`, `[]`; empty where it raises."""
    error: Class | str = ""


class Other(Struct, frozen=True):
    """Another value of a scope, and what makes it that is not in the test's module."""

    code: str
    made_by: Binding | str = ""


@dataclass(eq=False)
class Siblings:
    """Writes the tests."""

    evidence: EvidenceOpinions

    def beside(self, cls: Class) -> tuple[Mend, ...]:
        """The mends that add a test of a repository; none where not all of it is proven."""
        for trip in self._trips:
            if cls in trip.classes and cls == trip.classes[0]:
                mends = self._written(trip)
                if mends:
                    return mends
        return ()

    # --- tests that show how ---

    @cached_property
    def _trips(self) -> list[RoundTrip]:
        """Every such test, once for each fetch."""
        return [
            trip
            for module in self.evidence.ground.modules(tests=True)
            for function in (module.functions if module.is_test else ())
            if function in self._passed and self._is_plain(function)
            for trip in self._in_test(function)
        ]

    @cached_property
    def _passed(self) -> dict[Function, list[Passed]]:
        """The calls of methods in each test that are given the innermost scope."""
        found: dict[Function, list[Passed]] = defaultdict(list)
        function_of = self.evidence.ground.program.names.function_of
        for passed in self.evidence.ground.passed:
            test = function_of(passed.call)
            if test is None or not test.module.is_test or not test.name.startswith("test"):
                continue
            is_method = isinstance(passed.call.func, tree.Attr) and passed.callee.cls is None
            if is_method and passed.scope is self.evidence.ground.scopes[-1]:
                found[test].append(passed)
        return dict(found)

    def _is_plain(self, test: Function) -> bool:
        """Whether a test runs its lines one after the other, and is meant to pass."""
        own = test.fact.body
        rows = [s.at[0] for s in own]
        return (
            test.parent is None
            and not test.decorators & _SKIPPED
            and rows == sorted(set(rows))
            and bool(rows)
            and rows[0] > test.fact.name_at[0]
        )

    def _in_test(self, test: Function) -> Iterator[RoundTrip]:
        created: list[Passed] = []
        for statement in test.fact.body:
            if isinstance(statement, tree.Block):
                continue
            for passed in self._passed[test]:
                if passed.call.span not in statement.span:
                    continue
                name = last_name(passed.call.func)
                if TAKING_IN.match(name):
                    created.append(passed)
                elif _FETCHES.match(name):
                    classes = self._shared(created, passed)
                    if classes:
                        yield RoundTrip(test, statement, passed, classes)

    def _shared(self, created: list[Passed], fetched: Passed) -> tuple[Class, ...]:
        """The repositories in which an item was created by the same value, in the same object."""
        for one in created:
            assert isinstance(one.call.func, tree.Attr)
            assert isinstance(fetched.call.func, tree.Attr)
            same = text_of(one.call.func.base) == text_of(fetched.call.func.base) is not None
            said = self.evidence.said
            if same and said(one.argument.value) == said(fetched.argument.value):
                both = set(self.evidence.repositories(one))
                both &= set(self.evidence.repositories(fetched))
                return tuple(sorted(both, key=lambda c: c.symbol))
        return ()

    # --- what is written ---

    def _written(self, trip: RoundTrip) -> tuple[Mend, ...]:
        module, test = trip.test.module, trip.test
        name = f"{test.name}_sees_no_other_{self.evidence.ground.scopes[-1].name}"
        taken = test.owner.methods if test.owner is not None else module.scope.bindings
        missing = self._missing(trip)
        other = self._other(trip.fetch.argument.value, module)
        if name in taken or missing is None or other is None:
            return ()
        imports = self._imports(module, missing.error, other.made_by)
        lines = self._asserted(trip, missing, self._call(trip, other.code))
        if imports is None or not lines:
            return ()
        source, body = self.evidence.ground.source, test.fact.body
        at = body.index(trip.statement)
        kept = [s for s in body[:at] if not _asserts(s)]
        if test.fact.doc:
            kept = [s for s in kept if s is not test.fact.body[0]]
        start, named = test.fact.span.start, tree.span_of(test.fact.name_at)
        first = test.fact.body[0].span.start
        indent = " " * (first.column - 1)
        head = source(module, Span(start, named.start)) + name
        head += source(module, Span(named.end, Position(first.row, 1))).rstrip()
        if not head.endswith(":"):  # a comment stands between the head and the body
            return ()
        texts = [*(source(module, s.span) for s in kept), *lines]
        outer = start.column - 1
        code = head + "".join(f"\n{indent}{text}" for text in texts) + "\n"
        if outer and '"""' in code:  # its lines would move
            return ()
        code = ("\n" if outer else "\n\n") + _dedented(code, outer)
        return (*imports, AddStatement(module.filename, test.fact.span, _CODE, code))

    def _call(self, trip: RoundTrip, other: str) -> str:
        """The call that fetches, with another value of the scope."""
        ground, module = self.evidence.ground, trip.test.module
        call, value = trip.fetch.call, trip.fetch.argument.value
        code = ground.source(module, Span(call.span.start, value.span.start)) + other
        code += ground.source(module, Span(value.span.end, call.span.end))
        parent = ground.program.names.parent(call)
        is_awaited = isinstance(parent, tree.Wrapped) and parent.kind == "await"
        return f"await {code}" if is_awaited else code

    def _asserted(self, trip: RoundTrip, missing: Missing, call: str) -> list[str]:
        """The assertion, in the words of the test's own."""
        test = trip.test
        itself = test.self_name
        own = itself and any(f"{itself}.assert" in self._text(s, test) for s in test.fact.body)
        if missing.value == "None":
            return [f"{itself}.assertIsNone({call})" if own else f"assert {call} is None"]
        if missing.value:
            value = missing.value
            return [
                f"{itself}.assertEqual({call}, {value})" if own else f"assert {call} == {value}"
            ]
        error = missing.error.name if isinstance(missing.error, Class) else missing.error
        if own:
            return [f"with {itself}.assertRaises({error}):", f"    {call}"]
        if "pytest" not in test.module.scope.bindings:
            return []
        return [f"with pytest.raises({error}):", f"    {call}"]

    def _text(self, statement: tree.Statement, test: Function) -> str:
        return self.evidence.ground.source(test.module, statement.span)

    def _imports(self, module: Module, *needs: Class | Binding | str) -> list[Mend] | None:
        """What the error of a missing item needs, and what makes another value; `None` where one cannot be imported."""
        found: list[Mend] = []
        for one in needs:
            what = one.definition if isinstance(one, Binding) else one
            if isinstance(what, Class) and (what.parent is not None or "." in what.qualname):
                return None
            if not isinstance(one, str):
                find = Imports(self.evidence.ground.program).find
                needed = find(module, one.module.name, one.name, annotation=False)
                if isinstance(needed, Refused):
                    return None
                if needed is not None:
                    mend = AddImport(module.filename, NOWHERE, _CODE, needed.written, one.name)
                    found.append(mend)
        return found

    # --- what a method says of a missing item ---

    def _missing(self, trip: RoundTrip) -> Missing | None:
        """What all implementations that the test is about say; `None` if that is not known."""
        classes, name = self.evidence.ground.program.classes, last_name(trip.fetch.call.func)
        said = set()
        for cls in trip.classes:
            method = classes.method(cls, name)
            said.add(self._said_by(method) if method is not None else None)
        return said.pop() if len(said) == 1 else None

    def _said_by(self, method: Function) -> Missing | None:
        if method.yields:
            return None
        raised = [
            statement.values[0]
            for statement, place in method.module.statements
            if place.scope.function is method
            and isinstance(statement, tree.Eval)
            and statement.kind == "raise"
            and statement.values
        ]
        kind = _kind_of(method.fact.returns)
        if kind == "item" and len(raised) == 1:
            return self._error(raised[0])
        if raised or kind == "item":
            return None
        if kind:
            return Missing(kind)
        return Missing("None") if _gets(method) else None

    def _error(self, node: tree.Node) -> Missing | None:
        kind = tree.uncalled(node)
        target = self.evidence.ground.program.classes.dotted(kind)
        if isinstance(target, Binding):
            return (
                Missing(error=target.definition) if isinstance(target.definition, Class) else None
            )
        return Missing(error=target) if target in ("KeyError", "LookupError") else None

    # --- another value of the scope ---

    def _other(self, node: tree.Node, module: Module) -> Other | None:
        """A value that is not the one in a test, written as that is; `None` where none is certain."""
        ground = self.evidence.ground
        if isinstance(node, tree.Call) and len(node.args) == 1:
            func, known = text_of(node.func), ground.program.templates.constant(node.args[0].value)
            if not known or not func or not ground.is_cast(node):
                return None
            code = f'{func}("{_unlike(known)}")'
            if ground.program.names.module_of(node) is module:
                return Other(code)
            maker = ground.program.classes.dotted(node.func)
            is_known = maker == func or isinstance(maker, Binding)
            return Other(code, maker) if isinstance(node.func, tree.Name) and is_known else None
        known = ground.program.templates.constant(node)
        if known is not None and not self._is_member(node):
            return Other(f'"{_unlike(known)}"')
        behind = self.evidence.behind(node)
        return self._other(behind, module) if behind is not None else None

    def _is_member(self, node: tree.Node) -> bool:
        """Whether a constant is the member of an enumeration, for which no text can stand."""
        types = self.evidence.ground.program.inference.of(node)
        return any(isinstance(one, Instance | ClassObject) for one in types)


def _asserts(statement: tree.Statement) -> bool:
    match statement:
        case tree.Eval(kind="assert"):
            return True
        case tree.Eval(kind="expr", values=(tree.Call() as call,)):
            return last_name(call.func).startswith("assert")
        case _:
            return False


def _kind_of(returns: tree.Node | None) -> str:
    """What an annotation says of a missing item: `None`, `[]`, or `item` where there is always one."""
    match returns:
        case None:
            return ""
        case tree.Binary(op="|"):
            sides = (returns.left, returns.right)
            none = any(isinstance(s, tree.Const) and s.value is None and not s.kind for s in sides)
            return "None" if none else "item"
        case tree.Subscript() if last_name(returns.base) == "Optional":
            return "None"
        case tree.Subscript() if last_name(returns.base) in ("list", "List"):
            return "[]"
        case _:
            return "item"


def _gets(method: Function) -> bool:
    """Whether all that a method returns is `x.get(key)`, which is `None` for what is not there."""
    return bool(method.returns) and all(
        isinstance(value, tree.Call) and last_name(value.func) == "get" and len(value.args) == 1
        for value in method.returns
    )


def _unlike(value: str) -> str:
    return "ANOTHER" if value == "OTHER" else "OTHER"


def _dedented(code: str, by: int) -> str:
    """Code as it stands at the beginning of a line."""
    return "\n".join(line[by:] if line[:by].isspace() else line for line in code.split("\n"))
