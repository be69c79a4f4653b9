"""Texts that tests give to what takes keys apart, and that look like none of the keys which change:
`with pytest.raises(ValueError): parse("A#b#C#d")`. They may have as many parts as a key, or more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.literals import plain_literal
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Want
from capsule_lint.plan.testing.quoted import Quoted
from capsule_lint.program.calling.fixtures import parametrized
from capsule_lint.program.local_names import behind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.plan.taken_apart.reads import Reader
    from capsule_lint.plan.taken_apart.shifts import Split

_UNPLACED: Final = "has as many parts as a key had that is taken apart here"
_ASKED: Final = (
    "has as many parts as a key had that is taken apart, and is asked for something else as well"
)


class Misshapen(MendRoom, Struct, frozen=True):
    """Gives them the parts that keys get: what is wrong with them, if anything is, stays all that is."""

    mends: Mends

    def build(self) -> None:
        """Look at all that tests give to whatever unpacks a key that changes."""
        testing = self.mends.testing
        found: dict[int, tuple[tree.Const, list[Reader]]] = {}
        given = set[int]()
        for reader in self.planner.readers.found:
            if reader.unpacked is not None and isinstance(reader.node, tree.Sequence):
                for argument, text in self._given(reader.unpacked):
                    given.add(id(argument))
                    if id(text) not in testing.updated:
                        found.setdefault(id(text), (text, []))[1].append(reader)
        changed: list[tuple[tree.Node, str, Knot]] = []
        for text, readers in found.values():
            codes = {c: reader for reader in readers if (c := self._lengthened(text, reader))}
            if len(codes) == 1 and self._is_only_given(text, given):
                [(code, reader)] = codes.items()
                testing.updated[id(text)] = []
                changed.append((text, code, reader.knot))
                filename = self.program.names.module_of(text).filename
                self.mends.add(reader.knot, Replace(filename, text.span, "CAP108", code))
            elif codes and (fitting := [one for one in readers if _may_fit(text, one)]):
                self.mends.obstacle(fitting[0].knot, text, _ASKED)
        Quoted(testing).update(changed)

    def _is_only_given(self, node: tree.Const, given: set[int]) -> bool:
        """Whether a text is read only where it is given to what unpacks it, or is said again as it is."""
        places = self.mends.testing.places
        return all(
            id(one) in given or places.is_part(one) or places.is_said(one)
            for one in places.shared.stands(node)
        )

    def _given(self, split: Split) -> Iterator[tuple[tree.Node, tree.Const]]:
        """What tests give for the parameter that is taken apart, and the texts that this is."""
        names = self.program.names
        bindings = names.bindings_of(split.key) if isinstance(split.key, tree.Name) else ()
        for given in (one for b in bindings for one in self.program.calls.passed_to(b)):
            for text in (behind(names, given), *self._rows(given)):
                if isinstance(text, tree.Const) and names.module_of(text).is_test:
                    yield given, text

    def _rows(self, given: tree.Node) -> Sequence[tree.Node]:
        """What `parametrize` gives a test for a parameter."""
        function = self.program.names.function_of(given)
        if function is None or not isinstance(given, tree.Name):
            return ()
        return parametrized(function, given.id) or ()

    def _lengthened(self, node: tree.Const, reader: Reader) -> str | None:
        """The code of a text with so many parts more as keys get; `None` where it has fewer than a key had."""
        text, shift = tree.text(node), reader.shift
        assert isinstance(reader.node, tree.Sequence)
        assert reader.unpacked is not None
        separator = reader.unpacked.separator
        if text is None or text.count(separator) + 1 < len(reader.node.items):
            return None
        module, parts = self.program.names.module_of(node), text.split(separator)
        known = plain_literal(self.mends.source(module, node.span))
        added: list[str] = []
        for scope, tag in zip(shift.scopes, shift.tags, strict=True):
            value = self.planner.sources.find(scope, node)
            want = Want(scope, node, reader.knot, "key")
            said = self.mends.testing.segments.known(value, want) if value is not None else None
            added += f"{tag}{said}".split(separator) if said is not None else ()
        if known is None or known.body != text or len(added) != shift.by:
            self.mends.obstacle(reader.knot, node, _UNPLACED)
            return None
        body = separator.join((*parts[: shift.start], *added, *parts[shift.start :]))
        return known.code(body, formatted=known.formatted)


def _may_fit(node: tree.Const, reader: Reader) -> bool:
    """Whether a text has as many parts as what takes it apart asks for, before the change or after it."""
    text, split, items = tree.text(node), reader.unpacked, reader.node.below()
    if text is None or split is None or split.limit >= 0 or split.prefix:
        return True
    if split.second_from is not None or any(tree.spread(one) is not None for one in items):
        return True
    parts = text.count(split.separator) + 1
    return parts in (len(items), len(items) + reader.shift.by)
