"""What the text of a file tells by itself: words that a finding may start at, and ways to what has no name in it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.cache.hints import Hints
from capsule_lint.plan.opinions.scans import OPTIONS, STATEMENTS
from capsule_lint.program.purposes.tables import COMMON, LONG, SHORT, is_table, speaks
from capsule_lint.program.texts.pieces import bare_word, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capsule_lint.plan.interest.vocabulary import Vocabulary
    from capsule_lint.policy import Policy, Scope

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


@dataclass(eq=False, slots=True)
class Telling:
    """Sees what each file tells, under a policy."""

    policy: Policy
    vocabulary: Vocabulary
    texts: Mapping[str, str]

    def hints(self, names: Sequence[str]) -> Iterator[tuple[str, Hints]]:
        """What each of these files tells; the vocabulary knows their words afterwards."""
        vocabulary = self.vocabulary
        vocabulary.read(names)
        telling = vocabulary.having(self._telling())
        telling.update(filter(self._reads, vocabulary.having(COMMON | SHORT) - telling))
        lookups = self._lookups()
        for name in names:
            text = self.texts[name]
            yield (
                name,
                Hints(
                    name in telling or self._makes_keys(name),
                    tuple(_starred(name, text)) if "*" in text else (),
                    tuple(sorted(lookups.get(name, ()))),
                    tuple(sorted(vocabulary.hidden_in(name))),
                ),
            )

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
        for word in self.vocabulary.words():
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
        text = self.vocabulary.text(name)
        if not text.isascii():
            text = unicodedata.normalize("NFKC", text)
        if not _CALLS.search(text):
            return False
        if any(pattern.search(text) for pattern in (_CAPITAL, _SPREAD, _OPTION)):
            return True
        return any(map(self.policy.is_repository_name, _CLASS.findall(text))) or any(
            speaks(word) or is_table(word) for word in self.vocabulary.words_in(name)
        )

    def _names(self, word: str, scope: Scope) -> bool:
        """Whether a word is a name or the tag of a scope, or has the tag in it."""
        tag = bare_word(scope.tag).lower()
        return names_scope(word, scope) or (bool(tag) and tag in word.lower())

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
        text = self.vocabulary.text(name)
        return _MAKES_KEY.search(text) is not None and _HASH.search(text) is not None

    def _lookups(self) -> dict[str, set[str]]:
        """The files with lookups by names that are made, and what these names start with."""
        found = {}
        for name in self.vocabulary.having(_LOOKS):
            text = self.vocabulary.text(name)
            starts = {m["start"] or "" for pattern in _COMPUTED for m in pattern.finditer(text)}
            if starts:
                found[name] = starts
        return found


def _starred(name: str, text: str) -> Iterator[str]:
    """The ends of the dotted names of the modules that a file imports all of, as far as its own path and
    the statements tell."""
    for match in _STAR.finditer(text):
        dots, base = match.groups()
        above = name.split("/")[: -len(dots)] if dots else []
        yield ".".join((*above, *filter(None, base.split("."))))


def _of_policy(scope: Scope) -> Iterator[str]:
    """The names that policy gives for a scope."""
    for source in (*scope.sources, *((scope.test_source,) if scope.test_source else ())):
        yield source.name
    if scope.type is not None and scope.type.module != "builtins":
        yield from scope.type.name.split(".")
