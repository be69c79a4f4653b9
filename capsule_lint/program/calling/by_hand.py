"""Decorators that are called by hand, `order_key = deprecated("order_pk")(order_pk)`: what comes of it is as good as
what they are given, where they only hand arguments on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.calling.passing import HARMLESS
from capsule_lint.program.calling.wrapping import calls_of, hands_all_on
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from capsule_lint.program.names import Names


def given_by_hand(names: Names, call: tree.Call) -> tree.Name | tree.Attr | None:
    """The function of a module that something is given, alone, whose result a module or a class has under a name."""
    given = call.plain[0] if len(call.plain) == len(call.args) == 1 else None
    if not isinstance(given, tree.Name | tree.Attr):
        return None
    root = given.base if isinstance(given, tree.Attr) else given
    bound = names.bindings_of(root) if isinstance(root, tree.Name) else []
    kinds = {"def", "import"} if root is given else {"import"}
    known = bool(bound) and all(b.kind in kinds for b in bound)
    kept = isinstance(names.parent(call), tree.Assign)
    return given if known and kept and names.place(call).scope.kind != "function" else None


def decorated_by_hand(names: Names, call: tree.Call, maker: Function) -> tree.Node | None:
    """What a call gives so to a function of the program which makes of it another one that takes and gives the same:
    `inner` of `def inner(*args, **kwargs): return function(*args, **kwargs)`."""
    given = given_by_hand(names, call)
    return given if given is not None and _gives_alike(names, maker) else None


def _gives_alike(names: Names, maker: Function) -> bool:
    made = maker.returns[0] if len(maker.returns) == len(maker.params) == 1 else None
    bound = names.bindings_of(made) if isinstance(made, tree.Name) else []
    inner = bound[0].definition if len(bound) == 1 else None
    if not isinstance(inner, Function) or [p.kind for p in inner.params] != ["*", "**"]:
        return False
    if maker.decorators or not inner.decorators <= {"wraps"}:
        return False  # another decorator may put something before what is handed on
    own, calls = maker.params[0].name, list(calls_of(names, maker))
    read = [n.id for n in names.inside(inner) if isinstance(n, tree.Name)]
    if any(read.count(p.name) != len(calls) for p in inner.params):
        return False  # it looks at what it is given
    values = (v.value if isinstance(v, tree.Wrapped) else v for v in inner.returns)
    given = [behind(names, value) for value in values]
    return (
        bool(given)
        and all(any(call is value for call in calls) for value in given)
        and all(hands_all_on(names, call) and names.function_of(call) is inner for call in calls)
        and all(
            _is_harmless(node, names.parent(node))
            for node in names.inside(maker)
            if isinstance(node, tree.Name) and node.id == own
        )
    )


def _is_harmless(node: tree.Node, around: object) -> bool:
    """Whether a function is called there, or only something of it is read: `wraps(function)`, `function.__name__`."""
    if isinstance(around, tree.Call):
        return around.func is node or last_name(around.func) in HARMLESS
    return isinstance(around, tree.Attr)
