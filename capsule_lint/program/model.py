"""What a program is made of: modules, classes, functions, scopes, and what binds a name."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final, Generic, TypeAlias, TypeVar, cast

from capsule_lint.facts import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


_Fact = TypeVar("_Fact", tree.FunctionDef, tree.ClassDef)
_Kind = TypeVar("_Kind", bound=tree.Node)
_Other = TypeVar("_Other", bound=tree.Node)
_NUMBERS: Final = count()
Branch = tuple[int, int, bool]
"""A block that a statement stands in: the block's number, which of its bodies, whether it loops."""


@dataclass(eq=False, slots=True)
class Binding:
    """One place that gives a name a value."""

    name: str
    kind: str
    """`assign`, `param`, `for`, `with`, `except`, `case`, `import`, `def` or `class`."""
    place: Place
    at: tree.At
    value: tree.Node | None = None
    annotation: tree.Node | None = None
    path: tuple[int, ...] = ()
    """Where the name stands in an unpacked target: `(a, (b, c))` gives `c` the path `(1, 1)`."""
    definition: Function | Class | None = None
    imported: tree.Imported | None = None
    level: int = 0
    parameter: tree.Parameter | None = None

    @property
    def function(self) -> Function | None:
        """The function around it."""
        return self.place.scope.function

    @property
    def module(self) -> Module:
        """The file that it stands in."""
        return self.place.scope.module

    @property
    def is_global(self) -> bool:
        """Whether the name is one of its module."""
        return self.place.scope.kind == "module"

    @property
    def is_variable(self) -> bool:
        """Whether the name stands for a value that the code gives it, and for no definition or import."""
        return self.kind not in ("def", "class", "import")

    @property
    def assigned(self) -> tree.Node | None:
        """What an assignment gives the name as a whole; `None` for any other binding, and for `name += …`."""
        is_whole = self.kind == "assign" and not self.path and not self.is_step
        return self.value if is_whole else None

    @property
    def is_step(self) -> bool:
        """Whether it is one of `name += …`."""
        return bool(self.operator)

    @property
    def operator(self) -> str:
        """The `+` of `name += …`; empty for any other binding."""
        statement = self.place.statement
        return statement.op if isinstance(statement, tree.Assign) else ""


@dataclass(eq=False, slots=True)
class Scope:
    """A namespace: of a module, a class, a function, a lambda or a comprehension."""

    kind: str
    parent: Scope | None
    module: Module
    function: Function | None
    cls: Class | None = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)
    statements: list[tuple[tree.Statement, Place]] = field(default_factory=list)
    """Its own, in the order of the file, also those in its blocks."""

    def ancestors(self) -> Iterator[Scope]:
        """This scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


@dataclass(eq=False, slots=True)
class Place:
    """Where an expression stands: its scope, its statement, and the blocks around that."""

    scope: Scope
    statement: tree.Statement | None
    blocks: tuple[Branch, ...]
    order: int

    def inside(self, scope: Scope) -> Place:
        """The same place, in a scope that begins there."""
        return Place(scope, self.statement, self.blocks, self.order)


@dataclass(eq=False, repr=False, slots=True)
class _Defined(Generic[_Fact]):
    """What a statement defines."""

    fact: _Fact
    module: Module
    qualname: str
    decorators: frozenset[str] = field(init=False)
    """The last names of its decorators: `property`, `fixture`, `dataclass`."""
    _number: int = field(init=False)

    def __post_init__(self) -> None:
        self._number = next(_NUMBERS)
        self.decorators = frozenset(map(last_name, self.fact.decorators))

    def __hash__(self) -> int:
        """The same in each run, so that sets give what is in them in the same order."""
        return self._number

    @property
    def name(self) -> str:
        """What it is called where it is defined."""
        return self.fact.name

    @property
    def symbol(self) -> str:
        """The dotted name under which people know it."""
        return f"{self.module.name}.{self.qualname}"

    def __repr__(self) -> str:
        return f"<{self.symbol}>"


@dataclass(eq=False, repr=False, slots=True)
class Function(_Defined[tree.FunctionDef]):
    """A function or method."""

    owner: Class | None
    parent: Function | None
    scope: Scope
    place: Place
    returns: list[tree.Node] = field(default_factory=list)
    yields: list[tree.Wrapped] = field(default_factory=list)
    takes_self: bool = field(init=False)
    """Whether its first parameter is the instance or the class, or the task that it is made into."""
    own_params: tuple[tree.Parameter, ...] = field(init=False)
    """Its parameters without `self` or `cls`."""

    def __post_init__(self) -> None:
        _Defined.__post_init__(self)
        method = self.owner is not None and not self.is_static
        self.takes_self = (method or self.is_bound_by_decorator) and bool(self.params)
        self.own_params = self.params[1:] if self.takes_self else self.params

    @property
    def given_back(self) -> list[tree.Node]:
        """What it returns, and what it yields."""
        return [*self.returns, *(one.value for one in self.yields)]

    @property
    def is_static(self) -> bool:
        """Whether a class has it, and it is given neither the instance nor the class."""
        return "staticmethod" in self.decorators

    @property
    def self_name(self) -> str:
        """What it calls the instance or the class; empty where it is given none."""
        return self.params[0].name if self.takes_self else ""

    @property
    def draws(self) -> bool:
        """Whether Hypothesis makes a strategy of it that draws from others: `@composite`."""
        return "composite" in self.decorators

    @property
    def is_bound_by_decorator(self) -> bool:
        """Whether a decorator gives its first parameter: Celery the task, by `bind=True`, or Hypothesis what draws
        from strategies."""
        bound = any(
            argument.keyword == "bind"
            for decorator in self.fact.decorators
            if isinstance(decorator, tree.Call)
            for argument in decorator.args
        )
        return self.owner is None and (bound or self.draws)

    @property
    def is_property(self) -> bool:
        """Whether it is read as an attribute."""
        return any("property" in name or name == "setter" for name in self.decorators)

    @property
    def params(self) -> tuple[tree.Parameter, ...]:
        """All its parameters, `self` or `cls` included."""
        return self.fact.params

    def parameter(self, name: str) -> tree.Parameter | None:
        """The parameter of that name."""
        for parameter in self.fact.params:
            if parameter.name == name:
                return parameter
        return None


@dataclass(eq=False, repr=False, slots=True)
class Class(_Defined[tree.ClassDef]):
    """A class."""

    scope: Scope
    place: Place
    parent: Function | None
    methods: dict[str, Function] = field(default_factory=dict)
    stores: dict[str, list[Store]] = field(default_factory=dict)
    """What its methods assign to attributes of `self`."""

    def has(self, name: str) -> bool:
        """Whether the class itself, not a base of it, gives its instances that attribute."""
        return name in self.stores or name in self.methods or name in self.scope.bindings


@dataclass(eq=False, slots=True)
class Store:
    """`self.name = value` in a method."""

    function: Function
    statement: tree.Assign
    value: tree.Node | None
    annotation: tree.Node | None
    path: tuple[int, ...] = ()

    @property
    def told(self) -> tree.Node | None:
        """How the parameter is annotated that the attribute is given."""
        value = self.value
        own = self.function.parameter(value.id) if isinstance(value, tree.Name) else None
        return own.annotation if own is not None else None


Symbol: TypeAlias = Function | Class
"""What a name in the code may stand for that can change: the ledger has its occurrences."""


@dataclass(eq=False, slots=True)
class Module:
    """A file of the program, with an index of what it contains."""

    name: str
    facts: tree.FileFacts
    is_package: bool
    is_test: bool
    scope: Scope = field(init=False)
    functions: list[Function] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)
    stars: list[tree.Import] = field(default_factory=list)
    imports: list[tuple[tree.Import, Place]] = field(default_factory=list)
    nodes: list[tree.Node] = field(default_factory=list)
    """All expressions, in the order of the file."""
    kinds: dict[type[object], list[tree.Node]] = field(default_factory=lambda: defaultdict(list))
    _several: dict[tuple[type[object], ...], list[tree.Node]] = field(default_factory=dict)
    _named: dict[str, list[tree.Name | tree.Attr]] | None = None
    _assigned: list[tuple[tree.Node, tree.Node]] | None = None
    statements: list[tuple[tree.Statement, Place]] = field(default_factory=list)
    blocks: dict[int, tree.Block] = field(default_factory=dict)
    """The compound statements, by the numbers that branches have."""
    starts: dict[int, int] = field(default_factory=dict)
    """When each of them begins, in the order of statements."""

    @property
    def filename(self) -> str:
        """Its path, relative to the root of the policy."""
        return self.facts.filename

    @property
    def generated(self) -> bool:
        """Whether a tool writes it, so that nobody may edit it."""
        return self.facts.generated

    def each(self, kind: type[_Kind]) -> Sequence[_Kind]:
        """All expressions of one kind, in the order of the file."""
        return cast("Sequence[_Kind]", self.kinds.get(kind, ()))

    def either(self, kind: type[_Kind], other: type[_Other]) -> Iterator[_Kind | _Other]:
        """All expressions of one kind, and after them those of another."""
        yield from self.each(kind)
        yield from self.each(other)

    @property
    def named(self) -> Mapping[str, Sequence[tree.Name | tree.Attr]]:
        """The names and the attributes, by what they are called."""
        if self._named is None:
            self._named = defaultdict(list)
            for node in self.either(tree.Name, tree.Attr):
                self._named[node.last_name()].append(node)
        return self._named

    def every(self, *kinds: type[_Kind]) -> Sequence[_Kind]:
        """All expressions of several kinds, in the order of the file."""
        found = self._several.get(kinds)
        if found is None:
            found = self._several[kinds] = [node for node in self.nodes if type(node) in kinds]
        return cast("Sequence[_Kind]", found)

    @property
    def assigned(self) -> Sequence[tuple[tree.Node, tree.Node]]:
        """The targets of all assignments, each with what it is given."""
        if self._assigned is None:
            self._assigned = [
                (target, statement.value)
                for statement, _ in self.statements
                if isinstance(statement, tree.Assign) and statement.value is not None
                for target in statement.targets
            ]
        return self._assigned

    def loops(self) -> Iterator[tuple[tree.Node, tree.Node]]:
        """The target of each loop and comprehension, with what it goes through."""
        for statement, _ in self.statements:
            for bind in statement.binds if isinstance(statement, tree.Block) else ():
                if bind.how == "for" and bind.value is not None:
                    yield bind.target, bind.value
        for node in self.each(tree.Comprehension):
            yield from ((part.target, part.iter) for part in node.generators)

    def __repr__(self) -> str:
        return f"<module {self.name}>"


def last_name(node: tree.Node | None) -> str:
    """The last identifier of `a.b.c`, `a.b.c(…)` or `a.b.c[…]`; empty for anything else."""
    return node.last_name() if node is not None else ""


def named_setting(call: tree.Call) -> tuple[tree.Node, str, tree.Node] | None:
    """The object, the attribute and the value of `setattr(note, "pk", value)`, and of `object.__setattr__(…)`."""
    match call.args:
        case (
            tree.Argument(value=base),
            tree.Argument(value=tree.Const(value=str() as name)),
            tree.Argument(value=value),
        ) if last_name(call.func) in ("setattr", "__setattr__"):
            return base, name, value
        case _:
            return None


def start_of(node: tree.Node) -> tree.Node:
    """What a path or a chain of calls starts with."""
    while isinstance(node, tree.Attr | tree.Subscript | tree.Call):
        node = node.func if isinstance(node, tree.Call) else node.base
    return node


def first_name(node: tree.Node) -> str:
    """The name that a path or a chain of calls starts with; empty where it is none."""
    start = start_of(node)
    return start.id if isinstance(start, tree.Name) else ""


def outwards(function: Function | None) -> Iterator[Function]:
    """A function and those that it stands in, innermost first."""
    while function is not None:
        yield function
        function = function.parent


def enclosing(place: Place) -> Iterator[Function]:
    """The functions around a place, innermost first."""
    return outwards(place.scope.function)


def method_around(function: Function | None) -> Function | None:
    """A function, or the first one around it, that is a method."""
    return next((f for f in outwards(function) if f.owner is not None), None)


def owner_of(function: Function | None) -> Class | None:
    """The class that a function, or one around it, is a method of."""
    method = method_around(function)
    return method.owner if method is not None else None
