"""Calls that give what a function is only going to take: they do not bind yet, and do with the new parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import Room
from capsule_lint.program.model import Class
from capsule_lint.program.texts.pieces import hole_name, names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


class GivenAlready(Room, Struct, frozen=True):
    """Tells them: who writes the calls, or the tests, first leaves the function for last."""

    planner: Planner

    def gives(
        self, call: tree.Call, scope: Scope, callee: Function | Class, given: int, offset: int = 0
    ) -> bool:
        """Whether a call, of which the arguments from `offset` on go to a function whose first `given` parameters are
        filled already, or to a class, has one too many by position: what the scope is where it is going to be taken.
        Or one in a dict that is spread: `Note(**{"tenant_id": tenant_id, "capsule_id": capsule_id})`."""
        args = call.args[offset:]
        if any(scope.parameter in self._entries(a.value) for a in args if a.star == "**"):
            return True
        if any(a.star for a in args):
            return False
        params = self._constructor(call, callee) if isinstance(callee, Class) else callee.params
        taken = [p.name for p in params if p.by_position][given:]
        said = [a.value for a in args if a.keyword is None]
        scopes = self.program.policy.scopes
        if any(
            p.kind == "*" or (not p.by_position and names_any_of(p.name, scopes)) for p in params
        ):
            return False
        more = [n for n, value in enumerate(said) if self._is_new(value, taken)]
        own = [n for n in more if self._says(said[n], scope)]
        if len(said) - len(more) > len(taken) or len(own) != 1:
            return False
        if self._place(taken, scope) != own[0] - sum(n < own[0] for n in more):
            return False
        return len(said) > len(taken) or self._are_behind(said[own[0] :], taken[own[0] :], scope)

    def _are_behind(self, said: Sequence[tree.Node], taken: Sequence[str], scope: Scope) -> bool:
        """Whether a call that binds, since defaults make up for what it has too many, gives a scope's value and behind
        it what is taken in its place: `Seat(self.tenant_id, self.capsule_id, self.show)` for `Seat(tenant_id, show,
        guest="")`."""
        if scope.test_source is not None and text_of(said[0]) == scope.test_source.code:
            return True
        names = [hole_name(value) for value in said[1:]]
        shifted = [name == parameter for name, parameter in zip(names, taken, strict=False)]
        as_is = [name == parameter for name, parameter in zip(names, taken[1:], strict=False)]
        return any(shifted) and not any(as_is)

    def _constructor(self, call: tree.Call, cls: Class) -> Sequence[tree.Parameter]:
        """What the class takes that a call makes an object of: one that inherits the new field has fields of its own."""
        classes = self.program.classes
        made = {c.cls for c in self.program.calls.callees(call) if c.cls is not None}
        heirs = [one for one in made if cls in classes.mro(one)]
        return classes.constructor(heirs[0] if len(heirs) == 1 else cls) or ()

    def _entries(self, spread: tree.Node) -> set[str]:
        """What a dict that is written out has whatever happens, or a sum of such: `dict(tenant_id=tenant_id) | changes`."""
        match spread:
            case tree.Binary(op="|", left=left, right=right):
                return self._entries(left) | self._entries(right)
            case tree.DictDisplay() as made:
                return {name for name, _ in made.entries}
            case tree.Call() as made if tree.makes_dict(made):
                return {name for name, _ in made.keywords}
            case _:
                return set()

    def _is_new(self, value: tree.Node, taken: Sequence[str]) -> bool:
        """Whether a value is that of a scope which none of these parameters takes."""
        return any(
            self._says(value, scope) and not any(names_scope(name, scope) for name in taken)
            for scope in self.program.policy.scopes
        )

    def _place(self, taken: Sequence[str], scope: Scope) -> int:
        """Before how many parameters a scope is going to be taken: behind those before it, or else right before those
        that follow it."""
        order = self.program.policy.scopes
        at = order.index(scope)
        places = [
            [n for n, name in enumerate(taken) for one in some if names_scope(name, one)]
            for some in (order[:at], order[at + 1 :])
        ]
        return max(places[0]) + 1 if places[0] else min(places[1], default=0)

    def _says(self, value: tree.Node, scope: Scope) -> bool:
        """Whether a value is the scope's by its name, or by what policy gives tests."""
        if names_scope(hole_name(value), scope):
            return True
        if not self.program.names.module_of(value).is_test or scope.test_source is None:
            return isinstance(value, tree.Call) and any(self._says(v, scope) for v in value.plain)
        if isinstance(value, tree.Const):
            return value.value == self.planner.sources.given.value_of_helper(scope)
        return text_of(value) == scope.test_source.code
