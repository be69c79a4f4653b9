"""Where the value of an expression may go by name: through locals, attributes, and what functions return."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.containers import ADDING, QUEUING
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.called import SAYING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Module, Scope
    from capsule_lint.program.walk import Parent

_TEXTS: Final = (tree.FString, tree.Binary, tree.Call)
_TEXT_CALLS: Final = frozenset(
    [
        "decode",
        "dumps",
        "encode",
        "format",
        "format_map",
        "join",
        "lower",
        "lstrip",
        "removeprefix",
        "removesuffix",
        "replace",
        "repr",
        "rstrip",
        "str",
        "strip",
        "substitute",
        "upper",
    ]
)
"""What gives a text that has in it the text it is given."""
_PUTTING: Final = ADDING | QUEUING | {"push", "register", "set", "setdefault"}
"""Methods that may put what they are given into their object."""


def texts_with(program: Program, origins: Iterable[tree.Node]) -> Iterator[tree.Node]:
    """The expressions outside tests that may put one of `origins` into a longer text, in the order of
    the program."""
    modules = [m for m in program.names.modules.values() if not m.is_test and not m.generated]
    with program.names.aside():  # `label` may be anything's, and so would lead to every file
        found = Mentions(program, modules, texts=True).reach(origins)
    for module in modules if found.origins else ():
        yield from filter(found.holds, module.every(*_TEXTS))


_GIVING: Final = frozenset(
    (
        tree.Call,
        tree.Walrus,
        tree.Comprehension,
        tree.Assign,
        tree.Block,
        tree.Eval,
        tree.FunctionDef,
        tree.Lambda,
        tree.ClassDef,
    )
)
"""What gives a name to something that it is made of."""
_NAMED: Final = ("import", "def", "class")
"""The bindings that others can name."""

Key: TypeAlias = tuple[int, str]
"""A local name with the scope that binds it; any other name, and that of an attribute, with 0."""
_ESCAPES: Final[Key] = (1, "")
"""What stands for the parameters of all functions that may be called under any name."""


@dataclass(eq=False)
class Mentions:
    """Follows values by name alone, so that it finds more places than a value reaches, and no fewer:
    whatever bears the name of something that has the value in it may have it as well. Only variables
    of functions are told apart, which nobody outside can name."""

    program: Program
    modules: Sequence[Module]
    texts: bool = False
    """Whether the values are texts. What a call yields has them in it only where the call makes a text;
    what the program's own functions return is followed all the same. Parameters are then told apart
    as well: a text is given to a function by a call of it."""
    _nodes: dict[Key, list[tree.Node]] = field(default_factory=lambda: defaultdict(list))
    _aliases: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The other names under which a name is imported."""
    _parameters: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))
    """What functions and constructors of a name are given."""
    _decorators: dict[str, list[tree.Node]] = field(default_factory=lambda: defaultdict(list))
    """What decorates the classes of a name."""
    _steps: dict[Key, frozenset[Key]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for module in self.modules:
            self._read(module)

    def _read(self, module: Module) -> None:
        for node in module.either(tree.Name, tree.Attr):
            self._nodes[self._key(node)].append(node)
        for statement, _ in module.statements:
            for one in statement.names if isinstance(statement, tree.Import) else ():
                if one.name is not None and one.bound != one.name:
                    self._aliases[one.name].append(one.bound)
        for function in module.functions:
            name = function.name
            if name in ("__init__", "__new__") and function.owner is not None:
                name = function.owner.name
            self._parameters[name].update(
                self._bound(p.name, function.scope) for p in function.own_params
            )
        for cls in module.classes:
            self._parameters[cls.name].update((0, name) for name in cls.scope.bindings)
            self._decorators[cls.name] += cls.fact.decorators

    def _key(self, node: tree.Name | tree.Attr) -> Key:
        if isinstance(node, tree.Attr):
            return 0, node.name
        return self._bound(node.id, self.program.names.place(node).scope)

    def _bound(self, name: str, scope: Scope) -> Key:
        around: Scope | None = scope
        while around is not None:
            bindings = around.bindings.get(name)
            if bindings and (around.kind != "class" or around is scope):
                is_local = around.kind in ("function", "lambda", "comprehension")
                open_to = _NAMED if self.texts else (*_NAMED, "param")
                known = any(b.kind in open_to for b in bindings)
                return (id(around), name) if is_local and not known else (0, name)
            around = around.parent
        return 0, name

    @cached_property
    def _escaping(self) -> frozenset[Key]:
        """The parameters of the functions that are passed on, and so may be called under any name."""
        parent_of = self.program.names.parent
        return frozenset(
            parameter
            for name, parameters in self._parameters.items()
            for node in self._nodes.get((0, name), ())
            if not (isinstance(parent := parent_of(node), tree.Call) and parent.func is node)
            for parameter in parameters
        )

    def reach(self, origins: Iterable[tree.Node] = (), names: Iterable[str] = ()) -> Reached:
        """Where what one of `origins` yields may be, or what one of `names` means."""
        origins = list(origins)
        known: set[Key] = {(0, name) for name in names}
        for step in self._above(origins, set()):
            known.update(self._receivers(*step))
        fresh = list(known)
        while fresh:
            new = self._next(fresh.pop()) - known
            known |= new
            fresh += new
        self.program.names.ask(*(name for scope, name in known if not scope))
        return Reached(self, frozenset(known), frozenset(map(id, origins)))

    def holds(self, node: tree.Node, known: Container[Key], origins: Container[int]) -> bool:
        """Whether an expression has in it one of `origins`, by their ids, or a name that is known."""
        if id(node) in origins:
            return True
        if isinstance(node, tree.Name | tree.Attr) and self._key(node) in known:
            return True
        below = (
            (node.func,)
            if isinstance(node, tree.Call) and self._is_lost(node)
            else node.all_below()
        )
        return any(self.holds(part, known, origins) for part in below)

    def _is_lost(self, call: tree.Call) -> bool:
        """Whether what a call is given is not in what it yields."""
        return self.texts and last_name(call.func) not in _TEXT_CALLS

    def _next(self, key: Key) -> frozenset[Key]:
        """The names that get what a name stands for in one step."""
        found = self._steps.get(key)
        if found is None:
            if key == _ESCAPES:
                return self._escaping
            above = self._above(self._nodes.get(key, ()), set())
            others = (other for step in above for other in self._receivers(*step))
            aliases = ((0, alias) for alias in self._aliases.get(key[1], ()) if not key[0])
            kept = self._decorating(key[1]) if not key[0] else ()
            found = self._steps[key] = frozenset((*others, *aliases, *kept))
        return found

    def _decorating(self, name: str) -> Iterator[Key]:
        """The parameters by which the functions that decorate the classes of a name are given these, or what such a
        function gives back is."""
        for decorator in self._decorators.get(name, ()):
            parameters = self._parameters.get(last_name(decorator))
            if parameters is not None:
                yield from parameters
                if isinstance(decorator, tree.Call):
                    yield _ESCAPES

    def _above(
        self, nodes: Iterable[tree.Node], seen: set[int]
    ) -> Iterator[tuple[Parent, tree.Node]]:
        """The expressions that have the values of some in them, but for those in `seen`, where they are
        put; each with what it is part of."""
        parents = self.program.names.index.parents
        for origin in nodes:
            node: tree.Node | None = origin
            while node is not None and (key := id(node)) not in seen:
                seen.add(key)
                parent = parents.get(key)
                if type(parent) in _GIVING:
                    yield parent, node
                if isinstance(parent, tree.Call) and parent.func is not node:
                    node = None if self._is_lost(parent) else parent
                else:
                    node = parent if isinstance(parent, tree.Expr) else None

    def _receivers(self, parent: Parent, node: tree.Node) -> Iterator[Key]:
        """The names that what an expression is part of gives its value."""
        match parent:
            case tree.Call() if node is not parent.func:
                yield from self._given(parent)
            case tree.Walrus():
                yield self._bound(parent.name, self.program.names.place(parent).scope)
            case tree.Comprehension():
                for generator in parent.generators:
                    yield from self._targets(generator.target)
            case tree.Assign():
                for target in parent.targets:
                    yield from self._targets(target)
            case tree.Block():
                for bind in parent.binds:
                    yield from self._targets(bind.target)
            case tree.Eval() if parent.kind == "return" or _yields(node):
                function = self.program.names.function_of(node)
                if function is not None:
                    yield 0, function.name
                    if self.texts and function.name in SAYING and function.owner is not None:
                        yield 0, function.owner.name  # whose objects say it in texts
                    for decorator in function.fact.decorators:  # `@repository.register`
                        func = decorator.func if isinstance(decorator, tree.Call) else decorator
                        if isinstance(func, tree.Attr) and func.name == "register":
                            yield 0, last_name(func.base)
            case tree.FunctionDef() | tree.Lambda():  # annotations and defaults
                scope = self.program.names.index.scopes[id(parent)]
                yield from (self._bound(p.name, scope) for p in parent.params)
                if isinstance(parent, tree.FunctionDef):
                    yield 0, parent.name
            case tree.ClassDef():
                yield 0, parent.name
            case _:
                return

    def _given(self, call: tree.Call) -> Iterator[Key]:
        """The parameters that an argument of a call may become."""
        name = last_name(call.func)
        if name in self._parameters:
            yield from self._parameters[name]
        elif isinstance(call.func, tree.Name) and not self.texts and self._is_local(call.func):
            yield _ESCAPES
        if not self.texts and isinstance(call.func, tree.Attr) and name in _PUTTING:
            yield from self._targets(call.func.base)
        elif name == "setattr" and call.args:
            yield from self._targets(call.args[0].value)
        for argument in call.args:  # `map(f, values)`, and `setattr(x, "name", value)`
            yield from self._parameters.get(last_name(argument.value), ())
            value = argument.value
            if isinstance(value, tree.Const) and isinstance(value.value, str):
                said = value.value.rpartition(".")[2]
                if said.isidentifier():
                    yield 0, said

    def _is_local(self, name: tree.Name) -> bool:
        return any(binding.is_variable for binding in self.program.names.bindings_of(name))

    def _targets(self, node: tree.Node) -> Iterator[Key]:
        match node:
            case tree.Name() | tree.Attr():
                yield self._key(node)
            case tree.Subscript(base=inner) | tree.Wrapped(value=inner):
                yield from self._targets(inner)
            case tree.Sequence(items=items):
                for item in items:
                    yield from self._targets(item)
            case _:
                return


class Reached(Struct, frozen=True):
    """Where a value may be."""

    mentions: Mentions
    names: frozenset[Key]
    """What may stand for it."""
    origins: frozenset[int]
    """The expressions that yield it, by their ids."""

    def holds(self, node: tree.Node) -> bool:
        """Whether an expression may have the value in it."""
        return self.mentions.holds(node, self.names, self.origins)


def _yields(node: tree.Node) -> bool:
    return isinstance(node, tree.Wrapped) and node.kind in ("yield", "yieldfrom")
