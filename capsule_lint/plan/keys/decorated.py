"""Texts that decorators of classes are told: what fills a field that one of them gains, where nothing shows that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.entities.wholes import given_whole
from capsule_lint.plan.state import Want
from capsule_lint.plan.uses.naming import naming
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import owner_of
from capsule_lint.program.texts.pieces import hole_name, names_any_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class


class Decorated(Struct, frozen=True):
    """Asks for the values: of the objects, and of whoever names the class beside another scope."""

    planner: Planner

    def find(self) -> None:
        """Ask for what fills the fields that the texts gain."""
        choices = self.planner.program.templates.choices
        for defect in self.planner.defects:
            host = id(defect.template.host)
            cls = choices.decorators.owners.get(host)
            if cls is None or host in choices.filled:
                continue
            for scope in defect.missing:
                if not has_field(self.planner, cls, scope, defect):
                    refuse(self.planner, defect.template.host, scope, defect)
                for filler in self._unknown(cls, scope):
                    refuse(self.planner, filler, scope, defect)
                for call in self._given(cls):
                    self._tell(call, cls, scope, defect)

    def _given(self, cls: Class) -> Iterator[tree.Call]:
        """The calls that a class is given to, or that are of what it has without being its own:
        `find(Book, tenant_id=tenant_id)`, `Book.find(tenant_id=tenant_id)`."""
        program = self.planner.program
        for node in naming(program, cls):
            match program.names.parent(node):
                case tree.Call(func=func) as call if func is not node:
                    yield call
                case tree.Attr(base=base, name=name) as method if base is node:
                    outer = program.names.parent(method)
                    called = isinstance(outer, tree.Call) and outer.func is method
                    if isinstance(outer, tree.Call) and called:
                        yield from () if program.classes.method(cls, name) else (outer,)

    def _unknown(self, cls: Class, scope: Scope) -> Iterator[tree.Call]:
        """Where methods of a class fill a text of which nothing is known, which may be what its decorator was told, with
        what they are given by name: `cls.index_templates[index].format(**values)`."""
        program = self.planner.program
        owners, templates = program.classes.mro(cls), program.templates
        for verb in ("format", "format_map"):
            for call in program.calls.uses.calls_beside(verb):
                function = program.names.function_of(call)
                if owner_of(function) not in owners or not isinstance(call.func, tree.Attr):
                    continue
                base = call.func.base
                if templates.constant(base) is None and not templates.choices.of(base).texts:
                    spread = [a.value for a in call.args if a.star == "**" or verb != "format"]
                    whole = (only_assigned(program.names, one) or one for one in spread)
                    names = {a.keyword for a in call.args if a.keyword is not None}
                    others = program.policy.others(scope)
                    beside = any(names_any_of(name, others) for name in names)
                    if any(given_whole(one) is None for one in whole) or (
                        beside and scope.parameter not in names
                    ):
                        yield call

    def _tell(self, call: tree.Call, cls: Class, scope: Scope, defect: KeyDefect) -> None:
        """Have a call give one more value by name that gives another scope's so."""
        others = self.planner.program.policy.others(scope)
        if any(a.keyword == scope.parameter for a in call.args):
            return
        named = [a for a in call.args if a.keyword is not None]
        beside = [a.value for a in named if names_any_of(a.keyword or "", others)]
        told = [a for a in call.args if a.keyword is None]
        if not beside:
            has = self.planner.program.classes.has_attribute
            if any(a.star or names_any_of(hole_name(a.value), others) for a in told) or any(
                has(cls, a.keyword or "") for a in named
            ):
                refuse(self.planner, call, scope, defect)
        elif self.planner.signatures.asks(call, scope, defect.knot):
            self.planner.want(Want(scope, call, defect.knot, "field", mirror=beside[0]))


def has_field(planner: Planner, cls: Class, scope: Scope, defect: KeyDefect) -> bool:
    """Have objects of a class hold a scope beside the one that they have; whether they can."""
    for heir in planner.program.classes.subclasses(cls):
        have = [
            name
            for one in planner.program.policy.others(scope)
            if (name := planner.sources.holders.attribute_of(heir, one)) is not None
        ]
        if planner.sources.holders.attribute_of(heir, scope) == scope.parameter:
            planner.state.groups.join(defect.knot, ("class", heir))
            continue
        if not have or not planner.gains.can_gain_field(heir):
            return False
        if planner.gains.gain_field(heir, scope, defect.knot, like=have[0]) != scope.parameter:
            return False
    return True


def refuse(planner: Planner, node: tree.Node, scope: Scope, defect: KeyDefect) -> None:
    """Make a change unsafe that has a field filled with a scope's value where nothing yields that."""
    names = planner.program.names
    reason = f"nothing shows what fills `{scope.parameter}` here"
    where = names.module_of(node).filename, node.span, reason, names.symbol_of(node)
    planner.obstacle(defect.knot, *where, "reference", scope)
