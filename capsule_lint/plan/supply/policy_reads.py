"""Where code reads a scope, or another one beside it, just as the expressions of policy say: `message["tenant_id"]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.supply.readings import counterparts as counterparts_of
from capsule_lint.plan.supply.readings import in_one_style, spelled_out
from capsule_lint.plan.supply.repeats import kept
from capsule_lint.policy import SourceKind
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import start_of
from capsule_lint.program.texts.pieces import names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.policy import Scope, SourceSpec
    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Place

_DEPTH: Final = 3
"""Calls through which a parameter is handed on."""


class PolicyReads(Struct, frozen=True):
    """Finds it."""

    program: Program

    def is_read_in(self, function: Function, scope: Scope, depth: int = 0) -> bool:
        """Whether a function reads a scope, or another one beside which it can, of a local or a parameter just as policy
        says, `message["tenant_id"]` of `message = json.loads(body)`, or hands the parameter to one that does."""
        own = [
            spec
            for spec in scope.sources
            if spec.kind is SourceKind.EXPRESSION and len(spec.roots) == 1
            if spec.roots[0] in function.scope.bindings
        ]
        codes = {code for spec in own for code in (in_one_style(spec.code), *self.codes(spec))}
        if any(True for _ in self.named(function, codes)):
            return True
        given = {spec.roots[0] for spec in own if function.parameter(spec.roots[0]) is not None}
        return any(
            self.is_read_in(callee.function, scope, depth + 1)
            for node in (self.program.names.inside(function) if given and depth < _DEPTH else ())
            if isinstance(node, tree.Call)
            if any(isinstance(a.value, tree.Name) and a.value.id in given for a in node.args)
            for callee in self.program.calls.callees(node)
            if callee.function is not None and callee.cls is None
        )

    def is_alike(self, node: tree.Node, scope: Scope) -> bool:
        """Whether an expression reads another scope of a parameter just as policy says, also through locals, so that it says
        this one too: `ctx["tenant_id"]`."""
        local, code = start_of(node), spelled_out(node, self.program)
        seen = set[int]()  # `a = b["meta"]; b = a["meta"]` never ends
        while isinstance(local, tree.Name) and id(local) not in seen:
            seen.add(id(local))
            local = start_of(kept(local, self.program))
        bound = self.program.names.bindings_of(local) if isinstance(local, tree.Name) else ()
        if not bound or not all(b.kind == "param" for b in bound):
            return False
        if not any(code in self.codes(spec) for spec in scope.sources):
            return False
        given = (value for b in bound for value in self.program.calls.passed_to(b))
        return not any(self._lacks(value, scope) for value in given)

    def _lacks(self, value: tree.Node, scope: Scope) -> bool:
        """Whether what is given is a dict that is written out, there or in a function, and says the scope nowhere."""
        made = only_assigned(self.program.names, value) or value
        callees = self.program.calls.callees(made) if isinstance(made, tree.Call) else ()
        results = (one for c in callees if c.function for one in c.function.returns)
        if any(isinstance(one, tree.DictDisplay) and self._lacks(one, scope) for one in results):
            return True
        if not (isinstance(made, tree.DictDisplay) or tree.makes_dict(made)):
            return False
        inside = list(within(made))
        said = [k for one in inside if isinstance(one, tree.DictDisplay) for k, _ in one.entries]
        said += [k for one in inside if isinstance(one, tree.Call) for k, _ in one.keywords]
        return not any(names_scope(name, scope) for name in said)

    def only_reads(self, place: Place, codes: set[str]) -> bool:
        """Whether the function around a place has one of these expressions in it, and sets none: what does that has
        not set the others yet."""
        named = list(self.named(place.scope.function, codes))
        return bool(named) and not any(map(self._is_set, named))

    def _is_set(self, node: tree.Node) -> bool:
        parent: object = node
        while isinstance(above := self.program.names.parent(parent), tree.Sequence):
            parent = above
        return isinstance(above, tree.Assign) and any(one is parent for one in above.targets)

    def named(self, function: Function | None, codes: set[str]) -> Iterator[tree.Node]:
        """Where a function has one of these expressions in it, in one piece or read of a local: `meta["tenant_id"]` of `meta =
        envelope["meta"]`."""
        ends = tuple({code[at:] for code in codes if (at := code.rfind("[")) > 0})
        for node in self.program.names.inside(function) if function is not None and codes else ():
            known = isinstance(node, tree.Subscript | tree.Attr | tree.Call)
            code = in_one_style(text_of(node) or "") if known else ""
            if code in codes or (
                code.endswith(ends)
                and isinstance(start_of(node), tree.Name)
                and spelled_out(node, self.program) in codes
            ):
                yield node

    def codes(self, spec: SourceSpec) -> set[str]:
        """The expressions by which policy reads other scopes of what one reads."""
        if spec.kind is not SourceKind.EXPRESSION:
            return set()
        return {in_one_style(other.code) for other in self.counterparts(spec)}

    def counterparts(self, spec: SourceSpec) -> Iterable[SourceSpec]:
        """The sources of other scopes that start from what one does."""
        for scope in self.program.policy.scopes:
            if spec not in scope.sources:
                others = (o for o in scope.sources if o.module == spec.module)
                yield from (o for o in counterparts_of(spec, others) if o.name == spec.name)
