"""Texts that stand for a scope's value: written out where it is asked for, or what a default of it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.judgement import LiteralFact
from capsule_lint.plan.opinions.base import Opinion
from capsule_lint.plan.opinions.no_values import no_value
from capsule_lint.policy import SourceKind
from capsule_lint.program.inference.presence import ends
from capsule_lint.program.inference.types import Foreign, classes_of
from capsule_lint.program.local_names import given
from capsule_lint.program.model import Binding, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.opinions.base import Ground
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Place

_EVERYONE: Final = frozenset(("*", "all", "any", "global", "system", "shared", "common", "public"))
"""Values that stand for no scope in particular."""


def is_everyone(value: str) -> bool:
    """Whether a value stands for no scope in particular."""
    return value.strip("_$<>").lower() in ("", *_EVERYONE)


def texts(ground: Ground, node: tree.Node, scope: Scope) -> Iterator[tuple[tree.Node, str]]:
    """The texts that an expression for a scope's value is or may be, unless they come from a constant of the policy; each
    with what is wrong: the expression itself, or what a local gets as a default, `capsule_id = ctx.capsule_id or "PROD"`."""
    yield from _texts(ground, node, node, scope, set())


def written_out(ground: Ground, value: tree.Node, scope: Scope) -> tuple[tree.Node, str]:
    """What is written out for a scope's value and stands for one scope, or for none, and where; an empty text where that is not so."""
    found = (one for one in texts(ground, value, scope) if not is_everyone(one[1]))
    return next(found, (value, no_value(ground.program.names, value)))


def literals(ground: Ground, value: tree.Node, scope: Scope) -> Iterator[Opinion]:
    """That a scope's value is written out."""
    at, text = written_out(ground, value, scope)
    if text:
        yield from literal(ground, value, scope, at, text, ground.program.names.symbol_of(at))


def literal(
    ground: Ground, value: tree.Node, scope: Scope, at: tree.Node, text: str, symbol: str
) -> Iterator[Opinion]:
    """That a text which stands at some place is a scope's value; once, where several values read the same default."""
    if at is value or id(at) not in ground.told:
        ground.told.add(id(at))
        filename = ground.program.names.module_of(at).filename
        yield Opinion(LiteralFact(filename, at.span, symbol, (scope.parameter,), reason=text))


def _texts(
    ground: Ground, node: tree.Node, at: tree.Node, scope: Scope, seen: set[int]
) -> Iterator[tuple[tree.Node, str]]:
    node = ground.uncast(node)
    if id(node) in seen or is_source_constant(ground, node, scope):
        return
    seen.add(id(node))
    for one in _alternatives(ground, node, scope):
        yield from _texts(ground, one, at, scope, seen)
    match node:
        case tree.Const(value=str() as text):
            yield at, text
        case tree.Name() if (local := ground.program.names.bindings_of(node)) and (
            ground.program.templates.constant(node) is None
        ):
            for binding in local:
                value = (
                    given(binding)
                    if _may_hold(binding, ground.program.names.place(node))
                    else None
                )
                if value is not None:
                    alone = len(local) == 1 and isinstance(
                        value, tree.Const | tree.Name | tree.Attr
                    )
                    yield from _texts(ground, value, at if alone else value, scope, seen)
        case tree.Name() | tree.Attr():
            yield from _constant(ground, node, at)


def _constant(ground: Ground, node: tree.Node, at: tree.Node) -> Iterator[tuple[tree.Node, str]]:
    text = ground.program.templates.constant(node)
    if text is not None:
        yield at, text


def _may_hold(binding: Binding, place: Place) -> bool:
    """Whether a local may have at a place what an assignment gives it: none that stands in a branch which ends there, or
    beside the one that the place is in."""
    if binding.kind != "assign" or binding.function is None or binding.is_step:
        return False
    left = [branch for branch in binding.place.blocks if branch not in place.blocks]
    blocks, around = binding.place.scope.module.blocks, {number for number, *_ in place.blocks}
    return not any(
        ends(blocks[number].bodies[branch])
        or (number in around and (blocks[number].kind != "try" or branch > 0))
        for number, branch, _ in left
    )


def _alternatives(ground: Ground, node: tree.Node, scope: Scope) -> Iterator[tree.Node]:
    """What a value may be beside what is asked for it: `capsule_id or "PROD"`, `item.get("capsule_id", "PROD")`,
    `getattr(ctx, "capsule_id", "PROD")`; what the environment says is no default of the code alone."""
    match node:
        case tree.Boolean(op="or"):
            yield from node.values
        case tree.Conditional():
            yield from (node.then, node.otherwise)
        case tree.Call(func=tree.Attr(name="get" | "pop") as func, args=(_, default)) if last_name(
            func.base
        ) != "environ" and not _asks_section(ground, func.base, default.value, scope):
            yield default.value
        case tree.Call(func=tree.Name(id="getattr"), args=(_, _, default)):
            yield default.value
        case tree.Walrus(value=value):
            yield value


def _asks_section(ground: Ground, asked: tree.Node, name: tree.Node, scope: Scope) -> bool:
    """Whether what `get` is given second is the name of an option, `config.get("deployment", "capsule")`, and no default."""
    if (tree.text(name) or "").lower() in (scope.name, scope.parameter):
        return True
    types = ground.program.inference.of(asked)
    foreign = [one.name.removesuffix("()") for one in types if isinstance(one, Foreign)]
    own = [base for one in classes_of(types) for base in ground.program.classes.foreign_bases(one)]
    return any(name.endswith("ConfigParser") for name in (*foreign, *own))


def is_source_constant(ground: Ground, node: tree.Node, scope: Scope) -> bool:
    """Whether a name is that of a constant, of a module, a class or an enum, which the policy names as
    a source of the scope."""
    if not isinstance(node, tree.Name | tree.Attr):
        return False
    kinds = (SourceKind.CONSTANT, SourceKind.ATTRIBUTE)
    constants = {(s.module, s.code) for s in scope.sources if s.kind in kinds}
    if not constants:
        return False
    target = ground.program.classes.dotted(node)
    if not isinstance(target, Binding):
        return target in [f"{module}.{code}" for module, code in constants]
    cls = target.place.scope.cls if target.place.scope.kind == "class" else None
    name = f"{cls.name}.{target.name}" if cls is not None else target.name
    return (target.module.name, name) in constants
