"""What classes inherit from: what the names of bases say that are not of the program."""

from __future__ import annotations

from typing import Final

from capsule_lint.program.model import Class

ADDING_NOTHING: Final = frozenset(("object", "ABC", "Protocol", "Generic"))
"""Bases that a class has nothing of."""
PLAIN_BASES: Final = ADDING_NOTHING | {"BaseModel", "NamedTuple", "TypedDict"}
"""Bases that give an object no attributes of its own, and call no methods of it."""
MODELS: Final = frozenset(("BaseModel", "SQLModel"))
"""Bases of models that check what they are made of."""


def last_name_of(base: Class | str) -> str:
    """`C` for `a.b.C`, and for a class its name."""
    return base.name if isinstance(base, Class) else base.rpartition(".")[2]
