"""The facts of files: those that are known by their content, and those that must be found."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

from capsule_lint.cache.hints import KnownHints
from capsule_lint.cache.store import digest
from capsule_lint.facts.build import build
from capsule_lint.facts.tree import FileFacts
from capsule_lint.workers import fork_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capsule_lint.cache.store import Plain, Store

_NAME: Final = "facts"
_SHARES: Final = 8
"""Blobs among which the facts are shared out: where one file has changed, the others stay as they are, and
none of a large program gets too large to be kept."""
_WORTH: Final = 400_000
"""How many characters a process should have to parse."""


@dataclass(eq=False, slots=True)
class Builder:
    """Builds the facts of files, on several processors, and keeps them."""

    store: Store | None = None
    version: bytes = b""
    jobs: int = 1
    _encoder: msgspec.msgpack.Encoder = field(default_factory=msgspec.msgpack.Encoder)
    _decoder: msgspec.msgpack.Decoder[FileFacts] = field(
        default_factory=lambda: msgspec.msgpack.Decoder(FileFacts)
    )
    _known: dict[int, Mapping[str, tuple[bytes, bytes]]] = field(default_factory=dict)
    _used: dict[str, Plain] = field(default_factory=dict)
    _found: set[int] = field(default_factory=set)
    """The shares in which something is new."""
    hints: KnownHints = field(init=False)

    def __post_init__(self) -> None:
        self.hints = KnownHints(self.store, self.version)

    def build(self, texts: Mapping[str, str], markers: tuple[str, ...]) -> dict[str, FileFacts]:
        """The facts of each file, by name; `markers` are those of generated files."""
        names, missing = {}, []
        found: dict[str, FileFacts] = {}
        for name, text in texts.items():
            if self.store is None:
                missing.append(name)
                continue
            own = names[name] = self._key(text, markers)
            entry = self._load(_share_of(name)).get(name)
            facts = self._decoded(entry[1]) if entry is not None and entry[0] == own else None
            if facts is None or entry is None:
                missing.append(name)
            else:
                found[name] = facts
                self._used[name] = entry
        sizes = [len(texts[name]) for name in missing]
        encoded = (
            fork_map(
                lambda name: self._encoded(build(name, texts[name], markers)),
                missing,
                sizes,
                self.jobs,
                _WORTH,
            )
            if self.jobs > 1 and sum(sizes) >= 2 * _WORTH
            else []
        )
        unknown = [b""] * (len(missing) - len(encoded))
        for name, data in zip(missing, [*encoded, *unknown], strict=True):
            found[name] = self._decoder.decode(data) if data else build(name, texts[name], markers)
            if self.store is not None and (data := data or self._encoded(found[name])):
                self._note(name, names, data)
        return {name: found[name] for name in texts}

    @property
    def kept(self) -> Mapping[str, Plain]:
        """What is kept of the files that were asked for."""
        return self._used

    def adopt(self, kept: Mapping[str, Plain]) -> None:
        """Keep as well what another process has kept."""
        for name, one in kept.items():
            share = _share_of(name)
            if self._load(share).get(name) != one:
                self._found.add(share)
        self._used.update(kept)

    def save(self) -> None:
        """Keep the facts of all files that were asked for."""
        if self.store is not None:
            shares: list[dict[str, Plain]] = [{} for _ in range(_SHARES)]
            for name, one in self._used.items():
                shares[_share_of(name)][name] = one
            for number, share in enumerate(shares):
                if number in self._found or len(share) != len(self._load(number)):
                    self.store.save(_name(number), share)
        self.hints.save()

    def _encoded(self, facts: FileFacts) -> bytes:
        """What can be kept of facts; nothing of a file whose name is no text."""
        try:
            return self._encoder.encode(facts)
        except UnicodeEncodeError:
            return b""

    def _note(self, name: str, names: Mapping[str, bytes], data: bytes) -> None:
        self._found.add(_share_of(name))
        self._used[name] = (names[name], data)

    def _load(self, share: int) -> Mapping[str, tuple[bytes, bytes]]:
        if share not in self._known:
            known = self.store.load(_name(share)) if self.store is not None else None
            self._known[share] = known if isinstance(known, dict) else {}
            if known and self.store is not None:
                self.store.touch(_name(share))
        return self._known[share]

    def _key(self, text: str, markers: tuple[str, ...]) -> bytes:
        said = "\0".join(markers).encode(errors="surrogateescape")
        return digest(self.version, said, text.encode(errors="surrogatepass"))

    def _decoded(self, data: bytes) -> FileFacts | None:
        try:
            return self._decoder.decode(data)
        except (msgspec.DecodeError, ValueError):
            return None


def _name(share: int) -> str:
    return f"{_NAME}-{share}"


def _share_of(name: str) -> int:
    """The share that a file's facts are in; the same in each run."""
    return zlib.crc32(name.encode(errors="surrogateescape")) % _SHARES
