"""What becomes of a function where a test gives an object something else under its name: `SimpleNamespace(get=…)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Verdict
from capsule_lint.plan.room import Room
from capsule_lint.plan.testing.namesakes import is_namesake
from capsule_lint.plan.testing.standins import class_entries
from capsule_lint.program.model import Function

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.uses.replacements import Replacements
    from capsule_lint.program.model import Symbol

_ESCAPE: Final = (
    Verdict.ESCAPE,
    "an attribute of that name comes in its place, with arguments of its own",
)


class GivenByName(Room, Struct, frozen=True):
    """Judges functions in whose place that comes."""

    planner: Planner
    replacements: Replacements

    def keyword(
        self, call: tree.Call, given: tree.Node, symbols: Sequence[Symbol]
    ) -> Iterator[tuple[Symbol, Verdict, str]]:
        """What becomes of those of some symbols for which a call is given something by keyword."""
        for symbol in self._meant(call, given, symbols):
            yield symbol, *self._judge(given, symbol)

    def entry(
        self, name: tree.Const, symbols: Sequence[Symbol]
    ) -> Iterator[tuple[Symbol, Verdict, str]]:
        """The same where a text is that name: `MagicMock(**{"get.side_effect": lambda tenant_id: …})`, `type("Stub", (),
        {"get": lambda self, tenant_id: …})`."""
        parent = self.program.names.parent
        display = parent(name)
        call = parent(display) if isinstance(display, tree.DictDisplay) else None
        if not isinstance(display, tree.DictDisplay) or not isinstance(call, tree.Call):
            return
        given = next((value for key, value in display.pairs if key is name), None)
        if given is None or display not in (*call.spread, class_entries(call)):
            return
        for symbol in self._meant(call, given, symbols):
            yield symbol, *self._judge(name, symbol)

    def _meant(
        self, call: tree.Call, given: tree.Node, symbols: Sequence[Symbol]
    ) -> Iterator[Function]:
        """Those of some symbols in whose place comes what a test gives an object."""
        program, changing = self.program, self.state.params
        if not program.names.module_of(call).is_test:
            return
        replaced = self.planner.signatures.stand_ins.replaced(given)
        for symbol in symbols:
            if (
                isinstance(symbol, Function)
                and symbol in changing
                and is_namesake(program, call, given, symbol)
                and (not replaced or symbol in replaced)
            ):
                yield symbol

    def _judge(self, name: tree.Node, symbol: Function) -> tuple[Verdict, str]:
        stand_ins = self.planner.signatures.stand_ins.named(name)
        return (self.replacements.judge(stand_ins, symbol) if stand_ins else None) or _ESCAPE
