"""What modules put into collections under keys, by an assignment or by a method of a cache."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.foreign_caches import is_cache
from capsule_lint.plan.memory.keyed_methods import PUTTING, key_of
from capsule_lint.program.local_names import made_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from capsule_lint.plan.memory.keepers import Keepers
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module


class Put(Struct, frozen=True):
    """`into[key] = value`, and the last name of `into`."""

    into: tree.Node
    name: str
    value: tree.Node
    key: tree.Node


@dataclass(eq=False, slots=True)
class Puts:
    """Finds them, once for each module."""

    program: Program
    keepers: Keepers
    _found: dict[Module, list[Put]] = field(default_factory=dict)

    def of(self, module: Module) -> list[Put]:
        """What a module puts into collections under a key."""
        if module not in self._found:
            put = [
                Put(target.base, last_name(target), value, target.index)
                for target, value in module.assigned
                if isinstance(target, tree.Subscript)
            ]
            self._found[module] = [*put, *self._called(module)]
        return self._found[module]

    def _called(self, module: Module) -> Iterator[Put]:
        """What a module gives to methods of caches beside a key: `self._cache.put(note_id, note)`."""
        for call in module.each(tree.Call):
            if len(call.args) > 1 and isinstance(call.func, tree.Attr):
                cached = call.func.name in PUTTING and is_cache(last_name(call.func.base))
                key = self.keepers.key_of(call) or (key_of(call) if cached else None)
                if key is not None:
                    into = call.func.base
                    values = [a.value for a in call.args if a.value is not key]
                    yield from (Put(into, last_name(into), value, key) for value in values)

    def is_made_of(self, put: Put, keys: Collection[int]) -> bool:
        """Whether what is put is made of what some keys are looked up for, here or where a local gets it;
        the keys are told by their ids."""
        return any(id(one) in keys for one in made_of(self.program.names, put.value))
