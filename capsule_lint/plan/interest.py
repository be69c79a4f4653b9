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
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.opinions.scans import STATEMENTS
from capsule_lint.program import Rest
from capsule_lint.program.calls import Calls
from capsule_lint.program.domain import TABLE_CALLS
from capsule_lint.program.infer import Inference
from capsule_lint.program.pieces import Text, names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from capsule_lint.facts.tree import FileFacts
    from capsule_lint.judgement import Judgement
    from capsule_lint.policy import Policy, Scope
    from capsule_lint.program import Program

SPARE: Final = 1_000_000
"""How many characters without a word of interest are read all the same: a small program is read
whole, so that every broken file is told of."""
_PLAIN: Final = bytes(
    c if c >= 0x80 or chr(c).isalnum() or c == ord("_") else ord(" ") for c in range(256)
)
_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)
_HIDING: Final = re.compile(
    rb"""\\[xuUN0-7]|\\\r?\n\s*\w|(?<=\w)["'](?:[\s+\\]|#[^\n]*\n)*[fFrRbBuU]{0,2}["']\w"""
)
"""What may hide a word: escapes, and texts in several parts that meet in the middle of one."""
_COMPUTED: Final = re.compile(r"""\bgetattr\s*\([^,]*,(?!\s*["'])""")
_MAKES_KEY: Final = re.compile(r"\bdef [^(]*(?:key|gsi|lsi|index)", re.IGNORECASE)
_SPLITS: Final = re.compile(r"""split\(\s*(?:sep\s*=\s*)?["'][#|/:]["']""")
_HASH: Final = re.compile(r"""["'][^"'\n]*#|#[^\s"'][^"'\n]*["']""")
_CODE: Final = re.compile(r"CAP\d*")


@dataclass(eq=False)
class Interest:
    """Finds the files of a program that can matter."""

    policy: Policy
    texts: Mapping[str, str]
    spare: int = SPARE

    def seeds(self) -> set[str]:
        """The files to start with."""
        if self._is_small(set()):
            return set(self.texts)
        telling = frozenset(word.encode() for word in self._telling())
        found = {
            name
            for name, words in self._every.items()
            if words is None or not telling.isdisjoint(words) or self._makes_keys(name)
        }
        return set(self.texts) if self._is_small(found) else found

    def holding(self, program: Program, judgement: Judgement, chosen: set[str]) -> set[str]:
        """The other files that hold a name which the analysis of the chosen ones has asked about."""
        if chosen >= self.texts.keys():
            return set()
        asked = {word.encode(errors="surrogatepass") for word in _joined(program, judgement)}
        marks = self._marks(program)
        found = {
            name
            for name, words in self._every.items()
            if name not in chosen
            and words is not None
            and (not asked.isdisjoint(words) or self._is_told(name, words, program, marks))
        }
        return self.texts.keys() - chosen if self._is_small(found | chosen) else found

    def rest(self, chosen: set[str], facts: Callable[[str], FileFacts]) -> Rest:
        """The files that are not chosen, whose facts `facts` gives."""
        others = frozenset(self.texts.keys() - chosen)

        def imports(package: str) -> bool:
            name = re.escape(package)
            pattern = re.compile(rf"^[ \t]*(?:from|import)[ \t]+{name}\b", re.MULTILINE)
            return any(pattern.search(self.texts[one]) for one in others)

        return Rest(others, facts, imports)

    def _is_small(self, chosen: set[str]) -> bool:
        """Whether what is not chosen is little enough to be read as well."""
        others = self.texts.keys() - chosen
        return sum(len(self.texts[name]) for name in others) <= self.spare

    # --- the words of a file ---

    @cached_property
    def _every(self) -> dict[str, frozenset[bytes] | None]:
        """The words of each file; `None` where some may be hidden."""
        return {name: _words(text) for name, text in self.texts.items()}

    # --- words that tell by themselves ---

    def _telling(self) -> Iterator[str]:
        """The words of the program that a finding may start at."""
        policy = self.policy
        every = sorted(frozenset[bytes]().union(*filter(None, self._every.values())))
        said = {
            *TABLE_CALLS,
            *STATEMENTS,
            "pynamodb",
            *(name.rpartition(".")[2] for name in policy.entities),
            *(word for scope in policy.scopes for word in _of_policy(scope)),
        }
        cores = re.compile("|".join(map(re.escape, sorted(self._cores()))))
        for raw in every:
            word = raw.decode(errors="surrogatepass")
            if word in said or _CODE.fullmatch(word):
                yield word
                continue
            rough = cores.search(word.replace("_", "").lower())
            if rough and (
                policy.is_key_name(word) or any(self._names(word, s) for s in policy.scopes)
            ):
                yield word

    def _names(self, word: str, scope: Scope) -> bool:
        """Whether a word is a name or the tag of a scope, or has the tag in it."""
        return names_scope(word, scope) or scope.tag.strip("#|/:").lower() in word.lower()

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
        """Whether a file seems to make keys, or takes them apart, though no word says so."""
        text = self.texts[name]
        if self.policy.is_test_file(name):
            return _HASH.search(text) is not None
        return _SPLITS.search(text) is not None or (
            _MAKES_KEY.search(text) is not None and _HASH.search(text) is not None
        )

    # --- what the analysis leads to ---

    def _marks(self, program: Program) -> tuple[frozenset[bytes], re.Pattern[str]]:
        """The words of the program's keys, as words and as they stand before a separator."""
        found = {
            word
            for site in program.keys.sites
            for piece in site.template.pieces
            if isinstance(piece, Text)
            for word in re.findall(r"\w+", piece.value)
        }
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(found))) or '(?!)'})[#|/:]")
        return frozenset(word.encode(errors="surrogatepass") for word in found), pattern

    def _is_told(
        self,
        name: str,
        words: frozenset[bytes],
        program: Program,
        marks: tuple[frozenset[bytes], re.Pattern[str]],
    ) -> bool:
        text = self.texts[name]
        if not marks[0].isdisjoint(words) and marks[1].search(text):
            return True
        return program.names.looked_up and b"getattr" in words and bool(_COMPUTED.search(text))


def _words(text: str) -> frozenset[bytes] | None:
    data = text.encode(errors="surrogatepass")
    if _HIDING.search(data):
        return None
    if not data.isascii():
        data = unicodedata.normalize("NFKC", text).encode(errors="surrogatepass")
    if b"\\" in data:
        data = _ESCAPE.sub(b" ", data)
    return frozenset(data.translate(_PLAIN).split())


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
    tags = {scope.tag.strip("#|/:") for scope in policy.scopes}
    _listen(program, judgement)
    classes = {cls.name for cls in program.domain.repositories | program.domain.entities}
    classes |= {cls.name for cls in program.classes.all if program.domain.has_scope(cls)}
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
        yield scope.type.name
