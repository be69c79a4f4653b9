"""Values that regular expressions find in keys: `found["tenant"]`, `found.group(1)`, also by way of a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, last_name

if TYPE_CHECKING:
    from capsule_lint.program import Program

_LIBRARIES: Final = ("re", "regex")
_MAX_DEPTH: Final = 6


def is_group(program: Program, node: tree.Node, depth: int = 0) -> bool:
    """Whether a value is one of what a regular expression finds in a key, or a local that is."""
    match node:
        case _ if depth > _MAX_DEPTH:
            return False
        case (
            tree.Subscript(base=base) | tree.Call(func=tree.Attr(name="group" | "get", base=base))
        ):
            return _is_found(program, base, 0)
        case tree.Name():
            return any(_is_bound(program, b, depth) for b in program.names.bindings_of(node))
        case _:
            return False


def _is_bound(program: Program, binding: Binding, depth: int) -> bool:
    value = binding.value
    if binding.kind != "assign" or value is None:
        return False
    if binding.path:
        return _is_found(program, value, 0)
    return is_group(program, value, depth + 1)


def _is_found(program: Program, node: tree.Node, depth: int) -> bool:
    """Whether an expression is the match of such a regular expression, or its groups."""
    if depth > _MAX_DEPTH:
        return False
    match node:
        case tree.Walrus(value=inner) | tree.Conditional(then=inner):
            return _is_found(program, inner, depth + 1)
        case tree.Call(func=tree.Attr(name="groups" | "groupdict", base=base)):
            return _is_found(program, base, depth + 1)
        case tree.Call(func=tree.Attr(name="match" | "search" | "fullmatch", base=base)):
            made = program.classes.dotted(base)
            compiled = made.value if isinstance(made, Binding) else None
            if isinstance(compiled, tree.Call) and last_name(compiled.func) == "compile":
                return _is_of_keys(program, compiled)
            return made in _LIBRARIES and _is_of_keys(program, node)
        case tree.Call():
            functions = [c.function for c in program.calls.callees(node) if c.cls is None]
            returned = [v for f in functions if f is not None for v in f.returns]
            return any(_is_found(program, value, depth + 1) for value in returned)
        case tree.Name():
            return any(
                b.kind == "assign" and not b.path and _is_found(program, b.value, depth + 1)
                for b in program.names.bindings_of(node)
                if b.value is not None
            )
        case _:
            return False


def _is_of_keys(program: Program, call: tree.Call) -> bool:
    """Whether the regular expression that a call is given has the tag of a scope in it."""
    first = next((a.value for a in call.args if a.keyword in (None, "pattern")), None)
    text = program.templates.constant(first) if first is not None else None
    plain = (text or "").replace("\\", "").lower()
    return any(s.tag and s.tag.lower() in plain for s in program.policy.scopes)
