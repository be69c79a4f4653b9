"""Columns of `csv.DictWriter`, which takes no row with an entry more: where the rows get one, so do they."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.entities.grown import Gain, Grown
    from capsule_lint.plan.mends import Mends
    from capsule_lint.program.model import Binding, Function

_REASON: Final = "rows that are written with these columns get `{}`: they may have to have that"
_SHOWN: Final = "this may show the columns of a file, which gets `{}`"
_MAX_DEPTH: Final = 4


@dataclass(eq=False, slots=True)
class Columns(MendRoom):
    """Extends such lists where they are written out for nothing else, or notes that a person must."""

    mends: Mends
    grown: Grown
    _gains: dict[int, tuple[tree.Call, list[Gain]]] = field(default_factory=dict)
    """By the call that makes a writer."""

    def build(self) -> None:
        """Look at all rows that are written."""
        uses = self.program.calls.uses
        for name, gains_of in (
            ("writerow", self.grown.of),
            ("writerows", self.grown.of_elements),
        ):
            for call in uses.calls_beside(name):
                if not isinstance(call.func, tree.Attr) or len(call.args) != 1:
                    continue
                for writer in self._writers(call.func.base, 0):
                    gains = list(gains_of(call.args[0].value))
                    if gains:
                        self._gains.setdefault(id(writer), (writer, []))[1].extend(gains)
        named = NamedFields(self.mends)
        for writer, gains in self._gains.values():
            for expression in self._listed(_columns(writer), 0):
                display, binding = named.written(expression)
                if display is not None:
                    self._extend(display, binding, writer, list(dict.fromkeys(gains)))

    # --- which writer, which columns ---

    def _writers(self, node: tree.Node, depth: int) -> Iterator[tree.Call]:
        """The calls of `DictWriter` that an expression may come from, if they mind what they do not know."""
        if depth > _MAX_DEPTH:
            return
        match node:
            case tree.Call() if last_name(node.func) == "DictWriter":
                said = {a.keyword: tree.text(a.value) for a in node.args if a.keyword}
                if said.get("extrasaction") != "ignore":
                    yield node
            case tree.Name() | tree.Attr():
                for value in self._values(node):
                    yield from self._writers(value, depth + 1)

    def _listed(self, node: tree.Node | None, depth: int) -> Iterator[tree.Node]:
        """What gives a writer its columns, callers included."""
        names = self.program.names
        if node is None or depth > _MAX_DEPTH:
            return
        given = []
        if isinstance(node, tree.Name):
            found = names.bindings_of(node)
            given = [value for binding in found for value in self.program.calls.passed_to(binding)]
        for value in given:
            yield from self._listed(value, depth + 1)
        if not given:
            yield node

    def _values(self, node: tree.Name | tree.Attr) -> Iterator[tree.Node]:
        program = self.program
        if isinstance(node, tree.Attr):
            home = program.names.function_of(node)
            owner = home.owner if home is not None else None
            stores = owner.stores.get(node.name, ()) if owner is not None else ()
            yield from (store.value for store in stores if store.value is not None)
            return
        for binding in program.names.bindings_of(node):
            if binding.kind in ("assign", "with") and binding.value is not None:
                yield binding.value
            yield from program.calls.passed_to(binding)

    # --- the columns ---

    def _extend(
        self,
        display: tree.Sequence,
        binding: Binding | None,
        writer: tree.Call,
        gains: Sequence[Gain],
    ) -> None:
        names = [tree.text(item) for item in display.items]
        module = self.program.names.module_of(display)
        if self.mends.adds_to(display):
            return
        shown = list(self._shown(writer, names))
        alone = None not in names and self._is_for_this_alone(binding)
        for gain in {gain.key: gain for gain in gains if gain.key not in names}.values():
            for node in shown:
                self.mends.obstacle(gain.knot, node, _SHOWN.format(gain.key))
            if alone and not shown:
                gained = gain.knot, gain.scope
                self.mends.expected.element(module, display, names, gained, values=False)
            if not alone or not (shown or self.mends.adds_to(display)):
                self.mends.obstacle(gain.knot, display, _REASON.format(gain.key))

    def _is_for_this_alone(self, binding: Binding | None) -> bool:
        """Whether a name is there for the columns of such writers alone."""
        if binding is None:
            return True
        columns = {
            id(node)
            for writer, _ in self._gains.values()
            for node in self._listed(_columns(writer), 0)
        }
        uses = NamedFields(self.mends).uses(binding)
        return all(id(node) in columns for node in uses)

    # --- tests ---

    def _shown(self, writer: tree.Call, names: Sequence[str | None]) -> Iterator[tree.Node]:
        """What tests that run a writer say of whole lines."""
        program = self.program
        writing = program.names.function_of(writer)
        for module in program.names.judged() if writing is not None else ():
            tests = [f for f in module.functions if module.is_test and not module.generated]
            for test in tests:
                if writing in self.mends.testing.reach.of(test):
                    yield from self._lines(test, names)

    def _lines(self, test: Function, names: Sequence[str | None]) -> Iterator[tree.Node]:
        for node in self.program.names.inside(test):
            match node:
                case tree.Const(value=str() as text) if _is_line(text, len(names)):
                    yield node
                case tree.Sequence() if len(node.items) == len(names) and all(
                    isinstance(item, tree.Const) for item in node.items
                ):
                    yield node
                case tree.DictDisplay() if {*map(tree.text, _keys(node))} == {*names}:
                    yield node
                case tree.Subscript(base=base) if _is_split(base) and (
                    tree.integer(node.index) is not None
                ):
                    yield node


def _keys(node: tree.DictDisplay) -> list[tree.Node]:
    return [key for key in node.keys if key is not None]


def _is_split(node: tree.Node) -> bool:
    """Whether an expression is a line that is taken apart: `rows[1]`, `line.split(",")`."""
    return isinstance(node, tree.Subscript) or (
        isinstance(node, tree.Call) and last_name(node.func) == "split"
    )


def _is_line(text: str, width: int) -> bool:
    """Whether a text has a line of so many columns."""
    return width > 1 and any(
        line.count(mark) == width - 1 for line in text.splitlines() for mark in ",;\t|"
    )


def _columns(writer: tree.Call) -> tree.Node | None:
    """The columns that a writer is made with."""
    named = [a.value for a in writer.args if a.keyword == "fieldnames"]
    plain = writer.plain
    return next(iter((*named, *plain[1:2])), None)
