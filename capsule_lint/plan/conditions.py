"""Conditions of the table's operations that compare an attribute, and no key, with a scope's value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.purposes.tables import COMMON
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.program import Program


def is_filter(holder: object, node: tree.Node, program: Program) -> bool:
    """Whether a value is what an attribute is compared with in a condition: `Attr("tenant_id").eq(…)`,
    `{":t": …}`."""
    match holder:
        case tree.Call(func=tree.Attr(name="eq", base=tree.Call() as base)):
            return last_name(base.func) in ("Attr", "Key")
        case tree.DictDisplay(keys=(tree.Const(value="S"),)):
            return is_filter(program.names.parent(holder), holder, program)
        case tree.DictDisplay():
            return any((tree.text(k) or "").startswith(":") for k in holder.keys_for(node))
        case _:
            return False


def decides_alone(holder: object, program: Program) -> bool:
    """Whether such a condition stands in a read of the table that says no key."""
    node = holder
    while isinstance(node, tree.Node) and not _is_read(node):
        node = program.names.parent(node)
    if not isinstance(node, tree.Call):
        return False
    texts = [tree.text(one) for one in within(node)]
    said = {word for text in texts if text is not None for word in re.findall(r"\w+", text)}
    given = any(argument.star or argument.keyword == "Key" for argument in node.args)
    return not given and not any(map(program.policy.is_key_name, said))


def _is_read(node: tree.Node) -> bool:
    return isinstance(node, tree.Call) and last_name(node.func) in COMMON
