"""Objects that say what the table is asked for, and are no items: `Query(pk=key, index="gsi1")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.program.model import last_name
from capsule_lint.program.optional import how_optional
from capsule_lint.program.texts.pieces import snake

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.policy import Policy
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.model import Class

_READING: Final = frozenset(
    ("index_name", "scan_index_forward", "forward", "consistent_read", "exclusive_start_key")
)
"""What says of a query how it reads: no item has that."""
_BESIDE: Final = frozenset(
    ("limit", "page_size", "cursor", "start_key", "prefix", "sk_prefix", "filter", "descending")
)
"""What says so beside it; items may have some of that."""


def is_query_object(policy: Policy, classes: Classes, cls: Class) -> bool:
    """Whether all that the objects of a data class are made of is keys, and how these are looked up. Each of them has a
    key: one that may do without, `Page(pk=None, limit=10)`, says where to go on."""
    params = [p for p in classes.constructor(cls) or () if p.name != "self"]
    keys = [p for p in params if policy.is_key_name(p.name)]
    others = [p for p in params if p not in keys and not policy.is_sort_key_name(p.name)]
    return (
        classes.is_data(cls)
        and bool(keys)
        and not any(how_optional(one.annotation, one.default is not None) for one in keys)
        and any(map(_reads, others))
        and all(_reads(one) or snake(one.name) in _BESIDE for one in others)
    )


def _reads(parameter: tree.Parameter) -> bool:
    """Whether a field says how a query reads; `index`, which may number items, where it is no number."""
    numbers = parameter.annotation is not None and last_name(parameter.annotation) == "int"
    name = snake(parameter.name)
    return name in _READING or (name == "index" and not numbers)
