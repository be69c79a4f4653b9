"""Templates in constants of modules that nothing uses at the moment: as no use can break, they get their segments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.code import rename
from capsule_lint.program.local_names import BY_NAME
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.model import Mend
    from capsule_lint.plan.opinions.base import Ground
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Module

_FIELD: Final = re.compile(r"(?<!\{)\{([A-Za-z_]\w*)\}(?=[#|/:])")
_BY_NAME: Final = BY_NAME | {"globals", "dir"}


class IdleTexts(Struct, frozen=True):
    """Mends them."""

    ground: Ground

    def mends(self, node: tree.Node, missing: Sequence[Scope]) -> tuple[Mend, ...]:
        """What gives a template the scopes that it lacks; nothing where it may be used, or is no constant with
        fields that have names."""
        names = self.ground.program.names
        module, statement = names.module_of(node), names.parent(node)
        if names.place(node).scope.kind != "module" or not isinstance(statement, tree.Assign):
            return ()
        match statement.targets:
            case (tree.Name() as target,) if isinstance(node, tree.Const):
                before = self.ground.source(module, node.span)
                text = self._filled(before, missing)
                if text is None or self._is_used(module, target):
                    return ()
                return (Replace(module.filename, node.span, "CAP101", text),)
        return ()

    def _filled(self, text: str, missing: Sequence[Scope]) -> str | None:
        """The code of a text with the segments; `None` where it does not say once whose the key is."""
        scopes = self.ground.scopes
        for scope in missing:
            at = scopes.index(scope)
            before = scopes[at - 1] if at else None
            found = [m for m in _FIELD.finditer(text) if before and names_scope(m[1], before)]
            if before is None or len(found) != 1:
                return None
            end, name = found[0].end(), rename(found[0][1], before, scope)
            if name == found[0][1]:
                return None
            text = f"{text[:end]}{text[end]}{scope.tag}{{{name}}}{text[end:]}"
        return text

    def _is_used(self, module: Module, target: tree.Name) -> bool:
        """Whether anything may read the constant: by its name, or through its module."""
        names = self.ground.program.names
        names.ask(target.id, module.name.rpartition(".")[2])
        return any(self._reads(other, module, target) for other in names.modules.values())

    def _reads(self, other: Module, module: Module, target: tree.Name) -> bool:
        names = self.ground.program.names
        named = [one for statement, _ in other.imports for one in statement.names]
        imported = {one.name for one in named}
        whole = any(
            one.name is None and f"{module.name}.".startswith(f"{one.module}.") for one in named
        )
        last = module.name.rpartition(".")[2]
        stars = any(
            names.absolute(other, s.level, s.names[0].module) == module.name for s in other.stars
        )
        if stars or whole or not imported.isdisjoint((target.id, last)):
            return True
        own = _BY_NAME if other is module else frozenset[str]()
        return any(
            node is not target and (node.id == target.id or node.id in own)
            for node in other.each(tree.Name)
        ) or any(node.value in (target.id, module.name) for node in other.each(tree.Const))
