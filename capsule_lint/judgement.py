"""What is known about the nodes of a program when rules look at them: frozen, without syntax nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from capsule_lint.model import ChangeSet, Occurrence, Span


class KeyUse(StrEnum):
    """What the value of a key expression is for."""

    WRITTEN = "written"
    LOOKUP = "lookup"
    HELPER = "helper"
    LOCAL = "local"


class FunctionKind(StrEnum):
    """What a function is, as far as isolation goes."""

    HELPER = "helper"
    METHOD = "method"
    HANDLER = "handler"


class OpenKind(StrEnum):
    """Why a place needs a person."""

    REFERENCE = "reference"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about the node at `span`; `missing` are parameter names, outermost scope first."""

    filename: str
    span: Span
    symbol: str
    missing: tuple[str, ...]
    entity: str | None = None
    change_set: str | None = None


@dataclass(frozen=True, slots=True)
class KeyFact(Fact):
    """A template in a key position, or the key or filter of an in-memory collection."""

    use: KeyUse = KeyUse.LOOKUP
    index: bool = False


@dataclass(frozen=True, slots=True)
class FunctionFact(Fact):
    """A function that lacks scope parameters (or, a handler, does not take them from its context)."""

    kind: FunctionKind = FunctionKind.METHOD
    drifting: str | None = None
    """The base whose scope parameters it does not have."""


@dataclass(frozen=True, slots=True)
class ClassFact(Fact):
    """A class that lacks fields for scopes that its keys need."""


@dataclass(frozen=True, slots=True)
class CallFact(Fact):
    """A call that lacks arguments for scopes that its callee already demands; `symbol` is the callee."""


@dataclass(frozen=True, slots=True)
class ReaderFact(Fact):
    """Code that takes a changing key apart by position."""


@dataclass(frozen=True, slots=True)
class OpenFact(Fact):
    """A place that a change set cannot settle by itself."""

    kind: OpenKind = OpenKind.REFERENCE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that could not be read or parsed, and the words in it (`None` when they are not known)."""

    filename: str
    row: int
    words: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class OpinionFact(Fact):
    """Something that is complete and still not right; `missing` are the scopes that it is about."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class OrderFact(OpinionFact):
    """A key whose segments do not stand in policy's order at its front."""


@dataclass(frozen=True, slots=True)
class LiteralFact(OpinionFact):
    """A scope's value that is written out; `reason` is the value."""


@dataclass(frozen=True, slots=True)
class ScanFact(OpinionFact):
    """A read of a whole table that scopes do not narrow; `reason` is what it is called."""


@dataclass(frozen=True, slots=True)
class OptionalFact(OpinionFact):
    """A scope parameter or field that can be left out; `reason` says how."""


@dataclass(frozen=True, slots=True)
class UnusedFact(OpinionFact):
    """A scope parameter that the body of its function never reads."""


@dataclass(frozen=True, slots=True)
class SwapFact(OpinionFact):
    """One scope's value where another's belongs; `reason` is what stands there."""


@dataclass(frozen=True, slots=True)
class TrustFact(OpinionFact):
    """A scope's value that the client sends; `reason` says in what."""


@dataclass(frozen=True, slots=True)
class MarkerFact(OpinionFact):
    """An entity without the marker decorator, whose name is `reason`."""


@dataclass(frozen=True, slots=True)
class EvidenceFact(OpinionFact):
    """A repository of which no test shows that it keeps two values of a scope apart."""


@dataclass(frozen=True, slots=True)
class AssertionFact(OpinionFact):
    """A test that asserts fields of an entity (`reason` is its name there) and never its scope."""


@dataclass(frozen=True)
class Judgement:
    """All facts of a program, its change sets and its ledger."""

    facts: tuple[Fact, ...] = ()
    change_sets: Mapping[str, ChangeSet] = field(default_factory=dict)
    ledger: tuple[Occurrence, ...] = ()
    entities: tuple[str, ...] = ()

    def by_file(self) -> Mapping[str, Iterable[Fact]]:
        """The facts of each file."""
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            found.setdefault(fact.filename, []).append(fact)
        return found
