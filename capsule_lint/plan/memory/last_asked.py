"""What objects and modules keep beside the scope that it was asked for, and give back where that is the same:
`if self._tenant == tenant_id: return self._rows`. Once whoever asks is told another scope as well, what is kept may be
the other's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.access_checks import compares
from capsule_lint.plan.memory.keyed_methods import PUTTING
from capsule_lint.plan.memory.making import makes_collection
from capsule_lint.plan.room import Room
from capsule_lint.plan.uses.choices import is_empty
from capsule_lint.program.containers import FILLING, KEYED
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Class, Module, last_name, owner_of
from capsule_lint.program.texts.pieces import hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.planner import Planner
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

_NEW: Final = ("__init__", "__post_init__")
_SAME: Final = (("==",), ("!=",))
_PUTTING: Final = PUTTING | FILLING
_REMEMBERING: Final = frozenset(("cache", "lru_cache"))
_MAX_DEPTH: Final = 4


class LastAsked(Room, Struct, frozen=True):
    """Finds such comparisons once it is settled which functions gain parameters."""

    planner: Planner

    def note(self) -> None:
        """Make the changes unsafe that would leave such a comparison behind."""
        drafted = {id(defect.node) for defect in self.planner.local.notes.defects}
        for function, caller, scope in list(self._judged()):
            if function not in self.state.params and self._is_shelf(function):
                reason = f"gives the same for whatever `{scope.parameter}` is asked for"
                made = function.returns[0]
                self.planner.local.notes.obstacle(("function", caller), made, reason)
            if compares(self.program, function, scope):
                continue
            for node in self.program.names.inside(function):
                if not isinstance(node, tree.Compare) or node.ops not in _SAME:
                    continue
                if id(node) not in drafted and self._is_left(node, function, scope):
                    reason = f"is kept for whatever `{scope.parameter}` was asked for last"
                    self.planner.local.notes.obstacle(("function", caller), node, reason)

    def _judged(self) -> Iterator[tuple[Function, Function, Scope]]:
        """The functions that gain a scope, and those that they call which are told another one: each
        with the one that gains it."""
        program = self.program
        seen: set[tuple[Function, str]] = set()
        for function, gained in self.state.params.items():
            if function.module.is_test:
                continue
            for scope in gained.values():
                called = [
                    callee.function
                    for node in program.names.inside(function)
                    if isinstance(node, tree.Call)
                    for callee in program.calls.callees(node)
                ]
                for one in (function, *called):
                    if one is None or (one, scope.name) in seen or one.module.is_test:
                        continue
                    seen.add((one, scope.name))
                    if program.domain.scope_parameter(one, scope) is None:
                        yield one, function, scope

    def _is_shelf(self, function: Function) -> bool:
        """Whether a function is remembered, and gives whoever asks a new collection to fill."""
        keeping = (
            last_name(d.func if isinstance(d, tree.Call) else d) in _REMEMBERING
            for d in function.fact.decorators
        )
        return any(keeping) and bool(function.returns) and all(map(_is_new, function.returns))

    def _is_left(self, node: tree.Compare, function: Function, scope: Scope) -> bool:
        """Whether a value of another scope is compared with one that is kept of a former call."""
        for one, other in node.both_ways:
            if self._says(one, function, scope):
                home = self._home(other, function)
                if home is not None and self._keeps(home, scope):
                    return True
        return False

    def _says(self, node: tree.Node, function: Function, scope: Scope) -> bool:
        """Whether an expression has another scope's value that the function is told, and not this one's."""
        program = self.program
        others = program.policy.others(scope)
        found = [program.domain.scope_parameter(function, s) for s in others]
        told = {p.name for p in found if p is not None}
        said = list(self._said(node))
        return any(isinstance(one, tree.Name) and one.id in told for one in said) and not any(
            names_scope(hole_name(one), scope) for one in said
        )

    def _said(self, node: tree.Node) -> Iterator[tree.Node]:
        """What a value says: its parts, those of the locals in it, and what the calls in it are given, unless
        these are told the scope that is gained, too."""
        names, queue, seen = self.program.names, [node], set[int]()
        while queue:
            one = queue.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            yield one
            if isinstance(one, tree.Call) and any(
                callee.function in self.state.params
                for callee in self.program.calls.callees(one)
                if callee.function is not None
            ):
                continue
            queue += one.below()
            made = behind(names, one) if isinstance(one, tree.Name) else None
            queue += [] if made is None else [made]

    def _home(self, node: tree.Node | None, function: Function, depth: int = 0) -> Home | None:
        """What an object or a module keeps, of which an expression is a part: `self._last[0]`, and `owner` of
        `owner, rows = self._kept[key]`."""
        match node:
            case tree.Attr(base=tree.Name(id=base), name=name) if (
                function.takes_self and base == function.self_name
            ):
                owner = owner_of(function)
                return (owner, name) if owner is not None and name in owner.stores else None
            case tree.Attr(base=base) | tree.Subscript(base=base):
                return self._home(base, function, depth)
            case tree.Call(func=tree.Attr(name=name, base=base)) if name in KEYED:
                return self._home(base, function, depth)
            case tree.Call(func=tree.Name(id="getattr"), args=(of, *_)):
                return self._home(of.value, function, depth)
            case tree.Name(id=name) if depth < _MAX_DEPTH:
                for binding in self.program.names.bindings_of(node):
                    if binding.is_global:
                        return (binding.module, name) if binding.kind == "assign" else None
                    home = self._home(binding.value, function, depth + 1)
                    if home is not None:
                        return home
        return None

    def _keeps(self, home: Home, scope: Scope) -> bool:
        """Whether another scope's value is put there that a function was told, and it is not found by a key
        which has this one as well."""
        if home in self.planner.local.rekeyed:
            return False
        return any(self._says(value, function, scope) for function, value in self._put(home))

    def _put(self, home: Home) -> Iterator[tuple[Function, tree.Node]]:
        """What functions put there, as a whole or as one of many."""
        owner = home[0]
        if isinstance(owner, Class):
            functions = [m for m in owner.methods.values() if m.name not in _NEW]
        elif isinstance(owner, Module):
            functions = list(owner.functions)
        else:
            return
        for function in functions:
            for node in self.program.names.inside(function):
                put = self._put_at(node)
                if put and self._home(node, function) == home:
                    yield from ((function, value) for value in put)

    def _put_at(self, node: tree.Node) -> list[tree.Node]:
        """What an expression is assigned, or is told by one of its methods to keep."""
        parent_of = self.program.names.parent
        parent = parent_of(node)
        if isinstance(parent, tree.Attr) and parent.name in _PUTTING:
            call = parent_of(parent)
            return [a.value for a in call.args] if isinstance(call, tree.Call) else []
        target = node
        while isinstance(parent, tree.Sequence):
            target, parent = parent, parent_of(parent)
        if isinstance(parent, tree.Assign) and parent.value is not None:
            return [parent.value] if any(target is t for t in parent.targets) else []
        return []


def _is_new(node: tree.Node) -> bool:
    """Whether a value is a collection that has nothing yet."""
    if isinstance(node, tree.Const):
        return False
    return is_empty(node) or (isinstance(node, tree.Call) and makes_collection(node))
