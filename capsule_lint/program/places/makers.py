"""Functions and classes that make keys for others: key helpers, and what wraps the calls of a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.fields import alias_of
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.logs import is_for_people
from capsule_lint.program.model import last_name
from capsule_lint.program.places.looks import KEYISH
from capsule_lint.program.places.object_keys import ObjectKeys
from capsule_lint.program.places.query_objects import is_query_object
from capsule_lint.program.places.sites import Role
from capsule_lint.program.texts.pieces import Filled, Text, snake, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.places.dict_roles import DictRoles
    from capsule_lint.program.places.keys import Keys

HELPER_NAME: Final = re.compile(
    r"(?:^|_)(?:keys?|gsi\d*|lsi\d*|index_keys?)(?:_|$)|_for_(?:key|pk)$"
)
_KEY_MAKERS: Final = frozenset(("key", "builder", "factory", "maker", "schema", "helper", "util"))
_ELSEWHERE: Final = frozenset(("cache", "redis", "memcache", "s3", "blob"))
"""Words in the names of functions that make keys of other stores."""

_MAX_DEPTH: Final = 3


@dataclass(eq=False)
class Makers:
    """Finds the keys that they make, and that they are given."""

    keys: Keys
    roles: DictRoles

    def helper(self, function: Function) -> None:
        """What a function returns that is called as key helpers are, or stands among them."""
        if function.name.startswith("test"):
            return
        name = _name_in_items(function)
        named = self.keys.policy.is_key_name(name)
        known = named or HELPER_NAME.search(snake(function.name)) is not None
        if not known and not self._is_among_keys(function):
            return
        if self.keys.policy.is_sort_key_name(name):
            return
        if not named and self._is_elsewhere(function):
            return  # a key of something else, unless it is used as one of the table
        if named and self.keys.elsewhere.makes(function, name):
            return
        if self.keys.templates.called.is_generic(function):
            return
        index = self.keys.policy.is_index_key_name(name) or "gsi" in name
        for value in function.returns:
            if isinstance(value, tree.Sequence) and value.kind == "tuple" and value.items:
                first = value.items[0]
                sure = named or self._keyish(first) or self._has_scope(first)
                if sure and self._strings(first):
                    self.keys.sink(first, Role.HELPER, index)
            elif not known and not self._has_scope(value):
                continue  # `Keys.room_row(room_id)` may be a sort key
            elif self._is_any_key(function) and not self._says_what(value):
                continue  # `Agent.key(name)` may be anything, unless it is used as a key
            elif not self.keys.is_likely(value):
                continue  # nothing but its name says that it is a key: it may be that of a row in SQL
            elif (
                (named or self._keyish(value))
                and not self.keys.results.makes_item(value)
                and (named or self._has_scope(value) or not self._makes_sort_keys(function))
            ):
                self.keys.sink(value, Role.HELPER, index)

    def _is_elsewhere(self, function: Function) -> bool:
        """Whether a function makes keys of another store, by its name or by where these go."""
        said = _ELSEWHERE & set(snake(function.name).split("_"))
        return bool(said) or ObjectKeys(self.keys).makes(function)

    def _is_among_keys(self, function: Function) -> bool:
        """Whether the class or the module of a function is one of keys: `Keys.room(tenant_id, room_id)`."""
        owner, module = function.owner, function.module.name.rpartition(".")[2]
        said = words(owner.name if owner is not None else module)
        return "key" in said and said[-1] in _KEY_MAKERS

    def _makes_sort_keys(self, function: Function, depth: int = 0) -> bool:
        """Whether all that a function makes is put where a sort key stands, `"SK": order_key(order_id)`, or logged."""
        names = self.keys.names
        calls = (call for call, _ in self.keys.calls.callers(function))
        made = (call for call in calls if not names.module_of(call).is_test)
        return self._are_sort_keys(made, depth)

    def _are_sort_keys(self, made: Iterable[tree.Node], depth: int) -> bool:
        put = [one for one in made if not is_for_people(self.keys.names, one)]
        return bool(put) and all(self._is_sort_key(one, depth) for one in put)

    def _is_sort_key(self, made: tree.Node, depth: int) -> bool:
        """Whether a sort key stands where something is made, or where the local is used that keeps it, the text that has
        it, the function that gives it back."""
        names = self.keys.names
        if depth > _MAX_DEPTH or self.keys.positions.strays.sort_keys.stands(made):
            return depth <= _MAX_DEPTH
        match names.parent(made):
            case tree.Assign(targets=(tree.Name() as local,), op=""):
                return self._are_sort_keys(reads_of(names, local, (local.at,)), depth + 1)
            case tree.FString() | tree.Binary() as longer:
                return self._is_sort_key(longer, depth)
            case tree.Eval(kind="return") if (function := names.function_of(made)) is not None:
                named = self.keys.policy.is_sort_key_name(_name_in_items(function))
                return named or self._makes_sort_keys(function, depth + 1)
            case _:
                return False

    def _is_any_key(self, function: Function) -> bool:
        """Whether a method is called a key and nothing else."""
        return function.owner is not None and snake(function.name) in ("key", "keys")

    def _says_what(self, node: tree.Node) -> bool:
        """Whether a text says of what it is the key, `f"ORDER#{order_id}"`, or has a scope in it."""
        found = self.keys.templates.resolve(node)
        return self._has_scope(node) or any(isinstance(t.pieces[0], Text) for t in found)

    def _has_scope(self, node: tree.Node) -> bool:
        """Whether a text has a scope in it."""
        segments = self.keys.templates.segments
        return any(any(segments(t.pieces)) for t in self.keys.templates.resolve(node))

    def _strings(self, node: tree.Node) -> bool:
        return any(t.has_text and KEYISH.match(t.text) for t in self.keys.templates.resolve(node))

    def _keyish(self, node: tree.Node) -> bool:
        return any("#" in t.text for t in self.keys.templates.resolve(node))

    def wrapped(self) -> None:
        """Arguments that fill a parameter named like a key: `query_items(f"…", "USER#")`."""
        for module in self.keys.names.modules.values():
            for function in module.functions:
                if any(self.keys.policy.is_key_name(p.name) for p in function.own_params):
                    self._arguments(function)
        for cls in self.keys.classes.having(self.keys.policy.is_key_name):
            if self.keys.classes.is_data(cls):
                self._fields(cls)

    def _arguments(self, function: Function) -> None:
        @cache
        def used(name: str) -> Role:
            family = self.keys.calls.families.of(function)
            return self.roles.of_given(family, name) or Role.LOOKUP

        for call, callee in list(self.keys.calls.callers(function)):
            for name, argument in callee.arguments(call).items():
                if (
                    self.keys.policy.is_key_name(name)
                    and argument.keyword is None
                    and not self._goes_behind(function, name)
                ):
                    role = Role.WRITTEN if callee.cls is not None else used(name)
                    self.keys.named(argument.value, role, name)

    def _goes_behind(self, function: Function, name: str) -> bool:
        """Whether a function puts scopes before what it is given: that is the end of a key."""
        templates = self.keys.templates
        for node in self.keys.names.inside(function):
            if tree.makes_text(node):
                template = templates.template(node)
                pieces = template.pieces if template is not None else ()
                at = [n for n, p in enumerate(pieces) if isinstance(p, Filled) and _is(p, name)]
                if at and templates.segments(pieces[: at[0]]):
                    return True
        return False

    def _fields(self, cls: Class) -> None:
        policy, params = self.keys.policy, self.keys.classes.constructor(cls) or ()
        if not any(policy.is_key_name(p.name) for p in params):
            return
        only = all(policy.is_key_name(p.name) or policy.is_sort_key_name(p.name) for p in params)
        asks = is_query_object(policy, self.keys.classes, cls)
        for call, given in self.keys.calls.given_to(cls):
            returned = isinstance(self.keys.names.parent(call), tree.Eval)
            role = Role.HELPER if only and returned else Role.LOOKUP if asks else Role.WRITTEN
            for name, argument in given.items():
                if policy.is_key_name(name) and argument.keyword is None:
                    self.keys.named(argument.value, role, name)


def _is(piece: Filled, name: str) -> bool:
    return isinstance(piece.value, tree.Name) and piece.value.id == name


def is_item(node: tree.Node) -> bool:
    """Whether a dict is written out that is no typed value, `{"S": "TENANT#t"}`."""
    if not isinstance(node, tree.DictDisplay):
        return tree.makes_dict(node)
    return len(node.keys) != 1 or tree.text(node.keys[0]) != "S"


def _name_in_items(function: Function) -> str:
    """What items call the value of a property: `gsi1pk` of `@computed_field(alias="gsi1pk")`."""
    decorators = (d for d in function.fact.decorators if isinstance(d, tree.Call))
    said = (alias_of(d) for d in decorators if last_name(d.func) == "computed_field")
    return next(filter(None, said), function.name)
