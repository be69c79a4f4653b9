"""Attributes that a class lists by their names, and that an initializer sets: `for name in self.fields: setattr(self, name,
kw.pop(name, None))`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.names import Names


def setting_by_name(names: Names, calls: Iterable[tree.Call]) -> dict[Class, set[str]]:
    """The classes whose initializers set attributes by one of the `calls` of `setattr`, and under which names their
    objects list these: `fields`."""
    found: dict[Class, set[str]] = defaultdict(set)
    for call in calls:
        function = names.function_of(call)
        if function is None or function.name != "__init__" or function.owner is None:
            continue
        match [a.value for a in call.args]:
            case [tree.Name(id=own), tree.Name() as name, given] if (
                own == function.self_name and _is_keyword(given, name, function)
            ):
                bound = names.bindings_of(name)
                listed = bound[0].value if len(bound) == 1 and bound[0].kind == "for" else None
                if isinstance(listed, tree.Attr) and last_name(listed.base) == own:
                    if listed.name.startswith("__") or _is_zipped(names, listed.name):
                        continue  # `__slots__`, which says what there may be
                    found[function.owner].add(listed.name)
    return found


def _is_zipped(names: Names, name: str) -> bool:
    """Whether a list of that name, or what is made of it, stands beside another one: `zip(self.columns, self.fields)`."""
    for node in names.named(name):
        holder = names.parent(node)
        while isinstance(holder, tree.Expr):
            if isinstance(holder, tree.Call) and last_name(holder.func) == "zip":
                return True
            holder = names.parent(holder)
    return False


def _is_keyword(value: tree.Node, name: tree.Name, function: Function) -> bool:
    """Whether a value is what an initializer is told by a keyword of that name: `kw[name]`, `kw.pop(name, None)`."""
    rest = {p.name for p in function.params if p.kind == "**"}
    match value:
        case (
            tree.Subscript(base=tree.Name(id=own), index=tree.Name(id=key))
            | tree.Call(
                func=tree.Attr(base=tree.Name(id=own), name="get" | "pop"),
                args=(tree.Argument(value=tree.Name(id=key)), *_),
            )
        ):
            return own in rest and key == name.id
        case _:
            return False


def listed_texts(mro: Sequence[Class], name: str) -> Iterator[str]:
    """The texts in the list that the first class of some has under a name."""
    held = next((cls.scope.bindings[name] for cls in mro if name in cls.scope.bindings), ())
    value = held[0].value if len(held) == 1 else None
    texts = map(tree.text, value.items) if isinstance(value, tree.Sequence) else ()
    yield from (text for text in texts if text is not None)
