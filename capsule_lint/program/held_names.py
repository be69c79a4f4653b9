"""What stands in a table that is written out, and what an expression may be a choice of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.program.containers import KEYED, LISTED
from capsule_lint.program.model import last_name
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program.model import Function


def words_in(node: tree.Node) -> Iterator[str]:
    """The names in an expression, those that are written as texts too."""
    for one in within(node):
        match one:
            case tree.Name(id=name) | tree.Attr(name=name):
                yield name
            case tree.Const(value=str() as text) if text.isidentifier():
                yield text


def container_of(node: tree.Node) -> tree.Node:
    """`TABLE` of `TABLE[kind]`, `TABLE.get(kind) or ()`, `list(TABLE.values())` and the like."""
    match node:
        case tree.Subscript():
            return container_of(node.base)
        case tree.Boolean(op="or", values=(held, tree.Sequence(items=()))):
            return container_of(held)
        case tree.Call(func=tree.Attr(name="items" | "values" | "copy") as func) if not node.args:
            return container_of(func.base)
        case tree.Call(func=tree.Attr(name=name) as func) if name in KEYED and node.args:
            return container_of(func.base)
        case tree.Call(func=tree.Name(id=name), args=(first, *_)) if name in LISTED | {
            "enumerate"
        }:
            return container_of(first.value)
        case _:
            return node


def held_in(node: tree.Node) -> Iterator[str]:
    """The last names of what stands in a table that is written out."""
    return map(last_name, names_held(node))


def names_held(node: tree.Node) -> Iterator[tree.Name | tree.Attr]:
    """The names and attributes that stand in a table that is written out."""
    match node:
        case tree.Sequence():
            inner = node.items
        case tree.DictDisplay():
            inner = node.values
        case _:
            return
    for one in inner:
        if isinstance(one, tree.Name | tree.Attr):
            yield one
        else:
            yield from names_held(one)


def given_back(function: Function) -> Iterator[str]:
    """The functions that one defines and gives back, alone or in a display, by their names."""
    given = function.given_back if "fixture" in function.decorators else function.returns
    for value in (one for returned in given for one in (returned, *values_of(returned))):
        for one in (value, *names_held(value)):
            bound = function.scope.bindings.get(one.id, ()) if isinstance(one, tree.Name) else ()
            if isinstance(one, tree.Name) and any(b.kind == "def" for b in bound):
                yield one.id


def put_in_records(function: Function) -> Iterator[str]:
    """The functions that one defines and gives back in an object that it makes of them, by their names:
    `return NoteStore(put=put, get=get)`."""
    for returned in function.given_back:
        for made in values_of(returned):
            for argument in made.args if isinstance(made, tree.Call) else ():
                one = argument.value
                bound = (
                    function.scope.bindings.get(one.id, ()) if isinstance(one, tree.Name) else ()
                )
                if isinstance(one, tree.Name) and any(b.kind == "def" for b in bound):
                    yield one.id


def passed_on(fixture: Function) -> Iterator[str]:
    """What a fixture gives back of the functions that it has, or that are there without it, by their names."""
    yield from given_back(fixture)
    for one in fixture.given_back:
        if isinstance(one, tree.Attr):
            yield one.name
        elif isinstance(one, tree.Name) and all(
            b.kind == "param" for b in fixture.scope.bindings.get(one.id, ())
        ):
            yield one.id


def values_of(node: tree.Node) -> Iterable[tree.Node]:
    """The expressions of which an expression is one, or has one in it."""
    match node:
        case tree.Conditional():
            return node.then, node.otherwise
        case tree.Boolean() | tree.DictDisplay():
            return node.values
        case tree.Sequence():
            return node.items
        case tree.Comprehension():
            return [value for part in node.generators for value in values_of(part.iter)]
        case tree.Subscript(base=tree.Name() | tree.Attr()):  # one of a table
            return (node.base,)
        case tree.Subscript(base=tree.DictDisplay() | tree.Sequence()):
            return values_of(node.base)
        case tree.Call(func=tree.Attr(base=tree.Name() | tree.Attr() as base, name="get")):
            return (base,)
        case _:
            return (node,)
