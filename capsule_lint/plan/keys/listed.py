"""Keys that are joined of several parts: the list in which a part stands, and parts that say more than one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.plan.memory.arity import takes_more
from capsule_lint.program.texts.folds import folded
from capsule_lint.program.texts.pieces import Filled
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.keys.formats import Formats
    from capsule_lint.program import Program


class Listed(Struct, frozen=True):
    """Finds them."""

    program: Program
    formats: Formats

    def going_on(self, host: tree.Node, anchor: tree.Node | None) -> tree.Node | None:
        """The part of a key joined from several that says more behind the anchor: `f"TENANT#{tenant_id}#NOTE"`
        of `"#".join([f"TENANT#{tenant_id}#NOTE", note_id])`."""
        for part in self._parts(host, anchor) if anchor is not None else ():
            if part is anchor or not any(one is anchor for one in within(part)):
                continue
            whole = isinstance(part, tree.FString | tree.Binary) or _joins_display(part)
            if whole or self.formats.is_format(part):
                match self.program.templates.evaluate(part, part, 0):
                    case [*_, Filled(value=last)] if last is anchor:
                        return None
                    case [*_, _]:
                        return part
        return None

    def argument(self, host: tree.Node, anchor: tree.Node | None) -> tree.Node | None:
        """What a helper that takes no more parts puts into its text, and that has the anchor in it: the
        `str(tenant_id)` of `pk("TENANT", str(tenant_id))`."""
        calls = self.program.calls
        if anchor is None or not isinstance(host, tree.Call) or takes_more(calls, host, anchor):
            return None
        for part in self.program.templates.called.together(host) or ():
            text = part if isinstance(part, tree.FString) else None
            if part is anchor or (text and any(one is anchor for one in within(text))):
                return text or anchor
        return None

    def ends_alone(self, host: tree.Call, anchor: tree.Node | None) -> bool:
        """Whether a key is what a method makes of a word of its object and the anchor, which takes no more parts, and
        ends with that: `Tag.TENANT.of(tenant_id)`, to which others are joined where it is kept in a local."""
        calls, called = self.program.calls, self.program.templates.called
        if anchor is None or takes_more(calls, host, anchor):
            return False
        functions = [callee.function for callee in calls.callees(host)]
        one = functions[0] if len(functions) == 1 else None
        read = (
            one is not None and called.tagged.is_method(one) and called.tagged.is_read(host, one)
        )
        match self.program.templates.evaluate(host, host, 0) if read else None:
            case [*_, Filled(value=last)]:
                return last is anchor
            case _:
                return False

    def _parts(self, host: tree.Node, anchor: tree.Node) -> Sequence[tree.Node]:
        """What a key is joined of."""
        match self.display(host, anchor):
            case tree.Call(args=(first, *_)) as call if joins(call):
                fold = folded(call)
                return tree.items(fold.parts if fold is not None else first.value)
            case tree.Call() as call if not self.formats.is_format(call):
                return [argument.value for argument in call.args]
            case tree.Sequence(items=items):
                return items
            case _:
                return ()

    def display(self, host: tree.Node, anchor: tree.Node | None) -> tree.Node:
        """The list display that has the anchor among its items, where a key is joined from several."""
        if anchor is None or not isinstance(host, tree.Sequence | tree.Call):
            return host
        if isinstance(host, tree.Call) and not joins(host):
            return host
        parent_of = self.program.names.parent
        current: object = anchor
        for _ in range(6):
            parent = parent_of(current)
            if parent is None or parent is host:
                return host
            if isinstance(parent, tree.Sequence) and not self._is_filled_in(parent):
                direct = isinstance(host, tree.Call) and any(a.value is parent for a in host.args)
                pair = isinstance(parent_of(parent), tree.Sequence)
                return host if direct or pair else parent
            current = parent
        return host

    def _is_filled_in(self, values: tree.Sequence) -> bool:
        """Whether values fill the places of a text: those of `"TENANT#%s" % (tenant_id,)`."""
        parent = self.program.names.parent(values)
        return isinstance(parent, tree.Binary) and parent.op == "%" and parent.right is values


def joins(node: tree.Call) -> bool:
    """Whether a call is one of `"#".join`, or is the same."""
    named = isinstance(node.func, tree.Attr) and node.func.name == "join"
    return (named and len(node.args) == 1) or folded(node) is not None


def _joins_display(node: tree.Node) -> bool:
    """Whether an expression joins what is written out: `"#".join(["TENANT", tenant_id])`."""
    if not isinstance(node, tree.Call) or not joins(node):
        return False
    return any(isinstance(argument.value, tree.Sequence) for argument in node.args)
