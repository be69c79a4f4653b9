"""Format strings of which one is chosen while the program runs: `TEMPLATES[kind].format(…)` of a table,
`self.pk_template.format(…)` of a class whose heirs have one each, `self.value.format(…)` of an enum."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.inference.types import ClassObject, Instance
from capsule_lint.program.model import Class
from capsule_lint.program.texts.text_objects import VALUE
from capsule_lint.program.walk import asks_presence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program.classes import Classes
    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.names import Names
    from capsule_lint.program.texts.class_decorators import ClassDecorators
    from capsule_lint.program.texts.constants import Constants


class Chosen(Struct, frozen=True):
    """The texts that an expression may be, and whether these are all."""

    texts: tuple[tree.Const, ...]
    whole: bool


class Fillers(Struct, frozen=True):
    """The calls that fill a text: those that choose it among others, and those that fill no other one."""

    choosing: list[tree.Call] = []
    alone: list[tree.Call] = []


@dataclass(eq=False, slots=True)
class Choices:
    """Finds the texts that such an expression may be."""

    names: Names
    classes: Classes
    inference: Inference
    constants: Constants
    filled: dict[int, tree.Call] = field(default_factory=dict)
    """The texts that keys are made of, and a call that fills each."""
    given: dict[int, str] = field(default_factory=dict)
    """The values that objects are made of, or classes told by decorators, and the attribute that each becomes."""
    decorators: ClassDecorators = field(init=False)
    _in_tables: dict[int, Fillers] | None = None
    """What fills the texts that stand in tables."""

    def __post_init__(self) -> None:
        self.decorators = self.constants.decorators

    def of(self, base: tree.Node) -> Chosen:
        """The texts that an expression may be; none where it is always the same."""
        if self.constants.of(base) is not None:
            return Chosen((), whole=False)
        match self.origin(base):
            case tree.Attr() as held:
                return _texts([v for cls in self.owners(held) for v in self._values(held, cls)])
            case tree.Subscript() | tree.Call() as lookup:
                return _texts(self._looked_up(lookup) or ())
            case _:
                return Chosen((), whole=False)

    def fills(self, text: tree.Node) -> bool:
        """Whether a text is filled elsewhere than where it is written."""
        return id(text) in self.filled or id(text) in self.decorators.owners

    def of_table(self, text: tree.Node) -> Fillers | None:
        """What fills a text that stands in a table, outside of tests."""
        if self._in_tables is None:
            self._in_tables = {}
            calls = self.inference.calls.uses.calls_beside
            for call in (*calls("format"), *calls("format_map")):
                base = call.func.base if isinstance(call.func, tree.Attr) else None
                if base is not None and not self.names.module_of(call).is_test:
                    self._note_fillers(call, base, self._in_tables)
        return self._in_tables.get(id(text))

    def _note_fillers(self, call: tree.Call, base: tree.Node, found: dict[int, Fillers]) -> None:
        entry = self.constants.entry(base) if isinstance(base, tree.Subscript) else None
        if entry is not None:
            found.setdefault(id(entry), Fillers()).alone.append(call)
        elif self.lookups(base):
            for text in self.of(base).texts:
                found.setdefault(id(text), Fillers()).choosing.append(call)

    def lookups(self, base: tree.Node) -> list[tree.Node]:
        """The expressions by which something is looked up in a table, the one in the table itself last."""
        found, node = list[tree.Node](), self.origin(base)
        while (inner := _inner(node)) is not None:
            found.append(node)
            node = self.origin(inner)
        return found

    def may_be_any(self, base: tree.Node) -> bool:
        """Whether an expression may be any text of a table, whatever that is for: `TABLE[kind]`; not so where it is the
        same place of each row, `TABLE[kind][0]`, or a loop goes through all of them for one purpose."""
        match self.lookups(base)[:1]:
            case [tree.Subscript(index=tree.Const()) | tree.Call(args=())]:
                return False
            case found:
                return bool(found)

    def _looked_up(self, node: tree.Node) -> list[tree.Node] | None:
        """What a table may have where something is looked up in it: `TABLE[kind]`, `TABLE.get(kind)["pk"]`."""
        inner = _inner(node)
        tables = self.constants.tables(inner) if inner is not None else ()
        if inner is None or tables:
            return [value for table in tables for value in self._under(table, node)] or None
        rows = self._looked_up(self.origin(inner))
        if rows is None or not isinstance(node, tree.Subscript):
            return None
        found = [self._entry(row, node.index) for row in rows]
        return [one for one in found if one is not None] if None not in found else None

    def _under(self, table: tree.DictDisplay, node: tree.Node) -> Iterable[tree.Node]:
        """What is looked up in a table: what it has under a name that is written out, or else anything."""
        match node:
            case tree.Subscript(index=index) if None not in table.keys and self.constants.of(
                index
            ):
                entry = self._entry(table, index)
                return () if entry is None else (entry,)
            case _:
                return table.values

    def _entry(self, row: tree.Node, index: tree.Node) -> tree.Node | None:
        """What stands in a row of a table under a name, or in a place."""
        at, name = tree.integer(index), self.constants.of(index)
        match row:
            case tree.Sequence(items=items) if at is not None:
                return items[at] if 0 <= at < len(items) else None
            case tree.DictDisplay() if name is not None and None not in row.keys:
                return next((v for k, v in row.pairs if k and self.constants.of(k) == name), None)
            case _:
                return None

    def origin(self, base: tree.Node) -> tree.Node:
        """What a local is assigned that is only filled, looked into, or asked whether it is there; anything else
        itself. `pk, sk = TABLE[kind]` gives `TABLE[kind][0]`, and a loop the same of what it goes over: `TABLE.values()[0]`."""
        found = self.names.bindings_of(base) if isinstance(base, tree.Name) else ()
        binding = found[0] if len(found) == 1 else None
        function = binding.place.scope.function if binding is not None else None
        if binding is None or function is None or binding.is_step:
            return base
        path: tuple[int, ...] | None = binding.path
        if binding.kind == "for":
            path = _within_values(binding.value, binding.path)
        elif binding.kind != "assign":
            return base
        uses = [
            node for node in self.names.called(function, binding.name) if node.at != binding.at
        ]
        if binding.value is None or path is None or not all(map(self._is_filled, uses)):
            return base
        node = binding.value
        for place in path:
            node = tree.Subscript(node.at, node, tree.Const(node.at, place))
        return node

    def _is_filled(self, node: tree.Node) -> bool:
        parent = self.names.parent(node)
        match parent:
            case tree.Attr(name="format" | "format_map"):
                return True
            case tree.Subscript(index=tree.Const()):
                return parent.base is node and self._is_filled(parent)
            case _:
                return asks_presence(parent)

    def chosen(self, base: tree.Node, cls: Class) -> Chosen:
        """The texts that `self.pk_template` may be for objects of one class, and for those of its heirs."""
        return _texts(self._values(base, cls) if isinstance(base, tree.Attr) else ())

    def owners(self, node: tree.Attr) -> list[Class]:
        """The classes whose attribute `model.pk_template`, or `model.Meta.pk`, is."""
        bases = [node.base]
        if isinstance(node.base, tree.Attr) and node.base.name[:1].isupper():
            bases = [node.base.base]
        types = {one for base in bases for one in self.inference.of(base)}
        classes = [one.cls for one in types if isinstance(one, Instance | ClassObject)]
        return sorted(classes, key=lambda c: c.symbol) if len(classes) == len(types) else []

    def _values(self, node: tree.Attr, cls: Class) -> Iterator[tree.Node | None]:
        """What a class and its heirs have under a name, the members of an enum under `value`; `None` for what
        is not known."""
        if node.name in VALUE and self.classes.is_enum(cls):
            for bindings in cls.scope.bindings.values():
                yield from (b.value for b in bindings if b.kind == "assign")
            return
        with self.names.aside():  # most of them may make no keys
            heirs = tuple(self.classes.subclasses(cls))
        function = self.names.function_of(node)
        kinds = {p.kind for p in function.own_params} if function is not None else set[str]()
        # what hands on all that it is given, `NOTE.key(tenant_id=…)`, is known by `text_objects`
        handed = bool(kinds) and kinds.issubset(("*", "**"))
        for heir in heirs:
            for value in self.decorators.values(heir, node.name):
                self.given[id(value)] = node.name
                yield value
            for holder in self._holders(node, heir):
                if node.name in holder.stores:
                    yield from self._given(heir, node.name) if not handed else (None,)
                for binding in holder.scope.bindings.get(node.name, ()):
                    if binding.value is not None or binding.kind != "assign":
                        yield binding.value
                    elif self._is_field(holder, node.name) and not handed:  # else it is declared
                        yield from self._given(heir, node.name)

    def _is_field(self, cls: Class, name: str) -> bool:
        """Whether the objects of a data class each have an attribute of their own; not so with a `ClassVar`."""
        own = any(one.name == name for one in self.classes.fields(cls))
        return own and self.classes.is_data(cls)

    def _given(self, cls: Class, name: str) -> Iterator[tree.Node | None]:
        """What objects of a class are made of that keep it under a name, `Index("GSI1", "TENANT#{tenant_id}")`;
        `None` for what is not known."""
        with self.names.aside():
            calls = [call for call, _ in self.inference.calls.constructors_of(cls)]
        for call in calls:
            value = self.classes.kept(cls, name, call.args)
            if value is not None:
                self.given[id(value)] = name
            yield value
        if not calls:
            yield None

    def _holders(self, node: tree.Attr, cls: Class) -> Iterator[Class]:
        """The classes in which an object looks for an attribute, or an attribute of its `Meta`."""
        inner = node.base
        for owner in self.classes.mro(cls):
            if not isinstance(inner, tree.Attr) or not inner.name[:1].isupper():
                yield owner
                continue
            for binding in owner.scope.bindings.get(inner.name, ()):
                if isinstance(binding.definition, Class):
                    yield from self.classes.mro(binding.definition)


def _inner(node: tree.Node) -> tree.Node | None:
    """What something is looked up in."""
    match node:
        case tree.Subscript(base=base):
            return base
        case tree.Call(func=tree.Attr(name="get" | "items" | "values", base=base)):
            return base
        case _:
            return None


def _within_values(source: tree.Node | None, path: tuple[int, ...]) -> tuple[int, ...] | None:
    """Where in the values of a dict, through which a loop goes, a part of its target stands: `pk` of `for name, (pk, sk)
    in TABLE.items()` is the first of each; `None` where the loop goes through anything else."""
    match source, path:
        case tree.Call(func=tree.Attr(name="values"), args=()), _:
            return path
        case tree.Call(func=tree.Attr(name="items"), args=()), (1, *rest):
            return tuple(rest)
        case _:
            return None


def _texts(values: Iterable[tree.Node | None]) -> Chosen:
    """Those of some values that are texts; an empty one, or `None`, stands for none: `pk_template = ""`."""
    found: dict[int, tree.Const] = {}
    whole = True
    for value in values:
        if (
            not isinstance(value, tree.Const)
            or value.kind not in ("", "str")
            or not isinstance(value.value, str | None)
        ):
            whole = False
        elif value.value:
            found[id(value)] = value
    return Chosen(tuple(found.values()), whole)
