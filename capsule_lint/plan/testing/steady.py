"""Whether policy's `test-source` gives the same value each time: a test that asks it twice, for what it makes and for the
key that it expects, is told one."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.supply.repeats import PLAIN, PURE, repeatable
from capsule_lint.plan.supply.restated import CONSTRUCTORS
from capsule_lint.policy import SourceKind
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from capsule_lint.policy import Scope, SourceSpec
    from capsule_lint.program import Program

_REMEMBERING: Final = frozenset(("cache", "lru_cache"))
_BINDERS: Final = frozenset(("staticmethod", "classmethod"))
_MAKING: Final = frozenset(
    (*PURE, *PLAIN, "join", "format", "replace", "getenv", "uuid3", "uuid5")
)
"""What makes the same of the same, of Python's own."""
_OF_TEXTS: Final = frozenset(
    ("title", "capitalize", "casefold", "swapcase", "lstrip", "rstrip", "removesuffix", "zfill")
)
"""Methods of texts that make the same of the same, also where they are given nothing."""
_FACTORIES: Final = frozenset(("default_factory", "factory"))
_BASES: Final = frozenset(("super", *CONSTRUCTORS))
"""What a class calls to have its base make the object."""
_DEPTH: Final = 5


class Steady(Struct, frozen=True):
    """Tells it; what cannot be shown is not so."""

    program: Program

    def helper(self, scope: Scope) -> Function | None:
        """The function or method of the program that a scope's `test-source` calls."""
        spec = scope.test_source
        found = self.program.names.definition(spec.dotted) if spec is not None else None
        if isinstance(found, Class) and spec is not None and "(" in spec.access:
            found = self.program.classes.method(found, spec.access.partition("(")[0])
        return found if isinstance(found, Function) else None

    def is_one(self, scope: Scope) -> bool:
        """Whether a scope's `test-source` gives one value. One from elsewhere is known by its `test-value`."""
        spec, helper = scope.test_source, self.helper(scope)
        if spec is None or spec.kind is SourceKind.CONSTANT or "(" not in spec.code:
            return True
        if helper is not None:
            return self._gives_one(helper, 0)
        if self._is_made_of_constants(spec):
            return True
        return scope.test_value is not None and _is_written_out(scope.test_value)

    def _is_made_of_constants(self, spec: SourceSpec) -> bool:
        """Whether all that a `test-source` calls is a class, `Capsule("PRODUS")`, which only keeps what it is given."""
        made = ast.parse(spec.code, mode="eval").body
        func = made.func if isinstance(made, ast.Call) else None
        if not isinstance(made, ast.Call) or not isinstance(func, ast.Name):
            return False
        found = self.program.names.definition(spec.dotted)
        given = [*made.args, *(keyword.value for keyword in made.keywords)]
        keeps = self._only_keeps(found) if isinstance(found, Class) else func.id[:1].isupper()
        return bool(given) and keeps and all(isinstance(one, ast.Constant) for one in given)

    def _only_keeps(self, cls: Class) -> bool:
        """Whether a class makes nothing of its own where an object is made."""
        made = [m for one in self.program.classes.mro(cls) for m in one.methods.values()]
        inside = (n for m in made if m.name in CONSTRUCTORS for n in self.program.names.inside(m))
        calls = (n for n in inside if isinstance(n, tree.Call) and last_name(n.func) not in _BASES)
        params = self.program.classes.constructor(cls) or ()
        told = not any(isinstance(p.default, tree.Call) for p in params)
        return told and all(self._is_one(call, 0) for call in calls)

    def _gives_one(self, function: Function, depth: int) -> bool:
        if function.decorators & _REMEMBERING and not function.own_params:
            return True
        if function.fact.is_async or function.yields or not function.decorators <= _BINDERS:
            return False
        return bool(function.returns) and depth < _DEPTH and self._all(function.fact.body, depth)

    def _all(self, body: tuple[tree.Statement, ...], depth: int) -> bool:
        return all(self._says_one(statement, depth) for statement in body)

    def _says_one(self, statement: tree.Statement, depth: int) -> bool:
        """Whether a statement makes a value that is the same each time, or none."""
        match statement:
            case tree.Assign(value=value, targets=targets, op=""):
                bound = (inner for target in targets for inner, _ in targets_of(target))
                plain = all(isinstance(inner, tree.Name) for inner in bound)
                return plain and (value is None or self._is_one(value, depth))
            case tree.Eval(kind="return" | "assert" | "expr", values=values):
                return all(self._is_one(value, depth) for value in values)
            case tree.Block(kind="if" | "try", heads=heads, bodies=bodies):
                heads_one = all(self._is_one(head, depth) for head in heads)
                return heads_one and all(self._all(inner, depth) for inner in bodies)
            case _:
                return isinstance(statement, tree.Import) or (
                    isinstance(statement, tree.Eval) and statement.kind == "raise"
                )

    def _is_one(self, node: tree.Node, depth: int) -> bool:
        match node:
            case tree.Call():
                given = all(self._is_one(argument.value, depth) for argument in node.args)
                return given and self._makes_one(node, depth)
            case tree.Lambda() | tree.Wrapped(kind="await" | "yield" | "yield from"):
                return False
            case _:
                return all(self._is_one(below, depth) for below in node.all_below())

    def _makes_one(self, call: tree.Call, depth: int) -> bool:
        """Whether a call makes the same of the same arguments: what is made of a class is what it is given."""
        if call.receiver is not None and not self._is_one(call.receiver, depth):
            return False
        callees = self.program.calls.callees(call)
        if functions := [c.function for c in callees if c.function is not None and c.cls is None]:
            return all(self._gives_one(function, depth + 1) for function in functions)
        if any(self._has_another(c.cls, call) for c in callees if c.cls is not None):
            return False
        name = last_name(call.func)
        if not callees and isinstance(call.func, tree.Attr) and name in _OF_TEXTS:
            return True
        makes = bool(callees) or name[:1].isupper() or name in _MAKING
        return (makes and bool(call.args)) or repeatable(call, self.program, depth=1)

    def _has_another(self, cls: Class, call: tree.Call) -> bool:
        """Whether an object that a call makes is given a scope's value by a function that is asked each time."""
        params = self.program.classes.constructor(cls) or ()
        bound, scopes = bind(call.args, params), self.program.policy.scopes
        return any(
            isinstance(p.default, tree.Call)
            and names_any_of(p.name, scopes)
            and not _FACTORIES.isdisjoint(keyword for keyword, _ in p.default.keywords)
            and (bound is None or p.name not in bound.arguments)
            for p in params
        )


def _is_written_out(code: str) -> bool:
    """Whether each call in an expression of policy is given something, as `CapsuleId("PRODUS")` is."""
    calls = (n for n in ast.walk(ast.parse(code, mode="eval")) if isinstance(n, ast.Call))
    return all(call.args or call.keywords for call in calls)
