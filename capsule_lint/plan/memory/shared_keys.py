"""Keys that are kept in a local and name something in several collections: `key = (tenant_id, post_id)`,
`self._order.add(key)`, `self._amounts[key]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.local_names import reads_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.rows import Home
    from capsule_lint.plan.memory.collections import Collections


def sharing(collections: Collections, host: tree.Node) -> Iterator[Home]:
    """The collections in which something is named by a local that gets a key."""
    names = collections.program.names
    match names.parent(host):
        case tree.Assign(targets=(tree.Name() as target,), value=value) if value is host:
            for use in reads_of(names, target, (target.at,)):
                base = looked_into(names.parent(use), use)
                home = collections.any(base) if base is not None else None
                if home is not None:
                    yield home


def looked_into(parent: object, key: tree.Node) -> tree.Node | None:
    """What is asked for something under a key."""
    match parent:
        case tree.Subscript(base=base, index=index) if index is key:
            return base
        case tree.Call(func=tree.Attr(base=base)):
            return base
        case tree.Compare(ops=("in" | "not in",), left=left, rights=(base,)) if left is key:
            return base
        case _:
            return None
