"""Templates in key positions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from capsule_lint.program.model import Class, Function, Module, owner_of

if TYPE_CHECKING:
    from capsule_lint.program.texts.pieces import Template

WRITES: Final = frozenset(
    (
        "put_item",
        "Put",
        "put",
        "Item",
        "put_record",
        "PutRequest",
        "save",
        "Attributes",
        "AttributeUpdates",
        "batch_put",
        "write",
    )
)
"""What puts items into a table, and what they are put there as."""

UPDATE: Final = "UpdateExpression"
VALUES: Final = "ExpressionAttributeValues"
NAMES: Final = "ExpressionAttributeNames"
"""What operations are told an expression as, the values in it, and the attributes that its `#names` stand for."""


class Role(StrEnum):
    """What a template is used for."""

    WRITTEN = "written"
    LOOKUP = "lookup"
    HELPER = "helper"


@dataclass(eq=False, slots=True)
class KeySite:
    """A template in a key position."""

    template: Template
    module: Module
    function: Function | None
    """The function that the template is written in, or filled in where it is chosen of several."""
    role: Role
    index: bool
    """Whether it is the partition key of a secondary index."""
    prefix: bool = False
    """Whether it is only the beginning of a key."""
    cls: Class | None = None
    """The class in whose body it stands, where it is chosen of several."""

    @property
    def owner(self) -> Class | None:
        """The class that the template is written in."""
        return self.cls or owner_of(self.function)
