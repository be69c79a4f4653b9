"""Attributes that are keys, though nothing of how they are called says so: `Key={"bucket": f"TENANT#{tenant_id}#{day}"}`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.places.sites import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.places.keys import Keys

KEY: Final = "Key"
"""What operations are told an item's key as, which has nothing else in it."""
_MAX_CALLS: Final = 3


@dataclass(eq=False, slots=True)
class KeyAttributes:
    """Learns which attributes they are from what items are looked up by, and gives `keys` all that stands under
    their names and starts as the policy's keys do."""

    keys: Keys
    _entries: list[tuple[str, tree.Node]] = field(default_factory=list)
    _asked: list[tree.Node] = field(default_factory=list)

    def entry(self, key: tree.Node | None, value: tree.Node) -> None:
        """Something stands under a name in a dict."""
        name, policy = tree.text(key), self.keys.policy
        if name is None or policy.is_key_name(name) or policy.is_sort_key_name(name):
            return
        if _may_say(value):
            self._entries.append((name, value))

    def asked_for(self, node: tree.Node) -> None:
        """An item is looked up by this."""
        self._asked.append(node)

    def give(self) -> None:
        """Give what was seen to `keys`."""
        asked = {
            (id(value), name)
            for node in self._asked
            if self._entries
            for display in self._displays(node)
            if not any(self.keys.policy.is_key_name(name) for name, _ in display.entries)
            for name, value in display.entries
        }
        lookups = {number for number, _ in asked}
        starting = [(n, v) for n, v in self._entries if (id(v), n) in asked and self._starts(v)]
        names = {name for name, _ in starting}
        for name, value in self._entries if names else ():
            if name in names and self._starts(value):
                role = Role.LOOKUP if id(value) in lookups else Role.WRITTEN
                self.keys.sink(value, role, index=False)

    def _starts(self, node: tree.Node) -> bool:
        with self.keys.names.aside():  # whatever else is called so leads nowhere
            return self.keys.starts.at(node)

    def _displays(self, node: tree.Node, calls: int = 0) -> Iterator[tree.DictDisplay]:
        """The dicts that an expression may be, here or in the functions that it calls."""
        match self.keys.templates.formatted.written_out(node):
            case tree.DictDisplay() as display:
                yield display
            case tree.Call() as call if calls < _MAX_CALLS:
                for callee in self.keys.calls.callees(call):
                    for value in callee.function.returns if callee.function is not None else ():
                        yield from self._displays(value, calls + 1)


def _may_say(node: tree.Node) -> bool:
    """Whether an expression may be a text that is put together; so may be what stands under its type."""
    match node:
        case tree.DictDisplay(values=(value,)):
            return _may_say(value)
        case _:
            return isinstance(node, tree.Name | tree.Attr | tree.Call) or tree.makes_text(node)
