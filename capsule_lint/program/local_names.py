"""What a local name stands for, and where it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from capsule_lint.program.model import Binding
    from capsule_lint.program.names import Names

BY_NAME: Final = frozenset(("locals", "vars", "eval", "exec"))
"""What may read any local by its name."""


def bound_whole(names: Names, node: tree.Node) -> Binding | None:
    """The one binding of a name, if that does not unpack anything; `None` for any other expression."""
    found = names.bindings_of(node) if isinstance(node, tree.Name) else ()
    return found[0] if len(found) == 1 and not found[0].path else None


def only_assigned(names: Names, node: tree.Node) -> tree.Node | None:
    """What the one assignment of a name gives it; `None` for any other expression."""
    binding = bound_whole(names, node)
    return binding.assigned if binding is not None else None


def entry_of_local(names: Names, node: tree.Subscript) -> tree.Node | None:
    """What a local dict that is written out has under a key: `item["SK"]`."""
    key, made = tree.text(node.index), only_assigned(names, node.base)
    if key is None or not isinstance(made, tree.DictDisplay):
        return None
    return made.under(key)


def assigned(names: Names, node: tree.Name) -> Iterator[tree.Node]:
    """What the assignments of a name give it, each as a whole."""
    for binding in names.bindings_of(node):
        if binding.assigned is not None:
            yield binding.assigned


def given(binding: Binding) -> tree.Node | None:
    """What a binding gives its name; of `a, b = x, y` what stands in its place; `None` for anything else that
    is unpacked."""
    value = binding.value
    for step in binding.path:
        items = value.items if isinstance(value, tree.Sequence) else ()
        value = items[step] if 0 <= step < len(items) else None
    return value


def reads_of(names: Names, name: tree.Name, bound_at: Collection[tree.At]) -> Iterator[tree.Name]:
    """Where a name is read in its module that one of the targets at some positions binds."""
    for node in names.module_of(name).each(tree.Name):
        if node.id == name.id and node.at not in bound_at and not _is_target(names, node):
            found = names.bindings_of(node)
            if any(binding.at in bound_at for binding in found):
                yield node


def _is_target(names: Names, name: tree.Name) -> bool:
    """Whether a name is only assigned where it stands."""
    parent = names.parent(name)
    return isinstance(parent, tree.Assign) and not parent.op and name in parent.targets
