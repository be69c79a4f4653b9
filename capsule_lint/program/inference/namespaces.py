"""Modules and attributes that are looked up by their names: `globals()["f"]`, `vars(m)["f"]`,
`m.__dict__["f"]`, `import_module("m").f`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.containers import KEYED
from capsule_lint.program.inference.types import (
    ANYTHING,
    Foreign,
    ModuleObject,
    Namespace,
    Type,
    Types,
    foreign,
    join,
)
from capsule_lint.program.model import Function, last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.names import External

MODULE: Final = "module"
"""What inference calls a module of which it is not known which one it is."""
_READS: Final = KEYED | {"__getitem__"}


def of_call(inference: Inference, node: tree.Call, plain: Sequence[tree.Node]) -> Types | None:
    """What the built-in `globals`, `vars`, `import_module` and `__import__` yield; `None` for others."""
    match last_name(node.func), plain:
        case "globals", []:
            module = inference.names.module_of(node)
            return frozenset((Namespace(ModuleObject(module)),))
        case "vars", [only]:
            return join(*(of(one) for one in inference.of(only)))
        case ("import_module" | "__import__") as name, [first, *_]:
            text = first.value if isinstance(first, tree.Const) else None
            if not isinstance(text, str) or text.startswith("."):
                return foreign(MODULE)
            whole = name == "import_module" or any(a.keyword == "fromlist" for a in node.args)
            return _module(inference, text if whole else text.partition(".")[0])
        case _:
            return None


def of(one: Type) -> Types:
    """The namespace of a value: its `__dict__`."""
    return frozenset((Namespace(one),))


def looked_up(inference: Inference, base: Namespace, name: tree.Node) -> Types:
    """What a namespace has under the name that an expression says."""
    if not isinstance(name, tree.Const) or not isinstance(name.value, str):
        return foreign("value")
    return inference.attributes.of(base.base, name.value)


def imported(inference: Inference, name: tree.Node) -> Types:
    """What `sys.modules` has under a name."""
    text = name.value if isinstance(name, tree.Const) else None
    return _module(inference, text) if isinstance(text, str) else foreign(MODULE)


def made_late(inference: Inference, target: External) -> Types:
    """What a module makes when it is asked for: some module, where its `__getattr__` yields nothing else."""
    module = inference.names.module(target.name.rpartition(".")[0])
    makers = module.scope.bindings.get("__getattr__", ()) if module is not None else ()
    known = (one.definition for one in makers if isinstance(one.definition, Function))
    found = join(*(inference.of(value) for maker in known for value in maker.returns))
    modules = bool(found) and all(is_module(one) for one in found)
    return foreign(MODULE) if modules else ANYTHING


def is_module(one: Type) -> bool:
    """Whether a value is a module, known or not."""
    return isinstance(one, ModuleObject) or one == Foreign(MODULE)


def _module(inference: Inference, name: str) -> Types:
    module = inference.names.module(name)
    return frozenset((ModuleObject(module),)) if module is not None else foreign(name)


def name_in(lookup: tree.Node) -> tree.Node | None:
    """The expression for the name in a lookup: `"f"` of `ns["f"]` and of `ns.get("f")`."""
    match lookup:
        case tree.Subscript():
            return lookup.index
        case tree.Call(func=tree.Attr(name=name), args=(first, *_)) if name in _READS:
            return first.value
        case _:
            return None


def base_of(lookup: tree.Node) -> tree.Node | None:
    """What a lookup looks into."""
    match lookup:
        case tree.Subscript():
            return lookup.base
        case tree.Call(func=tree.Attr(base=base, name=name), args=(_, *_)) if name in _READS:
            return base
        case _:
            return None


def is_spelled(node: tree.Node | None) -> bool:
    """Whether an expression is a namespace by the looks of it, whatever it is the namespace of."""
    match node:
        case tree.Attr(name="__dict__"):
            return True
        case tree.Call(func=tree.Name(id="globals" | "locals" | "vars")):
            return True
        case _:
            return False


def called_name(func: tree.Node) -> str:
    """The name of what `globals()["f"](…)` calls; empty for what is called in another way."""
    name = name_in(func) if is_spelled(base_of(func)) else None
    return tree.text(name) or ""
