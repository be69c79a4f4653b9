"""Sources that can be asked anywhere: `current_tenant()`, or the `get()` of a `ContextVar`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from capsule_lint.plan.code import text_of
from capsule_lint.plan.state import Value
from capsule_lint.policy import SourceKind, SourceSpec
from capsule_lint.program.model import Class
from capsule_lint.program.pieces import Filled

if TYPE_CHECKING:
    from capsule_lint.facts import tree
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program


@dataclass(frozen=True, slots=True)
class Ambient:
    """Finds them among the sources of policy: code that asks for one scope can ask for the other."""

    program: Program

    def beside(self, node: tree.Node, scope: Scope) -> Value | None:
        """`current.capsule_id.get()` beside `current.tenant_id.get()`."""
        text = text_of(node)
        others = [s for s in self.program.policy.scopes if s is not scope]
        for spec in [spec for other in others for spec in other.sources] if text else ():
            asked = self._code(spec)
            if text is None or asked is None or not f".{text}".endswith(f".{asked}"):
                continue
            for new in scope.sources:
                code = self._code(new)
                if code is not None and new.module == spec.module:
                    prefix = text[: len(text) - len(asked)]
                    name = new.name.partition(".")[0]
                    return Value(prefix + code, () if prefix else ((new.module, name),))
        return None

    def fills_keys(self) -> bool:
        """Whether keys of the program ask so for a scope, instead of being given it."""
        asked = [code for s in self.program.policy.scopes for code in map(self._code, s.sources)]
        codes = [f".{code}" for code in asked if code is not None]
        return any(
            f".{text_of(piece.value)}".endswith(code)
            for site in (self.program.keys.sites if codes else ())
            for piece in site.template.pieces
            if isinstance(piece, Filled)
            for code in codes
        )

    def _code(self, spec: SourceSpec) -> str | None:
        if spec.roots:
            return None
        if spec.kind is SourceKind.CALL:
            return spec.code
        known = self.program.names.definition(f"{spec.module}.{spec.name}")
        if spec.kind is SourceKind.ATTRIBUTE and not isinstance(known, Class):
            return f"{spec.name}.{spec.access}"
        return None
