"""Keys that a function begins and its calls go on with: `self.key("CAPSULE", capsule_id, "NOTE", note_id)` of
`"#".join(["TENANT", self.tenant_id, *parts])`. Where the calls give further scopes, each says what key it makes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.given_lists import joined, passed
from capsule_lint.program.texts.pieces import Filled, Piece, Text, hole_name

if TYPE_CHECKING:
    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.model import Function
    from capsule_lint.program.texts.templates import Templates


@dataclass(eq=False, slots=True)
class BegunForCalls:
    """Finds such functions, and evaluates their calls."""

    templates: Templates
    _goes_on: dict[tuple[Function, int], bool] = field(default_factory=dict)

    def goes_on(self, function: Function, depth: int = 0) -> bool:
        """Whether a call of a function gives it a scope that it does not put into the key by itself."""
        key = function, depth
        if key not in self._goes_on:
            begun, templates, whole = self._begun(function, depth), self.templates, self._whole
            own = {s.scope for s in templates.segments(begun or ())}
            self._goes_on[key] = (
                bool(begun and own)
                and any(
                    own < {s.scope for s in templates.segments(whole(call, callee, depth) or ())}
                    for call, callee in templates.calls.callers(function)
                )
                and not (self._reads_its_own(function) and self._is_called_elsewhere(function))
            )
        return self._goes_on[key]

    def pieces(self, node: tree.Node) -> list[Piece] | None:
        """What a call of such a function says; `None` for any other expression."""
        callees = self.templates.calls.callees(node) if isinstance(node, tree.Call) else ()
        if len(callees) != 1 or not isinstance(node, tree.Call):
            return None
        function = callees[0].function
        if function is None or not self.goes_on(function):
            return None
        return self._whole(node, callees[0], 0)

    def _reads_its_own(self, function: Function) -> bool:
        """Whether a function begins a key with what it is not given: `self.tenant_id`."""
        values = [p.value for p in self._begun(function, 0) or () if isinstance(p, Filled)]
        given = {p.name for p in function.own_params}
        return any(not isinstance(value, tree.Name) or value.id not in given for value in values)

    def _is_called_elsewhere(self, function: Function) -> bool:
        """Whether the program calls a method of another object than its own, `self.keys.key(…)`, which cannot be
        told what the method reads of itself."""
        names = self.templates.names
        for call, _ in self.templates.calls.callers(function):
            around, on = names.function_of(call), call.receiver
            own = around.self_name if around is not None else ""
            is_own = isinstance(on, tree.Name) and on.id == own
            by_heir = isinstance(on, tree.Call) and last_name(on.func) == "super"
            if not (is_own or by_heir or names.module_of(call).is_test):
                return True
        return False

    def _begun(self, function: Function, depth: int) -> list[Piece] | None:
        """The pieces before the rest, the mark between the two among them."""
        variadic = next((p for p in function.params if p.kind == "*"), None)
        if variadic is None or len(function.returns) != 1:
            return None
        value = function.returns[0]
        *begun, last = self.templates.said(value, depth + 1) or [Text("", value, value)]
        mark = begun[-1] if begun else None
        if not isinstance(mark, Text) or not mark.value or re.search(r"\w", mark.value):
            return None
        rest = last.value if isinstance(last, Filled) else None
        if rest is not None and (listed := tree.spread(rest)) is not None:
            rest = passed(listed)
        elif isinstance(rest, tree.Call) and self.templates.joins.separator(rest) == mark.value:
            rest = joined(rest)
        is_rest = isinstance(rest, tree.Name) and rest.id == variadic.name
        return begun if is_rest else None

    def _whole(self, call: tree.Call, callee: Callee, depth: int) -> list[Piece] | None:
        begun = self._begun(callee.function, depth) if callee.function is not None else None
        bound = callee.bind(call)
        if not begun or bound is None:
            return None
        found: list[Piece] = []
        for piece in begun:
            name = piece.value.id if isinstance(piece.value, tree.Name) else ""
            given = bound.arguments.get(name)
            if given is not None and isinstance(piece, Filled):
                found += self.templates.inline(given.value, call, depth + 1)
            else:
                found.append(replace(piece, host=call))
        mark = begun[-1].value
        for number, argument in enumerate(callee.surplus(call)):
            if number:
                found.append(Text(str(mark), call, call))
            value = argument.value
            if argument.star:
                found.append(Filled(value, call, hole_name(value), several=True))
            else:
                found += self.templates.inline(value, call, depth + 1)
        return found
