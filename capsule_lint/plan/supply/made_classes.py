"""Sources that are attributes of classes which a call makes, `User = namedtuple("User", …)`: whether something in scope is
one of their objects is told by annotations, and by what makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.state import Value
from capsule_lint.program.model import Binding, enclosing, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.supply.visible import Visible
    from capsule_lint.policy import SourceSpec
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Place

_MAKING_CLASSES: Final = frozenset(
    (
        "namedtuple",
        "NamedTuple",
        "make_dataclass",
        "make_class",
        "create_model",
        "TypedDict",
        "type",
    )
)
"""What makes a class and returns it."""


class MadeClasses(Struct, frozen=True):
    """Asks them."""

    program: Program
    visible: Visible

    def value(self, spec: SourceSpec, place: Place) -> Value | None:
        """The attribute of the one parameter or local that is an object of such a class."""
        made = made_class(self.program, spec)
        for function in enclosing(place) if made is not None else ():
            found = [] if made is None else list(self._objects(function, made, place))
            if found:
                code = f"{found[0]}.{spec.access}"
                return Value(code, kind="configured") if len(found) == 1 else None
        return None

    def _objects(self, function: Function, made: Binding, place: Place) -> Iterator[str]:
        """What a function is given that is declared so, and the locals that are given one."""
        for parameter in function.own_params:
            if self._names(parameter.annotation, made):
                yield parameter.name
        for name, bindings in function.scope.bindings.items():
            given = (self._gives(binding.assigned, made) for binding in bindings)
            if all(given) and self.visible.binding(name, place) is not None:
                yield name

    def _names(self, node: tree.Node | None, made: Binding) -> bool:
        return node is not None and self.program.classes.dotted(node) is made

    def _gives(self, node: tree.Node | None, made: Binding) -> bool:
        """Whether an expression makes an object of such a class, or calls what says that it gives one, or gives
        nothing else."""
        match node:
            case tree.Wrapped(kind="await", value=value):
                return self._gives(value, made)
            case tree.Call(func=func) if self._names(func, made):
                return True
            case tree.Call():
                functions = [callee.function for callee in self.program.calls.callees(node)]
                return bool(functions) and all(f and self._is_said(f, made) for f in functions)
            case _:
                return False

    def _is_said(self, function: Function, made: Binding) -> bool:
        if function.fact.returns is not None:
            return self._names(function.fact.returns, made)
        calls = [one.func for one in function.returns if isinstance(one, tree.Call)]
        known = len(calls) == len(function.returns) > 0
        return known and all(self._names(one, made) for one in calls)


def made_class(program: Program, spec: SourceSpec) -> Binding | None:
    """What a source names, where that is a class which a call makes: `namedtuple("Request", …)`."""
    target = program.names.follow(program.names.member(spec.module, spec.name))
    if not isinstance(target, Binding) or not isinstance(target.value, tree.Call):
        return None
    return target if last_name(target.value.func) in _MAKING_CLASSES else None
