"""JSON that tests expect, as text, of whole objects which gain a field: a person must look, as the text does not get it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import rename
from capsule_lint.plan.entities.grown import Grown
from capsule_lint.plan.entities.wholes import DUMPING_ALL
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.comparisons import is_compared
from capsule_lint.program.model import Class, last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

DUMPING: Final = ("dumps", "dump", "encode")
"""What makes JSON of what it is given."""
REASON: Final = "this is a dict that gets `{}`: it may have to have that as well"


class _Dump(Struct, frozen=True):
    """Where JSON is made of objects of a class that gains a field for a scope."""

    knot: Knot
    scope: Scope
    function: Function | None


class _Names(Struct, frozen=True):
    """What JSON calls the fields of a class, and which of them it may leave out."""

    every: frozenset[str]
    spared: frozenset[str]

    def fit(self, said: set[str]) -> bool:
        """Whether a text may be of such an object, with others beside its own or without what it has none of."""
        return len(self.every) > 1 and (
            self.every - self.spared <= said <= self.every or self.every <= said
        )


@dataclass(eq=False, slots=True)
class Dumped(MendRoom):
    """Finds such texts."""

    mends: Mends
    _names: dict[Class, tuple[_Names, ...]] = field(default_factory=dict)

    def build(self, texts: Sequence[tuple[tree.Node, set[str]]]) -> None:
        """Note those of some texts of tests that name several entries."""
        dumps = dict.fromkeys(self._dumps()) if texts and self.state.fields else ()
        compared = [pair for pair in texts if dumps and is_compared(self.program, pair[0])]
        for node, said in compared:
            for dump in dumps:
                new = self._lacking(dump, said)
                if new is not None and self._may_make(dump, node, said):
                    self.mends.obstacle(dump.knot, node, REASON.format(new))

    def _dumps(self) -> Iterator[_Dump]:
        """`dumps(asdict(note))`, `dumps(note)`, `note.model_dump_json()`, also by way of names and functions."""
        grown, program, gained = Grown(self.mends), self.program, self.state.fields
        found: list[tuple[tree.Node, Knot, Scope]] = []
        for call in (c for name in DUMPING for c in program.calls.uses.calls_beside(name)):
            for node in call.unnamed[:1]:
                gains = (*grown.of(node), *grown.of_elements(node))
                pairs = [*self.mends.expected.fields(node), *((g.knot, g.scope) for g in gains)]
                found += [(call, knot, scope) for knot, scope in pairs]
        for cls, node in self.mends.wholes.every:
            around = program.names.parent(node)
            inside = isinstance(around, tree.Call) and last_name(around.func) in DUMPING
            if cls in gained and (inside or last_name(node) == DUMPING_ALL):
                found += [(node, ("class", cls), scope) for scope in gained[cls].values()]
        for node, knot, scope in found:
            if not program.names.module_of(node).is_test:
                yield _Dump(knot, scope, program.names.function_of(node))

    def _lacking(self, dump: _Dump, said: set[str]) -> str | None:
        """What a text lacks that says whose something is, but not by the scope that an object gains."""
        if any(names_scope(name, dump.scope) for name in said):
            return None
        for old, _ in self.program.policy.beside(dump.scope):
            for name in sorted(said):
                if names_scope(name, old):
                    return rename(name, old, dump.scope)
        return None

    def _may_make(self, dump: _Dump, node: tree.Node, said: set[str]) -> bool:
        """Whether a text may be what is made there: it has such names, and the test runs that, or what it runs is not
        known, and it has these very names."""
        cls, places = dump.knot[1], self.mends.testing.places
        fitting = [n for n in self._named(cls) if n.fit(said)] if isinstance(cls, Class) else []
        if not fitting:
            return False
        if dump.function is not None and dump.function in places.running(node):
            return True
        return any(n.every == said for n in fitting) and places.only_by(node) is None

    def _named(self, cls: Class) -> tuple[_Names, ...]:
        """The names of the fields of a class, and of those that inherit from it, as they are and by their aliases."""
        if cls not in self._names:
            classes = self.program.classes
            self._names[cls] = tuple(
                _Names(
                    frozenset(known.get(f.name, f.name) for f in classes.fields(one)),
                    frozenset(
                        known.get(f.name, f.name) for f in classes.fields(one) if f.has_default
                    ),
                )
                for one in (cls, *classes.subclasses(cls))
                for known in ({}, classes.aliases(one))
            )
        return self._names[cls]
