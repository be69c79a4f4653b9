"""Fields that an object yields one after the other, `yield "title", self.title`, for `dict(note)`: what it gains as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddStatement
from capsule_lint.plan.code import rename
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.comparisons import is_compared
from capsule_lint.program.containers import LISTED
from capsule_lint.program.fields import camel_case
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Class, Module

_READING: Final = (tree.Call, tree.Comprehension, tree.Wrapped)


class Pair(Struct, frozen=True):
    """A field that is yielded: what it is called there, which attribute it is, and where."""

    name: str
    attribute: str
    statement: tree.Eval


class Yielded(MendRoom, Struct, frozen=True):
    """Mends what classes yield that gain a field."""

    mends: Mends

    def gain(self, cls: Class, scopes: list[Scope]) -> None:
        """Yield the new fields beside those of other scopes, or in front of all."""
        pairs = _pairs_of(cls)
        fields = {one.name for one in self.program.classes.fields(cls)}
        for scope in self.mends.policy_order(scopes) if pairs else ():
            attribute = self.state.attributes[cls, scope.parameter]
            if any(pair.attribute == attribute for pair in pairs):
                continue
            name = _named_as([p for p in pairs if p.attribute in fields], attribute)
            at, behind = pairs[0].statement, 0
            for other, place in reversed(self.program.policy.beside(scope)):
                for pair in pairs:
                    if self.program.domain.held.is_attribute(cls, pair.attribute, other):
                        at, behind, name = pair.statement, place, rename(pair.name, other, scope)
                        name = (
                            attribute if name == pair.name or pair.name == pair.attribute else name
                        )
            if name is None or any(pair.name == name for pair in pairs):
                reason = f"yields fields by names of their own, and `{attribute}` has none"
                self.mends.obstacle(("class", cls), at.values[0], reason)
                continue
            code = f'yield "{name}", self.{attribute}'
            mend = AddStatement(cls.module.filename, at.span, "CAP301", code, not behind)
            self.mends.add(("class", cls), mend)
        if pairs:
            self._doubt(cls)

    def _doubt(self, cls: Class) -> None:
        """A person must look where code counts on which fields an object yields, and in which order."""
        reason = f"takes apart what `{cls.name}` yields, which is one more"
        for module in self.program.names.editable():
            for node, whole in self._taken(module):
                classes = self.program.inference.any_class(self.program.inference.of(node))
                if any(cls in self.program.classes.mro(one) for one in classes):
                    self.mends.obstacle(("class", cls), whole, reason)

    def _taken(self, module: Module) -> Iterator[tuple[tree.Node, tree.Node]]:
        """What is unpacked, and what goes through an object and is compared, or of which parts are taken; with it."""
        for statement, _ in module.statements:
            value = statement.value if isinstance(statement, tree.Assign) else None
            targets = statement.targets if isinstance(statement, tree.Assign) else ()
            if value is not None and any(isinstance(one, tree.Sequence) for one in targets):
                yield value, value
        for node in module.every(*_READING):
            if not self._is_counted(node):
                continue
            match node:
                case tree.Call(args=(tree.Argument(star="", value=only),)):
                    if last_name(node.func) in LISTED:
                        yield only, node
                case tree.Comprehension(generators=(part,)):
                    yield part.iter, node
                case tree.Wrapped(kind="starred"):
                    yield node.value, node

    def _is_counted(self, node: tree.Node) -> bool:
        """Whether something is compared, or its length is, or parts of it are taken, here or by the local that it is."""
        parent = self.program.names.parent(node)
        match parent:
            case tree.Subscript(base=base):
                return base is node
            case tree.Call(func=tree.Name(id="len")):
                return is_compared(self.program, parent)
            case tree.Assign(targets=(tree.Name(),)):
                return any(map(self._is_counted, self.program.records.uses(parent)))
            case _:
                return is_compared(self.program, node)


def yields_fields(cls: Class) -> bool:
    """Whether the objects of a class yield fields by the names that these have."""
    return any(pair.name == pair.attribute for pair in _pairs_of(cls))


def _pairs_of(cls: Class) -> list[Pair]:
    """The fields that the objects of a class yield with their names, and where."""
    method = cls.methods.get("__iter__")
    found = []
    for statement in method.fact.body if method is not None else ():
        match statement:
            case tree.Eval(
                values=(
                    tree.Wrapped(
                        kind="yield",
                        value=tree.Sequence(
                            items=(
                                tree.Const(value=str() as name),
                                tree.Attr(name=attribute, base=tree.Name(id="self")),
                            )
                        ),
                    ),
                )
            ):
                found.append(Pair(name, attribute, statement))
    return found


def _named_as(pairs: list[Pair], attribute: str) -> str | None:
    """What an attribute is called as those are that are yielded; `None` where these have names of their own."""
    for name_of in (str, camel_case):
        if all(pair.name == name_of(pair.attribute) for pair in pairs):
            return name_of(attribute)
    return None
