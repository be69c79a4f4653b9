"""Functions that are chosen where they are called: `(repo.approve if well else repo.reject)(tenant_id)`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterator


def chosen(called: tree.Node) -> Iterator[tree.Node]:
    """What an expression that is called may be: itself, or one of those that it chooses among."""
    match called:
        case tree.Conditional():
            yield from chosen(called.then)
            yield from chosen(called.otherwise)
        case tree.Boolean(values=values):
            for value in values:
                yield from chosen(value)
        case tree.Subscript(base=tree.DictDisplay(values=values)):
            for value in values:
                yield from chosen(value)
        case tree.Subscript(base=tree.Sequence(items=items)):
            for item in items:
                yield from chosen(item)
        case _:
            yield called
