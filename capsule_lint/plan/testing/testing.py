"""Whole keys that tests write out: they change as what makes them does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.keys.fitting import Fitting
from capsule_lint.plan.keys.longer import Longer
from capsule_lint.plan.keys.spelled import (
    HOLE,
    Form,
    Forms,
    embedded,
    first_and_rest,
    literal_text,
)
from capsule_lint.plan.reach import Reach
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Want
from capsule_lint.plan.testing.asked_alone import AskedAlone
from capsule_lint.plan.testing.begun import Begun
from capsule_lint.plan.testing.composed import BOTH, Composed
from capsule_lint.plan.testing.literal_places import LiteralPlaces
from capsule_lint.plan.testing.quoted import Quoted
from capsule_lint.plan.testing.row_keys import RowKeys
from capsule_lint.plan.testing.segment_texts import SegmentTexts
from capsule_lint.plan.testing.staying import Staying
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.program.model import Function, Module


@dataclass(eq=False, slots=True)
class Testing(MendRoom):
    """Updates such keys."""

    mends: Mends
    reach: Reach = field(init=False)
    places: LiteralPlaces = field(init=False)
    staying: Staying = field(init=False)
    composed: Composed = field(init=False)
    segments: SegmentTexts = field(init=False)
    updated: dict[int, list[Form]] = field(default_factory=dict)
    """How the keys look that are spelled out, by the expressions that are."""
    changed: list[tuple[tree.Node, str, Knot]] = field(default_factory=list)
    """These, and the code that they become."""
    _forms: Fitting | None = None
    _whole: Fitting | None = None

    def __post_init__(self) -> None:
        self.reach = Reach(self.program)
        shared, rows = self.planner.sources.shared, RowKeys(self.program)
        self.places = LiteralPlaces(self.program, self.reach, shared, rows)
        self.staying = Staying(self.mends, self.places)
        self.composed = Composed(self)
        self.segments = SegmentTexts(self.mends, self.places)

    def keys(self) -> None:
        """Update the keys that tests spell out, where they belong to a changed template."""
        defects = self._defects()
        if not defects:
            return
        parts = {_longest_text(d) for d in defects}
        literals = [
            one
            for one in (*self._literals(parts), *self._words(defects))
            if not self.is_whole(one[-1])
        ]
        composed = [pair for pair in self.composed.texts(parts) if not self.is_whole(pair[1])]
        if not ((literals or composed) and self.forms()):
            Begun(self).update(defects)
            return
        inside = [
            (form, regex)
            for form in self.forms().all
            if len(form.defects) == 1 and form.provable
            if (regex := embedded(form.defects[0].template.pieces)) is not None
        ]
        shapes = Forms(self.program)
        loose = [(d, regex) for d in defects if (regex := shapes.loose(d))]
        seen: set[int] = set()
        for module, node, text in literals:
            possible, chosen = self._fitting(node, text)
            seen.update([id(node)] if possible else [])
            if chosen:
                self.update(module, node, self._joined(node, chosen, defects))
            elif not possible:
                if not self.staying.is_right(text):
                    self._look_through(module, node, text, loose)
                self._look_inside(node, text, inside)
                if HOLE in text and not self.staying.is_at(node, text, self.forms().all):
                    self._look_behind(module, node, text, defects)
        for node, text in [pair for pair in composed if id(pair[0]) not in seen]:
            _, chosen = self._fitting(node, text)
            if chosen:
                self.composed.update(node, self._joined(node, chosen, defects))
        Quoted(self).update(self.changed)
        Begun(self).update(defects)

    def examples(self) -> None:
        """Note the examples of docstrings that spell out such keys, once it is known what changes."""
        if defects := self._defects():
            Quoted(self).note_examples(defects)

    def forms(self) -> Fitting:
        """How all keys look that change, and the texts of the program that have such keys in them: the most telling
        first."""
        if self._forms is None:
            defects, shapes = self._defects(), Forms(self.program)
            direct = filter(None, map(shapes.direct, defects))
            found = [*direct, *Longer(self.program, defects).forms()]
            self._forms = Fitting(sorted(found, key=lambda form: -form.weight))
        return self._forms

    def is_whole(self, text: str) -> bool:
        """Whether a text is a key that changes as that is going to be: whoever has written it has left the code for
        last."""
        if self._whole is None:
            self._whole = Fitting(self.forms().all, Form.whole)
        return self._whole.any(text)

    def _defects(self) -> list[KeyDefect]:
        return [d for d in self.planner.defects if not d.module.is_test]

    def _fitting(self, node: tree.Node, text: str) -> tuple[list[Form], list[Form]]:
        """The forms that a key which is spelled out may have, and those that it has."""
        possible, chosen = self._likely(node, text)
        if chosen and self.staying.is_of_others(node, possible):
            self.mends.obstacle(self.tie(possible), node, "may spell out a key that changes")
            chosen = []
        return possible, chosen

    def _likely(self, node: tree.Node, text: str) -> tuple[list[Form], list[Form]]:
        """The same, without a look at what else may make such a text."""
        possible = self.forms().of(text)
        places = self.places.shared.stands(node) if possible else ()
        told = AskedAlone(self).tells
        stays = [
            self.staying.is_at(place, text, possible) or told(place, text, possible)
            for place in places
        ]
        if any(stays):
            if not all(stays) or any(map(self.places.is_both, places)):
                self.mends.obstacle(self.tie(possible), node, BOTH)
            return possible, []
        if possible and (only := self.places.only_by(node)) is not None:
            possible = [form for form in possible if form.functions & only]
        made_by = self.places.compared_with(node) if possible else set()
        meant = [form for form in possible if form.functions & made_by]
        if not meant and possible and all(form.bare for form in possible):
            made = self.places.run_beside(node) if self.places.is_key(node) else set()
            made = made or self.places.taken_out_of(node)
            meant = [form for form in possible if form.functions & made]
            if not meant:
                self._note_bare(node, text, possible)
            possible = meant  # many other texts look like that
        if self.places.is_sort_key(node):
            # most of their templates are not judged, and may look alike
            possible = meant or self.staying.sorting(possible)
        possible = [form for form in possible if not form.bare] or possible
        is_right = not meant and self.staying.is_right(text)
        if is_right and possible:
            ways = (self.staying.of_row, self.staying.of_objects)
            meant = next(filter(None, (of(node, text, possible) for of in ways)), [])
        if not meant and (is_right or self._is_other(node, text, possible)):
            return possible, []
        if (
            not meant
            and (is_nobodys := self.staying.is_nobodys(node, text, possible)) is not False
        ):
            if is_nobodys is None:
                self.mends.obstacle(self.tie(possible), node, "may spell out a key that changes")
            return possible, []
        return possible, meant or (self._made(node, possible) if possible else [])

    def _is_other(self, node: tree.Node, text: str, possible: Sequence[Form]) -> bool:
        """Whether what a test runs makes texts that look like a key, and stay; where it makes such keys as well, a person
        has to look."""
        running = self.places.running(node) if possible and not self.places.is_key(node) else ()
        if not self.staying.is_written(text, running):
            return False
        if made := [form for form in possible if not form.functions.isdisjoint(running)]:
            self.mends.obstacle(self.tie(made), node, BOTH)
        return True

    def _note_bare(self, node: tree.Node, text: str, possible: Sequence[Form]) -> None:
        """A text that looks like a key without words: a person has to look where it says whose it is, as the test does
        that makes such keys, and nothing tells what it is compared with."""
        told = any(self.places.expecting(node)) and not self.places.is_named(node)
        if not told and not self.places.is_looped(node):
            return
        running = self.places.run_beside(node)
        for form in (one for one in possible if one.functions & running):
            if self._says_whose(node, text, form):
                reason = "may spell out a key that changes"
                self.mends.obstacle(form.defects[0].knot, node, reason)
                return

    def _says_whose(self, node: tree.Node, text: str, form: Form) -> bool:
        """Whether a key has beside a gap the value that the test gives for another scope."""
        for gap in form.gaps:
            found = form.regex.fullmatch(text)
            at = found.end(gap.group) if found is not None else 0
            for scope in self.program.policy.scopes:
                if scope in gap.defect.missing:
                    continue
                value = self.planner.sources.for_key(scope, node, self.places.beside(node))
                want = Want(scope, node, gap.defect.knot, "key")
                known = self.segments.known(value, want) if value is not None else None
                if known and (text[at:].startswith(known) if gap.front else text[:at] == known):
                    return True
        return False

    def _joined(
        self, node: tree.Node, forms: list[Form], defects: Sequence[KeyDefect]
    ) -> list[Form]:
        """The forms of a key; what it is compared with changes with them."""
        made_by = self.places.compared_with(node)
        if not any(form.functions & made_by for form in forms):
            for other in [d for d in defects if d.function in made_by]:
                # It says what the key of another template begins with.
                self.state.groups.join(forms[0].defects[0].knot, other.knot)
        return forms

    def _made(self, node: tree.Node, possible: list[Form]) -> list[Form]:
        """Those of several forms whose texts the test makes, as far as that is known."""
        running = self.places.running(node) if len(possible) > 1 else set()
        return [form for form in possible if form.functions & running] or possible

    def _literals(self, parts: set[str]) -> Iterator[tuple[Module, tree.Node, str]]:
        """The texts in tests that have one of these parts of keys in them."""
        for module in self.program.names.modules.values():
            if not module.is_test:
                continue
            for node in module.every(tree.Const, tree.FString, tree.Binary):
                first, rest = first_and_rest(node)
                text = literal_text(first)
                if text is not None and not self.places.is_part(node):
                    text += rest
                    if any(part in text for part in parts):
                        yield module, node, text

    def _words(self, defects: Sequence[KeyDefect]) -> Iterator[tuple[Module, tree.Node, str]]:
        """Keys that are a word, `"SETTINGS"`, as many other texts are: where a key stands, or a row's first part in
        a test that runs what makes it."""
        made: dict[str, set[Function]] = {}
        for defect in defects:
            pieces = defect.template.pieces
            text = "".join(p.value if isinstance(p, Text) else HOLE for p in pieces)
            if text.isidentifier():
                functions = made.setdefault(text, set())
                functions.update(defect.makers, (f for f in (defect.function,) if f is not None))
        for module in self.program.names.modules.values():
            if made and module.is_test and not module.generated:
                for node in module.each(tree.Const):
                    text = tree.text(node) or ""
                    if text in made and self.places.is_key(node, made[text]):
                        yield module, node, text

    def _look_inside(
        self, node: tree.Node, text: str, inside: list[tuple[Form, re.Pattern[str]]]
    ) -> None:
        """A longer text that a test expects, with a key in it: where that is whole, and all of it known, it changes."""
        found = [(form, regex) for form, regex in inside if regex.search(text)]
        if found and self.staying.is_at(node, text, [form for form, _ in found]):
            return  # also a sort key that has the text of a key in it
        for place in self.places.expecting(node) if found else ():
            running = self.places.running(place)
            made = [(form, regex) for form, regex in found if form.functions & running]
            if made:
                Quoted(self).fill(node, made)
                return

    def _look_through(
        self,
        module: Module,
        node: tree.Node,
        text: str,
        loose: list[tuple[KeyDefect, re.Pattern[str]]],
    ) -> None:
        """A text that looks like a key of which one part is made in a way that is not known: a person has to
        look where that may hide what the text lacks."""
        found = [defect for defect, regex in loose if regex.fullmatch(text)]
        running = self.places.running(node) if found else set()
        made = [defect for defect in found if defect.function in running]
        if made and not self.fill_behind(module, node, text, made):
            self.mends.obstacle(made[0].knot, node, "may spell out a key that changes")

    def fill_behind(
        self, module: Module, node: tree.Node, text: str, made: Sequence[KeyDefect]
    ) -> bool:
        """Update a key one part of which is made in a way that is not known, where all that it lacks comes before
        that; whether it could be done."""
        shapes = Forms(self.program)
        forms = [form for defect in made if (form := shapes.wild(defect)) is not None]
        lacks = not any(gap.tag in text for form in forms for gap in form.gaps)
        codes = {self.segments.filled(module, node, form) for form in forms} if lacks else set()
        if len(forms) != len(made) or len(codes) != 1:
            return False
        self.update(module, node, forms)
        return True

    def _look_behind(
        self, module: Module, node: tree.Node, text: str, defects: Sequence[KeyDefect]
    ) -> None:
        """A text that looks like a key of which the test fills in a word: `f"TENANT#t#{kind}#1"`."""
        masked = filter(None, map(Forms(self.program).masked, defects))
        found = [form for form in masked if form.regex.fullmatch(text)]
        running = self.places.running(node) if found else set()
        made = [form for form in found if form.functions & running]
        made = made or (found if self.places.is_key(node) else [])
        if len({self.segments.filled(module, node, form) for form in made}) == 1:
            self.update(module, node, made)
        elif made:
            self.mends.obstacle(made[0].defects[0].knot, node, "may spell out a key that changes")

    def update(self, module: Module, node: tree.Node, forms: list[Form]) -> None:
        """Put the segments that keys lack into a literal; where several forms fit, all of them change together."""
        form, knot = forms[0], self.tie(forms)
        may = form.provable and not module.generated
        changed = self.segments.filled(module, node, form) if may else None
        if changed is None and may and isinstance(node, tree.Binary):
            self.composed.update(node, forms)  # another operand may say where the segment comes
        elif changed is None:
            self.mends.spelled(knot, node, [gap.scope for gap in form.gaps])
        else:
            span = first_and_rest(node)[0].span
            self.mends.add(knot, Replace(module.filename, span, "CAP104", changed))
            self.updated[id(node)] = forms
            self.changed.append((node, changed, knot))

    def tie(self, forms: Iterable[Form]) -> Knot:
        """The change set in which all templates change that keys of some forms come from."""
        knot, *others = [defect.knot for form in forms for defect in form.defects]
        for other in others:
            self.state.groups.join(knot, other)
        return knot


def _longest_text(defect: KeyDefect) -> str:
    """A text that all keys of a template have in them."""
    texts = (p.value for p in defect.template.pieces if isinstance(p, Text))
    return max(texts, key=len, default="")
