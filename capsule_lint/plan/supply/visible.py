"""Names that are certainly bound at a place, and names that a function cannot take anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.inference.presence import has_run
from capsule_lint.program.reaching import reaching, same_flow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Binding, Function, Place
    from capsule_lint.program.model import Scope as ScopeOfNames


@dataclass(eq=False, slots=True)
class Visible:
    """Looks names up."""

    program: Program
    _deleted: dict[int, dict[tuple[int, str], list[Place]]] = field(default_factory=dict)
    """Where each scope of a module deletes a name, by the modules."""
    _read: dict[int, dict[str, list[ScopeOfNames]]] = field(default_factory=dict)
    """The scopes in which names are read that scopes' values have, by the modules."""

    def binding(self, name: str, place: Place) -> Binding | None:
        """A parameter or local of that name that is certainly bound at `place`."""
        for scope in place.scope.ancestors():
            if scope.kind in ("module", "class") or name in scope.outer:
                return None
            bindings = scope.bindings.get(name, ())
            if any(b.kind in ("def", "class", "import", "except", "except*") for b in bindings):
                return None
            flows = scope is place.scope or same_flow(scope, place)
            if flows and any(
                at.order < place.order or any(b[2] for b in at.blocks if b in place.blocks)
                for at in self.deletions(scope, name)
            ):
                return None
            held = reaching(bindings, place) if flows and len(bindings) > 1 else bindings
            if any(self._is_overwritten(b, place) for b in held) or _is_none(held):
                return None
            for binding in bindings:
                if binding.parameter is not None and binding.parameter.kind in ("*", "**"):
                    return None
                if binding.kind == "param" or (
                    scope is not place.scope and scope.kind in ("comprehension", "lambda")
                ):
                    return binding
                if not flows:
                    made = _made_in(scope, place)
                    if made is None or not self._stays(binding, bindings, scope, made):
                        continue
                    return binding
                if binding.kind in ("assign", "for", "with") and certainly_before(binding, place):
                    return binding
            if bindings:
                return None
        return None

    def _stays(
        self, binding: Binding, bindings: Sequence[Binding], scope: ScopeOfNames, made: Place
    ) -> bool:
        """Whether a local of a function has the same value wherever one reads it that is made inside, at that place:
        it is given once, before."""
        once = binding.kind == "assign" and len(bindings) == 1
        steady = once and not self.deletions(scope, binding.name)
        return steady and certainly_before(binding, made)

    def _is_overwritten(self, binding: Binding, place: Place) -> bool:
        """Whether a loop that is over may have left its last value in the name."""
        return (
            binding.kind == "for"
            and binding.place.scope.kind != "comprehension"
            and binding.place.order < place.order
            and not certainly_before(binding, place)
        )

    def deletions(self, scope: ScopeOfNames, name: str) -> list[Place]:
        """Where a scope deletes a name."""
        module = scope.module
        if id(module) not in self._deleted:
            found = self._deleted[id(module)] = {}
            for statement, at in module.statements:
                if isinstance(statement, tree.Eval) and statement.kind == "del":
                    for node in statement.values:
                        for one in tree.items(node):
                            if isinstance(one, tree.Name):
                                found.setdefault((id(at.scope), one.id), []).append(at)
        return self._deleted[id(module)].get((id(scope), name), [])

    def is_written_out(self, name: str, place: Place) -> bool:
        """Whether a local of that name, tests aside, is a text whatever happens, so that a key with it would be that of one alone."""
        binding = self.binding(name, place)
        if binding is None or place.scope.module.is_test:
            return False
        given = (one.assigned for one in binding.place.scope.bindings[name])
        return all(isinstance(one, tree.Const) and isinstance(one.value, str) for one in given)

    # --- names that are taken ---

    def is_taken(self, function: Function, name: str) -> bool:
        """Whether a new parameter of that name would change what the function does, or would not hold
        what it is given: the name is bound to something else, or read from around the function."""
        if name in function.scope.outer or name in function.scope.bindings:
            return True
        return any(
            self._reads_around(at, function.scope, name) for at in self._reads(function, name)
        )

    def _reads(self, function: Function, name: str) -> list[ScopeOfNames]:
        found = self._read.setdefault(id(function.module), {})
        if name not in found:
            place = self.program.names.place
            found[name] = [
                place(node).scope for node in function.module.each(tree.Name) if node.id == name
            ]
        return found[name]

    def _reads_around(self, at: ScopeOfNames, inside: ScopeOfNames, name: str) -> bool:
        """Whether a name that is read in a scope is looked up in the one around `inside`."""
        for scope in at.ancestors():
            if scope is inside:
                return True
            if name in scope.bindings and (scope.kind != "class" or scope is at):
                return False
        return False


def _made_in(scope: ScopeOfNames, place: Place) -> Place | None:
    """Where a function makes the one in which a place is."""
    for inner in place.scope.ancestors():
        if inner.parent is scope:
            function = inner.function if inner.kind == "function" else None
            return function.place if function is not None else None
    return None


def certainly_before(binding: Binding, place: Place) -> bool:
    """Whether a binding has run whenever `place` runs."""
    at = binding.place
    same = at.order == place.order and binding.kind in ("assign", "with")
    if at.order > place.order or same:  # what a statement binds, it does not read
        return False
    if not has_run(at, place, binding.name):
        return False
    if binding.kind == "for" and binding.place.scope.kind != "comprehension":
        inner = [b for b in place.blocks if b not in at.blocks]
        own = bool(inner) and at.scope.module.blocks.get(inner[0][0]) is at.statement
        return at.blocks == place.blocks[: len(at.blocks)] and own
    return at.blocks == place.blocks[: len(at.blocks)]


def _is_none(bindings: Sequence[Binding]) -> bool:
    """Whether `None` is all that a name can hold."""
    return bool(bindings) and all(b.kind == "assign" and _says_none(b.value) for b in bindings)


def may_be_none(binding: Binding) -> bool:
    """Whether a name may hold `None` whatever its annotation says: `ctx: Ctx = None`."""
    return binding.kind in ("param", "assign") and not binding.path and _says_none(binding.value)


def _says_none(node: tree.Node | None) -> bool:
    return isinstance(node, tree.Const) and node.value is None and node.kind == ""
