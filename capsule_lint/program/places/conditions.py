"""Texts that compare keys with values given elsewhere, `PK = :pk`, or set them: `SET GSI1PK = :pk`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.places.sites import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
        matched = [
            (id(self.names.function_of(node)), text, match)
            for node, text in self._texts(module)
            for match in _CONDITION.finditer(text)
        ]
        named = any((m["name"] or m["begins"]).startswith("#") for _, _, m in matched)
        aliases = self._aliases(module) if named else {}
        found: Compared = {}
        for function, text, match in matched:
            said = match["name"] or match["begins"]
            inside, outside = ((place, said) for place in (function, id(None)))
            name = aliases.get(inside, aliases.get(outside, said.lstrip("#")))
            if self.is_meant(name):
                sets = match["value"] and _SETS.search(text, 0, match.start())
                role = Role.WRITTEN if sets else Role.LOOKUP
                found[function, match["value"] or match["prefix"]] = name, role
        return found

    def _texts(self, module: Module) -> Iterator[tuple[tree.Node, str]]:
        """The texts that may be conditions."""
        for node in module.either(tree.Const, tree.FString):
            text = node.value if isinstance(node, tree.Const) else None
            if isinstance(node, tree.FString):
                text = "".join(
                    p if isinstance(p, str) else self.templates.constant(p.value) or "_"
                    for p in node.parts
                )
            if isinstance(text, str) and ":" in text:
                yield node, text

    def _aliases(self, module: Module) -> dict[tuple[int, str], str]:
        """The attributes that `#names` stand for, by the functions in which that is said, or outside of any."""
        found: dict[tuple[int, str], str] = {}
        for key, value in _entries(module):
            name = tree.text(key)
            if name is not None and name.startswith("#"):
                real = self.templates.constant(value)
                if real is not None:
                    found[id(self.names.function_of(value)), name] = real
        return found


def compared_first(condition: str | None, aliases: tree.Node | None) -> str:
    """The attribute that the condition of a query compares with one value, which is what a partition is known by; empty
    where the condition says none."""
    return next((name for name, _, equal in compared(condition, aliases) if equal), "")


def compared(condition: str | None, aliases: tree.Node | None) -> Iterator[tuple[str, str, bool]]:
    """The attributes that a condition compares, what stands for the value, and whether they are to be equal to it:
    `PK`, `:pk` and true of `PK = :pk`."""
    for found in _CONDITION.finditer(condition or ""):
        name = found["name"] or found["begins"]
        if name.startswith("#"):
            said = aliases.entries if isinstance(aliases, tree.DictDisplay) else ()
            name = next((tree.text(value) or "" for key, value in said if key == name), "")
        yield name, found["value"] or found["prefix"], bool(found["name"])


def _entries(module: Module) -> Iterator[tuple[tree.Node, tree.Node]]:
    """What stands under which key in the dicts of a module: those that are written out, those that get it
    later, `names["#k"] = "PK"`, and those that are made of pairs."""
    for display in module.each(tree.DictDisplay):
        yield from ((key, value) for key, value in display.pairs if key is not None)
    for pair in module.each(tree.Sequence):
        if pair.kind == "tuple" and len(pair.items) == 2:
            yield pair.items[0], pair.items[1]
    for target, value in module.assigned:
        if isinstance(target, tree.Subscript):
            yield target.index, value
