"""Objects that a loop of a test goes through, `for note in (one, other): notes.save(note)`, and what they hold of a scope:
where that is not the same for all, each says its own. So does one of which a helper makes another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.state import Value
from capsule_lint.plan.testing.elements import elements
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.supply.holders import Holders
    from capsule_lint.plan.testing.carried import Carried
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class


class Looped(Struct, frozen=True):
    """Finds them."""

    program: Program
    holders: Holders
    carried: Carried

    def beside(self, call: tree.Call, scope: Scope) -> tuple[Value, list[tree.Node]] | None:
        """How the one object that a call is given says a scope's value, and what the objects are given for it that a loop
        has in its place; `None` where there is no such object."""
        found: list[tuple[Value, list[tree.Node]]] = []
        for argument in call.args:
            node = self._copied(argument.value, scope) or argument.value
            cls = self._class_of(node) if isinstance(node, tree.Name | tree.Attr) else None
            own = self.holders.read_of(node, cls, scope) if cls is not None else None
            code = text_of(node)
            if cls is not None and own is not None and code is not None:
                made = [
                    v for one in self._rounds(node, cls) for v in self.carried.held(one, scope)
                ]
                value = Value(f"{code}.{own}", knot=self.holders.field_knot(cls, scope))
                found.append((value, made))
        return found[0] if len(found) == 1 else None

    def _copied(self, node: tree.Node, scope: Scope) -> tree.Node | None:
        """The object whose scopes a helper of tests gives another one that it makes: `note` of `make_copy(note, "b")`."""
        program = self.program
        is_value, scopes = program.domain.held.is_value, program.policy.scopes
        for callee in program.calls.callees(node) if isinstance(node, tree.Call) else ():
            helper = callee.function if callee.cls is None else None
            if helper is None or not helper.module.is_test or not isinstance(node, tree.Call):
                continue
            for part in (one for value in helper.returns for one in within(value)):
                match part:
                    case tree.Attr(base=tree.Name(id=name)) if any(
                        is_value(part, one) for one in scopes
                    ):
                        given = callee.arguments(node).get(name)
                        return given.value if given is not None else None
        return None

    def _rounds(self, node: tree.Node, cls: Class) -> Iterator[tree.Node]:
        """The calls that make the objects of a class, or of its heirs, which a loop gives a name."""
        bindings = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        if len(bindings) != 1 or bindings[0].kind != "for" or bindings[0].value is None:
            return
        heirs = set(self.program.classes.subclasses(cls))
        for node in elements(self.program, bindings[0].value):
            if isinstance(node, tree.Call) and self._class_of(node) in heirs:
                yield node

    def _class_of(self, node: tree.Node) -> Class | None:
        return self.program.inference.the_class(self.program.inference.of(node))
