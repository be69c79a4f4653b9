"""What reads of the table are told to give of each item, `ProjectionExpression="tenant_id, name"`: where code comes to
read a scope of the items, they are to give that as well."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.code import rename
from capsule_lint.plan.entities.expression_names import ExpressionNames
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.local_names import entries_of_dict
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.places.sites import NAMES
from capsule_lint.program.texts.pieces import names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope

_TEXT: Final = "ProjectionExpression"
_LIST: Final = "AttributesToGet"
_WORD: Final = re.compile(r"(?<![\w#.])#?\w+(?![\w.])")
_REASON: Final = "the items that this reads are to have `{}`: it may have to name that"
_MAX_DEPTH: Final = 4


@dataclass(eq=False, slots=True)
class Projections(MendRoom):
    """Extends them, or notes that a person must."""

    mends: Mends
    _done: set[tuple[int, str]] = field(default_factory=set)
    """The reads, and what they are told, that have been looked at for a scope."""
    _texts: dict[int, tuple[tree.Node, str, Knot]] = field(default_factory=dict)
    """The texts that change, what they become, and a change that this belongs to."""

    def build(self) -> None:
        """Look at whatever is going to be read of items of the table."""
        origins = self.planner.local.rows.origins
        for row, scope, knot in list(self.planner.loads.reads()):
            for stored in origins(row).stored:
                for call in self._calls(_response(stored), 0):
                    if self._is_new(call, scope):
                        self._extend(call, scope, knot)
        for node, code, knot in self._texts.values():
            filename = self.program.names.module_of(node).filename
            self.mends.add(knot, Replace(filename, node.span, "CAP301", code))

    def _is_new(self, node: tree.Node, scope: Scope) -> bool:
        known = (id(node), scope.name) in self._done
        self._done.add((id(node), scope.name))
        return not known

    def _calls(self, node: tree.Node | None, depth: int) -> Iterator[tree.Call]:
        """The calls that may give a response of the table."""
        names, calls = self.program.names, self.program.calls
        match node if depth < _MAX_DEPTH else None:
            case tree.Wrapped(value=inner) | tree.Walrus(value=inner):
                yield from self._calls(inner, depth + 1)
            case tree.Name() as name:
                for binding in names.bindings_of(name):
                    given = binding.value if not binding.path else None
                    yield from self._calls(given, depth + 1)
            case tree.Call() as call:
                functions = [c.function for c in calls.callees(call) if c.function is not None]
                own = [f for f in functions if not f.module.is_test]  # a fake has the same methods
                for value in (v for function in own for v in function.returns):
                    yield from self._calls(value, depth + 1)
                if not own:
                    yield call

    def _extend(self, call: tree.Call, scope: Scope, knot: Knot) -> None:
        """Have a read give a scope as well."""
        for given in self._given(call):
            for name in (_TEXT, _LIST):
                for node in self._told(given.get(name)):
                    if self._is_new(node, scope):
                        self._name(node, given.get(NAMES), scope, knot)

    def _given(self, call: tree.Call) -> Iterator[Mapping[str, tree.Node | None]]:
        """What a call is given by name, also in dicts: `batch_get_item(RequestItems={"notes": {…}})`."""
        names, found = self.program.names, dict[str, tree.Node | None](call.keywords)
        for one in call.spread:
            found |= entries_of_dict(names, one)
        yield found
        for argument in call.args:
            for inner in within(argument.value):
                if isinstance(inner, tree.DictDisplay) and not argument.star:
                    yield dict(inner.entries)

    def _told(self, node: tree.Node | None, depth: int = 0) -> Iterator[tree.Node]:
        """The text, or the list, that an expression says, also as a constant, `", ".join(FIELDS)`, or as what callers
        give for a parameter."""
        if isinstance(node, tree.Call) and last_name(node.func) == "join" and len(node.args) == 1:
            node = node.args[0].value
        if not isinstance(node, tree.Name | tree.Attr) or depth > _MAX_DEPTH:
            yield from () if node is None else (node,)
            return
        target = self.program.classes.dotted(node)
        if isinstance(target, Binding) and target.assigned is not None:
            yield from self._told(target.assigned, depth + 1)
            return
        for binding in self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ():
            default = binding.parameter.default if binding.parameter is not None else None
            for given in (binding.assigned or default, *self.program.calls.passed_to(binding)):
                yield from self._told(given, depth + 1)

    def _name(self, node: tree.Node, aliases: tree.Node | None, scope: Scope, knot: Knot) -> None:
        """Name a scope's attribute beside that of another one."""
        known = entries_of_dict(self.program.names, aliases) if aliases is not None else {}
        texts = {
            text: tree.text(known.get(text)) or text
            for one in within(node)
            if (said := tree.text(one)) is not None
            for text in _WORD.findall(said)
        }
        for old, _ in self.program.policy.beside(scope):
            for text, name in texts.items():
                if not names_scope(name, old):
                    continue
                new = rename(name, old, scope)
                if new in texts.values():
                    return
                said = ExpressionNames(self.mends).name(new, name, aliases, knot)
                if said is None or not self._put(node, text, (new, said), (knot, scope)):
                    self.mends.obstacle(knot, node, _REASON.format(new))
                return

    def _put(
        self, node: tree.Node, text: str, named: tuple[str, str], gained: tuple[Knot, Scope]
    ) -> bool:
        """Put the name of an attribute, as it is said there, behind another one; whether it could be done."""
        module, (new, said), (knot, _) = self.program.names.module_of(node), named, gained
        if module.generated:
            return False
        if isinstance(node, tree.Sequence):
            names = [tree.text(item) for item in node.items]
            if text in names and new == said and self._is_for_this_alone(node):
                self.mends.expected.element(module, node, names, gained, values=False)
            return self.mends.adds_to(node)
        if not isinstance(node, tree.Const):
            return False
        _, code, first = self._texts.get(
            id(node), (node, self.mends.source(module, node.span), knot)
        )
        put = f"{text}{', ' if ', ' in code else ','}{said}"
        changed = re.sub(rf"(?<![\w#.]){re.escape(text)}(?!\w)", put, code, count=1)
        self._texts[id(node)] = node, changed, first
        self.state.groups.join(first, knot)
        return changed != code

    def _is_for_this_alone(self, display: tree.Sequence) -> bool:
        """Whether a list stands where it is used, or has a name by which it is only joined."""
        named = NamedFields(self.mends)
        parent = self.program.names.parent(display)
        if not isinstance(parent, tree.Assign):
            return True
        _, binding = named.written(parent.targets[0])
        joined = [self.program.names.parent(use) for use in named.uses(binding)] if binding else []
        return bool(joined) and all(
            isinstance(one, tree.Call) and last_name(one.func) == "join" for one in joined
        )


def _response(stored: tree.Node) -> tree.Node | None:
    """The response of which `response["Items"]` and `response.get("Item")` read items."""
    match stored:
        case tree.Subscript(base=base) | tree.Call(func=tree.Attr(base=base)):
            return base
        case _:
            return None
