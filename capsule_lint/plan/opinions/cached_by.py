"""Functions that are cached under a key which says one scope and not another one that they are told, where
the key is a text that names their parameters: `@cached("note:{tenant_id}:{note_id}")`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.judgement import KeyFact, KeyUse
from capsule_lint.plan.opinions.base import Opinion
from capsule_lint.plan.uses.registries import caching, placeholders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.opinions.base import Ground
    from capsule_lint.program.model import Function


class CachedBy(Struct, frozen=True):
    """Finds such keys. Who forgets them writes them otherwise: a person must change both."""

    ground: Ground

    def find(self) -> Iterator[Opinion]:
        """The keys that lack a scope."""
        for module in self.ground.modules():
            for function in module.functions:
                for text in caching(function):
                    missing = self._missing(function, text) if isinstance(text, tree.Const) else ()
                    if missing:
                        symbol = function.symbol
                        fact = KeyFact(
                            module.filename, text.span, symbol, missing, None, None, KeyUse.LOCAL
                        )
                        yield Opinion(fact)

    def _missing(self, function: Function, text: tree.Const) -> tuple[str, ...]:
        said = placeholders(text)
        domain = self.ground.program.domain
        taken = [(s, domain.scope_parameter(function, s)) for s in self.ground.scopes]
        told = [(scope, p.name) for scope, p in taken if p is not None]
        if not any(name in said for _, name in told):
            return ()
        return tuple(scope.parameter for scope, name in told if name not in said)
