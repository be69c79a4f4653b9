"""Where keys stand: items, conditions, arguments of a table's operations, attributes of models, PartiQL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program import partiql
from capsule_lint.program.conditions import Conditions
from capsule_lint.program.hashes import Hashes
from capsule_lint.program.model import Class, Function, Module, last_name
from capsule_lint.program.pieces import Filled, Template, hole_name, names_scope
from capsule_lint.program.sites import WRITES, Role
from capsule_lint.program.types import ClassObject, Instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.keys import Keys
    from capsule_lint.program.makers import Makers
    from capsule_lint.program.strays import Strays

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
_READS: Final = frozenset(
    [
        "get_item",
        "delete_item",
        "update_item",
        "query",
        "Key",
        "Keys",
        "Delete",
        "Update",
        "ConditionCheck",
        "Get",
        "DeleteRequest",
        "batch_get_item",
        "get",
        "delete",
        "update",
        "ExpressionAttributeValues",
        "ExclusiveStartKey",
        "LastEvaluatedKey",
        "query_items",
    ]
)
_MODEL_READS: Final = frozenset(("query", "get", "count", "batch_get"))


@dataclass(eq=False)
class Positions:
    """Finds the places of a module."""

    keys: Keys
    makers: Makers
    strays: Strays
    _hashes: Hashes = field(init=False)

    def __post_init__(self) -> None:
        self._hashes = Hashes(self.keys.classes, self.keys.calls)

    def collect(self, module: Module) -> None:
        """Give `keys` what stands in a module."""
        for function in module.functions:
            self.makers.helper(function)
        conditions = Conditions(self.keys.names, self.keys.templates, self.keys.policy).of(module)
        for node in module.nodes:
            match node:
                case tree.DictDisplay():
                    self._dict(node, conditions)
                case tree.Call():
                    self._call(node)
                case tree.Lambda():
                    self.strays.in_lambda(node)
                case tree.Subscript(index=tree.Other(children=children)):
                    self._cut(node.base, children)
                case tree.Compare(ops=("==",), rights=(right,)):
                    self._filter(node.left, right, module)
        for statement, place in module.statements:
            if isinstance(statement, tree.Assign) and statement.value is not None:
                for target in statement.targets:
                    self._assignment(
                        target, statement, place.scope.cls if place.scope.kind == "class" else None
                    )

    def _dict(self, node: tree.DictDisplay, conditions: dict[tuple[int, str], str]) -> None:
        function = id(self.keys.names.place(node).scope.function)
        said = [k.value if isinstance(k, tree.Const) else None for k in node.keys]
        pairs = zip(said, node.values, strict=True)
        self._partiql({k: v for k, v in pairs if isinstance(k, str)})
        for key, value in zip(node.keys, node.values, strict=True):
            name, role = self.keys.key_name(key), None
            if name.startswith("#"):
                continue  # `{"#pk": "PK"}` says what an expression's name stands for
            text = tree.text(key)
            if text is not None and text.startswith(":"):
                own = text[1:] if self.keys.policy.is_key_name(text[1:]) else ""
                name, role = conditions.get((function, text), own), Role.LOOKUP
            if name:
                role = role or self.dict_role(node)
                self.keys.sink(value, role, self.keys.policy.is_index_key_name(name))
                self._bare(value, role, name)

    def dict_role(self, node: tree.Node) -> Role:
        """Written or looked up, by what the dict is part of."""
        parent_of = self.keys.names.parent
        function = self.keys.names.place(node).scope.function
        current: object = node
        for _ in range(8):
            parent = parent_of(current)
            match parent:
                case tree.Call():
                    keyword = next(
                        (a.keyword for a in parent.args if a.value is current and a.keyword), None
                    )
                    for word in (keyword, last_name(parent.func)):
                        if word in _READS:
                            return Role.LOOKUP
                        if word in WRITES:
                            return Role.WRITTEN
                case tree.DictDisplay():
                    for key, value in zip(parent.keys, parent.values, strict=True):
                        said = key.value if isinstance(key, tree.Const) else None
                        if value is current and said in _READS:
                            return Role.LOOKUP
                        if value is current and said in WRITES:
                            return Role.WRITTEN
                case tree.Eval() if parent.kind == "return" and function is not None:
                    return self._returned_role(function)
                case tree.Assign():
                    name = last_name(parent.targets[0])
                    if function is not None and any(
                        last_name(r) == name for r in function.returns
                    ):
                        return self._returned_role(function)
                    name = name.lower()
                    written = name in ("item", "record", "data", "row", "attrs")
                    return Role.WRITTEN if written or self._is_row(node) else Role.LOOKUP
                case None:
                    break
            current = parent
        return Role.WRITTEN if self._is_row(node) else Role.LOOKUP

    def _is_row(self, node: tree.Node) -> bool:
        """Whether a dict has a sort key and more: what is looked up has nothing but its keys."""
        keys = node.keys if isinstance(node, tree.DictDisplay) else ()
        names = [
            name for key in keys if key is not None and (name := self.keys.templates.constant(key))
        ]
        sorts = [name for name in names if self.keys.policy.is_sort_key_name(name)]
        return bool(sorts) and any(
            name not in sorts and not self.keys.policy.is_key_name(name) for name in names
        )

    def _returned_role(self, function: Function) -> Role:
        if function.owner is not None and function.takes_self and not _takes_values(function):
            return Role.WRITTEN
        if re.search(r"item|record|dict|dump|serial|attributes", function.name):
            return Role.WRITTEN
        return Role.HELPER

    def _assignment(self, target: tree.Node, statement: tree.Assign, cls: Class | None) -> None:
        assert statement.value is not None
        match target:
            case tree.Subscript():
                name = self.keys.key_name(target.index)
                if name:
                    self.keys.sink(
                        statement.value, Role.WRITTEN, self.keys.policy.is_index_key_name(name)
                    )
            case tree.Attr():
                if self.keys.policy.is_key_name(target.name):
                    self.keys.sink(
                        statement.value,
                        Role.WRITTEN,
                        self.keys.policy.is_index_key_name(target.name),
                    )
                elif target.name in ("value", "builder") and self.keys.policy.is_key_name(
                    last_name(target.base)
                ):
                    self.keys.sink(statement.value, Role.WRITTEN, self._is_of_index(target.base))
                elif target.name in self._hashes.declared:
                    for made in self.keys.templates.inference.of(target.base):
                        names = (
                            dict(self._hashes.of(made.cls)) if isinstance(made, Instance) else {}
                        )
                        if target.name in names:
                            self.keys.sink(statement.value, Role.WRITTEN, names[target.name])
            case tree.Name():
                if self.keys.policy.is_key_name(target.id) and not self._is_only_text(
                    statement.value, target
                ):
                    role = Role.WRITTEN if cls is not None else Role.LOOKUP
                    self.keys.sink(
                        statement.value, role, self.keys.policy.is_index_key_name(target.id)
                    )
            case tree.Sequence() if isinstance(statement.value, tree.Sequence):
                for one, value in zip(target.items, statement.value.items, strict=False):
                    if isinstance(one, tree.Name) and self.keys.policy.is_key_name(one.id):
                        self.keys.sink(
                            value, Role.LOOKUP, self.keys.policy.is_index_key_name(one.id)
                        )

    def _is_of_index(self, node: tree.Node) -> bool:
        """Whether `gsi1_pk`, or `gsi.partition_key`, is the key of a secondary index."""
        if self.keys.policy.is_index_key_name(last_name(node)):
            return True
        base = last_name(node.base) if isinstance(node, tree.Attr) else ""
        return re.fullmatch(r"_*[gl]si_?\w*", base, re.IGNORECASE) is not None

    def _is_only_text(self, value: tree.Node, target: tree.Node) -> bool:
        """Whether what a name that sounds like a key's is given is a text to make keys of: a format,
        the name of an attribute, a constant of a module, which is a key only where it is used as one."""
        if not isinstance(value, tree.Const) or not isinstance(value.value, str):
            return False
        policy, text = self.keys.policy, value.value
        if self.keys.names.place(target).scope.kind == "module" or _is_pattern(value):
            return True
        return policy.is_key_name(text) or policy.is_sort_key_name(text)

    def _partiql(self, arguments: dict[str, tree.Node]) -> None:
        """`Statement=…` with its `Parameters=[…]`, as arguments of a call or as a dict."""
        statement = arguments.get("Statement")
        if statement is None:
            return
        statement = self.keys.templates.formatted.written_out(statement)
        for name, key, prefix in partiql.written(
            self.keys.templates, statement, self.keys.policy.is_key_name
        ):
            index = self.keys.policy.is_index_key_name(name)
            if isinstance(key, Template):
                self.keys.note(key, Role.LOOKUP, index, prefix)
            else:
                self.keys.sink(key, Role.LOOKUP, index, prefix=prefix)
        template = self.keys.templates.template(statement)
        text = template.text if template is not None else self.keys.templates.constant(statement)
        values = (
            self.keys.templates.formatted.written_out(arguments["Parameters"])
            if ("Parameters" in arguments)
            else None
        )
        if text is None or not isinstance(values, tree.Sequence):
            return
        for number, name, prefix in partiql.given(text, self.keys.policy.is_key_name):
            if number < len(values.items):
                index = self.keys.policy.is_index_key_name(name)
                self.keys.sink(values.items[number], Role.LOOKUP, index, prefix=prefix)

    def _model(self, node: tree.Call, func: tree.Attr) -> None:
        """`Model.query(…)`, `Model.get(…)`, `Model.index.query(…)`: the first argument is a key."""
        if func.name not in _MODEL_READS or not node.args or node.args[0].keyword is not None:
            return
        if not self._hashes.has_models:
            return
        for one in self.keys.templates.inference.of(func.base):
            if isinstance(one, ClassObject | Instance) and self.keys.classes.is_pynamo(one.cls):
                index = self.keys.classes.is_pynamo_index(one.cls)
                for value in _first_values(node.args[0].value, func.name):
                    self.keys.sink(value, Role.LOOKUP, index)

    def _call(self, node: tree.Call) -> None:
        func = node.func
        self._partiql({a.keyword: a.value for a in node.args if a.keyword is not None})
        if isinstance(func, tree.Attr):
            self._model(node, func)
        made = []
        if self._hashes.has_models or self._hashes.declared:
            made = [c.cls for c in self.keys.calls.callees(node) if c.cls is not None]
        if (
            any(map(self.keys.classes.is_pynamo, made))
            and node.args
            and node.args[0].keyword is None
        ):
            self.keys.sink(node.args[0].value, Role.WRITTEN, index=False)
        for cls in made:
            for name, index in self._hashes.of(cls):
                for argument in node.args:
                    if argument.keyword == name:
                        self.keys.sink(argument.value, Role.WRITTEN, index)
        if isinstance(func, tree.Attr) and func.name in _OPERATORS and node.args:
            name = self._condition_name(func.base)
            if not name and func.name in _BEGINNINGS and self.keys.starts.at(node.args[0].value):
                self.keys.sink(node.args[0].value, Role.LOOKUP, index=False, prefix=True)
                return
            if name and func.name == "eq":
                self._bare(node.args[0].value, Role.LOOKUP, name)
            if name:
                self.keys.sink(
                    node.args[0].value,
                    Role.LOOKUP,
                    self.keys.policy.is_index_key_name(name),
                    prefix=func.name != "eq",
                )
                return
        if isinstance(func, tree.Attr) and node.args and self._equated(node, func):
            self.keys.sink(node.args[0].value, Role.LOOKUP, index=self._asks_index(node))
            return
        if last_name(func) == "setdefault" and len(node.args) == 2:
            name = self.keys.key_name(node.args[0].value)
            if name:
                self.keys.sink(
                    node.args[1].value, Role.WRITTEN, self.keys.policy.is_index_key_name(name)
                )
        self.strays.given(node)
        for argument in node.args:
            if argument.keyword is not None and self.keys.policy.is_key_name(argument.keyword):
                role = Role.WRITTEN if self._constructs(node) else Role.LOOKUP
                self.keys.sink(
                    argument.value, role, self.keys.policy.is_index_key_name(argument.keyword)
                )

    def _filter(self, left: tree.Node, right: tree.Node, module: Module) -> None:
        """`row[f"{index}pk"] == value`, `pk == f"TENANT#{tenant_id}"`: rows are looked for by a key; what
        a test compares is expected."""
        for side, other in ((left, right), (right, left)):
            held = isinstance(side, tree.Subscript | tree.Call)
            made = isinstance(other, tree.FString | tree.Binary)
            name = self._condition_name(side) if held or made else ""
            expected = isinstance(other, tree.Const) or module.is_test
            if name and (isinstance(other, tree.Name) or not expected):
                self.keys.sink(other, Role.LOOKUP, self.keys.policy.is_index_key_name(name))

    def _cut(self, base: tree.Node, bounds: tuple[tree.Node, ...]) -> None:
        """`pk[len(f"TENANT#{tenant_id}#NOTE#"):]`: what a key is known to begin with."""
        for bound in bounds:
            if isinstance(bound, tree.Call) and last_name(bound.func) == "len" and bound.args:
                name = self._condition_name(base)
                if name:
                    index = self.keys.policy.is_index_key_name(name)
                    self.keys.sink(bound.args[0].value, Role.LOOKUP, index, prefix=True)

    def _constructs(self, node: tree.Call) -> bool:
        name = last_name(node.func)
        return (
            name in WRITES
            or name[:1].isupper()
            or any(c.cls for c in self.keys.calls.callees(node))
        )

    def _bare(self, node: tree.Node, role: Role, name: str) -> None:
        """A key that is a scope's value and nothing else: `Key={"PK": tenant_id}`."""
        if isinstance(node, tree.DictDisplay) and len(node.values) == 1:
            node = node.values[0]
        node = self.keys.templates.formatted.written_out(node)
        if self.keys.at(node) is not None or not isinstance(node, tree.Name | tree.Attr):
            return
        if self.keys.templates.resolve(node) or any(True for _ in self.keys.helpers_in(node)):
            return
        known = hole_name(node)
        if any(names_scope(known, scope) for scope in self.keys.policy.scopes):
            template = Template(node, (Filled(node, node, known),))
            self.keys.note(template, role, self.keys.policy.is_index_key_name(name), prefix=False)

    def _condition_name(self, base: tree.Node) -> str:
        """`PK` for `Key("PK")` and `Attr("pk")`, for `row["PK"]`, and for a name like `pk` itself."""
        if isinstance(base, tree.Subscript):
            return self.keys.key_name(base.index)
        if isinstance(base, tree.Call) and last_name(base.func) == "get" and base.args:
            return self.keys.key_name(base.args[0].value)
        if isinstance(base, tree.Call) and last_name(base.func) in ("Key", "Attr") and base.args:
            return self.keys.key_name(base.args[0].value)
        name = (
            base.id
            if isinstance(base, tree.Name)
            else base.name
            if isinstance(base, tree.Attr)
            else ""
        )
        return name if name and self.keys.policy.is_key_name(name) else ""

    def _asks_index(self, node: tree.Node) -> bool:
        """Whether the query that an expression is part of names an index."""
        parent = self.keys.names.parent(node)
        while isinstance(parent, tree.Binary):
            parent = self.keys.names.parent(parent)
        return isinstance(parent, tree.Call) and any(a.keyword == "IndexName" for a in parent.args)

    def _equated(self, node: tree.Call, func: tree.Attr) -> bool:
        """Whether `Key("owner").eq(…)` is what a query asks a partition key for, whatever it is called:
        a query has one such condition at least, and only that of a sort key can be another one."""
        base = func.base
        if func.name != "eq" or not isinstance(base, tree.Call) or last_name(base.func) != "Key":
            return False
        if not base.args or self.keys.key_name(base.args[0].value):
            return False
        name = self.keys.templates.constant(base.args[0].value)
        if name is None or self.keys.policy.is_sort_key_name(name):
            return False
        current: tree.Node = node
        parent = self.keys.names.parent(current)
        while isinstance(parent, tree.Binary) and parent.op == "&":
            if parent.right is current and _has_equation(parent.left):
                return False
            current, parent = parent, self.keys.names.parent(parent)
        return isinstance(parent, tree.Call) and any(
            a.value is current and a.keyword == "KeyConditionExpression" for a in parent.args
        )


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


def _is_pattern(node: tree.Node) -> bool:
    """Whether a constant is a text that `.format` or `%` fills elsewhere."""
    return (
        isinstance(node, tree.Const)
        and isinstance(node.value, str)
        and re.search(r"\{\w*\}|%s|%\(", node.value) is not None
    )


def _takes_values(function: Function) -> bool:
    return bool(function.own_params)
