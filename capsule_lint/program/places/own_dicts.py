"""What functions put under keys, or find by them, in dicts that they are given or make:
`table[f"TENANT#{tenant_id}#NOTE#{note_id}"]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Module
    from capsule_lint.program.names import Names

_FINDING: Final = ("get", "pop", "setdefault")
"""Methods that find something in a dict."""
_DICTS: Final = ("dict", "defaultdict", "OrderedDict", "Counter")
"""What makes one."""


def keys_in(module: Module) -> Iterator[tuple[tree.Node, tree.Node]]:
    """The keys of dicts in a module, and beside each the dict, or the name of it."""
    for node in module.either(tree.Subscript, tree.Call):
        match node:
            case tree.Subscript(base=base, index=key):
                yield key, base
            case tree.Call(func=tree.Attr(name=name, base=base), args=(key, *_)):
                if name in _FINDING:
                    yield key.value, base
    for made in module.either(tree.DictDisplay, tree.Comprehension):
        keys = made.keys if isinstance(made, tree.DictDisplay) else made.results[:-1]
        yield from ((key, made) for key in keys if key is not None)


def is_own(names: Names, node: tree.Node) -> bool:
    """Whether a dict is one that a function makes, or is the name of one that it is given or makes."""
    if isinstance(node, tree.DictDisplay | tree.Comprehension):
        return _is_kept_here(names, node)
    found = names.bindings_of(node) if isinstance(node, tree.Name) else []
    return bool(found) and all(
        not b.is_global and (b.kind == "param" or _makes_dict(b.assigned)) for b in found
    )


def goes_through(names: Names, node: tree.Node) -> tree.Node | None:
    """The dict whose values a loop gives a name one after the other: `{k: v for k, v in item.items()}`."""
    for binding in names.bindings_of(node) if isinstance(node, tree.Name) else ():
        match binding.kind, binding.path, binding.value:
            case ("for", (1,), tree.Call(func=tree.Attr(name="items", base=base))):
                return base
            case ("for", (), tree.Call(func=tree.Attr(name="values", base=base))):
                return base
    return None


def _is_kept_here(names: Names, node: tree.Node) -> bool:
    """Whether a dict that a function makes is not for what an object or a module keeps."""
    holder, scope = names.parent(node), names.place(node).scope
    targets = holder.targets if isinstance(holder, tree.Assign) else ()
    return scope.function is not None and all(
        isinstance(target, tree.Name) and target.id not in scope.outer for target in targets
    )


def _makes_dict(node: tree.Node | None) -> bool:
    match node:
        case tree.Call():
            return last_name(node.func) in _DICTS
        case _:
            return isinstance(node, tree.DictDisplay | tree.Comprehension)
