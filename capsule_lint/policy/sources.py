"""References, sources, parameters and segments: the small languages inside a policy's strings."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from typing import TYPE_CHECKING

from capsule_lint.policy.model import HandlerParameter, Reference, SourceKind, SourceSpec

if TYPE_CHECKING:
    from capsule_lint.policy.place import Place

_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_CLASS_ACCESS = re.compile(
    r"(?P<name>[^\W\d]\w*(?:\.(?=[A-Z]\w*[a-z])\w+(?=\.))*)\.(?P<access>.+)"
)
_HOLE = re.compile(r"\{([^{}]*)\}")
_SOURCE_FORMS = (
    "write `module:Class.attribute`, `module:Class.method()`, `module:function(request)`, "
    "`module:CONSTANT` or an expression such as `request.state.capsule_id`"
)


def dotted(text: str) -> bool:
    """Whether a text is a dotted name without keywords in it."""
    return bool(_MODULE.fullmatch(text)) and not any(map(keyword.iskeyword, text.split(".")))


def expression(text: str, place: Place) -> ast.expr:
    """The syntax of a one-line Python expression.

    Raises PolicyError if it is none, or if it could not stand inside other code (a comment).
    """
    try:
        if "\n" in text or "\r" in text:
            raise place.error("must be on one line")
        ast.parse(f"({text})", mode="eval")  # fails on what reaches beyond its end
        return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise place.error(f"`{text}` is no Python expression: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise place.error("is no Python expression that can be read") from None


def free_names(node: ast.AST) -> tuple[str, ...]:
    """The names that an expression reads and does not bind, builtins aside, in their order."""
    reads: list[ast.Name] = []
    bound: set[str] = set()
    for part in ast.walk(node):
        match part:
            case ast.Name(ctx=ast.Load()):
                reads.append(part)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
    reads.sort(key=lambda name: name.col_offset)
    names = dict.fromkeys(name.id for name in reads)
    return tuple(name for name in names if name not in bound and not hasattr(builtins, name))


def _arguments(call: ast.Call, code: str) -> tuple[str, ...]:
    """The code of each argument of a call, as it is written."""
    values = [ast.get_source_segment(code, value) or "" for value in call.args]
    named = [
        f"{'**' if word.arg is None else word.arg + '='}"
        f"{ast.get_source_segment(code, word.value) or ''}"
        for word in call.keywords
    ]
    return (*values, *named)


def _of_module(text: str, module: str, code: str, place: Place) -> SourceSpec:
    """A source that stands after `module:`."""
    node = expression(code, place)
    match node:
        case ast.Name(id=name):
            return SourceSpec(SourceKind.CONSTANT, text, module, name, code=code)
        case ast.Call(func=ast.Name(id=name)):
            arguments = _arguments(node, code)
            roots = tuple(root for root in free_names(node) if root != name)
            return SourceSpec(
                SourceKind.CALL,
                text,
                module,
                name,
                arguments=arguments,
                code=code,
                roots=roots,
            )
        case ast.Attribute() | ast.Call(func=ast.Attribute()):
            if found := _CLASS_ACCESS.fullmatch(code):
                name = found["name"]
                first = name.partition(".")[0]
                roots = tuple(root for root in free_names(node) if root != first)
                return SourceSpec(
                    SourceKind.ATTRIBUTE,
                    text,
                    module,
                    name,
                    found["access"],
                    code=code,
                    roots=roots,
                )
    raise place.error(f"`{text}` is no source: {_SOURCE_FORMS}")


def parse_source(raw: str, place: Place) -> SourceSpec:
    """A source from its text; see SourceSpec for the forms. Raises PolicyError if it has none.

    Only a dotted name before the first colon is a module: `event["a:b"]` is an expression.
    """
    text = raw.strip()
    module, colon, rest = text.partition(":")
    if colon and dotted(module.strip()):
        if not rest.strip():
            raise place.error(f"`{text}` names nothing in the module: {_SOURCE_FORMS}")
        return _of_module(text, module.strip(), rest.strip(), place)
    if not text:
        raise place.error(f"is empty: {_SOURCE_FORMS}")
    roots = free_names(expression(text, place))
    if not roots:
        raise place.error(f"`{text}` starts from no name: {_SOURCE_FORMS}")
    return SourceSpec(SourceKind.EXPRESSION, text, code=text, roots=roots)


def parse_reference(text: str, place: Place) -> Reference:
    """`module:Name`, or the bare name of a builtin. Raises PolicyError, with the likely form."""
    module, colon, name = (part.strip() for part in text.partition(":"))
    if colon and dotted(module) and dotted(name):
        return Reference(module, name)
    if not colon and hasattr(builtins, module):
        return Reference("builtins", module)
    package, dot, last = module.rpartition(".")
    if not colon and dot and dotted(module):
        raise place.error(f"`{text}` has no colon: did you mean `{package}:{last}`?")
    raise place.error(f"`{text}` is no reference: write `module:Name`, as in `app.ids:CapsuleId`")


def _parse_annotation(text: str, place: Place) -> Reference:
    """`fastapi.Request`, `fastapi:Request` or a builtin."""
    if ":" in text or hasattr(builtins, text):
        return parse_reference(text, place)
    module, dot, name = text.rpartition(".")
    if dot and dotted(text):
        return Reference(module, name)
    raise place.error(f"`{text}` comes from no module: write it as in `fastapi.Request`")


def parse_parameter(text: str, place: Place) -> HandlerParameter:
    """`request: fastapi.Request`, or the name alone. Raises PolicyError if it is neither."""
    name, colon, annotation = (part.strip() for part in text.partition(":"))
    if "." in name or not dotted(name):
        raise place.error(f"`{name}` is no parameter name: write `request: fastapi.Request`")
    if not colon:
        return HandlerParameter(name)
    return HandlerParameter(name, _parse_annotation(annotation, place))


def parse_segment(text: str, place: Place) -> tuple[str, str]:
    """The tag and the hole's name of a segment. Raises PolicyError unless one hole ends it."""
    holes = _HOLE.findall(text)
    if len(holes) != 1:
        problem = "has no hole" if not holes else f"has {len(holes)} holes"
        raise place.error(f"`{text}` {problem}: write exactly one, as in `CAPSULE#{{capsule_id}}`")
    tag, rest = _HOLE.split(text)[::2]
    hole: str = holes[0]
    if "." in hole or not dotted(hole):
        raise place.error(f"`{{{hole}}}` is no hole: it must hold one parameter name")
    if rest or "{" in tag or "}" in tag:
        raise place.error(f"`{text}` must be a tag and then a hole, as in `CAPSULE#{{{hole}}}`")
    return tag, hole
