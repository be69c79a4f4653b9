"""Methods of collections and caches that are given a key, and which of their arguments it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.texts.pieces import words

if TYPE_CHECKING:
    from capsule_lint.program.names import Names

_KEYED: Final = frozenset(
    [
        "get",
        "move_to_end",
        "pop",
        "setdefault",
        "set",
        "setex",
        "delete",
        "add",
        "discard",
        "remove",
        "__getitem__",
        "__setitem__",
        "__delitem__",
        "__contains__",
        "has",
        "invalidate",
        "expire",
        "put",
    ]
)
HASHES: Final = frozenset(
    ("hget", "hset", "hsetnx", "hdel", "hexists", "hincrby", "hincrbyfloat", "hstrlen")
)
"""What is given the name of a hash in Redis, and a field of it."""
NAMING: Final = frozenset(
    [
        "hgetall",
        "hkeys",
        "hvals",
        "hlen",
        "exists",
        "ttl",
        "getdel",
        "setnx",
        "psetex",
        "unlink",
        "sadd",
        "srem",
        "smembers",
        "sismember",
        "scard",
        "spop",
        "incr",
        "incrby",
        "incrbyfloat",
        "decr",
        "decrby",
        "getset",
        "persist",
        "expireat",
        "pexpire",
        "pexpireat",
        "pttl",
        "touch",
        "hmset",
        "hmget",
        "lpush",
        "rpush",
        "lpop",
        "rpop",
        "llen",
        "lrange",
        "ltrim",
        "lrem",
        "zadd",
        "zrem",
        "zcard",
        "zscore",
        "zincrby",
        "zrange",
        "zrangebyscore",
        "zrevrange",
        "zremrangebyscore",
        "zcount",
        "xadd",
        "pfadd",
        "pfcount",
    ]
)
"""What else is given the name of something in Redis first."""
PUTTING: Final = HASHES | {"set", "setex", "setdefault", "put", "add", "setnx", "psetex"}
"""What is given something to keep under a key."""
KEYLESS: Final = frozenset(
    ("lock", "publish", "spublish", "pubsub", "subscribe", "psubscribe", "unsubscribe")
)
"""What is told a name under which Redis keeps nothing: who waits for whom, and who hears of something."""
_MANY: Final = frozenset(words("prefix_pattern_match_scan_key_tag_all_namespace_where"))
"""Words in the names of methods that find several keys by one text."""
_NAMES: Final = ("key", "cache_key")
_PATTERNS: Final = ("match", "pattern", "prefix")
SCANNING: Final = frozenset(("keys", "scan_iter"))
"""Methods of what keeps texts that give the keys which fit a pattern, all of them without one."""
_EMPTYING: Final = frozenset(words("delete_drop_remove_clear_invalidate_evict_expire_purge"))
TAKING_KEYS: Final = _KEYED | HASHES | NAMING
"""All that may be given a key."""


def is_keyed(method: str) -> bool:
    """Whether a method of a collection takes a key first."""
    return method in _KEYED | HASHES


def finds_several(method: str) -> bool:
    """Whether a method finds several keys by one text, as its name says."""
    return not _MANY.isdisjoint(words(method))


def key_of(call: tree.Call) -> tree.Node:
    """The key that a method of a collection is given: by its name, or first."""
    named = (a.value for a in call.args if a.keyword in _NAMES)
    return next(named, call.args[0].value)


def key_beside(names: Names, node: tree.Name | tree.Attr) -> tree.Node | None:
    """The key by which a collection is looked into where it is named; `None` where it is used otherwise."""
    match parent := names.parent(node):
        case tree.Subscript(base=base, index=index) if base is node:
            return index
        case tree.Compare(ops=("in" | "not in",), left=left, rights=(other,)) if other is node:
            return left
        case tree.Attr(name=name) if name in TAKING_KEYS:
            call = names.parent(parent)
            if isinstance(call, tree.Call) and call.func is parent and call.args:
                return key_of(call)
    return None


def pattern_of(call: tree.Call) -> tree.Node | None:
    """What the keys have to fit that a method finds: the argument that says so by its name, or the first one."""
    named = (a.value for a in call.args if a.keyword in _PATTERNS)
    return next(named, call.plain[0] if call.plain else None)


def empties(method: str) -> bool:
    """Whether a method only forgets what it finds by one text: `delete_pattern`."""
    return finds_several(method) and not _EMPTYING.isdisjoint(words(method))
