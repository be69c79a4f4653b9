"""What goes through all fields of an object, or of a class: `asdict(order)`, `vars(self)`, `fields(cls)`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.program.inference.types import ClassObject, Instance
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.program import Program
    from capsule_lint.program.model import Class

GIVING_ALL: Final = frozenset(
    [
        "_asdict",
        "asdict",
        "dict",
        "jsonable_encoder",
        "model_dump",
        "to_builtins",
        "to_simple_dict",
        "unstructure",
        "vars",
    ]
)
"""What gives all fields of an object."""
DUMPING_ALL: Final = "model_dump_json"
"""What gives a text of them."""
_WHOLE: Final = GIVING_ALL | {DUMPING_ALL, "astuple", "fields", "attrs"}
"""Functions and methods that go through all fields of an object."""
_MAX_DEPTH: Final = 3
NAMING_ALL: Final = ("__dataclass_fields__", "__match_args__", "_fields")
"""Attributes that have the names of all fields in them, in the order in which constructors take these."""
_OF_PYNAMO: Final = ("attribute_values", "to_simple_dict")
"""What models of PynamoDB's have alone."""
_ATTRIBUTES: Final = (
    "__dict__",
    "attribute_values",
    "__dataclass_fields__",
    "_fields",
    "model_fields",
)


def whole(call: tree.Call) -> Iterator[tree.Node]:
    """What a call that gives all fields of an object may give them of: `asdict(order)`,
    `order.model_dump(mode="json")`."""
    if call.args and call.args[0].keyword is None:
        yield call.args[0].value
    if isinstance(call.func, tree.Attr):
        yield call.func.base


def named_by(name: tree.Node | None, target: tree.Node, each: tree.Node) -> tree.Node | None:
    """The class all of whose fields a loop names: `Note` of `f.name for f in fields(Note)`, and of `name for name in
    Note.__match_args__`; `None` where it does not."""
    match name, each:
        case tree.Name(id=read), tree.Attr(name=attribute, base=of) if attribute in NAMING_ALL:
            pass
        case (
            tree.Attr(name="name", base=tree.Name(id=read)),
            tree.Call(func=func, args=(tree.Argument(keyword=None, star="", value=of),)),
        ) if last_name(func) == "fields":
            pass
        case _:
            return None
    return of if isinstance(target, tree.Name) and target.id == read else None


def holds_all(program: Program, node: tree.Attr) -> bool:
    """Whether an attribute is a dict of all fields of its object: `order.__dict__`, `visit.attribute_values` of PynamoDB."""
    if node.name != "attribute_values":
        return node.name == "__dict__"
    inference = program.inference
    return any(map(program.classes.is_pynamo, inference.any_class(inference.of(node.base))))


def says_which(call: tree.Call) -> bool:
    """Whether a call says which of the fields it gives: `model_dump(include={"title"})`."""
    return any(a.keyword in ("include", "exclude", "by_alias") for a in call.args)


@dataclass(eq=False)
class Wholes:
    """Finds it in a program."""

    program: Program

    @cached_property
    def every(self) -> list[tuple[Class, tree.Node]]:
        """The classes whose objects, or they themselves, are given to what goes through all fields, and
        the expression that does; none for what is not known."""
        return list(self._find())

    def gives(self, node: tree.Node) -> set[Class]:
        """The classes of the objects all of whose fields an expression gives, where it is known to give these:
        `vars(order)`."""
        match node:
            case tree.Call() if last_name(node.func) in GIVING_ALL:
                given = list(whole(node))
            case tree.Attr() if holds_all(self.program, node):
                given = [node.base]
            case _:
                return set()
        types = [one for inner in given for one in self.program.inference.of(inner)]
        classes = (one.cls for one in types if isinstance(one, Instance))
        return {cls for cls in classes if self._may_have(cls, last_name(node))}

    def _may_have(self, cls: Class, name: str) -> bool:
        """Whether what has that name goes through all fields of a class."""
        return name not in _OF_PYNAMO or self.program.classes.is_pynamo(cls)

    def given_to(self, names: Iterable[str]) -> Iterator[tuple[Class, tree.Call]]:
        """The classes whose objects, or they themselves, are given to what has one of some names, and the call."""
        for name in sorted(names):
            for call in self.program.calls.uses.calls_beside(name):
                for cls in (cls for node in whole(call) for cls in self._classes(node)):
                    if self._may_have(cls, name):
                        yield cls, call

    def _find(self) -> Iterator[tuple[Class, tree.Node]]:
        yield from self.given_to(_WHOLE)
        for module in self.program.names.judged():
            for node in module.each(tree.Attr):
                if node.name in _ATTRIBUTES:
                    for cls in self._classes(node.base):
                        if self._may_have(cls, node.name):
                            yield cls, node

    def _classes(self, node: tree.Node, depth: int = 0) -> Iterator[Class]:
        classes = self.program.classes
        found = [
            one.cls
            for one in self.program.inference.of(node)
            if isinstance(one, Instance | ClassObject)
        ]
        for cls in found:
            yield from classes.mro(cls)
            yield from classes.subclasses(cls)
        if not found and isinstance(node, tree.Name) and depth < _MAX_DEPTH:
            for given in self._given(node):
                yield from self._classes(given, depth + 1)

    def _given(self, node: tree.Name) -> Iterator[tree.Node]:
        """What callers give for a parameter that is annotated as what is not the program's own:
        `def to_row(model: BaseModel)`."""
        for binding in self.program.names.bindings_of(node):
            yield from self.program.calls.passed_to(binding)


def given_whole(node: tree.Node) -> tree.Node | None:
    """The object all of whose fields a mapping holds: `asdict(self)`, `vars(self)`, `self.__dict__`,
    `{f.name: getattr(self, f.name) for f in fields(self)}`."""
    match node:
        case tree.Comprehension(
            results=(tree.Attr(base=key, name="name"), value), generators=(one,)
        ) if text_of(key) == text_of(one.target):
            return _asked_for_each(value, one)
        case tree.Attr(name="__dict__"):
            return node.base
        case tree.Call(args=(only,)) if only.keyword is None and not only.star:
            return only.value if last_name(node.func) in GIVING_ALL else None
        case tree.Call(func=tree.Attr(name=name, base=base), args=()) if name in GIVING_ALL:
            return base
        case _:
            return None


def given_in_order(node: tree.Node) -> tree.Node | None:
    """The object of all whose fields an expression gives the values, one after the other:
    `[getattr(self, f.name) for f in fields(self)]`, also in `tuple(…)`."""
    match node:
        case tree.Comprehension(
            kind="ListComp" | "GeneratorExp", results=(value,), generators=(one,)
        ):
            return _asked_for_each(value, one)
        case tree.Call(args=(tree.Argument(keyword=None, star="", value=inner),)):
            return given_in_order(inner) if last_name(node.func) in ("tuple", "list") else None
        case _:
            return None


def is_list(node: tree.Node) -> bool:
    """Whether an expression that gives values in an order makes a list of them."""
    if isinstance(node, tree.Call):
        return last_name(node.func) == "list"
    return isinstance(node, tree.Comprehension) and node.kind == "ListComp"


def _asked_for_each(value: tree.Node, one: tree.Generator) -> tree.Node | None:
    """The object that a comprehension asks for each of its fields by name."""
    match value, one.target, one.iter:
        case (
            tree.Call(
                func=tree.Name(id="getattr"),
                args=(
                    asked,
                    tree.Argument(value=tree.Attr(base=tree.Name(id=read), name="name")),
                ),
            ),
            tree.Name(id=name),
            tree.Call(args=(listed,)) as fields,
        ) if read == name and last_name(fields.func) == "fields" and not one.ifs:
            code = text_of(asked.value)
            same = code is not None and code == text_of(listed.value)
            return asked.value if same else None
        case _:
            return None
