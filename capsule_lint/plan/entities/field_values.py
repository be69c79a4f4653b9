"""What says how a field is kept, `Field(alias="tenantId", description="Who owns it")`, for the one that comes beside it:
names become the other scope's, and so does what is told of it; what is demanded of the values of the one field is left away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.plan.code import rename
from capsule_lint.plan.docstrings import told_of
from capsule_lint.plan.literals import literal
from capsule_lint.program.fields import is_ellipsis
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.policy import Scope

CodeOf: TypeAlias = "Callable[[tree.Node], str]"
"""How an expression is written."""
_NAMING: Final = frozenset(
    [
        "alias",
        "attr_name",
        "data_key",
        "field_name",
        "name",
        "serialization_alias",
        "validation_alias",
    ]
)
"""Keywords that say what a field is called elsewhere."""
_PLAIN: Final = ("field", "Field")
"""Functions that say what a field is like which its annotation makes one; their first argument is its default."""
_DESCRIPTION: Final = "description"
_TELLING: Final = frozenset([_DESCRIPTION, "title", "example", "examples"])
_DEMANDING: Final = frozenset(["pattern", "regex", "max_length"])
_GENERAL: Final = frozenset(["frozen", "repr", "strip_whitespace"])
"""Keywords whose values are true of every scope's field."""
_KNOWN: Final = _NAMING | _TELLING | _DEMANDING | _GENERAL | {"min_length"}
_FILLING: Final = frozenset(
    [
        "default",
        "default_factory",
        "default_for_new",
        "factory",
        "init",
        "insert_default",
        "null",
        "server_default",
    ]
)
"""Keywords that say what a field has where nobody says it, or who sets it."""


def unnamed(value: tree.Node, old: Scope, new: Scope) -> tree.Node | None:
    """The name that a value gives a field elsewhere, `Field(alias="tid")`, where nothing tells what the other field is
    called there; `None` where all such names can be told."""
    for one in names_in(value):
        said = tree.text(one) or ""
        if rename(said, old, new) == said:
            return one
    return None


def names_in(value: tree.Node, *, naming: bool = False) -> Iterator[tree.Node]:
    """The texts by which a value says what a field is called elsewhere; `naming` says that it stands where such do."""
    match value:
        case tree.Call():
            for argument in value.args:
                said = naming or argument.keyword in _NAMING
                yield from names_in(argument.value, naming=said)
        case tree.DictDisplay():
            for key, inner in value.pairs:
                said = naming or (key is not None and tree.text(key) in _NAMING)
                yield from names_in(inner, naming=said)
        case _ if naming and tree.text(value) is not None:
            yield value


def code_beside(
    call: tree.Call, old: Scope, new: Scope, code_of: CodeOf, *, inherited: bool = False
) -> str | None:
    """The code of a call for the other field, empty where that says nothing but that there is one; `None` where nothing
    but one name of the scope has to change in it. What a base says, `inherited` by the class, is said without what
    fills its field."""
    filling = [a for a in call.args if inherited and _is_filling(call, a, old, new, code_of)]
    call = replace(call, args=tuple(a for a in call.args if a not in filling))
    own = bool(filling) or any(_is_of_one(argument, old) for argument in call.args)
    left = [a.value for a in call.args if not _is_of_one(a, old)]
    if own and last_name(call.func) in _PLAIN and all(map(is_ellipsis, left)):
        return ""
    own = own or any(argument.keyword in _TELLING for argument in call.args)
    return _code(call, old, new, code_of) if own or len(list(names_in(call))) > 1 else None


def _is_filling(
    call: tree.Call, argument: tree.Argument, old: Scope, new: Scope, code_of: CodeOf
) -> bool:
    """Whether an argument says what the one field has by itself, or something by which others know that one alone."""
    if argument.keyword is None and not argument.star:
        return last_name(call.func) in _PLAIN and not is_ellipsis(argument.value)
    code = code_of(argument.value)
    return argument.keyword in _FILLING or (
        argument.keyword == "metadata" and rename(code, old, new) == code
    )


def annotated_beside(node: tree.Node, old: Scope, new: Scope, code_of: CodeOf) -> str | None:
    """The code of what an annotation says besides the type, `Field(min_length=1, alias="tenantId")`, for the other field:
    what is true of every scope's value, what it is called elsewhere, and what is told of it; `None` where that is nothing."""
    if not isinstance(node, tree.Call):
        return None
    args = tuple(a for a in node.args if _is_general(a) or a.keyword in _NAMING | _TELLING)
    func = code_of(node.func)
    if rename(func, old, new) != func or any(a.keyword not in _KNOWN for a in node.args):
        args = tuple(a for a in args if a.keyword in _NAMING)
    args = tuple(a for a in args if not _is_of_one(a, old))
    return _code(replace(node, args=args), old, new, code_of) if args else None


def _is_general(argument: tree.Argument) -> bool:
    """Whether what is demanded of a value is true of every text that is not empty: `min_length=1`."""
    if argument.keyword == "min_length":
        return tree.integer(argument.value) == 1
    return argument.keyword in _GENERAL


def _code(node: tree.Node, old: Scope, new: Scope, code_of: CodeOf) -> str:
    if not isinstance(node, tree.Call):
        return rename(code_of(node), old, new)
    said = []
    for argument in node.args:
        code = _code(argument.value, old, new, code_of)
        if argument.keyword in _TELLING:
            code = _told(argument, code, old, new)
        if not _is_of_one(argument, old):
            keyword = f"{argument.keyword}=" if argument.keyword else argument.star
            said.append(keyword + code)
    return f"{code_of(node.func)}({', '.join(dict.fromkeys(said))})"


def _told(argument: tree.Argument, code: str, old: Scope, new: Scope) -> str:
    """The code of what is told of the other field, of which `code` has the names: no more than its scope, where it is
    more than what the one is called."""
    text = tree.text(argument.value)
    if text is None or _is_its_name(text, old):
        return code.replace(old.name.capitalize(), new.name.capitalize())
    known = literal(code)
    quote = known.quote if known is not None else '"'
    return f"{quote}{told_of(new, text)}{quote}"


def _is_of_one(argument: tree.Argument, old: Scope) -> bool:
    """Whether what an argument says is true of the one field alone, for all that is known."""
    if argument.keyword in _TELLING:
        text = tree.text(argument.value)
        return text is None or not (argument.keyword == _DESCRIPTION or _is_its_name(text, old))
    return argument.keyword in _DEMANDING


def _is_its_name(text: str, scope: Scope) -> bool:
    """Whether a text says no more of a scope's field than what it is called."""
    said = set(text.lower().replace("_", " ").split())
    return scope.name in said and said <= {*scope.parameter.split("_"), scope.name, "id"}
