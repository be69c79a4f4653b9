"""Which modules are about DynamoDB: elsewhere `pk` is the primary key of a row in SQL, and `partition_key` says where a
message goes."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

from capsule_lint.program.inference.flow import OF_ITEMS
from capsule_lint.program.model import owner_of
from capsule_lint.program.module_words import imported, said_in
from capsule_lint.program.purposes.tables import ASKED, speaks
from capsule_lint.program.texts.pieces import names_any_of, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Policy
    from capsule_lint.program.model import Module, Scope
    from capsule_lint.program.names import Names
    from capsule_lint.program.uses import Uses

LONG: Final = 60
"""How long the text may be that is a name."""
_ITEMS: Final = frozenset(("item", "items"))
_LIBRARIES: Final = re.compile(r"boto|aioboto|aiodynamo|pynamodb|dynam")


@dataclass(eq=False)
class Speaking:
    """Tells it of each module, by what is said in it and what it imports, and those beside it."""

    names: Names
    uses: Uses
    policy: Policy
    _told: dict[Module, bool] = field(default_factory=dict)
    _near: dict[Module, bool] = field(default_factory=dict)
    _keys: dict[Module, bool] = field(default_factory=dict)
    _tables: dict[Module, bool] = field(default_factory=dict)

    def is_told(self, module: Module) -> bool:
        """Whether a module is about DynamoDB, or one that it imports or is imported by uses a table."""
        if module not in self._told:
            said = self.of_keys(module) or self._of_tables(module) or self.is_near(module)
            beside = self._beside.get(module, ())
            self._told[module] = said or any(map(self.is_near, beside))
        return self._told[module]

    def is_of_items(self, scope: Scope) -> bool:
        """Whether a function or the class around it is about items by its name, `to_item`, `OrderRepository`, or there is
        a repository of that class, `Order`."""
        owner = scope.cls or owner_of(scope.function)
        if owner is not None and (
            self.policy.is_repository_name(owner.name) or owner.name in self._kept
        ):
            return True
        return scope.function is not None and not _ITEMS.isdisjoint(words(scope.function.name))

    @cached_property
    def _kept(self) -> set[str]:
        """The names of which there are repositories, without what these are called."""
        ends = [form.lstrip("*") for form in self.policy.repositories if form.startswith("*")]
        return {
            cls.name.removesuffix(end)
            for module in self.names.modules.values()
            for cls in module.classes
            for end in ends
            if cls.name.endswith(end)
        }

    def of_keys(self, module: Module) -> bool:
        """Whether a module names the key of an index, or that of a table beside a sort key or a scope."""
        if module not in self._keys:
            self._keys[module] = self._names_keys(set(_names_in(module)))
        return self._keys[module]

    def is_near(self, module: Module) -> bool:
        """Whether a module imports a library for DynamoDB, or calls what nothing but a table has."""
        if module not in self._near:
            calling = module in self._calling
            self._near[module] = calling or any(map(_LIBRARIES.match, imported(module)))
        return self._near[module]

    def _of_tables(self, module: Module) -> bool:
        """Whether a module names AWS, or what only a table is asked."""
        if module not in self._tables:
            said = chain(imported(module), _names_in(module))
            self._tables[module] = any(word in ASKED or speaks(word) for word in said)
        return self._tables[module]

    def _names_keys(self, said: set[str]) -> bool:
        policy = self.policy
        if not any(map(policy.is_key_name, said)):
            return False
        return (
            any(map(policy.is_index_key_name, said))
            or any(map(policy.is_sort_key_name, said))
            or any(names_any_of(word, policy.scopes) for word in said)
        )

    @cached_property
    def _calling(self) -> set[Module]:
        """The modules that call operations which nothing but a table has."""
        calls = (call for name in OF_ITEMS for call in self.uses.calls_beside(name))
        return {self.names.module_of(call) for call in calls}

    @cached_property
    def _beside(self) -> dict[Module, dict[Module, None]]:
        """The modules that import a module, and those that it imports, by the ends of their names."""
        ends: dict[str, list[Module]] = defaultdict(list)
        found: dict[Module, dict[Module, None]] = defaultdict(dict)
        for module in self.names.modules.values():
            parts = module.name.split(".")
            for start in range(len(parts)):
                ends[".".join(parts[start:])].append(module)
        for module in self.names.modules.values():
            for statement, _ in module.imports:
                for one in statement.names:
                    base = self.names.absolute(module, statement.level, one.module)
                    for other in (*ends.get(base, ()), *ends.get(f"{base}.{one.name}", ())):
                        found[module][other] = found[other][module] = None
        return found


def _names_in(module: Module) -> Iterator[str]:
    return (word for word in said_in(module) if len(word) <= LONG)
