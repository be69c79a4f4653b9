"""Which bindings of a name can still hold where it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from capsule_lint.program.model import Binding, Place, Scope


ONE_BODY: Final = ("case", "except", "except*")
"""How targets are bound that hold in one body of a block alone."""


def same_flow(scope: Scope, place: Place) -> bool:
    """Whether only comprehensions and lambdas lie between `scope` and `place`."""
    for between in place.scope.ancestors():
        if between is scope:
            return True
        if between.kind not in ("comprehension", "lambda"):
            return False
    return False


def reaching(bindings: list[Binding], place: Place) -> list[Binding]:
    """Those bindings of one scope that can still hold at `place`."""
    if len(bindings) == 1:
        return bindings
    found: list[Binding] = []
    for number, binding in reversed(list(enumerate(bindings))):
        if binding.kind in ONE_BODY and _in_other_body(binding.place, place):
            continue
        if comes_after(binding, place):
            if in_common_loop(binding.place, place):
                found.append(binding)
            continue
        found.append(binding)
        if not is_around(binding.place, place):
            continue
        if not number or not _is_alternative(bindings[number - 1], binding):
            break
    return found or bindings


def is_around(one: Place, other: Place) -> bool:
    """Whether a place stands in all the bodies of blocks that another one stands in."""
    return one.blocks == other.blocks[: len(one.blocks)]


def _is_alternative(one: Binding, other: Binding) -> bool:
    """Whether two bindings are of one pattern: `case Opened(place=place) | Closed(where=place)`."""
    same = one.place.statement is other.place.statement and one.place.blocks == other.place.blocks
    return same and one.kind == other.kind == "case"


def history(last: Binding) -> list[Binding]:
    """The bindings of a local from its plain assignment up to the step `last`, in order, which a function
    inside may have done: `nonlocal count`."""
    known = (scope.bindings.get(last.name, ()) for scope in last.place.scope.ancestors())
    own = next((bindings for bindings in known if last in bindings), [last])
    every = sorted(own, key=lambda b: b.place.order)
    before = [b for b in every if b.place.order <= last.place.order]
    start = max((n for n, b in enumerate(before) if not b.is_step), default=0)
    return before[start:]


def comes_after(binding: Binding, place: Place) -> bool:
    """Whether a binding is made only when what stands at `place` has been evaluated."""
    return binding.place.order > place.order or (
        binding.place.order == place.order
        and binding.kind == "assign"
        and binding.place.statement is place.statement
        and not _walrus(binding)
    )


def _walrus(binding: Binding) -> bool:
    statement = binding.place.statement
    targets = statement.targets if isinstance(statement, tree.Assign) else ()
    return not any(binding.at == target.at for target in targets)


def _in_other_body(one: Place, other: Place) -> bool:
    """Whether a place stands in another body of the block that binds in the one that it holds for."""
    number, branch, _ = one.blocks[-1]
    return any(n == number and b != branch for n, b, _ in other.blocks)


def in_common_loop(one: Place, other: Place) -> bool:
    """Whether two places stand in one loop."""
    return any(branch[2] for branch in one.blocks if branch in other.blocks)
