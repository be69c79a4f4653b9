"""Repositories in memory that give all rows to whoever asks, though everybody who does has a scope to ask with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.judgement import KeyFact, KeyUse
from capsule_lint.plan.opinions.base import Opinion
from capsule_lint.program.model import last_name, outwards
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.memory.whole_reads import WholeRead
    from capsule_lint.plan.opinions.base import Ground
    from capsule_lint.program.model import Class, Function


@dataclass(eq=False, slots=True)
class LeakingReads:
    """Judges methods that take no scope: a job that goes through everybody's rows is none of them."""

    ground: Ground

    def find(self) -> Iterator[Opinion]:
        """The reads that a scope should narrow: nothing says here whether it was ever meant to."""
        repositories = self.ground.program.domain.repositories
        for cls in sorted(repositories, key=lambda c: c.symbol):
            if cls.module.is_test or cls.module.generated:
                continue
            for method in cls.methods.values():
                read = self._read(method)
                if read is not None and self._leaks(cls, method, read):
                    scopes = self.ground.planner.demands.required_of(cls, method)
                    yield Opinion(
                        KeyFact(
                            cls.module.filename,
                            read.node.span,
                            method.symbol,
                            tuple(s.parameter for s in scopes),
                            read.cls.name,
                            None,
                            KeyUse.LOCAL,
                        )
                    )

    def _read(self, method: Function) -> WholeRead | None:
        """What yields the rows that a method gives to whoever calls it; not what it counts."""
        if not method.returns or not any(not isinstance(v, tree.Const) for v in method.returns):
            return None
        parent = self.ground.program.names.parent
        for read in self.ground.planner.whole_reads.of(method):
            around = parent(read.node)
            if not (isinstance(around, tree.Call) and last_name(around.func) == "len"):
                return read
        return None

    def _leaks(self, cls: Class, method: Function, read: WholeRead) -> bool:
        planner, domain = self.ground.planner, self.ground.program.domain
        scopes = planner.demands.required_of(cls, method)
        if method in planner.state.params or not planner.demands.may_be_demanded(method):
            return False
        if planner.demands.given_entities.takes_one(method) or self._compares_scope(method):
            return False
        held = planner.sources.holders.attribute_of
        if not scopes or not set(scopes) <= planner.whole_reads.scopes_of(read):
            return False
        if any(held(read.cls, scope) is None for scope in scopes):
            return False
        gained = planner.state.gained()
        return not any(
            domain.scope_parameter(method, s) is not None or domain.carries(method, s, gained)
            for s in scopes
        ) and self._is_asked_by_scoped(cls, method)

    def _is_asked_by_scoped(self, cls: Class, method: Function) -> bool:
        """Whether somebody calls a method, and all who do have the scopes, and pick no rows by them."""
        planner, scopes = self.ground.planner, self.ground.planner.demands.required_of(cls, method)
        calls = list(planner.whole_reads.callers(method))
        for call in calls:
            function = self.ground.program.names.function_of(call)
            around = list(outwards(function))
            if any(one.owner in self.ground.program.domain.repositories for one in around):
                return False
            if any(map(self._compares_scope, around)):
                return False
            if not planner.whole_reads.has_values(call, method, scopes):
                return False
        return bool(calls)

    def _compares_scope(self, function: Function) -> bool:
        """Whether a function compares values of scopes."""
        return any(
            names_scope(hole_name(side), scope)
            for node in self.ground.program.names.inside(function)
            if isinstance(node, tree.Compare)
            for side in (node.left, *node.rights)
            for scope in self.ground.scopes
        )
