"""What calls of PynamoDB's models name of their attributes: `attributes_to_get=["tenant_id", …]`, and actions of updates,
`Usage.tenant_id.set(tenant_id)`. With an attribute that a model gains comes its name, and its action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements
from capsule_lint.plan.code import rename
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.entities.spelled import Part, Spelled
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.inference.types import ClassObject, Instance, ordered
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import scope_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.entry_mends import EntryMends
    from capsule_lint.plan.entities.updates import Updates
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class

_NAMED: Final = "attributes_to_get"
_UNNAMED: Final = "says what is read of `{}`, which gains `{}`: it may have to name that"
_UNSET: Final = "sets `{}` of an item that gets `{}`: it may have to set that as well"


class ModelCalls(MendRoom, Struct, frozen=True):
    """Extends them, or notes that a person must."""

    mends: Mends
    entries: EntryMends
    updates: Updates

    def build(self, gained: set[Class]) -> None:
        """Look at all such calls; the classes gain a field, or inherit one that is gained."""
        models = {cls for cls in gained if self.program.classes.is_pynamo(cls)}
        modules = self.program.names.modules.values() if models else ()
        calls = [call for m in modules if not m.generated for call in m.each(tree.Call)]
        spelled = Spelled(self.program, set())
        named = [
            (c, list(spelled.parts(v))) for c in calls if (v := c.keyword(_NAMED)) is not None
        ]
        for call, parts in named:
            cls = self._gaining(call.receiver, models)
            if cls is not None:
                for part in parts:
                    self._name(part, cls, spelled.read)
        for call in calls:
            cls = self._gaining(call.receiver, models) if last_name(call.func) == "set" else None
            if cls is not None:
                self._set(call, cls)

    def _gaining(self, node: tree.Node | None, models: set[Class]) -> Class | None:
        """The model that an expression is, or is one of, or has an attribute or an index of."""
        for one in (node, node.base) if isinstance(node, tree.Attr) else (node,):
            for known in ordered(self.program.inference.of(one)) if one is not None else ():
                if isinstance(known, ClassObject | Instance) and known.cls in models:
                    return known.cls
        return None

    def _beside(self, cls: Class, name: str) -> Iterator[tuple[Knot, Scope, Scope]]:
        """What a model gains beside an attribute of another scope, and that scope."""
        old = scope_named(name, self.program.policy.scopes)
        if old is not None:
            for home, scope in self.entries.beside(cls, old):
                yield ("class", home), old, scope

    # --- what is read ---

    def _name(self, part: Part, cls: Class, read: set[int]) -> None:
        """Name what a model gains beside another scope's attribute."""
        module, uses = self.program.names.module_of(part.node), NamedFields(self.mends).uses
        if not part.is_known and not isinstance(part.node, tree.Sequence):
            for home in self.program.classes.mro(cls):
                for scope in self.state.fields.get(home, {}).values():
                    reason = _UNNAMED.format(cls.name, scope.parameter)
                    self.mends.obstacle(("class", home), part.node, reason)
            return
        if not isinstance(part.node, tree.Sequence) or self.mends.adds_to(part.node):
            return
        said = [(one, tree.text(one) or last_name(one)) for one in part.node.items]
        for item, name in said:
            for knot, old, scope in self._beside(cls, name):
                new = rename(name, old, scope)
                alone = all(id(use) in read for b in part.names for use in uses(b))
                code = f'"{new}"' if isinstance(item, tree.Const) else self._renamed(item, new)
                if new in [other for _, other in said]:
                    continue
                if not alone or module.generated:
                    reason = _UNNAMED.format(cls.name, scope.parameter)
                    self.mends.obstacle(knot, part.node, reason)
                    continue
                self._add(
                    knot, part.node, item, code, before=self.entries.comes_before(scope, old)
                )

    # --- what is set ---

    def _set(self, call: tree.Call, cls: Class) -> None:
        """Set what a model gains beside another scope's attribute."""
        attribute, around = call.receiver, self.program.names.parent(call)
        if not isinstance(attribute, tree.Attr) or len(call.plain) != 1 or len(call.args) != 1:
            return
        said = value = call.plain[0]
        if isinstance(value, tree.Binary) and value.op == "|":  # only where there is none yet
            said = value.right if last_name(value.left) == attribute.name else value
        for knot, old, scope in self._beside(cls, attribute.name):
            new = self._renamed(attribute, rename(attribute.name, old, scope))
            code = self.updates.value(said, old, scope, knot)
            if code is None or not isinstance(around, tree.Sequence):
                reason = _UNSET.format(attribute.name, scope.parameter)
                self.mends.obstacle(knot, call, reason)
                continue
            action = f"{new}.set({code if said is value else f'{new} | {code}'})"
            self._add(knot, around, call, action, before=self.entries.comes_before(scope, old))

    # --- both ---

    def _renamed(self, node: tree.Node, new: str) -> str:
        """`Order.capsule_id` beside `Order.tenant_id`."""
        if not isinstance(node, tree.Attr):
            return new
        base = self.mends.source(self.program.names.module_of(node), node.base.span)
        return f"{base}.{new}"

    def _add(
        self, knot: Knot, display: tree.Sequence, beside: tree.Node, code: str, *, before: bool
    ) -> None:
        first, last = ((code,), ()) if before else ((), (code,))
        filename = self.program.names.module_of(display).filename
        self.mends.add(
            knot, AddElements(filename, display.span, "CAP301", first, last, beside.span)
        )
