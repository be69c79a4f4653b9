"""The parts of keys that functions give before they are joined: `fine.parts[3]`, where `parts` is the property of
`"#".join(self.parts)`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.taken_apart.shifts import Split
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program


class Listings(Struct, frozen=True, dict=True):
    """Finds what is read of them."""

    program: Program

    def of(self, node: tree.Attr | tree.Call) -> Iterator[Split]:
        """The lists that an expression may be, as if each was the split of the key that is joined of it."""
        name = node.name if isinstance(node, tree.Attr) else last_name(node.func)
        if name not in self._known:
            return
        lists = self.program.templates.joins.given
        hosts = frozenset(id(one) for one, _ in lists.of(node)) & self._known[name].keys()
        for separator in sorted({self._known[name][host] for host in hosts}):
            yield Split(node, node, separator, -1, "", joined_of=hosts)

    def reads(self) -> Iterator[tree.Attr | tree.Call]:
        """All places where such a list may be read."""
        if self._known:
            self.program.names.ask(*self._known)
        for module in self.program.names.editable() if self._known else ():
            for node in module.either(tree.Attr, tree.Call):
                parent = self.program.names.parent(node)
                if not (isinstance(parent, tree.Call) and parent.func is node):
                    yield node

    @cached_property
    def _known(self) -> dict[str, dict[int, str]]:
        """The lists of which keys are joined, each with what joins it, by the names of the functions that return
        them; those of which each item is one part of the key."""
        found: dict[str, dict[int, str]] = {}
        joins = self.program.templates.joins
        for site in self.program.keys.sites:
            host = site.template.host
            made = joins.given.joined_of.get(id(host))
            if made is not None and isinstance(host, tree.Sequence):
                elements, _ = joins.elements(made.value, made.value)
                if len(elements or ()) == site.template.text.count(made.separator) + 1:
                    lists = found.setdefault(made.function.name, {})
                    lists[id(host)] = made.separator
        return found
