"""Objects that keep a format string and fill it: `NOTE = Pattern("TENANT#{tenant_id}#NOTE#{note_id}")`, and
then `NOTE.key(tenant_id=…, note_id=…)`, where `key` hands on all that it is given; those of the standard library,
`Template("TENANT#$tenant_id")`; and objects that are texts themselves: `class Pk(str)`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import Binding, Class, last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from capsule_lint.program.calling.callers import Callee
    from capsule_lint.program.classes import Classes
    from capsule_lint.program.model import Function
    from capsule_lint.program.names import Names


VALUE: Final = frozenset(("value", "_value_"))
"""What the members of an enum have of their own, where no constructor makes anything else of it."""
_MAKING: Final = ("__new__", "__init__")
SUBSTITUTE: Final = "substitute"
_SUBSTITUTING: Final = frozenset((SUBSTITUTE, "safe_substitute"))
"""The methods by which `string.Template` fills its text."""


class Kept(Struct, frozen=True):
    """The format string that a call fills, in the object whose method is called."""

    text: tree.Const
    holder: tree.Node
    """What names the object."""
    name: str
    """The key of a dict under which the method puts the text; empty where it gives the text itself."""
    how: str = "format"
    """How the text is filled: as its `format` does it, or as `substitute` of `string.Template`."""
    own: tuple[tuple[str, tree.Node], ...] = ()
    """The fields that the method fills itself, and with what."""


@dataclass(eq=False)
class TextObjects:
    """Finds them, where the object is a constant of a module, of a class or of an enum."""

    names: Names
    classes: Classes
    tag: str
    """What the texts of keys have in them."""
    known_as: Callable[[str], Iterable[str]]
    """The names under which something may be known by imports."""
    _known: dict[int, tuple[tree.Node, Kept | None]] = field(default_factory=dict)
    """By the expression that is called, which is held so that no other one gets its id."""

    def kept(self, func: tree.Node) -> Kept | None:
        """What a call of `func` fills."""
        if id(func) not in self._known:
            self._known[id(func)] = func, next(self._kept_by(func), None)
        return self._known[id(func)][1]

    def _kept_by(self, func: tree.Node) -> Iterator[Kept]:
        """The same of an object that has a method, and of one that is called itself: `K.NOTE.fill`, `K.NOTE`."""
        ways = [(func.base, func.name)] if isinstance(func, tree.Attr) else []
        for holder, method in [*ways, (func, "__call__")]:
            if isinstance(holder, tree.Call):
                yield from self._library(holder, holder, method)
            elif isinstance(holder, tree.Attr | tree.Name) and not self._holders.isdisjoint(
                map(last_name, (holder, member_of(holder)))
            ):
                yield from self._find(holder, method)

    @cached_property
    def _holders(self) -> set[str]:
        """What objects are called that are given such a text."""
        found: set[str] = set()
        for module in self.names.modules.values():
            for statement, place in module.statements:
                if place.scope.function is not None or not isinstance(statement, tree.Assign):
                    continue
                if any(map(self._says_key, parts_of(statement.value))):
                    found.update(map(last_name, statement.targets))
        return {alias for name in found for alias in self.known_as(name)}

    def _says_key(self, node: tree.Node | None) -> bool:
        return (
            isinstance(node, tree.Const) and isinstance(node.value, str) and self.tag in node.value
        )

    def _find(self, holder: tree.Attr | tree.Name, method: str) -> Iterator[Kept]:
        member = member_of(holder)
        target, in_enum = self._kept_at(member)
        if not in_enum and member is not holder:  # an attribute that happens to be called so
            member = holder
            target, in_enum = self._kept_at(holder)
        if target is None:
            return
        if in_enum == (member is not holder):
            yield from self._library(target.value, holder, method)
        if member is not holder:
            return
        cls, arguments = self._made(target)
        function = self.classes.method(cls, method) if cls is not None else None
        if cls is None or function is None:
            return
        for key, attribute, how, fields in _filled(function):
            is_value = attribute in VALUE and self.classes.is_enum(cls)
            given = target.value if is_value else self.classes.kept(cls, attribute, arguments)
            made = self._library(given, holder, how) if how in _SUBSTITUTING else ()
            text = next((one.text for one in made), None) if how in _SUBSTITUTING else given
            if isinstance(text, tree.Const) and self._says_key(text):
                own = isinstance(key, tree.Attr) and isinstance(key.base, tree.Name)
                said = self.classes.kept(cls, last_name(key), arguments) if own else key
                filling = SUBSTITUTE if how in _SUBSTITUTING else how
                yield Kept(text, holder, tree.text(said) or "", filling, fields)

    def _kept_at(self, node: tree.Node) -> tuple[Binding | None, bool]:
        """What gives a constant its value that an expression names, and whether that is a member of an enum."""
        target = self.classes.dotted(node)
        if not isinstance(target, Binding) or target.kind != "assign" or target.path:
            return None, False
        home = target.place.scope.cls if target.place.scope.kind == "class" else None
        return target, home is not None and self.classes.is_enum(home)

    def _library(self, made: tree.Node | None, holder: tree.Node, method: str) -> Iterator[Kept]:
        """The text that a `string.Template` has which some code makes, and a method of it fills."""
        match made:
            case tree.Call(
                func=func, args=(tree.Argument(value=tree.Const(value=str()) as text),)
            ):
                if method in _SUBSTITUTING and self.classes.dotted(func) == "string.Template":
                    yield Kept(text, holder, "", SUBSTITUTE)

    def _made(self, target: Binding) -> tuple[Class | None, Sequence[tree.Argument]]:
        """The class of an object, and what its constructor is given."""
        value, home = target.value, target.place.scope.cls
        if target.place.scope.kind == "class" and home is not None and self.classes.is_enum(home):
            items = value.items if isinstance(value, tree.Sequence) else (value,)
            return home, [
                tree.Argument(item, None, "", item.at) for item in items if item is not None
            ]
        if not isinstance(value, tree.Call) or target.place.scope.kind not in ("module", "class"):
            return None, ()
        made = self.classes.dotted(value.func)
        cls = made.definition if isinstance(made, Binding) else None
        return (cls, value.args) if isinstance(cls, Class) else (None, ())


def are_texts(classes: Classes, callees: Iterable[Callee]) -> bool:
    """Whether what is called only makes texts of texts, and leaves them as they are: `Pk(f"TENANT#{tenant_id}")`."""
    made = [callee.cls if callee.function is None else None for callee in callees]
    return bool(made) and all(
        cls is not None
        and "str" in classes.base_names(cls)
        and not classes.is_enum(cls)
        and not any(classes.method(cls, name) for name in _MAKING)
        for cls in made
    )


def parts_of(value: tree.Node | None) -> tuple[tree.Node, ...]:
    """What a constructor, or the one of an enum's members, is given."""
    match value:
        case tree.Call():
            return tuple(argument.value for argument in value.args)
        case tree.Sequence():
            return value.items
        case _:
            return () if value is None else (value,)


def _filled(
    function: Function,
) -> Iterator[tuple[tree.Node | None, str, str, tuple[tuple[str, tree.Node], ...]]]:
    """The keys of the dict in which a method gives back texts that it has filled with all that it is given, none where
    it gives back one alone; the attributes that these texts are, how they are filled, and what it fills in itself
    besides, `self.value.format(env=ENV, **values)`."""
    spread = {p.kind: p.name for p in function.own_params if p.kind in ("*", "**")}
    if len(function.returns) != 1 or len(spread) != len(function.own_params) or not spread:
        return
    match function.returns[0]:
        case tree.DictDisplay(keys=keys, values=values):
            pairs = list(zip(keys, values, strict=True))
        case value:
            pairs = [(None, value)]
    for key, value in pairs:
        match value:
            case tree.Call(func=tree.Attr(base=base, name=how), args=args) as call if args and (
                how == "format" or how in _SUBSTITUTING
            ):
                given = [a for a in args if a.keyword is None]
                passed = [(a.star, a.value.id) for a in given if isinstance(a.value, tree.Name)]
                attribute = _own(base, function)
                whole = passed == list(spread.items()) and len(passed) == len(given)
                if attribute is not None and whole:
                    yield key, attribute, how, tuple(call.keywords)


def member_of(node: tree.Node) -> tree.Node:
    """`Texts.DOC` of `Texts.DOC.value`; any other expression itself."""
    match node:
        case tree.Attr(name=name, base=tree.Attr() as member) if name in VALUE:
            return member
        case _:
            return node


def _own(node: tree.Node, function: Function) -> str | None:
    """The attribute of its object that a method names; `value` for the object itself, which is a text then."""
    match node:
        case tree.Name(id=name) if name == function.self_name:
            return "value"
        case tree.Attr(base=tree.Name(id=name), name=attribute) if name == function.self_name:
            return attribute
        case _:
            return None
