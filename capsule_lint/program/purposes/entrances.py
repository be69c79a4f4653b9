"""Where a program is entered: the functions that frameworks call, and what these hand them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import NOTHING, FunctionObject, Instance, Types
from capsule_lint.program.model import Binding, Class, Function

if TYPE_CHECKING:
    from capsule_lint.policy import Policy
    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.names import Names

_INJECTORS: Final = frozenset(("Depends", "Security"))
_OF_LAMBDA: Final = (["event", "context"], ["event", "ctx"], ["event", "lambda_context"])


@dataclass(eq=False, slots=True)
class Entrances:
    """The handlers, known before types are asked for, and what is injected into them."""

    names: Names
    inference: Inference
    policy: Policy
    handlers: set[Function] = field(default_factory=set)
    injected: set[Function] = field(default_factory=set)

    def find_handlers(self) -> None:
        """Handlers by policy, and what frameworks call to fill their parameters."""
        for module in self.names.modules.values():
            for function in module.functions:
                if self._is_handler(function):
                    self.handlers.add(function)

    def _is_handler(self, function: Function) -> bool:
        if function.module.is_test:
            return False
        for decorator in function.fact.decorators:
            dotted = _dotted(tree.uncalled(decorator))
            if self.policy.handlers.is_decorator(dotted):
                return True
        private = function.owner is not None and function.name.startswith("_")
        return (
            function.parent is None
            and not private
            and self.policy.handlers.is_function(function.symbol)
        )

    def find_injected(self, calls: Calls) -> None:
        """Functions given to `Depends(…)`, as far as `calls` resolves them."""
        for name in _INJECTORS:
            for call in calls.uses.calls_beside(name):
                for argument in call.args[:1]:
                    for one in calls.inference.of(argument.value):
                        if isinstance(one, FunctionObject):
                            self.injected.add(one.function)

    def enters(self, function: Function) -> bool:
        """Whether a framework calls the function and fills its parameters."""
        self.names.ask(function.name)
        return function in self.handlers or function in self.injected or self._is_lambda(function)

    def _is_lambda(self, function: Function) -> bool:
        """Whether a function has the signature of Lambda's handlers, and nothing else of the program calls it."""
        if function.owner is not None or function.parent is not None or function.module.is_test:
            return False
        if [p.name.strip("_") for p in function.params] not in _OF_LAMBDA:
            return False
        called = self.inference.calls.uses.calls_beside(function.name)
        return all(self.names.module_of(call).is_test for call in called)

    def handed(self, function: Function, name: str) -> Types:
        """What a framework gives a handler for a parameter of the name that policy's has."""
        said = self.policy.handlers.parameter
        if said is None or said.name != name or function not in self.handlers:
            return NOTHING
        meant = self.handler_class()
        return frozenset((Instance(meant),)) if meant is not None else NOTHING

    def handler_class(self) -> Class | None:
        """The class of the parameter that policy gives handlers; `Principal` where that is
        `CurrentPrincipal = Annotated[Principal, Depends(…)]`."""
        said = self.policy.handlers.parameter
        if said is None or said.annotation is None:
            return None
        target = self.names.follow(self.names.member(said.annotation.module, said.annotation.name))
        if not isinstance(target, Binding):
            return None
        if isinstance(target.definition, Class):
            return target.definition
        types = (
            self.inference.annotations.of(target.value) if target.value is not None else NOTHING
        )
        return next((one.cls for one in types if isinstance(one, Instance)), None)


def _dotted(node: tree.Node) -> str:
    """`a.b.c` as it is written."""
    if isinstance(node, tree.Attr):
        return f"{_dotted(node.base)}.{node.name}"
    return node.id if isinstance(node, tree.Name) else ""
