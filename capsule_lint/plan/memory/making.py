"""What makes collections, new ones and copies of others."""

from __future__ import annotations

from typing import Final

from capsule_lint.facts import tree
from capsule_lint.plan.memory.in_order import DICTS, LISTS
from capsule_lint.program.containers import COPIED
from capsule_lint.program.model import last_name

SETS: Final = frozenset(("set", "frozenset", "Set", "MutableSet", "SortedSet", "Counter"))
"""What takes in keys as they come, and no pairs."""
_CONSTRUCTORS: Final = frozenset(
    [
        "dict",
        "OrderedDict",
        "defaultdict",
        "TTLCache",
        "LRUCache",
        "LFUCache",
        "Cache",
        "set",
        "WeakValueDictionary",
        "list",
        "deque",
        "Counter",
        *DICTS,
        *LISTS,
    ]
)
_COPIES: Final = COPIED | {"Counter", "set", "frozenset"}
"""What has the keys of what it is given, and is asked for them as that is."""


def makes_collection(node: tree.Node | None) -> bool:
    """Whether a value is a new dict or set."""
    match node:
        case tree.DictDisplay() | tree.Comprehension(kind="DictComp" | "SetComp"):
            return True
        case tree.Sequence(kind="set"):
            return True
        case tree.Call():
            factories = _factories(node)
            return any(one in _CONSTRUCTORS for one in factories) or (
                last_name(node.func) in _CONSTRUCTORS - LISTS - {"list", "deque"}
            )
        case tree.Boolean(op="or"):
            return any(map(makes_collection, node.values))
        case tree.Conditional():
            return any(map(makes_collection, (node.then, node.otherwise)))
        case _:
            return False


def _factories(call: tree.Call) -> list[str]:
    """What makes the values of a field: `set` of `field(default_factory=set)`."""
    if last_name(call.func) not in ("field", "Field", "Factory"):
        return []
    return [last_name(a.value) for a in call.args if a.keyword in ("default_factory", "factory")]


def makes_set(node: tree.Node | None) -> bool:
    """Whether a value is a set, or a counter, which takes in keys as they come as well."""
    match node:
        case tree.Call():
            return any(one in SETS for one in (last_name(node.func), *_factories(node)))
        case tree.Sequence(kind="set") | tree.Comprehension(kind="SetComp"):
            return True
        case tree.Boolean(op="or"):
            return any(map(makes_set, node.values))
        case tree.Conditional():
            return any(map(makes_set, (node.then, node.otherwise)))
        case _:
            return False


def copied(node: tree.Node) -> tree.Node | None:
    """The collection of which another one is made with the same keys: `dict(rows)`, `rows.copy()`, `{**rows}`."""
    match node:
        case tree.Call(func=tree.Attr(name="copy", base=base), args=()):
            return base
        case tree.Call(args=(tree.Argument(star="", keyword=None, value=value),)) if (
            last_name(node.func) in _COPIES
        ):
            return value
        case tree.DictDisplay(keys=(None,), values=(value,)):
            return value
        case _:
            return None
