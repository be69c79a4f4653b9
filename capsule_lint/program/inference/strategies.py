"""What strategies of Hypothesis yield, and which of them fill the parameters of a test: `@given(note=notes())`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import (
    ANYTHING,
    NOTHING,
    Collection,
    Foreign,
    TupleOf,
    Types,
    join,
    ordered,
)
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Function

_KIND: Final = "strategy"
_LISTS: Final = frozenset(("lists", "sets", "frozensets", "iterables"))
_METHODS: Final = frozenset(("draw", "example", "filter", "flatmap", "map"))


def yielding(types: Types) -> Types:
    """A strategy that yields what has these types."""
    return frozenset((Collection(types, kind=_KIND),))


def drawn(types: Types) -> Types:
    """What is drawn from a strategy; nothing where that is none."""
    return join(*(t.items for t in types if isinstance(t, Collection) and t.kind == _KIND))


def of_call(inference: Inference, node: tree.Call, plain: Sequence[tree.Node]) -> Types | None:
    """What a call yields of something that Hypothesis has; `None` where that is no strategy, or nobody knows what it
    yields."""
    name, first = last_name(node.func), plain[0] if plain else None
    if first is None or not _is_foreign(inference, node.func):
        return None
    made: Types = NOTHING
    if name == "builds":
        made = inference.results.made_by(first)
    elif name == "just":
        made = inference.of(first)
    elif name == "from_type":
        made = inference.annotations.of(first)
    elif name == "sampled_from":
        made = inference.elements(inference.of(first))
    elif name in ("one_of", "shared"):
        made = join(*(drawn(inference.of(one)) for one in plain))
    elif name in _LISTS:
        made = frozenset((Collection(drawn(inference.of(first))),))
    elif name == "tuples":
        made = frozenset((TupleOf(tuple(drawn(inference.of(one)) or ANYTHING for one in plain)),))
    return yielding(made) if made else None


def may_be(node: tree.Call) -> bool:
    """Whether a call may be one that `of_method` knows, by its name."""
    return last_name(node.func) in _METHODS


def of_method(inference: Inference, node: tree.Call) -> Types:
    """What a method of a strategy yields, or what is drawn from one, `ids.map(note_of)`, `draw(notes())`; nothing
    where there is none."""
    name, first = last_name(node.func), node.plain[0] if node.plain else None
    if name == "draw":
        return drawn(inference.of(first)) if first is not None else NOTHING
    base = inference.of(node.func.base) if isinstance(node.func, tree.Attr) else NOTHING
    strategies = frozenset(t for t in base if isinstance(t, Collection) and t.kind == _KIND)
    if name == "filter" or not strategies:
        return strategies
    if name == "example":
        return drawn(strategies)
    made = inference.results.made_by(first) if first is not None else NOTHING
    return yielding(made) if name == "map" else made


def filling(function: Function, name: str) -> tree.Node | None:
    """The strategy that fills a parameter of a test: by its name, or as one of the last ones."""
    own = [parameter.name for parameter in function.own_params if parameter.by_position]
    for decorator in function.fact.decorators:
        if isinstance(decorator, tree.Call) and last_name(decorator.func) == "given":
            plain = decorator.plain
            last = own[len(own) - len(plain) :] if plain else []
            filled = {**dict(zip(last, plain, strict=False)), **dict(decorator.keywords)}
            if name in filled:
                return filled[name]
    return None


def is_draw(inference: Inference, node: tree.Call) -> bool:
    """Whether a call draws from a strategy: `draw(notes())`, `data.draw(notes())`."""
    return (
        last_name(node.func) == "draw"
        and bool(node.plain)
        and bool(drawn(inference.of(node.plain[0])))
    )


def _is_foreign(inference: Inference, func: tree.Node) -> bool:
    """Whether what is called is Hypothesis's own."""
    types = ordered(inference.of(func))
    return all(isinstance(t, Foreign) and t.name.startswith("hypothesis.") for t in types)
