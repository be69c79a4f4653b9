"""Keys of which a test spells out the beginning, and puts the rest there as a value, or as several:
`f"TENANT#t#{suffix}"`, `"#".join(["TENANT", "t", *rest])`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.keys.spelled import HOLE, Forms, literal_text, pattern
from capsule_lint.plan.reach import returning
from capsule_lint.program.texts.pieces import Filled, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.keys.spelled import Form
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.plan.testing.testing import Testing
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Module


class Beginning(Struct, frozen=True):
    """The form of keys that begin so, whatever comes then, and what they begin with."""

    form: Form
    start: re.Pattern[str]


class Begun(Struct, frozen=True):
    """Updates them, where all keys of the program that begin like that change."""

    testing: Testing

    @property
    def _program(self) -> Program:
        return self.testing.mends.program

    def update(self, defects: Sequence[KeyDefect]) -> None:
        """Put the segments behind the beginnings; where some keys stay as they are, a person decides."""
        known: list[Beginning] | None = None
        for module in self._program.names.modules.values():
            for node, text in self._texts(module):
                known = list(self._beginnings(defects)) if known is None else known
                self._judge(node, text, known)

    def _texts(self, module: Module) -> Iterator[tuple[tree.Node, str]]:
        """The texts of a test of which a value is a part that is not the first one."""
        judged = module.is_test and not module.generated
        for node in module.every(tree.FString, tree.Binary, tree.Call) if judged else ():
            text = literal_text(node) or ""
            if not text or text.startswith(HOLE):
                text = self.testing.composed.text(node)
            if HOLE in text and not text.startswith(HOLE):
                yield node, text

    def _judge(self, node: tree.Node, text: str, known: Sequence[Beginning]) -> None:
        fits = [one for one in known if one.form.regex.fullmatch(text)]
        running = self._running(node) if fits else set()
        made = [one for one in fits if one.form.functions & running]
        meant = made or self._taken_apart(node, fits, running)
        updated = self.testing.updated.get(id(node), [])
        is_whole = self.testing.forms().any(text)
        if not meant or (is_whole and not updated):
            return
        if self._is_of_others(node, meant) or any(
            meant[0].start.match(other) for other in self._staying()
        ):
            reason = "may spell out a key that changes"
            self.testing.mends.obstacle(meant[0].form.defects[0].knot, node, reason)
        elif updated:
            self.testing.tie([*updated, *(one.form for one in meant)])
        else:
            self.testing.composed.update(node, [one.form for one in meant])

    def _taken_apart(
        self, node: tree.Node, fits: Sequence[Beginning], running: set[Function]
    ) -> Sequence[Beginning]:
        """What may be meant where the test makes no such key, but runs what takes them apart by position."""
        planner, names = self.testing.mends.planner, self._program.names
        readers = [r for r in planner.readers.found if names.function_of(r.node) in running]
        if not readers or not self.testing.places.is_key(node):
            return ()
        for reader in readers:
            planner.state.groups.join(fits[0].form.defects[0].knot, reader.knot)
        return fits

    def _running(self, node: tree.Node) -> set[Function]:
        """What makes the keys of the test around an expression that is a key, or is compared with one."""
        places = self.testing.places
        if places.is_key(node):
            return places.running(node)
        return places.compared_with(node) | returning(self._program, *self._handed(node))

    def _is_of_others(self, node: tree.Node, meant: Sequence[Beginning]) -> bool:
        """Whether a helper is also given what none of the keys is that change."""
        made = {function for one in meant for function in one.form.functions}
        return any(made.isdisjoint(returning(self._program, one)) for one in self._handed(node))

    def _handed(self, node: tree.Node) -> Iterator[tree.Node]:
        """What the callers of a helper give it that it compares with an expression: `key == …`, `key.startswith(…)`."""
        names, sides = self._program.names, self.testing.places.sides(node)
        match names.parent(node):
            case tree.Call(func=tree.Attr(name="startswith", base=base)):
                sides = [base]
        for side in sides:
            for binding in names.bindings_of(side) if isinstance(side, tree.Name) else ():
                yield from self._program.calls.passed_to(binding)

    def _beginnings(self, defects: Sequence[KeyDefect]) -> Iterator[Beginning]:
        """How keys that change look up to where the segments come, or up to the value that they come before."""
        shapes = Forms(self._program)
        for defect in defects:
            form, pieces = shapes.direct(defect), defect.template.pieces
            groups = (
                {(gap.group, gap.front, gap.separator) for gap in form.gaps} if form else set()
            )
            if form is None or form.bare or not form.provable or len(groups) != 1:
                continue
            group, front, separator = groups.pop()
            number = end = int(group.removeprefix("at_"))
            if front:
                values = (
                    n for n, one in enumerate(pieces) if n >= number and isinstance(one, Filled)
                )
                end = next(values, len(pieces)) + 1
            if end < len(pieces):
                begun = pattern(pieces[:end], {number}, shapes.between(pieces)).pattern
                start = begun + re.escape(separator)
                whole = re.compile(f"{start}{re.escape(HOLE)}.*", re.DOTALL)
                yield Beginning(replace(form, regex=whole), re.compile(start, re.DOTALL))

    def _staying(self) -> Iterator[str]:
        """The keys of the program that do not change, with a mark for each value."""
        planner = self.testing.mends.planner
        changed = {id(d.template.host) for d in planner.defects}
        for site in planner.program.keys.sites:
            pieces = site.template.pieces
            if not site.module.is_test and not any(id(p.host) in changed for p in pieces):
                yield "".join(p.value if isinstance(p, Text) else HOLE for p in pieces)
