"""Lambdas that decide about the keys of a collection, where a function that goes through these is given them:
`self._drop(lambda key: key[0] == tenant_id)`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.memory.put_back import every_call
from capsule_lint.program.local_names import bound_whole, reads_of_parameter
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.key_uses import KeyUses
    from capsule_lint.program import Program


@dataclass(eq=False, slots=True)
class Predicates:
    """Follows keys into them."""

    keys: KeyUses
    annotated: dict[Home, list[tree.Node]] = field(default_factory=dict)
    """What the parameters that are called with keys say of these: `tuple[str, str]` of `Callable[[tuple[str, str]], bool]`."""

    def follow(self, call: tree.Call, node: tree.Node, home: Home) -> bool:
        """Whether a call, `matches(key)`, calls nothing but lambdas which all callers of its function write out: what these do
        with the key is looked at."""
        program = self.keys.local.program
        at = next((n for n, one in enumerate(call.args) if one.value is node), None)
        if at is None or any(one.star or one.keyword for one in call.args):
            return False
        lambdas = given_lambdas(program, call)
        params = [one.params for one in lambdas]
        if not lambdas or not all(
            len(own) == len(call.args) and own[at].by_position for own in params
        ):
            return False
        for one in lambdas:
            module = program.names.module_of(one)
            for use in reads_of_parameter(program.names, one.params[at], module):
                self.keys.key(use, home)
        self._annotate(call, at, home)
        return True

    def _annotate(self, call: tree.Call, at: int, home: Home) -> None:
        binding = bound_whole(self.keys.local.program.names, call.func)
        own = binding.parameter if binding is not None else None
        match own.annotation if own is not None else None:
            case tree.Subscript(base=base, index=index) if last_name(base) == "Callable":
                told = tree.items(index)[0]
                if isinstance(told, tree.Sequence) and len(told.items) == len(call.args):
                    self.annotated.setdefault(home, []).append(told.items[at])


def given_lambdas(program: Program, call: tree.Call) -> list[tree.Lambda]:
    """The lambdas that a call calls by the name of a parameter; none where it may call anything else."""
    binding = bound_whole(program.names, call.func)
    function = binding.function if binding is not None else None
    if binding is None or binding.kind != "param" or function is None:
        return []
    if len(list(program.names.called(function, binding.name))) != 1:
        return []  # it may be called with the keys of something else
    found: list[tree.Lambda] = []
    for one in every_call(program, function):
        given = _argument(program, one, binding.name) if one is not None else None
        if not isinstance(given, tree.Lambda):
            return []
        found.append(given)
    return found


def _argument(program: Program, call: tree.Call, name: str) -> tree.Node | None:
    """What a call gives for a parameter, whichever function it calls."""
    given: list[tree.Node | None] = []
    for callee in program.calls.callees(call):
        argument = callee.arguments(call).get(name)
        given.append(argument.value if argument is not None else None)
    return given[0] if given and all(one is given[0] for one in given) else None
