"""Which files can matter: those that hold a word of interest, and those that such words lead to.

A finding starts at a word: a scope, the name of a key, an operation of the table, a policy's entity.
The files that hold one are linked first. Whatever the analysis then asks the whole program about, it
asks by name: who calls it, who inherits from it, where it is declared. A file in which none of these
names stands cannot change an answer; one in which any stands is taken in, and the analysis starts
again, until nothing new is asked. What a name leads to by an import is read at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from capsule_lint.cache.hints import Hints, KnownHints
from capsule_lint.plan.interest.apart import Apart
from capsule_lint.plan.interest.searching import Searching
from capsule_lint.plan.interest.signs import Signs
from capsule_lint.program import Rest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from capsule_lint.facts.tree import FileFacts
    from capsule_lint.judgement import Judgement
    from capsule_lint.policy import Policy
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function
    from capsule_lint.program.names import Names

SPARE: Final = 1_000_000
"""How many characters without a word of interest are read all the same: a small program is read
whole, so that every broken file is told of."""
_FEW: Final = 40
"""To search all files for so many words takes less time than to read them."""


@dataclass(eq=False)
class Interest:
    """Finds the files of a program that can matter."""

    policy: Policy
    texts: Mapping[str, str]
    spare: int = SPARE
    hints: KnownHints = field(default_factory=KnownHints)
    """What an earlier run has seen in them."""
    jobs: int = 1
    """How many processes may search them."""
    _guessed: set[str] = field(default_factory=set)
    """The files to start with besides those with a word of interest."""
    _foreseen: set[str] | None = None
    """Those of them that nothing has led to so far; `None` before it was looked for them."""
    _fresh: bool = False
    """Whether no earlier run or version tells where names lead to."""
    _first: bool = False
    """Whether there was none that looked for them."""
    joined: set[str] | None = None
    """The files that a name has led to from those with a word of interest; a later run that starts
    with them as well comes to its end sooner."""
    quiet: frozenset[str] = frozenset()
    """The other files that look functions up by names that are made."""
    apart: frozenset[str] = frozenset()
    """The files that do not join though they hold such a name, for nothing that changes gets there."""
    signs: Signs | None = None
    """What would make another file matter to the analysis that came last."""
    spared: int = 0
    """How many characters more than `spare` were not read in the end."""
    searched: set[str] = field(default_factory=set)
    """The files that were not read, and searched for a definition."""
    importing: dict[str, str | None] = field(default_factory=dict)
    """The packages that it was asked about whether anything imports them, and a file that does."""

    def seeds(self, before: AbstractSet[str] | None = None) -> set[str]:
        """The files to start with: those with a word of interest, and those `before` or, without these, those
        that an earlier run was led to."""
        if self._is_small(set()):
            return set(self.texts)
        telling = self._telling_files
        self._guessed = set(self.hints.joined) if before is None else set()
        self._fresh = not (before or self._guessed)
        self._first = self.hints.search is None
        found = telling | ((before or self._guessed) & self.texts.keys())
        return set(self.texts) if self._is_small(found) else found

    def needless(self) -> set[str]:
        """Those of the files to start with that neither hold a word of interest nor were asked for: they
        mattered to an older version of the program. They are told of once."""
        guessed, self._guessed = self._guessed & self.texts.keys(), set()
        return guessed - self._telling_files - self.joined if self.joined is not None else set()

    def close(self) -> None:
        """End what helps with the search."""
        self._searching.close()

    @cached_property
    def _searching(self) -> Searching:
        return Searching(self.policy, self.texts, self.jobs)

    @cached_property
    def _seen(self) -> dict[str, Hints]:
        """The hints of the files that an earlier run has seen as they are."""
        return self.hints.of(self.texts, repr(self.policy))

    @cached_property
    def _hints(self) -> dict[str, Hints]:
        """What each file tells by itself."""
        found = dict(self._seen)
        found.update(self._searching.hints(name for name in self.texts if name not in found))
        return found

    @cached_property
    def _telling_files(self) -> set[str]:
        """The files that hold a word of interest."""
        return {name for name, hints in self._hints.items() if hints.telling}

    def foreseen(self, names: Names, chosen: AbstractSet[str]) -> AbstractSet[str]:
        """The other files that hold the name of a constant which keys may be made of, or split something as keys are
        split: nearly all of them matter in the end. They are told of once, where no earlier run or version tells of more."""
        if self._foreseen is not None or not self._fresh or chosen >= self.texts.keys():
            return frozenset()
        self._guessed = self._holding(Signs.before_linking(names, self.policy)) - chosen
        self._foreseen = set(self._guessed)
        return self._more(self._guessed, chosen)

    def leading(
        self, program: Program, functions: Iterable[Function], chosen: AbstractSet[str]
    ) -> AbstractSet[str]:
        """The other files that hold a name which was asked about until these functions were known to change: whatever
        else is judged, they matter. Where an earlier run or version tells of most of them, that is left to the end."""
        if not self._fresh or self.joined is not None or chosen >= self.texts.keys():
            return frozenset()
        joined = self._led_to(Signs.of(program, functions), program, chosen)
        return self._more(joined, chosen)

    def holding(
        self, program: Program, judgement: Judgement, chosen: AbstractSet[str]
    ) -> AbstractSet[str]:
        """The other files that hold a name which the analysis of the chosen ones has asked about."""
        self.quiet = frozenset()
        if chosen >= self.texts.keys():
            return frozenset()  # `joined` stays unknown
        symbols = {s for change in judgement.change_sets.values() for s in change.symbols}
        signs = Signs.of(program, program.names.looked_up, symbols)
        self.signs = replace(signs, borders=self._packages.names) if self.apart else signs
        self.joined = self._led_to(signs, program, chosen)
        return self._more(self.joined, chosen)

    def _led_to(self, signs: Signs, program: Program, chosen: AbstractSet[str]) -> set[str]:
        """The files without a word of interest that such signs lead to; the quiet ones among the others are known
        afterwards."""
        joined = self._holding(signs)
        self.hints.note(self.texts, self._hints, signs.search(joined))
        joined.update(self._starring(signs), self._inherited(program), program.names.entered)
        joined -= self.apart | self._telling_files
        if self._foreseen is not None:
            self._foreseen -= joined
        looking = set(self._looking(signs)) - self.apart - self._telling_files
        self.quiet = frozenset(looking - joined - chosen)
        return joined

    def foreseen_quiet(self, chosen: AbstractSet[str]) -> AbstractSet[str]:
        """The files that are quiet, as an earlier run tells; without one, those that look up names of which nothing is
        written out: whatever changes, it may be meant."""
        if not self._first:
            return self.hints.quiet & self.texts.keys()
        found = {name for name, hints in self._hints.items() if "" in hints.lookups}
        return found - self._telling_files - chosen

    def _more(self, joined: set[str], chosen: AbstractSet[str]) -> AbstractSet[str]:
        """Those of the files that were led to which are not chosen, or all, where there is little else."""
        if self._is_small(joined | self.quiet | chosen):
            return self.texts.keys() - chosen
        return joined - chosen

    @cached_property
    def _packages(self) -> Apart:
        return Apart(self.texts, tuple(scope.tag for scope in self.policy.scopes if scope.tag))

    def beside(self, living: AbstractSet[str], linked: AbstractSet[str]) -> frozenset[str]:
        """The files of packages that have nothing to do with those of some files, `living`: no import leads from the one to
        the other. None, where there is little more in them than is read all the same; the linked ones count as read, unless
        they were foreseen alone."""
        linked -= self._foreseen or set()
        self.apart = frozenset(self._packages.from_(living, linked, self.spare))
        return self.apart

    def reached(self, signs: Signs) -> bool:
        """Whether any of the files matters to an analysis of others that left these signs."""
        return bool(
            self._telling_files
            or (signs.borders and self._packages.leads_to(signs.borders))
            or self._holding(signs)
            or any(True for _ in self._starring(signs))
            or any(True for _ in self._looking(signs))
            or any(self._importer(package) is not None for package in signs.absent)
        )

    def _importer(self, package: str) -> str | None:
        """A file that imports a package."""
        name = re.escape(package)
        pattern = re.compile(rf"^[ \t]*(?:from|import)[ \t]+{name}\b", re.MULTILINE)
        return next((name for name, text in self.texts.items() if pattern.search(text)), None)

    def rest(
        self,
        chosen: AbstractSet[str],
        facts: Callable[[str], FileFacts],
        quiet: frozenset[str] = frozenset(),
    ) -> Rest:
        """The files that are not chosen, whose facts `facts` gives; the quiet ones are linked as well."""
        others = frozenset(self.texts.keys() - chosen - quiet)

        def imports(package: str) -> bool:
            if package not in self.importing:
                self.importing[package] = self._importer(package)
            return self.importing[package] is not None

        @cache
        def defines(filename: str, name: str) -> bool:
            self.searched.add(filename)
            said = re.escape(name)
            pattern = (
                rf"^(?:class[ \t]+{said}(?:\(\w*Enum\))?[ \t]*:|{said}[ \t]*(?::[^=\n]+)?=[^=])"
            )
            return re.search(pattern, self.texts[filename], re.MULTILINE) is not None

        return Rest(others, facts, defines, imports, quiet)

    def _is_small(self, chosen: AbstractSet[str]) -> bool:
        """Whether what is not chosen is little enough to be read as well."""
        others = self.texts.keys() - chosen
        self.spared = sum(len(self.texts[name]) for name in others) - self.spare
        return self.spared <= 0

    # --- what the analysis leads to ---

    def _inherited(self, program: Program) -> Iterator[str]:
        """The files of classes that those with changing methods inherit from, and that look into
        themselves by names that they make."""
        changing = {function.name for function in program.names.looked_up}
        for cls in program.classes.having(changing.__contains__) if changing else ():
            for base in program.classes.mro(cls)[1:]:
                if "getattr" in self.texts[base.module.filename]:
                    yield base.module.filename

    def _holding(self, signs: Signs) -> set[str]:
        """The files in which one of the names stands, that have part of a key in them, or take one apart."""
        return self._searching.holding(self._suspects(signs), signs)

    def _suspects(self, signs: Signs) -> Iterable[str]:
        """The files to search: all but those in which nothing was found before, nor stands what is new."""
        before = self.hints.search if self._seen else None
        if before is None or before.separators != signs.separators:
            return self.texts
        new = (signs.words - before.words) | (signs.parts - before.parts)
        if len(new) > _FEW:
            return self.texts
        return [
            name
            for name, text in self.texts.items()
            if name not in self._seen
            or name in before.found
            or any(word in text for word in new)
            or not new.isdisjoint(self._seen[name].hidden)
        ]

    def _starring(self, signs: Signs) -> Iterator[str]:
        """The files that import all of a module that is linked."""
        for name, hints in self._hints.items():
            if any(map(signs.linked.holds, hints.stars)):
                yield name

    def _looking(self, signs: Signs) -> Iterator[str]:
        """The files that look functions up by names that they make."""
        for name, hints in self._hints.items() if signs.functions else ():
            if any(f.startswith(start) for start in hints.lookups for f in signs.functions):
                yield name
