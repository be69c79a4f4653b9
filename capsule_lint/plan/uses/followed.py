"""Functions that are given to functions and objects of the program: as good as the calls that these make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from capsule_lint.model import Verdict
from capsule_lint.plan.uses.bearing import Bearing
from capsule_lint.plan.uses.dispatched import Dispatched
from capsule_lint.plan.uses.passers import forwarded_by, stars_of
from capsule_lint.plan.uses.paths import Path, is_record
from capsule_lint.program.inference.types import function_of
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.plan.supply.values import Values
    from capsule_lint.plan.uses.asked import Asked
    from capsule_lint.program import Program
    from capsule_lint.program.model import Symbol

Judged: TypeAlias = tuple[Verdict, str]
"""A verdict and its reason."""


class Following(Struct, frozen=True):
    """Judges functions that are values by the calls of them."""

    program: Program
    values: Values
    asked: Asked

    @property
    def bearing(self) -> Bearing:
        return Bearing(self.program, self.values)

    def _path(self, symbol: Function) -> Path:
        def settles(call: tree.Call) -> bool:
            return self.is_settled(call, symbol)

        return Path(self.bearing, symbol, settles, self.asked.hands_on)

    def kept(self, node: tree.Node, symbol: Symbol, kind: str = "a collection") -> Judged:
        """What becomes of an expression that is put into a table, or kept in a class."""
        path = self._path(symbol) if isinstance(symbol, Function) else None
        if path is not None and path.used(node) and path.calls:
            return Verdict.REWRITTEN, f"in {kind} whose calls are rewritten"
        return Verdict.ESCAPE, f"kept in {kind}"

    def given(self, call: tree.Call, node: tree.Node, symbol: Function) -> Judged:
        """What becomes of an argument of a call."""
        path, name = self._path(symbol), last_name(call.func)
        well = path.put(call) or path.given(call, node)
        if well and path.calls:
            return Verdict.REWRITTEN, f"given to `{name}`, whose calls of it are rewritten"
        if well and self._makes_record(call):
            return Verdict.ALREADY_CORRECT, f"kept in a `{name}`, of which nothing calls it"
        return Verdict.ESCAPE, f"passed to `{name}`, which may call it"

    def _makes_record(self, call: tree.Call) -> bool:
        """Whether a call makes an object that only holds what it is given: of a data class that is all the program's."""
        program = self.program
        made = [callee.cls for callee in program.calls.callees(call)]
        return bool(made) and all(cls is not None and is_record(program, cls) for cls in made)

    def default(self, node: tree.Node, fact: tree.FunctionDef, symbol: Function) -> Judged:
        """What becomes of the default of a parameter."""
        path = self._path(symbol)
        name = next(p.name for p in fact.params if p.default is node)
        if path.filled(fact, name) and path.calls:
            return Verdict.REWRITTEN, f"the default of `{name}`, whose calls are rewritten"
        return Verdict.ESCAPE, "is the default of a parameter, which may call it"

    def is_settled(self, call: tree.Call, symbol: Function) -> bool:
        """Whether a call is rewritten, and everything that it may call changes in the same way."""
        wanted = self.asked.of(call)
        if wanted is None:
            return self._is_forwarded(call, symbol)
        if not all(self.values.takes(call, scope) for scope in wanted):
            return False
        types = self.program.inference.of(call.func)
        return all(self.bearing.bears(one, wanted) for one in types)

    def _is_forwarded(self, call: tree.Call, symbol: Function) -> bool:
        """Whether a call only hands on what its function is given by keyword, and all who call that say by a name which
        functions they mean, and are rewritten where that is this one."""
        program = self.program
        forwarder, _ = forwarded_by(program, call, symbol, 0)
        if forwarder is None or {*stars_of(forwarder.params).values()} != {"**"}:
            return False
        if len(program.calls.families.of(forwarder)) > 1:
            return False  # it may be called as another one
        names, types = Dispatched(program).names, program.inference.of(call.func)
        callers = list(program.calls.callers(forwarder))
        for outer, callee in callers:
            meant = names(outer, callee, call, symbol)
            if meant is False:
                continue
            wanted = self.asked.of(outer) or ()
            reached = [t for t in types if names(outer, callee, call, function_of(t)) is not False]
            placed = meant and wanted and all(self.values.takes(outer, one) for one in wanted)
            if not placed or not all(self.bearing.takes(one, wanted) for one in reached):
                return False
        return bool(callers)
