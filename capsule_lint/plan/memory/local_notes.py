"""What is noted of local keys and filters: which lack scopes, what they ask for, what is settled."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import rename
from capsule_lint.plan.entities.displays import entries_of, entry_of
from capsule_lint.plan.state import Obstacle, State, Want
from capsule_lint.program.model import Class, Function, Module, Place, enclosing
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.memory.rekeyed import Rekeyed
    from capsule_lint.plan.silence import Silence
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program


@dataclass(eq=False, slots=True)
class LocalDefect:
    """A key or filter that lacks scopes. `shape`: `text`, `tuple`, `call`, `bare`, `joined` (a bare one that
    becomes a text), `made` by a class, `filter`, `beside` (a condition), `rows`, `pattern`,
    `target` (a pattern that binds names), `index`, `entry`, `step` or `named`."""

    node: tree.Node
    module: Module
    function: Function | None
    shape: str
    missing: list[Scope]
    anchors: dict[str, tree.Node | None]
    knot: Knot
    wants: dict[str, Want] = field(default_factory=dict)
    detail: dict[str, str] = field(default_factory=dict)
    """By scope: the left side of a new condition, the name for a pattern, the key of an entry."""
    helper: Function | None = None


@dataclass(eq=False, slots=True)
class LocalNotes:
    """Collects it."""

    program: Program
    state: State
    silence: Silence
    silenced: list[LocalDefect] = field(default_factory=list)
    defects: list[LocalDefect] = field(default_factory=list)
    wants: list[Want] = field(default_factory=list)
    filtering: set[Function] = field(default_factory=set)
    """The functions that filter rows."""
    looking: dict[Function, set[Home]] = field(default_factory=lambda: defaultdict(set))
    """Those that look something up in a collection, and in which."""
    of_rows: set[int] = field(default_factory=set)
    """The dicts whose entries are read of rows: what they gain is read so, too."""
    spread: dict[int, Rekeyed] = field(default_factory=dict)
    """The whole keys that calls spread, `self.delete(*key)`, and how they change."""
    unsure: list[tuple[Knot, tree.Compare, tree.Node, list[Scope]]] = field(default_factory=list)
    """The comparisons of rows of which it is not known where they are made, with the row, and the scopes that these lack."""
    _settled: set[int] = field(default_factory=set)
    """The keys that have what they need, or get it."""
    _entries: set[tuple[int, str]] = field(default_factory=set)

    # --- what lacks scopes ---

    def draft(self, node: tree.Node, shape: str, missing: list[Scope], knot: Knot) -> LocalDefect:
        """A defect that is not noted yet."""
        scope = self.program.names.place(node).scope
        return LocalDefect(node, scope.module, scope.function, shape, missing, {}, knot)

    def defect(self, node: tree.Node, shape: str, scopes: list[Scope], knot: Knot) -> LocalDefect:
        """One more place that changes with the keys of a collection."""
        found = self.draft(node, shape, scopes, knot)
        self.defects.append(found)
        return found

    def is_silenced(self, defect: LocalDefect) -> bool:
        """Note a defect that people have said is meant."""
        at, code = defect.node.at, "CAP107"
        if defect.helper is not None:
            at, code = defect.helper.fact.name_at, "CAP202"
        silenced = self.silence.over(defect.module, at, code)
        if silenced:
            self.silenced.append(defect)
        return silenced

    def ask(self, defect: LocalDefect, want: Want) -> None:
        """Demand a scope's value for a defect."""
        defect.wants[want.scope.name] = want
        self.wants.append(want)

    def settle(self, node: tree.Node) -> None:
        """Note that an expression has what it needs, or gets it."""
        self._settled.add(id(node))

    def is_settled(self, node: tree.Node) -> bool:
        """Whether an expression has what it needs, or gets it."""
        return id(node) in self._settled

    def touch(self, home: Home, place: Place) -> None:
        """Note that the function of a place looks something up in a collection."""
        if place.scope.function is not None:
            self.looking[place.scope.function].add(home)

    def touches(self, function: Function) -> bool:
        """Whether a function looks something up in a collection, or filters rows."""
        return function in self.filtering or function in self.looking

    # --- change sets ---

    def knot_of(self, home: Home, host: tree.Node) -> Knot:
        """The change set that a collection belongs to: all of a class's are one, and each that a module
        keeps under a name."""
        owner = home[0]
        if isinstance(owner, Class):
            return self.knot_in(owner, host)
        knot: Knot = ("local", id(host))
        self.state.groups.join(knot, ("store", home))
        return knot

    def knot_in(self, cls: Class, host: tree.Node) -> Knot:
        """The change set of what a class keeps and filters."""
        knot: Knot = ("local", id(host))
        self.state.groups.join(knot, ("store", cls))
        for entity in self.program.domain.entities_of.get(cls, ()):
            self.state.groups.join(knot, ("entity", entity.name))
        return knot

    def obstacle(self, knot: Knot, node: tree.Node, reason: str) -> None:
        """A place that needs a person: what it belongs to is not changed without one."""
        place = self.program.names.place(node)
        symbol, filename = self.program.names.symbol_of(node), place.scope.module.filename
        found = Obstacle(filename, node.span, reason, symbol, "reference")
        self.state.obstacles.append((knot, found))
        for one in enclosing(place):
            self.state.groups.join(knot, ("function", one))

    # --- entries of dicts that are written out ---

    def extend(
        self,
        display: Display,
        old: Scope,
        scope: Scope,
        knot: Knot,
        name: str = "",
        beside: str = "",
    ) -> Want | None:
        """Demand the entry of a scope in a dict that is written out, beside the entry of another one, and
        called like that unless something says how it, or that other one, is called."""
        said = dict(entries_of(display))
        entry = (beside, said[beside]) if beside in said else entry_of(display, old)
        key = name or (rename(entry[0], old, scope) if entry is not None else "")
        if not name and isinstance(knot[1], Class):
            key = self.program.classes.in_items(knot[1], key, said)
        if entry is None or key in dict(entries_of(display)) or key == entry[0]:
            return None
        if self.is_extended(display, key):
            return None
        self.note_entry(display, key)
        defect = self.defect(display, "entry", [scope], knot)
        defect.anchors[scope.name], defect.detail[scope.name] = entry[1], key
        want = Want(scope, display, knot, "entry", mirror=_mirror(entry[1]))
        self.ask(defect, want)
        return want

    def step(
        self,
        target: tree.Subscript | tree.Attr | tree.Name,
        value: tree.Node,
        scope: Scope,
        key: str,
        knot: Knot,
    ) -> Want | None:
        """Demand one more assignment beside that of a value to an item, `item["tenant_id"] = tenant_id`, or to what
        a test makes: `request.state.tenant_id = "t"`, `class FakeContext: tenant_id = "t"`."""
        if self.is_extended(target, key):
            return None
        self.note_entry(target, key)
        defect = self.defect(target, "step", [scope], knot)
        defect.anchors[scope.name], defect.detail[scope.name] = value, key
        want = Want(scope, target, knot, "entry", mirror=_mirror(value))
        self.ask(defect, want)
        return want

    def note_entry(self, display: tree.Node, key: str) -> None:
        """Note that a dict that is written out gets an entry of that key."""
        self._entries.add((id(display), key))

    def is_extended(self, display: tree.Node, key: str) -> bool:
        """Whether a dict that is written out gets an entry of that key."""
        return (id(display), key) in self._entries

    def says(self, display: tree.Node, scope: Scope) -> bool:
        """Whether a dict that is written out gets an entry of a scope, whatever its key is."""
        return any(at == id(display) and names_scope(key, scope) for at, key in self._entries)


def _mirror(value: tree.Node) -> tree.Node | None:
    """What another scope's value may be found beside: an attribute, a name, or a part, `parts[1]`."""
    match value:
        case tree.Attr() | tree.Name():
            return value
        case tree.Subscript(index=index) if tree.integer(index) is not None:
            return value
        case _:
            return None


def left_out_of_key(scope: Scope) -> str:
    """Why a person has to look at a key that other scopes are in, and this one is not."""
    return f"is a key by one scope, and `{scope.parameter}` is no part of it"
