"""Names that a module has only once they are asked for: its `__getattr__` finds them in a module of its own, `return
getattr(dynamo, name)` or `return getattr(import_module(f".{_HOMES[name]}", __name__), name)`, or imports what they
stand for, `from .jobs import reports` (PEP 562)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Binding, Function, Module, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from capsule_lint.program.names import Names


def found_late(names: Names, module: Module, name: str) -> Binding | Module | None:
    """What the `__getattr__` of a module finds under a name; `None` where that is not known."""
    for binding in module.scope.bindings.get("__getattr__", ()):
        function = binding.definition
        for value in function.returns if isinstance(function, Function) else ():
            asked = _asked(names, value)
            inner = behind(names, value) or value
            found = _found(names, module, inner, name) if asked in (None, name) else None
            if found is not None and (asked or _is_called(found, name) or _looks_up(inner)):
                return found
    return None


def _found(names: Names, module: Module, node: tree.Node, name: str) -> Binding | Module | None:
    match node:
        case tree.Call(func=tree.Name(id="getattr"), args=(home, *_)):
            found = _home(names, module, home.value, name)
            known = found is not None and found is not module
            return names.global_binding(found, name) if found is not None and known else None
        case tree.Name():
            bindings = names.bindings_of(node)
            target = names.follow(bindings[0]) if len(bindings) == 1 else None
            return target if isinstance(target, Binding | Module) else None
        case _:
            return _home(names, module, node, name)


def _is_called(found: Binding | Module, name: str) -> bool:
    return found.name.rpartition(".")[2] == name


def _looks_up(node: tree.Node) -> bool:
    """Whether an expression asks a table for what it means: `import_module(_HOMES[name])`."""
    return any(isinstance(one, tree.Subscript) for one in within(node))


def _asked(names: Names, value: tree.Node) -> str | None:
    """The one name for which something is yielded: `if name == "reports": …`; `None` where nothing says so."""
    place = names.place(value)
    for number, branch, _ in place.blocks:
        block = place.scope.module.blocks[number]
        match block.heads[0] if block.kind == "if" and branch == 0 else None:
            case tree.Compare(
                ops=("==",), left=tree.Name(), rights=(tree.Const(value=str() as text),)
            ):
                return text
    return None


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
        case tree.Name() if [one.kind for one in names.bindings_of(node)] == ["param"]:
            return name
        case tree.Binary(op="+"):
            first = _dotted(names, module, node.left, name)
            rest = _dotted(names, module, node.right, name)
            return first + rest if first and rest else ""
        case tree.Subscript(base=table) | tree.Call(func=tree.Attr(name="get", base=table)):
            found = behind(names, table)
            kept = found.under(name) if isinstance(found, tree.DictDisplay) else None
            return _dotted(names, module, kept, name) if kept is not None else ""
        case _:
            return ""
