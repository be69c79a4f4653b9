"""Keys that are a value and nothing else: `Key={"PK": tenant_id}`, `item["GSI1PK"] = job.owner`."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.places.dict_roles import is_streamed
from capsule_lint.program.places.sites import KeySite, Role
from capsule_lint.program.texts.pieces import Filled, Template, hole_name, names_any_of
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program.places.keys import Keys

_PLAIN: Final = re.compile(r"_id$|(?:^|_)email$")
_KEY: Final = re.compile(r"pk|sk|key|hash|index|gsi|value|partition", re.IGNORECASE)
_SPELLED: Final = frozenset(("lower", "upper", "strip", "casefold", "title"))
"""Methods that write the same value in one way."""
_MAX_ALIASES: Final = 4


class _Entry(Struct, frozen=True):
    """A value that may be the key of an index, the expression for the key, and what it is used for."""

    node: tree.Node
    value: tree.Name | tree.Attr
    role: Role
    site: KeySite | None = None
    """Where it is known to be one."""


@dataclass(eq=False, slots=True)
class BareKeys:
    """Finds them. Those of an index are values of something, `job.owner`, or stand where such are written or looked up
    under the same name: what a function is told may be a key that was made elsewhere."""

    keys: Keys
    untold: list[KeySite] = field(default_factory=list)
    """Those that say no scope, and to which none can be added where they stand."""
    _known: set[str] = field(default_factory=set)
    """The names of those that are values of something where they are written."""
    _attributes: list[_Entry] = field(default_factory=list)
    """What indexes by other attributes are asked for."""
    _entries: dict[tuple[str, str], list[_Entry]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def note(self, node: tree.Node, role: Role, name: str) -> None:
        """What stands in the place of the key `name`."""
        keys = self.keys
        if is_streamed(keys.names, node, name):
            return
        if isinstance(node, tree.DictDisplay) and len(node.values) == 1:
            node = node.values[0]
        beside = self._sort_key(node)
        node = keys.templates.formatted.written_out(node)
        value = _value_of(node)
        index = keys.policy.is_index_key_name(name)
        entries = self._entries[name, "" if index else beside or ""]
        if beside is not None and value is not None and keys.policy.is_key_name(last_name(value)):
            seen = [id(entry.node) for entry in entries]
            given = (one for one in self._returned(value) if id(one) not in seen)
            entries += [_Entry(one, one, role) for one in given]
        if keys.at(node) is not None or value is None:
            return
        if keys.templates.resolve(value) or any(True for _ in keys.results.helpers_in(value)):
            return
        known = hole_name(value)
        template = Template(node, (Filled(value, node, known),))
        if names_any_of(known, keys.policy.scopes):
            template = replace(template, opaque=value is not node)
            keys.note(template, role, index, prefix=False)
        elif index and value is _first_choice(node) and self._is_plain_value(value):
            site = self._site(_Entry(node, value, role), opaque=True)  # how is a segment set off?
            keys.add(site)
            self._known |= {name} if role is Role.WRITTEN else set()
            entries.append(_Entry(node, value, role, site))
        elif index or beside is not None:
            entries.append(_Entry(node, value, role))

    def asked(self, node: tree.Node, query: tree.Call) -> None:
        """What an index is asked for whose partition key is any attribute, `Key("status").eq(status)`, where nothing else
        in the query says a scope. What tells one thing from all others, `user_id`, finds nobody else's."""
        keys, value = self.keys, _value_of(node)
        scopes = keys.policy.scopes
        said = [one for argument in query.args for one in within(argument.value)]
        if value is None or _PLAIN.search(hole_name(value)) is not None:
            return
        if any(
            names_any_of(str(one.value) if isinstance(one, tree.Const) else hole_name(one), scopes)
            for one in said
        ):
            return
        if not keys.templates.resolve(value) and not any(
            True for _ in keys.results.helpers_in(value)
        ):
            self._attributes.append(_Entry(node, value, Role.LOOKUP))

    def _sort_key(self, node: tree.Node) -> str | None:
        """What the sort key says beside a key of the table; `None` where there is none."""
        display = self.keys.names.parent(node)
        for key, value in display.pairs if isinstance(display, tree.DictDisplay) else ():
            text = tree.text(key) if key is not None else None
            if text is not None and self.keys.policy.is_sort_key_name(text):
                found = self.keys.templates.resolve(value)
                return found[0].text if found else self.keys.templates.constant(value) or ""
        return None

    def _returned(self, value: tree.Name | tree.Attr) -> Iterator[tree.Attr]:
        """The field that the property of an object gives which is called as keys are: `draft.pk`."""
        for one in (
            self.keys.templates.inference.of(value.base) if isinstance(value, tree.Attr) else ()
        ):
            cls = one.cls if isinstance(one, Instance) else None
            method = self.keys.classes.method(cls, last_name(value)) if cls is not None else None
            for given in method.returns if method is not None and method.is_property else ():
                if isinstance(given, tree.Attr):
                    yield given

    def _is_plain_value(self, node: tree.Name | tree.Attr) -> bool:
        """Whether what an index is to find items by is a value of something, `job.owner` or `user_id`, and no
        key that was made elsewhere."""
        if isinstance(node, tree.Name):
            return _PLAIN.search(node.id) is not None
        if node.name == "value" and isinstance(node.base, tree.Attr):
            node = node.base  # that of an enum's member
        return not (_is_own(node) or self._is_called_key(node.name))

    def _is_called_key(self, name: str) -> bool:
        return self.keys.policy.is_key_name(name) or _KEY.search(name) is not None

    def settle(self) -> None:
        """Judge the others, once all keys are known."""
        for (name, _), entries in self._entries.items():
            index = self.keys.policy.is_index_key_name(name)
            written = [one for one in entries if one.role is Role.WRITTEN and self._is_field(one)]
            asked = [
                one
                for one in entries
                if one.role is Role.LOOKUP and (one.site or self._is_asked(one))
            ]
            known = written or name in self._known
            changes = index and bool(written) and len(written) + len(asked) == len(entries)
            changes = changes and name not in self._known and self._are_all(name, written, asked)
            for one in (*written, *asked) if known else ():
                if one.site is not None:
                    one.site.template = replace(one.site.template, opaque=not changes)
                elif index and not changes:
                    self.untold.append(self._site(one))
                elif self.keys.at(one.node) is None:  # that of a table may be read as the value
                    self.keys.add(self._site(one, index=index, opaque=not index))
        self.untold += map(self._site, filter(self._is_asked, self._attributes))

    def _site(self, one: _Entry, *, index: bool = True, opaque: bool = False) -> KeySite:
        place = self.keys.names.place(one.node)
        filled = Filled(one.value, one.node, hole_name(one.value))
        template = Template(one.node, (filled,), opaque)
        return KeySite(template, place.scope.module, place.scope.function, one.role, index)

    def _are_all(self, name: str, written: list[_Entry], asked: list[_Entry]) -> bool:
        """Whether an index's key is a text wherever it is written, and nothing but what writes it and what asks for it
        names it: then nothing reads what it was."""
        return all(map(self._is_text, (*written, *asked))) and self._named(name) == (
            len(written),
            len(asked),
        )

    def _is_text(self, one: _Entry) -> bool:
        """Whether a value is declared as a text, which is always there."""
        value, keys = one.value, self.keys
        params: Iterable[tree.Parameter] = ()
        if isinstance(value, tree.Name):
            bindings = keys.names.bindings_of(value)
            params = [b.parameter for b in bindings if b.parameter is not None]
        else:
            function = keys.names.function_of(value)
            owner = function.owner if function is not None else None
            made = keys.classes.constructor(owner) if owner is not None and _is_own(value) else ()
            params = [p for p in made or () if p.name == value.name]
        said = [p.annotation for p in params]
        return len(said) == 1 and self._is_str(said[0])

    def _is_str(self, annotation: tree.Node | None, depth: int = 0) -> bool:
        """Whether an annotation is `str`, or stands for it: `Email = NewType("Email", str)`."""
        match annotation:
            case tree.Name(id="str"):
                return True
            case tree.Subscript(base=base, index=index) if last_name(base) == "Annotated":
                return self._is_str(tree.items(index)[0], depth)
            case tree.Call(args=(_, of)) if last_name(annotation.func) == "NewType":
                return self._is_str(of.value, depth)
            case tree.Name() | tree.Attr() if depth < _MAX_ALIASES:
                named = self.keys.classes.dotted(annotation)
                value = named.assigned if isinstance(named, Binding) else None
                return self._is_str(value, depth + 1)
            case _:
                return False

    def _named(self, name: str) -> tuple[int, int] | None:
        """How often a key's name is written as that of an entry, and in a condition; `None` if it stands elsewhere."""
        entries = conditions = 0
        word = re.compile(rf"\b{re.escape(name)}\b")
        names = self.keys.names
        for module in names.modules.values():
            if any(one.name == name for one in module.each(tree.Attr)) or any(
                a.keyword == name for call in module.each(tree.Call) for a in call.args
            ):
                return None
            for node in module.either(tree.Const, tree.FString):
                said = (node.value,) if isinstance(node, tree.Const) else node.parts
                if not any(isinstance(one, str) and word.search(one) for one in said):
                    continue
                if self._is_entry(node):
                    entries += 1
                elif self._is_condition(node, name):
                    conditions += 1
                elif not self._is_declared(node):
                    return None
        return entries, conditions

    def _is_entry(self, node: tree.Node) -> bool:
        """Whether a text is the name of an entry that a dict gets."""
        parent_of = self.keys.names.parent
        match around := parent_of(node):
            case tree.DictDisplay():
                return any(key is node for key in around.keys)
            case tree.Subscript():
                statement = parent_of(around)
                return isinstance(statement, tree.Assign) and around in statement.targets
            case _:
                return False

    def _is_condition(self, node: tree.Node, name: str) -> bool:
        """Whether a text says of which key it is asked what it equals, `Key("gsi1pk").eq(…)` and `"gsi1pk = :pk"`."""
        parent_of = self.keys.names.parent
        match node:
            case tree.Const(value=str() as text) if text != name:
                return re.fullmatch(rf"{re.escape(name)}\s*=\s*:\w+", text.strip()) is not None
            case tree.Const():
                call = parent_of(node)
                asking = parent_of(call) if isinstance(call, tree.Call) else None
                return isinstance(asking, tree.Attr) and asking.name == "eq"
            case _:
                return False

    def _is_declared(self, node: tree.Node) -> bool:
        """Whether a text says of a table that it has such a key: `{"AttributeName": "gsi1pk", "KeyType": "HASH"}`."""
        around = self.keys.names.parent(node)
        return isinstance(around, tree.DictDisplay) and around.under("AttributeName") is node

    def _is_field(self, one: _Entry) -> bool:
        """Whether what is written is a field of the object, to which nobody gives a key."""
        value, keys = one.value, self.keys
        function = keys.names.function_of(value)
        if not isinstance(value, tree.Attr) or function is None or function.owner is None:
            return False
        if not _is_own(value) or self._is_called_key(value.name):
            return False
        if keys.templates.beginnings.texts_in(value):
            return False
        with keys.names.aside():  # who makes such objects is no matter of the scopes
            given = [told.get(value.name) for _, told in keys.calls.given_to(function.owner)]
        return not any(self._is_made(argument.value) for argument in given if argument is not None)

    def _is_asked(self, one: _Entry) -> bool:
        """Whether what is looked up is what somebody asks for, and no key that callers make."""
        value, keys = one.value, self.keys
        if self._is_called_key(last_name(value)):
            return False
        for binding in keys.names.bindings_of(value) if isinstance(value, tree.Name) else ():
            function = binding.function
            if binding.kind != "param" or function is None:
                continue
            with keys.names.aside():
                given = list(keys.calls.arguments_for(function, binding.name))
            if any(self._is_made(argument.value) for _, argument in given):
                return False
        return True

    def _is_made(self, node: tree.Node) -> bool:
        """Whether an expression is put together, here or by a helper, or is called a key itself."""
        keys = self.keys
        called = last_name(node)
        if keys.policy.is_key_name(called) or "key" in called.lower():
            return True
        if any(t.has_text and len(t.pieces) > 1 for t in keys.templates.resolve(node)):
            return True
        return any(True for _ in keys.results.helpers_in(node))


def _is_own(node: tree.Attr) -> bool:
    """Whether something is an attribute of the object itself."""
    return isinstance(node.base, tree.Name) and node.base.id in ("self", "cls")


def _value_of(node: tree.Node) -> tree.Name | tree.Attr | None:
    """The value of which an expression is nothing but the spelling, `status` of `status.lower()` and of `f"{status}"`."""
    match _first_choice(node):
        case tree.Name() | tree.Attr() as value:
            return value
        case tree.FString(parts=(tree.Hole(value=value),)):
            return _value_of(value)
        case tree.Call(func=tree.Name(id="str"), args=(tree.Argument(value=value, star=""),)):
            return _value_of(value)
        case tree.Call(func=tree.Attr(base=base, name=name), args=()) if name in _SPELLED:
            return _value_of(base)
        case _:
            return None


def _first_choice(node: tree.Node) -> tree.Node:
    """What an expression is, unless that is nothing: `job.owner or "anonymous"`."""
    match node:
        case tree.Boolean(op="or", values=(tree.Name() | tree.Attr() as first, tree.Const())):
            return first
        case _:
            return node
