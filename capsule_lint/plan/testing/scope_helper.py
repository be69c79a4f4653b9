"""The helper that policy's `test-source` names: it is written where it does not exist yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts.tree import span_of
from capsule_lint.model import NOWHERE, AddImport, AppendCode
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.testing.steady import Steady
from capsule_lint.program.model import Function
from capsule_lint.program.references import unknown_in_test_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot, Want
    from capsule_lint.policy import Scope


@dataclass(eq=False, slots=True)
class ScopeHelper(MendRoom):
    """Writes the helper of a scope."""

    mends: Mends
    _problems: dict[Scope, str | None] = field(default_factory=dict)
    _noted: set[tuple[Knot, Scope]] = field(default_factory=set)

    def use(self, want: Want, knot: Knot) -> None:
        """Write the helper that `test-source` names, where it does not exist yet; an obstacle where it is not known to
        give one value, or any."""
        scope = want.scope
        if scope not in self._problems:
            self._problems[scope] = self._problem(scope)
        problem = self._problems[scope]
        if problem is not None and (knot, scope) not in self._noted:
            self._noted.add((knot, scope))
            self._obstacle(want, knot, problem)
        self._write(scope, knot)

    def _problem(self, scope: Scope) -> str | None:
        spec = scope.test_source
        if spec is not None and not Steady(self.program).is_one(scope):
            problem = (
                "may give another value each time: keep one, which policy's `test-source` names"
            )
            return f"`{spec.code}` {problem}"
        for name in unknown_in_test_value(self.program, scope):
            return f"`{name}` of policy's `test-value` is imported by nothing: name it as the scope's `type`"
        return None

    def _obstacle(self, want: Want, knot: Knot, reason: str) -> None:
        helper = Steady(self.program).helper(want.scope)
        module = helper.module if helper is not None else self.program.names.module_of(want.node)
        span = span_of(helper.fact.name_at) if helper is not None else want.node.span
        symbol = helper.symbol if helper is not None else self.program.names.symbol_of(want.node)
        self.planner.obstacle(knot, module.filename, span, reason, symbol, "source", want.scope)

    def _write(self, scope: Scope, knot: Knot) -> None:
        spec = scope.test_source
        if spec is None or not spec.module or scope.test_value is None:
            return
        program = self.program
        module = program.names.module(spec.module)
        if module is not None and program.names.global_binding(module, spec.name) is not None:
            return
        filename = module.filename if module is not None else self._place_of(spec.module)
        annotation = self._annotation(scope) if spec.code != spec.name else ""
        source = (
            f"{spec.name} = {scope.test_value}\n"
            if spec.code == spec.name
            else (
                f"def {spec.name}(){annotation}:\n"
                f'    """The {scope.name} that tests use unless they say otherwise."""\n'
                f"    return {scope.test_value}\n"
            )
        )
        if spec.name.startswith("test") and spec.code != spec.name:  # pytest would collect it
            source += f"\n\n{spec.name}.__test__ = False\n"
        self.mends.add(knot, AppendCode(filename, NOWHERE, "CAP401", source))
        needed = scope.type
        if (
            needed is not None
            and needed.module != "builtins"
            and needed.name in f"{scope.test_value}{annotation}"
        ):
            if module is not None:
                self.mends.import_(knot, module, needed.module, needed.root)
            elif needed.module != spec.module:
                mend = AddImport(filename, NOWHERE, "CAP401", needed.module, needed.root)
                self.mends.add(knot, mend)

    def _annotation(self, scope: Scope) -> str:
        """What the helper of a scope is said to give: its type, or a text where another scope's helper says of it."""
        if scope.type is not None:
            return f" -> {scope.type.name}"
        others = (one.test_source for one in self.program.policy.others(scope))
        near = [self.program.names.definition(one.dotted) for one in others if one is not None]
        said = any(isinstance(f, Function) and f.fact.returns is not None for f in near)
        return " -> str" if said and plain_literal(scope.test_value or "") else ""

    def _place_of(self, dotted: str) -> str:
        """Where a module of that name belongs that does not exist yet: beside those of its package, or of
        the packages around that, wherever these are."""
        wanted = dotted.split(".")
        best, place = 0, f"{'/'.join(wanted)}.py"
        for module in self.program.names.modules.values():
            path = module.filename.removesuffix(".py").removesuffix("/__init__").split("/")
            own = module.name.partition("@")[0].split(".")
            root, shared = path[: -len(own)], _shared(own, wanted[:-1])
            if shared > best and path[len(root) :] == own:
                best, place = shared, "/".join([*root, *wanted]) + ".py"
        return place


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts two dotted names begin with alike."""
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count
