"""Docstrings that list the parameters of a function or the attributes of a class: those that come get an entry beside
their neighbour's, as Google, NumPy or Sphinx have it."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.model import AddParameter, Span
from capsule_lint.plan.code import rename
from capsule_lint.plan.docstrings import Addition, Docstring, docstring_of, told_beside
from capsule_lint.plan.room import MendRoom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Function, Module

_SECTION: Final = re.compile(
    r"(?:Args|Arguments|Params|Parameters|Attributes|Keyword Arg(?:ument)?s|Other Parameters):"
)
_UNDERLINED: Final = re.compile(r"(?:Other )?(?:Parameters|Attributes)")
_SEVERAL: Final = re.compile(r"(?P<names>[ \t]*\w+(?:, \w+)+)(?: ?: (?P<type>.*))?")
"""How NumPy's docstrings list several in one line."""


class _Entry(Struct, frozen=True):
    """An entry of a list: its lines, and what stands in the first before and behind the name, and as its description."""

    first: int
    last: int
    before: str
    behind: str
    text: str
    below: bool = False
    """Whether the description stands on a line of its own."""
    typed: str | None = None
    """What a line of its own says of the type behind the name."""


class _New(Struct, frozen=True):
    """What a function or class gains: under which name, for which scope, and beside which names of others."""

    name: str
    scope: Scope
    beside: tuple[tuple[str, Scope, int], ...]
    others: tuple[str, ...] = ()
    """All parameters that the function has, where none of them is a scope's."""
    type: str | None = None
    """How it is annotated."""


class Documented(MendRoom, Struct, frozen=True, dict=True):
    """Finds what such docstrings gain."""

    mends: Mends

    def docstrings(self) -> Iterator[Docstring]:
        """Those of all functions and classes that gain something."""
        for function, scopes in self.state.params.items():
            new, knot = self._parameters(function, scopes), ("function", function)
            yield from self._told(function.module, [function.fact], new, knot)
        for cls, scopes in self.state.fields.items():
            made = cls.methods.get("__init__")
            new = self._fields(cls, scopes) if made is None else self._parameters(made, scopes)
            facts = [cls.fact, *((made.fact,) if made is not None else ())]
            yield from self._told(cls.module, facts, new, ("class", cls))

    def _told(
        self,
        module: Module,
        facts: Sequence[tree.FunctionDef | tree.ClassDef],
        new: Sequence[_New],
        knot: Knot,
    ) -> Iterator[Docstring]:
        for node in () if module.is_test or module.generated else map(docstring_of, facts):
            if node is not None:
                yield Docstring(node, module, partial(_additions, new, knot))

    def _parameters(self, function: Function, scopes: Mapping[str, Scope]) -> list[_New]:
        parameter = self.program.domain.scope_parameter
        named = {
            s.name: p.name for s in self.program.policy.scopes if (p := parameter(function, s))
        }
        own = (p.name for p in function.own_params if p.kind not in ("*", "**"))
        others = () if named else tuple(own)
        filename, at = function.module.filename, tree.span_of(function.fact.signature_at)
        found = [
            replace(new, others=others, type=self._annotations.get((filename, at, new.name)))
            for new in (self._new(name, scope, named) for name, scope in scopes.items())
        ]
        return sorted(found, key=lambda new: self.program.policy.scopes.index(new.scope))

    @cached_property
    def _annotations(self) -> dict[tuple[str, Span, str], str]:
        """How the new parameters are annotated, by the file, the function and their names."""
        return {
            (mend.filename, mend.at, mend.parameter): mend.annotation.strip('"')
            for _, mend in self.mends.found
            if isinstance(mend, AddParameter) and mend.annotation is not None
        }

    def _fields(self, cls: Class, scopes: Mapping[str, Scope]) -> list[_New]:
        attribute = self.planner.sources.holders.attribute_of
        named = {s.name: a for s in self.program.policy.scopes if (a := attribute(cls, s))}
        own = self.state.attributes
        return [self._new(own.get((cls, n), n), scope, named) for n, scope in scopes.items()]

    def _new(self, name: str, scope: Scope, named: Mapping[str, str]) -> _New:
        beside = self.program.policy.beside(scope)
        return _New(
            name, scope, tuple((named[o.name], o, n) for o, n in beside if o.name in named)
        )


def _additions(new: Sequence[_New], knot: Knot, body: str) -> list[Addition]:
    """The entries that a docstring gains, where it lists a neighbour, or all others, and not them."""
    lines, found = body.split("\n"), defaultdict[int, str](str)
    ends = [0, *(len("\n".join(lines[:row])) for row in range(1, len(lines) + 1))]
    for one in new:
        if re.search(rf"\b{re.escape(one.name)}\b", body):
            continue
        if (known := _neighbour(lines, one) or _first(lines, one)) is not None:
            entry, name, old, step = known
            if row := entry.last + 1 if step else entry.first:
                entries = _written(entry, name, old, one)
                found[ends[row]] += "".join(f"\n{line}" for line in entries)
        elif (shared := _shared(lines, one)) is not None:
            row, column, text = shared
            found[ends[row] + len("\n") + column] += text
    return [Addition(knot, at, text) for at, text in found.items()]


def _neighbour(lines: Sequence[str], new: _New) -> tuple[_Entry, str, Scope, int] | None:
    """The entry beside which a new one comes, whose it is, and whether it comes behind that."""
    listed = ((_entry(lines, name), name, old, step) for name, old, step in new.beside)
    return next(((e, n, o, s) for e, n, o, s in listed if e is not None), None)


def _first(lines: Sequence[str], new: _New) -> tuple[_Entry, str, Scope, int] | None:
    """The same of the first one, where all are listed and none is a scope's: as if it were one of the new one's type."""
    listed = [_entry(lines, name) for name in new.others]
    if not listed or listed[0] is None or None in listed:
        return None
    return _retyped(listed[0], new.type), new.name, new.scope, 0


def _retyped(entry: _Entry, said: str | None) -> _Entry:
    """An entry that says another type wherever it says one, or none where nothing is known of that."""
    before = re.sub(r"(?<=\w) \S+ $", f" {said} " if said else " ", entry.before)
    behind = re.sub(r" ?\(.*\)", f" ({said})" if said else "", entry.behind)
    if entry.below and behind:
        colon = ":" if behind.startswith(":") else " :"
        behind = f"{colon} {said}" if said else ""
    typed = f": {said}" if entry.typed is not None and said else None
    return replace(entry, before=before, behind=behind, typed=typed)


def _shared(lines: Sequence[str], new: _New) -> tuple[int, int, str] | None:
    """What a line gains that lists a neighbour together with others, and where: its row and column."""
    for row, line in enumerate(lines):
        told = _SEVERAL.fullmatch(line) if _last(lines, row) > row else None
        if told is None or not _is_underlined(lines, row):
            continue
        said = told["type"]
        for name, old, step in new.beside:
            found = re.search(rf"\b{re.escape(name)}\b", told["names"])
            fits = not said or (rename(said, old, new.scope) == said and new.type in (None, said))
            if found is not None and fits:
                column = found.end() if step else found.start()
                return row, column, f", {new.name}" if step else f"{new.name}, "
    return None


def _entry(lines: Sequence[str], name: str) -> _Entry | None:
    """The entry of a name in the lines of a docstring."""
    known = re.escape(name)
    plain = re.compile(
        rf"(?P<before>[ \t]+){known}(?P<behind>(?: ?\([^)]*\))?:)(?: +(?P<text>.*))?"
    )
    field = re.compile(
        rf"(?P<before>[ \t]*[:@](?:param|parameter|arg|argument|ivar|var)(?: [\w.|\[\]]+)? ){known}"
        r"(?P<behind>:)(?: +(?P<text>.*))?"
    )
    table = re.compile(rf"(?P<before>[ \t]*){known}(?P<behind>(?: ?: .*)?)")
    for number, line in enumerate(lines):
        last = _last(lines, number)
        if told := field.fullmatch(line):
            below = lines[last + 1] if last + 1 < len(lines) else ""
            typed = re.fullmatch(rf"[ \t]*[:@]type {known}(?P<said>:.*)", below)
            said = typed["said"] if typed else None
            return _made(told, number, last, said) if last == number or not typed else None
        if _SECTION.fullmatch(_above(lines, number)) and (told := plain.fullmatch(line)):
            return _made(told, number, last)
        if last > number and _is_underlined(lines, number) and (told := table.fullmatch(line)):
            text = lines[last].strip() if last == number + 1 else ""
            return _Entry(number, last, told["before"], told["behind"], text, below=True)
    return None


def _made(told: re.Match[str], number: int, last: int, typed: str | None = None) -> _Entry:
    text = told["text"] if last == number else None
    end = last if typed is None else last + 1
    return _Entry(number, end, told["before"], told["behind"], text or "", typed=typed)


def _last(lines: Sequence[str], number: int) -> int:
    """The last line of what begins with one: those that follow it further inside."""
    own, last = _indent(lines[number]), number
    for at in range(number + 1, len(lines)):
        if lines[at].strip():
            if _indent(lines[at]) <= own:
                break
            last = at
    return last


def _above(lines: Sequence[str], number: int) -> str:
    """The line under which another one stands."""
    own = _indent(lines[number])
    over = (one for one in reversed(lines[1:number]) if one.strip() and _indent(one) < own)
    return next(over, "").strip()


def _is_underlined(lines: Sequence[str], number: int) -> bool:
    """Whether a line belongs to what NumPy's docstrings list."""
    own = _indent(lines[number])
    for at in range(number - 1, 1, -1):
        if _indent(lines[at]) == own and re.fullmatch(r"-{3,}", lines[at].strip()):
            return _UNDERLINED.fullmatch(lines[at - 1].strip()) is not None
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _written(entry: _Entry, name: str, old: Scope, new: _New) -> list[str]:
    """The lines of an entry beside that of a neighbour."""
    text = told_beside(entry.text, (name, new.name), old, new.scope)
    behind = rename(entry.behind, old, new.scope)
    before = rename(entry.before, old, new.scope)
    head = f"{before}{new.name}{behind}"
    if entry.below:
        return [head, f"{before}    {text}"]
    lines = [f"{head} {text}"]
    if entry.typed is not None:
        indent = entry.before[: _indent(entry.before)]
        mark = entry.before[len(indent)]
        lines.append(f"{indent}{mark}type {new.name}{rename(entry.typed, old, new.scope)}")
    return lines
