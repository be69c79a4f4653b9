"""Calls that take the tuples apart that they are given: `list(truck)`, `starmap(label, trucks)`, `zip(*trucks)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import NOTHING, Types, join
from capsule_lint.program.local_names import bound_whole
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.names import Names

_WHOLE: Final = frozenset(
    [
        "tuple",
        "list",
        "len",
        "iter",
        "enumerate",
        "zip",
        "zip_longest",
        "reversed",
        "map",
        "next",
        "writerow",
        "writerows",
        "execute",
        "executemany",
        "from_iterable",
        "chain",
        "join",
    ]
)
"""What goes through the fields of a tuple that it is given."""
_EACH: Final = frozenset(
    ("starmap", "starmap_async", "writerows", "executemany", "from_iterable", "dict", "sum")
)
"""What goes through the fields of each tuple in a list that it is given."""
_SPREAD: Final = frozenset(("zip", "zip_longest", "chain", "product"))
"""What goes through the fields of each tuple that it is given by position."""
_MAPS: Final = frozenset(("map", "imap", "imap_unordered"))
_ASKS: Final = frozenset(
    ("sorted", "min", "max", "sort", "groupby", "map", "filter", "nlargest", "nsmallest")
)
"""What asks each thing in a list that it is given by a function that it is given."""
_TUPLES: Final = frozenset(("tuple", "Tuple", "Sequence", "Collection", "Iterable"))
"""What an annotation says of a parameter that may be given a named tuple; callers of others are not asked for."""


def goes_through(call: tree.Call) -> bool:
    """Whether a call goes through the fields of a tuple that it is given."""
    return last_name(call.func) in _WHOLE


def whole(call: tree.Call) -> Iterator[tree.Node]:
    """What a call goes through the fields of, if it is a tuple."""
    for argument in call.args:
        if argument.star == "*" or (goes_through(call) and not argument.star):
            yield argument.value


def each(call: tree.Call) -> Iterator[tree.Node]:
    """What a call goes through, and through the fields of each tuple in it."""
    name = last_name(call.func)
    if name in _EACH:
        named = name != "dict"  # which keeps what it is given by keywords
        yield from (a.value for a in call.args if not a.star and (named or a.keyword is None))
    elif name in _SPREAD:
        yield from (a.value for a in call.args if a.star == "*")
    elif name in _MAPS and last_name(call.args[0].value if call.args else None) in _WHOLE:
        yield from call.unnamed[1:]


def columns(call: tree.Call) -> tree.Node | None:
    """The tuples of whose fields `zip(*trucks)` makes one tuple each."""
    given = call.unnamed
    single = last_name(call.func) in ("zip", "zip_longest") and len(given) == 1
    return given[0] if single and any(a.star == "*" for a in call.args) else None


def asks_each(call: tree.Call) -> bool:
    """Whether a call asks each thing in a list that it is given by the `itemgetter(1)` that it is given."""
    return last_name(call.func) in _ASKS


def getter(names: Names, node: tree.Node) -> tree.Call | None:
    """The `itemgetter(1)` that an expression is, or a name, also in another module."""
    bound = bound_whole(names, node)
    target = names.follow(bound) if bound is not None else None
    value = target.assigned if isinstance(target, Binding) else node
    return value if isinstance(value, tree.Call) and last_name(value) == "itemgetter" else None


def given(program: Program, node: tree.Node) -> Types:
    """What a parameter is given of which is said that it is a tuple, or a sequence, of whatever."""
    bound = program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
    return join(
        *(
            program.calls.passed(one.function, one.parameter) or NOTHING
            for one in bound
            if one.function is not None
            and one.parameter in one.function.params
            and _is_tuple(program, one.parameter.annotation)
            and one.parameter.kind not in ("*", "**")
        )
    )


def _is_tuple(program: Program, annotation: tree.Node | None) -> bool:
    """Whether an annotation says that something may be a tuple, there or in an alias."""
    target = program.classes.dotted(annotation) if annotation is not None else None
    said = (target.assigned if isinstance(target, Binding) else None) or annotation
    return said is not None and any(last_name(part) in _TUPLES for part in within(said))
