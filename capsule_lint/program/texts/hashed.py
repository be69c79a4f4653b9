"""Keys that are hashed, or have a hash in them: the scopes in what is hashed are in the key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.local_names import assigned
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import Filled, hole_name, names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.names import Names
    from capsule_lint.program.texts.pieces import Template

_HASHES: Final = re.compile(r"md5|sha\d|blake\d|uuid[35]$|crc32|hash|digest", re.IGNORECASE)
"""What is in the names of functions that hash."""
_MAX_DEPTH: Final = 3


class Hashed(Struct, frozen=True):
    """Finds the scopes."""

    names: Names

    def has(self, template: Template, scope: Scope) -> bool:
        """Whether the scope's value is hashed in a hole of a template."""
        return any(
            names_scope(hole_name(part), scope)
            for piece in template.pieces
            if isinstance(piece, Filled)
            for hashed in self._hashed(piece.value, 0)
            for part in self._parts(hashed, 0)
        )

    def _hashed(self, node: tree.Node, depth: int) -> Iterator[tree.Node]:
        """What an expression, or the local that it is, is the hash of."""
        if depth > _MAX_DEPTH:
            return
        for part in within(node):
            if isinstance(part, tree.Name):
                for value in assigned(self.names, part):
                    yield from self._hashed(value, depth + 1)
                    if isinstance(value, tree.Call) and _HASHES.search(last_name(value.func)):
                        yield from self._updates(part)
            elif isinstance(part, tree.Call) and _HASHES.search(last_name(part.func)):
                yield from (argument.value for argument in part.args)

    def _updates(self, name: tree.Name) -> Iterator[tree.Node]:
        """What `digest.update(…)` adds in the function that a local stands in."""
        function = self.names.function_of(name)
        for node in self.names.inside(function) if function is not None else ():
            match node:
                case tree.Call(func=tree.Attr(base=tree.Name(id=base), name="update")):
                    if base == name.id:
                        yield from (argument.value for argument in node.args)

    def _parts(self, node: tree.Node, depth: int) -> Iterator[tree.Node]:
        """What an expression is put together of, through locals."""
        for part in within(node):
            yield part
            if isinstance(part, tree.Name) and depth < _MAX_DEPTH:
                for value in assigned(self.names, part):
                    yield from self._parts(value, depth + 1)
