"""Attributes that a class lists by their names, and that an initializer sets: `for name in self.fields: setattr(self, name,
kw.pop(name, None))`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.program.model import Class
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
            case [tree.Name(id=own), tree.Name() as name, _] if own == function.self_name:
                bound = names.bindings_of(name)
                listed = bound[0].value if len(bound) == 1 and bound[0].kind == "for" else None
                if isinstance(listed, tree.Attr) and last_name(listed.base) == own:
                    found[function.owner].add(listed.name)
    return found


def listed_texts(mro: Sequence[Class], name: str) -> Iterator[str]:
    """The texts in the list that the first class of some has under a name."""
    held = next((cls.scope.bindings[name] for cls in mro if name in cls.scope.bindings), ())
    value = held[0].value if len(held) == 1 else None
    texts = map(tree.text, value.items) if isinstance(value, tree.Sequence) else ()
    yield from (text for text in texts if text is not None)
