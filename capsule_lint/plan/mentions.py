"""Where the value of an expression may go by name: through locals, attributes, and what functions return."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Module
    from capsule_lint.program.walk import Parent

_TEXTS: Final = (tree.FString, tree.Binary, tree.Call)


def texts_with(program: Program, origins: Iterable[tree.Node]) -> Iterator[tree.Node]:
    """The expressions outside tests that may put one of `origins` into a longer text, in the order of
    the program.

    By names alone, so that it gives more than there are, and never fewer: whatever bears the name of
    something that has an origin in it may have it as well.
    """
    found = _Search(program).all(origins)
    for module in program.names.modules.values():
        for node in module.nodes if found else ():
            if id(node) in found and isinstance(node, _TEXTS):
                yield node


@dataclass(eq=False)
class _Search:
    """Follows values by name."""

    program: Program
    mentions: dict[str, list[tree.Node]] = field(default_factory=lambda: defaultdict(list))
    aliases: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The other names under which a name is imported."""
    parameters: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The names of what functions and constructors of a name are given."""

    def __post_init__(self) -> None:
        for module in self.program.names.modules.values():
            if not module.is_test and not module.generated:
                self._read(module)

    def _read(self, module: Module) -> None:
        for node in module.nodes:
            if isinstance(node, tree.Name):
                self.mentions[node.id].append(node)
            elif isinstance(node, tree.Attr):
                self.mentions[node.name].append(node)
        for statement, _ in module.statements:
            for one in statement.names if isinstance(statement, tree.Import) else ():
                if one.name is not None and one.bound != one.name:
                    self.aliases[one.name].append(one.bound)
        for function in module.functions:
            name = function.name
            if name in ("__init__", "__new__") and function.owner is not None:
                name = function.owner.name
            self.parameters[name].update(p.name for p in function.params)
        for cls in module.classes:
            self.parameters[cls.name].update(cls.scope.bindings)

    def all(self, origins: Iterable[tree.Node]) -> set[int]:
        """The expressions that may have an origin in them."""
        seen: set[int] = set()
        names: set[str] = set()
        queue = list(origins)
        while queue:
            node = queue.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            parent = self.program.names.index.parents.get(id(node))
            if isinstance(parent, tree.Expr):
                queue.append(parent)
            fresh = list(self._receivers(parent, node))
            while fresh:
                name = fresh.pop()
                if name not in names:
                    names.add(name)
                    queue += self.mentions.get(name, ())
                    fresh += self.aliases.get(name, ())
        return seen

    def _receivers(self, parent: Parent, node: tree.Node) -> Iterator[str]:
        """The names that what an expression is part of gives its value."""
        match parent:
            case tree.Call() if node is not parent.func:
                yield from self.parameters.get(last_name(parent.func), ())
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
            case _:
                return


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
