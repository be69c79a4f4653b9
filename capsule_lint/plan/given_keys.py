"""Methods that are given whole keys, or all that the table is asked for, and know nothing of what is in them: their
callers say the scopes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.inference.flow import OF_ITEMS
from capsule_lint.program.inference.types import Collection, Instance, TupleOf
from capsule_lint.program.model import Function
from capsule_lint.program.places.query_objects import is_query_object

if TYPE_CHECKING:
    from collections.abc import Collection as Several
    from collections.abc import Iterator

    from capsule_lint.plan.key_users import KeyUsers
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Class

_KEYS: Final = re.compile(r"(?:^|_)(?:keys?|pairs?)$")


@dataclass(eq=False)
class GivenKeys:
    """Finds them."""

    program: Program
    users: KeyUsers

    def are_given(self, method: Function, family: Several[Function]) -> bool:
        """Whether a method, or one of its family, is given keys, or all of them what the table is asked for."""
        return (
            self._is_below(method, family)
            or any(map(self._is_given_tuples, family))
            or all(map(self._is_given_request, family))
        )

    def is_given(self, method: Function) -> bool:
        """Whether a method is given whole keys, by their names or by what callers give, or an object that has them
        and says how to look them up."""
        program = self.program
        named = any(program.policy.is_key_name(p.name) for p in method.own_params)
        return named or method in program.keys.takers or self._is_given_query(method)

    def _is_given_query(self, method: Function) -> bool:
        """Whether a method is given an object that has a whole key and says how to look it up, `Query(pk, index)`, and
        nothing beside it that says what to look up."""
        domain = self.program.domain
        return any(
            isinstance(one, Instance) and one.cls in self._queries
            for parameter in (method.own_params if self._queries else ())
            for one in domain.parameter_types(method, parameter)
        ) and not any(map(domain.is_identifier, method.own_params))

    @cached_property
    def _queries(self) -> set[Class]:
        """The classes of such objects."""
        policy, classes = self.program.policy, self.program.classes
        having = classes.having(policy.is_key_name)
        return {cls for cls in having if is_query_object(policy, classes, cls)}

    def _is_below(self, method: Function, family: Several[Function]) -> bool:
        """Whether a method is given a whole key, by its name or as one of its family uses it."""
        if self.is_given(method):
            return True
        if any(map(self.program.domain.is_identifier, method.own_params)):
            return False
        return not self._handing.isdisjoint(family)

    def _is_given_tuples(self, method: Function) -> bool:
        """Whether a method is given keys of several parts, `keys: list[tuple[str, str]]`, among which the
        scopes are."""
        domain = self.program.domain
        return any(
            _is_of_tuples(one)
            for parameter in method.own_params
            if parameter.annotation is not None and _KEYS.search(parameter.name)
            for one in domain.parameter_types(method, parameter)
        )

    @cached_property
    def _handing(self) -> set[Function]:
        """The functions that have a parameter `…key` and give it to the table as it is."""
        program, found = self.program, set[Function]()
        for module in program.names.modules.values():
            for node in module.every(tree.DictDisplay, tree.Call):
                given: list[tree.Node] = []
                if isinstance(node, tree.DictDisplay):
                    given = [value for key, value in node.pairs if program.keys.key_name(key)]
                elif isinstance(node, tree.Call):
                    given = [a.value for a in node.args if a.keyword == "Key"]
                    given += [
                        d.values[0] for d in given if isinstance(d, tree.DictDisplay) and d.values
                    ]
                found.update(f for one in given if (f := self._given_whole(one)) is not None)
        queue = list(found)
        while queue:
            for call, _ in program.calls.callers(queue.pop()):
                for argument in call.args:
                    function = self._given_whole(argument.value)
                    if function is not None and function not in found:
                        found.add(function)
                        queue.append(function)
        return found

    def _is_given_request(self, method: Function) -> bool:
        """Whether a method is given all that the table is asked for, `update_item(**request)`, and makes no key."""
        asking = self.program.keys.made_by(method) or method in self.users.asking
        return method in self._requests and not asking

    @cached_property
    def _requests(self) -> set[Function]:
        """The functions that have a parameter with which they, or what they give it to, ask the table."""
        program, found = self.program, set[Function]()
        for name in OF_ITEMS:
            for call in program.calls.uses.calls_beside(name):
                only = [a for a in call.args if a.keyword is None]
                if len(only) == 1 and only[0].star == "**" and not _has_key(call):
                    found.update(self._told(only[0].value))
        queue = list(found)
        while queue:
            for call, _ in program.calls.callers(queue.pop()):
                for function in (f for a in call.args for f in self._told(a.value)):
                    if function not in found and function.owner is not None:
                        found.add(function)
                        queue.append(function)
        return found

    def _told(self, node: tree.Node) -> Iterator[Function]:
        """The method that has an expression as a parameter."""
        bound = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        if len(bound) == 1 and bound[0].kind == "param":
            function, parameter = bound[0].function, bound[0].parameter
            whole = parameter is not None and parameter.kind in ("plain", "posonly", "kwonly")
            if function is not None and whole and function.self_name != bound[0].name:
                yield function

    def _given_whole(self, node: tree.Node) -> Function | None:
        """The function whose parameter `…key` an expression is, as it is or as a typed value."""
        match node:
            case tree.DictDisplay(keys=(tree.Const(value="S"),)):
                return self._given_whole(node.values[0])
            case tree.Name(id=name) if name == "key" or name.endswith("_key"):
                place = self.program.names.place(node)
                bindings = self.program.names.bindings(name, place)
                if len(bindings) == 1 and bindings[0].kind == "param":
                    return bindings[0].function
        return None


def _is_of_tuples(one: Type) -> bool:
    """Whether a type is a tuple of several parts, or a collection of such."""
    match one:
        case TupleOf():
            return len(one.items) > 1
        case Collection():
            return any(isinstance(item, TupleOf) and len(item.items) > 1 for item in one.items)
        case _:
            return False


def _has_key(call: tree.Call) -> bool:
    """Whether a call says itself which item is meant."""
    return any(name in ("Key", "Item") for name, _ in call.keywords)
