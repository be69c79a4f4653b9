"""Attributes that are keys, though nothing of how they are called says so: `Key={"bucket": f"TENANT#{tenant_id}#{day}"}`,
`Key("tenant_status").eq(f"{tenant_id}#{status}")`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.places.conditions import (
    Conditions,
    compared_first,
    entries_of,
    holding,
    said_near,
)
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.program.places.keys import Keys

KEY: Final = "Key"
"""What operations are told an item's key as, which has nothing else in it."""
_MAX_CALLS: Final = 3


@dataclass(eq=False, slots=True)
class KeyAttributes:
    """Learns which attributes they are from what items are looked up by, and gives `keys` all that stands under
    their names and starts as the policy's keys do."""

    keys: Keys
    _entries: list[tuple[str, tree.Node]] = field(default_factory=list)
    _asked: list[tree.Node] = field(default_factory=list)
    _equated: dict[str, bool] = field(default_factory=dict)
    """The attributes of which a query asks for one value, and whether it asks an index."""
    _wanted: list[tuple[str, tree.Node]] = field(default_factory=list)
    """These, and the values."""

    def entry(self, name: str | None, value: tree.Node) -> None:
        """Something stands under a name in a dict; `None` for one that is not written out."""
        policy = self.keys.policy
        if name is None or policy.is_key_name(name) or policy.is_sort_key_name(name):
            return
        if _may_say(value):
            self._entries.append((name, value))

    def asked_for(self, node: tree.Node) -> None:
        """An item is looked up by this."""
        self._asked.append(node)

    def equated(self, name: str, value: tree.Node, *, index: bool) -> None:
        """A query asks for the items of which an attribute has that value."""
        self._equated[name] = index and self._equated.get(name, True)
        self._wanted.append((name, value))

    def queried(self, arguments: dict[str, tree.Node]) -> None:
        """A query is told these: `KeyConditionExpression="tenant_status = :ts"`."""
        condition, policy = arguments.get("KeyConditionExpression"), self.keys.policy
        name = compared_first(tree.text(condition), arguments.get("ExpressionAttributeNames"))
        if name and not policy.is_key_name(name) and not policy.is_sort_key_name(name):
            self._equated[name] = "IndexName" in arguments and self._equated.get(name, True)

    def give(self) -> None:
        """Give what was seen to `keys`."""
        self._give_keys()
        self._want_alone()
        self._give_equated()

    def _want_alone(self) -> None:
        """What stands alone in the key of an item, or beside a sort key, is its partition key: if it says a scope and more, it
        needs no tag for that, `Key={"session_id": f"{tenant_id}:{session_id}"}`."""
        is_sort_key = self.keys.policy.is_sort_key_name
        for node in self._asked if self._entries else ():
            for entries in self._entries_of(node):
                alone = [(n, v) for n, v in entries if not is_sort_key(n)]
                named = any(self.keys.policy.is_key_name(name) for name, _ in alone)
                if len(alone) == 1 and not named and self._says_more(alone[0][1]):
                    self.equated(*alone[0], index=False)

    def _says_more(self, value: tree.Node) -> bool:
        """Whether a text says more than scopes: what does not may tell of the tenant itself."""
        scopes = self.keys.policy.scopes
        nothing = {"", *(one.tag for one in scopes), *(one.name for one in scopes)}
        return any(set(said) - nothing for said in self._says(value))

    def _give_equated(self) -> None:
        """What stands under the name of an attribute by which a query finds items, and says what is looked for there."""
        compared = list(self._compared()) if self._equated else []
        looked_up = [(n, v) for n, v, role in compared if role is Role.LOOKUP] + self._wanted
        wanted = {(name, said) for name, value in looked_up for said in self._says(value)}
        entries = (
            (name, value, self._role_of(value))
            for name, value in self._entries
            if name in self._equated
        )
        for name, value, role in (*compared, *entries):
            if any((name, said) in wanted for said in self._says(value)):
                self.keys.sink(value, role, self._equated[name])

    def _compared(self) -> Iterator[tuple[str, tree.Node, Role]]:
        """What is written under these names, or looked up by them, for the `:values` of expressions."""
        names, templates = self.keys.names, self.keys.templates
        compared = {}
        for module in names.editable():
            compared.update(Conditions(names, templates, self._equated.__contains__).of(module))
        for entry, value in self._entries:
            places = holding(names, entries_of(names, value))
            if (said := said_near(compared, places, entry)) is not None:
                yield said[0], value, said[1]

    def _role_of(self, value: tree.Node) -> Role:
        made = self.keys.names.parent(value)
        if isinstance(made, tree.DictDisplay) or (
            isinstance(made, tree.Call) and tree.makes_dict(made)
        ):
            return self.keys.positions.dict_role(made)
        return Role.WRITTEN

    def _says(self, value: tree.Node) -> Iterator[tuple[str, ...]]:
        """The texts of keys with scopes in them, between what fills them, here or in the functions that make them."""
        templates, makers = self.keys.templates, self.keys.results.helpers_in(value)
        nodes = [value, *(given for maker in makers for given in maker.returns)]
        for made in (template for node in nodes for template in templates.resolve(node)):
            scopes = sorted(segment.scope for segment in templates.segments(made.pieces))
            if scopes:
                texts = (p.value if isinstance(p, Text) else "" for p in made.pieces)
                yield (*scopes, *texts)

    def _give_keys(self) -> None:
        """What stands under the names that are in the keys of items."""
        asked = {
            (id(value), name)
            for node in self._asked
            if self._entries
            for entries in self._entries_of(node)
            if not any(self.keys.policy.is_key_name(name) for name, _ in entries)
            for name, value in entries
        }
        lookups = {number for number, _ in asked}
        starting = [(n, v) for n, v in self._entries if (id(v), n) in asked and self._starts(v)]
        names = {name for name, _ in starting}
        for name, value in self._entries if names else ():
            if name in names and self._starts(value):
                role = Role.LOOKUP if id(value) in lookups else Role.WRITTEN
                self.keys.sink(value, role, index=False)

    def _starts(self, node: tree.Node) -> bool:
        with self.keys.names.aside():  # whatever else is called so leads nowhere
            return self.keys.starts.at(node)

    def _entries_of(
        self, node: tree.Node, calls: int = 0
    ) -> Iterator[Sequence[tuple[str, tree.Node]]]:
        """What the dicts have that an expression may be, here or in the functions that it calls."""
        match self.keys.templates.formatted.written_out(node):
            case tree.DictDisplay() as display:
                yield list(display.entries)
            case tree.Call() as made if tree.makes_dict(made):
                yield list(made.keywords)
            case tree.Call() as call if calls < _MAX_CALLS:
                for callee in self.keys.calls.callees(call):
                    for value in callee.function.returns if callee.function is not None else ():
                        yield from self._entries_of(value, calls + 1)


def _may_say(node: tree.Node) -> bool:
    """Whether an expression may be a text that is put together; so may be what stands under its type."""
    match node:
        case tree.DictDisplay(values=(value,)):
            return _may_say(value)
        case _:
            return isinstance(node, tree.Name | tree.Attr | tree.Call) or tree.makes_text(node)
