"""What tells of an analysis whether a file that it has not read matters to it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.cache.hints import Search
from capsule_lint.facts import tree
from capsule_lint.program.calling.calls import Calls
from capsule_lint.program.inference.infer import Inference
from capsule_lint.program.texts.pieces import Text, bare_word, marks_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.policy import Policy
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function
    from capsule_lint.program.names import Names


class Signs(Struct, frozen=True, dict=True):
    """What tells of an analysis whether another file matters to it."""

    words: frozenset[str]
    """The names that it has asked about."""
    functions: frozenset[str]
    """Those of the functions that may be looked up by names that are made."""
    parts: frozenset[str]
    """The words in the texts of the program's keys."""
    separators: frozenset[str]
    """What stands between the parts of keys, and the marks of policy's tags."""
    modules: frozenset[str]
    """The dotted names of the modules that are linked."""
    absent: frozenset[str] = frozenset()
    """The packages that nothing imports, where that was asked."""
    borders: frozenset[str] = frozenset()
    """The names by which packages import each other, where some were left out since they do not."""

    @staticmethod
    def of(program: Program, functions: Iterable[Function], symbols: Iterable[str] = ()) -> Signs:
        """Those of a program of which these functions change, and all that goes by these symbols."""
        texts = [
            piece.value
            for site in program.keys.sites
            for piece in site.template.pieces
            if isinstance(piece, Text)
        ]
        return Signs(
            frozenset(_joined(program, symbols)),
            frozenset(function.name for function in functions),
            frozenset(word for text in texts for word in re.findall(r"\w+", text)),
            frozenset(_separators(program, texts)),
            frozenset(program.names.modules),
        )

    @staticmethod
    def before_linking(names: Names, policy: Policy) -> Signs:
        """Those that the names of some modules and policy tell of, whatever is made of these."""
        marks = frozenset(filter(None, (marks_of(scope.tag) for scope in policy.scopes)))
        none = frozenset[str]()
        return Signs(frozenset(_constants(names, policy)), none, none, marks, none)

    def search(self, found: Iterable[str]) -> Search:
        """What files are searched for, and those in which it was found."""
        return Search(self.words, self.parts, self.separators, frozenset(found))

    @cached_property
    def before(self) -> re.Pattern[str]:
        """A word of a key before a separator, or before what others separate by, if no blank is behind it as in code."""
        own = re.escape("".join(sorted({mark[0] for mark in self.separators})))
        ends = rf"(?:[{own}]|[#|/:](?!\s))" if own else r"[#|/:](?!\s)"
        return re.compile(rf"\b(?:{_any(sorted(self.parts))}){ends}")

    @cached_property
    def splits(self) -> re.Pattern[str]:
        """A split at a separator of keys."""
        separators = _any(sorted(self.separators))
        return re.compile(rf"""split\(\s*(?:sep\s*=\s*)?["'](?:{separators})["']""")

    @cached_property
    def linked(self) -> _Modules:
        """The modules that are linked."""
        return _Modules.of(self.modules)


def _separators(program: Program, texts: Iterable[str]) -> Iterator[str]:
    """What stands between the parts of keys that have these texts in them."""
    yield from (char for text in texts for char in text if char in "#|/:")
    own = {program.keys.mark, *(marks_of(scope.tag) for scope in program.policy.scopes)}
    yield from (mark for mark in own if mark and any(mark in text for text in texts))


def _any(words: list[str]) -> str:
    return "|".join(map(re.escape, words)) or "(?!)"


class _Modules(Struct, frozen=True):
    """Modules by their dotted names, and by the ends of these."""

    names: frozenset[str]
    ends: frozenset[str]

    @staticmethod
    def of(names: Iterable[str]) -> _Modules:
        """Those of these dotted names."""
        known = frozenset(names)
        return _Modules(known, frozenset(end for name in known for end in _ends(name)))

    def holds(self, imported: str) -> bool:
        """Whether what a statement imports may be one, of whose dotted name it says the end, or more
        than that: a folder above the root."""
        return imported in self.ends or not self.names.isdisjoint(_ends(imported))


def _ends(dotted: str) -> Iterator[str]:
    """`a.b.c`, `b.c`, `c`."""
    while dotted:
        yield dotted
        dotted = dotted.partition(".")[2]


def _listen(program: Program, symbols: Iterable[str]) -> None:
    """Ask once more what each call may call that bears the name of something that changes: what is
    asked on the way matters, for there a receiver's type may come from."""
    inference = Inference(program.names, program.classes, listens=True)
    inference.enters = program.domain.enters
    calls = Calls(program.calls.uses, program.classes, inference, program.calls.structural)
    for name in sorted({symbol.rpartition(".")[2] for symbol in symbols}):
        for alias in sorted(calls.uses.aliases(name)):
            for call in calls.uses.calls(alias):
                inference.of(call.func)


def _joined(program: Program, symbols: Iterable[str]) -> set[str]:
    """The names that the analysis has asked about, or that stand for what a key is made of."""
    policy = program.policy
    _listen(program, symbols)
    classes = {cls.name for cls in program.domain.repositories | program.domain.entities}
    parameters = {scope.parameter for scope in policy.scopes}
    classes |= {cls.name for cls in program.classes.having(parameters.__contains__)}
    return program.names.asked | classes | _constants(program.names, policy)


def _constants(names: Names, policy: Policy) -> set[str]:
    """The names that modules and classes give texts that keys may be made of."""
    found = set[str]()
    tags = {bare_word(scope.tag) for scope in policy.scopes}
    for module in names.modules.values():
        for statement, place in module.statements:
            if isinstance(statement, tree.Assign) and place.scope.kind in ("module", "class"):
                texts = _texts(statement.value) if statement.value is not None else ()
                if any(
                    "#" in t or policy.is_key_name(t) or any(g in t for g in tags) for t in texts
                ):
                    found.update(t.id for t in statement.targets if isinstance(t, tree.Name))
    return found


def _texts(node: tree.Node) -> Iterator[str]:
    for one in within(node):
        if isinstance(one, tree.Const) and isinstance(one.value, str):
            yield one.value
        elif isinstance(one, tree.FString):
            yield from (part for part in one.parts if isinstance(part, str))
