"""Scopes whose value a handler takes from what the client sends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.judgement import TrustFact
from capsule_lint.plan.opinions.base import Ground, Opinion
from capsule_lint.plan.opinions.clients import Clients
from capsule_lint.program.model import Function, enclosing, last_name
from capsule_lint.program.texts.pieces import Filled, hole_name, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.model import Span
    from capsule_lint.policy import Scope

_CHECK: Final = re.compile(
    r"(?:^|_)(?:authori[sz]e\w*|check|require|ensure|verify|assert|validate|guard|allow(?:ed|s)?"
    r"|permit\w*|can|has|is|forbid|deny|enforce|restrict)(?:_|$)"
)
_STRANGER: Final = re.compile(
    r"(?:^|_)(?:login|log_in|signin|sign_in|signup|sign_up|register|token|oauth|onboard\w*|webhook"
    r"|callback|public)(?:_|$)"
)
"""Handlers that serve somebody who is not known yet: there is no context to take a scope from."""


@dataclass(eq=False, slots=True)
class TrustOpinions:
    """Judges where handlers take scopes from."""

    ground: Ground
    _clients: Clients = field(init=False)

    def __post_init__(self) -> None:
        self._clients = Clients(self.ground)

    def find(self) -> Iterator[Opinion]:
        """The first use of a value from the client, once a handler and scope."""
        uses: dict[tuple[Function, str], list[tuple[tree.Node, Scope]]] = {}
        for handler, node, scope in self._uses():
            uses.setdefault((handler, scope.name), []).append((node, scope))
        for (handler, _), values in uses.items():
            for node, scope in sorted(values, key=lambda pair: pair[0].at):
                origin = self._clients.origin(node, scope)
                if origin and not self._is_checked(handler, scope):
                    yield Opinion(
                        TrustFact(
                            handler.module.filename,
                            self._taken(node),
                            handler.symbol,
                            (scope.parameter,),
                            reason=origin,
                        )
                    )
                if origin:
                    break

    def _taken(self, node: tree.Node) -> Span:
        """Where the value is taken from the request: the parameter, or what a local is assigned."""
        names = self.ground.program.names
        while isinstance(node, tree.Name):
            binding = names.bindings_of(node)[0]
            if binding.parameter is not None:
                return tree.span_of(binding.parameter.at)
            if binding.value is None:
                break
            node = binding.value
        return node.span

    def _uses(self) -> Iterator[tuple[Function, tree.Node, Scope]]:
        """The values that handlers give to scopes: arguments, holes of keys, locals of the name."""
        for passed in (*self.ground.passed, *self.ground.passed_later):
            if self.ground.leads(passed):
                for handler in self._handlers(passed.argument.value):
                    yield handler, passed.argument.value, passed.scope
        for site in self.ground.program.keys.sites:
            for segment in self.ground.program.templates.segments(site.template.pieces):
                piece = site.template.pieces[segment.piece]
                scope = next(s for s in self.ground.scopes if s.name == segment.scope)
                if isinstance(piece, Filled) and not isinstance(piece.value, tree.Const):
                    for handler in self._handlers(piece.value):
                        yield handler, piece.value, scope

        for module in self.ground.modules():
            for statement, _ in module.statements:
                if not isinstance(statement, tree.Assign) or statement.value is None:
                    continue
                names = [t.id for t in statement.targets if isinstance(t, tree.Name)]
                named = self.ground.scope_named(names[0]) if len(names) == 1 else None
                if named is not None:
                    for handler in self._handlers(statement.value):
                        yield handler, statement.value, named

    def _handlers(self, node: tree.Node) -> Iterator[Function]:
        """The handler that an expression stands in."""
        domain = self.ground.program.domain
        for function in enclosing(self.ground.program.names.place(node)):
            if function in domain.handlers and not _STRANGER.search(function.name):
                yield function

    def _is_checked(self, handler: Function, scope: Scope) -> bool:
        """Whether the handler compares the scope's value, or has it checked, before it goes by it."""
        for node in self.ground.program.names.inside(handler):
            match node:
                case tree.Compare():
                    sides = [node.left, *node.rights]
                    constant = any(isinstance(side, tree.Const) for side in sides)
                    if not constant and any(self._is_about(side, scope) for side in sides):
                        return True
                case tree.Call() if _CHECK.search(last_name(node.func)):
                    if any(self._is_about(a.value, scope) for a in node.args):
                        return True
        return False

    def _is_about(self, node: tree.Node, scope: Scope) -> bool:
        return names_scope(hole_name(node), scope)
