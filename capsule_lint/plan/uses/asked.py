"""The calls that are given what they lack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.facts import tree
    from capsule_lint.plan.state import Want
    from capsule_lint.policy import Scope


class Asked(Struct, frozen=True):
    """Knows which calls get arguments."""

    _scopes: dict[int, list[Scope]] = field(default_factory=dict)
    _handing: set[int] = field(default_factory=set)
    """The calls that pass new arguments on to what they pass as well."""

    @classmethod
    def by(cls, wants: Iterable[Want]) -> Asked:
        """Those that some wants are for."""
        asked = cls()
        for want in wants:
            call = want.node if want.purpose in ("tabled", "field") else want.call
            if call is not None:
                asked._scopes.setdefault(id(call), []).append(want.scope)
                if want.offset:
                    asked._handing.add(id(call))
        return asked

    def of(self, call: tree.Call) -> list[Scope] | None:
        """The scopes that a call gets; `None` for none."""
        return self._scopes.get(id(call))

    def hands_on(self, call: tree.Call) -> bool:
        """Whether a call gets arguments for what it passes on."""
        return id(call) in self._handing
