"""Who else fills a dict that is written out, `PLANS = {…}`: asked for where the answer matters, since such names as
`SENSORS` and `icon` stand in a great part of what others wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.looking_up import LOOKING_UP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local import LocalKeys

_STEPS: Final = 3
"""How far what looks something up is around the name of the dict: `PLANS.get(key)`, `(PLANS if paid else OTHERS)[key]`."""


class Fillers(Struct, frozen=True):
    """Asks for them."""

    local: LocalKeys

    def ask(self) -> None:
        """Ask for whoever fills what is a table of settings as far as is known: of one that is filled elsewhere, a key that
        tells things apart, or a filter, would be judged."""
        program, items = self.local.program, self.local.collections.items
        known = {home: program.calls.uses.known_as(home[1]) for home in items.settings()}
        for home, names in known.items():
            with items.taking(home), program.names.aside():
                matters = any(self._matters(home, one) for one in self._used(names))
            if matters:
                program.calls.uses.aliases(home[1])

    def _used(self, names: frozenset[str]) -> Iterator[tree.Name | tree.Attr]:
        """Where something that has one of these names is used; what tests do with it changes nothing."""
        for node in self.local.program.names.named(*sorted(names)):
            if not self.local.program.names.module_of(node).is_test:
                yield node

    def _matters(self, home: Home, node: tree.Name | tree.Attr) -> bool:
        """Whether a use of a dict would be judged if items were kept in it."""
        keys = [key for around in self._around(node) for key in self._keys(home, around)]
        return any(self._tells(home, key) for key in keys) or (
            not keys and self._is_filtered(node)
        )

    def _around(self, node: tree.Node) -> Iterator[tree.Node]:
        """What may look something up in what an expression is."""
        holder: object = node
        for _ in range(_STEPS):
            holder = (
                self.local.program.names.parent(holder) if isinstance(holder, tree.Expr) else None
            )
            if isinstance(holder, LOOKING_UP):
                yield holder

    def _keys(self, home: Home, node: tree.Node) -> Iterator[tree.Node]:
        for owner, name, key in self.local.collections.sinks(node):
            if (owner, name) == home:
                yield key

    def _tells(self, home: Home, key: tree.Node) -> bool:
        """Whether a key tells items, or those of several scopes, apart."""
        local = self.local
        for host, _ in local.hosts.of(key):
            made = host.items if isinstance(host, tree.Sequence) else ()
            if local.program.keys.at(host) is not None or any(
                map(local.classes.of, (host, *made))
            ):
                return True
            parts = local.hosts.parts(host)
            elements = parts[1] if parts is not None else []
            if local.needs.matters(*home, elements, scoped=bool(local.said.of(elements))):
                return True
        return False

    def _is_filtered(self, node: tree.Name | tree.Attr) -> bool:
        """Whether a function that goes through a dict may compare what is in it with a scope's value."""
        program = self.local.program
        function = program.names.function_of(node)
        return function is not None and any(
            isinstance(one, tree.Compare) and program.domain.held.has_value(one)
            for one in program.names.inside(function)
        )
