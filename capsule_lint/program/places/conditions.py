"""Texts that compare keys with values given elsewhere, `PK = :pk`, or set them: `SET GSI1PK = :pk`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.places.sites import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from capsule_lint.program.model import Module
    from capsule_lint.program.names import Names
    from capsule_lint.program.texts.templates import Templates

_CONDITION: Final = re.compile(
    r"(?P<name>#?\w+)\s*=\s*(?P<value>:\w+)|begins_with\(\s*(?P<begins>#?\w+)\s*,\s*(?P<prefix>:\w+)"
)

_Said = TypeVar("_Said")
_SETS: Final = re.compile(r"\bSET\b", re.IGNORECASE)
Compared: TypeAlias = dict[tuple[int, str], tuple[str, Role]]
"""What `:values` stand for in a call or dict, and elsewhere in a function: the key's name, and whether it is set."""


class Conditions(Struct, frozen=True):
    """Finds the values that stand for keys."""

    names: Names
    templates: Templates
    is_meant: Callable[[str], bool]
    """Whether values count that an attribute of that name is compared with."""

    def of(self, module: Module) -> Compared:
        """For each function, and for each call and dict that holds a condition string: the `:values` that this compares
        a key with, or an update sets."""
        matched = [
            (node, text, match)
            for node, text in self._texts(module)
            for match in _CONDITION.finditer(text)
        ]
        named = any((m["name"] or m["begins"]).startswith("#") for _, _, m in matched)
        aliases = self._aliases(module) if named else {}
        found: Compared = {}
        for node, text, match in matched:
            said, places = match["name"] or match["begins"], holding(self.names, node)
            name = said_near(aliases, (*places, id(None)), said) or said.lstrip("#")
            if self.is_meant(name):
                sets = match["value"] and _SETS.search(text, 0, match.start())
                role = Role.WRITTEN if sets else Role.LOOKUP
                for place in places:
                    found[place, match["value"] or match["prefix"]] = name, role
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
        """The attributes that `#names` stand for, by the calls, dicts and functions in which that is said, or outside of
        any."""
        found: dict[tuple[int, str], str] = {}
        for key, value in _entries(module):
            name = tree.text(key)
            if name is not None and name.startswith("#"):
                real = self.templates.constant(value)
                if real is not None:
                    places = holding(self.names, entries_of(self.names, value))
                    found.update(((place, name), real) for place in places)
        return found


def entries_of(names: Names, value: tree.Node) -> tree.Node:
    """The dict that is written out with a value, or the value where that is in none."""
    made = names.parent(value)
    return made if isinstance(made, tree.DictDisplay) else value


def holding(names: Names, node: tree.Node) -> tuple[int, ...]:
    """Where what an expression says holds, nearest first: in the call or dict that it is an argument or entry of, by which
    queries of one function are told apart, and in the function."""
    function, around = id(names.function_of(node)), names.parent(node)
    while isinstance(around, tree.Binary):
        around = names.parent(around)
    near = isinstance(around, tree.Call | tree.DictDisplay)
    return (id(around), function) if near else (function,)


def said_near(
    said: Mapping[tuple[int, str], _Said], places: tuple[int, ...], name: str
) -> _Said | None:
    """What is said of a name in the first of some places."""
    return next((said[place, name] for place in places if (place, name) in said), None)


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
