"""Texts that compare keys with values given elsewhere, `PK = :pk`, or set them: `SET GSI1PK = :pk`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.places.sites import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from capsule_lint.program.model import Module
    from capsule_lint.program.names import Names
    from capsule_lint.program.texts.templates import Templates

_CONDITION: Final = re.compile(
    r"(?P<name>#?\w+)\s*=\s*(?P<value>:\w+)|begins_with\(\s*(?P<begins>#?\w+)\s*,\s*(?P<prefix>:\w+)"
)

_SETS: Final = re.compile(r"\bSET\b", re.IGNORECASE)
Compared: TypeAlias = dict[tuple[int, str], tuple[str, Role]]
"""What a function's `:values` stand for: the key's name, and whether it is set."""


class Conditions(Struct, frozen=True):
    """Finds the values that stand for keys."""

    names: Names
    templates: Templates
    is_meant: Callable[[str], bool]
    """Whether values count that an attribute of that name is compared with."""

    def of(self, module: Module) -> Compared:
        """For each function: the `:values` that a condition string compares a key with, or an update sets."""
        found: Compared = {}
        aliases: dict[tuple[int, str], str] = {}
        for display in module.each(tree.DictDisplay):
            for name, value in display.entries:
                if name.startswith("#"):
                    real = self.templates.constant(value)
                    if real is not None:
                        aliases[id(self.names.function_of(display)), name] = real
        for node in module.either(tree.Const, tree.FString):
            text = node.value if isinstance(node, tree.Const) else None
            if isinstance(node, tree.FString):
                text = "".join(
                    p if isinstance(p, str) else self.templates.constant(p.value) or "_"
                    for p in node.parts
                )
            if not isinstance(text, str) or ":" not in text:
                continue
            function = id(self.names.function_of(node))
            for match in _CONDITION.finditer(text):
                name = match["name"] or match["begins"]
                name = aliases.get((function, name), name.lstrip("#"))
                if self.is_meant(name):
                    sets = match["value"] and _SETS.search(text, 0, match.start())
                    role = Role.WRITTEN if sets else Role.LOOKUP
                    found[function, match["value"] or match["prefix"]] = name, role
        return found
