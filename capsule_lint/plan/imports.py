"""Which import brings a name into a module: how it is written, and whether it may run at run time."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, Module, enclosing, last_name, outwards
from capsule_lint.program.names import External

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.policy import Reference
    from capsule_lint.program import Program
    from capsule_lint.program.model import Class, Function, Place


class Needed(Struct, frozen=True):
    """An import that a module needs: the module as it is to be written, whether it belongs under
    `if TYPE_CHECKING:`, and whether it is the first one of the program's own in a file."""

    written: str
    typing: bool
    apart: bool


class Refused(Struct, frozen=True):
    """Why a name cannot be imported."""

    reason: str


@dataclass(eq=False, slots=True)
class Imports:
    """Decides on imports, for one program."""

    program: Program
    _edges: dict[str, frozenset[str]] = field(default_factory=dict)
    _own: frozenset[str] = field(init=False)
    """The program's own packages, and modules that are in none."""

    def __post_init__(self) -> None:
        self._own = frozenset(name.partition(".")[0] for name in self.program.names.modules)

    def find(
        self, module: Module, source: str, name: str, *, annotation: bool, quoted: bool = False
    ) -> Needed | Refused | None:
        """What `module` needs so that `name` means `source`'s; `None` when it has it already.

        `annotation` says that the name is needed in annotations alone, `quoted` that these may be texts.
        """
        if source == "builtins" or self.program.names.module(source) is module:
            return None
        for binding in module.scope.bindings.get(name, ()):
            if self._is_it(binding, source, name):
                if annotation or not _is_typing(binding.place):
                    return None
            else:
                return Refused(f"`{name}` means something else in this file")
        if self._comes_by_star(module, source, name):
            return None
        written, typing = self._written(module, source, name)
        typing = typing and annotation and (quoted or self.is_postponed(module))
        if not typing and self._closes_circle(module, source):
            if not (annotation and self.is_postponed(module)):
                return Refused(
                    f"importing `{name}` from `{source}` would close a circle of imports"
                )
            typing = True
        return Needed(written, typing, self._is_first(module, source))

    def _is_first(self, module: Module, source: str) -> bool:
        """Whether a file imports something else of the program, where it has nothing of that at its top yet."""
        tops = {
            imported.module.partition(".")[0]
            for statement, place in module.imports
            if place.scope.kind == "module"
            for imported in statement.names
            if not statement.level
        }
        relative = any(statement.level for statement, _ in module.imports)
        return (
            source.partition(".")[0] in self._own and not relative and self._own.isdisjoint(tops)
        )

    def _comes_by_star(self, module: Module, source: str, name: str) -> bool:
        """Whether a file has a name, there or to come, of a module of which it imports everything."""
        names, home = self.program.names, self.program.names.module(source)
        if home is None or name.startswith("_") or "__all__" in home.scope.bindings:
            return False
        stars = [(star, place) for star, place in module.imports if star in module.stars]
        wholes = [
            names.module(names.absolute(module, star.level, star.names[0].module))
            for star, _ in stars
        ]
        return (
            home in wholes
            and not any(place.blocks for _, place in stars)
            and all(
                one is home or (one is not None and names.global_binding(one, name) is None)
                for one in wholes
            )
        )

    def inside(self, node: tree.Node, source: str, name: str) -> tuple[str, str] | None:
        """The module as a function around an expression writes it, which imports from it itself, and that function;
        `None` where there is none, or the file imports from it at its top."""
        names, place = self.program.names, self.program.names.place(node)
        module, found = place.scope.module, None
        for statement, at in module.imports:
            named = (imported.module for imported in statement.names if imported.name)
            if source not in (names.absolute(module, statement.level, base) for base in named):
                continue
            if at.scope.kind == "module":
                return None
            function = at.scope.function
            if (
                function is None
                or at.scope is not function.scope
                or function not in enclosing(place)
            ):
                continue
            inner = at.blocks or any(one.place.blocks for one in around(function))
            if not inner and at.order < place.order and name not in function.scope.bindings:
                found = "." * statement.level + statement.names[0].module, function.qualname
        return found

    def through(self, node: tree.Node, source: str, name: str) -> str | None:
        """How the file of an expression says a name there, of a module that it imports whole, before anything else is
        run, and of which it imports nothing by name."""
        absolute, place = self.program.names.absolute, self.program.names.place(node)
        module = place.scope.module
        named = any(
            imported.name and absolute(module, statement.level, imported.module) == source
            for statement, _ in module.imports
            for imported in statement.names
        )
        said = None if named else through_module(self.program, module, source, name)
        if said is None:
            return None
        bound = said.partition(".")[0]
        hidden = any(
            bound in scope.bindings
            for scope in place.scope.ancestors()
            if scope.parent is not None
        )
        order = module.scope.bindings[bound][0].place.order
        leading = takewhile(_is_leading, module.scope.statements)
        return said if not hidden and any(at.order == order for _, at in leading) else None

    def by_module(self, module: Module, source: str, name: str) -> tuple[str, str] | None:
        """The package, and the module in it, by which a file can say a name that means something else there itself:
        `helpers.test_capsule`; `None` where it has the name, or cannot say it so either."""
        package, _, last = source.rpartition(".")
        bindings = module.scope.bindings.get(name, ())
        if not package or all(self._is_it(binding, source, name) for binding in bindings):
            return None
        if _is_taken(module, last) or self._closes_circle(module, source):
            return None
        needed = self.find(module, package, last, annotation=False)
        return None if isinstance(needed, Refused) else (package, last)

    def must_quote(self, module: Module, name: str) -> bool:
        """Whether annotations of a module have to say a name that it has as a text: they are evaluated, and
        it is imported for the type checker alone."""
        bindings = module.scope.bindings.get(name, ())
        alone = bool(bindings) and all(_is_typing(binding.place) for binding in bindings)
        return alone and not self.is_postponed(module)

    def comes_late(self, function: Function, name: str) -> bool:
        """Whether the file of a function defines a name further down, or by the class around the function: its
        annotations, which are evaluated, have to say that as a text."""
        bindings, outer = function.module.scope.bindings.get(name, ()), tuple(around(function))
        late = bool(bindings) and all(
            b.at > function.fact.at or b.definition in outer for b in bindings
        )
        return late and function.parent is None and not self.is_postponed(function.module)

    def can(self, module: Module, wanted: Reference) -> bool:
        """Whether a module can have a type for its annotations."""
        needed = self.find(module, wanted.module, wanted.root, annotation=True)
        return not isinstance(needed, Refused)

    def _is_it(self, binding: Binding, source: str, name: str) -> bool:
        names = self.program.names
        if binding.kind != "import" or binding.imported is None:
            return False
        module = binding.module
        if names.absolute(module, binding.level, binding.imported.module) == source:
            return True
        return names.follow(binding) is names.follow(names.member(source, name))

    # --- how it is written ---

    def _written(self, module: Module, source: str, name: str) -> tuple[str, bool]:
        """The module as this file writes it, and whether that import is for the type checker.

        First that which brings the type of another scope, also where it only passes the name on.
        """
        names = self.program.names
        target = names.follow(names.member(source, name))
        kindred = {s.type.root for s in self.program.policy.scopes if s.type is not None}
        same: tuple[str, bool] | None = None
        for statement, place in module.imports:
            if place.scope.kind != "module":
                continue
            for imported in statement.names:
                if imported.name is None or imported.name == "*":
                    continue
                base = names.absolute(module, statement.level, imported.module)
                found = "." * statement.level + imported.module, _is_typing(place)
                passes = (
                    isinstance(target, Binding)
                    and names.follow(names.member(base, name)) is target
                )
                if imported.name in kindred and passes:
                    return found
                if base == source:
                    same = same or found
        return same or (self._relative(module, source), False)

    def _relative(self, module: Module, source: str) -> str:
        """`..ids` where the file imports relatively, else the dotted name."""
        target = self.program.names.module(source)
        if target is None or not any(statement.level for statement, _ in module.imports):
            return source
        own = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
        theirs = source.split(".")
        common = 0
        while common < min(len(own), len(theirs)) and own[common] == theirs[common]:
            common += 1
        return "." * (len(own) - common + 1) + ".".join(theirs[common:]) if common else source

    # --- circles ---

    def is_postponed(self, module: Module) -> bool:
        """Whether annotations are not evaluated: `from __future__ import annotations`."""
        return any(
            imported.module == "__future__" and imported.name == "annotations"
            for statement, _ in module.imports
            for imported in statement.names
        )

    def _closes_circle(self, module: Module, source: str) -> bool:
        """Whether importing `source` at run time would make a circle that is not there yet."""
        start = self.program.names.module(source)
        if start is None or start.name in self._imported_by(module):
            return False
        seen, queue = {start.name}, [start.name]
        while queue:
            current = self.program.names.exact(queue.pop())
            for other in self._imported_by(current) if current is not None else ():
                if other == module.name:
                    return True
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        return False

    def _imported_by(self, module: Module) -> frozenset[str]:
        """The modules of the program that a module imports when it is imported itself."""
        known = self._edges.get(module.name)
        if known is None:
            known = self._edges[module.name] = frozenset(self._run_time_imports(module))
        return known

    def _run_time_imports(self, module: Module) -> Iterator[str]:
        names = self.program.names
        for statement, place in module.imports:
            if place.scope.kind == "function" or _is_typing(place):
                continue
            for imported in statement.names:
                base = names.absolute(module, statement.level, imported.module)
                for dotted in (base, f"{base}.{imported.name}"):
                    found = names.module(dotted)
                    if found is not None:
                        yield found.name


def through_module(program: Program, module: Module, source: str, name: str) -> str | None:
    """How a file says a name of another module that it imports whole: `uuid.UUID`, `ids.CapsuleId`; `None`
    where it imports the name itself, does not have the module, or calls something else so."""
    names, root = program.names, name.partition(".")[0]
    if source == "builtins" or any(
        b.kind == "import" for b in module.scope.bindings.get(root, ())
    ):
        return None
    for bound, bindings in module.scope.bindings.items():
        if len(bindings) != 1 or bindings[0].kind != "import" or _is_typing(bindings[0].place):
            continue
        target = names.follow(bindings[0])
        if isinstance(target, Module | External) and target.name == source:
            return f"{bound}.{name}" if not _is_taken(module, bound) else None
    return None


def _is_leading(one: tuple[tree.Statement, Place]) -> bool:
    """Whether a statement of a file is an import, or a docstring, and runs in any case."""
    match one:
        case tree.Import() | tree.Eval(kind="expr", values=(tree.Const(),)), place:
            return not place.blocks
        case _:
            return False


def _is_taken(module: Module, name: str) -> bool:
    """Whether a class or a function of a file has something of its own under a name."""
    scopes = (place.scope for _, place in module.statements)
    return any(name in scope.bindings for scope in scopes if scope is not module.scope)


def around(function: Function) -> Iterator[Function | Class]:
    """A function, and the functions and classes around it."""
    for one in outwards(function):
        yield one
        if one.owner is not None:
            yield one.owner


def _is_typing(place: Place) -> bool:
    """Whether a place is inside of `if TYPE_CHECKING:`."""
    blocks = place.scope.module.blocks
    return any(
        branch == 0
        and blocks[number].kind == "if"
        and isinstance(blocks[number].heads[0], tree.Name | tree.Attr)
        and last_name(blocks[number].heads[0]) == "TYPE_CHECKING"
        for number, branch, _ in place.blocks
    )
