"""Where a program is entered: the functions that frameworks call, and what these hand them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import NOTHING, FunctionObject, Instance, Types
from capsule_lint.program.local_names import written_text
from capsule_lint.program.model import Binding, Class, Function, Module
from capsule_lint.program.names import External
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from capsule_lint.policy import Policy
    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.names import Names, Target

_INJECTORS: Final = frozenset(("Depends", "Security"))
_LAMBDA: Final = (frozenset(("event", "evt")), frozenset(("context", "ctx", "lambda_context", "")))
"""What the two parameters of a function are called that AWS Lambda calls, but for leading underscores."""

_STANDING_IN: Final = ("unittest.mock.", "mock.")
"""Where `patch` is from that puts something in the place of a name, and serves no request."""


@dataclass(eq=False, slots=True)
class Entrances:
    """The handlers, known before types are asked for, and what is injected into them."""

    names: Names
    inference: Inference
    policy: Policy
    handlers: set[Function] = field(default_factory=set)
    injected: set[Function] = field(default_factory=set)
    """What is given to `Depends(…)`, and what AWS Lambda calls though no policy says so."""

    def find_handlers(self) -> None:
        """Handlers by policy, and what frameworks call to fill their parameters."""
        for module in self.names.modules.values():
            for function in module.functions:
                if self._is_handler(function):
                    self.handlers.add(function)

    def _is_handler(self, function: Function) -> bool:
        if function.module.is_test:
            return False
        if any(self.marks(decorator, function) for decorator in function.fact.decorators):
            return True
        private = function.owner is not None and function.name.startswith("_")
        return (
            function.parent is None
            and not private
            and self.policy.handlers.is_function(function.symbol)
        )

    def marks(self, decorator: tree.Node, function: Function) -> bool:
        """Whether a decorator of a function is one that policy says makes handlers, by how it is written or, where it is
        a router's or has a path, by what that means; but for the program's own registries of functions that are told a scope."""
        node, said = tree.uncalled(decorator), self.policy.handlers
        meant = self._meant(node)
        if meant.startswith(_STANDING_IN):
            return False
        if said.is_decorator(_dotted(node)):
            return True
        told = any(names_any_of(p.name, self.policy.scopes) for p in function.own_params)
        if not said.is_decorator(meant) or (told and self.names.is_ours(meant)):
            return False
        return said.is_spelled_out(meant) or self._is_of_router(node) or self._has_path(decorator)

    def _is_of_router(self, node: tree.Node) -> bool:
        """Whether a name is that of a router's method: `get = router.get`."""
        target = self._target(node)
        assigned = target.assigned if isinstance(target, Binding) else None
        return isinstance(assigned, tree.Attr)

    def _has_path(self, decorator: tree.Node) -> bool:
        """Whether a decorator is told the path of a request: without one, `@post` may be of anything that has an order."""
        given = decorator.args if isinstance(decorator, tree.Call) else ()
        texts = (written_text(self.names, argument.value) for argument in given)
        return any(text is not None and text.startswith(("/", "^/")) for text in texts)

    def _target(self, node: tree.Node) -> Target | None:
        """What the only binding of a name leads to."""
        bindings = self.names.bindings_of(node) if isinstance(node, tree.Name) else []
        return self.names.follow(bindings[0]) if len(bindings) == 1 else None

    def _meant(self, node: tree.Node) -> str:
        """The qualified name of what a path leads to: `app.web.route` of `route` and of `web.route`, `router.get` of
        `get = router.get`."""
        if isinstance(node, tree.Attr):
            return f"{self._meant(node.base)}.{node.name}"
        match target := self._target(node):
            case External() | Module():
                return target.name
            case Binding(definition=Function(parent=None) as defined):
                return defined.symbol
            case Binding(assigned=tree.Attr() as path):
                return _dotted(path)
        return _dotted(node)

    def find_injected(self, calls: Calls) -> None:
        """Functions given to `Depends(…)`, as far as `calls` resolves them."""
        for name in _INJECTORS:
            for call in calls.uses.calls_beside(name):
                for argument in call.args[:1]:
                    for one in calls.inference.of(argument.value):
                        if isinstance(one, FunctionObject):
                            self.injected.add(one.function)

    def find_invoked(self, calls: Calls) -> None:
        """Functions that take an event and a context, whatever their names, and that no code calls but tests."""
        for module in self.names.modules.values():
            for function in module.functions if not module.is_test else ():
                names = [p.name.strip("_") for p in function.params]
                plain = function.owner is None and function.parent is None and len(names) == 2
                if plain and all(n in said for n, said in zip(names, _LAMBDA, strict=True)):
                    callers = (self.names.module_of(call) for call, _ in calls.callers(function))
                    if all(one.is_test for one in callers):
                        self.injected.add(function)

    def enters(self, function: Function) -> bool:
        """Whether a framework calls the function and fills its parameters."""
        self.names.ask(function.name)
        return function in self.handlers or function in self.injected

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
