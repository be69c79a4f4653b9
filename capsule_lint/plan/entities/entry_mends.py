"""Mends of items and of what lists the fields of an entity by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import (
    AddArgument,
    AddElements,
    AddEntry,
    AddStatement,
)
from capsule_lint.plan.code import (
    AddedEntry,
    added_entry,
    attribute_in,
    item_key,
    rename,
    renamed_item_access,
    text_of,
)
from capsule_lint.plan.entities.model_calls import ModelCalls
from capsule_lint.plan.entities.unwritten import Unwritten
from capsule_lint.plan.entities.updates import Updates
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.inference.types import Instance, ordered
from capsule_lint.program.local_names import behind, only_assigned
from capsule_lint.program.model import Class, Function, Module, enclosing, last_name, owner_of
from capsule_lint.program.texts.pieces import names_scope, scope_named, snake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.model import Span
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Place


_MAX_DEPTH: Final = 2
_NO_TEXT: Final = "is a text beside `{0}`, which is none and which no item holds as it is"


@dataclass(eq=False, slots=True)
class EntryMends(MendRoom):
    """Builds the mends of item dicts and lists of field names."""

    mends: Mends
    _unwritten: Unwritten = field(init=False)
    _filled: dict[tuple[str, Span, str], Knot] = field(init=False)
    """The entries that dicts get already, as mappings that fill a format."""

    def __post_init__(self) -> None:
        self._unwritten = Unwritten(self.mends)
        self._filled = {}

    def build(self) -> None:
        """Item dicts that list an entity's fields by hand get the new one beside its neighbour."""
        gained = {c for cls in self.state.fields for c in self.program.classes.subclasses(cls)}
        calls = self.program.calls
        self._filled = self.mends.added_entries()
        for module in self.program.names.modules.values():
            if module.generated or module.is_test:
                continue
            for statement, _ in module.statements:
                self._added_entry(statement, gained)
            for display in module.each(tree.DictDisplay):
                self._entry(display, gained)
            for call in module.each(tree.Call):
                plain = _takes_entries(call.func) and not calls.callees(call)
                if plain or self._is_spread_out(call):
                    self._keyword_entry(call, gained)
            for sequence in module.each(tree.Sequence):
                if not self._are_slots(sequence):
                    self._named_fields(sequence, module, gained)
        updates = Updates(self.mends, self)
        updates.build(gained)
        ModelCalls(self.mends, self, updates).build(gained)
        self._unwritten.check()

    def _is_spread_out(self, node: tree.Node) -> bool:
        """Whether what a call gives by the name of a scope becomes an entry of an item."""
        planner = self.planner
        return planner.spreaders.takes_any(node, self.program.policy.scopes)

    def _is_told(self, call: tree.Call, name: str) -> bool:
        """Whether a call is given something by a name already, or is going to be."""
        callees = self.program.calls.callees(call)
        gained = (self.state.params.get(c.function, ()) for c in callees if c.function)
        return any(a.keyword == name for a in call.args) or any(name in one for one in gained)

    def _are_slots(self, node: tree.Sequence) -> bool:
        holder = self.program.names.parent(node)
        return isinstance(holder, tree.Assign) and last_name(holder.targets[0]) == "__slots__"

    def _entry(self, node: tree.DictDisplay, gained: set[Class]) -> None:
        for name, value in node.entries:
            if self.program.policy.is_key_name(name) or name.startswith(":"):
                continue
            old = scope_named(name, self.program.policy.scopes)
            if old is None:
                continue
            for cls, scope in self.lacking(node, name, value, gained, old):
                present = {k.value for k in node.keys if isinstance(k, tree.Const)}
                new = rename(name, old, scope)
                if new in present or new == name or self.is_extended(node, new, cls):
                    continue
                self.mends.expected.note(node, ("class", cls), scope, new)
                code = self.code(node, value, old, scope, ("class", cls))
                self.mends.add(
                    ("class", cls),
                    AddEntry(
                        self.program.names.module_of(node).filename,
                        node.span,
                        "CAP301",
                        f'"{new}"',
                        code,
                        value.span,
                        self.comes_before(scope, old),
                    ),
                )

    def _keyword_entry(self, node: tree.Call, gained: set[Class]) -> None:
        for number, argument in enumerate(node.args):
            old = next(
                (
                    s
                    for s in self.program.policy.scopes
                    if argument.keyword and names_scope(argument.keyword, s)
                ),
                None,
            )
            if old is None:
                continue
            for cls, scope in self.lacking(
                node, argument.keyword or "", argument.value, gained, old
            ):
                new = rename(argument.keyword or "", old, scope)
                if self._is_told(node, new) or self.is_extended(node, new, cls):
                    continue
                self.mends.expected.note(node, ("class", cls), scope, new)
                code = self.code(node, argument.value, old, scope, ("class", cls))
                self.mends.add(
                    ("class", cls),
                    AddArgument(
                        self.program.names.module_of(node).filename,
                        node.span,
                        "CAP301",
                        code,
                        new,
                        number if self.comes_before(scope, old) else number + 1,
                    ),
                )

    def comes_before(self, scope: Scope, old: Scope) -> bool:
        """Whether policy lists a scope before another one."""
        return self.mends.policy_order([scope, old])[0] is scope

    def code(self, item: tree.Node, value: tree.Node, old: Scope, new: Scope, knot: Knot) -> str:
        """What an item says of a scope, beside what it says of another one."""
        spelled = self._spelled_out(value)
        code = self.mends.fields.renamed_value(
            self.program.names.module_of(item), spelled, old, new
        )
        written = self.planner.stored.written(code, spelled, old, new)
        if written is None:
            self.mends.obstacle(knot, value, _NO_TEXT.format(new.parameter))
        return code if written is None else written

    def _added_entry(self, statement: tree.Statement, gained: set[Class]) -> None:
        """`item["tenant_id"] = self.tenant_id` and `item.setdefault("tenant_id", self.tenant_id)`."""
        added = added_entry(statement)
        old = self._scope_named(added.key) if added is not None else None
        if added is None or old is None or self.program.policy.is_key_name(added.key):
            return
        names = self._added_beside(added)
        self._read_entry(statement, added, old, names, gained)
        for cls, scope in self.lacking(
            added.base, added.key, added.value, gained, old, frozenset(names)
        ):
            new = rename(added.key, old, scope)
            if new in names or new == added.key:
                continue
            made = self._made_of(added.base)
            if made is not None and made not in gained:
                continue
            if made is not None:
                self.state.groups.join(("class", cls), ("class", made))
            self.mends.expected.note(added.base, ("class", cls), scope, new)
            module = self.program.names.module_of(added.base)
            base = self.mends.source(module, added.base.span)
            value = self.code(added.base, added.value, old, scope, ("class", cls))
            code = added.spelled(base, new, value)
            before = self.comes_before(scope, old)
            mend = AddStatement(module.filename, statement.span, "CAP301", code, before)
            self.mends.add(("class", cls), mend)

    def _read_entry(
        self,
        statement: tree.Statement,
        added: AddedEntry,
        old: Scope,
        names: set[str],
        gained: set[Class],
    ) -> None:
        """`fields["tenant_id"] = TenantId(item["tenant_id"])`, of which `cls(**fields)` is made."""
        module = self.program.names.module_of(added.base)
        if item_key(added.value, old) is None:
            return
        text = text_of(added.value) or ""
        made = (c for c in gained if self._is_spread(added.base, c))
        for cls in sorted(made, key=lambda c: c.symbol):
            for home, scope in self.beside(cls, old):
                new = rename(added.key, old, scope)
                code = renamed_item_access(text, added.value, old, scope)
                if new in names or code is None:
                    continue
                line = added.spelled(self.mends.source(module, added.base.span), new, code)
                mend = AddStatement(module.filename, statement.span, "CAP301", line)
                self.mends.add_once(("class", home), mend)
                self.mends.import_type(("class", home), module, scope, code)

    def _is_spread(self, node: tree.Node, cls: Class) -> bool:
        """Whether an instance of a class is made of a local dict in the same function."""
        program = self.program
        place, base = program.names.place(node), text_of(node)
        return any(
            program.names.place(call).scope is place.scope
            and any(a.star == "**" and text_of(a.value) == base for a in call.args)
            for call, _ in program.calls.constructors_of(cls)
        )

    def _made_of(self, node: tree.Node) -> Class | None:
        """The class whose fields a dict becomes: it is the `**` parameter of its initializer."""
        function = self.program.names.function_of(node)
        if function is None or function.name != "__init__":
            return None
        own = function.parameter(node.id) if isinstance(node, tree.Name) else None
        return function.owner if own is not None and own.kind == "**" else None

    def _added_beside(self, added: AddedEntry) -> set[str]:
        """All keys that one dict gets, step by step, in one function."""
        names = self.program.names
        place, base = names.place(added.base), text_of(added.base)
        found = {added.key}
        for statement, _ in place.scope.statements:
            other = added_entry(statement)
            if other is not None and text_of(other.base) == base:
                found.add(other.key)
        for binding in names.bindings(base, place) if base is not None else ():
            found.update(self._entry_names(binding.value) if binding.value is not None else ())
        return found

    def is_extended(self, node: tree.Node, key: str, cls: Class) -> bool:
        filename = self.program.names.module_of(node).filename
        knot = self._filled.get((filename, node.span, key))
        if knot is not None:
            self.state.groups.join(("class", cls), knot)
        return knot is not None or self.planner.local.notes.is_extended(node, key)

    def _spelled_out(self, value: tree.Node) -> tree.Node:
        """What a local name stands for, where that is an attribute: `tenant = self.tenant_id`."""
        found = only_assigned(self.program.names, value)
        return found if found is not None and attribute_in(found) is not None else value

    def lacking(
        self,
        node: tree.Node,
        key: str,
        value: tree.Node,
        gained: set[Class],
        old: Scope,
        names: frozenset[str] = frozenset(),
    ) -> list[tuple[Class, Scope]]:
        """The gained fields that belong beside `old` in an item dict whose entry `key` has that value."""
        path = attribute_in(self._spelled_out(value))
        if path is None or not names_scope(path.name, old):
            return []
        for one in ordered(self.program.inference.of(path.base)):
            if isinstance(one, Instance) and one.cls in gained:
                lists = self.lists(node, one.cls, names or frozenset(self._entry_names(node)))
                listed = (lists and not self._enters(node)) or self._is_spread_out(node)
                found = self.beside(one.cls, old)
                note = self._unwritten.write if listed else partial(self._unwritten.leave, node)
                for home, scope in found:
                    note(home, rename(key, old, scope))
                return found if listed else []
        return []

    def _enters(self, node: tree.Node) -> bool:
        """Whether an expression stands in what a framework calls."""
        place: Place = self.program.names.place(node)
        return any(self.program.domain.enters(f) for f in enclosing(place))

    def lists(self, node: tree.Node, cls: Class, names: frozenset[str]) -> bool:
        """Whether a dict is an item, and no mere message about one: it has keys of the table, or all
        fields, or it is made by the entity or by a repository."""
        if any(self.program.policy.is_key_name(name) for name in names):
            return True
        function = self.program.names.function_of(node)
        owner = function.owner if function is not None else None
        if owner is not None and (
            owner in self.program.classes.mro(cls) or owner in self.program.domain.repositories
        ):
            return True
        fields = {p.name for p in self.program.classes.constructor(cls) or ()}
        told = names.union(map(snake, names))
        if fields and fields - set(self.state.fields.get(cls, ())) <= told:
            return True
        return function is not None and self._is_part_of_item(node, function)

    def _is_part_of_item(self, node: tree.Node, function: Function) -> bool:
        """Whether a function gives a dict back to what spreads it into an item: `{**columns(order), "PK": …}`."""
        program, is_key_name = self.program, self.program.policy.is_key_name
        made = any(behind(program.names, value) is node for value in function.returns)
        calls = [call for call, _ in program.calls.callers(function)] if made else []
        items = [
            one for one in map(program.names.parent, calls) if isinstance(one, tree.DictDisplay)
        ]
        return any(is_key_name(name) for item in items for name in self._entry_names(item))

    def _entry_names(self, node: tree.Node, depth: int = 0) -> Iterator[str]:
        """The keys of a dict, as far as they are known, with those of what is spread into it and of what a helper
        gives: `{**order_key(order.tenant_id), Names.TITLE: order.title}`."""
        match node:
            case tree.DictDisplay():
                for key, value in node.pairs:
                    said = self.program.templates.constant(key) if key is not None else None
                    if key is None:
                        yield from self._entry_names(value, depth)
                    elif said is not None:
                        yield said
            case tree.Call():
                callees = self.program.calls.callees(node)
                made = [v for c in callees if c.function is not None for v in c.function.returns]
                for value in made if depth < _MAX_DEPTH else ():
                    yield from self._entry_names(value, depth + 1)
                if not callees:
                    yield from (name for name, _ in node.keywords)
                    for value in (*node.plain, *node.spread):
                        yield from self._entry_names(value, depth)
            case _:
                return

    def beside(self, cls: Class, old: Scope) -> list[tuple[Class, Scope]]:
        """The fields that a class gains right beside the scope `old`, and where they are defined."""
        gained = self.state.fields
        home = next(c for c in self.program.classes.mro(cls) if c in gained)
        order = list(self.program.policy.scopes)
        have = [s for s in order if s.parameter not in gained[home]]
        found = []
        for scope in self.mends.policy_order(list(gained[home].values())):
            preceding = [s for s in have if order.index(s) < order.index(scope)]
            beside = preceding[-1] if preceding else have[0] if have else None
            if beside is old:
                found.append((home, scope))
        return found

    def _named_fields(self, node: tree.Sequence, module: Module, gained: set[Class]) -> None:
        """`for name in ("tenant_id", "number"): item[name] = getattr(self, name)`."""
        names = [item.value for item in node.items if isinstance(item, tree.Const)]
        if len(names) < 2 or len(names) != len(node.items) or self._numbers_patterns(node):
            return
        texts = [name for name in names if isinstance(name, str)]
        program = self.program
        scope_of = program.names.place(node).scope
        owner = owner_of(scope_of.function) or scope_of.cls
        related = set(program.classes.mro(owner)) if owner is not None else set()
        for cls in sorted(gained, key=lambda c: c.symbol):
            if len(texts) != len(names) or not self._are_fields(cls, texts):
                continue
            if cls not in related and owner not in program.classes.mro(cls):
                continue  # it lists the columns of something else that are called the same
            for item in node.items:
                assert isinstance(item, tree.Const)
                old = self._scope_named(str(item.value))
                for home, scope in self.beside(cls, old) if old is not None else ():
                    new = self.state.attributes[home, scope.parameter]
                    if not self.program.classes.has_attribute(cls, str(item.value)):
                        new = rename(str(item.value), old, scope) if old is not None else new
                    if new in texts:
                        continue
                    knot: Knot = ("class", home)
                    mend = AddElements(
                        module.filename, node.span, "CAP301", (), (f'"{new}"',), item.span
                    )
                    self.mends.add(knot, mend)
            return

    def _numbers_patterns(self, node: tree.Sequence) -> bool:
        """Whether patterns know fields by their places in it, `__match_args__`: these stay as they are."""
        around = self.program.names.parent(node)
        targets = around.targets if isinstance(around, tree.Assign) else ()
        return any(isinstance(one, tree.Name) and one.id == "__match_args__" for one in targets)

    def _are_fields(self, cls: Class, names: list[str]) -> bool:
        """Whether texts are the names of a class's attributes, or their aliases."""
        classes = self.program.classes
        aliases = set(classes.aliases(cls).values())
        return all(classes.has_attribute(cls, name) or name in aliases for name in names)

    def _scope_named(self, name: str) -> Scope | None:
        return scope_named(name, self.program.policy.scopes)


def _takes_entries(func: tree.Node) -> bool:
    """Whether keywords become the entries of a dict: `dict(…)`, `item.update(…)`."""
    match func:
        case tree.Name():
            return func.id == "dict"
        case tree.Attr():
            return func.name == "update"
        case _:
            return False
