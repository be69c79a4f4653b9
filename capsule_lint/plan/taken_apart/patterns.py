"""Regular expressions that take keys apart: they match the keys as they will be, or say that they do not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.keys.tags import separator_of
from capsule_lint.plan.literals import literal
from capsule_lint.plan.taken_apart.samples import samples, shape_of, specimen_of
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.texts.pieces import Text, marks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.plan.taken_apart.samples import Sample, Shape
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program

_FUNCTIONS: Final = {
    "compile": ("match", "search", "fullmatch"),
    "match": ("match",),
    "fullmatch": ("fullmatch",),
    "search": ("search",),
    "findall": ("search",),
    "finditer": ("search",),
    "sub": ("search",),
    "subn": ("search",),
}
_FLAGS: Final = {
    "I": re.IGNORECASE,
    "IGNORECASE": re.IGNORECASE,
    "S": re.DOTALL,
    "DOTALL": re.DOTALL,
    "M": re.MULTILINE,
    "MULTILINE": re.MULTILINE,
    "X": re.VERBOSE,
    "VERBOSE": re.VERBOSE,
}
_QUANTIFIER: Final = re.compile(r"(?:[*+?]|\{\d*,?\d*\})[?+]?")


class Witness(Struct, frozen=True):
    """A key of a changing template that a pattern matches, and how it is asked."""

    defect: KeyDefect
    sample: Sample
    how: str


class Expression(Struct, frozen=True):
    """A regular expression of the program."""

    call: tree.Call
    node: tree.Node
    """Where its text is written."""
    text: str
    flags: int
    functions: tuple[str, ...]
    specimen: str
    """What it may match."""

    def groups(self, how: str, key: str, text: str | None = None) -> object:
        """What the groups of the expression (or of another one in its place) hold; `None` without a match."""
        try:
            found = getattr(re.compile(text if text is not None else self.text, self.flags), how)(
                key
            )
        except re.error:
            return None
        return None if found is None else (found.groups(), found.groupdict())


@dataclass(eq=False, slots=True)
class Patterns:
    """Finds the expressions that would not match any more, or match something else."""

    program: Program
    _samples: dict[int, tuple[list[Sample], Shape | None]] = field(default_factory=dict)

    def broken(
        self, defects: Sequence[KeyDefect], staying: Sequence[KeyDefect]
    ) -> Iterator[tuple[Expression, list[Witness], str | None]]:
        """The expressions that keys of changed templates break, with the code of the text that reads
        the same from the new keys, and from those that are `staying` as they are; `None` in its place where
        that cannot be proven."""
        tagged = [(d, {tag.lower() for tag in self._tags(d)}) for d in defects]
        for expression in self._expressions():
            plain = expression.text.replace("\\", "").lower()
            near = [d for d, tags in tagged if any(tag in plain for tag in tags)]
            matched = [w for d in near for w in self._witnesses(expression, d)]
            if any(not self._reads(expression, expression.text, w) for w in matched):
                text = self._mended(expression, matched)
                kept = [w for d in staying for w in self._witnesses(expression, d)]
                if text is not None and any(not self._stays(expression, text, w) for w in kept):
                    text = None
                yield expression, matched, text

    def _tags(self, defect: KeyDefect) -> set[str]:
        """The tags that a template spells, each with the separator behind it."""
        tag = defect.tag(defect.missing[0])
        mark = re.escape(separator_of(defect) + marks_of(tag))
        texts = "".join(p.value if isinstance(p, Text) else "\x00" for p in defect.template.pieces)
        return set(re.findall(rf"[A-Za-z][\w-]*[{mark}#]", texts))

    def _witnesses(self, expression: Expression, defect: KeyDefect) -> Iterator[Witness]:
        if id(defect) not in self._samples:
            self._samples[id(defect)] = list(samples(defect)), shape_of(defect)
        known, shape = self._samples[id(defect)]
        like = shape.like(expression.specimen) if shape is not None else None
        for sample in (*known, like) if like is not None else known:
            for how in expression.functions:
                if expression.groups(how, sample.before) is not None:
                    yield Witness(defect, sample, how)

    def _reads(self, expression: Expression, text: str, witness: Witness) -> bool:
        """Whether an expression reads from the new key what it has read from the old one."""
        before = expression.groups(witness.how, witness.sample.before)
        return expression.groups(witness.how, witness.sample.after, text) == before

    def _stays(self, expression: Expression, text: str, witness: Witness) -> bool:
        """Whether an expression reads from a key that stays what it has read."""
        key = witness.sample.before
        return expression.groups(witness.how, key, text) == expression.groups(witness.how, key)

    # --- which expressions ---

    def _expressions(self) -> Iterator[Expression]:
        for name, functions in _FUNCTIONS.items():
            for call in self._calls(name):
                module = self.program.names.module_of(call)
                if module.generated or not self._is_regex(call.func):
                    continue
                first = next((a.value for a in call.args if a.keyword in (None, "pattern")), None)
                text = self.program.templates.constant(first) if first is not None else None
                if first is not None and text is not None:
                    yield Expression(
                        call,
                        self._written(first),
                        text,
                        self._flags(call),
                        functions,
                        specimen_of(text),
                    )

    def _calls(self, name: str) -> Iterator[tree.Call]:
        for alias in sorted(self.program.calls.uses.known_as(name)):
            yield from self.program.calls.uses.calls_beside(alias)

    def _is_regex(self, func: tree.Node) -> bool:
        named = self.program.classes.dotted(func)
        return isinstance(named, str) and named.partition(".")[0] in ("re", "regex")

    def _written(self, node: tree.Node) -> tree.Node:
        if isinstance(node, tree.Name | tree.Attr):
            target = self.program.classes.dotted(node)
            if isinstance(target, Binding) and target.value is not None:
                return target.value
        return node

    def _flags(self, call: tree.Call) -> int:
        found = 0
        queue = [a.value for a in call.args[1:]]
        while queue:
            match queue.pop():
                case tree.Binary(op="|") as either:
                    queue += [either.left, either.right]
                case tree.Attr() | tree.Name() as one:
                    found |= _FLAGS.get(last_name(one), 0)
        return found

    # --- the new text ---

    def _mended(self, expression: Expression, matched: Sequence[Witness]) -> str | None:
        """The code of an expression that reads from all new keys what the old one reads from the old."""
        node = expression.node
        if not isinstance(node, tree.Const) or node.value != expression.text:
            return None
        if expression.flags & re.VERBOSE or "(?x" in expression.text:
            return None
        defect = matched[0].defect
        for text in _inserted(expression.text, defect):
            if all(self._reads(expression, text, witness) for witness in matched):
                return text
        return None


def code_of(code: str, old: str, new: str) -> str | None:
    """The code of a string literal with another text; `None` where its code is not the text itself."""
    known = literal(code)
    if known is None or known.body != old or (not known.raw and "\\" in new):
        return None
    return known.code(new, formatted=known.formatted)


def _inserted(text: str, defect: KeyDefect) -> Iterator[str]:
    """The expression with all segments that a template lacks, for each place where they could come."""
    candidates = [text]
    for scope in reversed(defect.missing):
        candidates = [
            changed for one in candidates for changed in _with_segment(one, defect, scope)
        ]
    yield from candidates


def _with_segment(text: str, defect: KeyDefect, scope: Scope) -> Iterator[str]:
    mark = defect.mark(scope)
    value = f"[^{_quoted(mark[:1] or defect.tag(scope)[:1])}]+"
    separator, tag = _quoted(mark), _quoted(defect.tag(scope))
    anchor = defect.behind(scope)
    if anchor is None:
        first = defect.template.pieces[0]
        at = text.lower().find(_quoted(first.value).lower()) if isinstance(first, Text) else -1
        if at >= 0:
            yield f"{text[:at]}{tag}{value}{separator}{text[at:]}"
        return
    for before, piece in pairwise(defect.template.pieces):
        if isinstance(piece, Text) or piece.value is not anchor or not isinstance(before, Text):
            continue
        for place in _behind_value(text, before.value, mark):
            yield f"{text[:place]}{separator}{tag}{value}{text[place:]}"


def _behind_value(text: str, tag: str, mark: str) -> Iterator[int]:
    """The places behind what stands for the value after a tag, where a separator or the end follows."""
    at = text.lower().find(_quoted(tag).lower())
    if at < 0:
        return
    at = _atom_end(text, at + len(_quoted(tag)))
    while at <= len(text):
        rest = text[at:]
        if not rest or rest.startswith((_quoted(mark), "$", r"\Z", ")")):
            yield at
        if not rest.startswith(")"):
            return
        at = _quantified(text, at + 1)


def _quoted(text: str) -> str:
    """A text as people write it in an expression: `#` needs no backslash."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)


def _atom_end(text: str, at: int) -> int:
    """Where the class, group, escape or character at a place ends, with its quantifier."""
    if text[at : at + 1] == "\\":
        at += 2
    elif text[at : at + 1] == "[":
        at = _class_end(text, at)
    elif text[at : at + 1] == "(":
        depth = 0
        while at < len(text):
            if text[at] == "\\":
                at += 2
                continue
            if text[at] == "[":
                at = _class_end(text, at)
                continue
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
            if not depth:
                break
    else:
        at += 1
    return _quantified(text, at)


def _class_end(text: str, at: int) -> int:
    at += 2 if text[at + 1 : at + 2] == "^" else 1
    at += text[at : at + 1] == "]"
    while at < len(text) and text[at] != "]":
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _quantified(text: str, at: int) -> int:
    found = _QUANTIFIER.match(text, at)
    return found.end() if found is not None else at
