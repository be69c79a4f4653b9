"""Scopes that the program puts on an object of a framework side by side: `request.tenant = …`, `g.capsule_id = …`."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module


class Attached(Struct, frozen=True, dict=True):
    """Finds what has one scope of such an object, and so the other one too."""

    program: Program

    def beside(self, node: tree.Node, scope: Scope) -> str | None:
        """The attribute that has a scope of the object of which `node` reads another one: each function that
        puts that there puts both. `None` where there is none, or the class of the object is known."""
        if not isinstance(node, tree.Attr) or text_of(node) is None or self._is_known(node.base):
            return None
        every = self._put.get((last_name(node.base), node.name), ())
        found = {next((n for n in put if names_scope(n, scope)), None) for put in every}
        name = found.pop() if len(found) == 1 else None
        return name if name != node.name else None

    @property
    def is_used(self) -> bool:
        """Whether the program puts scopes on such objects at all."""
        return bool(self._put)

    @property
    def is_told(self) -> bool:
        """Whether tests put scopes on such objects."""
        return bool(self._put_by_tests)

    def without(self, called: str, name: str, new: str) -> Iterator[tuple[tree.Attr, tree.Node]]:
        """Where tests put a scope on an object that is called so, and not the one that belongs beside it;
        and what they put there."""
        names = self.program.names
        for target, put in self._put_by_tests.get((called, name), ()):
            statement = names.parent(target) if new not in put else None
            given = statement.value if isinstance(statement, tree.Assign) else None
            if given is not None and not self._is_said(target, new):
                yield target, given

    def _is_said(self, node: tree.Node, name: str) -> bool:
        """Whether the function around says what an object has under a name: `Request(capsule_id="c")`."""
        names = self.program.names
        function = names.place(node).scope.function
        for one in names.inside(function) if function is not None else ():
            if isinstance(one, tree.Call) and any(a.keyword == name for a in one.args):
                return True
        return False

    @cached_property
    def _put(self) -> dict[tuple[str, str], list[frozenset[str]]]:
        """What functions, tests aside, put on an object together, by how it is called and by each attribute."""
        found: dict[tuple[str, str], list[frozenset[str]]] = defaultdict(list)
        for target, names in self._every(tests=False):
            found[last_name(target.base), target.name].append(names)
        return found

    @cached_property
    def _put_by_tests(self) -> dict[tuple[str, str], list[tuple[tree.Attr, frozenset[str]]]]:
        found = defaultdict(list)
        for target, names in self._every(tests=True):
            found[last_name(target.base), target.name].append((target, names))
        return found

    def _every(self, *, tests: bool) -> Iterator[tuple[tree.Attr, frozenset[str]]]:
        """The places that put a scope on an object, and all that the function around puts there."""
        for module in self.program.names.modules.values():
            puts: dict[tuple[int, str], list[tree.Attr]] = defaultdict(list)
            for scope, target in self._targets(module) if module.is_test is tests else ():
                base = text_of(target.base)
                if base is not None and not self._is_known(target.base):
                    puts[scope, base].append(target)
            for targets in puts.values():
                names = frozenset(target.name for target in targets)
                yield from ((target, names) for target in targets)

    def _targets(self, module: Module) -> Iterator[tuple[int, tree.Attr]]:
        """The attributes named like scopes that a module sets, and where."""
        for statement, place in module.statements:
            for target in statement.targets if isinstance(statement, tree.Assign) else ():
                if isinstance(target, tree.Attr) and names_any_of(
                    target.name, self.program.policy.scopes
                ):
                    yield id(place.scope), target

    def _is_known(self, node: tree.Node) -> bool:
        """Whether an object is one of a class of the program's."""
        place = self.program.names.place(node)
        function = place.scope.function
        if function is not None and isinstance(node, tree.Name) and node.id == function.self_name:
            return True
        return any(isinstance(one, Instance) for one in self.program.inference.of(node))
