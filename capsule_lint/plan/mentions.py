"""Where the value of an expression may go by name: through locals, attributes, and what functions return."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.program import Program
    from capsule_lint.program.model import Module
    from capsule_lint.program.walk import Parent

_TEXTS: Final = (tree.FString, tree.Binary, tree.Call)


def texts_with(program: Program, origins: Iterable[tree.Node]) -> Iterator[tree.Node]:
    """The expressions outside tests that may put one of `origins` into a longer text, in the order of
    the program."""
    modules = [m for m in program.names.modules.values() if not m.is_test and not m.generated]
    found = Mentions(program, modules).reach(origins)
    for module in modules if found else ():
        for node in module.nodes:
            if id(node) in found and isinstance(node, _TEXTS):
                yield node


@dataclass(eq=False)
class Mentions:
    """Follows values by name alone, so that it finds more places than a value reaches, and no fewer:
    whatever bears the name of something that has the value in it may have it as well."""

    program: Program
    modules: Sequence[Module]
    _by_name: dict[str, list[tree.Node]] = field(default_factory=lambda: defaultdict(list))
    _aliases: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The other names under which a name is imported."""
    _parameters: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The names of what functions and constructors of a name are given."""

    def __post_init__(self) -> None:
        for module in self.modules:
            self._read(module)

    def _read(self, module: Module) -> None:
        for node in module.nodes:
            if isinstance(node, tree.Name):
                self._by_name[node.id].append(node)
            elif isinstance(node, tree.Attr):
                self._by_name[node.name].append(node)
        for statement, _ in module.statements:
            for one in statement.names if isinstance(statement, tree.Import) else ():
                if one.name is not None and one.bound != one.name:
                    self._aliases[one.name].append(one.bound)
        for function in module.functions:
            name = function.name
            if name in ("__init__", "__new__") and function.owner is not None:
                name = function.owner.name
            self._parameters[name].update(p.name for p in function.own_params)
        for cls in module.classes:
            self._parameters[cls.name].update(cls.scope.bindings)

    @cached_property
    def _escaping(self) -> set[str]:
        """The parameters of the functions that are passed on, and so may be called under any name."""
        parent_of = self.program.names.parent
        return {
            parameter
            for name, parameters in self._parameters.items()
            for node in self._by_name.get(name, ())
            if not (isinstance(parent := parent_of(node), tree.Call) and parent.func is node)
            for parameter in parameters
        }

    def reach(self, origins: Iterable[tree.Node] = (), names: Iterable[str] = ()) -> set[int]:
        """The expressions that may have in them what one of `origins` yields, or one of `names` means,
        by identity."""
        seen: set[int] = set()
        known: set[str] = set()
        queue = list(origins)
        fresh = list(names)
        while queue or fresh:
            while fresh:
                name = fresh.pop()
                if name not in known:
                    known.add(name)
                    queue += self._by_name.get(name, ())
                    fresh += self._aliases.get(name, ())
            node = queue.pop() if queue else None
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            parent = self.program.names.parent(node)
            if isinstance(parent, tree.Expr):
                queue.append(parent)
            fresh += self._receivers(parent, node)
        return seen

    def _receivers(self, parent: Parent, node: tree.Node) -> Iterator[str]:
        """The names that what an expression is part of gives its value."""
        match parent:
            case tree.Call() if node is not parent.func:
                yield from self._given(parent)
            case tree.Walrus():
                yield parent.name
            case tree.Comprehension():
                for generator in parent.generators:
                    yield from _targets(generator.target)
            case tree.Assign():
                for target in parent.targets:
                    yield from _targets(target)
            case tree.Block():
                for bind in parent.binds:
                    yield from _targets(bind.target)
            case tree.Eval():
                function = self.program.names.place(node).scope.function
                if function is not None:
                    yield function.name
            case tree.FunctionDef() | tree.Lambda():  # annotations and defaults
                yield from (p.name for p in parent.params)
                if isinstance(parent, tree.FunctionDef):
                    yield parent.name
            case tree.ClassDef():
                yield parent.name
            case _:
                return

    def _given(self, call: tree.Call) -> Iterator[str]:
        """The parameters that an argument of a call may become."""
        name = last_name(call.func)
        if name in self._parameters:
            yield from self._parameters[name]
        elif isinstance(call.func, tree.Name) and self._is_local(call.func):
            yield from self._escaping
        for argument in call.args:  # `map(f, values)`, and `setattr(x, "name", value)`
            yield from self._parameters.get(last_name(argument.value), ())
            value = argument.value
            if isinstance(value, tree.Const) and isinstance(value.value, str):
                yield value.value.rpartition(".")[2]

    def _is_local(self, name: tree.Name) -> bool:
        bindings = self.program.names.bindings(name.id, self.program.names.place(name))
        return any(b.kind not in ("def", "class", "import") for b in bindings)


def _targets(node: tree.Node) -> Iterator[str]:
    match node:
        case tree.Name(id=name) | tree.Attr(name=name):
            yield name
        case tree.Subscript(base=inner) | tree.Wrapped(value=inner):
            yield from _targets(inner)
        case tree.Sequence(items=items):
            for item in items:
                yield from _targets(item)
        case _:
            return
