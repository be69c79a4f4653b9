"""Objects of modules that know of the request in handlers: `app.context`, where the module takes
`app.context.tenant_id` somewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.program.model import enclosing, first_name
from capsule_lint.program.texts.pieces import names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Module, Place


@dataclass(eq=False, slots=True)
class ModulePaths:
    """Finds them in the modules that read a scope from them."""

    program: Program
    _known: dict[Module, dict[str, tuple[str, Class]]] = field(default_factory=dict)
    """By the code of each path, the name it starts from and the class of what is there."""

    def at(self, place: Place) -> Iterator[tuple[str, Class]]:
        """Those that mean the same at a place in a handler; none anywhere else."""
        if not any(map(self.program.domain.enters, enclosing(place))):
            return
        names, module = self.program.names, place.scope.module
        for code, (root, cls) in self._of(module).items():
            given = names.global_binding(module, root)
            if given is not None and names.bindings(root, place) == [given]:
                yield code, cls

    def _of(self, module: Module) -> dict[str, tuple[str, Class]]:
        if module not in self._known:
            self._known[module] = dict(self._read_in(module))
        return self._known[module]

    def _read_in(self, module: Module) -> Iterator[tuple[str, tuple[str, Class]]]:
        scopes, inference = self.program.policy.scopes, self.program.inference
        for node in module.each(tree.Attr):
            path = node.base
            if not isinstance(path, tree.Attr) or not names_any_of(node.name, scopes):
                continue
            code, root = text_of(path), first_name(path)
            given = self.program.names.global_binding(module, root)
            if code is None or "(" in code or given is None:
                continue
            if self.program.names.bindings(root, self.program.names.place(path)) != [given]:
                continue
            cls = inference.the_class(inference.of(path))
            if cls is not None:
                yield code, (root, cls)
