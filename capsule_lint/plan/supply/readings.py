"""How expressions read what functions are given, spelled out to where they start; and which sources of policy read the
same thing for different scopes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.supply.repeats import kept

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from capsule_lint.policy import SourceSpec
    from capsule_lint.program import Program

_GET: Final = re.compile(r"""\.get\((["'][^"']+["'])[^()]*\)""")
_LAST: Final = re.compile(r"""(?:\[[^\[\]]*\]|\.\w+)\Z""")
_DEPTH: Final = 6


def counterparts(spec: SourceSpec, others: Iterable[SourceSpec]) -> list[SourceSpec]:
    """Those sources of another scope that start from what one does; where some read the same part of it, only those:
    `event["identity"]["tenant"]` for `event["identity"]["capsule"]`, whatever else of `event` policy names."""
    alike = [one for one in others if one.kind is spec.kind and one.roots == spec.roots]
    same = [one for one in alike if _container(one) == _container(spec)]
    return same or alike


def _container(spec: SourceSpec) -> str:
    return _LAST.sub("", in_one_style(spec.code))


def in_one_style(code: str) -> str:
    """An expression with the quotes that `text_of` writes, its items read by subscripts."""
    return _GET.sub(r"[\1]", code).replace("'", '"')


def spelled_out(node: tree.Node, program: Program) -> str | None:
    """`event["identity"]["tenant"]` for `claims["tenant"]`, where `claims` was made of `event`, and for
    `_tenant(event)`, which only returns that."""
    text = _spelled(node, program, {}, 0)
    return in_one_style(text) if text is not None else None


def _spelled(
    node: tree.Node, program: Program, given: Mapping[str, str], depth: int
) -> str | None:
    if depth > _DEPTH:
        return None
    match node:
        case tree.Name():
            value = kept(node, program)
            if value is not node:
                return _spelled(value, program, given, depth + 1)
            parameters = [b for b in program.names.bindings_of(node) if b.parameter is not None]
            return given.get(node.id, node.id) if parameters else node.id
        case tree.Attr():
            base = _spelled(node.base, program, given, depth)
            return f"{base}.{node.name}" if base is not None else None
        case tree.Subscript():
            base, index = _spelled(node.base, program, given, depth), text_of(node.index)
            return f"{base}[{index}]" if base is not None and index is not None else None
        case tree.Call(func=tree.Attr(name="get", base=of), args=(key, *_)):
            base, index = _spelled(of, program, given, depth), tree.text(key.value)
            return f'{base}["{index}"]' if base is not None and index is not None else None
        case tree.Call():
            return _returned(node, program, given, depth)
        case _:
            return text_of(node)


def _returned(
    call: tree.Call, program: Program, given: Mapping[str, str], depth: int
) -> str | None:
    """What the one function that is called returns, told by what it is given."""
    callees = program.calls.callees(call)
    function = callees[0].function if len(callees) == 1 else None
    if function is None or len(function.returns) != 1:
        return text_of(call)
    bound = callees[0].bind(call)
    if bound is None:
        return None
    told = {
        name: text
        for name, argument in bound.arguments.items()
        if (text := _spelled(argument.value, program, given, depth + 1)) is not None
    }
    return _spelled(function.returns[0], program, told, depth + 1)
