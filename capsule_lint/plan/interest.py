"""Which files can matter: those that hold a word of interest, and those that such words lead to.

A finding starts at a word: a scope, the name of a key, an operation of the table, a policy's entity.
The files that hold one are linked first. Whatever the analysis then asks the whole program about, it
asks by name: who calls it, who inherits from it, where it is declared. A file in which none of these
names stands cannot change an answer; one in which any stands is taken in, and the analysis starts
again, until nothing new is asked. What a name leads to by an import is read at once.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.cache.sights import Search, Sight, Sights
from capsule_lint.facts import tree
from capsule_lint.plan.opinions.scans import OPTIONS, STATEMENTS
from capsule_lint.plan.vocabulary import Vocabulary
from capsule_lint.program import Rest
from capsule_lint.program.calling.calls import Calls
from capsule_lint.program.inference.infer import Inference
from capsule_lint.program.purposes.tables import COMMON, LONG, SHORT, is_table, speaks
from capsule_lint.program.texts.pieces import Text, bare_word, marks_of, names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from capsule_lint.facts.tree import FileFacts
    from capsule_lint.judgement import Judgement
    from capsule_lint.policy import Policy, Scope
    from capsule_lint.program import Program

SPARE: Final = 1_000_000
"""How many characters without a word of interest are read all the same: a small program is read
whole, so that every broken file is told of."""
_COMPUTED: Final = (
    re.compile(
        r"""getattr\s*\((?!\s*(?:self|cls)\s*,)(?![^,()]*,\s*["'][^"'\n]*["']\s*[,)])(?:[^,()]*,\s*[fF]?["'](?P<start>\w+))?"""
    ),
    re.compile(r"vars\s*\((?!\s*self\s*\))(?P<start>)"),
    re.compile(r"(?<!\bself\.)__dict__(?P<start>)"),
)
"""A lookup by a name that is made, and what the name starts with, where that is written out; not in
the object itself, which only its own class and what that inherits from can be about. Each begins with
what it is searched by."""
_STAR: Final = re.compile(r"from[ \t]+(\.*)([\w.]*)[ \t]*import[ \t]*\*")
"""Where all that a module has is imported from."""
_CAPITAL: Final = re.compile(r"[(,]\s*[A-Z]\w*\s*=(?!=)")
"""An argument called as those of DynamoDB's operations are."""
_CALLS: Final = re.compile(
    rf"\.(?:\s|\\\n|#[^\n]*\n)*(?:{'|'.join(sorted(COMMON | SHORT))})(?:\s|\\\n|#[^\n]*\n)*\("
)
"""A call of what may be an operation of a table."""
_OPTION: Final = re.compile(rf"""["'](?:{"|".join(sorted(OPTIONS))})["']""")
_CLASS: Final = re.compile(r"^[ \t]*class[ \t]+(\w+)", re.MULTILINE)
_SPREAD: Final = re.compile(rf"\b(?:{'|'.join(sorted(SHORT))})\([^)]*\*\*")
_MAKES_KEY: Final = re.compile(
    r"def[ \t\\\n]+\w*(?:[kK][eE][yY]|[gGlL][sS][iI]|[iI][nN][dD][eE][xX])"
)
_HASH: Final = re.compile(
    r"""["'][^"'\n]*(?:\w[ ]|[^\s"'])#|[^\s"']#[^"'\n]*["']|["']#(?:["'{%]|(?![0-9a-fA-F]{3,8}\b)\w)"""
)
"""A mark in a text, behind something or alone: no color, and no comment."""
_CODE: Final = re.compile(r"CAP\d*")
_LOOKS: Final = ("getattr", "vars", "__dict__")
_FEW: Final = 40
"""To search all files for so many words takes less time than to read them."""


@dataclass(eq=False)
class Interest:
    """Finds the files of a program that can matter."""

    policy: Policy
    texts: Mapping[str, str]
    spare: int = SPARE
    sights: Sights = field(default_factory=Sights)
    """What an earlier run has seen in them."""
    _guessed: set[str] = field(default_factory=set)
    joined: set[str] | None = None
    """The files that a name has led to from those with a word of interest; a later run that starts
    with them as well comes to its end sooner."""
    quiet: frozenset[str] = frozenset()
    """The other files that look functions up by names that are made."""
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
        self._guessed = set(self.sights.joined) if before is None else set()
        found = telling | ((before or self._guessed) & self.texts.keys())
        return set(self.texts) if self._is_small(found) else found

    def needless(self) -> set[str]:
        """Those of the files to start with that neither hold a word of interest nor were asked for: they
        mattered to an older version of the program. They are told of once."""
        guessed, self._guessed = self._guessed & self.texts.keys(), set()
        return guessed - self._telling_files - self.joined if self.joined is not None else set()

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self.texts)

    @cached_property
    def _seen(self) -> dict[str, Sight]:
        """The sights of the files that an earlier run has seen as they are."""
        return self.sights.of(self.texts, repr(self.policy))

    @cached_property
    def _sights(self) -> dict[str, Sight]:
        """What each file tells by itself."""
        vocabulary, found = self._vocabulary, dict(self._seen)
        fresh = [name for name in self.texts if name not in found]
        vocabulary.read(fresh)
        telling = vocabulary.having(self._telling())
        telling.update(filter(self._reads, vocabulary.having(COMMON | SHORT) - telling))
        lookups = self._lookups()
        for name in fresh:
            text = self.texts[name]
            found[name] = Sight(
                name in telling or self._makes_keys(name),
                tuple(_starred(name, text)) if "*" in text else (),
                tuple(sorted(lookups.get(name, ()))),
                tuple(sorted(vocabulary.hidden_in(name))),
            )
        return found

    @cached_property
    def _telling_files(self) -> set[str]:
        """The files that hold a word of interest."""
        return {name for name, sight in self._sights.items() if sight.telling}

    def holding(self, program: Program, judgement: Judgement, chosen: set[str]) -> set[str]:
        """The other files that hold a name which the analysis of the chosen ones has asked about."""
        self.quiet = frozenset()
        if chosen >= self.texts.keys():
            return set()  # `joined` stays unknown
        self.signs = signs = Signs.of(program, judgement)
        joined = self._holding(signs)
        self.sights.note(self.texts, self._sights, signs.search(joined))
        joined.update(self._starring(signs), self._inherited(program))
        looking = set(self._looking(signs))
        self.joined = joined - self._telling_files
        self.quiet = frozenset(looking - joined - self._telling_files - chosen)
        if self._is_small(self.joined | self.quiet | chosen):
            return self.texts.keys() - chosen
        return self.joined - chosen

    def reached(self, signs: Signs) -> bool:
        """Whether any of the files matters to an analysis of others that left these signs."""
        return bool(
            self._telling_files
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
        chosen: set[str],
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

    # --- words that tell by themselves ---

    def _telling(self) -> Iterator[str]:
        """The words of the program that a finding may start at."""
        policy = self.policy
        said = {
            *LONG,
            *STATEMENTS,
            "pynamodb",
            *(name.rpartition(".")[2] for name in policy.entities),
            *(word for scope in policy.scopes for word in _of_policy(scope)),
        }
        cores = re.compile("|".join(map(re.escape, sorted(self._cores()))))
        for word in self._vocabulary.words():
            if word in said or _CODE.fullmatch(word):
                yield word
                continue
            rough = cores.search(word.replace("_", "").lower())
            if rough and (
                policy.is_key_name(word) or any(self._names(word, s) for s in policy.scopes)
            ):
                yield word

    def _reads(self, name: str) -> bool:
        """Whether a file that calls something `query` or `get_item` seems to use a table."""
        text = self._vocabulary.text(name)
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)
        if not _CALLS.search(text):
            return False
        if any(pattern.search(text) for pattern in (_CAPITAL, _SPREAD, _OPTION)):
            return True
        return any(map(self.policy.is_repository_name, _CLASS.findall(text))) or any(
            speaks(word) or is_table(word) for word in self._vocabulary.words_in(name)
        )

    def _names(self, word: str, scope: Scope) -> bool:
        """Whether a word is a name or the tag of a scope, or has the tag in it."""
        return names_scope(word, scope) or bare_word(scope.tag).lower() in word.lower()

    def _cores(self) -> Iterator[str]:
        """What the words that tell by a pattern have in them, in lower case, without underscores."""
        policy = self.policy
        for pattern in (*policy.key_names, *policy.index_key_names):
            yield max(re.split(r"[*?_]|\[[^]]*\]", pattern.lower()), key=len)
        for scope in policy.scopes:
            yield scope.parameter.removesuffix("_id").replace("_", "").lower()
            yield scope.name.replace("_", "").lower()
            yield re.sub(r"[\W_]", "", scope.tag).lower() or scope.parameter

    def _makes_keys(self, name: str) -> bool:
        """Whether a file seems to make keys, though no word says so."""
        text = self._vocabulary.text(name)
        return _MAKES_KEY.search(text) is not None and _HASH.search(text) is not None

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
        vocabulary = self._vocabulary
        vocabulary.read(self._suspects(signs))
        found = vocabulary.having(signs.words)
        for name in vocabulary.having(signs.parts):
            if signs.before.search(vocabulary.text(name)):
                found.add(name)
        for name in vocabulary.having(("split",)):
            if signs.splits.search(vocabulary.text(name)):
                found.add(name)
        return found

    def _suspects(self, signs: Signs) -> Iterable[str]:
        """The files to search: all but those in which nothing was found before, nor stands what is new."""
        before = self.sights.search if self._seen else None
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
        for name, sight in self._sights.items():
            if any(map(signs.linked.holds, sight.stars)):
                yield name

    def _looking(self, signs: Signs) -> Iterator[str]:
        """The files that look functions up by names that they make."""
        for name, sight in self._sights.items() if signs.functions else ():
            if any(f.startswith(start) for start in sight.lookups for f in signs.functions):
                yield name

    def _lookups(self) -> dict[str, set[str]]:
        """The files with lookups by names that are made, and what these names start with."""
        found = {}
        for name in self._vocabulary.having(_LOOKS):
            text = self._vocabulary.text(name)
            starts = {m["start"] or "" for pattern in _COMPUTED for m in pattern.finditer(text)}
            if starts:
                found[name] = starts
        return found


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

    @staticmethod
    def of(program: Program, judgement: Judgement) -> Signs:
        """Those of a program."""
        texts = [
            piece.value
            for site in program.keys.sites
            for piece in site.template.pieces
            if isinstance(piece, Text)
        ]
        return Signs(
            frozenset(_joined(program, judgement)),
            frozenset(function.name for function in program.names.looked_up),
            frozenset(word for text in texts for word in re.findall(r"\w+", text)),
            frozenset(_separators(program, texts)),
            frozenset(program.names.modules),
        )

    def search(self, found: Iterable[str]) -> Search:
        """What files are searched for, and those in which it was found."""
        return Search(self.words, self.parts, self.separators, frozenset(found))

    @cached_property
    def before(self) -> re.Pattern[str]:
        """A word of a key before a separator."""
        marks = {mark[0] for mark in self.separators} | set("#|/:")
        return re.compile(rf"\b(?:{_any(sorted(self.parts))})[{re.escape(''.join(marks))}]")

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


def _starred(name: str, text: str) -> Iterator[str]:
    """The ends of the dotted names of the modules that a file imports all of, as far as its own path and
    the statements tell."""
    for match in _STAR.finditer(text):
        dots, base = match.groups()
        above = name.split("/")[: -len(dots)] if dots else []
        yield ".".join((*above, *filter(None, base.split("."))))


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


def _listen(program: Program, judgement: Judgement) -> None:
    """Ask once more what each call may call that bears the name of something that changes: what is
    asked on the way matters, for there a receiver's type may come from."""
    inference = Inference(program.names, program.classes, listens=True)
    inference.enters = program.domain.enters
    calls = Calls(program.calls.uses, program.classes, inference, program.calls.structural)
    symbols = {s for change in judgement.change_sets.values() for s in change.symbols}
    for name in sorted({symbol.rpartition(".")[2] for symbol in symbols}):
        for alias in sorted(calls.uses.aliases(name)):
            for call in calls.uses.calls(alias):
                inference.of(call.func)


def _joined(program: Program, judgement: Judgement) -> set[str]:
    """The names that the analysis has asked about, or that stand for what a key is made of."""
    policy = program.policy
    tags = {bare_word(scope.tag) for scope in policy.scopes}
    _listen(program, judgement)
    classes = {cls.name for cls in program.domain.repositories | program.domain.entities}
    parameters = {scope.parameter for scope in policy.scopes}
    classes |= {cls.name for cls in program.classes.having(parameters.__contains__)}
    found = program.names.asked | classes
    for module in program.names.modules.values():
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


def _of_policy(scope: Scope) -> Iterator[str]:
    """The names that policy gives for a scope."""
    for source in (*scope.sources, *((scope.test_source,) if scope.test_source else ())):
        yield source.name
    if scope.type is not None:
        yield from scope.type.name.split(".")
