"""Whether a dict with a key in it is written to the table, or says what is looked for there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.places.sites import WRITES, Role

if TYPE_CHECKING:
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
_GIVEN: Final = frozenset(("Item", "Key", "PutRequest", "DeleteRequest", "put_item", "get_item"))
"""What tells of a name what it stands for, whatever it is called."""
_COLLECTS: Final = ("append", "add", "insert")
_MAX_DEPTH: Final = 8


class DictRoles(Struct, frozen=True):
    """Tells the roles of dicts by what they are part of."""

    names: Names
    templates: Templates
    policy: Policy

    def of(self, node: tree.Node) -> Role:
        """Written or looked up."""
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
            if function is not None and (kept := _collected(parent)):
                return self._used(kept, function) or self._by_itself(node)
            current = parent
        return self._by_itself(node)

    def _by_itself(self, node: tree.Node) -> Role:
        return Role.WRITTEN if self._is_row(node) else Role.LOOKUP

    def _within(
        self, parent: object, part: object, function: Function | None, node: tree.Node
    ) -> Role | None:
        """The role of a part of a call, of another dict, or of what is returned, if that tells."""
        match parent:
            case tree.Call(func=tree.Attr(name="update", base=tree.Name(id=name))) if (
                name.lower() in _ITEMS
            ):
                return Role.WRITTEN  # `item.update({"GSI1PK": …})`
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

    def _assigned(self, parent: tree.Assign, node: tree.Node, function: Function | None) -> Role:
        """The role of a dict that gets a name: that of what is returned by the name, what the name is used for,
        or by its sound."""
        name = last_name(parent.targets[0])
        if function is not None and any(last_name(r) == name for r in function.returns):
            return self._returned(function, node)
        used = self._used(name, function) if function is not None else None
        if used is not None:
            return used
        written = name.lower() in _ITEMS or self._is_row(node)
        return Role.WRITTEN if written else Role.LOOKUP

    def _used(self, name: str, function: Function, depth: int = 0) -> Role | None:
        """The role of what a local name stands for, or each of several is, if its uses tell: `Item=row`."""
        for node in self.names.inside(function):
            if not isinstance(node, tree.Name) or node.id != name:
                continue
            told = _given(self.names.parent(node), node)
            if told is not None:
                return told
        for target, source in function.module.loops() if depth < _MAX_DEPTH else ():
            if isinstance(source, tree.Name) and isinstance(target, tree.Name):
                inside = self.names.function_of(source) is function
                if source.id == name and inside and target.id != name:
                    told = self._used(target.id, function, depth + 1)
                    if told is not None:
                        return told
        return None

    def _is_row(self, node: tree.Node) -> bool:
        """Whether a dict has a sort key and more: what is looked up has nothing but its keys."""
        keys = node.keys if isinstance(node, tree.DictDisplay) else ()
        names = [
            name for key in keys if key is not None and (name := self.templates.constant(key))
        ]
        sorts = [name for name in names if self.policy.is_sort_key_name(name)]
        return bool(sorts) and any(
            name not in sorts and not self.policy.is_key_name(name) for name in names
        )

    def _returned(self, function: Function, node: tree.Node) -> Role:
        if function.owner is not None and function.takes_self and not function.own_params:
            return Role.WRITTEN
        named = re.search(r"item|record|dict|dump|serial|attributes", function.name)
        return Role.WRITTEN if named or self._is_row(node) else Role.HELPER


def _collected(parent: object) -> str:
    """The name of the list that something is put into: `rows.append({…})`."""
    match parent:
        case tree.Call(func=tree.Attr(name=method, base=tree.Name(id=name))) if (
            method in _COLLECTS
        ):
            return name
        case _:
            return ""


def _given(parent: object, part: tree.Node) -> Role | None:
    """What a name is given as, in a call or in another dict."""
    match parent:
        case tree.Call(args=args, func=func):
            words = [a.keyword or last_name(func) for a in args if a.value is part]
        case tree.DictDisplay():
            words = [tree.text(key) or "" for key in parent.keys_for(part)]
        case _:
            return None
    return next((_told(word) for word in words if word in _GIVEN), None)


def _told(word: object) -> Role | None:
    """The role that the name of an operation, or of an argument of one, tells."""
    if word in _READS:
        return Role.LOOKUP
    return Role.WRITTEN if word in WRITES else None
