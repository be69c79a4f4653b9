"""The facts of files: those that are known by their content, and those that must be found."""

from __future__ import annotations

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
    _known: dict[str, tuple[bytes, bytes]] | None = None
    _used: dict[str, Plain] = field(default_factory=dict)
    _found: bool = False
    hints: KnownHints = field(init=False)

    def __post_init__(self) -> None:
        self.hints = KnownHints(self.store, self.version)

    def build(self, texts: Mapping[str, str], markers: tuple[str, ...]) -> dict[str, FileFacts]:
        """The facts of each file, by name; `markers` are those of generated files."""
        known = self._load()
        names, missing = {}, []
        found: dict[str, FileFacts] = {}
        for name, text in texts.items():
            if self.store is None:
                missing.append(name)
                continue
            own = names[name] = self._name(text, markers)
            entry = known.get(name)
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
        known = self._load()
        self._found |= any(known.get(name) != one for name, one in kept.items())
        self._used.update(kept)

    def save(self) -> None:
        """Keep the facts of all files that were asked for."""
        if self.store is not None and (self._found or len(self._used) != len(self._known or ())):
            self.store.save(_NAME, self._used)
        self.hints.save()

    def _encoded(self, facts: FileFacts) -> bytes:
        """What can be kept of facts; nothing of a file whose name is no text."""
        try:
            return self._encoder.encode(facts)
        except UnicodeEncodeError:
            return b""

    def _note(self, name: str, names: Mapping[str, bytes], data: bytes) -> None:
        self._found = True
        self._used[name] = (names[name], data)

    def _load(self) -> Mapping[str, tuple[bytes, bytes]]:
        if self._known is None:
            known = self.store.load(_NAME) if self.store is not None else None
            self._known = known if isinstance(known, dict) else {}
        return self._known

    def _name(self, text: str, markers: tuple[str, ...]) -> bytes:
        said = "\0".join(markers).encode(errors="surrogateescape")
        return digest(self.version, said, text.encode(errors="surrogatepass"))

    def _decoded(self, data: bytes) -> FileFacts | None:
        try:
            return self._decoder.decode(data)
        except (msgspec.DecodeError, ValueError):
            return None
