"""What is found where keys are taken apart: positions that move, and texts that fit the keys no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.plan.state import Knot
    from capsule_lint.plan.taken_apart.probes import Gap
    from capsule_lint.plan.taken_apart.shifts import Shift, Split
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module


DIFFERENT: Final = "takes a key apart by position, and keys change in different ways"
ACROSS: Final = "looks into a key that changes, across what comes into it"
STAYING: Final = "takes a key apart by position, and may be given one that stays as it is"


@dataclass(eq=False, slots=True)
class Reader:
    """One positional read: `number` becomes another one at `node` (an index, a limit), or the target
    `node` that unpacks all parts gets more names."""

    node: tree.Node
    module: Module
    shift: Shift
    knot: Knot
    number: int | None
    separator: str = ""
    """What separated the parts that `node`, a list of values, is compared with."""
    added: tuple[str, ...] = ()
    """What comes into `node`, a pattern, before its item of the shift's number."""
    unpacked: Split | None = None
    """What gives the parts that `node`, a target, unpacks."""
    beside: tree.Node | None = None
    """Where the part is read for whose sake `node`, a limit, changes: that is the same defect."""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes whose segments move what is read."""
        return self.shift.scopes


class Unfit(Struct, frozen=True):
    """Code that does not recognise the changed keys: `text` is what the literal `node` becomes, if known."""

    node: tree.Node
    module: Module
    scopes: tuple[Scope, ...]
    knot: Knot
    old: str
    text: str | None = None
    gaps: tuple[Gap, ...] = ()
    """Where segments come into the text, which a test may know the values of."""
    length: tree.Node | None = None
    """What says how long the text is."""
