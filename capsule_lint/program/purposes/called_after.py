"""What is called after entities: after those of policy's table, unless another one fits better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.program.purposes.naming import GENERIC_WORDS, Naming, entity_words, fit
from capsule_lint.program.texts.pieces import names_any_of, words

if TYPE_CHECKING:
    from capsule_lint.program.purposes.domain import Domain
    from capsule_lint.program.purposes.own_rows import OwnRows


@dataclass(eq=False, slots=True)
class CalledAfter:
    """Tells it by the words of names."""

    domain: Domain
    own: OwnRows
    _known: Naming | None = None

    @property
    def naming(self) -> Naming:
        """The entities as they are now, by their names."""
        if self._known is None or self._known.entities != self.domain.entities:
            self._known = Naming(frozenset(self.domain.entities))
        return self._known

    def after(self, name: str) -> str | None:
        """The policy's entity whose name the words contain, unless another entity fits better."""
        best = max(self.domain.policy.entities, key=lambda one: fit(name, one), default=None)
        width = fit(name, best) if best is not None else 0
        others = self.naming.within(entity_words(name)) if width else ()
        own = (cls for cls in others if not self.own.listed(cls))
        return best if width and all(fit(name, cls.name) < width for cls in own) else None

    def beside_scopes(self, name: str) -> str | None:
        """The policy's entity after which code is called, where one that is called like a scope stands alone in the
        name: `tenant_pk`, while `TenantOrders` are other rows."""
        found, have = self.after(name), words(name)
        if found is None or not self.is_like_scope(found):
            return found
        if self.domain.policy.is_repository_name(name):
            have = have[:-1]
        rest = tuple(word for word in have if word not in GENERIC_WORDS)
        return found if rest == words(found.rpartition(".")[2]) else None

    def is_after(self, name: str, entity: str) -> bool:
        """Whether code is called after an entity of policy's that is not called like a scope, as much else is."""
        return self.after(name) == entity and not self.is_like_scope(entity)

    def says_only(self, name: str, entity: str) -> bool:
        """Whether a class is called as an entity of policy's that is not called like a scope, and its name says nothing else
        but how that is kept: `ExchangeRates`, `PlanRepository`, while `PlanUpgrades` are other rows."""
        said, have = entity.rpartition(".")[2], words(name)
        if self.domain.policy.is_repository_name(name) or have[-1] in GENERIC_WORDS:
            have = have[:-1]
        return have in (words(said), entity_words(said)) and self.is_after(name, entity)

    def is_like_scope(self, entity: str) -> bool:
        """Whether an entity is called like a scope: that row of the tenant itself, where `tenant`
        stands in the names of much else."""
        name = "_".join(words(entity.rpartition(".")[2]))
        return names_any_of(name, self.domain.policy.scopes)
