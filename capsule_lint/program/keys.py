"""Where templates are used as keys, and what each of them lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program import partiql
from capsule_lint.program.binding import bind
from capsule_lint.program.conditions import Conditions
from capsule_lint.program.hashes import Hashes
from capsule_lint.program.model import Binding, Class, Function, Module, last_name
from capsule_lint.program.pieces import (
    Filled,
    Template,
    Text,
    hole_name,
    names_scope,
    snake,
    words,
)
from capsule_lint.program.sites import KeySite, Role
from capsule_lint.program.starts import Starts
from capsule_lint.program.types import ClassObject, Collection, Instance
from capsule_lint.program.uses import LOGGING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Policy
    from capsule_lint.program.calls import Calls
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.names import Names
    from capsule_lint.program.templates import Templates

_INDEXES: Final = ("1", "gsi1")
"""How indexes are called, or what distinguishes their names."""
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
_WRITES: Final = frozenset(
    (
        "put_item",
        "Put",
        "put",
        "Item",
        "put_record",
        "PutRequest",
        "save",
        "Attributes",
        "batch_put",
        "write",
    )
)
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
_KEYISH: Final = re.compile(r"^(?:[A-Za-z][\w-]*[#|/:]|\{\}[#|/]|[A-Z][A-Z0-9_]*$)")
_PARTS: Final = re.compile(r"\{\}(?:[_|/:.~-](?:\{\}|[A-Z][A-Z0-9_]*))+")
"""A key that is put together without `#`."""
_LIBRARIES: Final = re.compile(r"boto|aioboto|aiodynamo|pynamodb|dynam")
_PATH: Final = re.compile(r"/\w+=")
"""What stands in paths of files that are parted by values: `audit/year=2024/month=01`."""
_HELPER_NAME: Final = re.compile(
    r"(?:^|_)(?:keys?|gsi\d*|lsi\d*|index_keys?)(?:_|$)|_for_(?:key|pk)$"
)


_VERBS: Final = frozenset(
    [
        "query",
        "get",
        "fetch",
        "find",
        "load",
        "read",
        "delete",
        "remove",
        "put",
        "save",
        "write",
        "update",
        "count",
        "exists",
        "list",
        "item",
        "items",
    ]
)
_OTHER_STORES: Final = frozenset(
    [
        "cache",
        "redis",
        "memcache",
        "lock",
        "locks",
        "log",
        "logger",
        "logging",
        "metrics",
        "queue",
        "bus",
        "events",
        "sns",
        "sqs",
        "s3",
        "bucket",
        "headers",
        "environ",
    ]
)
_KEY_MAKERS: Final = frozenset(("key", "builder", "factory", "maker", "schema", "helper", "util"))
_ELSEWHERE: Final = frozenset(("cache", "redis", "memcache", "s3", "blob"))
"""Words in the names of functions that make keys of other stores."""
_MODEL_READS: Final = frozenset(("query", "get", "count", "batch_get"))


@dataclass(eq=False)
class Keys:
    """All key sites of the program."""

    names: Names
    classes: Classes
    calls: Calls
    templates: Templates
    policy: Policy
    sites: list[KeySite] = field(default_factory=list)
    helpers: set[Function] = field(default_factory=set)
    takers: set[Function] = field(default_factory=set)
    """The functions that are given whole keys, which they hand to the table."""
    """Functions whose result is used as a key."""
    _by_host: dict[int, KeySite] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)
    _near: dict[Module, bool] = field(default_factory=dict)
    """The modules, and whether they import a library for DynamoDB."""
    _hashes: Hashes = field(init=False)

    def __post_init__(self) -> None:
        self._hashes = Hashes(self.classes, self.calls)
        for module in self.names.judged():
            if not module.generated:
                self._collect(module)
        self._collect_wrapped()
        self._collect_same()
        self._find_indexes()

    def _find_indexes(self) -> None:
        """What is looked up in an index is known by what is written there, where names do not tell."""
        written = [s for s in self.sites if s.role is not Role.LOOKUP]
        forms = [(_form(s.template), s.index) for s in written]
        for site in self.sites:
            if site.role is Role.LOOKUP and not site.index:
                text = site.template.text
                found = {index for form, index in forms if form.fullmatch(text)}
                site.index = found == {True}

    @cached_property
    def functions(self) -> frozenset[Function]:
        """The functions in which key templates are written."""
        return frozenset(site.function for site in self.sites if site.function is not None)

    def at(self, host: tree.Node) -> KeySite | None:
        """The site whose template starts at an expression."""
        return self._by_host.get(id(host))

    def add(self, site: KeySite) -> None:
        """One more site."""
        self._by_host[id(site.template.host)] = site
        self.sites.append(site)

    # --- key positions ---

    def _collect(self, module: Module) -> None:
        for function in module.functions:
            self._collect_helper(function)
        conditions = Conditions(self.names, self.templates, self.policy).of(module)
        for node in module.nodes:
            match node:
                case tree.DictDisplay():
                    self._collect_dict(node, conditions)
                case tree.Call():
                    self._collect_call(node)
                case tree.Lambda():
                    self._collect_lambda(node)
                case tree.Subscript(index=tree.Other(children=children)):
                    self._collect_cut(node.base, children)
                case tree.Compare(ops=("==",), rights=(right,)):
                    self._collect_filter(node.left, right, module)
        for statement, place in module.statements:
            if isinstance(statement, tree.Assign) and statement.value is not None:
                for target in statement.targets:
                    self._collect_assignment(
                        target, statement, place.scope.cls if place.scope.kind == "class" else None
                    )

    def key_name(self, node: tree.Node | None) -> str:
        """The name of a key position that a dict key or an argument spells; empty when it is none."""
        if node is None or self.names.leaves(node):
            return ""
        text = self.templates.constant(node)
        said = [text] if text is not None else self._made_names(node)
        return next(filter(self.policy.is_key_name, said), "")

    def _made_names(self, node: tree.Node) -> list[str]:
        """What a name may be that is made for any index: `f"{index}pk"`, `f"GSI{number}PK"`."""
        if not isinstance(node, tree.FString | tree.Binary):
            return []
        pieces = self.templates.evaluate(node, node, 0) or ()
        return [
            "".join(one.value if isinstance(one, Text) else hole for one in pieces)
            for hole in _INDEXES
        ]

    def _collect_dict(
        self, node: tree.DictDisplay, conditions: dict[tuple[int, str], str]
    ) -> None:
        function = id(self.names.place(node).scope.function)
        said = [k.value if isinstance(k, tree.Const) else None for k in node.keys]
        pairs = zip(said, node.values, strict=True)
        self._collect_statement({k: v for k, v in pairs if isinstance(k, str)})
        for key, value in zip(node.keys, node.values, strict=True):
            name, role = self.key_name(key), None
            if name.startswith("#"):
                continue  # `{"#pk": "PK"}` says what an expression's name stands for
            text = tree.text(key)
            if text is not None and text.startswith(":"):
                own = text[1:] if self.policy.is_key_name(text[1:]) else ""
                name, role = conditions.get((function, text), own), Role.LOOKUP
            if name:
                role = role or self._dict_role(node)
                self._sink(value, role, self.policy.is_index_key_name(name))
                self._bare(value, role, name)

    def _dict_role(self, node: tree.Node) -> Role:
        """Written or looked up, by what the dict is part of."""
        parent_of = self.names.parent
        function = self.names.place(node).scope.function
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
                        if word in _WRITES:
                            return Role.WRITTEN
                case tree.DictDisplay():
                    for key, value in zip(parent.keys, parent.values, strict=True):
                        said = key.value if isinstance(key, tree.Const) else None
                        if value is current and said in _READS:
                            return Role.LOOKUP
                        if value is current and said in _WRITES:
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
            name for key in keys if key is not None and (name := self.templates.constant(key))
        ]
        sorts = [name for name in names if self.policy.is_sort_key_name(name)]
        return bool(sorts) and any(
            name not in sorts and not self.policy.is_key_name(name) for name in names
        )

    def _returned_role(self, function: Function) -> Role:
        if function.owner is not None and function.takes_self and not _takes_values(function):
            return Role.WRITTEN
        if re.search(r"item|record|dict|dump|serial|attributes", function.name):
            return Role.WRITTEN
        return Role.HELPER

    def _collect_assignment(
        self, target: tree.Node, statement: tree.Assign, cls: Class | None
    ) -> None:
        assert statement.value is not None
        match target:
            case tree.Subscript():
                name = self.key_name(target.index)
                if name:
                    self._sink(statement.value, Role.WRITTEN, self.policy.is_index_key_name(name))
            case tree.Attr():
                if self.policy.is_key_name(target.name):
                    self._sink(
                        statement.value, Role.WRITTEN, self.policy.is_index_key_name(target.name)
                    )
                elif target.name in ("value", "builder") and self.policy.is_key_name(
                    last_name(target.base)
                ):
                    self._sink(statement.value, Role.WRITTEN, self._is_of_index(target.base))
                elif target.name in self._hashes.declared:
                    for made in self.templates.inference.of(target.base):
                        names = (
                            dict(self._hashes.of(made.cls)) if isinstance(made, Instance) else {}
                        )
                        if target.name in names:
                            self._sink(statement.value, Role.WRITTEN, names[target.name])
            case tree.Name():
                if self.policy.is_key_name(target.id) and not self._is_only_text(
                    statement.value, target
                ):
                    role = Role.WRITTEN if cls is not None else Role.LOOKUP
                    self._sink(statement.value, role, self.policy.is_index_key_name(target.id))
            case tree.Sequence() if isinstance(statement.value, tree.Sequence):
                for one, value in zip(target.items, statement.value.items, strict=False):
                    if isinstance(one, tree.Name) and self.policy.is_key_name(one.id):
                        self._sink(value, Role.LOOKUP, self.policy.is_index_key_name(one.id))

    def _is_of_index(self, node: tree.Node) -> bool:
        """Whether `gsi1_pk`, or `gsi.partition_key`, is the key of a secondary index."""
        if self.policy.is_index_key_name(last_name(node)):
            return True
        base = last_name(node.base) if isinstance(node, tree.Attr) else ""
        return re.fullmatch(r"_*[gl]si_?\w*", base, re.IGNORECASE) is not None

    def _collect_lambda(self, node: tree.Lambda) -> None:
        """A lambda that makes a key, wherever it is kept: its text starts as the policy's keys do."""
        parent = self.names.parent(node)
        match parent:
            case tree.Call():
                names = [a.keyword or "" for a in parent.args if a.value is node]
            case tree.DictDisplay():
                pairs = zip(parent.keys, parent.values, strict=True)
                names = [str(k.value) for k, v in pairs if v is node and isinstance(k, tree.Const)]
            case tree.Assign():
                names = [last_name(target) for target in parent.targets]
            case _:
                names = []
        if any(self.policy.is_sort_key_name(name) for name in names):
            return
        if self._starts.at(node.body):
            self._sink(node.body, Role.LOOKUP, any(map(self.policy.is_index_key_name, names)))

    def _is_only_text(self, value: tree.Node, target: tree.Node) -> bool:
        """Whether what a name that sounds like a key's is given is a text to make keys of: a format,
        the name of an attribute, a constant of a module, which is a key only where it is used as one."""
        if not isinstance(value, tree.Const) or not isinstance(value.value, str):
            return False
        policy, text = self.policy, value.value
        if self.names.place(target).scope.kind == "module" or _is_pattern(value):
            return True
        return policy.is_key_name(text) or policy.is_sort_key_name(text)

    def _collect_stray(self, node: tree.Call) -> None:
        """A text that starts as the policy's keys do, given to something unknown that reads or writes:
        `db.query_items(f"TENANT#{tenant_id}#USER#{user_id}", "USER#")`."""
        if not _VERBS & set(snake(last_name(node.func)).split("_")):
            return
        given = [
            a.value
            for a in node.args
            if a.keyword is None
            and isinstance(a.value, tree.FString | tree.Binary | tree.Call | tree.Name)
            and self._starts.at(a.value)
        ]
        if not given or self.calls.callees(node) or self._is_for_others(node):
            return
        role = Role.WRITTEN if last_name(node.func) in _WRITES else Role.LOOKUP
        for value in given:
            self._sink(value, role, index=False)

    def _is_for_others(self, node: tree.Call) -> bool:
        """Whether a call is of another store's method, or of a collection's."""
        if not isinstance(node.func, tree.Attr):
            return False
        if _OTHER_STORES & set(snake(last_name(node.func.base)).split("_")):
            return True
        found = self.templates.inference.of(node.func.base)
        return any(isinstance(one, Collection) for one in found)

    def _collect_same(self) -> None:
        """A text that is the same as a key which is written, given to whatever finds things by it:
        `self.rows.by_index("gsi1", f"TENANT#{tenant_id}#USER#{user_id}")`."""
        written = {s.template.text for s in self.sites if s.role is Role.WRITTEN}
        for module in self.names.judged() if written else ():
            for call in module.each(tree.Call) if not module.is_test else ():
                for value in (argument.value for argument in call.args):
                    if (
                        isinstance(value, tree.FString | tree.Binary | tree.Name)
                        and id(value) not in self._by_host
                        and self._starts.at(value)
                        and last_name(call.func) not in LOGGING
                        and not self._is_for_others(call)
                    ) and any(t.text in written for t in self.templates.resolve(value)):
                        self._sink(value, Role.LOOKUP, index=False)

    @cached_property
    def _starts(self) -> Starts:
        return Starts(self.names, self.templates, self.policy.scopes[0].tag)

    # --- PartiQL ---

    def _collect_statement(self, arguments: dict[str, tree.Node]) -> None:
        """`Statement=…` with its `Parameters=[…]`, as arguments of a call or as a dict."""
        statement = arguments.get("Statement")
        if statement is None:
            return
        statement = self.templates.formatted.written_out(statement)
        for name, key, prefix in partiql.written(
            self.templates, statement, self.policy.is_key_name
        ):
            index = self.policy.is_index_key_name(name)
            if isinstance(key, Template):
                self._note(key, Role.LOOKUP, index, prefix)
            else:
                self._sink(key, Role.LOOKUP, index, prefix=prefix)
        template = self.templates.template(statement)
        text = template.text if template is not None else self.templates.constant(statement)
        values = (
            self.templates.formatted.written_out(arguments["Parameters"])
            if ("Parameters" in arguments)
            else None
        )
        if text is None or not isinstance(values, tree.Sequence):
            return
        for number, name, prefix in partiql.given(text, self.policy.is_key_name):
            if number < len(values.items):
                index = self.policy.is_index_key_name(name)
                self._sink(values.items[number], Role.LOOKUP, index, prefix=prefix)

    # --- PynamoDB ---

    def _collect_model(self, node: tree.Call, func: tree.Attr) -> None:
        """`Model.query(…)`, `Model.get(…)`, `Model.index.query(…)`: the first argument is a key."""
        if func.name not in _MODEL_READS or not node.args or node.args[0].keyword is not None:
            return
        if not self._hashes.has_models:
            return
        for one in self.templates.inference.of(func.base):
            if isinstance(one, ClassObject | Instance) and self.classes.is_pynamo(one.cls):
                index = self.classes.is_pynamo_index(one.cls)
                for value in _first_values(node.args[0].value, func.name):
                    self._sink(value, Role.LOOKUP, index)

    def _collect_call(self, node: tree.Call) -> None:
        func = node.func
        self._collect_statement({a.keyword: a.value for a in node.args if a.keyword is not None})
        if isinstance(func, tree.Attr):
            self._collect_model(node, func)
        made = []
        if self._hashes.has_models or self._hashes.declared:
            made = [c.cls for c in self.calls.callees(node) if c.cls is not None]
        if any(map(self.classes.is_pynamo, made)) and node.args and node.args[0].keyword is None:
            self._sink(node.args[0].value, Role.WRITTEN, index=False)
        for cls in made:
            for name, index in self._hashes.of(cls):
                for argument in node.args:
                    if argument.keyword == name:
                        self._sink(argument.value, Role.WRITTEN, index)
        if isinstance(func, tree.Attr) and func.name in _OPERATORS and node.args:
            name = self._condition_name(func.base)
            if not name and func.name in _BEGINNINGS and self._starts.at(node.args[0].value):
                self._sink(node.args[0].value, Role.LOOKUP, index=False, prefix=True)
                return
            if name and func.name == "eq":
                self._bare(node.args[0].value, Role.LOOKUP, name)
            if name:
                self._sink(
                    node.args[0].value,
                    Role.LOOKUP,
                    self.policy.is_index_key_name(name),
                    prefix=func.name != "eq",
                )
                return
        if isinstance(func, tree.Attr) and node.args and self._equated(node, func):
            self._sink(node.args[0].value, Role.LOOKUP, index=self._asks_index(node))
            return
        if last_name(func) == "setdefault" and len(node.args) == 2:
            name = self.key_name(node.args[0].value)
            if name:
                self._sink(node.args[1].value, Role.WRITTEN, self.policy.is_index_key_name(name))
        self._collect_stray(node)
        for argument in node.args:
            if argument.keyword is not None and self.policy.is_key_name(argument.keyword):
                role = Role.WRITTEN if self._constructs(node) else Role.LOOKUP
                self._sink(argument.value, role, self.policy.is_index_key_name(argument.keyword))

    def _collect_filter(self, left: tree.Node, right: tree.Node, module: Module) -> None:
        """`row[f"{index}pk"] == value`: rows are looked for by a key; what a test compares is expected."""
        for side, other in ((left, right), (right, left)):
            held = isinstance(side, tree.Subscript | tree.Call)
            name = self._condition_name(side) if held else ""
            expected = isinstance(other, tree.Const) or module.is_test
            if name and (isinstance(other, tree.Name) or not expected):
                self._sink(other, Role.LOOKUP, self.policy.is_index_key_name(name))

    def _collect_cut(self, base: tree.Node, bounds: tuple[tree.Node, ...]) -> None:
        """`pk[len(f"TENANT#{tenant_id}#NOTE#"):]`: what a key is known to begin with."""
        for bound in bounds:
            if isinstance(bound, tree.Call) and last_name(bound.func) == "len" and bound.args:
                name = self._condition_name(base)
                if name:
                    index = self.policy.is_index_key_name(name)
                    self._sink(bound.args[0].value, Role.LOOKUP, index, prefix=True)

    def _constructs(self, node: tree.Call) -> bool:
        name = last_name(node.func)
        return (
            name in _WRITES or name[:1].isupper() or any(c.cls for c in self.calls.callees(node))
        )

    def _bare(self, node: tree.Node, role: Role, name: str) -> None:
        """A key that is a scope's value and nothing else: `Key={"PK": tenant_id}`."""
        if isinstance(node, tree.DictDisplay) and len(node.values) == 1:
            node = node.values[0]
        node = self.templates.formatted.written_out(node)
        if id(node) in self._by_host or not isinstance(node, tree.Name | tree.Attr):
            return
        if self.templates.resolve(node) or any(True for _ in self.helpers_in(node)):
            return
        known = hole_name(node)
        if any(names_scope(known, scope) for scope in self.policy.scopes):
            template = Template(node, (Filled(node, node, known),))
            self._note(template, role, self.policy.is_index_key_name(name), prefix=False)

    def _condition_name(self, base: tree.Node) -> str:
        """`PK` for `Key("PK")` and `Attr("pk")`, for `row["PK"]`, and for a name like `pk` itself."""
        if isinstance(base, tree.Subscript):
            return self.key_name(base.index)
        if isinstance(base, tree.Call) and last_name(base.func) == "get" and base.args:
            return self.key_name(base.args[0].value)
        if isinstance(base, tree.Call) and last_name(base.func) in ("Key", "Attr") and base.args:
            return self.key_name(base.args[0].value)
        name = (
            base.id
            if isinstance(base, tree.Name)
            else base.name
            if isinstance(base, tree.Attr)
            else ""
        )
        return name if name and self.policy.is_key_name(name) else ""

    def _collect_helper(self, function: Function) -> None:
        if function.name.startswith("test"):
            return
        named = self.policy.is_key_name(function.name)
        known = named or _HELPER_NAME.search(snake(function.name)) is not None
        if not known and not self._is_among_keys(function):
            return
        if self.policy.is_sort_key_name(function.name):
            return
        if not named and _ELSEWHERE & set(snake(function.name).split("_")):
            return  # a key of something else, unless it is used as one of the table
        if self.templates.called.is_generic(function):
            return
        index = self.policy.is_index_key_name(function.name) or "gsi" in function.name
        for value in function.returns:
            if isinstance(value, tree.Sequence) and value.kind == "tuple" and value.items:
                first = value.items[0]
                if self._strings(first):
                    self._sink(first, Role.HELPER, index)
            elif not known and not self._has_scope(value):
                continue  # `Keys.room_row(room_id)` may be a sort key
            elif (named or self._keyish(value)) and not _is_item(value):
                self._sink(value, Role.HELPER, index)

    def _is_among_keys(self, function: Function) -> bool:
        """Whether the class or the module of a function is one of keys: `Keys.room(tenant_id, room_id)`."""
        owner, module = function.owner, function.module.name.rpartition(".")[2]
        said = words(owner.name if owner is not None else module)
        return "key" in said and said[-1] in _KEY_MAKERS

    def _has_scope(self, node: tree.Node) -> bool:
        """Whether a text has a scope in it."""
        segments = self.templates.segments
        return any(any(segments(t.pieces)) for t in self.templates.resolve(node))

    def _strings(self, node: tree.Node) -> bool:
        return any(t.has_text and _KEYISH.match(t.text) for t in self.templates.resolve(node))

    def _keyish(self, node: tree.Node) -> bool:
        return any("#" in t.text for t in self.templates.resolve(node))

    def _collect_wrapped(self) -> None:
        """Arguments that fill a parameter named like a key: `query_items(f"…", "USER#")`."""
        for module in self.names.modules.values():
            for function in module.functions:
                if any(self.policy.is_key_name(p.name) for p in function.own_params):
                    self._collect_arguments(function)
        for cls in self.classes.having(self.policy.is_key_name):
            if self.classes.is_data(cls):
                self._collect_fields(cls)

    def _collect_arguments(self, function: Function) -> None:
        for call, callee in list(self.calls.callers(function)):
            bound = bind(call.args, function.params, callee.given)
            for name, argument in bound.arguments.items() if bound else ():
                if self.policy.is_key_name(name) and argument.keyword is None:
                    role = Role.WRITTEN if callee.cls is not None else Role.LOOKUP
                    self._sink(argument.value, role, self.policy.is_index_key_name(name))

    def _collect_fields(self, cls: Class) -> None:
        params = self.classes.constructor(cls) or ()
        if not any(self.policy.is_key_name(p.name) for p in params):
            return
        for call, _ in list(self.calls.constructors_of(cls)):
            bound = bind(call.args, params)
            for name, argument in bound.arguments.items() if bound else ():
                if self.policy.is_key_name(name) and argument.keyword is None:
                    self._sink(argument.value, Role.WRITTEN, self.policy.is_index_key_name(name))

    # --- sites ---

    def _sink(self, node: tree.Node, role: Role, index: bool, *, prefix: bool = False) -> None:
        if id(node) in self._seen and id(node) not in self._by_host:
            return
        self._seen.add(id(node))
        for template in self.templates.resolve(node):
            self._note(template, role, index, prefix)
        for function in self.helpers_in(node):
            self._note_helper(function, index)
            own = self.names.place(node).scope.function
            if role is Role.HELPER and own is not None:
                self.helpers.add(own)
        if isinstance(node, tree.Name):
            for binding in self.names.bindings(node.id, self.names.place(node)):
                if binding.parameter is not None and not self.policy.is_key_name(node.id):
                    self._passed_on(binding, role, index, prefix=prefix)

    def _passed_on(self, binding: Binding, role: Role, index: bool, *, prefix: bool) -> None:
        """A parameter that becomes a key, whatever it is called: what callers give for it is one."""
        function, parameter = binding.place.scope.function, binding.parameter
        if function is None or parameter not in function.params or id(parameter) in self._seen:
            return
        self._seen.add(id(parameter))
        members = dict.fromkeys((*self.calls.family(function), *self._demanded(function)))
        for member in sorted(members, key=lambda f: f.symbol):
            own = member.params[function.params.index(parameter) :][:1]
            for _, argument in list(self.calls.arguments_for(member, own[0].name)) if own else ():
                self._sink(argument.value, role, index, prefix=prefix)
                if self._starts.at(argument.value):
                    self.takers.update(members)

    def _demanded(self, function: Function) -> Iterator[Function]:
        """The methods of Protocols that one may stand in for, though nothing shows it: what is given to
        them may be given to it."""
        for cls in self.classes.owning(function.name) if function.owner is not None else ():
            demanded = cls.methods[function.name]
            same = [p.name for p in demanded.params] == [p.name for p in function.params]
            if same and function.owner is not None and self.classes.fits(function.owner, cls):
                yield demanded

    def _note(self, template: Template, role: Role, index: bool, prefix: bool) -> None:
        hosts = {id(piece.host): piece.host for piece in template.pieces}
        hosts[id(template.host)] = template.host
        for host in hosts.values():
            # Parts that are built before in a local are reported where they are written.
            if host is not template.host and not self._is_local(host, template.host):
                continue
            if id(host) in self._by_host:
                known = self._by_host[id(host)]
                if known.role is Role.LOOKUP and role is Role.WRITTEN:
                    known.role = role
                continue
            if host is not template.host:
                continue
            place = self.names.place(host)
            if not self._qualifies(template):
                if role is Role.HELPER or not self._is_of_parts(template, place.scope.module):
                    continue
                template = replace(template, opaque=True)  # nothing says how a segment is set off
            function = place.scope.function
            if function is not None and role is not Role.HELPER and function in self.helpers:
                role = Role.HELPER
            site = KeySite(template, place.scope.module, function, role, index, prefix)
            self.add(site)
            if role is Role.HELPER and function is not None:
                self.helpers.add(function)

    def _is_local(self, host: tree.Node, other: tree.Node) -> bool:
        return self.names.place(host).scope.function is self.names.place(other).scope.function

    def _qualifies(self, template: Template) -> bool:
        """Whether a template looks like a key at all."""
        text = template.text
        if self.templates.segments(template.pieces):
            return True
        whole = len(template.pieces) == 1
        if whole and isinstance(template.pieces[0], Filled):
            return False
        if whole and (self.policy.is_key_name(text) or self.policy.is_sort_key_name(text)):
            return False  # the name of an attribute: `pk_name="GSI1PK"`
        if _PATH.search(text):
            return False
        return bool(_KEYISH.match(text)) or ("#" in text and not text.startswith("#"))

    def _asks_index(self, node: tree.Node) -> bool:
        """Whether the query that an expression is part of names an index."""
        parent = self.names.parent(node)
        while isinstance(parent, tree.Binary):
            parent = self.names.parent(parent)
        return isinstance(parent, tree.Call) and any(a.keyword == "IndexName" for a in parent.args)

    def _is_of_parts(self, template: Template, module: Module) -> bool:
        """Whether a template puts values together, as `f"{order_id}_{kind}"`, where the table is near."""
        if not _PARTS.fullmatch(template.text):
            return False
        if module not in self._near:
            names = [one.module for statement, _ in module.imports for one in statement.names]
            self._near[module] = any(map(_LIBRARIES.match, names))
        return self._near[module]

    def _equated(self, node: tree.Call, func: tree.Attr) -> bool:
        """Whether `Key("owner").eq(…)` is what a query asks a partition key for, whatever it is called:
        a query has one such condition at least, and only that of a sort key can be another one."""
        base = func.base
        if func.name != "eq" or not isinstance(base, tree.Call) or last_name(base.func) != "Key":
            return False
        if not base.args or self.key_name(base.args[0].value):
            return False
        name = self.templates.constant(base.args[0].value)
        if name is None or self.policy.is_sort_key_name(name):
            return False
        current: tree.Node = node
        parent = self.names.parent(current)
        while isinstance(parent, tree.Binary) and parent.op == "&":
            if parent.right is current and _has_equation(parent.left):
                return False
            current, parent = parent, self.names.parent(parent)
        return isinstance(parent, tree.Call) and any(
            a.value is current and a.keyword == "KeyConditionExpression" for a in parent.args
        )

    def helpers_in(self, node: tree.Node, depth: int = 0) -> Iterator[Function]:
        """The functions whose result is the key at `node`."""
        if depth > 6:
            return
        match node:
            case tree.Call() if (inner := self.templates.wrapped(node)) is not None:
                yield from self.helpers_in(inner, depth + 1)
            case tree.Call():
                if self.templates.template(node) is not None:
                    return
                for callee in self.calls.callees(node):
                    if callee.function is not None and callee.cls is None:
                        yield callee.function
            case tree.Attr():
                for one in self.templates.inference.of(node.base):
                    cls = getattr(one, "cls", None)
                    method = (
                        self.classes.method(cls, node.name)
                        if isinstance(cls, Class) and not isinstance(one, ClassObject)
                        else None
                    )
                    if method is not None and method.is_property:
                        yield method
            case tree.Name():
                for binding in self.names.bindings(node.id, self.names.place(node)):
                    if (
                        binding.kind == "assign"
                        and binding.value is not None
                        and (not binding.path or binding.path == (0,))
                    ):
                        yield from self.helpers_in(binding.value, depth + 1)
            case tree.Conditional():
                yield from self.helpers_in(node.then, depth + 1)
                yield from self.helpers_in(node.otherwise, depth + 1)
            case tree.Subscript() if self.key_name(node.index) or (
                isinstance(node.index, tree.Const) and node.index.value == 0
            ):
                yield from self.helpers_in(node.base, depth + 1)
            case tree.DictDisplay(keys=(tree.Const(value="S"),)):
                yield from self.helpers_in(node.values[0], depth + 1)

    def _note_helper(self, function: Function, index: bool) -> None:
        if (
            function in self.helpers
            or function.module.generated
            or self.templates.called.is_generic(function)
        ):
            return
        for member in self.calls.family(function):
            self.helpers.add(member)
            for value in member.returns:
                first = (
                    value.items[0]
                    if isinstance(value, tree.Sequence) and value.kind == "tuple" and value.items
                    else value
                )
                if not _is_item(first):
                    self._sink(
                        first, Role.HELPER, index or self.policy.is_index_key_name(member.name)
                    )


def _is_item(node: tree.Node) -> bool:
    """Whether a dict is written out that is no typed value, `{"S": "TENANT#t"}`."""
    if not isinstance(node, tree.DictDisplay):
        return False
    return len(node.keys) != 1 or tree.text(node.keys[0]) != "S"


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


def _form(template: Template) -> re.Pattern[str]:
    """What the texts of keys of a template look like."""
    parts = [re.escape(p.value) if isinstance(p, Text) else ".+?" for p in template.pieces]
    return re.compile("".join(parts), re.DOTALL)


def _is_pattern(node: tree.Node) -> bool:
    """Whether a constant is a text that `.format` or `%` fills elsewhere."""
    return (
        isinstance(node, tree.Const)
        and isinstance(node.value, str)
        and re.search(r"\{\w*\}|%s|%\(", node.value) is not None
    )


def _takes_values(function: Function) -> bool:
    return bool(function.own_params)
