"""Tests of keys by how they begin: `pk.startswith("AUDIT#")` holds of no key that begins with a scope."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.reach import Reach
from capsule_lint.plan.taken_apart.heads import Heads
from capsule_lint.plan.testing.elements import yielding
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference.going_through import GOING_THROUGH
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.collected import Collected
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.plan.taken_apart.heads import Head
    from capsule_lint.plan.taken_apart.readers import Readers
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.places.sites import KeySite
    from capsule_lint.program.texts.pieces import Piece

_TESTS: Final = ("removeprefix", "replace", "startswith", "len")


class Gap(Struct, frozen=True):
    """A segment that comes into the beginning of a key, after how many of its characters, and how it
    is spelled there."""

    scope: Scope
    at: int
    tag: str
    mark: str


class Probe(Struct, frozen=True):
    """A constant beginning that a key is asked for, and the changing keys that have it."""

    node: tree.Node
    """Where the text is written: the argument."""
    key: tree.Node
    text: str
    """The first one, where there are several."""
    defects: tuple[KeyDefect, ...]
    gaps: tuple[Gap, ...]
    """What comes into the text; nothing where nobody can tell, for it is one of several."""
    length: tree.Node | None = None
    """What says how long the text is: `6` of `pk[:6] == "AUDIT#"`."""


class _Asked(Struct, frozen=True):
    """What says what a key is asked for, and the constant beginnings that this may be."""

    node: tree.Node
    key: tree.Node
    texts: list[str]
    length: tree.Node | None = None
    """What says how long the beginning is, where it is cut out of the key."""
    alone: bool = True
    """Whether what is cut out is asked for nothing else."""


class Probes(Struct, frozen=True):
    """Finds what asks a key for a beginning that it loses."""

    program: Program
    readers: Readers

    def broken(self, defects: Sequence[KeyDefect]) -> Iterator[Probe]:
        """The places, and the changing keys that they are about."""
        untagged = [d for d in defects if not d.template.opaque and not _has_front(d)]
        for asked in self._all_asked():
            key, texts = asked.key, asked.texts
            found = [one for text in texts for one in self._having(key, text, defects, untagged)]
            if found:
                gaps = found[0][1] if len(texts) == 1 and asked.alone else ()
                keys = tuple(d for d, _ in found)
                yield Probe(asked.node, key, texts[0], keys, gaps, asked.length)

    def _having(
        self,
        key: tree.Node,
        text: str,
        defects: Sequence[KeyDefect],
        untagged: Sequence[KeyDefect],
    ) -> list[tuple[KeyDefect, tuple[Gap, ...]]]:
        """The changing keys that begin with a text, and what comes into that."""
        found = [(d, gaps) for d in defects if (gaps := tuple(gaps_in(d, text)))]
        return found or (self._made(key, text, untagged) if untagged else [])

    def _all_asked(self) -> Iterator[_Asked]:
        """Everything that a key is asked for which is constant."""
        for name in _TESTS:
            for call in self.program.calls.uses.calls_beside(name):
                if self.program.names.module_of(call).generated:
                    continue
                key, value = self._asked(call)
                if key is not None and value is not None and self.readers.splits.is_key(key):
                    yield from (_Asked(one, key, texts) for one, texts in self._texts(value))
        for module in self.program.names.editable():
            for func in module.named.get("startswith", ()):
                match func, self.program.names.parent(func):
                    case tree.Attr(base=key), tree.Call(args=(first, given)) as going if (
                        first.value is func
                        and last_name(going.func) in GOING_THROUGH
                        and self.readers.splits.is_key(key)
                        and (texts := self._plain(self._collected.each(given.value)))
                    ):
                        yield _Asked(func, key, texts)
        for head in Heads(self.program, self.readers.splits).all():
            yield from self._of_head(head)

    def _of_head(self, head: Head) -> Iterator[_Asked]:
        """What the head of a key is compared with that is as long."""
        number = tree.integer(head.length)
        every: Iterable[tuple[tree.Node, list[str]]] = self._texts(head.beside)
        if head.several:
            every = [(head.cut, self._plain(self._collected.each(head.beside)))]
        elif isinstance(head.beside, tree.Sequence):
            every = ()  # it is no text that is cut
        for node, texts in every:
            fits = [text for text in texts if len(text) == number]
            if fits:
                yield _Asked(node, head.key, fits, head.length, head.alone)

    def _made(
        self, key: tree.Node, text: str, defects: Sequence[KeyDefect]
    ) -> list[tuple[KeyDefect, tuple[Gap, ...]]]:
        """The same of keys that begin with a value, and so with anything, of which a test asks those that a
        function makes; no gaps where they may be others."""
        function = self.program.names.function_of(key)
        if function is None or not function.module.is_test:
            return []
        fits = [(d, gaps) for d in defects if (gaps := tuple(_gaps(d, text)))]
        made = yielding(self.program, [key], None) if fits else set()
        if made:
            return [(d, gaps) for d, gaps in fits if made & {d.function, *d.makers}]
        named = self.program.policy.is_key_name(self.readers.splits.name(key))
        running = Reach(self.program).of(function) if fits and named else set()
        return [(d, ()) for d, _ in fits if running & {d.function, *d.makers}]

    def _asked(self, call: tree.Call) -> tuple[tree.Node | None, tree.Node | None]:
        """The key that is asked, and what for: `pk.startswith("AUDIT#")`, `pk.replace("AUDIT#", "")`,
        `pk[len("AUDIT#"):]`."""
        if len(call.args) != 1 and not self._is_cut_out(call):
            return None, None
        value = call.args[0].value
        if isinstance(call.func, tree.Attr):
            return call.func.base, value
        bounds = self.program.names.parent(call)
        cut = self.program.names.parent(bounds) if isinstance(bounds, tree.Slice) else None
        return (cut.base if isinstance(cut, tree.Subscript) else None), value

    def _is_cut_out(self, call: tree.Call) -> bool:
        """Whether a text is replaced by nothing."""
        by = call.args[1].value if len(call.args) > 1 else None
        return by is not None and self.program.templates.constant(by) == ""

    def _texts(self, value: tree.Node) -> Iterator[tuple[tree.Node, list[str]]]:
        """The constant beginnings that are asked for, each with what says it, or several that a loop goes through."""
        for one in tree.items(value):
            text = self.program.templates.constant(one)
            made = isinstance(one, tree.Call) and last_name(one.func) in LISTED
            several = self._collected.each(one) if made else self._collected.looped(one)
            texts = [text] if text is not None else self._plain(several)
            if any(texts):
                yield one, texts

    def _plain(self, nodes: Iterable[tree.Node]) -> list[str]:
        """The constants among some expressions; those that are keys by themselves are looked up."""
        texts = (
            self.program.templates.constant(one)
            for one in nodes
            if self.program.keys.at(one) is None
        )
        return [text for text in texts if text]

    @property
    def _collected(self) -> Collected:
        return Collected(self.program.templates.constants)

    def loses(self, site: KeySite, defects: Sequence[KeyDefect]) -> bool:
        """Whether a query asks for a beginning that keys lose: `begins_with("AUDIT#")`, or anything for one
        with a value in it: `pk.startswith(f"AUDIT#{day}")`."""
        host, text = site.template.host, site.template.text
        if "{}" in text:
            return any(_begins(d, site.template.pieces) for d in defects)
        if last_name(self._call_around(host)) in _TESTS:
            return False
        return any(True for d in defects for _ in gaps_in(d, text))

    def _call_around(self, node: tree.Node) -> tree.Node | None:
        parent = self.program.names.parent(node)
        return parent if isinstance(parent, tree.Call) else None


def gaps_in(defect: KeyDefect, text: str) -> Iterator[Gap]:
    """The segments that keys of a template get inside of their beginning `text`, outer ones first;
    none when they do not begin so, or go on beginning so."""
    if not defect.template.opaque and _has_front(defect):
        yield from _gaps(defect, text)


def _has_front(defect: KeyDefect) -> bool:
    """Whether keys begin with a text: those that begin with a value may begin with anything."""
    return isinstance(defect.template.pieces[0], Text)


def _gaps(defect: KeyDefect, text: str) -> Iterator[Gap]:
    ends = _hole_ends(defect, text)
    if ends is None:
        return
    for scope in defect.missing:
        mark = defect.mark(scope)
        anchor = defect.behind(scope)
        at = 0 if anchor is None else ends.get(id(anchor), len(text))
        if text[at:] not in ("", mark):
            yield Gap(scope, at, defect.tag(scope), mark)


def _begins(defect: KeyDefect, asked: Sequence[Piece]) -> bool:
    """Whether keys of a template, which get a segment at their front, begin as what is asked for."""
    if defect.template.opaque or all(defect.behind(s) is not None for s in defect.missing):
        return False
    key, left, told, on = list(defect.template.pieces), "", False, False
    for piece in asked:
        rest = piece.value if isinstance(piece, Text) else ""
        if not rest:
            if left or not key or isinstance(key.pop(0), Text):
                # the value may say what is written there
                return told and (on or bool(left or key))
            on = True
        while rest:
            following = None if left or not key else key.pop(0)
            left = following.value if isinstance(following, Text) else left
            if not left:
                return told and (on or following is not None)  # the value before goes on with it
            length = min(len(left), len(rest))
            if left[:length] != rest[:length]:
                return False
            left, rest, told, on = left[length:], rest[length:], True, False
    return told


def _hole_ends(defect: KeyDefect, text: str) -> dict[int, int] | None:
    """Where the values of a template's holes end in a text that its keys begin with; `None` when
    they do not."""
    found: dict[int, int] = {}
    at, pieces = 0, defect.template.pieces
    told = False  # a hole alone may begin with anything
    for number, piece in enumerate(pieces):
        rest = text[at:]
        if not rest:
            break
        if isinstance(piece, Text):
            if not rest.startswith(piece.value) and not piece.value.startswith(rest):
                return None
            at += min(len(piece.value), len(rest))
            told = True
            continue
        following = pieces[number + 1] if number + 1 < len(pieces) else None
        stop = re.escape(following.value[0]) if isinstance(following, Text) else "#"
        value = re.match(rf"[^{stop}]+", rest)
        if value is None:
            return None
        at += value.end()
        found[id(piece.value)] = at
    return found if told and at == len(text) else None
