"""What a template is made of: texts, holes and segments, and the names by which values are known."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.policy import Scope as ScopePolicy

GENERIC: Final = frozenset(("id", "value", "key", "code", "name", "uuid", "pk", "hex", "raw"))
"""Names that say nothing of what a value is of."""
MAX_DEPTH: Final = 12
"""How many expressions, each a part of the one before or what a name or a function gives it, are looked through: what a
question is asked for deep in another one counts from there, so that no chain and no circle of functions has no end."""
MAX_PIECES: Final = 2_048
"""How many pieces a text may have that is looked at: a key has at most 2,048 bytes."""
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")


class Text(Struct, frozen=True):
    """Literal text of a template."""

    value: str
    host: tree.Node
    """The template expression that it is written in."""
    node: tree.Node


class Filled(Struct, frozen=True):
    """A hole: the expression that fills it, and the name by which it is known."""

    value: tree.Node
    host: tree.Node
    name: str
    several: bool = False
    """Whether it stands for any number of parts: `"#".join(("TENANT", tenant_id, *parts))`, or `pk += f"#{part}"` in
    a loop."""


Piece: TypeAlias = Text | Filled


class Segment(Struct, frozen=True):
    """A scope that a template carries: which, at which piece, and whether its value is written out."""

    scope: str
    piece: int
    literal: bool
    tagged: bool
    position: int = 0
    """Where in a literal's text it starts."""


class Template(Struct, frozen=True):
    """One template: where its expression starts, and its pieces in order."""

    host: tree.Node
    pieces: tuple[Piece, ...]
    opaque: bool = False
    """Whether only its texts and values are known, and not how it is put together."""
    part: bool = False
    """Whether it is only a part of the text at `host`."""

    @property
    def text(self) -> str:
        """The template with `{}` for its holes."""
        return "".join(p.value if isinstance(p, Text) else "{}" for p in self.pieces)

    @property
    def written(self) -> str:
        """All that is written out of it, with `\0` for its holes; `{` of `text` may be that of a hole."""
        return "".join(p.value if isinstance(p, Text) else "\0" for p in self.pieces)

    @property
    def has_text(self) -> bool:
        """Whether anything of it is written out."""
        return any(isinstance(p, Text) and p.value for p in self.pieces)


@lru_cache(maxsize=1 << 14)
def snake(name: str) -> str:
    """`tenantId`, `_tenant_id`, `custom:tenant_id` to `tenant_id`."""
    name = name.rpartition(":")[2].rpartition(".")[2].replace("-", "_")
    return _CAMEL.sub("_", name).lower().strip("_")


@lru_cache(maxsize=1 << 14)
def words(name: str) -> tuple[str, ...]:
    """`InMemoryLineItemRepository` and `line_items` to their words, singular."""
    return tuple(
        w[:-3] + "y" if w.endswith("ies") else w.removesuffix("s") if len(w) > 3 else w
        for w in snake(name).split("_")
        if w
    )


def hole_name(node: tree.Node) -> str:
    """The name by which the value of an expression is known; empty when it has none."""
    match node:
        case tree.Name():
            return snake(node.id)
        case tree.Attr():
            own = snake(node.name)
            if own in GENERIC:
                base = hole_name(node.base)
                if base.endswith("_id") or (own in ("value", "hex", "raw") and base):
                    return base
                return f"{base}_{own}" if base and base not in ("self", "cls") else own
            return own
        case tree.Subscript(index=tree.Const(value=str() as key)):
            own = snake(key)
            return hole_name(node.base) if own in ("s", "n") else own
        case tree.Call(func=tree.Attr() as func) if func.name == "get" and node.args:
            first = node.args[0].value
            return (
                snake(first.value)
                if isinstance(first, tree.Const) and isinstance(first.value, str)
                else ""
            )
        case tree.Call(func=tree.Attr() as func) if not node.args:
            return hole_name(func.base)
        case tree.Call() if len(node.args) == 1 and not node.args[0].star:
            return hole_name(node.args[0].value)
        case tree.Call(func=tree.Attr() as func) if isinstance(func.base, tree.Name | tree.Attr):
            return hole_name(func.base)
        case tree.Wrapped() | tree.Walrus():
            return hole_name(node.value)
        case tree.Boolean():
            return hole_name(node.values[0])
        case tree.Conditional():
            return hole_name(node.then)
        case _:
            return ""


_WHOSE: Final = frozenset(
    [
        *("a", "an", "any", "another", "foreign", "other", "some", "the", "this"),
        *("active", "actual", "allowed", "current", "default", "effective", "expected", "given"),
        *("requested", "required", "resolved", "selected", "trusted", "verified", "wanted"),
        *("actor", "caller", "my", "our", "own", "owner", "owning"),
        *("auth", "claim", "claims", "context", "ctx", "custom", "header", "input", "raw", "req"),
        *("request", "scope", "test", "x", "body", "cfg", "config", "cookie", "env", "event"),
        *("jwt", "message", "msg", "param", "path", "payload", "query", "session", "settings"),
        *("identity", "member", "principal", "token", "user", "viewer"),
        *(
            "dest",
            "dst",
            "from",
            "new",
            "next",
            "old",
            "previous",
            "source",
            "src",
            "target",
            "to",
        ),
    ]
)
"""Words before the name of a scope that say whose value it is, or where it comes from, and not that it is another thing."""


@lru_cache(maxsize=1 << 14)
def names_scope(name: str, scope: ScopePolicy) -> bool:
    """Whether a value of that name is one of the scope's: `tenant_id`, `tenant`, `current_tenant_id`. What is no identifier
    by its name is the scope's only where nothing but whose it is comes before: `current_stage`, and no `deal_stage`."""
    wanted = snake(scope.parameter)
    short = wanted.removesuffix("_id")
    name = snake(name)
    if name in (wanted, short, scope.name) or (name == f"{short}id" and wanted != short):
        return True
    if not name.endswith(f"_{wanted}"):
        return False
    qualifiers = name.removesuffix(f"_{wanted}").split("_")
    return wanted.endswith("_id") or all(word in _WHOSE for word in qualifiers)


def names_any_of(name: str, scopes: Iterable[ScopePolicy]) -> bool:
    """Whether a value of that name is one of any of some scopes."""
    return scope_named(name, scopes) is not None


def scope_named(name: str, scopes: Iterable[ScopePolicy]) -> ScopePolicy | None:
    """The first of some scopes of which a value of that name is one."""
    for scope in scopes:
        if names_scope(name, scope):
            return scope
    return None


def ends_with_tag(text: str, tag: str) -> bool:
    """Whether a text ends with a scope's tag (any case, any separator before it, `/`, `|` or `:` for
    its own)."""
    found = tag_at_end(text, tag)
    return bool(found) and (found.upper() == tag.upper() or found[-1] in "#|/:")


def tag_at_end(text: str, tag: str) -> str:
    """The tag of a scope that a text ends with, as it is spelled there: `tenant/` and `Tenant=` stand
    for `TENANT#` too. Empty if it ends with none."""
    exact = text[-len(tag) :]
    if exact.upper() == tag.upper():
        return exact if _is_apart(text[: -len(tag)], tag) else ""
    word = word_of(tag)
    if not word or word == tag:
        return ""
    spelled = rf"(?<![A-Za-z0-9_]){re.escape(word)}[^\w\s{{}}]{{1,2}}$"
    found = re.search(spelled, text, re.IGNORECASE)
    return found[0] if found is not None else ""


def _is_apart(before: str, tag: str) -> bool:
    """Whether a tag behind a text is a word of its own: `MY_TENANT#` has none, `T_x__C_` has two."""
    word = before.rstrip("_")
    if not word or not tag[:1].isalnum():
        return True
    if tag.endswith("_") and before.endswith("__"):
        return True
    return word == before and not word[-1].isalnum()


def word_of(tag: str) -> str:
    """`TENANT` of `TENANT#`."""
    return tag.rstrip("".join({c for c in tag if not c.isalnum()}))


def bare_word(tag: str) -> str:
    """`tenants` of `/tenants/`."""
    return tag.strip("".join({c for c in tag if not c.isalnum()}))


def marks_of(tag: str) -> str:
    """`#` of `TENANT#`."""
    return tag[len(word_of(tag)) :]


def is_default(node: tree.Node) -> bool:
    """Whether a text is that of a constant called the default of something."""
    if not isinstance(node, tree.Name | tree.Attr):
        return False
    return last_name(node).upper().lstrip("_").startswith("DEFAULT_")


def merged(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Neighbouring texts of the same place as one."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if (
            isinstance(piece, Text)
            and isinstance(last, Text)
            and last.host is piece.host
            and not is_default(piece.node)
            and not is_default(last.node)
        ):
            found[-1] = Text(last.value + piece.value, last.host, last.node)
        else:
            found.append(piece)
    return tuple(found)
