"""What `and` and `or` give: a truth value, or one of their operands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Callable

TRUTHS: Final = frozenset(("len", "bool", "any", "all", "isinstance", "id", "type"))
"""What gives a truth value, or a number, of whatever it is given."""
_EMPTY: Final = frozenset(
    ("list", "tuple", "set", "frozenset", "dict", "iter", "deque", "Counter", "OrderedDict")
)


def gives(parent_of: Callable[[object], object], choice: tree.Boolean, node: tree.Node) -> bool:
    """Whether a choice may be this operand of it, and whoever gets it asks for more than its truth."""
    if choice.op != "or" and choice.values[-1] is not node:
        return False  # nothing but an empty one stops `and`
    inner: tree.Node = choice
    around = parent_of(inner)
    while isinstance(around, tree.Boolean):
        inner, around = around, parent_of(around)
    match around:
        case tree.FString() | tree.Wrapped(kind="not"):
            return False
        case tree.Block():
            return any(bind.value is inner for bind in around.binds)
        case tree.Conditional():
            return around.test is not inner
        case tree.Comprehension():
            return all(inner is not test for part in around.generators for test in part.ifs)
        case tree.Call():
            return last_name(around.func) not in TRUTHS
        case tree.Eval():
            return around.kind not in ("assert", "expr")
        case _:
            return True


def is_empty(node: tree.Node) -> bool:
    """Whether a value has no elements, or is no collection at all."""
    match node:
        case tree.DictDisplay(keys=()) | tree.Sequence(items=()) | tree.Const():
            return True
        case tree.Call(func=tree.Name(id=name), args=()):
            return name in _EMPTY
        case tree.Call(func=tree.Name(id="defaultdict"), args=(_,)):
            return True
        case _:
            return False
