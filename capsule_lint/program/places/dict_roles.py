"""Whether a dict with a key in it is written to the table, or says what is looked for there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.places.makers import HELPER_NAME
from capsule_lint.program.places.sites import WRITES, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.policy import Policy
    from capsule_lint.program.model import Function
    from capsule_lint.program.names import Names
    from capsule_lint.program.texts.templates import Templates

_READS: Final = frozenset(
    [
        "get_item",
        "delete_item",
        "update_item",
        "query",
        "Key",
        "Keys",
        "Delete",
        "Update",
        "ConditionCheck",
        "Get",
        "DeleteRequest",
        "batch_get_item",
        "get",
        "delete",
        "update",
        "ExpressionAttributeValues",
        "ExclusiveStartKey",
        "LastEvaluatedKey",
        "query_items",
    ]
)
"""What looks items up, and what their keys are given to it as."""
_ITEMS: Final = ("item", "record", "data", "row", "attrs")
_COLLECTS: Final = ("append", "add", "insert")
_MAX_DEPTH: Final = 8


class DictRoles(Struct, frozen=True):
    """Tells the roles of dicts by what they are part of."""

    names: Names
    templates: Templates
    policy: Policy
    _asked: set[tuple[Function, str]] = field(default_factory=set)
    """The dicts with names that are being asked for: `row = {**row}`."""

    def of(self, node: tree.Node) -> Role:
        """Written or looked up."""
        return self.around(node) or (Role.WRITTEN if self._is_row(node) else Role.LOOKUP)

    def of_given(self, functions: Iterable[Function], name: str) -> Role | None:
        """What any of some functions do with the key that they are given under a name: it is part of an item, or
        of what is looked up; `None` if nothing tells."""
        found: set[Role | None] = set()
        for function in functions:
            rest = next((p.name for p in function.params if p.kind == "**"), "")
            taken = name if function.parameter(name) is not None else rest
            found.update(map(self.around, self.names.called(function, taken)))
        return next((role for role in (Role.WRITTEN, Role.LOOKUP) if role in found), None)

    def around(self, node: tree.Node) -> Role | None:
        """The role of a dict by what it is part of, if that tells."""
        function = self.names.function_of(node)
        current: object = node
        for _ in range(_MAX_DEPTH):
            parent = self.names.parent(current)
            if parent is None:
                break
            role = self._within(parent, current, function, node)
            if role is not None:
                return role
            if isinstance(parent, tree.Assign):
                return self._assigned(parent, node, function)
            if (kept := _collected(parent)) is not None:
                return self.of_local(kept, function)
            current = parent
        return None

    def _within(
        self, parent: object, part: object, function: Function | None, node: tree.Node
    ) -> Role | None:
        """The role of a part of a call, of another dict, or of what is returned, if that tells."""
        match parent:
            case tree.Call(func=tree.Attr(name="update", base=tree.Name() as base)) if (
                role := self.updated(base, function)
            ):
                return role
            case tree.Call(args=args, func=func):
                keyword = next((a.keyword for a in args if a.value is part and a.keyword), None)
                return _told(keyword) or _told(last_name(func))
            case tree.DictDisplay():
                roles = (_told(tree.text(key)) for key in parent.keys_for(part))
                return next((role for role in roles if role is not None), None)
            case tree.Eval(kind="return") if function is not None:
                return self._returned(function, node)
            case _:
                return None

    def updated(self, base: tree.Name, function: Function | None) -> Role | None:
        """The role of the dict that gets entries: `item.update({"GSI1PK": …})`."""
        return Role.WRITTEN if base.id.lower() in _ITEMS else self.of_local(base, function)

    def of_local(self, node: tree.Node, function: Function | None) -> Role | None:
        """The role of a dict with a name, by what it is given to, or what gives it back, where it stands;
        `None` if nothing tells."""
        if function is None or not isinstance(node, tree.Name):
            return None
        if (function, node.id) in self._asked:
            return None
        self._asked.add((function, node.id))
        found = set(self._uses(node, function))
        self._asked.remove((function, node.id))
        told = next((role for role in (Role.WRITTEN, Role.LOOKUP) if role in found), None)
        if told is None and any(last_name(one) == node.id for one in function.returns):
            named = self.policy.is_key_name(function.name) or HELPER_NAME.search(function.name)
            return Role.HELPER if named and function.own_params else None
        return told

    def _uses(self, node: tree.Name, function: Function) -> Iterator[Role | None]:
        """The roles of what a dict with a name, or each of several, is given to or spread into."""
        for use in self.names.called(function, node.id):
            parent = self.names.parent(use)
            if isinstance(parent, tree.DictDisplay) and None in parent.keys_for(use):
                yield self.around(parent)
            elif isinstance(parent, tree.Call | tree.DictDisplay):
                yield self._within(parent, use, function, node)
            elif isinstance(parent, tree.Assign) and parent.value is use:
                yield self.of_local(parent.targets[0], function)
        for target, source in function.module.loops():
            named = isinstance(source, tree.Name) and source.id == node.id
            if named and self.names.function_of(source) is function:
                yield self.of_local(target, function)

    def _assigned(self, parent: tree.Assign, node: tree.Node, function: Function | None) -> Role:
        """The role of a dict that gets a name: that of what is returned by the name, or of what it is given
        to, or by its sound."""
        name = last_name(parent.targets[0])
        if function is not None and any(last_name(r) == name for r in function.returns):
            return self._returned(function, node)
        if (used := self.of_local(parent.targets[0], function)) is not None:
            return used
        written = name.lower() in _ITEMS or self._is_row(node)
        return Role.WRITTEN if written else Role.LOOKUP

    def _is_row(self, node: tree.Node) -> bool:
        """Whether a dict has a sort key and more: what is looked up has nothing but its keys."""
        names = list(self._names_in(node))
        sorts = [name for name in names if self.policy.is_sort_key_name(name)]
        return bool(sorts) and any(
            name not in sorts and not self.policy.is_key_name(name) for name in names
        )

    def _names_in(self, node: tree.Node) -> Iterator[str]:
        """The names of what a dict has, also of what is put into it under the name it gets."""
        if isinstance(node, tree.Call):
            yield from (name for name, _ in node.keywords)
        keys = list(node.keys) if isinstance(node, tree.DictDisplay) else []
        outer, function = self.names.parent(node), self.names.function_of(node)
        if isinstance(outer, tree.Assign) and function is not None:
            kept = last_name(outer.targets[0])
            keys += [
                one.index
                for one in self.names.inside(function)
                if isinstance(one, tree.Subscript) and last_name(one) == kept
            ]
        yield from filter(None, (self.templates.constant(key) for key in keys if key is not None))

    def _returned(self, function: Function, node: tree.Node) -> Role:
        if function.owner is not None and function.takes_self and not function.own_params:
            return Role.WRITTEN
        named = re.search(r"item|record|dict|dump|serial|attributes", function.name)
        return Role.WRITTEN if named or self._is_row(node) else Role.HELPER


def _collected(parent: object) -> tree.Name | None:
    """The list that something is put into: `rows.append({…})`."""
    match parent:
        case tree.Call(func=tree.Attr(name=method, base=tree.Name() as kept)) if (
            method in _COLLECTS
        ):
            return kept
        case _:
            return None


def _told(word: object) -> Role | None:
    """The role that the name of an operation, or of an argument of one, tells."""
    if word in _READS:
        return Role.LOOKUP
    return Role.WRITTEN if word in WRITES else None


def is_streamed(names: Names, node: tree.Node, name: str) -> bool:
    """Whether what stands under a name says on which shard a Kinesis record goes: `PartitionKey` beside `Data`."""
    match names.parent(node) if name == "PartitionKey" else None:
        case tree.Call(keywords=beside) | tree.DictDisplay(entries=beside):
            return any(other == "Data" for other, _ in beside)
        case _:
            return False
