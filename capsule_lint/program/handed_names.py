"""The names by which functions that take a scope are called by others that they are given to:
`bus.subscribe("created", on_created)`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from capsule_lint.facts import tree
from capsule_lint.program.aliases import renamed
from capsule_lint.program.containers import FILLING, KEYED
from capsule_lint.program.fields import is_field
from capsule_lint.program.held_names import container_of, values_of
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Binding, Class, Function, last_name
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.walk import targets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capsule_lint.policy import Scope
    from capsule_lint.program.aliases import Aliases
    from capsule_lint.program.model import Module
    from capsule_lint.program.names import Names

_MANY: Final = 8
"""So many functions of one name, or more, are told apart by nothing but what they are methods of."""
_MAX_DEPTH: Final = 4
_Taker: TypeAlias = "tuple[Function | Class, str]"
"""A function that takes something as a parameter, or a class that takes it as a field, and its name."""


@dataclass(eq=False, slots=True)
class HandedNames:
    """Follows functions from where the program gives them to one of its functions, or puts them into an
    object, to what these call them, by name: what may be called so, types tell later."""

    names: Names
    aliases: Aliases
    scopes: Sequence[Scope]
    _functions: dict[str, list[Function]] = field(default_factory=lambda: defaultdict(list))
    """The functions and methods that take a scope, or an object of which they read one, by name: what takes none gains
    nothing from whoever calls it without knowing it, and nothing has to be known of it."""
    _imported: set[str] = field(default_factory=set)
    """The other names under which files import them."""
    _takers: dict[str, list[Function | Class]] = field(default_factory=lambda: defaultdict(list))
    """The functions, and the classes by how they are made, by name."""
    _tables: set[str] = field(default_factory=set)
    """The names of what functions are put into."""
    _followed: set[tuple[Function, str]] = field(default_factory=set)

    def note(self) -> None:
        """Note the names that functions are known by where they are given away."""
        modules = self.names.modules.values()
        for module in modules:
            reading = set(self._reading(module))
            for function in module.functions:
                takes = function in reading or self._takes_scope(function)
                if takes and not function.is_property:
                    self._functions[function.name].append(function)
                if function.name != "__init__":
                    self._takers[function.name].append(function)
        for module in modules:
            renamed_here = _renamed(module)
            self._imported.update(n for n, own in renamed_here.items() if own in self._functions)
        classes: dict[str, list[Class]] = defaultdict(list)
        for cls in (cls for module in modules for cls in module.classes):
            classes[cls.name].append(cls)
        for name, alike in classes.items():
            made = (one for cls in alike for one in _made_by(cls, classes))
            self._takers[name] += made if len(alike) < _MANY else alike
        for function in (f for module in modules for f in module.functions):
            for value in function.returns:
                for one in _parts(value) if isinstance(value, tree.DictDisplay) else ():
                    for meant in self._meant(one):
                        self.aliases.give(function.name, self.aliases.handed(meant))
        for module in modules:
            imported = _renamed(module)
            for call in module.each(tree.Call):
                name = last_name(call.func) if call.args else ""
                if name in imported and isinstance(call.func, tree.Name):
                    name = imported[name]
                if name in self._takers:
                    self._given(call, name)
            for function in module.functions:
                for parameter in function.own_params:
                    if parameter.default is not None:
                        self._handed(parameter.default, (function, parameter.name))
        for function in (f for module in modules for f in module.functions if f.returns):
            if function.name not in KEYED:
                returned = (behind(self.names, value) or value for value in function.returns)
                for value in (one for given in returned for one in values_of(given)):
                    table = last_name(container_of(value))
                    if table in self._tables:
                        self.aliases.give(function.name, table)

    def _takes_scope(self, function: Function) -> bool:
        return any(names_any_of(p.name, self.scopes) for p in function.own_params)

    def _reading(self, module: Module) -> Iterator[Function]:
        """The functions that read a scope of what they are given: `session.tenant_id`."""
        for node in module.each(tree.Attr):
            if isinstance(node.base, tree.Name) and names_any_of(node.name, self.scopes):
                function = self.names.function_of(node)
                own = function.own_params if function is not None else ()
                if function is not None and any(p.name == node.base.id for p in own):
                    yield function

    def _given(self, call: tree.Call, name: str) -> None:
        """Note the functions that a call of something called so is given."""
        for at, argument in enumerate(call.args):
            for taken in self._taken(name, at, argument.keyword) if not argument.star else ():
                self._handed(argument.value, taken)

    def _handed(self, node: tree.Node, taken: _Taker) -> None:
        """Note that what an expression stands for is taken as a parameter or a field."""
        for made in self.aliases.made(node):
            self.aliases.add(made, self._known_in(taken))
        for one in _parts(node):
            for function in self._meant(one):
                self.aliases.hand(function, self._known_in(taken))

    def _meant(self, node: tree.Node) -> Iterator[Function]:
        """The functions that an expression may stand for, told by what its name is bound to, or by that of a
        method."""
        match node:
            case tree.Name(id=name) if name in self._functions or name in self._imported:
                for binding in self.names.bindings_of(node):
                    found = self.names.follow(binding)
                    if isinstance(found, Binding) and isinstance(found.definition, Function):
                        yield found.definition
            case tree.Attr(name=name) if len(self._functions.get(name, ())) < _MANY:
                yield from self._functions.get(name, ())

    def _taken(self, name: str, at: int, keyword: str | None) -> Iterator[_Taker]:
        """Who takes what a call of something called so is given at a position, or by a keyword."""
        takers = self._takers.get(name, ())
        for taker in takers if len(takers) < _MANY else ():
            names = (
                [p.name for p in taker.own_params]
                if isinstance(taker, Function)
                else _fields(taker)
            )
            if keyword is not None:
                yield from ((taker, one) for one in names if one == keyword)
            else:
                yield from ((taker, one) for one in names[at : at + 1])

    def _known_in(self, taken: _Taker) -> str:
        """The name by which it is known there, once what is done with it there has been followed."""
        taker, name = taken
        return name if isinstance(taker, Class) else self._local(taker, name)

    def _local(self, function: Function, name: str) -> str:
        """The same of a name that a function has."""
        if (function, name) not in self._followed:
            self._followed.add((function, name))
            own = self.aliases.own_name(function, name)
            for node in self.names.called(function, name):
                self._goes(function, own, _whole(self.names, node))
        return self.aliases.own_name(function, name)

    def _goes(self, function: Function, own: str, node: tree.Node) -> None:
        """Note where a function puts something, and whom it gives it to."""
        match self.names.parent(node):
            case tree.Call() as call if call.func is not node:
                called = last_name(call.func)
                if called in FILLING and isinstance(call.func, tree.Attr):
                    self._put(own, call.func.base)
                for at, argument in enumerate(call.args):
                    if argument.value is node and not argument.star:
                        for taken in self._taken(called, at, argument.keyword):
                            self.aliases.add(own, self._known_in(taken))
            case tree.Assign(targets=targets, value=value) if value is node:
                for target in targets:
                    self._bound(function, own, target)
            case tree.Block(binds=binds):
                for bind in binds:
                    if bind.value is node:
                        self._bound(function, own, bind.target)
            case tree.Comprehension(generators=generators):
                for one in generators:
                    if one.iter is node:
                        self._bound(function, own, one.target)

    def _bound(self, function: Function, own: str, target: tree.Node) -> None:
        """Note what a function gives a name."""
        for leaf, _ in targets_of(target):
            if isinstance(leaf, tree.Name):
                self.aliases.add(own, self._local(function, leaf.id))
            else:
                self._put(own, leaf)

    def _put(self, own: str, table: tree.Node) -> None:
        """Note that something is put into a table, or becomes an attribute."""
        name = last_name(container_of(table))
        self._tables.add(name)
        self.aliases.add(own, name)


def _made_by(cls: Class, classes: Mapping[str, Sequence[Class]]) -> list[Function | Class]:
    """What takes what a class is called with: its own initializer or that of a class that it inherits from, told
    by the names of these; else the class itself, by its fields. Each is looked at once: of the classes of a large
    program hundreds may have the name of the one that they inherit from."""
    found: dict[Function | Class, None] = {}
    seen, level = {cls}, [cls]
    for depth in range(_MAX_DEPTH + 1):
        following: dict[Class, None] = {}
        for one in level if len(found) < _MANY else ():
            own = one.methods.get("__init__")
            is_last = own is not None or depth == _MAX_DEPTH or bool(_fields(one))
            bases = () if is_last else one.fact.bases
            named = (last_name(base.value) for base in bases if base.keyword is None)
            above = [
                other for name in named for other in classes.get(name, ()) if other is not one
            ]
            if not above:
                found[own or one] = None
            following.update(dict.fromkeys(other for other in above if other not in seen))
        seen.update(following)
        level = list(following)
    return list(found) or [cls]


def _renamed(module: Module) -> dict[str, str]:
    """What a file imports under other names, by these: `from app.routing import Route as ApiRoute`."""
    return {
        one.bound: one.name
        for statement, _ in module.imports
        for one in statement.names
        if one.name is not None and one.bound != one.name
    }


def _whole(names: Names, node: tree.Node) -> tree.Node:
    """What something is given by that has an expression in it, or is a choice of it."""
    parent = names.parent(node)
    match parent:
        case tree.Sequence() | tree.DictDisplay() | tree.Conditional() | tree.Boolean():
            return _whole(names, parent)
        case tree.Call() if parent.func is not node and container_of(parent) is not parent:
            return _whole(names, parent)
        case tree.Attr():
            call = names.parent(parent)
            inside = isinstance(call, tree.Call) and container_of(call) is not call
            return _whole(names, call) if isinstance(call, tree.Call) and inside else node
        case tree.Subscript() if parent.base is node:
            return _whole(names, parent)
        case _:
            return node


def _parts(node: tree.Node) -> Iterator[tree.Node]:
    """An expression, or what stands in a display, or may be chosen, or is given to `partial`."""
    match node:
        case tree.Sequence() | tree.DictDisplay() | tree.Conditional() | tree.Boolean():
            for one in values_of(node):
                yield from _parts(one)
        case tree.Call() if (other := renamed(node)) is not None and other is not node:
            yield from _parts(other)
        case _:
            yield node


def _fields(cls: Class) -> list[str]:
    """The fields that a class itself says it is made of."""
    return [
        last_name(statement.targets[0])
        for statement in cls.fact.body
        if isinstance(statement, tree.Assign) and is_field(statement)
    ]
