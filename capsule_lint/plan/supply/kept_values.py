"""Values that a function takes once, into a local: those of calls that are needed twice, long ones, and those that
only the function around may ask for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.model import AddStatement
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.supply.anchors import anchors
from capsule_lint.plan.supply.sources import inline
from capsule_lint.program.model import Function
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot, Value, Want

_Local: TypeAlias = tuple[Function, str]
"""A function, and the name of a local of it."""


@dataclass(eq=False, slots=True)
class KeptValues(MendRoom):
    """Builds their statements."""

    mends: Mends
    _uses: dict[_Local, list[tuple[Want, Value]]] = field(default_factory=dict)

    def collect(self) -> None:
        """Find the values of keys and calls that are kept."""
        found: dict[_Local, list[tuple[Want, Value]]] = defaultdict(list)
        every = self.planner.key_wants()
        every += [w for d in self.planner.local.notes.defects for w in d.wants.values()]
        every += [w for w in self.state.wants if w.purpose in ("argument", "rebuild")]
        for want in every:
            value = self.mends.value(want)
            if value is not None and value.bind and value.root is not None:
                found[value.root, want.scope.parameter].append((want, value))
        for key, taken in found.items():
            bound = [use for use in taken if self.planner.outside.must_be_kept(*use)]
            uses = [use for use in taken if not bound or _is_same(bound[0][1], use[1])]
            if len({value.code for _, value in uses}) > 1 or self._is_hidden(*key, uses):
                continue
            if not bound and all(self._is_beside(*use) for use in uses):
                continue
            if bound or len(uses) > 1 or not inline(uses[0][1]) or self._repeats(uses[0][0]):
                self._uses[key] = uses
                for want, _ in uses[1:]:  # they share the statement
                    self.state.groups.join(uses[0][0].knot, want.knot)

    def shares(self, want: Want, value: Value, knot: Knot, at: tree.Node | None) -> bool:
        """Whether a value is read of the local in which it is kept, `at` another expression if one is given; an
        obstacle where it has to be, and is not."""
        if not value.bind or value.root is None:
            return False
        key = value.root, want.scope.parameter
        must = self.planner.outside.must_be_kept(want, value)
        if must and key not in self._uses and not self._is_hidden(*key, [(want, value)]):
            self._uses[key] = [(want, value)]
        uses = self._uses.get(key, [])
        if any(_is_same(bound, value) for _, bound in uses):
            used = want if at is None else replace(want, node=at)
            if all(use.node is not used.node for use, _ in uses):
                uses.append((used, value))  # the statement comes before it
            self.state.groups.join(knot, uses[0][0].knot)
            return True
        if must:
            why = "is that beside another value" if uses else "means something else"
            reason = f"`{value.code}` is for `{value.root.name}` to ask, where `{key[1]}` {why}"
            self.mends.obstacle(knot, want.node, reason)
        return False

    def has(self, function: Function, name: str) -> bool:
        """Whether a function keeps a value under a name."""
        return (function, name) in self._uses

    def build(self) -> None:
        """Add the statements: `capsule_id = extract_capsule_from_context(request)`, before the first statements that
        need it, or after the one by which the neighbour is kept."""
        for (function, parameter), uses in self._uses.items():
            want, value = uses[0]
            for name in value.imports:
                self.mends.import_(want.knot, function.module, *name)
            statement, filename = f"{parameter} = {value.code}", function.module.filename
            told = value.beside.place.statement if value.beside is not None else None
            if told is not None:
                self.mends.import_type(want.knot, function.module, want.scope, value.code)
                self.mends.add(want.knot, AddStatement(filename, told.span, "CAP501", statement))
                continue
            spans = [use.node.span for use, _ in uses]
            for first in anchors(function.fact.body, spans, partial(self._takes_alike, value)):
                mend = AddStatement(filename, first.span, "CAP501", statement, before=True)
                self.mends.add(want.knot, mend)

    def _is_hidden(self, function: Function, name: str, uses: list[tuple[Want, Value]]) -> bool:
        """Whether something inside a function that needs a value has a variable of that name itself."""
        for want, _ in uses:
            scopes = self.program.names.place(want.node).scope.ancestors()
            inside = takewhile(lambda scope: scope is not function.scope, scopes)
            if any(name in scope.bindings for scope in inside):
                return True
        return False

    def _is_beside(self, want: Want, value: Value) -> bool:
        """Whether a value is an attribute of that of which another one is read in the same call or key: `args.capsule`
        beside `args.tenant`."""
        *path, _ = value.code.split(".")
        return (
            bool(path)
            and all(part.isidentifier() for part in value.code.split("."))
            and inline(value)
            and any(
                isinstance(node, tree.Attr) and text_of(node.base) == ".".join(path)
                for _, node in self.planner.values.said(want)
            )
        )

    def _repeats(self, want: Want) -> bool:
        place = self.program.names.place(want.node)
        return place.scope.kind in ("lambda", "comprehension") or any(
            loops for _, _, loops in place.blocks
        )

    def _takes_alike(self, value: Value, statement: tree.Statement) -> bool:
        """Whether a statement takes the value of another scope, or what this one is taken from."""
        if not isinstance(statement, tree.Assign) or statement.value is None:
            return False
        if isinstance(statement.value, tree.Attr | tree.Subscript | tree.Call):
            text = text_of(statement.value)
            if text is not None and value.code.startswith(text):
                return True
        names = [target.id for target in statement.targets if isinstance(target, tree.Name)]
        scopes = self.program.policy.scopes
        return any(names_scope(name, scope) for name in names for scope in scopes)


def _is_same(one: Value, other: Value) -> bool:
    """Whether two values are kept in one local."""
    return one.code == other.code and one.beside is other.beside
