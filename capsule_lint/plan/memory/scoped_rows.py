"""Rows that a function of the program asks for by a key: what is behind a scope of the key needs no filter by that scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import LISTED
from capsule_lint.program.local_names import bound_whole, reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.state import State
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function

_CONDITIONS: Final = ("Key", "Attr")


class ScopedRows(Struct, frozen=True):
    """Finds out whether rows are such, when all is known that changes."""

    program: Program
    state: State

    def has(self, row: tree.Node, scope: Scope) -> bool:
        """Whether a row is one of those that a loop goes through, and is given by functions that are told the scope, and ask
        for it by a key which has that, or gets it."""
        names = self.program.names
        bound = names.bindings_of(row) if isinstance(row, tree.Name) else ()
        looped = [one.value for one in bound if one.kind == "for" and not one.path and one.value]
        call = self._given(looped[0]) if len(looped) == len(bound) == 1 else None
        callees = self.program.calls.callees(call) if isinstance(call, tree.Call) else []
        functions = [one.function for one in callees if one.cls is None and one.function]
        return 0 < len(functions) == len(callees) and all(
            self._takes(function, scope)
            and function.returns
            and not function.yields
            and all(self._is_asked(one, scope) for one in function.returns)
            for function in functions
        )

    def _given(self, node: tree.Node) -> tree.Node:
        """The call that gives rows, behind a local that is read nowhere else, `await`, and a list of them: who reads a
        local besides may add rows of others, `rows.extend(self.recent)`."""
        names, bound = self.program.names, bound_whole(self.program.names, node)
        if isinstance(node, tree.Name) and bound is not None and bound.assigned is not None:
            alone = all(read is node for read in reads_of(names, node, (bound.at,)))
            return self._given(bound.assigned) if alone else node
        match node:
            case tree.Wrapped(kind="await"):
                return self._given(node.value)
            case tree.Call(func=tree.Name(id=name), args=(only, *_)) if name in LISTED:
                return self._given(only.value)
            case _:
                return node

    def _is_asked(self, node: tree.Node, scope: Scope) -> bool:
        """Whether what a function gives back is what it asks for by such a key: `table.query(pk=…)["Items"]`."""
        node = self._given(node)
        match node:
            case tree.Call(func=tree.Attr()) if keys := list(self._keys(node, scope)):
                callees = self.program.calls.callees(node)
                own = [c.function for c in callees if c.function and not c.function.module.is_test]
                return not own and all(keys)
            case tree.Call(func=tree.Attr(name="get") as func, args=(tree.Argument(first), *more)):
                nothing = all(
                    isinstance(a.value, tree.Sequence) and not a.value.items for a in more
                )
                return (
                    isinstance(first, tree.Const) and nothing and self._is_asked(func.base, scope)
                )
            case tree.Subscript(index=tree.Const()):
                return self._is_asked(node.base, scope)
            case _:
                return False

    def _keys(self, call: tree.Call, scope: Scope) -> Iterator[bool]:
        """Of each key that a call itself is given, whether it has the scope, or gets it: what it is given of another
        call, `chain(table.query(pk=…), others)`, is not all that it gives."""
        keys = self.program.keys
        for node in (one for argument in call.args for one in self._said(argument.value)):
            site = keys.at(node)
            if site is not None:
                said = keys.templates.segments(site.template.pieces)
                yield any(one.scope == scope.name for one in said) or any(
                    want.node is node and want.scope is scope for want in self.state.wants
                )
            for callee in self.program.calls.callees(node) if isinstance(node, tree.Call) else ():
                made = callee.function
                if made is not None and made in keys.helpers:
                    yield self._takes(made, scope)

    def _said(self, node: tree.Node) -> Iterator[tree.Node]:
        """What may be a key of what a call is given: in a condition, `Key("pk").eq(…) & …`, and in a dict,
        `{":pk": {"S": …}}`, too."""
        match node:
            case tree.Binary(op="&"):
                parts: tuple[tree.Node, ...] = node.left, node.right
            case tree.Call(func=tree.Attr(base=tree.Call() as base)) if (
                last_name(base.func) in _CONDITIONS
            ):
                parts = tuple(argument.value for argument in node.args)
            case tree.DictDisplay():
                parts = node.values
            case _:
                yield node
                return
        for part in parts:
            yield from self._said(part)

    def _takes(self, function: Function, scope: Scope) -> bool:
        """Whether a function takes a scope, or will."""
        gains = self.state.gains(function, scope)
        return gains or self.program.domain.scope_parameter(function, scope) is not None
