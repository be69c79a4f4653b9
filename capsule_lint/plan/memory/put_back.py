"""Copies of collections that are put back as they are: `def snapshot(self): return dict(self._rows)`, `def restore(self,
rows): self._rows = rows`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.making import copied
from capsule_lint.plan.uses.choices import TRUTHS
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_MAX_DEPTH: Final = 6


class PutBack(Struct, frozen=True):
    """Tells them: nobody reads a key of theirs."""

    local: LocalKeys

    def only(self, node: tree.Node, home: Home, depth: int = 0) -> bool:
        """Whether a copy of a collection is only put back, by whoever gets it."""
        names = self.local.program.names
        parent = names.parent(node)
        match parent:
            case _ if depth > _MAX_DEPTH:
                return False
            case tree.Call() | tree.DictDisplay() if copied(parent) is node:
                return self.only(parent, home, depth)
            case tree.Assign(targets=(tree.Name() as target,)) if parent.value is node:
                reads = reads_of(names, target, (target.at,))
                return all(self.only(one, home, depth + 1) for one in reads)
            case tree.Assign(targets=(target,)) if parent.value is node:
                return self.local.collections.of(target) == home
            case tree.Eval(kind="return"):
                function = names.function_of(node)
                calls = every_call(self.local.program, function) if function is not None else []
                return bool(calls) and all(
                    one is not None and self.only(one, home, depth + 1) for one in calls
                )
            case tree.Eval(kind="expr"):
                return True
            case tree.Call():
                taken = list(self._taken(parent, node))
                return last_name(parent.func) in TRUTHS or (
                    bool(taken) and all(self.only(one, home, depth + 1) for one in taken)
                )
            case _:
                return False

    def _taken(self, call: tree.Call, node: tree.Node) -> Iterator[tree.Node]:
        """Where the functions that a call gives something name the parameter that it is."""
        names = self.local.program.names
        for callee in self.local.program.calls.callees(call):
            params, given = self.local.program.calls.parameters(callee)
            bound = bind(call.args, params, given)
            for name, argument in bound.arguments.items() if bound is not None else ():
                if argument.value is node and callee.function is not None:
                    yield from names.called(callee.function, name)


def every_call(program: Program, function: Function) -> list[tree.Call | None]:
    """The calls of a function, `None` for whatever else may be done with it by its name."""
    known = {id(call) for call, _ in program.calls.callers(function)}
    named = ((program.names.parent(one), one) for one in program.names.named(function.name))
    return [
        above
        if isinstance(above, tree.Call) and above.func is one and id(above) in known
        else None
        for above, one in named
    ]
