"""Texts of tests that are no keys, and have as many parts as what takes keys apart expects:
`with pytest.raises(ValueError): parse("A#b#C#d")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Want
from capsule_lint.program.calling.fixtures import parametrized
from capsule_lint.program.local_names import behind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.taken_apart.reads import Reader
    from capsule_lint.plan.taken_apart.shifts import Split

_UNPLACED: Final = "has as many parts as a key had that is taken apart here"


class Misshapen(MendRoom, Struct, frozen=True):
    """Gives them as many parts as keys get: what else is wrong with them stays all that is."""

    mends: Mends

    def build(self) -> None:
        """Look at all that tests give to whatever unpacks a key that changes."""
        for reader in self.planner.readers.found:
            split = reader.unpacked
            if split is not None and isinstance(reader.node, tree.Sequence):
                for node in self._given(split):
                    if id(node) not in self.mends.testing.updated:
                        self._lengthen(node, reader, split.separator)

    def _given(self, split: Split) -> Iterator[tree.Const]:
        """The texts that tests give for the parameter that is taken apart."""
        names = self.program.names
        bindings = names.bindings_of(split.key) if isinstance(split.key, tree.Name) else ()
        for given in (one for b in bindings for one in self.program.calls.passed_to(b)):
            for text in (behind(names, given), *self._rows(given)):
                if isinstance(text, tree.Const) and names.module_of(text).is_test:
                    yield text

    def _rows(self, given: tree.Node) -> Sequence[tree.Node]:
        """What `parametrize` gives a test for a parameter."""
        function = self.program.names.function_of(given)
        if function is None or not isinstance(given, tree.Name):
            return ()
        return parametrized(function, given.id) or ()

    def _lengthen(self, node: tree.Const, reader: Reader, separator: str) -> None:
        text, shift = tree.text(node), reader.shift
        assert isinstance(reader.node, tree.Sequence)
        if text is None or text.count(separator) + 1 != len(reader.node.items):
            return
        module, parts = self.program.names.module_of(node), text.split(separator)
        known = plain_literal(self.mends.source(module, node.span))
        added: list[str] = []
        for scope, tag in zip(shift.scopes, shift.tags, strict=True):
            value = self.planner.sources.find(scope, node)
            want = Want(scope, node, reader.knot, "key")
            said = self.mends.testing.known(value, want) if value is not None else None
            added += f"{tag}{said}".split(separator) if said is not None else ()
        if known is None or known.body != text or len(added) != shift.by:
            self.mends.obstacle(reader.knot, node, _UNPLACED)
            return
        body = separator.join((*parts[: shift.start], *added, *parts[shift.start :]))
        code = known.code(body, formatted=known.formatted)
        self.mends.add_once(reader.knot, Replace(module.filename, node.span, "CAP108", code))
