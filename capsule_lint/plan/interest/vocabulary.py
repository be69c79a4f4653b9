"""The words of a program, and the files in which they stand, without a parse."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PLAIN: Final = bytes(
    c if c >= 0x80 or chr(c).isalnum() or c == ord("_") else ord(" ") for c in range(256)
)
_ESCAPE: Final = re.compile(rb"\\(?:[\xc0-\xff][\x80-\xbf]*|.)", re.DOTALL)
"""A backslash, and the character behind it in UTF-8."""
_ESCAPED: Final = re.compile(r"\\(?:[xuUN0-7]|\r?\n\s*\w)")
_PARTED: Final = re.compile(r"""["'](?<=\w["'])(?:[\s+\\]|#[^\n]*\n)*[fFrRbBuU]{0,2}["']\w""")
"""What may hide a word: escapes, and texts in several parts that meet in the middle of one."""
_HIDDEN: Final = re.compile(
    r"""\\(?:\r?\n|x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"""
    r"""|N\{(?P<name>[^}\n]+)\}|(?P<octal>[0-7]{1,3})|(?P<other>.))"""
    r"""|["'](?:\s|\+|\\\r?\n|#[^\n]*\n)*[fFrRbBuU]{0,2}["']"""
)


class Vocabulary:
    """The words of files. Words that an escape or a text in several parts hides are among them."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._shown: dict[str, str] = {}
        self._files: dict[bytes, list[str]] = defaultdict(list)
        self._read: set[str] = set()

    def __contains__(self, name: str) -> bool:
        """Whether a file has been read."""
        return name in self._read

    def read(self, names: Iterable[str]) -> None:
        """Read these files. Of all others, none of the words is known."""
        for name in names:
            if name in self._read:
                continue
            self._read.add(name)
            text = self._texts[name]
            if ("\\" in text and _ESCAPED.search(text)) or _PARTED.search(text):
                self._shown[name] = f"{text}\n{_HIDDEN.sub(_said, text)}"
            for word in set(_words(self.text(name))):
                self._files[word].append(name)

    def text(self, name: str) -> str:
        """The text of a file; one in which words may be hidden twice, the second time with all shown."""
        return self._shown.get(name) or self._texts[name]

    def words(self) -> Iterator[str]:
        """All words of the files that were read."""
        return (word.decode(errors="surrogatepass") for word in self._files)

    def having(self, words: Iterable[str]) -> set[str]:
        """The files in which any of some words stands."""
        found: set[str] = set()
        for word in words:
            found.update(self._files.get(word.encode(errors="surrogatepass"), ()))
        return found

    def hidden_in(self, name: str) -> set[str]:
        """The words of a file that nobody finds in it who looks for them."""
        text = self._texts[name]
        if name not in self._shown and unicodedata.is_normalized("NFKC", text):
            return set()
        seen = frozenset(_split(text.encode(errors="surrogatepass")))
        new = (word.decode(errors="surrogatepass") for word in {*_words(self.text(name))} - seen)
        return {word for word in new if word not in text}

    def words_in(self, name: str) -> set[str]:
        """The words of a file."""
        return {word.decode(errors="surrogatepass") for word in _words(self.text(name))}


def _words(text: str) -> list[bytes]:
    data = text.encode(errors="surrogatepass")
    if not data.isascii():
        data = unicodedata.normalize("NFKC", text).encode(errors="surrogatepass")
    if b"\\" in data:
        data = _ESCAPE.sub(b" ", data)
    return _split(data)


def _split(data: bytes) -> list[bytes]:
    return data.translate(_PLAIN).split()


def _said(match: re.Match[str]) -> str:
    """What a part of a text stands for that may hide a word."""
    code = match["x"] or match["u"] or match["U"]
    if code or match["octal"]:
        number = int(code, 16) if code else int(match["octal"], 8)
        return chr(number) if number <= sys.maxunicode else " "
    if match["name"]:
        try:
            return unicodedata.lookup(match["name"])
        except KeyError:
            return " "
    return " " if match["other"] else ""
