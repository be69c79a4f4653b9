"""Keys in calls and comparisons: what operations, conditions and models are given, what rows are searched for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ClassObject, Instance
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Module, last_name
from capsule_lint.program.places.sites import WRITES, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.model import Function
    from capsule_lint.program.places.dict_roles import DictRoles
    from capsule_lint.program.places.hashes import Hashes
    from capsule_lint.program.places.key_attributes import KeyAttributes
    from capsule_lint.program.places.keys import Keys
    from capsule_lint.program.places.strays import Strays

_OPERATORS: Final = frozenset(
    [
        "eq",
        "begins_with",
        "between",
        "is_in",
        "gt",
        "lt",
        "gte",
        "lte",
        "startswith",
        "removeprefix",
    ]
)
_BEGINNINGS: Final = ("startswith", "removeprefix")
_MODEL_READS: Final = frozenset(("query", "get", "count", "batch_get"))
_NAMING: Final = ("get", "Key", "Attr")
"""Calls whose first argument is the name of a key: `row.get("PK")`, `Key("PK")`."""


class Operations(Struct, frozen=True):
    """Finds the keys, and gives them to `keys`."""

    keys: Keys
    strays: Strays
    hashes: Hashes
    roles: DictRoles
    attributes: KeyAttributes

    def call(self, node: tree.Call) -> None:
        """What a call is given."""
        func = node.func
        if isinstance(func, tree.Attr):
            self._model(node, func)
        self._constructed(node)
        if isinstance(func, tree.Attr) and node.args:
            if self._condition(node.args[0].value, func) or self._replaced(node, func):
                return
            if name := self._equated(node, func):
                query = self._index_query(node)
                self.keys.sink(node.args[0].value, Role.LOOKUP, index=query is not None)
                self.attributes.equated(name, node.args[0].value, index=query is not None)
                if query is not None:
                    self.keys.bares.asked(node.args[0].value, query)
                return
        if last_name(func) == "setdefault" and len(node.args) == 2:
            name = self.keys.key_name(node.args[0].value)
            if name:
                self.keys.named(node.args[1].value, Role.WRITTEN, name)
        self.strays.given(node)
        for argument in node.args if not tree.makes_dict(node) else ():
            if argument.keyword is not None and self.keys.policy.is_key_name(argument.keyword):
                role = self._role(node, argument.keyword)
                self.keys.named(argument.value, role, argument.keyword)

    def _role(self, node: tree.Call, name: str) -> Role:
        """What a key is used for that is given by its name."""
        names = self.keys.names
        match node.func:
            case tree.Attr(name="update", base=tree.Name() as base):
                return self.roles.updated(base, names.function_of(node)) or Role.LOOKUP
        if self.keys.results.makes_pair(node) and _is_returned(names.parent(node)):
            return Role.HELPER
        if self._constructs(node):
            return Role.WRITTEN
        called = [c.function for c in self.keys.calls.callees(node) if c.function is not None]
        made = self.roles.around(node) if any(map(_gives_back, called)) else None
        return self.roles.of_given(called, name) or made or Role.LOOKUP

    def _model(self, node: tree.Call, func: tree.Attr) -> None:
        """`Model.query(…)`, `Model.get(…)`, `Model.index.query(…)`: the first argument is a key."""
        if func.name not in _MODEL_READS or not node.args or node.args[0].keyword is not None:
            return
        if not self.hashes.has_models:
            return
        for one in self.keys.templates.inference.of(func.base):
            if isinstance(one, ClassObject | Instance) and self.keys.classes.is_pynamo(one.cls):
                index = self.keys.classes.is_pynamo_index(one.cls)
                for value in _first_values(node.args[0].value, func.name):
                    self.keys.sink(value, Role.LOOKUP, index)

    def _constructed(self, node: tree.Call) -> None:
        """`Model(key, …)` and `Row(owner=key)`: what objects whose classes declare partition keys start with."""
        if not self.hashes.has_models and not self.hashes.declared:
            return
        made = [c.cls for c in self.keys.calls.callees(node) if c.cls is not None]
        starts, classes = bool(node.args) and node.args[0].keyword is None, self.keys.classes
        if starts and any(
            classes.is_pynamo(c) and not classes.is_pynamo_document(c) for c in made
        ):
            self.keys.sink(node.args[0].value, Role.WRITTEN, index=False)
        for cls in made:
            for name, index in self.hashes.of(cls):
                for argument in node.args:
                    if argument.keyword == name:
                        self.keys.sink(argument.value, Role.WRITTEN, index)

    def _condition(self, value: tree.Node, func: tree.Attr) -> bool:
        """`Key("PK").eq(…)`, `pk.startswith(…)`: whether an operator compares a key with a value."""
        if func.name not in _OPERATORS:
            return False
        name = self._condition_name(func.base)
        if name:
            if func.name == "eq":
                self.keys.bare(value, Role.LOOKUP, name)
            for one in self._several(value) if func.name == "startswith" else (value,):
                self.keys.named(one, Role.LOOKUP, name, prefix=func.name != "eq")
            return True
        begun = [one for one in self._several(value) if self.keys.starts.at(one)]
        for one in begun if func.name in _BEGINNINGS else ():
            self.keys.sink(one, Role.LOOKUP, index=False, prefix=True)
        return func.name in _BEGINNINGS and bool(begun)

    def _replaced(self, node: tree.Call, func: tree.Attr) -> bool:
        """`pk.replace(f"TENANT#{tenant_id}#OLD#", f"TENANT#{tenant_id}#NEW#")`: what keys begin with is another one; to
        replace the tenant alone is right with other segments behind it as well."""
        given = node.plain if func.name == "replace" else ()
        begun = [one for one in given if tree.text(one) is None and self.keys.starts.go_on(one)]
        for one in begun:
            self.keys.sink(one, Role.LOOKUP, index=False, prefix=True)
        return bool(begun)

    def _several(self, value: tree.Node) -> tuple[tree.Node, ...]:
        """The beginnings that `pk.startswith((NOTES, TASKS))` asks for."""
        meant = only_assigned(self.keys.names, value) or value
        return meant.items if isinstance(meant, tree.Sequence) else (value,)

    def comparison(self, left: tree.Node, right: tree.Node, module: Module) -> None:
        """`row[f"{index}pk"] == value`, `pk == f"TENANT#{tenant_id}"`: rows are looked for by a key; what
        a test compares is expected."""
        for side, other in ((left, right), (right, left)):
            held = isinstance(side, tree.Subscript | tree.Call)
            name = self._condition_name(side) if held or tree.makes_text(other) else ""
            expected = isinstance(other, tree.Const) or module.is_test
            if name and (isinstance(other, tree.Name) or not expected):
                self.keys.named(other, Role.LOOKUP, name)

    def cut(self, base: tree.Node, bounds: tuple[tree.Node, ...]) -> None:
        """`pk[len(f"TENANT#{tenant_id}#NOTE#"):]`: what a key is known to begin with."""
        for bound in bounds:
            if isinstance(bound, tree.Call) and last_name(bound.func) == "len" and bound.args:
                name = self._condition_name(base)
                if name:
                    self.keys.named(bound.args[0].value, Role.LOOKUP, name, prefix=True)

    def _constructs(self, node: tree.Call) -> bool:
        name = last_name(node.func)
        return (
            name in WRITES
            or name[:1].isupper()
            or any(c.cls for c in self.keys.calls.callees(node))
        )

    def _condition_name(self, base: tree.Node) -> str:
        """`PK` for `Key("PK")` and `Attr("pk")`, for `row["PK"]`, and for a name like `pk` itself."""
        if isinstance(base, tree.Subscript):
            return self.keys.key_name(base.index)
        if isinstance(base, tree.Call) and last_name(base.func) in _NAMING and base.args:
            return self.keys.key_name(base.args[0].value)
        name = last_name(base) if isinstance(base, tree.Name | tree.Attr) else ""
        return name if name and self.keys.policy.is_key_name(name) else ""

    def _index_query(self, node: tree.Node) -> tree.Call | None:
        """The query that an expression is part of, if it names an index."""
        parent = self.keys.names.parent(node)
        while isinstance(parent, tree.Binary):
            parent = self.keys.names.parent(parent)
        named = isinstance(parent, tree.Call) and any(
            a.keyword == "IndexName" for a in parent.args
        )
        return parent if named and isinstance(parent, tree.Call) else None

    def _equated(self, node: tree.Call, func: tree.Attr) -> str:
        """The attribute of `Key("owner").eq(…)` that a query asks a partition key for, whatever it is called: a query has
        one such condition at least, and only that of a sort key can be another one. Empty where it is none."""
        base = func.base
        if func.name != "eq" or not isinstance(base, tree.Call) or last_name(base.func) != "Key":
            return ""
        if not base.args or self.keys.key_name(base.args[0].value):
            return ""
        name = self.keys.templates.constant(base.args[0].value)
        if name is None or self.keys.policy.is_sort_key_name(name):
            return ""
        current: tree.Node = node
        parent = self.keys.names.parent(current)
        while isinstance(parent, tree.Binary) and parent.op == "&":
            if parent.right is current and _has_equation(parent.left):
                return ""
            current, parent = parent, self.keys.names.parent(parent)
        asked = isinstance(parent, tree.Call) and any(
            a.value is current and a.keyword == "KeyConditionExpression" for a in parent.args
        )
        return name if asked else ""


def _has_equation(node: tree.Node) -> bool:
    """Whether `Key("a").eq(…)` is among conditions."""
    match node:
        case tree.Binary(op="&"):
            return _has_equation(node.left) or _has_equation(node.right)
        case tree.Call(func=tree.Attr(name="eq")):
            return True
        case _:
            return False


def _first_values(node: tree.Node, method: str) -> Iterator[tree.Node]:
    """The keys that an argument of a model's method says: it, or those of a list of keys or of pairs."""
    if method != "batch_get":
        yield node
        return
    items: tuple[tree.Node, ...] = ()
    if isinstance(node, tree.Sequence):
        items = node.items
    elif isinstance(node, tree.Comprehension):
        items = node.results
    for item in items:
        yield item.items[0] if isinstance(item, tree.Sequence) and item.items else item


def _gives_back(function: Function) -> bool:
    """Whether a function gives back a dict that it makes of all that it is given by name: `wire(pk=key)`."""
    rest = any(p.kind == "**" for p in function.params)
    made = (tree.DictDisplay, tree.Comprehension)
    return rest and any(isinstance(value, made) for value in function.returns)


def _is_returned(parent: object) -> bool:
    return isinstance(parent, tree.Eval) and parent.kind == "return"
