"""The fields that the constructors of data classes are made from, by what stands in the classes."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from capsule_lint.program.model import Class

COPY_FUNCTIONS: Final = ("replace", "evolve")
"""What gives an object like another one, with other attributes: of `dataclasses`, `copy` and `attrs`; they take the
instance first."""
COPYING: Final = (*COPY_FUNCTIONS, "_replace", "__replace__", "model_copy", "copy")
"""The same, by methods as well: of named tuples, of pydantic models, and of what people write themselves."""

_FIELDS: Final = ("field", "Field", "ib", "attrib")
"""Functions that say what a field is like, its default among that."""
_DESCRIBING: Final = ("ib", "attrib", "field", "column", "mapped_column")
"""Functions that make descriptors; all others are classes."""
_AROUND: Final = ("ReadOnly", "Annotated")
"""What may stand around the word that says of a key whether it must be there."""


class Field(Struct, frozen=True):
    """A field of a class whose constructor is made from its fields."""

    name: str
    statement: tree.Assign
    annotation: tree.Node | None
    value: tree.Node | None
    owner: Class

    @property
    def has_default(self) -> bool:
        """Whether a default stands for it."""
        value = self.value
        if self.annotation is None and self.owner.fact.listed is None:
            keywords = {a.keyword for a in value.args} if isinstance(value, tree.Call) else set()
            return bool(keywords & {"default", "default_for_new", "null"})
        if self._is_needed(value):
            return False
        if isinstance(value, tree.Call) and last_name(value.func) in _FIELDS:
            keywords = {argument.keyword for argument in value.args}
            if keywords & {"default", "default_factory", "factory"}:
                return True
            return any(argument.keyword is None for argument in value.args)
        return value is not None

    @property
    def may_be_left_out(self) -> bool:
        """Whether it is a key that a dict of a `TypedDict` need not have: `NotRequired[str]`, or any but `Required[str]`
        where the class is not `total`."""
        said = self.annotation
        while isinstance(said, tree.Subscript) and last_name(said) in _AROUND:
            said = next(iter(tree.items(said.index)), None)
        called = last_name(said)
        return called == "NotRequired" or (
            called != "Required" and flag_of(self.owner.fact.bases, "total") is False
        )

    def _is_needed(self, value: tree.Node | None) -> bool:
        """Whether `...` says that there is none: `Field(...)` under any name. In a stub it says that there is one."""
        if isinstance(value, tree.Call):
            first = [argument.value for argument in value.args if argument.keyword is None][:1]
            first += [a.value for a in value.args if a.keyword == "default"]
            return any(map(is_ellipsis, first))
        return is_ellipsis(value) and not self.owner.module.filename.endswith(".pyi")

    @property
    def in_constructor(self) -> bool:
        """Whether the constructor takes it."""
        if last_name(base_of(self.annotation)) == "ClassVar" or _is_sentinel(self.statement):
            return False
        return self._flag("init") is not False

    @property
    def keyword_only(self) -> bool | None:
        """Whether the constructor takes it by keyword alone; `None` where its class says that."""
        return self._flag("kw_only") if not self.behind_sentinel else True

    @property
    def behind_sentinel(self) -> bool:
        """Whether it stands behind `_: KW_ONLY`."""
        before = takewhile(lambda one: one is not self.statement, self.owner.fact.body)
        return any(isinstance(one, tree.Assign) and _is_sentinel(one) for one in before)

    def _flag(self, keyword: str) -> bool | None:
        """What `field(keyword=…)` says."""
        value = self.value
        if isinstance(value, tree.Call) and last_name(value.func) in _FIELDS:
            return flag_of(value.args, keyword)
        return None


def copied_by(call: tree.Call) -> tree.Node | None:
    """The instance that a call copies, judged by the function's name: `ctx` of `replace(ctx, …)` and
    `dataclasses.replace(ctx, …)`, of `ctx._replace(…)` and `ctx.model_copy(…)`."""
    name, first = last_name(call.func), call.args[0] if call.args else None
    plain = first.value if first is not None and not first.keyword and not first.star else None
    match call.func:
        case tree.Name() if name in COPY_FUNCTIONS:
            return plain
        case tree.Attr(base=tree.Name()) if name in COPY_FUNCTIONS and plain is not None:
            return plain
        case tree.Attr(base=base) if name in COPYING:
            return base
        case _:
            return None


def default_in(value: tree.Node) -> tuple[tree.Node, bool] | None:
    """The default that stands for a field, and whether it has to be called for it: `"t"` of `field(default="t")`,
    `new_id` of `field(default_factory=new_id)`; `None` where there is none."""
    if not isinstance(value, tree.Call) or last_name(value.func) not in _FIELDS:
        return value, False
    for keyword in ("default", "default_factory", "factory"):
        said = value.keyword(keyword)
        if said is not None:
            return said, keyword != "default"
    return (value.unnamed[0], False) if value.unnamed else None


def described(cls: Class) -> Iterator[Field]:
    """What keeps attributes for the objects of a class, without annotations: descriptors, `tenant_id = Column()`."""
    for statement in cls.fact.body:
        value = statement.value if isinstance(statement, tree.Assign) else None
        if isinstance(statement, tree.Assign) and isinstance(value, tree.Call):
            made, target = last_name(value.func), statement.targets[0]
            if isinstance(target, tree.Name) and (made[:1].isupper() or made in _DESCRIBING):
                yield Field(target.id, statement, statement.annotation, value, cls)


def alias_of(value: tree.Node | None) -> str | None:
    """`tenantId` of `Field(alias="tenantId")`, and of `Annotated[str, Field(alias="tenantId")]`."""
    if isinstance(value, tree.Subscript) and last_name(value.base) == "Annotated":
        return next(filter(None, map(alias_of, tree.items(value.index)[1:])), None)
    said = {a.keyword: a.value for a in value.args} if isinstance(value, tree.Call) else {}
    for keyword in ("alias", "validation_alias", "serialization_alias"):
        alias = said.get(keyword)
        if isinstance(alias, tree.Const) and isinstance(alias.value, str):
            return alias.value
    return None


def generates_aliases(classes: Iterable[Class]) -> bool:
    """Whether a model's configuration, or that of one it inherits from, makes aliases of all names:
    `alias_generator=to_camel`, and `class Note(Struct, rename="camel")`."""
    for owner in classes:
        values = [one.value for one in owner.fact.body if isinstance(one, tree.Assign)]
        told = [one.args for one in values if isinstance(one, tree.Call)]
        for argument in (a for args in (owner.fact.bases, *told) for a in args):
            said = tree.text(argument.value) or last_name(argument.value)
            if argument.keyword in ("alias_generator", "rename") and "camel" in said.lower():
                return True
    return False


def camel_case(name: str) -> str:
    """`tenantId` of `tenant_id`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _is_sentinel(statement: tree.Assign) -> bool:
    """`_: KW_ONLY`, which is no field: those behind it are given by keyword."""
    return last_name(statement.annotation) == "KW_ONLY"


def flag_of(arguments: Sequence[tree.Argument], keyword: str) -> bool | None:
    """What a call says by a keyword that is written out as `True` or `False`."""
    said = next((a.value for a in arguments if a.keyword == keyword), None)
    truth = said.value if isinstance(said, tree.Const) else None
    return truth if isinstance(truth, bool) else None


def is_field(statement: tree.Assign) -> bool:
    """Whether a class attribute is a field: it is annotated, or an attribute of PynamoDB's."""
    if statement.annotation is not None:
        return True
    value = statement.value
    return isinstance(value, tree.Call) and last_name(value.func).endswith("Attribute")


def base_of(node: tree.Node | None) -> tree.Node | None:
    """`Generic` of `Generic[T]`; anything else itself."""
    return node.base if isinstance(node, tree.Subscript) else node


def is_ellipsis(node: tree.Node | None) -> bool:
    """Whether an expression is `...`."""
    return isinstance(node, tree.Const) and node.kind == "ellipsis"
