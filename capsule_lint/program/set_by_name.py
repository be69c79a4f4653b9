"""Attributes that a class lists by their names, and that an initializer sets: `for name in self.fields: setattr(self, name,
kw.pop(name, None))`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.program.model import Class
    from capsule_lint.program.names import Names


def set_by_name(names: Names, mro: Sequence[Class], calls: Sequence[tree.Call]) -> Iterator[str]:
    """The attributes of the objects of a class, by its `mro`, that some of the `calls` of `setattr` set."""
    for call in calls:
        function = names.function_of(call)
        if function is None or function.name != "__init__" or function.owner not in mro:
            continue
        match [a.value for a in call.args]:
            case [tree.Name(id=own), tree.Name() as name, _] if own == function.self_name:
                found = names.bindings_of(name)
                listed = found[0].value if len(found) == 1 and found[0].kind == "for" else None
                if isinstance(listed, tree.Attr) and last_name(listed.base) == own:
                    yield from _listed(mro, listed.name)


def _listed(mro: Sequence[Class], name: str) -> Iterator[str]:
    """The texts in what the first class has under a name."""
    held = next((cls.scope.bindings[name] for cls in mro if name in cls.scope.bindings), ())
    value = held[0].value if len(held) == 1 else None
    texts = map(tree.text, value.items) if isinstance(value, tree.Sequence) else ()
    yield from (text for text in texts if text is not None)
