"""What sort keys are, and where they go: they stay as they are, also where a partition key has the same text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.program.model import Function
    from capsule_lint.program.places.keys import Keys


@dataclass(eq=False)
class SortKeyPlaces:
    """Tells them from partition keys."""

    keys: Keys

    @cached_property
    def texts(self) -> frozenset[str]:
        """The texts that are sort keys somewhere: a dict may be by these."""
        is_sort_key, template = self.keys.policy.is_sort_key_name, self.keys.templates.template
        made = (
            template(value)
            for module in self.keys.names.judged()
            for display in module.each(tree.DictDisplay)
            for key, value in display.pairs
            if is_sort_key(tree.text(key) or "")
        )
        return frozenset(one.text for one in made if one is not None)

    def asked(self, node: tree.Node) -> bool:
        """Whether an expression is a sort key, which stays as it is, also where an index is asked for it: `Key("sk")`,
        `row["sk"]`."""
        match node:
            case tree.Call(func=func, args=(first, *_)) if last_name(func) in (
                "Key",
                "Attr",
                "get",
            ):
                named: tree.Node = first.value
            case tree.Subscript(index=index):
                named = index
            case tree.Name() | tree.Attr():
                return self.keys.policy.is_sort_key_name(last_name(node))
            case _:
                return False
        name = self.keys.templates.constant(named)
        return name is not None and self.keys.policy.is_sort_key_name(name)

    def takes(self, call: tree.Call, argument: tree.Argument) -> bool:
        """Whether a call takes a sort key there: a parameter is called like one, or is put where one stands."""
        calls, is_sort_key = self.keys.calls, self.keys.policy.is_sort_key_name
        name = argument.keyword or calls.parameter_of(call, argument) or ""
        called = (c.function for c in calls.callees(call) if c.function is not None)
        return is_sort_key(name) or any(self._puts(function, name) for function in called)

    def _puts(self, function: Function, name: str) -> bool:
        """Whether a function puts a parameter where a sort key stands: `{"PK": key, "SK": name}`."""
        is_sort_key = self.keys.policy.is_sort_key_name
        return any(
            isinstance(value, tree.Name) and value.id == name and is_sort_key(tree.text(key) or "")
            for node in self.keys.names.inside(function)
            if isinstance(node, tree.DictDisplay)
            for key, value in node.pairs
        )
