"""Values that a function takes once, into a local: those of calls that are needed twice, long ones, and those that
only the function around may ask for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

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


class _Use(NamedTuple):
    """A place that needs a value, the value that it finds, and as that would be kept for this place alone."""

    want: Want
    found: Value
    kept: Value


@dataclass(eq=False, slots=True)
class KeptValues(MendRoom):
    """Builds their statements."""

    mends: Mends
    _kept: dict[_Local, tuple[Value, list[Want]]] = field(default_factory=dict)
    """What is kept, and what reads it."""

    def collect(self) -> None:
        """Find the values of keys and calls that are kept."""
        found: dict[_Local, list[_Use]] = defaultdict(list)
        named = set[_Local]()
        every = self.planner.key_wants()
        every += [w for d in self.planner.local.notes.defects for w in d.wants.values()]
        every += [w for w in self.state.wants if w.purpose in ("argument", "rebuild")]
        for want in every:
            value, function = self.mends.value(want), self.program.names.function_of(want.node)
            if value is None or function is None:
                continue
            use = _Use(want, value, self.planner.beside_locals.kept(want, value))
            if use.kept.bind and use.kept.root is not None:
                found[use.kept.root, want.scope.parameter].append(use)
            elif value.code == want.scope.parameter:
                named.add((function, value.code))
        for key, taken in found.items():
            shared = self._shared(taken, is_named=key in named)
            if shared is None or self._is_hidden(*key, shared[1]):
                continue
            value, uses = shared
            must = any(map(self._must, uses))
            if not must and all(self._is_beside(use) for use in uses):
                continue
            if must or len(uses) > 1 or not inline(value) or self._repeats(uses[0].want, value):
                self._kept[key] = value, [use.want for use in uses]
                for use in uses[1:] if value.beside is None else ():  # they share the statement
                    self.state.groups.join(uses[0].want.knot, use.want.knot)

    def shares(self, want: Want, value: Value, knot: Knot, at: tree.Node | None) -> bool:
        """Whether a value is read of the local in which it is kept, `at` another expression if one is given; an
        obstacle where it has to be, and is not."""
        use = _Use(want, value, self.planner.beside_locals.kept(want, value))
        root, name = use.kept.root, want.scope.parameter
        if not use.kept.bind or root is None:
            return False
        must = self._must(use)
        if must and (root, name) not in self._kept and not self._is_hidden(root, name, [use]):
            self._kept[root, name] = use.kept, [want]
        kept, wants = self._kept.get((root, name), (None, []))
        used = use if at is None else use._replace(want=replace(want, node=at))
        if kept is not None and self._is_read_of(kept, used):
            if kept.beside is not None:
                self._behind(root, name, kept, want, knot)
                return True
            if all(one.node is not used.want.node for one in wants):
                wants.append(used.want)  # the statement comes before it
            self.state.groups.join(knot, wants[0].knot)
            return True
        if must:
            why = "is that beside another value" if kept is not None else "means something else"
            reason = f"`{value.code}` is for `{root.name}` to ask, where `{name}` {why}"
            self.mends.obstacle(knot, want.node, reason)
        return False

    def has(self, function: Function, name: str) -> bool:
        """Whether a function keeps a value under a name."""
        return (function, name) in self._kept

    def build(self) -> None:
        """Add the statements that stand beside no local: `capsule_id = extract_capsule_from_context(request)`, before
        the first statements that need it."""
        for (function, name), (value, wants) in self._kept.items():
            if value.beside is not None:
                continue
            self._import(function, value, wants[0].knot)
            spans = [want.node.span for want in wants]
            for first in anchors(function.fact.body, spans, partial(self._takes_alike, value)):
                statement, filename = f"{name} = {value.code}", function.module.filename
                mend = AddStatement(filename, first.span, "CAP501", statement, before=True)
                self.mends.add(wants[0].knot, mend)

    def _behind(self, function: Function, name: str, value: Value, want: Want, knot: Knot) -> None:
        """Add the statement behind the one by which the neighbour is kept, for one of those who need it."""
        statement = value.beside.place.statement if value.beside is not None else None
        if statement is None:
            return
        self._import(function, value, knot)
        self.mends.import_type(knot, function.module, want.scope, value.code)
        filename, code = function.module.filename, f"{name} = {value.code}"
        self.mends.add(knot, AddStatement(filename, statement.span, "CAP501", code))

    def _import(self, function: Function, value: Value, knot: Knot) -> None:
        for imported in value.imports:
            self.mends.import_(knot, function.module, *imported)

    def _must(self, use: _Use) -> bool:
        """Whether a value has to be kept."""
        return self.planner.outside.must_be_kept(use.want, use.found)

    def _shared(self, taken: list[_Use], *, is_named: bool) -> tuple[Value, list[_Use]] | None:
        """The value that some uses read of one local, and those of them that do: the one that has to be kept; or that of
        all, behind the neighbour's local where this comes before them and nothing else `is_named` so; or that of those
        that may take it anywhere."""
        must = [use.kept for use in taken if self._must(use)]
        beside = [use.kept for use in taken if use.kept.beside is not None and not is_named]
        for value in must[:1] or beside:
            uses = [use for use in taken if self._is_read_of(value, use)]
            if must or len(uses) == len(taken):
                return value, uses
        own = [use for use in taken if use.found.bind]
        return (own[0].found, own) if len({use.found.code for use in own}) == 1 else None

    def _is_read_of(self, kept: Value, use: _Use) -> bool:
        """Whether a use reads its value of the local in which another one is kept."""
        if kept.code != use.found.code:
            return False
        if kept.beside is None:
            return use.found.bind
        if use.kept.beside is not None:
            return kept.beside is use.kept.beside
        return self.planner.beside_locals.reaches(kept.beside, use.want.node, kept)

    def _is_hidden(self, function: Function, name: str, uses: list[_Use]) -> bool:
        """Whether something inside a function that needs a value has a variable of that name itself."""
        for use in uses:
            scopes = self.program.names.place(use.want.node).scope.ancestors()
            inside = takewhile(lambda scope: scope is not function.scope, scopes)
            if any(name in scope.bindings for scope in inside):
                return True
        return False

    def _is_beside(self, use: _Use) -> bool:
        """Whether a value is an attribute of that of which another one is read in the same call or key: `args.capsule`
        beside `args.tenant`."""
        *path, _ = use.found.code.split(".")
        return (
            bool(path)
            and all(part.isidentifier() for part in use.found.code.split("."))
            and inline(use.found)
            and any(
                isinstance(node, tree.Attr) and text_of(node.base) == ".".join(path)
                for _, node in self.planner.values.said(use.want)
            )
        )

    def _repeats(self, want: Want, value: Value) -> bool:
        """Whether a place may ask several times for what is kept once."""
        place = self.program.names.place(want.node)
        made = value.beside.place if value.beside is not None else None
        inside = made is not None and place.scope is not made.scope
        around = made.blocks if made is not None else ()
        return (
            inside
            or place.scope.kind in ("lambda", "comprehension")
            or any(one[2] and one not in around for one in place.blocks)
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
