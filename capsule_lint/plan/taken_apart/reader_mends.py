"""Mends of code that takes keys, or entities that are tuples, apart by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, Replace
from capsule_lint.plan.literals import literal, plain_literal
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Want
from capsule_lint.plan.taken_apart.patterns import code_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.entities.tuples import TupleReader
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.plan.taken_apart.cut_off import Cut
    from capsule_lint.plan.taken_apart.probes import Gap
    from capsule_lint.plan.taken_apart.reads import Reader, Unfit
    from capsule_lint.policy import Scope

_UNFIT: Final = "does not recognise the keys as they will be"


class ReaderMends(MendRoom, Struct, frozen=True):
    """Builds the mends of readers."""

    mends: Mends

    def build(self) -> None:
        """Add the mends; what cannot be mended makes its change set unsafe."""
        self._readers()
        self._fields()

    def _fields(self) -> None:
        """`tenant, vin = truck` and `truck[1]`, where the class of `truck` gets a field."""
        for reader in self.planner.tuples.found:
            filename = self.program.names.module_of(reader.node).filename
            knot: Knot = ("class", reader.layout.home)
            if reader.number is not None:
                text = str(reader.number)
                self.mends.add(knot, Replace(filename, reader.node.span, "CAP301", text))
            elif reader.anchor is not None:
                names = tuple(self._part(reader, scope) for scope in reader.scopes)
                before, after = (names, ()) if reader.before else ((), names)
                anchor = reader.anchor.span
                mend = AddElements(filename, reader.node.span, "CAP301", before, after, anchor)
                self.mends.add(knot, mend)
        spread = self.planner.tuples.spread
        for node, layout in self.planner.tuples.unsure:
            if all((id(node), scope.name) in spread for _, scope in layout.new):
                continue
            reason = f"takes the fields of `{layout.cls.name}` by position"
            self.mends.obstacle(("class", layout.home), node, reason)

    def _part(self, reader: TupleReader, scope: Scope) -> str:
        """What the part that comes for a scope is called, whether something reads it or not."""
        if self.planner.thrown_away.is_read(reader.node, scope):
            return scope.parameter
        spare = reader.name or f"_{scope.parameter}"
        return self.planner.class_patterns.name_of(reader.node, scope) or spare

    def _readers(self) -> None:
        """`pk.split("#")[2]`, `pk.startswith("AUDIT#")` and their like."""
        for reader in self.planner.readers.found:
            filename, span = reader.module.filename, reader.node.span
            if reader.number is not None:
                self.mends.add(reader.knot, Replace(filename, span, "CAP108", str(reader.number)))
            elif reader.separator:
                self._expected_parts(reader)
            elif reader.added and isinstance(reader.node, tree.Other):
                at = reader.node.children[reader.shift.start].span  # behind what marks the pattern
                added = AddElements(filename, span, "CAP108", (), self._patterns(reader), at)
                self.mends.add(reader.knot, added)
            elif isinstance(reader.node, tree.Sequence):
                scopes = reader.shift.scopes
                names = tuple(
                    n
                    for s in scopes
                    for n in (*["_"] * (reader.shift.by // len(scopes) - 1), self._name(reader, s))
                )
                anchor = reader.node.items[reader.shift.start - 1].span
                self.mends.add(
                    reader.knot, AddElements(filename, span, "CAP108", (), names, anchor)
                )
        for broken in self.planner.readers.broken:
            self._broken(broken)
        for rest in self.planner.readers.remainders.found:
            code = (
                f'{self.mends.source(rest.module, rest.node.span)}.partition("{rest.behind}")[0]'
            )
            mend = Replace(rest.module.filename, rest.node.span, "CAP108", code)
            self.mends.add(rest.knot, mend)
        for node, knot, reason in self.planner.readers.unsure:
            self.mends.obstacle(knot, node, reason)

    def _patterns(self, reader: Reader) -> tuple[str, ...]:
        """The patterns of new parts, each value by its name where something reads it."""
        scopes = iter(reader.shift.scopes)
        return tuple(self._name(reader, next(scopes)) if c == "_" else c for c in reader.added)

    def _name(self, reader: Reader, scope: Scope) -> str:
        """What the new part is called where a key is unpacked: `_` unless something reads it then."""
        function = self.program.names.function_of(reader.node)
        within = function.fact.span if function is not None else None
        used = any(self.mends.naming(scope.parameter, reader.node, within))
        return scope.parameter if used else "_"

    def _expected_parts(self, reader: Reader) -> None:
        """The parts that a segment is, among those that all parts of a key are compared with."""
        codes: list[str] = []
        for scope, tag in zip(reader.scopes, reader.shift.tags, strict=True):
            *before, last = tag.split(reader.separator)
            value = self.mends.code_for(scope, reader.node, reader.knot)
            if last or value is None:
                self.mends.obstacle(
                    reader.knot, reader.node, "spells out the parts of a key that changes"
                )
                return
            codes += [*(f'"{part}"' for part in before), value]
        assert isinstance(reader.node, tree.Sequence)
        anchor = reader.node.items[reader.shift.start - 1].span
        filename, span = reader.module.filename, reader.node.span
        self.mends.add(
            reader.knot, AddElements(filename, span, "CAP108", (), tuple(codes), anchor)
        )

    def _broken(self, broken: Unfit) -> None:
        """A regular expression gets the segment; whatever else does not fit needs a person."""
        cut = self.planner.cut_off.found.get(id(broken.node))
        if cut is not None:
            self._cut_off(broken, cut)
            return
        source = self.mends.source(broken.module, broken.node.span)
        if broken.module.is_test and isinstance(broken.node, tree.Const) and broken.gaps:
            code = self._beginning(broken, source)
        else:
            code = code_of(source, broken.old, broken.text) if broken.text is not None else None
        if code is None:
            self.mends.obstacle(broken.knot, broken.node, _UNFIT)
            return
        filename = broken.module.filename
        self.mends.add(broken.knot, Replace(filename, broken.node.span, "CAP108", code))
        if broken.length is not None:
            number = str(len(self._begun(broken) or ""))
            self.mends.add(broken.knot, Replace(filename, broken.length.span, "CAP108", number))

    def _cut_off(self, broken: Unfit, cut: Cut) -> None:
        """What is cut off a key gets the key's segments at its front, or the key loses them before."""
        filename, source = broken.module.filename, self.mends.source
        if cut.parts:
            code = f'{source(broken.module, cut.key.span)}.split("{cut.mark}", {cut.parts})[-1]'
            self.mends.add(broken.knot, Replace(filename, cut.key.span, "CAP108", code))
            return
        codes = [(gap, self.mends.code_of(want, broken.knot)) for gap, want in cut.wants]
        before = _filled("", [(gap, f"{{{code}}}") for gap, code in codes])
        behind = _behind(before, source(broken.module, broken.node.span))
        if behind is None:
            self.mends.obstacle(broken.knot, broken.node, _UNFIT)
        else:
            self.mends.add(broken.knot, Replace(filename, broken.node.span, "CAP108", behind))

    def _beginning(self, broken: Unfit, source: str) -> str | None:
        """The code of the beginning of a key in a test, with the values that the test uses."""
        begun = self._begun(broken)
        if begun is not None or broken.length is not None:
            return code_of(source, broken.old, begun) if begun is not None else None
        testing, plain = self.mends.testing, plain_literal(source)
        codes = [
            (g, testing.segments.code(g.scope, broken.node, broken.knot)) for g in broken.gaps
        ]
        said = [(gap, f"{{{code}}}") for gap, code in codes if code is not None]
        if plain is None or plain.body != broken.old or len(said) < len(codes):
            return None
        body = _filled(broken.old, said)
        quoted = any(plain.quote in hole for _, hole in said)
        return None if quoted or "{" in plain.body else plain.code(body, formatted=True)

    def _begun(self, broken: Unfit) -> str | None:
        """The beginning that a test asks for, where it knows what all values in it are."""
        known = [(gap, self._known(gap, broken)) for gap in broken.gaps]
        values = [(gap, value) for gap, value in known if value is not None]
        return _filled(broken.old, values) if len(values) == len(known) else None

    def _known(self, gap: Gap, broken: Unfit) -> str | None:
        """The literal that a scope's value always is where a test asks for the beginning of a key."""
        want = Want(gap.scope, broken.node, broken.knot, "key")
        value = self.planner.sources.find(gap.scope, broken.node)
        return self.mends.testing.segments.known(value, want) if value is not None else None


def _filled(text: str, values: Sequence[tuple[Gap, str]]) -> str:
    """A beginning of keys with the segments that it lacks."""
    for gap, value in reversed(values):
        segment, head, tail = f"{gap.tag}{value}", text[: gap.at], text[gap.at :]
        text = f"{head}{tail[0]}{segment}{tail}" if gap.at else f"{segment}{gap.mark}{tail}"
    return text


def _behind(before: str, code: str) -> str | None:
    """The code of a text, or of a name for one, behind more text with values in it; `None` if that cannot be
    written."""
    if "\\" in before:
        return None
    known = plain_literal(code)
    if known is None:
        is_text = literal(code) is not None
        return None if is_text or '"' in before + code else f'f"{before}{{{code}}}"'
    braces = not known.formatted and ("{" in known.body or "}" in known.body)
    if braces or not known.single or known.quote in before:
        return None
    return known.code(f"{before}{known.body}", formatted=True)
