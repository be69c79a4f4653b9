"""Lists of the names of fields from which objects, or dicts of them, are made: `Note(**{n: item[n] for n in
NAMES})`."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements
from capsule_lint.plan.entities.named_by_arguments import NamedByArguments
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import behind, only_assigned
from capsule_lint.program.model import Binding, last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.inference.types import Type
    from capsule_lint.program.model import Class

_REASON: Final = "lists fields of `{}`, which gains `{}`, and is used for something else as well"
_UNPLACED: Final = (
    "is made from fields that are listed, and nothing says where `{}` comes among them"
)


class NamedRead(Struct, frozen=True):
    """A dict that is made name by name: where the names come from, and what they are looked up in."""

    names: tree.Node
    source: tree.Node | None


def named_read(program: Program, node: tree.Node) -> NamedRead | None:
    """`{n: item[n] for n in NAMES}`, by a local name or not; `None` for anything else."""
    match node:
        case tree.Name():
            value = only_assigned(program.names, node)
            unnamed = value is None or isinstance(value, tree.Name)
            return None if value is None or unnamed else named_read(program, value)
        case tree.Comprehension(kind="DictComp", results=(key, value), generators=(one,)):
            return _read(key, value, one)
        case tree.Call(func=tree.Name(id="dict"), args=(argument,)):
            return _paired(argument.value) if not argument.star else None
        case _:
            return None


def _paired(node: tree.Node) -> NamedRead | None:
    """`dict((n, item[n]) for n in NAMES)`, `dict(zip(NAMES, values))`."""
    match node:
        case tree.Comprehension(
            results=(tree.Sequence(kind="tuple", items=(key, value)),), generators=(one,)
        ):
            return _read(key, value, one)
        case tree.Call(func=tree.Name(id="zip"), args=(names, _, *_)):
            return NamedRead(names.value, None)
        case _:
            return None


def _read(key: tree.Node, value: tree.Node, one: tree.Generator) -> NamedRead | None:
    match one.target:
        case tree.Name(id=name) if isinstance(key, tree.Name) and key.id == name:
            return NamedRead(one.iter, _looked_up(value, name))
        case tree.Sequence(items=(tree.Name(id=name), _)) if (
            isinstance(key, tree.Name) and key.id == name and last_name(one.iter) == "items"
        ):
            assert isinstance(one.iter, tree.Call)
            source = one.iter.func.base if isinstance(one.iter.func, tree.Attr) else None
            for test in one.ifs:
                match test:
                    case tree.Compare(left=tree.Name(id=left), ops=("in",), rights=(names,)) if (
                        left == name
                    ):
                        return NamedRead(names, source)
    return None


def _looked_up(node: tree.Node, name: str) -> tree.Node | None:
    """`item` of `item[n]`, `item.get(n)` and `convert(item[n])`."""
    match node:
        case tree.Subscript(base=base, index=tree.Name(id=index)) if index == name:
            return base
        case tree.Call(func=tree.Attr(name="get" | "pop", base=base), args=(first, *_)) if (
            isinstance(first.value, tree.Name) and first.value.id == name
        ):
            return base
        case tree.Subscript(base=base):  # of a typed row
            return _looked_up(base, name)
        case tree.Call(args=(only,)):
            return _looked_up(only.value, name)
        case _:
            return None


def _dumped_names(node: tree.Node | None) -> tree.Attr | None:
    """`self.NAMES` of `{n: getattr(self, n) for n in self.NAMES}`, or of `dict((n, getattr(self, n)) for n in self.NAMES)`."""
    match node:
        case tree.Comprehension(kind="DictComp", results=(key, value), generators=(one,)):
            pass
        case tree.Call(
            func=tree.Name(id="dict"),
            args=(
                tree.Argument(
                    value=tree.Comprehension(
                        results=(tree.Sequence(items=(key, value)),), generators=(one,)
                    )
                ),
            ),
        ):
            pass
        case _:
            return None
    match key, value, one:
        case (
            tree.Name(id=name),
            tree.Call(
                func=tree.Name(id="getattr"),
                args=(
                    tree.Argument(value=tree.Name(id=of)),
                    tree.Argument(value=tree.Name(id=asked)),
                ),
            ),
            tree.Generator(
                target=tree.Name(id=each), iter=tree.Attr(base=tree.Name(id=has)) as names, ifs=()
            ),
        ) if name == asked == each and of == has:
            return names
        case _:
            return None


@dataclass(eq=False, slots=True)
class NamedFields(MendRoom):
    """Extends such lists where they are written out, or notes that a person must."""

    mends: Mends
    _reading: dict[int, tuple[Class, tree.Call]] = field(default_factory=dict)
    """Where such a list is gone through: what is made then, by which call."""

    def build(self) -> None:
        """Look at what is spread into constructors of classes that gain fields, and at what is made of
        the attributes of their instances."""
        if not self.state.fields:
            return
        by_arguments = NamedByArguments(self.mends, self).build()
        found = [*self._spread(), *self._dumped(), *by_arguments]
        self._reading = {id(names): (cls, call) for cls, call, names in found}
        for cls, call, names in found:
            self._extend(cls, call, names)

    def _spread(self) -> Iterator[tuple[Class, tree.Call, tree.Node]]:
        """`Note(**{n: item[n] for n in NAMES})`."""
        program = self.program
        for cls in list(self.state.fields):
            for call, _ in list(program.calls.constructors_of(cls)):
                for argument in call.args:
                    read = named_read(program, argument.value) if argument.star == "**" else None
                    if read is not None:
                        yield cls, call, read.names

    def _dumped(self) -> Iterator[tuple[Class, tree.Call, tree.Node]]:
        """`{n: getattr(note, n) for n in NAMES}`, `for n in NAMES: item[n] = getattr(note, n)`."""
        program = self.program
        for call in list(program.calls.uses.calls_beside("getattr")):
            match call:
                case tree.Call(
                    func=tree.Name(), args=(base, tree.Argument(value=tree.Name() as n), *_)
                ):
                    classes = self.gaining(base.value)
                    found = program.names.bindings_of(n) if classes else []
                    if len(found) == 1 and found[0].kind == "for" and not found[0].path:
                        names = found[0].value
                        if names is not None and self.is_entry(call, n.id):
                            yield classes[0], call, names

    def gaining(self, node: tree.Node) -> list[Class]:
        """The classes of an object that gain fields."""
        return [home for home in self.program.inference.homes(node) if home in self.state.fields]

    def is_entry(self, call: tree.Call, name: str) -> bool:
        """Whether a dict gets the attribute under its own name."""
        parent = self.program.names.parent(call)
        match parent:
            case tree.Comprehension(kind="DictComp", results=(tree.Name(id=key), _)):
                return key == name
            case tree.Sequence(kind="tuple", items=(tree.Name(id=key), _)):
                around = self.program.names.parent(self.program.names.parent(parent))
                made = isinstance(around, tree.Call) and last_name(around.func) == "dict"
                return key == name and made
            case tree.Assign(targets=(tree.Subscript(index=tree.Name(id=key)),)):
                return key == name
            case _:
                return False

    # --- the lists ---

    def _extend(self, cls: Class, call: tree.Call, names: tree.Node) -> None:
        display, binding = self.written(names)
        if display is None or not self._is_item(call, cls, display):
            return
        mended = self.mends.adds_to(display)
        texts = [tree.text(item) for item in display.items]
        present = {*texts, *(a.keyword for a in call.args if a.keyword is not None)}
        for home, scope in self.gained(cls):
            new = self.state.attributes.get((home, scope.parameter), scope.parameter)
            beside = [i for i in display.items if self.is_beside(home, scope, tree.text(i))]
            if new in present or (not beside and not self._is_made(cls, call, present)):
                continue
            knot: Knot = ("class", home)
            if mended:
                self.mends.expected.note(call, knot, scope, new)
            elif not beside or None in texts:
                self.mends.obstacle(knot, display, _UNPLACED.format(new))
            elif binding is not None and not self._is_for_this_alone(binding, cls):
                self.mends.obstacle(knot, display, _REASON.format(cls.name, new))
            else:
                added = (f'"{new}"',)
                filename = self.program.names.module_of(display).filename
                mend = AddElements(filename, display.span, "CAP301", (), added, beside[0].span)
                self.mends.add(knot, mend)
                self.mends.expected.note(call, knot, scope, new)

    def _is_item(self, call: tree.Call, cls: Class, display: tree.Sequence) -> bool:
        """Whether a dict of attributes is an item, and no mere message about one; a call that makes an
        instance takes one."""
        if last_name(call.func) != "getattr":
            return True
        names = {text for item in display.items if (text := tree.text(item)) is not None}
        around = self.program.names.parent(call)
        while isinstance(around, tree.Expr):
            if isinstance(around, tree.DictDisplay):
                names |= {text for key in around.keys if (text := tree.text(key)) is not None}
            around = self.program.names.parent(around)
        return self.mends.entries.lists(call, cls, frozenset(names))

    def _is_made(self, cls: Class, call: tree.Call, present: set[str | None]) -> bool:
        """Whether a call makes an instance without any scope that is given outside of the list, which would
        show where the new one comes."""
        held, params = self.program.domain.held, self.program.classes.constructor(cls) or ()
        plain = takewhile(lambda a: a.keyword is None and not a.star, call.args)
        names = {*present, *(p.name for p, _ in zip(params, plain, strict=False))}
        given = any(name is not None and held.is_scoped(cls, name) for name in names)
        return last_name(call.func) != "getattr" and not given

    def gained(self, cls: Class) -> Iterator[tuple[Class, Scope]]:
        """The fields that a class gains, and which of its bases has each."""
        for home in self.program.classes.mro(cls):
            for scope in self.mends.policy_order(list(self.state.fields.get(home, {}).values())):
                yield home, scope

    def is_beside(self, home: Class, scope: Scope, name: str | None) -> bool:
        """Whether a field is the one beside which the new one of a scope comes."""
        old = next(
            (s for s in self.program.policy.scopes if name and names_scope(name, s)),
            None,
        )
        return old is not None and (home, scope) in self.mends.entries.beside(home, old)

    def whole(self, call: tree.Call) -> tree.Node | None:
        """The object whose method gives all attributes that its class lists, and that list gets one more: `member` of
        `member.to_dict()`, which is `{n: getattr(self, n) for n in self.NAMES}`."""
        program = self.program
        types = program.inference.of(call.func.base) if isinstance(call.func, tree.Attr) else ()
        for callee in program.calls.callees(call) if types else ():
            returns = callee.function.returns if callee.function is not None else ()
            names = _dumped_names(behind(program.names, returns[0])) if len(returns) == 1 else None
            if names is None or not all(self._lists_more(one, names.name) for one in types):
                return None
        return call.receiver if types and program.calls.callees(call) else None

    def _lists_more(self, own: Type, name: str) -> bool:
        """Whether objects of a class have a list of a class under a name, and that gets more."""
        mro = self.program.classes.mro(own.cls) if isinstance(own, Instance) else ()
        found = next((cls.scope.bindings[name] for cls in mro if name in cls.scope.bindings), ())
        value = found[0].value if len(found) == 1 else None
        listed = self.written(value)[0] if value is not None else None
        return listed is not None and self.mends.adds_to(listed)

    def written(self, node: tree.Node) -> tuple[tree.Sequence | None, Binding | None]:
        """The list that is written out, here or where a name gets its only value."""
        match node:
            case tree.Sequence():
                return node, None
            case tree.Call(
                func=tree.Name(id="frozenset" | "set" | "tuple" | "list"), args=(only,)
            ):
                return self.written(only.value)
            case tree.Name() | tree.Attr():
                binding = self._binding(node)
                if binding is None or binding.kind != "assign" or binding.path:
                    return None, None
                value = binding.value
                if value is None or isinstance(value, tree.Name | tree.Attr):
                    return None, None
                return self.written(value)[0], binding
            case _:
                return None, None

    def _binding(self, node: tree.Name | tree.Attr) -> Binding | None:
        program = self.program
        found = program.classes.dotted(node)
        if isinstance(node, tree.Attr) and not isinstance(found, Binding):
            for home in program.inference.homes(node.base, classes=True):
                if node.name in home.scope.bindings:
                    return home.scope.bindings[node.name][-1]
        return found if isinstance(found, Binding) else None

    def _is_for_this_alone(self, binding: Binding, cls: Class) -> bool:
        """Whether all that a list has a name for is to make instances of a class, or dicts of them."""
        program = self.program
        related = {*program.classes.mro(cls), *program.classes.subclasses(cls)}
        if len(binding.place.scope.bindings.get(binding.name, ())) != 1:
            return False
        for node in self.uses(binding):
            made = self._reading.get(id(node))
            if made is None or made[0] not in related:
                return False
        return True

    def uses(self, binding: Binding) -> Iterator[tree.Node]:
        """Where what a name is bound to is read, as far as that may change with what is made of it."""
        program = self.program
        program.names.ask(binding.name)
        for node in program.names.named(binding.name):
            read = id(node) in self._reading or self._binding(node) is binding
            if read and node.at != binding.at:
                yield node
