"""Names to what they are bound to: modules, imports, re-exports, star imports, lexical scopes."""

from __future__ import annotations

import sys
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.late_names import found_late
from capsule_lint.program.model import Binding, Class, Function, Module, Place, outwards
from capsule_lint.program.reaching import comes_after, reaching, same_flow
from capsule_lint.program.walk import Index, Parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from capsule_lint.program.model import Scope


class External(Struct, frozen=True):
    """Something that is not defined in the program: its dotted name."""

    name: str


Target = Module | Binding | External
"""What an import leads to."""


@dataclass(eq=False)
class Names:
    """All modules of the program, and how their names resolve."""

    modules: dict[str, Module] = field(default_factory=dict)
    """The modules that may hold what matters, by their dotted names."""
    quiet: frozenset[str] = frozenset()
    """The files of those that only look functions up by names that are made: what reaches into them and
    comes out of them counts, and nothing in them is judged."""
    broken: bool = False
    """Whether nobody could read what stands in some of their files."""
    index: Index = field(default_factory=Index)
    asked: set[str] = field(default_factory=set)
    """The names whose users, wherever they are, have been asked for."""
    guessing: int = 0
    """How many types are being found: what is asked on that way is not about what changes."""
    looked_up: set[Function] = field(default_factory=set)
    """The functions that may be looked up by names that are made."""
    entered: set[str] = field(default_factory=set)
    """The files of the functions that a changing one is given to."""
    read: Callable[[str], Module | None] = field(default=lambda filename: None)
    """Reads a module that no word of interest stands in: a name has led there."""
    defines: Callable[[str, str], bool] = field(default=lambda filename, name: False)
    """Whether a file in which no word of interest stands defines a name itself, by what its text says."""
    unread: dict[str, str] = field(default_factory=dict)
    """The files of such modules, by their dotted names."""
    _read: dict[str, Module | None] = field(default_factory=dict)
    _late: set[tuple[Module, str]] = field(default_factory=set)
    """The names that are being looked for where a module finds them late."""
    _bindings: dict[int, list[Binding]] = field(default_factory=dict)
    """Those of names that were asked for, by the `id` of the name, which the program keeps."""
    _inside: dict[Module, dict[Function, list[tree.Node]]] = field(default_factory=dict)
    _called: dict[Function, dict[str, list[tree.Name]]] = field(default_factory=dict)
    _defined: dict[str, Class | Function | None] = field(default_factory=dict)
    """What dotted names define that were asked for."""
    stubs: dict[str, Module] = field(default_factory=dict)
    """The `.pyi` files that stand beside modules, by the modules' names: what they declare is no part
    of the program, and changes with what it declares."""

    def inside(self, function: Function) -> Sequence[tree.Node]:
        """The expressions in a function, those of functions inside of it among them, in the order of
        the file."""
        module = function.module
        if module not in self._inside:
            found = self._inside[module] = defaultdict(list)
            places = self.index.places
            for innermost, nodes in groupby(
                module.nodes, lambda node: places[id(node)].scope.function
            ):
                together = list(nodes)
                for around in outwards(innermost):
                    found[around] += together
        return self._inside[module].get(function, ())

    def called(self, function: Function, name: str) -> Sequence[tree.Name]:
        """The names in a function that are spelled so, in the order of the file."""
        if function not in self._called:
            found = self._called[function] = defaultdict(list)
            for node in self.inside(function):
                if isinstance(node, tree.Name):
                    found[node.id].append(node)
        return self._called[function].get(name, ())

    def judged(self) -> list[Module]:
        """The modules in which something may be found."""
        return [module for module in self.modules.values() if module.filename not in self.quiet]

    def editable(self) -> list[Module]:
        """Those of them that may be edited: no generated ones."""
        return [module for module in self.judged() if not module.generated]

    def production(self) -> list[Module]:
        """Those of these that are no tests."""
        return [module for module in self.editable() if not module.is_test]

    def constants_of_tests(self) -> Iterator[tree.Const]:
        """The constants that are written out in tests, also in generated ones."""
        for module in self.modules.values():
            yield from module.each(tree.Const) if module.is_test else ()

    def named(self, *names: str) -> Iterator[tree.Name | tree.Attr]:
        """The names and attributes that are called so, wherever they stand."""
        for module in self.modules.values():
            for name in dict.fromkeys(names):
                yield from module.named.get(name, ())

    def place(self, node: tree.Node) -> Place:
        """Where an expression of the program stands."""
        return self.index.places[id(node)]

    def module_of(self, node: tree.Node) -> Module:
        """The file that an expression stands in."""
        return self.index.places[id(node)].scope.module

    def function_of(self, node: tree.Node) -> Function | None:
        """The innermost function around an expression; `None` outside of all."""
        return self.index.places[id(node)].scope.function

    def symbol_of(self, node: tree.Node) -> str:
        """What people know that function by, or else the module."""
        scope = self.index.places[id(node)].scope
        return scope.function.symbol if scope.function is not None else scope.module.name

    def parent(self, node: object) -> Parent:
        """What an expression is a part of: an expression, a statement, or nothing that is known."""
        return self.index.parents.get(id(node))

    def annotates(self, node: tree.Node) -> bool:
        """Whether an expression is in an annotation: `def list(self) -> list[dict]`."""
        inner: object = node
        holder = self.parent(inner)
        while isinstance(holder, tree.Expr) and not isinstance(holder, tree.Call):
            inner, holder = holder, self.parent(holder)
        match holder:
            case tree.FunctionDef():
                return inner is holder.returns or any(inner is p.annotation for p in holder.params)
            case tree.Assign():
                return inner is holder.annotation
            case _:
                return False

    def ask(self, *names: str) -> None:
        """Note that the users of these names matter, wherever they are; Python itself calls the
        methods between underscores."""
        if not self.guessing:
            self.asked.update(n for n in names if not n.startswith("__"))

    def declared(self, function: Function) -> list[Function]:
        """What a stub beside the function's module says of it, overloads included."""
        stub = self.stubs.get(function.module.name)
        functions = stub.functions if stub is not None else ()
        return [other for other in functions if other.qualname == function.qualname]

    def declared_class(self, cls: Class) -> Class | None:
        """What a stub beside the class's module says of it."""
        stub = self.stubs.get(cls.module.name)
        classes = stub.classes if stub is not None else ()
        return next((other for other in classes if other.qualname == cls.qualname), None)

    def is_stub(self, module: Module) -> bool:
        """Whether a file stands beside a module, and only declares what is there."""
        return self.stubs.get(module.name) is module

    @contextmanager
    def aside(self, when: bool = True) -> Iterator[None]:
        """Do not note what is asked meanwhile: it only matters together with what is asked elsewhere."""
        self.guessing += when
        try:
            yield
        finally:
            self.guessing -= when

    # --- imports ---

    def absolute(self, module: Module, level: int, name: str) -> str:
        """The dotted name that `from ..name import` means in `module`."""
        if level == 0:
            return name
        parts = module.name.split(".")
        drop = level - 1 if module.is_package else level
        base = parts[: len(parts) - drop] if drop else parts
        return ".".join([*base, name] if name else base)

    def exact(self, name: str) -> Module | None:
        """The module of exactly that dotted name."""
        found = self.modules.get(name)
        if found is not None or name not in self.unread:
            return found
        if name not in self._read:
            self._read[name] = self.read(self.unread[name])
        return self._read[name]

    def leaves(self, node: tree.Node) -> bool:
        """Whether a path of names starts at an import of what a file in which no word of interest stands
        defines: then it is no key, no name of one, and nothing that an entity is kept in."""
        path: list[str] = []
        while isinstance(node, tree.Attr):
            path.append(node.name)
            node = node.base
        bindings = self.bindings_of(node) if isinstance(node, tree.Name) else []
        imported = bindings[0].imported if len(bindings) == 1 else None
        if imported is None or not self.unread:
            return False
        base = self.absolute(bindings[0].module, bindings[0].level, imported.module)
        if imported.name is not None and self._unread_file(base) is None:
            base = f"{base}.{imported.name}"
        elif imported.name is not None:
            path.append(imported.name)
        filename = self._unread_file(base)
        return filename is not None and bool(path) and self.defines(filename, path[-1])

    def _unread_file(self, name: str) -> str | None:
        """The file of a module in which no word of interest stands."""
        if self._is_known(name):
            return self.unread.get(name)
        end = self._ending(name)
        return self.unread.get(end) if end is not None else None

    def file(self, filename: str) -> Module | None:
        """The module that a file is."""
        name = self._by_file.get(filename)
        return self.exact(name) if name is not None else None

    def module(self, name: str) -> Module | None:
        """The module of that dotted name, also when the root that it is imported from is not known:
        then the one module whose name ends so."""
        found = self.exact(name)
        if found is None and (end := self._ending(name)) is not None:
            found = self.exact(end)
        return found

    def _ending(self, name: str) -> str | None:
        """The one module whose dotted name ends so, where Python's own library has none of that name. Of
        several, what stands in a regular package is not imported without that: `tests.orders` is no `orders`."""
        ends: Sequence[str] = self._by_suffix.get(name, ())
        if len(ends) > 1:
            ends = [end for end in ends if not self._is_known(end.removesuffix(f".{name}"))]
        ours = len(ends) == 1 and name.partition(".")[0] not in sys.stdlib_module_names
        return ends[0] if ours else None

    def _is_known(self, name: str) -> bool:
        return name in self.modules or name in self.unread

    def known(self) -> tuple[str, ...]:
        """The dotted names of all modules."""
        return (*self.modules, *self.unread)

    @cached_property
    def _by_suffix(self) -> dict[str, list[str]]:
        """All modules by what their dotted names end with: `a.b.c` by `b.c` and by `c`."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.known():
            parts = name.split(".")
            for start in range(1, len(parts)):
                found[".".join(parts[start:])].append(name)
        return found

    @cached_property
    def _by_file(self) -> dict[str, str]:
        modules = {module.filename: name for name, module in self.modules.items()}
        return modules | {filename: name for name, filename in self.unread.items()}

    def is_ours(self, name: str) -> bool:
        """Whether a module of that dotted name would be part of the program, by its first part."""
        top = name.partition(".")[0]
        return any(known.partition(".")[0] == top for known in self.known())

    def imported(self, binding: Binding) -> Target:
        """What an import binding leads to, one step."""
        imported = binding.imported
        assert imported is not None
        module = binding.module
        base = self.absolute(module, binding.level, imported.module)
        if imported.name is None:
            said = imported.module if imported.bound != imported.module.partition(".")[0] else None
            name = said or imported.bound
            return self.module(name) or External(name)
        found = self.member(base, imported.name)
        if found is binding:  # a package that imports its own submodule
            whole = f"{base}.{imported.name}"
            return self.module(whole) or External(whole)
        return found

    def member(self, base: str, name: str, seen: frozenset[str] = frozenset()) -> Target:
        """`name` of the module `base`: a binding of it, a submodule, what it finds late, or something external."""
        module = self.module(base)
        if module is not None:
            found = self.global_binding(module, name, seen)
            if found is not None:
                return found
        below = self.module(f"{base}.{name}")
        if below is None and module is not None and (module, name) not in self._late:
            self._late.add((module, name))  # what it imports for that may lead here
            late = found_late(self, module, name)
            self._late.discard((module, name))
            if late is not None:
                return late
        return below or External(f"{base}.{name}")

    def is_made_late(self, target: Target) -> bool:
        """Whether a module of the program makes something when it is asked for: by its `__getattr__`."""
        home = target.name.rpartition(".")[0] if isinstance(target, External) else ""
        module = self.module(home) if home else None
        return module is not None and "__getattr__" in module.scope.bindings

    def global_binding(
        self, module: Module, name: str, seen: frozenset[str] = frozenset()
    ) -> Binding | None:
        """The last binding of a module's name, followed through star imports."""
        bindings = module.scope.bindings.get(name)
        if bindings:
            return bindings[-1]
        if module.name in seen:
            return None
        for star in module.stars:
            base = self.absolute(module, star.level, star.names[0].module)
            source = self.module(base)
            if source is not None:
                found = self.global_binding(source, name, seen | {module.name})
                if found is not None:
                    return found
        return None

    def follow(self, target: Target) -> Target:
        """`target` through any chain of imports; a cycle of imports ends where it closes."""
        seen: set[int] = set()
        while isinstance(target, Binding) and target.kind == "import" and id(target) not in seen:
            seen.add(id(target))
            target = self.imported(target)
        return target

    # --- lexical scopes ---

    def running(self, function: Function) -> Iterator[Function]:
        """A function, and those around it that run it: they call it, or hand it to what does so."""
        yield function
        around = function.parent
        if around is not None and any(
            isinstance(node, tree.Name)
            and node.id == function.name
            and isinstance(self.parent(node), tree.Call)
            and function not in outwards(self.function_of(node))
            for node in self.inside(around)
        ):
            yield from self.running(around)

    def bindings_of(self, node: tree.Name) -> list[Binding]:
        """The bindings that a name may be read from where it stands; empty for built-ins."""
        found = self._bindings.get(id(node))
        if found is None:
            found = self.bindings(node.id, self.index.places[id(node)])
            self._bindings[id(node)] = found
        return found

    def bindings(self, name: str, place: Place) -> list[Binding]:
        """The bindings of `name` that may reach `place`; empty for built-ins."""
        own = place.scope
        scope: Scope | None = own
        while scope is not None:
            found = scope.bindings.get(name)
            if found and scope.kind == "class":  # before that, the name means what it means around
                found = [b for b in found if not comes_after(b, place)] if scope is own else None
            if found:
                several = len(found) > 1 and (scope is own or same_flow(scope, place))
                return reaching(found, place) if several else found
            scope = scope.parent
        module = own.module
        star = self.global_binding(module, name)
        return [star] if star is not None else []

    def definition(self, dotted: str) -> Class | Function | None:
        """The class or function `module.Name`, `module.Class.method` or `module.Class.Inner`, through
        re-exports."""
        if dotted not in self._defined:
            self._defined[dotted] = self._find_definition(dotted)
        return self._defined[dotted]

    def _find_definition(self, dotted: str) -> Class | Function | None:
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            if self.module(".".join(parts[:cut])) is None:
                continue
            target = self.follow(self.member(".".join(parts[:cut]), parts[cut]))
            found = target.definition if isinstance(target, Binding) else None
            for name in parts[cut + 1 :]:
                found = _inside(found, name) if isinstance(found, Class) else None
            if found is not None:
                return found
        return None


def _inside(cls: Class, name: str) -> Class | Function | None:
    """What a class itself defines under a name."""
    inner = [b.definition for b in cls.scope.bindings.get(name, ())[-1:]]
    return cls.methods.get(name) or (inner[0] if inner else None)
