"""Expressions that name keys and have their values elsewhere: `PK = :pk`, `SET GSI1PK = :owner`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.places.sites import Role

if TYPE_CHECKING:
    from capsule_lint.policy import Policy
    from capsule_lint.program.model import Module
    from capsule_lint.program.names import Names
    from capsule_lint.program.texts.templates import Templates

_CONDITION: Final = re.compile(
    r"(?P<name>#?\w+)\s*=\s*(?P<value>:\w+)|begins_with\(\s*(?P<begins>#?\w+)\s*,\s*(?P<prefix>:\w+)"
)


_UPDATE: Final = re.compile(r"\s*(?:SET|ADD|REMOVE|DELETE)\s", re.IGNORECASE)


class Conditions(Struct, frozen=True):
    """Finds the values that stand for keys."""

    names: Names
    templates: Templates
    policy: Policy

    def of(self, module: Module) -> dict[tuple[int, str], tuple[str, Role]]:
        """For each function: the `:values` that a condition compares a key with, or an update sets it to."""
        found: dict[tuple[int, str], tuple[str, Role]] = {}
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
            role = Role.WRITTEN if _UPDATE.match(text) else Role.LOOKUP
            for match in _CONDITION.finditer(text):
                name = match["name"] or match["begins"]
                name = aliases.get((function, name), name.lstrip("#"))
                if self.policy.is_key_name(name):
                    found[function, match["value"] or match["prefix"]] = name, role
        return found
