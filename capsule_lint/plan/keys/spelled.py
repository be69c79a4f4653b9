"""Keys that are spelled out: what keys of a changed template look like, and where segments come into them."""

from __future__ import annotations

import re
from collections import defaultdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.keys.left_out import ANY, added, left_out
from capsule_lint.plan.supply.literals import Literals
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.texts.marks import mark_behind
from capsule_lint.program.texts.pieces import Filled, Text, bare_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function
    from capsule_lint.program.texts.pieces import Piece

HOLE: Final = "\x00"
"""What stands for a hole in the text of an f-string."""
_NEVER: Final = "(?!)"
_MARKS: Final = "#|/:"
_END: Final = r"""[^\s#"'`<>()\[\]{},;"""


class Gap(Struct, frozen=True):
    """A segment that keys of a form lack: at which group of the form's pattern, before or behind what
    stands there, and the template's own separator."""

    scope: Scope
    defect: KeyDefect
    group: str
    front: bool
    separator: str
    tag: str


class Form(Struct, frozen=True):
    """How keys of a template look, or texts that have such keys in them, and what they lack."""

    regex: re.Pattern[str]
    defects: tuple[KeyDefect, ...]
    gaps: tuple[Gap, ...]
    function: Function | None
    """The function that makes them."""
    pieces: tuple[Piece, ...]
    weight: int
    provable: bool = True
    """Whether the place of each gap is known."""
    bare: bool = False
    """Whether nothing but marks stands between values: many other texts look like that."""

    @property
    def functions(self) -> set[Function]:
        """The functions in which such a text, or the key in it, is made."""
        made = {defect.function for defect in self.defects} | {self.function}
        made = made.union(*(defect.makers for defect in self.defects))
        return {function for function in made if function is not None}

    def whole(self) -> re.Pattern[str]:
        """How its keys look once they have the segments that they lack; nothing does where a segment has no tag that
        tells it from other values."""
        lacking: defaultdict[str, str] = defaultdict(str)
        for gap in self.gaps:
            mark = re.escape(gap.separator)
            segment = f"{re.escape(gap.tag)}[^#{mark}]+?"
            lacking[gap.group] += segment + mark if gap.front else mark + segment
        said = self.regex.pattern
        for group, segments in lacking.items():
            said = said.replace(f"(?P<{group}>)", segments)
        tells = self.provable and all(re.search(r"\w", gap.tag) for gap in self.gaps)
        return re.compile(said if tells and lacking else _NEVER, re.DOTALL)


class Forms(Struct, frozen=True):
    """Makes forms of templates."""

    program: Program

    def direct(self, defect: KeyDefect) -> Form | None:
        """The keys of a changed template."""
        return self.of(defect.template.pieces, (defect,), defect.function)

    def masked(self, defect: KeyDefect) -> Form | None:
        """The same where something fills in their words, those of scopes aside: `f"TENANT#t#{kind}#1"`."""
        tags = {bare_word(scope.tag) for scope in self.program.policy.scopes}
        pieces: list[Piece] = []
        told = False
        for piece in defect.template.pieces:
            if not isinstance(piece, Text):
                pieces.append(piece)
                continue
            shown = ""
            for part in re.split(r"([^\W_]\w*)", piece.value):
                if not part[:1].isalnum() or part in tags:
                    shown, told = shown + part, told or part in tags
                    continue
                pieces += [replace(piece, value=shown)] if shown else []
                pieces.append(Filled(piece.node, piece.host, ""))
                shown = ""
            pieces += [replace(piece, value=shown)] if shown else []
        return self.of(pieces, (defect,), defect.function) if told else None

    def loose(self, defect: KeyDefect) -> re.Pattern[str] | None:
        """Where parts of the keys are made in a way that is not known, or values may have in them what
        separates the parts, what the keys may look like."""
        pieces = defect.template.pieces
        if not has_words(pieces):
            return None
        unknown = [self._is_unknown(piece) for piece in pieces]
        if _unplain({defect.mark(scope) for scope in defect.missing} | self.between(pieces)):
            tags = "|".join(re.escape(defect.tag(scope)) for scope in defect.missing)
            parts = (re.escape(p.value) if isinstance(p, Text) else ".+?" for p in pieces)
            return re.compile(f"(?!.*(?:{tags}))" + "".join(parts), re.DOTALL)
        if not any(unknown):
            return None
        known = "[^#]+?"
        parts = (
            re.escape(p.value) if isinstance(p, Text) else ".+?" if one else known
            for p, one in zip(pieces, unknown, strict=True)
        )
        return re.compile("".join(parts), re.DOTALL)

    def wild(self, defect: KeyDefect) -> Form | None:
        """The keys of a changed template whose parts that are made in a way that is not known all stand behind
        the segments that are lacking; `None` for others."""
        pieces = defect.template.pieces
        unknown = {n for n, piece in enumerate(pieces) if self._is_unknown(piece)}
        form = self.of(pieces, (defect,), defect.function, wild=unknown)
        gaps = [self._gap(pieces, defect, scope) for scope in defect.missing]
        if form is None or form.bare or not unknown or not form.provable:
            return None
        return form if all(at is not None and 0 < at < min(unknown) for at in gaps) else None

    def _is_unknown(self, piece: Piece) -> bool:
        """Whether a part is made by a function of the program's whose text is not known, here or where a caller
        gives it, or is several parts there: `partition(tenant_id, f"TEAM#{team_id}")`; or may have marks in it,
        as it is rid of some: `path.strip("/")`."""
        if not isinstance(piece, Filled):
            return False
        seen = {id(piece.value)}
        queue = [piece.value]
        while queue:
            value = queue.pop()
            if self._may_be_several(value, is_given=value is not piece.value):
                return True
            for given in self._given(value):
                queue += [given] if id(given) not in seen else []
                seen.add(id(given))
        return False

    def _given(self, value: tree.Node) -> Iterator[tree.Node]:
        """What callers give for a parameter, or what a local is assigned."""
        binding = bound_whole(self.program.names, value)
        if binding is not None:
            yield from (binding.assigned,) if binding.assigned is not None else ()
            yield from self.program.calls.passed_to(binding)

    def _may_be_several(self, value: tree.Node, *, is_given: bool) -> bool:
        match value:
            case tree.Boolean():
                return any(self._may_be_several(v, is_given=is_given) for v in value.values)
            case tree.Conditional():
                return self._has_marks((value.then, value.otherwise))
            case tree.Attr():
                return self._has_marks(self._of_properties(value))
            case tree.Call():
                said = (tree.text(argument.value) for argument in value.args)
                if any(text and not text.strip(_MARKS) for text in said):
                    return True
                callees = self.program.calls.callees(value)
                return any(
                    c.function is not None and not self._is_word(c.function) for c in callees
                )
            case _ if is_given:
                text = literal_text(value) or ""
                return any(mark in text.strip(_MARKS) for mark in _MARKS)
            case _:
                return False

    def _is_word(self, function: Function) -> bool:
        """Whether all that a function returns is written out, and is one part of a key."""
        said = list(map(Literals(self.program).of, function.returns))
        return bool(said) and not any(text is None or set(_MARKS) & set(text) for text in said)

    def _has_marks(self, values: Iterable[tree.Node]) -> bool:
        """Whether one of some texts has in it what separates the parts of a key."""
        made = map(self.program.templates.template, values)
        texts = [p.value for one in made if one for p in one.pieces if isinstance(p, Text)]
        return any(mark in text for text in texts for mark in _MARKS)

    def _of_properties(self, value: tree.Attr) -> Iterator[tree.Node]:
        """What the properties return that an attribute may be, those of heirs among them."""
        classes = self.program.classes
        bases = {t.cls for t in self.program.inference.of(value.base) if isinstance(t, Instance)}
        for cls in (heir for base in bases for heir in classes.subclasses(base)):
            method = classes.method(cls, value.name)
            if method is not None and method.is_property:
                yield from method.returns

    def local(self, defect: KeyDefect, marks: Callable[[Scope], tuple[str, str]]) -> Form | None:
        """The keys of a dict or cache that are texts; `marks` says what separates their parts, and
        which tag a scope has there."""
        found = self.of(defect.template.pieces, (defect,), defect.function, texts=False)
        if found is None:
            return None
        gaps = []
        for gap in found.gaps:
            separator, tag = marks(gap.scope)
            gaps.append(replace(gap, separator=separator, tag=tag))
        return replace(found, gaps=tuple(gaps))

    def of(
        self,
        pieces: Sequence[Piece],
        defects: Sequence[KeyDefect],
        function: Function | None,
        *,
        texts: bool = True,
        wild: AbstractSet[int] = frozenset(),
    ) -> Form | None:
        """The texts of some pieces that have the keys of changed templates in them; `None` where they say nothing."""
        bare = not has_words(pieces)
        if bare and texts and not any(isinstance(p, Text) for p in pieces):
            return None
        gaps: list[Gap] = []
        marks: set[int] = set()
        for defect in defects:
            for scope in defect.missing:
                at = self._gap(pieces, defect, scope)
                if at is not None:
                    group, front = f"at_{at}", defect.anchors[scope.name] is None
                    mark, tag = defect.mark(scope), defect.tag(scope)
                    gaps.append(Gap(scope, defect, group, front, mark, tag))
                    marks.add(at)
        weight = sum(len(p.value) for p in pieces if isinstance(p, Text))
        known = len(gaps) == sum(len(d.missing) for d in defects)
        between = self.between(pieces) | {gap.separator for gap in gaps}
        optional = left_out(self.program, pieces)
        unsure = [number for number, said in optional.items() if said == ANY]
        known = known and all(max(marks, default=0) <= number for number in unsure)
        regex = pattern(pieces, marks, between, wild, optional, added(self.program, pieces))
        return Form(
            regex, tuple(defects), tuple(gaps), function, tuple(pieces), weight, known, bare
        )

    def between(self, pieces: Sequence[Piece]) -> set[str]:
        """What separates the scopes of a template from the parts behind them."""
        segments = self.program.templates.segments(pieces)
        return {mark for s in segments if (mark := mark_behind(pieces, s.piece))}

    def _gap(self, pieces: Sequence[Piece], defect: KeyDefect, scope: Scope) -> int | None:
        """Before which piece the segment comes; `None` when that is inside of a text."""
        own = defect.template.pieces
        if defect.anchors[scope.name] is None:
            return next((n for n, p in enumerate(pieces) if p.host is own[0].host), None)
        held = (p for p in own if isinstance(p, Filled) and p.value is defect.anchors[scope.name])
        anchor = self._anchor(own, scope) or next(held, None)
        if anchor is None:
            return None
        for number, piece in enumerate(pieces):
            if (
                isinstance(piece, Filled)
                and piece.value is anchor.value
                and piece.host is anchor.host
                and piece.name == anchor.name
            ):
                return number + 1
        return None

    def _anchor(self, pieces: Sequence[Piece], scope: Scope) -> Filled | None:
        """The hole behind which a segment comes; `None` when it is written out."""
        order = [s.name for s in self.program.policy.scopes]
        before = [
            s
            for s in self.program.templates.segments(pieces)
            if order.index(s.scope) < order.index(scope.name)
        ]
        found = pieces[before[-1].piece] if before else None
        return found if isinstance(found, Filled) else None


def pattern(
    pieces: Sequence[Piece],
    marks: set[int],
    between: set[str],
    wild: AbstractSet[int] = frozenset(),
    optional: Mapping[int, str] = MappingProxyType({}),
    runs: Sequence[range] = (),
) -> re.Pattern[str]:
    """What texts of a template look like, no value of which, but for the `wild` and `optional` ones, has what
    stands between its parts; before each piece of `marks` an empty group stands. The pieces of `runs` may be missing."""

    used = {mark for p in pieces if isinstance(p, Text) for mark in _MARKS if mark in p.value}
    value = f"[^#{re.escape(''.join(sorted(used)))}]"
    apart = _unplain(between)
    value = f"(?:(?!{'|'.join(map(re.escape, apart))}){value})+?" if apart else f"{value}+?"
    return _compiled(pieces, marks, value, wild, optional, runs)


def has_words(pieces: Sequence[Piece]) -> bool:
    """Whether anything but marks stands between the values of a template."""
    return any(re.search(r"[^\W_]", p.value) for p in pieces if isinstance(p, Text))


def _unplain(between: set[str]) -> list[str]:
    """Those of some separators that may stand in a value as well."""
    return sorted(mark for mark in between if mark.strip(_MARKS))


def embedded(pieces: Sequence[Piece]) -> re.Pattern[str] | None:
    """Where keys of a template stand in a longer text; `None` when hardly anything tells them."""
    texts = [p.value for p in pieces if isinstance(p, Text) and re.search(r"\w", p.value)]
    if len(texts) < 2:
        return None
    inner = _compiled(pieces, set(), f"{_END}]+?").pattern
    return re.compile(rf"(?<![\w#|/:\-]){inner}(?![\w#|/:\-])", re.DOTALL)


def _compiled(
    pieces: Sequence[Piece],
    marks: set[int],
    value: str,
    wild: AbstractSet[int] = frozenset(),
    optional: Mapping[int, str] = MappingProxyType({}),
    runs: Sequence[range] = (),
) -> re.Pattern[str]:
    parts = []
    separator = ""
    missing = [run for run in runs if marks.isdisjoint(run[1:])]
    starts, ends = {run.start for run in missing}, {run.stop for run in missing}
    for number, piece in enumerate(pieces):
        parts.append(")?" if number in ends else "")
        if number in marks:
            parts.append(f"(?P<at_{number}>)")
        parts.append("(?:" if number in starts else "")
        if isinstance(piece, Text):
            behind = pieces[number + 1] if number + 1 < len(pieces) else None
            several = isinstance(behind, Filled) and behind.several and number + 1 not in marks
            text = piece.value[:-1] if several else piece.value
            separator = re.escape(piece.value[len(text) :])
            parts.append(re.escape(text))
        elif number in optional:
            parts.append(optional[number])
        elif piece.several:
            parts.append(f"(?:{separator}.+?)?")
        else:
            parts.append(".+?" if number in wild else value)
    parts.append(")?" if len(pieces) in ends else "")
    if len(pieces) in marks:
        parts.append(f"(?P<at_{len(pieces)}>)")
    return re.compile("".join(parts), re.DOTALL)


def text_in(node: tree.Node) -> str | None:
    """What a literal says, a mark for each hole of an f-string; `None` for anything else."""
    return literal_text(node) if isinstance(node, tree.FString) else tree.text(node)


def literal_text(node: tree.Node) -> str | None:
    """The text of a string literal that may be a key, a mark for each hole."""
    match node:
        case tree.Const(value=str() as value):
            return value if re.search(r"[\W_]", value) else None
        case tree.FString():
            text = "".join(p if isinstance(p, str) else HOLE for p in node.parts)
            return text if text != HOLE else None
        case _:
            return None


def first_and_rest(node: tree.Node) -> tuple[tree.Node, str]:
    """The literal that an expression begins with, and the text behind it: `"a#" + b` says `a#` and a hole."""
    match node:
        case tree.Binary(op="+"):
            first, rest = first_and_rest(node.left)
            said = tree.text(node.right)
            return first, rest + (literal_text(node.right) or (HOLE if said is None else said))
        case _:
            return node, ""
