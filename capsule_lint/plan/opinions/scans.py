"""Reads of a whole table: Scan, its paginator, and PartiQL, when no scope narrows them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.judgement import ScanFact
from capsule_lint.plan.opinions.base import Ground, Opinion, inside
from capsule_lint.program.calling.passing import handed_on
from capsule_lint.program.inference.types import ClassObject, Foreign, FunctionObject, Instance
from capsule_lint.program.local_names import looked_up, only_assigned
from capsule_lint.program.model import last_name, owner_of
from capsule_lint.program.purposes.elsewhere import is_of_others
from capsule_lint.program.purposes.tables import is_table, stands_in
from capsule_lint.program.texts.pieces import hole_name, names_scope, words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

OPTIONS: Final = frozenset(
    [
        "TableName",
        "IndexName",
        "FilterExpression",
        "ProjectionExpression",
        "ExclusiveStartKey",
        "Select",
        "Segment",
        "ExpressionAttributeValues",
        "ExpressionAttributeNames",
        "TotalSegments",
        "ConsistentRead",
        "ScanFilter",
        "Limit",
    ]
)
"""The arguments of a Scan, which nothing else that is called `scan` has."""
STATEMENTS: Final = frozenset(
    ("execute_statement", "batch_execute_statement", "execute_transaction")
)
_FILTERS: Final = ("FilterExpression", "Statement", "filter_condition")
_GIVEN: Final = re.compile(r"filter|criteria|condition|where|expression")
"""What parameters are called that hold a filter, or what one is made of."""
_BUILDS: Final = re.compile(r"(?:^|_)(?:build|expression|filter|condition|kwargs|params)")
"""What the methods of an object are called that says which rows are meant: `query.build()`."""
_SELECT: Final = re.compile(r"\s*SELECT\b", re.IGNORECASE)
_SERVICE: Final = re.compile(r"boto|dynamo", re.IGNORECASE)
_PROBES: Final = frozenset(("ping", "health", "healthy", "healthcheck", "ready", "alive", "probe"))
_DEPTH: Final = 3


@dataclass(eq=False, slots=True)
class ScanOpinions:
    """Judges the calls that read whole tables."""

    ground: Ground
    _hosts: set[int] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)
    _reported: set[Function | None] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._hosts = {id(d.template.host) for d in self.ground.planner.defects}
        segments = self.ground.program.templates.segments
        for site in self.ground.program.keys.sites:
            if any(s.literal and not s.tagged for s in segments(site.template.pieces)):
                self._hosts.add(id(site.template.host))

    def find(self) -> Iterator[Opinion]:
        """The reads that lack a scope."""
        names, uses = ("scan", "paginate", *sorted(STATEMENTS)), self.ground.program.calls.uses
        found = [(call, call.func) for name in names for call in uses.calls_beside(name)]
        found += [*handed_on(uses, ("scan", *STATEMENTS)), *self._renamed(("scan", *STATEMENTS))]
        for call, func in found:
            module = self.ground.program.names.module_of(call)
            if module.is_test or module.generated or not isinstance(func, tree.Attr):
                continue
            if func.name in STATEMENTS:
                if self._selects(call):
                    yield from self._judge(call, "PartiQL statement", _DEPTH)
            elif (
                self._is_paginated(func) if func.name == "paginate" else self._is_scan(call, func)
            ):
                yield from self._judge(call, "Scan", _DEPTH)

    def _renamed(self, methods: Collection[str]) -> Iterator[tuple[tree.Call, tree.Attr]]:
        """The calls of a name that is given one of some methods: `scan = table.scan`."""
        names = self.ground.program.names
        for method in names.named(*methods):
            match method, names.parent(method):
                case tree.Attr(), tree.Assign(targets=(tree.Name(id=name),)):
                    for call in self.ground.program.calls.uses.calls_beside(name):
                        if only_assigned(names, call.func) is method:
                            yield call, method

    # --- which calls ---

    def _is_scan(self, call: tree.Call, func: tree.Attr) -> bool:
        """Whether a call is one of DynamoDB's, and not of something else that is called so."""
        owners = [
            c.function.owner if c.function is not None else c.cls
            for c in self.ground.program.calls.callees(call)
        ]
        if func is not call.func:  # what is called elsewhere
            methods = self.ground.program.inference.of(func)
            owners = [one.function.owner for one in methods if isinstance(one, FunctionObject)]
        doubles = {owner for owner in owners if owner is not None and stands_in(owner)}
        if len(doubles) < len(set(owners)):
            return False
        types = self.ground.program.inference.of(func.base)
        if any(isinstance(one, Foreign) and _SERVICE.search(one.name) for one in types):
            return True
        if any(is_of_others(one, self.ground.program.classes) for one in types):
            return False
        own = [one.cls for one in types if isinstance(one, ClassObject | Instance)]
        # also one that has no `scan`: it is not what is called
        doubles.update(filter(stands_in, own))
        bases = [
            base
            for cls in own
            if cls not in doubles
            for base in self.ground.program.classes.foreign_bases(cls)
        ]
        if any("pynamodb" in base or base == "Model" for base in bases):
            return True
        if any(cls not in doubles for cls in own):
            return False
        return is_table(last_name(func.base)) or bool(self._options(call) & OPTIONS)

    def _options(self, call: tree.Call) -> set[str]:
        """The names of a call's arguments, those in a dict that is spread included."""
        found = {name for name, _ in call.keywords}
        for argument in call.args:
            if argument.star == "**":
                found |= set(_texts(self._material([argument.value])))
        return found

    def _is_paginated(self, func: tree.Attr) -> bool:
        """Whether `paginate` is called on the paginator of a Scan."""
        for node in self._origins(func.base):
            if isinstance(node, tree.Call) and last_name(node.func) == "get_paginator":
                names = [self.ground.program.templates.constant(a.value) for a in node.args]
                return names[:1] == ["scan"]
        return False

    def _origins(self, node: tree.Node) -> Iterator[tree.Node]:
        """An expression, or the values of the local or attribute that it is."""
        yield node
        if isinstance(node, tree.Name):
            for binding in self.ground.program.names.bindings_of(node):
                if binding.value is not None:
                    yield binding.value
        elif isinstance(node, tree.Attr):
            owner = owner_of(self.ground.program.names.function_of(node))
            for store in owner.stores.get(node.name, ()) if owner is not None else ():
                if store.value is not None:
                    yield store.value

    def _selects(self, call: tree.Call) -> bool:
        """Whether a statement is known to be a SELECT."""
        for node in self._material([a.value for a in call.args]):
            text = self._text(node)
            if text is not None and _SELECT.match(text):
                return any(a.keyword in ("Statement", "Statements", None) for a in call.args) or (
                    any(a.keyword == "TransactStatements" for a in call.args)
                )
        return False

    def _text(self, node: tree.Node) -> str | None:
        if not isinstance(node, tree.Const | tree.FString | tree.Binary | tree.Call):
            return None
        template = self.ground.program.templates.template(node)
        return template.text if template is not None else None

    # --- what narrows them ---

    def _judge(self, call: tree.Call, what: str, depth: int) -> Iterator[Opinion]:
        if id(call) in self._seen:
            return
        self._seen.add(id(call))
        function = self.ground.program.names.function_of(call)
        if function is not None and set(words(function.name)) & _PROBES:
            return
        given = [a.value for a in call.args]
        material = list(self._material([*given, *self._asked_for(function)]))
        if any(id(node) in self._hosts for node in material):
            return  # what it looks for is a key, and reported as that, or says its scope
        if self._is_given(call, function):
            for caller in self._callers(function) if depth else ():
                yield from self._judge(caller, what, depth - 1)
            return
        narrowing = [*material, *self._compared(function)]
        missing = [s for s in self._required(call, function) if not self._narrows(narrowing, s)]
        if "ExclusiveStartKey" in self._options(call) and function in self._reported:
            return  # the next page of what is reported
        if missing and not any(self._says(node, missing, depth) for node in material):
            self._reported.add(function)
            yield Opinion(
                ScanFact(
                    self.ground.program.names.module_of(call).filename,
                    call.span,
                    self.ground.symbol(call),
                    tuple(scope.parameter for scope in missing),
                    reason=what,
                )
            )

    def _required(self, call: tree.Call, function: Function | None) -> tuple[Scope, ...]:
        domain, policy = self.ground.program.domain, self.ground.program.policy
        receiver = call.func.base if isinstance(call.func, tree.Attr) else call.func
        module = self.ground.program.names.module_of(call)
        for name in (last_name(receiver), module.name):
            entity = domain.narrowed_names(None, None, name)
            if entity is not None:
                return policy.scopes_of(entity)
        return self.ground.required(function) if function is not None else policy.scopes

    def _is_given(self, call: tree.Call, function: Function | None) -> bool:
        """Whether the enclosing function passes a filter on that its callers give it."""
        if function is None:
            return False
        return any(
            self._is_handed_on(node)
            for filtering in self._filters(call)
            for node in self._origins(filtering)
        )

    def _is_handed_on(self, node: tree.Node, depth: int = 0) -> bool:
        """Whether a filter is, or has in it, one that the function is given, or is made of all that it
        is given: `filters & given`, `Q(**kwargs)`."""
        match node:
            case tree.Name():
                if self._is_plain_parameter(node):
                    return True
                bound = self.ground.program.names.bindings_of(node)
                sources = [b.value for b in bound if b.kind == "for" and not b.path]
                return depth < _DEPTH and any(
                    isinstance(s, tree.Name) and self._is_handed_on(s, depth + 1) for s in sources
                )
            case tree.Binary(op="&"):
                return self._is_handed_on(node.left) or self._is_handed_on(node.right)
            case tree.Call():
                return self._is_built(node) or any(
                    (a.star or _GIVEN.search(a.value.id) or self._is_all(a.value))
                    and self._is_plain_parameter(a.value)
                    for a in node.args
                    if isinstance(a.value, tree.Name)
                )
            case _:
                return False

    def _is_all(self, name: tree.Name) -> bool:
        """Whether a name stands for all that the function is given by keywords, `**options`."""
        bound = self.ground.program.names.bindings_of(name)
        return any(b.parameter is not None and b.parameter.kind == "**" for b in bound)

    def _is_built(self, call: tree.Call) -> bool:
        """Whether an object that the function is given says which rows are meant: `query.build()`."""
        base = call.func.base if isinstance(call.func, tree.Attr) else None
        function = self.ground.program.names.function_of(call)
        if function is None or not isinstance(base, tree.Name) or base.id == function.self_name:
            return False
        return _BUILDS.search(last_name(call.func)) is not None and self._is_plain_parameter(base)

    def _filters(self, call: tree.Call) -> Iterator[tree.Node]:
        """What a call is given as its filter or statement, or as all of its arguments."""
        spread = call.spread
        yield from spread
        yield from (a.value for a in call.args if a.keyword in _FILTERS)
        for node in self._material(spread):
            match node:
                case tree.DictDisplay():
                    yield from (value for name, value in node.entries if name in _FILTERS)
                case tree.Call():
                    yield from (value for name, value in node.keywords if name in _FILTERS)
                case tree.Name():
                    for index, value in self._items_of(node):
                        if isinstance(index, tree.Const) and index.value in _FILTERS:
                            yield value

    def _is_plain_parameter(self, node: tree.Name) -> bool:
        return any(b.kind == "param" for b in self.ground.program.names.bindings_of(node))

    def _callers(self, function: Function | None) -> Iterator[tree.Call]:
        for call, _ in self.ground.program.calls.callers(function) if function else ():
            module = self.ground.program.names.module_of(call)
            if not module.is_test and not module.generated:
                yield call

    def _material(self, nodes: Iterable[tree.Node]) -> Iterator[tree.Node]:
        """All expressions that the arguments of a call are made of, through the locals they are put in."""
        queue, seen = list(nodes), set[int]()
        while queue:
            for node in inside(queue.pop()):
                if id(node) in seen:
                    continue
                seen.add(id(node))
                yield node
                if isinstance(node, tree.Name):
                    names = self.ground.program.names
                    bound = names.bindings_of(node)
                    if any(binding.is_step for binding in bound):  # `condition &= …`, once more
                        bound = names.place(node).scope.bindings.get(node.id, bound)
                    queue += [b.value for b in bound if b.value is not None]
                    queue += [part for pair in self._items_of(node) for part in pair]

    def _items_of(self, name: tree.Name) -> Iterator[tuple[tree.Node, tree.Node]]:
        """What `kwargs["FilterExpression"] = …` and `kwargs.update(…)` put into a local."""
        place = self.ground.program.names.place(name)
        for statement, _ in place.scope.statements:
            match statement:
                case tree.Assign(targets=(tree.Subscript(base=tree.Name(id=target)) as item,)):
                    if target == name.id and statement.value is not None:
                        yield item.index, statement.value
                case tree.Eval(
                    values=(tree.Call(func=tree.Attr(base=tree.Name(id=target))) as call,)
                ):
                    if target == name.id:
                        yield from ((argument.value, argument.value) for argument in call.args)

    def _compared(self, function: Function | None) -> Iterator[tree.Node]:
        """What the function compares, or those inside of it, and the pairs that it asks for: it may part the rows
        itself, once they are read."""
        names = self.ground.program.names
        for node in names.inside(function) if function is not None else ():
            asked = looked_up(node)
            if isinstance(node, tree.Compare):
                yield from inside(node)
            elif (
                asked is not None
                and isinstance(asked[1], tree.Sequence)
                and isinstance(asked[0], tree.Name)
                and any(b.function is function for b in names.bindings_of(asked[0]) if b.assigned)
            ):
                set_here = isinstance(names.parent(node), tree.Assign)
                own = () if set_here else asked[1].items
                yield from (one for one in own if not isinstance(one, tree.Subscript))

    def _asked_for(self, function: Function | None) -> Iterator[tree.Node]:
        """What the function asks whether texts begin with, `row["PK"].startswith(prefix)`: as good as a filter."""
        function_of = self.ground.program.names.function_of
        for call in self.ground.program.calls.uses.calls_beside("startswith") if function else ():
            if function_of(call) is function:
                yield from (argument.value for argument in call.args)

    def _narrows(self, material: Iterable[tree.Node], scope: Scope) -> bool:
        """Whether anything in a filter is about the scope."""
        for node in material:
            match node:
                case tree.Const(value=str() as text):
                    if _has_tag(text, scope):
                        return True
                    if any(names_scope(word, scope) for word in re.findall(r"[\w-]+", text)):
                        return True
                case tree.Name() | tree.Attr() | tree.Subscript():
                    if names_scope(hole_name(node), scope):
                        return True
                case tree.FString():
                    texts = [part for part in node.parts if isinstance(part, str)]
                    if any(_has_tag(text, scope) for text in texts):
                        return True
                    said = " ".join(texts)
                    if any(names_scope(word, scope) for word in re.findall(r"[\w-]+", said)):
                        return True
        return False

    def _says(self, node: tree.Node, scopes: list[Scope], depth: int) -> bool:
        """Whether a part of a filter could carry every scope, or is a parameter and these are in whatever the callers
        give for it, `delete_by_prefix(table, tenant_prefix(tenant_id))`."""
        if self._is_whole(node):
            return True
        if not depth or not isinstance(node, tree.Name) or not self._is_plain_parameter(node):
            return False
        given = [
            list(self._material([value]))
            for binding in self.ground.program.names.bindings_of(node)
            for value in self.ground.program.calls.passed_to(binding)
            if not self.ground.program.names.module_of(value).is_test
        ]
        return bool(given) and all(
            all(self._narrows(material, scope) for scope in scopes)
            or any(self._says(part, scopes, depth - 1) for part in material)
            for material in given
        )

    def _is_whole(self, node: tree.Node) -> bool:
        """Whether a part of a filter could carry every scope: a key, or what a request is known by."""
        program = self.ground.program
        match node:
            case tree.Call():
                callees = program.calls.callees(node)
                return any(c.function in program.keys.helpers for c in callees)
            case tree.Name():
                if program.policy.is_key_name(node.id) and self._is_plain_parameter(node):
                    return True
                return any(
                    isinstance(t, Instance) and program.domain.is_carrier(t.cls)
                    for t in program.inference.of(node)
                )
            case _:
                return False


def _texts(nodes: Iterable[tree.Node]) -> Iterator[str]:
    for node in nodes:
        match node:
            case tree.Const(value=str() as text):
                yield text
            case tree.Call():
                yield from (a.keyword for a in node.args if a.keyword is not None)


def _has_tag(text: str, scope: Scope) -> bool:
    return bool(scope.tag) and scope.tag.lower() in text.lower()
