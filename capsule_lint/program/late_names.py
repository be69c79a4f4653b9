"""Names that a module has only once they are asked for: its `__getattr__` finds them in a module of its own, `return
getattr(dynamo, name)` or `return getattr(import_module(f".{_HOMES[name]}", __name__), name)` (PEP 562)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Function, Module, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.names import Names


def late_homes(names: Names, module: Module, name: str) -> Iterator[Module]:
    """The modules in which the `__getattr__` of a module looks for a name."""
    for binding in module.scope.bindings.get("__getattr__", ()):
        function = binding.definition
        for value in function.returns if isinstance(function, Function) else ():
            match behind(names, value):
                case tree.Call(func=tree.Name(id="getattr"), args=(home, *_)):
                    found = _home(names, module, home.value, name)
                    if found is not None and found is not module:
                        yield found


def _home(names: Names, module: Module, node: tree.Node, name: str) -> Module | None:
    inner = behind(names, node) or node
    match inner:
        case tree.Name():
            targets = [names.follow(binding) for binding in names.bindings_of(inner)]
            return next((one for one in targets if isinstance(one, Module)), None)
        case tree.Call(args=(said, *_)) if last_name(inner.func) == "import_module":
            dotted = _dotted(names, module, said.value, name)
            level = len(dotted) - len(dotted.lstrip("."))
            return names.module(names.absolute(module, level, dotted[level:])) if dotted else None
        case _:
            return None


def _dotted(names: Names, module: Module, node: tree.Node, name: str) -> str:
    """The dotted name that is imported for a name; empty where it is not known."""
    node = behind(names, node) or node
    match node:
        case tree.Const(value=str() as text):
            return text
        case tree.Name(id="__name__" | "__package__"):
            return module.name
        case tree.FString():
            parts = [
                part if isinstance(part, str) else _dotted(names, module, part.value, name)
                for part in node.parts
            ]
            return "".join(parts) if all(parts) else ""
        case tree.Subscript(base=table):
            found = behind(names, table)
            kept = found.under(name) if isinstance(found, tree.DictDisplay) else None
            return _dotted(names, module, kept, name) if kept is not None else ""
        case _:
            return ""
