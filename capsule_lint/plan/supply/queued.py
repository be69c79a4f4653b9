"""Queues of the program's own through which tuples go: `jobs.put((tenant_id, note_id))`, and elsewhere `tenant_id,
note_id = jobs.get()`. What is needed beside a part where it is taken out must be put in. So do tuples go through a
parameter that its function takes apart: `repo.total((tenant_id, note_id))`, and there `tenant_id, note_id = key`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddElements
from capsule_lint.plan.entities.additions import makes_queue, taking_till_none
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Value, Want
from capsule_lint.program.containers import QUEUING, TAKING
from capsule_lint.program.inference.types import UNKNOWN, classes_of, is_kept, may_be_ours
from capsule_lint.program.local_names import bound_whole, only_assigned, reads_of
from capsule_lint.program.model import Binding, Class, Function, Module, last_name
from capsule_lint.program.walk import asks_presence

if TYPE_CHECKING:
    from typing import TypeAlias

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope

    Home: TypeAlias = tuple[Class | Module | Function, str]

_ADDING: Final = QUEUING | {"append", "appendleft"}
_ASKING: Final = frozenset(("empty", "full", "qsize", "task_done", "join", "clear", "len", "bool"))
_MAX_DEPTH: Final = 4


@dataclass(eq=False, slots=True)
class Contents:
    """The tuples that are put into a queue, and the targets that unpack what is taken out."""

    put: list[tree.Sequence] = field(default_factory=list)
    taken: list[tree.Sequence] = field(default_factory=list)
    said: dict[int, tree.Sequence] = field(default_factory=dict)
    """The types of the parts, where annotations say them: `Queue[tuple[str, str]]`; by their ids."""

    def _note_types(self, annotation: tree.Node | None) -> None:
        """Note what an annotation says of the parts."""
        self.said |= {id(one): one for one in _types(annotation)}

    @property
    def is_alike(self) -> bool:
        """Whether something is put in, and all of it is of one length."""
        every = (*self.put, *self.taken, *self.said.values())
        return bool(self.put) and len({len(one.items) for one in every}) == 1


class _Unclear(Exception):
    """Something else is done with a queue, or with what is in it."""


@dataclass(eq=False, slots=True)
class Queued(Room):
    """Has the tuples say what is needed."""

    planner: Planner
    _known: dict[Home, Contents | None] = field(default_factory=dict)
    _grown: dict[tuple[Home, int, str], list[Want]] = field(default_factory=dict)
    """What is put in beside the part at an index, for a scope."""
    _beside: dict[tuple[Module, tree.At, str], Knot] = field(default_factory=dict)
    """The targets beside which there is going to be one for a scope."""
    _read: set[tuple[Module, tree.At, str]] = field(default_factory=set)

    def extend(self, want: Want) -> None:
        """Have the tuples of a queue say a scope, where its neighbour is unpacked from one of them."""
        for name in self.planner.origins.said(want):
            binding = self._unpacked(name)
            home = self._taken_from(binding.value, 0) if binding and binding.value else None
            home = home or (self._told(binding) if binding is not None else None)
            known = self.planner.local.parted.beside(name, want.scope)
            if binding is None or home is None or known is not None:
                continue
            if home not in self._known:
                self._known[home] = self._contents(home)
            contents = self._known[home]
            key = home, binding.path[0], want.scope.name
            if contents is not None and key not in self._grown:
                self._grow(key, contents, want.scope)

    def beside(self, want: Want) -> Value | None:
        """The name that is unpacked beside the neighbour's."""
        for name in self.planner.origins.said(want) if self._beside else ():
            binding = self._unpacked(name)
            if binding is not None:
                key = binding.place.scope.module, binding.at, want.scope.name
                if key in self._beside:
                    self._read.add(key)
                    return Value(want.scope.parameter, knot=self._beside[key], kind="loaded")
        return None

    def is_taken(self, binding: Binding) -> bool:
        """Whether a name is a part of what a function takes out of a queue."""
        value = binding.value if binding.path else None
        return value is not None and self._taken_from(value, 0) is not None

    def build(self, mends: Mends) -> None:
        """Add the elements and the names."""
        for (home, index, name), wants in self._grown.items():
            contents = self._known[home]
            for want in wants:
                display, code = want.node, mends.code_of(want, want.knot)
                if code is not None and isinstance(display, tree.Sequence):
                    self._add(mends, display, index, code, want.knot)
            scope = next(s for s in self.program.policy.scopes if s.name == name)
            for target in contents.taken if contents is not None else ():
                key = self.program.names.module_of(target), target.items[index].at, name
                new = scope.parameter if key in self._read else "_"
                self._add(mends, target, index, new, self._beside[key])
            for types in contents.said.values() if contents is not None else ():
                module, knot = self.program.names.module_of(types), ("queue", home)
                said = mends.annotation(knot, module, scope, types.items[index])
                if said is not None:
                    self._add(mends, types, index, said, knot)

    def _add(
        self, mends: Mends, display: tree.Sequence, index: int, code: str, knot: Knot
    ) -> None:
        filename, at = self.program.names.module_of(display).filename, display.items[index].span
        mends.add(knot, AddElements(filename, display.span, "CAP401", (), (code,), at))

    def _grow(self, key: tuple[Home, int, str], contents: Contents, scope: Scope) -> None:
        home, index, _ = key
        knot: Knot = ("queue", home)
        names = self.program.names
        for target in contents.taken:
            function = names.place(target).scope.function
            item = target.items[index]
            if not isinstance(item, tree.Name) or function is None:
                return
            taken = self.planner.sources.visible.is_taken(function, scope.parameter)
            if taken or self.program.domain.scope_parameter(function, scope) is not None:
                return
            if isinstance(home[0], Function) and self.state.gains(function, scope):
                return
        defects = filter(None, map(self.planner.local.changing, contents.put))
        if any(scope not in one.missing for one in defects):
            return
        self._grown[key] = []
        for target in contents.taken:
            module = names.place(target).scope.module
            self._beside[module, target.items[index].at, scope.name] = knot
        for display in contents.put:
            changing = self.planner.local.changing(display)
            if changing is not None:  # it is a key besides, and gets the scope as one
                self.state.groups.join(knot, changing.knot)
                continue
            given = display.items[index]
            mirror = given if isinstance(given, tree.Attr | tree.Name) else None
            want = Want(scope, display, knot, "queued", mirror=mirror)
            self._grown[key].append(want)
            self.planner.local.notes.settle(display)
            self.planner.want(want)

    # --- queues ---

    def _unpacked(self, node: tree.Node) -> Binding | None:
        """The binding of a name that is one of several which are unpacked at once."""
        found = self.program.names.bindings_of(node) if isinstance(node, tree.Name) else ()
        if len(found) != 1 or len(found[0].path) != 1:
            return None
        return found[0] if found[0].kind in ("assign", "for") else None

    def _taken_from(self, node: tree.Node, depth: int) -> Home | None:
        """The queue that a value is taken out of, here or by a function that gives it back."""
        node = only_assigned(self.program.names, node) or node
        node = node.value if isinstance(node, tree.Wrapped) and node.kind == "await" else node
        if not isinstance(node, tree.Call) or depth > _MAX_DEPTH:
            return None
        looped = taking_till_none(node)
        if looped is not None:
            return self._home(looped)
        if isinstance(node.func, tree.Attr) and node.func.name in TAKING:
            home = self._home(node.func.base)
            if home is not None:
                return home
        functions = [c.function for c in self.program.calls.callees(node)]
        if len(functions) != 1 or functions[0] is None:
            return None
        found = {self._taken_from(value, depth + 1) for value in functions[0].returns}
        return found.pop() if len(found) == 1 else None

    def _home(self, node: tree.Node) -> Home | None:
        """The class or module that keeps a queue, and its name there."""
        program = self.program
        if isinstance(node, tree.Attr):
            for cls in program.inference.homes(node.base):
                stores = cls.stores.get(node.name, ())
                if stores:
                    is_queue = all(makes_queue(store.value) for store in stores)
                    return (cls, node.name) if is_queue else None
        target = program.classes.dotted(node) if isinstance(node, tree.Name | tree.Attr) else None
        if not isinstance(target, Binding) or target.place.scope.kind != "module":
            return None
        module = target.place.scope.module
        every = module.scope.bindings.get(target.name, ())
        return (module, target.name) if all(makes_queue(b.value) for b in every) else None

    def _contents(self, home: Home) -> Contents | None:
        """What goes through a queue; `None` where that is not known, or not always of the same length."""
        program = self.program
        found = Contents()
        try:
            if isinstance(home[0], Function):
                self._tell(home[0], home[1], found)
                return found if found.is_alike else None
            names = program.calls.uses.known_as(home[1])
            program.names.ask(*names)
            for node in program.names.named(*names):
                if self._is_of(node, home):
                    self._use(node, found)
        except _Unclear:
            return None
        return found if found.is_alike else None

    # --- parameters ---

    def _told(self, binding: Binding) -> Home | None:
        """The function of the program, and the parameter, that a name is a part of."""
        whole = bound_whole(self.program.names, binding.value) if binding.value else None
        function = whole.function if whole is not None and whole.kind == "param" else None
        if whole is None or function is None or binding.kind != "assign":
            return None
        if function in self.program.keys.helpers:
            return None  # it is told each scope by itself
        own = function.parameter(whole.name) is whole.parameter and not function.module.is_test
        return (function, whole.name) if own else None

    def _tell(self, function: Function, name: str, found: Contents) -> None:
        """Note what all who call a function give for a parameter, and where it takes that apart."""
        program, names = self.program, self.program.names
        own = function.parameter(name)
        if own is None or own.kind in ("*", "**") or own.default is not None:
            raise _Unclear
        if len(program.calls.families.of(function)) > 1 or not self._is_called_alone(function):
            raise _Unclear
        found._note_types(own.annotation)
        for node in names.called(function, name):
            self._take(node, found, 0)
        given = {id(c): a.value for c, a in program.calls.arguments_for(function, name)}
        if len(given) != len(list(program.calls.callers(function))):
            raise _Unclear
        found.put += (self._written(one) for one in given.values())

    def _is_called_alone(self, function: Function) -> bool:
        """Whether a function is called wherever it may be named, and is known to be what is called."""
        program = self.program
        if function.decorators or self.planner.signatures.is_entered(function):
            return False
        program.names.ask(function.name)
        calls = {id(call) for call, _ in program.calls.callers(function)}
        return all(
            id(program.names.parent(node)) in calls or not self._may_be(node, function)
            for node in program.names.named(function.name)
        )

    def _may_be(self, node: tree.Name | tree.Attr, function: Function) -> bool:
        """Whether a name may stand for a function."""
        target = self.program.classes.dotted(node)
        if isinstance(target, Binding):
            return target.definition is function
        types = self.program.inference.of(node.base) if isinstance(node, tree.Attr) else ()
        found = (self.program.classes.method(c, function.name) for c in classes_of(types))
        return isinstance(node, tree.Attr) and (
            not types
            or any(may_be_ours(one) or is_kept(one, function.name) for one in types)
            or function in found
        )

    def _written(self, node: tree.Node) -> tree.Sequence:
        """The tuple that a call gives: there, or in a local that goes nowhere else."""
        bound = bound_whole(self.program.names, node)
        if bound is None or bound.assigned is None or bound.function is None:
            return _tuple(node)
        uses = self.program.names.called(bound.function, bound.name)
        shared = any(one is not node and one.at != bound.at for one in uses)
        if shared and self.planner.local.changing(bound.assigned) is None:
            raise _Unclear
        return _tuple(bound.assigned)

    def _is_of(self, node: tree.Name | tree.Attr, home: Home) -> bool:
        """Whether something is that queue; unclear where the object that has it is not known."""
        if isinstance(node, tree.Attr) and isinstance(home[0], Class):
            types = self.program.inference.of(node.base)
            if not types or UNKNOWN in types:
                raise _Unclear
        return self._home(node) == home

    def _use(self, node: tree.Node, found: Contents) -> None:
        """Note what is put in or taken out where a queue is named, and what is said of that."""
        names = self.program.names
        parent = names.parent(node)
        match parent:
            case tree.Assign() if any(target is node for target in parent.targets):
                found._note_types(parent.annotation)
            case tree.Attr(name=method):
                call = names.parent(parent)
                if isinstance(call, tree.Call) and taking_till_none(call) is node:
                    self._loop(call, found)
                    return
                if not isinstance(call, tree.Call) or call.func is not parent:
                    raise _Unclear
                if method in _ADDING and call.args:
                    found.put += _put(call.args[0].value)
                elif method in TAKING:
                    self._take(call, found, 0)
                elif method not in _ASKING:
                    raise _Unclear
            case tree.Call() if last_name(parent.func) in _ASKING and parent.func is not node:
                pass
            case _ if not (asks_presence(parent) or isinstance(parent, tree.Boolean)):
                raise _Unclear

    def _loop(self, call: tree.Call, found: Contents) -> None:
        """Note the target of the loop through all that is taken out: `for a, b in iter(jobs.get, None)`."""
        around = self.program.names.parent(call)
        binds = around.binds if isinstance(around, tree.Block) and around.kind == "for" else ()
        if len(binds) != 1:
            raise _Unclear
        found.taken.append(_tuple(binds[0].target))

    def _take(self, call: tree.Node, found: Contents, depth: int) -> None:
        """Note the targets that unpack what a call takes out, also where a function gives it back."""
        program = self.program
        parent = program.names.parent(call)
        if isinstance(parent, tree.Wrapped) and parent.kind == "await":
            call, parent = parent, program.names.parent(parent)
        match parent:
            case tree.Assign(targets=(tree.Sequence() as target,), op="") if parent.value is call:
                found.taken.append(_tuple(target))
            case tree.Assign(targets=(tree.Name(id=name) as local,), op="") if (
                parent.value is call
            ):
                if len(program.names.place(local).scope.bindings[name]) > 1:
                    raise _Unclear
                for use in program.records.uses(parent):
                    if not asks_presence(program.names.parent(use)):
                        self._take(use, found, depth)
            case tree.Walrus() if asks_presence(program.names.parent(parent)):
                for use in reads_of(program.names, parent, (parent.at,)):
                    if len(program.names.bindings_of(use)) > 1:
                        raise _Unclear
                    if not asks_presence(program.names.parent(use)):
                        self._take(use, found, depth)
            case tree.Eval(kind="return") if depth < _MAX_DEPTH:
                function: Function | None = program.names.place(call).scope.function
                if function is None or len(function.returns) != 1:
                    raise _Unclear
                found._note_types(function.fact.returns)
                for outer, _ in list(program.calls.callers(function)):
                    self._take(outer, found, depth + 1)
            case _:
                raise _Unclear


def _put(node: tree.Node) -> list[tree.Sequence]:
    """The tuple that is put into a queue; none for the `None` that says that nothing comes any more."""
    return [] if isinstance(node, tree.Const) and node.value is None else [_tuple(node)]


def _tuple(node: tree.Node) -> tree.Sequence:
    """A tuple that is written out, without `*`."""
    if not isinstance(node, tree.Sequence) or any(
        isinstance(item, tree.Wrapped) and item.kind == "starred" for item in node.items
    ):
        raise _Unclear
    return node


def _types(annotation: tree.Node | None) -> list[tree.Sequence]:
    """The types of the parts of tuples in an annotation."""
    match annotation:
        case None | tree.Name() | tree.Attr():
            return []
        case tree.Subscript(base=base, index=tree.Sequence() as types) if (
            last_name(base).lower() == "tuple"
        ):
            return [_tuple(types)]
        case tree.Binary(op="|", left=left, right=right):
            return [*_types(left), *_types(right)]
        case tree.Const(value=None):
            return []
        case tree.Subscript(index=index):
            return _types(index) or _refuse()
        case _:
            return _refuse()


def _refuse() -> list[tree.Sequence]:
    raise _Unclear
