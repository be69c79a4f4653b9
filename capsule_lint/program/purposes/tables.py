"""Where a program calls the operations of a DynamoDB table."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.bases import last_name_of
from capsule_lint.program.calling.passing import handed_on
from capsule_lint.program.inference.types import ClassObject, Foreign, Instance
from capsule_lint.program.local_names import made_of
from capsule_lint.program.model import Class, Function, Module, Place, last_name, owner_of
from capsule_lint.program.module_words import imported, read_in
from capsule_lint.program.purposes.elsewhere import asks_elsewhere, is_of_others
from capsule_lint.program.texts.pieces import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.calling.calls import Calls
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.names import Names
    from capsule_lint.program.places.keys import Keys

COMMON: Final = frozenset(("query", "scan", "paginate"))
"""Operations whose names others have as well: a database, a network."""
SHORT: Final = frozenset(("get_item", "put_item", "delete_item", "update_item"))
"""Operations whose names a list or a shop may have; a client of DynamoDB's wants keywords there."""
LONG: Final = frozenset(
    [
        "batch_get_item",
        "batch_write_item",
        "transact_write_items",
        "transact_get_items",
        "batch_writer",
    ]
)
"""Operations that nothing else is called."""
ASKED: Final = frozenset(
    [
        "KeyConditionExpression",
        "FilterExpression",
        "ExpressionAttributeValues",
        "UpdateExpression",
        "IndexName",
        "Key",
        "Item",
        "RequestItems",
        "TransactItems",
    ]
)
"""Keywords that say what a table is asked for."""
MAPPED: Final = ("get", "count", "save", "delete", "update", "refresh", "batch_get", "batch_write")
"""Operations of a mapper's models, beside those that are called alike: `Order.get(order_id)`."""
OPERATIONS: Final = COMMON | SHORT | LONG
_DYNAMO: Final = re.compile(r"(?<!torch)(?<!torch\._)dynamo|(?<![a-z0-9])ddb", re.IGNORECASE)
"""What is named after DynamoDB, and not after the compiler of PyTorch, which is a dynamo as well."""
_SPEAKS: Final = re.compile(
    rf"boto|{_DYNAMO.pattern}|ddb|(?<![a-z])aws|get_paginator", re.IGNORECASE
)
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TABLES: Final = frozenset(("table", "dynamo", "dynamodb", "ddb"))
_DATABASES: Final = frozenset(("session", "engine", "cursor", "conn", "connection"))
"""What has a `query` of its own; where its type is not known, it is no table."""
_NOWHERE: Final = frozenset(
    [
        "None",
        "builtins",
        "collection",
        "exception",
        "fixture",
        "framework",
        "function",
        "key",
        "mock",
        "partial",
        "super",
        "value",
    ]
)
"""What inference calls values of which it knows no origin."""


def is_table(name: str) -> bool:
    """Whether something of that name is a table: `orders_table`, `self._dynamodb`."""
    return not _TABLES.isdisjoint(words(name))


def speaks(word: str) -> bool:
    """Whether a name is about DynamoDB: `boto3`, `ddbClient`."""
    return _SPEAKS.search(_CAPITAL.sub("_", word)) is not None


def stands_in(cls: Class) -> bool:
    """Whether a class mimics boto3's table or client: an operation takes `Key=`, `Item=` or anything."""
    operations = [cls.methods[n] for n in OPERATIONS if n in cls.methods]
    given = [p for method in operations for p in method.own_params]
    return any(p.name[:1].isupper() for p in given) or any(
        all(p.kind == "**" for p in method.own_params) and method.own_params
        for method in operations
    )


@dataclass(eq=False, slots=True)
class Tables:
    """Finds the functions that call the table."""

    names: Names
    inference: Inference
    calls: Calls
    keys: Keys
    sure: bool = False
    """Whether one of the calls, or the module around it, says that this is about DynamoDB."""
    _having: set[Module] = field(init=False)
    """The modules in which keys are made."""
    _speaking: dict[Module, bool] = field(default_factory=dict)
    """The modules that are asked for, and whether they are about items."""
    _handed_on: dict[str, list[tuple[tree.Call, tree.Attr]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """The calls by which a thread or an executor is given an operation to call, by its name."""

    def __post_init__(self) -> None:
        self._having = {site.module for site in self.keys.sites}
        for call, func in handed_on(self.calls.uses, OPERATIONS):
            self._handed_on[func.name].append((call, func))

    def find(self) -> set[Function]:
        """The functions that call the table themselves, in functions inside of them that they run, or through a
        function of a table call's name."""
        return {one for function in self._find() for one in self.names.running(function)}

    def _find(self) -> set[Function]:
        found = {function for name in LONG for _, _, function in self._calls(name)}
        self.sure = bool(found)
        for name in SHORT:
            for call, func, function in self._calls(name):
                place = self.names.place(call)
                if self._is_sure(call, func) or (
                    self._is_about_items(place) and not asks_elsewhere(call)
                ):
                    found.add(function)
                    self.sure = self.sure or self._shows(call, func)
        if any(map(self._is_model, self.inference.classes.all)):
            self.sure = True
            found.update(self._through_models())
        modules = self.names.modules.values()
        defined = {function.name for module in modules for function in module.functions}
        wrapped: list[tuple[Function, list[Function]]] = []
        for name in sorted(COMMON):
            for call, func, function in self._calls(name):
                callees = self.calls.callees(call) if name in defined else []
                own = [c.function for c in callees if c.function is not None and not c.mock]
                if (not own and self._is_of_table(call, func)) or any(
                    f.owner is not None and _is_table(f.owner) for f in own
                ):
                    found.add(function)
                    self.sure = self.sure or self._shows(call, func)
                elif own:
                    wrapped.append((function, own))
        before = -1
        while before != len(found):
            before = len(found)
            for function, own in wrapped:
                if any(f in found for one in own for f in self.calls.families.of(one)):
                    found.add(function)
        return found | self._through_wrappers(found)

    def _through_wrappers(self, found: set[Function]) -> set[Function]:
        """The functions that say what the table is asked for, `query_all(KeyConditionExpression=…)`, to functions outside
        of classes that hand on whatever keywords they are given."""
        asking, queue = set[Function](), [one for one in found if self._hands_on(one)]
        seen = set(queue)
        while queue:
            with self.names.aside():  # who asks for a key has it
                calls = list(self.calls.callers(queue.pop()))
            for call, _ in calls:
                caller = self.names.function_of(call)
                if caller is None:
                    continue
                if any(a.keyword in ASKED for a in call.args):
                    asking.add(caller)
                if call.spread and self._hands_on(caller) and caller not in seen:
                    seen.add(caller)
                    queue.append(caller)
        return asking

    def _hands_on(self, function: Function) -> bool:
        """Whether a function outside of classes gives a call whatever keywords it is given."""
        taken = {p.name for p in function.params if p.kind == "**"}
        if function.owner is not None or not taken:
            return False
        calls = (one for one in self.names.inside(function) if isinstance(one, tree.Call))
        handed = (
            made for call in calls for one in call.spread for made in made_of(self.names, one)
        )
        return any(isinstance(one, tree.Name) and one.id in taken for one in handed)

    def _through_models(self) -> Iterator[Function]:
        """The functions that load or write a model of PynamoDB's, or one that they have in a local."""
        for name in MAPPED:
            for _, func, function in self._calls(name):
                if isinstance(func.base, tree.Name) and not self._is_model(function.owner):
                    found = self.inference.of(func.base)
                    if any(
                        isinstance(one, Instance | ClassObject) and self._is_model(one.cls)
                        for one in found
                    ):
                        yield function

    def _is_model(self, cls: Class | None) -> bool:
        """Whether a class is a model of PynamoDB's, and neither an index nor a part of one."""
        bases = self.inference.classes.foreign_bases(cls) if cls is not None else ()
        return any(
            base.startswith("pynamodb.") and last_name_of(base) == "Model" for base in bases
        )

    def _calls(self, name: str) -> Iterator[tuple[tree.Call, tree.Attr, Function]]:
        found = [(call, call.func) for call in self.calls.uses.calls_beside(name)]
        for call, func in (*found, *self._handed_on.get(name, ())):
            function = self.names.function_of(call)
            if function is None or not isinstance(func, tree.Attr):
                continue
            if func.name != name and last_name(func.base) == name:
                continue  # `self.query.alias(t)` has another method of a query
            yield call, func, function

    def _is_of_table(self, call: tree.Call, func: tree.Attr) -> bool:
        """Whether `x.query(…)`, a common word, is the operation of a table: where `x` is known to be
        one, or something around it says so."""
        if func.name == "paginate":
            if call.plain:
                return False  # a paginator takes keywords alone, a query of SQL the number of the page
            operation = self._paged(func.base)
            return operation in COMMON if operation is not None else self._pages_items(call, func)
        if func.name == "query" and not call.args:
            return False  # a table is asked for something
        if any(a.keyword is not None and a.keyword[:1].isupper() for a in call.args):
            return True
        receiver = last_name(func.base)
        if is_table(receiver):
            return not self._is_of_others(func.base)
        if not self._is_about_items(self.names.place(call)):
            return False
        types = self.inference.of(func.base)
        if any(map(self._is_of_dynamo, types)):
            return True
        if not self.keys.is_told(call) or asks_elsewhere(call):
            return False  # `VectorStore` asks an index that is no table's
        is_known = types and all(self._is_no_table(one, func.name) for one in types)
        return not is_known and _DATABASES.isdisjoint(words(receiver))

    def _is_of_others(self, node: tree.Node) -> bool:
        found = self.inference.of(node)
        return any(is_of_others(one, self.inference.classes) for one in found)

    def _pages_items(self, call: tree.Call, func: tree.Attr) -> bool:
        """Whether what is paged through, of which nothing is read, is a table: the call asks as one is asked, or something
        around it has keys, or is named after DynamoDB. All services of AWS have paginators."""
        if is_table(last_name(func.base)) or any(a.keyword in ASKED for a in call.args):
            return True
        place = self.names.place(call)
        return (
            self._is_in_repository(place)
            or self._is_named_after_dynamo(call)
            or (self._has_keys(place.scope.module))
        )

    def _is_no_table(self, one: Type, operation: str) -> bool:
        """Whether it is known of a value what it is, and that it is no table: it comes from elsewhere, or its own
        class says what its operation does."""
        match one:
            case Foreign(name=name):
                return name.partition(".")[0] not in _NOWHERE
            case Instance(cls=cls) | ClassObject(cls=cls):
                own = self.inference.classes.method(cls, operation)
                return own is not None or self._is_kept_beside(cls, operation)
            case _:
                return False

    def _is_kept_beside(self, cls: Class, operation: str) -> bool:
        """Whether objects keep something under the name of an operation that is made by what has nothing to do with
        DynamoDB: `self.query = nn.Linear(size, size)`."""
        if not any(operation in owner.stores for owner in self.inference.classes.mro(cls)):
            return False
        kept = self.inference.attributes.member(cls, operation)
        return bool(kept) and all(
            isinstance(one, Foreign)
            and one.name.partition(".")[0] not in _NOWHERE
            and not self._is_of_dynamo(one)
            for one in kept
        )

    def _is_sure(self, call: tree.Call, func: tree.Attr) -> bool:
        """Whether a call says itself that it is the operation of a table: `get_item(Key=key)`."""
        return is_table(last_name(func.base)) or any(
            argument.star == "**" or (argument.keyword or "")[:1].isupper()
            for argument in call.args
        )

    def _shows(self, call: tree.Call, func: tree.Attr) -> bool:
        """Whether a call of an operation, or the module around it, says that this is about DynamoDB."""
        return self._is_sure(call, func) or self._is_named_after_dynamo(call)

    def _is_named_after_dynamo(self, call: tree.Call) -> bool:
        """Whether the module around a call names anything after DynamoDB."""
        return any(map(_DYNAMO.search, _words(self.names.module_of(call))))

    def _is_about_items(self, place: Place) -> bool:
        """Whether the class around a place is a repository by its name, or the module has keys, or
        names them as DynamoDB does, or anything after it."""
        if self._is_in_repository(place):
            return True
        module = place.scope.module
        if module not in self._speaking:
            self._speaking[module] = self._has_keys(module) or any(map(speaks, _words(module)))
        return self._speaking[module]

    def _is_in_repository(self, place: Place) -> bool:
        owner = owner_of(place.scope.function)
        return owner is not None and self.keys.policy.is_repository_name(owner.name)

    def _has_keys(self, module: Module) -> bool:
        return module in self._having or self.keys.speaking.of_keys(module)

    def _is_of_dynamo(self, one: Type) -> bool:
        match one:
            case Foreign(name=name):
                return speaks(name) or is_table(name)
            case Instance(cls=cls) | ClassObject(cls=cls):
                return self.inference.classes.is_pynamo(cls)
            case _:
                return False

    def _paged(self, node: tree.Node) -> str | None:
        """`query` of `client.get_paginator("query")`."""
        if isinstance(node, tree.Name):
            bindings = self.names.bindings_of(node)
            node = next((b.value for b in bindings if b.value is not None), node)
        match node:
            case tree.Call(args=(tree.Argument(value=tree.Const(value=str() as operation)),)):
                return operation
            case _:
                return None


def _is_table(cls: Class) -> bool:
    """Whether a class is a table, or stands for one: a fake, or a Protocol of what boto3 has."""
    return any(name in cls.methods for name in SHORT | LONG)


def _words(module: Module) -> Iterator[str]:
    """The names and texts in a module by which it may show that it is about DynamoDB."""
    yield from imported(module)
    yield from filter(str.isidentifier, read_in(module))
