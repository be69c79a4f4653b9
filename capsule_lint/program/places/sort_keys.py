"""What sort keys are, and where they go: they stay as they are, also where a partition key has the same text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.places.conditions import Conditions, compared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.program.model import Function, Module
    from capsule_lint.program.places.keys import Keys
    from capsule_lint.program.texts.pieces import Template

_MAX_DEPTH: Final = 3


@dataclass(eq=False)
class SortKeyPlaces:
    """Tells them from partition keys."""

    keys: Keys
    _bound: dict[Module, list[tree.Node]] = field(default_factory=dict)

    @cached_property
    def texts(self) -> frozenset[str]:
        """The texts that are sort keys somewhere: a dict may be by these."""
        is_sort_key, template = self.keys.policy.is_sort_key_name, self.keys.templates.template
        made = (
            template(value)
            for module in self.keys.names.judged()
            for display in module.each(tree.DictDisplay)
            for key, value in display.pairs
            if is_sort_key(tree.text(key) or "")
        )
        return frozenset(one.text for one in made if one is not None)

    def says(self, template: Template) -> bool:
        """Whether code that stays as it is writes out a sort key, or how it begins: in an item, a condition, a test."""
        whole, begun = self._said
        spelled = re.compile(".+".join(map(re.escape, template.text.split("{}"))))
        return template.text.startswith(begun) or any(map(spelled.fullmatch, whole))

    @cached_property
    def _said(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """The sort keys that say a scope and are written out, and those of conditions, which may be beginnings."""
        whole, begun = set[str](), set[str]()
        for module in self.keys.names.judged():
            whole.update(*map(self._scoped, self._written(module)))
            begun.update(*map(self._scoped, (*self.bound(module), *self._conditions(module))))
        return frozenset(whole), tuple(begun)

    def _scoped(self, node: tree.Node) -> Iterator[str]:
        """What an expression may be that says a scope."""
        tags = tuple(scope.tag for scope in self.keys.policy.scopes)
        templates = self.keys.templates.resolve(node)
        return (one.text for one in templates if one.text.startswith(tags))

    def _written(self, module: Module) -> Iterator[tree.Node]:
        """What sort keys are: in dicts, by assignment, where they are compared, second in the pairs of tests."""
        is_sort_key = self.keys.policy.is_sort_key_name
        for display in module.each(tree.DictDisplay):
            yield from (v for key, v in display.pairs if is_sort_key(tree.text(key) or ""))
        for target, value in module.assigned:
            if not isinstance(target, tree.Name) and self.asked(target):
                yield value
        for compare in module.each(tree.Compare):
            sides = (compare.left, *compare.rights)
            yield from sides if any(map(self.asked, sides)) else ()
        for pair in module.each(tree.Sequence) if module.is_test else ():
            if pair.kind == "tuple" and len(pair.items) == 2:
                yield pair.items[1]

    def _conditions(self, module: Module) -> Iterator[tree.Node]:
        """What `Key("SK")` is compared with."""
        for call in module.each(tree.Call):
            if isinstance(call.receiver, tree.Call) and self.asked(call.receiver):
                yield from call.plain

    def asked(self, node: tree.Node) -> bool:
        """Whether an expression is a sort key, which stays as it is, also where an index is asked for it: `Key("sk")`,
        `row["sk"]`."""
        match node:
            case tree.Call(func=func, args=(first, *_)) if last_name(func) in (
                "Key",
                "Attr",
                "get",
            ):
                named: tree.Node = first.value
            case tree.Subscript(index=index):
                named = index
            case tree.Name() | tree.Attr():
                return self.keys.policy.is_sort_key_name(last_name(node))
            case _:
                return False
        name = self.keys.templates.constant(named)
        return name is not None and self.keys.policy.is_sort_key_name(name)

    def stands(self, node: tree.Node) -> bool:
        """Whether a sort key stands where an expression does: in an item, a call, a condition, an assignment."""
        is_sort_key = self.keys.policy.is_sort_key_name
        match self.keys.names.parent(node):
            case tree.DictDisplay(keys=(tree.Const(value="S"),)) as typed:
                return self.stands(typed)
            case tree.DictDisplay(pairs=pairs):
                named = any(v is node and is_sort_key(tree.text(k) or "") for k, v in pairs)
                return named or any(v is node for v in self.bound(self.keys.names.module_of(node)))
            case tree.Call() as call if node is not call.func:
                given = (a for a in call.args if a.value is node)
                of_condition = isinstance(call.receiver, tree.Call) and self.asked(call.receiver)
                return of_condition or any(self.takes(call, a) for a in given)
            case tree.Assign(targets=targets):
                return any(map(self.asked, targets))
            case _:
                return False

    def takes(self, call: tree.Call, argument: tree.Argument, depth: int = 0) -> bool:
        """Whether a call takes a sort key there: a parameter is called like one, or is put where one stands."""
        calls, is_sort_key = self.keys.calls, self.keys.policy.is_sort_key_name
        name = argument.keyword or calls.parameter_of(call, argument) or ""
        called = (c.function for c in calls.callees(call) if c.function is not None)
        return is_sort_key(name) or any(self._puts(function, name, depth) for function in called)

    def _puts(self, function: Function, name: str, depth: int) -> bool:
        """Whether a function puts a parameter where a sort key stands: `{"PK": key, "SK": name}`, or compares one with it:
        `{":sk": name}`; or hands it on to what does."""
        is_sort_key, names = self.keys.policy.is_sort_key_name, self.keys.names
        named = (
            value
            for node in names.inside(function)
            if isinstance(node, tree.DictDisplay)
            for key, value in node.pairs
            if is_sort_key(tree.text(key) or "")
        )
        bound = (v for v in self.bound(function.module) if names.function_of(v) is function)
        if any(isinstance(v, tree.Name) and v.id == name for v in (*named, *bound)):
            return True
        return depth < _MAX_DEPTH and any(
            isinstance(argument.value, tree.Name)
            and argument.value.id == name
            and self.takes(call, argument, depth + 1)
            for call in names.inside(function)
            if isinstance(call, tree.Call)
            for argument in call.args
        )

    def partitions(self, arguments: Mapping[str, tree.Node]) -> Iterator[tree.Node]:
        """The value by which a query finds the partition of an index that has a sort key of the table for its own:
        `IndexName="inverted", KeyConditionExpression="SK = :sk"`, where it is told nothing else that is equal, and
        nothing of the table's key that gets the scopes."""
        condition = arguments.get("KeyConditionExpression") if "IndexName" in arguments else None
        values = arguments.get("ExpressionAttributeValues")
        given = dict(values.entries) if isinstance(values, tree.DictDisplay) else {}
        said = compared(tree.text(condition), arguments.get("ExpressionAttributeNames"))
        found = [(name, given.get(value), equal) for name, value, equal in said]
        found += self._compared(condition) if tree.text(condition) is None else ()
        equal = [(name, value) for name, value, is_equal in found if is_equal]
        narrowed = any(self._gets_scopes(name, value) for name, value, _ in found)
        if len(equal) == 1 and self.keys.policy.is_sort_key_name(equal[0][0]) and not narrowed:
            yield from filter(None, (equal[0][1],))

    def _compared(self, node: tree.Node | None) -> Iterator[tuple[str, tree.Node | None, bool]]:
        """The attributes that a condition compares, with what, and whether they are to be equal to it:
        `Key("SK").eq(tag) & Key("PK").begins_with("NOTE#")`."""
        match node:
            case tree.Binary(op="&", left=left, right=right):
                yield from self._compared(left)
                yield from self._compared(right)
            case tree.Call(func=tree.Attr(name=how, base=tree.Call(args=(named, *_)))) if (
                node.args
            ):
                name = self.keys.templates.constant(named.value) or ""
                yield name, node.args[0].value, how == "eq"
            case _:
                yield "", node, True  # it may be anything

    def _gets_scopes(self, name: str, value: tree.Node | None) -> bool:
        """Whether the table's key is compared with more than how all keys begin: that gets the scopes itself."""
        if not self.keys.policy.is_key_name(name):
            return False
        text = self.keys.templates.constant(value) if value is not None else None
        return text is None or all(text != scope.tag for scope in self.keys.policy.scopes)

    def bound(self, module: Module) -> list[tree.Node]:
        """What the `:values` of conditions on sort keys stand for."""
        if module not in self._bound:
            keys, found = self.keys, list[tree.Node]()
            conditions = Conditions(keys.names, keys.templates, keys.policy.is_sort_key_name)
            compared = conditions.of(module)
            for display in module.each(tree.DictDisplay) if compared else ():
                function = id(keys.names.function_of(display))
                for name, value in display.entries:
                    if (function, name) in compared:
                        inner = value.values[0] if isinstance(value, tree.DictDisplay) else value
                        found.append(inner)
            self._bound[module] = found
        return self._bound[module]
