"""What is known about the nodes of a program when rules look at them: frozen, without syntax nodes."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

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


class Fact(Struct, frozen=True):
    """Something about the node at `span`; `missing` are parameter names, outermost scope first."""

    filename: str
    span: Span
    symbol: str
    missing: tuple[str, ...]
    entity: str | None = None
    change_set: str | None = None


class KeyFact(Fact, frozen=True):
    """A template in a key position, or the key or filter of an in-memory collection."""

    use: KeyUse = KeyUse.LOOKUP
    index: bool = False


class FunctionFact(Fact, frozen=True):
    """A function that lacks scope parameters (or, a handler, does not take them from its context)."""

    kind: FunctionKind = FunctionKind.METHOD
    drifting: str | None = None
    """The base whose scope parameters it does not have."""


class ClassFact(Fact, frozen=True):
    """A class that lacks fields for scopes that its keys need."""


class CallFact(Fact, frozen=True):
    """A call that lacks arguments for scopes that its callee already demands; `symbol` is the callee."""


class ReaderFact(Fact, frozen=True):
    """Code that takes a changing key apart by position."""


class OpenFact(Fact, frozen=True):
    """A place that a change set cannot settle by itself."""

    kind: OpenKind = OpenKind.REFERENCE
    reason: str = ""


class Broken(Struct, frozen=True):
    """A file that could not be read or parsed, and the words in it (`None` when they are not known)."""

    filename: str
    row: int
    words: frozenset[str] | None


class OpinionFact(Fact, frozen=True):
    """Something that is complete and still not right; `missing` are the scopes that it is about."""

    reason: str = ""


class OrderFact(OpinionFact, frozen=True):
    """A key whose segments do not stand in policy's order at its front."""


class LiteralFact(OpinionFact, frozen=True):
    """A scope's value that is written out; `reason` is the value."""


class ScanFact(OpinionFact, frozen=True):
    """A read of a whole table that scopes do not narrow; `reason` is what it is called."""


class OptionalFact(OpinionFact, frozen=True):
    """A scope parameter or field that can be left out; `reason` says how."""


class DriftFact(OpinionFact, frozen=True):
    """A method that takes scopes in another place than its base; `reason` says so."""


class UnusedFact(OpinionFact, frozen=True):
    """A scope parameter that the body of its function never reads."""


class SwapFact(OpinionFact, frozen=True):
    """One scope's value where another's belongs; `reason` is what stands there."""


class TrustFact(OpinionFact, frozen=True):
    """A scope's value that the client sends; `reason` says in what."""


class MarkerFact(OpinionFact, frozen=True):
    """An entity without the marker decorator, whose name is `reason`."""


class EvidenceFact(OpinionFact, frozen=True):
    """A repository of which no test shows that it keeps two values of a scope apart."""


class AssertionFact(OpinionFact, frozen=True):
    """A test that asserts fields of an entity (`reason` is its name there) and never its scope."""


class Judgement(Struct, frozen=True, dict=True):
    """All facts of a program, its change sets and its ledger."""

    facts: tuple[Fact, ...] = ()
    change_sets: Mapping[str, ChangeSet] = field(default_factory=dict)
    ledger: tuple[Occurrence, ...] = ()
    entities: tuple[str, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)
    """The names under which changing symbols are written, and these."""

    def by_file(self) -> Mapping[str, Iterable[Fact]]:
        """The facts of each file."""
        found: dict[str, list[Fact]] = {}
        for fact in self.facts:
            found.setdefault(fact.filename, []).append(fact)
        return found
