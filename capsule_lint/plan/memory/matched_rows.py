"""Dicts that are compared entry by entry: rows that are all fields of an object, `self._rows.append(asdict(order))`, and
what a function of the program is given by keywords, `self._match(row, tenant_id=tenant_id)` of `_match(row, **where)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.rows import Origins, Rows, Step
from capsule_lint.plan.entities.wholes import Wholes, says_which
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.program.model import Binding, Class

_PLAIN: Final = frozenset(("asdict", "_asdict", "vars", "model_dump", "dict", "__dict__"))
"""What gives all fields of an object under their own names."""


class Side(Struct, frozen=True):
    """What is compared: the dicts as they are written out, and the classes of those that are all fields of an object."""

    displays: tuple[Display, ...]
    classes: frozenset[Class] = frozenset()


@dataclass(eq=False, slots=True)
class MatchedRows(Rows):
    """Follows them to where they are written."""

    def side(self, node: tree.Node) -> Side | None:
        """What an expression may be, or an object in `getattr(row, name)`; `None` where there may be others."""
        if isinstance(node, tree.Call) and last_name(node.func) == "getattr" and node.plain:
            types = self.program.inference.of(node.plain[0])
            found = frozenset(one.cls for one in types if isinstance(one, Instance))
            return Side((), found) if found and len(found) == len(types) else None
        origins = self.origins(node)
        classes = frozenset(c for one in origins.wholes for c in self._classes(one))
        known = origins.complete and not origins.stored and (origins.displays or classes)
        return Side(origins.displays, classes) if known else None

    def _classes(self, node: tree.Node) -> set[Class]:
        plain = last_name(node) in _PLAIN and not (
            isinstance(node, tree.Call) and says_which(node)
        )
        return Wholes(self.program).gives(node) if plain else set()

    def _call(self, node: tree.Call, depth: int) -> Origins:
        return Origins(wholes=(node,)) if self._classes(node) else Rows._call(self, node, depth)

    def _attribute(self, node: tree.Attr, depth: int) -> Origins:
        whole = self._classes(node)
        return Origins(wholes=(node,)) if whole else Rows._attribute(self, node, depth)

    def _parameter(self, binding: Binding, depth: int, step: Step) -> Origins:
        parameter, function = binding.parameter, binding.function
        if parameter is None or function is None or parameter.kind != "**":
            return Rows._parameter(self, binding, depth, step)
        own, scopes = set(function.own_params) - {parameter}, self.program.policy.scopes
        if any(names_scope(one.name, scope) for one in own for scope in scopes):
            return Origins(complete=False)  # what calls give for that is no entry of the dict
        found = Origins()
        callers = list(self.program.calls.callers(function))
        for call, _ in callers:
            if any(a.star for a in call.args):
                spread = [a.value for a in call.args if a.star]
                alone = len(spread) == 1 and not any(a.keyword for a in call.args)
                found += step(spread[0], depth) if alone else Origins(complete=False)
            else:
                found += Origins((call,))
        return found if callers else Origins(complete=False)
