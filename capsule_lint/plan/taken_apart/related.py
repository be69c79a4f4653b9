"""Which keys code that takes a key apart could be reading."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.taken_apart.shifts import shift_of
from capsule_lint.program.model import Class
from capsule_lint.program.texts.pieces import Text, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.plan.taken_apart.readers import Readers
    from capsule_lint.plan.taken_apart.shifts import Split
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module


class Related(Struct, frozen=True):
    """Finds them."""

    program: Program
    readers: Readers

    def of(self, split: Split, module: Module, defects: list[KeyDefect]) -> list[KeyDefect]:
        """The changed keys that the code could be reading: those with a part that it asks for, or else
        those of its class; or any, where the parts of all move alike, or else those of its module."""
        name = self.readers.splits.name(split.key)
        index = self.program.policy.is_index_key_name(name) or "index" in words(name)
        told = index or self.program.policy.is_key_name(name)
        same = [d for d in defects if not told or self._is_index(d) is index]
        function = self.program.names.function_of(split.call)
        owner = function.owner if function is not None else None
        asked = set(self._asked(split, module)) if len(same) > 1 else set()
        shifts = (shift_of(defect, split.separator) for defect in same)
        moves = {(shift.start, shift.by) for shift in shifts if shift is not None}
        for group in (
            [d for d in same if asked & self._fixed(d, split.separator)],
            [
                d
                for d in same
                if isinstance(owner, Class)
                and d.function is not None
                and d.function.owner is owner
            ],
            same if len(moves) == 1 else [],
            [d for d in same if d.module is module],
            self.named(split, same),
        ):
            if group:
                return group
        return same

    def named(self, split: Split, defects: list[KeyDefect]) -> list[KeyDefect]:
        """Those of keys whose tags stand in the name of the function that takes one apart."""
        function = self.program.names.function_of(split.call)
        said = set(words(function.name)) if function is not None else set()
        return [d for d in defects if said & self._tags(d)]

    def _asked(self, split: Split, module: Module) -> Iterator[str]:
        """The texts that parts of a split are compared with: `parts[2] == "ORDER"`."""
        function = self.program.names.function_of(split.call)
        for compare in module.each(tree.Compare):
            sides = (compare.left, *compare.rights)
            texts = [t for one in sides for t in self._texts(one)]
            here = texts and self.program.names.function_of(compare) is function
            if here and any(self._is_part(one, split) for one in sides):
                yield from texts

    def _texts(self, node: tree.Node) -> Iterator[str]:
        for one in tree.items(node):
            text = self.program.templates.constant(one)
            if text:
                yield text

    def _is_part(self, node: tree.Node, split: Split) -> bool:
        match node:
            case tree.Subscript() if tree.integer(node.index) is not None:
                return any(one.call is split.call for one in self.readers.splits.of(node.base))
            case tree.Name():
                bindings = self.program.names.bindings_of(node)
                return any(binding.path and binding.value is split.call for binding in bindings)
            case _:
                return False

    def _fixed(self, defect: KeyDefect, separator: str) -> set[str]:
        """The parts of a key that are always the same."""
        pieces = defect.template.pieces
        plain = "".join(p.value if isinstance(p, Text) else "?" for p in pieces)
        return set(plain.split(separator))

    def _tags(self, defect: KeyDefect) -> set[str]:
        """The words of a template's text, without those of scopes."""
        texts = [p.value for p in defect.template.pieces if isinstance(p, Text)]
        tags = {word for text in texts for tag in re.findall(r"\w+", text) for word in words(tag)}
        return tags - {word for s in self.program.policy.scopes for word in words(s.tag)}

    def _is_index(self, defect: KeyDefect) -> bool:
        site = self.program.keys.at(defect.template.host)
        return site.index if site is not None else False
