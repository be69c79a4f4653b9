"""Tokens that say whose they are, `dumps({"tenant": tenant_id, "key": key})`, and are asked for that when they come
back: `if body["tenant"] != tenant_id: raise`. Whoever is told another scope as well gives them that one too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import item_key, renamed_item_access, text_of
from capsule_lint.plan.entities.displays import entries_of, entry_of
from capsule_lint.plan.memory.beside import Beside
from capsule_lint.plan.memory.local_filters import dict_in
from capsule_lint.plan.supply.repeats import names_in, repeatable
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function, Module

_ENCODING: Final = frozenset(("dumps", "encode", "urlsafe_b64encode", "b64encode"))
_DECODING: Final = frozenset(("loads", "decode"))
"""What makes texts of dicts, and dicts of these again."""


class _Token(Struct, frozen=True):
    """The dict that one function makes a token of, and the comparison in which another one reads it again."""

    made: tree.DictDisplay
    maker: Function
    node: tree.Compare
    read: tree.Node
    reader: Function
    said: Scope


@dataclass(eq=False, slots=True)
class Tokens(Beside[_Token]):
    """Demands the other scope in such tokens, and beside the comparison."""

    def _find(self) -> Iterator[_Token]:
        for module in self.program.names.production():
            yield from self._in(module)

    # --- which tokens ---

    def _in(self, module: Module) -> Iterator[_Token]:
        made = list(self._made(module))
        for check in module.each(tree.Compare) if made else ():
            reader = self.program.names.function_of(check)
            if reader is None or check.ops not in (("==",), ("!=",)):
                continue
            for one, other in check.both_ways:
                for display, maker, said in made:
                    entry = entry_of(display, said)
                    if (
                        entry is not None
                        and item_key(one, said) == entry[0]
                        and self._is_told(other, reader, said)
                        and self._is_decoded(one)
                    ):
                        yield _Token(display, maker, check, one, reader, said)

    def _made(self, module: Module) -> Iterator[tuple[tree.DictDisplay, Function, Scope]]:
        """The dicts of which functions make what they return, with a scope that these are told, and more."""
        program = self.program
        for display in module.each(tree.DictDisplay):
            maker = program.names.function_of(display)
            names = [name for name, _ in entries_of(display)]
            if maker is None or len(names) < 2 or any(map(program.policy.is_key_name, names)):
                continue
            for scope in program.policy.scopes:
                entry = entry_of(display, scope)
                told = entry is not None and self._is_told(entry[1], maker, scope)
                if told and self._is_encoded(display, maker):
                    yield display, maker, scope

    def _is_told(self, node: tree.Node, function: Function, scope: Scope) -> bool:
        """Whether an expression is the parameter by which a function is told a scope."""
        taken = self.program.domain.scope_parameter(function, scope)
        return isinstance(node, tree.Name) and taken is not None and taken.name == node.id

    def _is_encoded(self, display: tree.DictDisplay, maker: Function) -> bool:
        """Whether something foreign makes of a dict what its function returns."""
        names = self.program.names
        for value in maker.returns:
            locals_ = (only_assigned(names, name) for name in names_in(value))
            for made in (value, *(one for one in locals_ if one is not None)):
                for call in within(made):
                    if isinstance(call, tree.Call) and self._is_given(call, display):
                        return True
        return False

    def _is_given(self, call: tree.Call, display: tree.DictDisplay) -> bool:
        """Whether a call of nothing that the program has is given a dict, or one of a function that gives it on
        to such a one: `sign({"tenant": tenant_id, "key": key})`."""
        names = self.program.names
        given = any(
            argument.value is display or only_assigned(names, argument.value) is display
            for argument in call.args
        )
        callees = self.program.calls.callees(call) if given else ()
        return given and all(
            callee.function is not None and len(call.args) == 1 and self._encodes(callee.function)
            for callee in callees
        )

    def _encodes(self, function: Function) -> bool:
        """Whether a function has its only parameter encoded by something foreign."""
        taken = [one.name for one in function.own_params]
        calls = (n for n in self.program.names.inside(function) if isinstance(n, tree.Call))
        return len(taken) == 1 and any(
            last_name(call.func) in _ENCODING and taken[0] in {n.id for n in names_in(call)}
            for call in calls
        )

    def _is_decoded(self, node: tree.Node) -> bool:
        """Whether what an entry is read of is what a call of something foreign gives, or of a function that gives
        back what such a one does."""
        row = dict_in(node)
        made = only_assigned(self.program.names, row) if row is not None else None
        if not isinstance(made, tree.Call) or row is None or not repeatable(row):
            return False
        functions = [callee.function for callee in self.program.calls.callees(made)]
        return all(
            function is not None
            and function.returns
            and all(last_name(value) in _DECODING for value in function.returns)
            for function in functions
        )

    # --- what they lack ---

    def _lacks(self, token: _Token, scope: Scope) -> bool:
        """Whether callers of both functions are told a scope that the token does not say."""
        keys = {item_key(n, scope) for n in self.program.names.inside(token.reader)}
        return (
            entry_of(token.made, scope) is None
            and keys == {None}
            and self._knows(token.maker, scope)
            and self._knows(token.reader, scope)
        )

    def _knows(self, function: Function, scope: Scope) -> bool:
        """Whether a function, or somebody who calls it, is told a scope, or is going to be."""
        program = self.program
        callers = {program.names.function_of(c) for c, _ in program.calls.callers(function)}
        callers.add(function)
        return any(
            program.domain.scope_parameter(one, scope) is not None or self.state.gains(one, scope)
            for one in callers
            if one is not None and not one.module.is_test
        )

    def _add(self, token: _Token, scope: Scope) -> None:
        notes, knot = self.planner.local.notes, ("local", id(token.node))
        read = renamed_item_access(text_of(token.read) or "", token.read, token.said, scope)
        draft = notes.draft(token.node, "filter", [scope], knot)
        if read is None or notes.is_silenced(draft):
            return
        entry = notes.extend(token.made, token.said, scope, knot)
        if entry is None:
            return
        notes.settle(token.node)
        self.planner.want(entry)
        self._compare(draft, scope, read)
        for display in self._spelled_out(token):
            reason = f"is what a token says which gains `{scope.parameter}`, or looks like that"
            notes.obstacle(knot, display, reason)

    def _spelled_out(self, token: _Token) -> Iterator[tree.DictDisplay]:
        """What looks like a token's dict in tests: these may expect or forge it, and nobody knows."""
        names = {name for name, _ in entries_of(token.made)}
        for module in self.program.names.modules.values():
            for display in module.each(tree.DictDisplay) if module.is_test else ():
                if {name for name, _ in entries_of(display)} == names:
                    yield display
