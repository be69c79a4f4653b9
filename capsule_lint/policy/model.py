"""What a policy says, as frozen values."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from capsule_lint.policy import names
from capsule_lint.policy.globs import matches_any_path, matches_path

if TYPE_CHECKING:
    from collections.abc import Mapping


class SourceKind(StrEnum):
    """What a source is, as its spelling tells."""

    ATTRIBUTE = "attribute"
    CALL = "call"
    CONSTANT = "constant"
    EXPRESSION = "expression"


class Reference(Struct, frozen=True):
    """Something that a module defines: `app.ids:CapsuleId`. The module is `builtins` for `str`."""

    module: str
    name: str

    @property
    def root(self) -> str:
        """What is imported for it: `Ids` for `Ids.Capsule`."""
        return self.name.partition(".")[0]

    @property
    def dotted(self) -> str:
        """How the program knows it: `app.ids.CapsuleId`."""
        return f"{self.module}.{self.name}"


class SourceSpec(Struct, frozen=True):
    """An expression that yields a scope's value, as policy writes it.

    | kind | written | fields |
    |---|---|---|
    | ATTRIBUTE | `module:Class.attr`, `module:Class.method()` | `module`, `name` (class), `access` |
    | CALL | `module:function(request)` | `module`, `name` (function), `arguments`, `roots` |
    | CONSTANT | `module:NAME` | `module`, `name` |
    | EXPRESSION | `request.state.capsule_id` | `code`, `roots` |
    """

    kind: SourceKind
    text: str
    """The whole, as policy has it."""
    module: str = ""
    name: str = ""
    access: str = ""
    """What follows the dot after a value of the class: `capsule_id` or `capsule_id()`."""
    arguments: tuple[str, ...] = ()
    """The code of each argument of a call, `name=value` for a keyword."""
    code: str = ""
    """What can be written where the roots (and, from its module, the name) are in scope."""
    roots: tuple[str, ...] = ()
    """The names that must be in scope, in the order in which they stand."""

    @property
    def dotted(self) -> str:
        """How the program knows the class, function or constant: `app.context.RequestContext`."""
        return f"{self.module}.{self.name}"


class Scope(Struct, frozen=True, cache_hash=True):
    """One isolation boundary. `segment` is `tag` and then the hole, whose name is `parameter`."""

    name: str
    segment: str
    tag: str
    parameter: str
    type: Reference | None = None
    sources: tuple[SourceSpec, ...] = ()
    test_source: SourceSpec | None = None
    test_value: str | None = None
    """The code of the value that a written test helper returns."""


class Entity(Struct, frozen=True):
    """What policy says about one entity: the scopes that its keys need, and why no others."""

    scopes: tuple[str, ...]
    reason: str = ""


class HandlerParameter(Struct, frozen=True):
    """The parameter that a handler without a source gets."""

    name: str
    annotation: Reference | None = None


class Handlers(Struct, frozen=True):
    """How handlers are known: patterns of dotted decorator names and of qualified function names."""

    decorators: tuple[str, ...] = (
        "*.get",
        "*.post",
        "*.put",
        "*.patch",
        "*.delete",
        "*.route",
    )
    functions: tuple[str, ...] = ("*.handler", "*.lambda_handler")
    parameter: HandlerParameter | None = None

    def is_decorator(self, name: str) -> bool:
        """Whether the decorator of this dotted name (`router.get`) marks a handler."""
        return names.matches_any_name(self.decorators, name)

    def is_spelled_out(self, name: str) -> bool:
        """Whether that is said of a decorator by more than its last word: `*.web.route`."""
        longer = (one for one in self.decorators if "." in one.removeprefix("*."))
        return names.matches_any_name(tuple(longer), name)

    def is_function(self, name: str) -> bool:
        """Whether the function of this qualified name is a handler that no decorator marks."""
        return names.matches_any_name(self.functions, name)


DEFAULT_SCOPES = (
    Scope("tenant", "TENANT#{tenant_id}", "TENANT#", "tenant_id"),
    Scope("capsule", "CAPSULE#{capsule_id}", "CAPSULE#", "capsule_id"),
)


class Policy(Struct, frozen=True, dict=True):
    """The whole policy. File names that its methods take are POSIX and relative to `root`."""

    root: Path = field(default_factory=Path)
    path: Path | None = None
    src: tuple[str, ...] = (".",)
    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ("CAP",)
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    fixable: tuple[str, ...] = ("ALL",)
    unfixable: tuple[str, ...] = ()
    baseline: str | None = None
    line_length: int | None = None
    """How long lines of code may get: what the formatter of the project is told, if it is told."""
    scopes: tuple[Scope, ...] = DEFAULT_SCOPES
    entities: Mapping[str, Entity] = field(default_factory=dict)
    handlers: Handlers = field(default_factory=Handlers)
    entity_argument_suffices: bool = False
    repositories: tuple[str, ...] = (
        "*Repository",
        "*Repo",
        "*Store",
        "*Dao",
        "*DAO",
        "*Gateway",
        "*Storage",
    )
    key_names: tuple[str, ...] = names.KEY_NAMES
    index_key_names: tuple[str, ...] = names.INDEX_KEY_NAMES
    sort_key_names: tuple[str, ...] = names.SORT_KEY_NAMES
    test_files: tuple[str, ...] = (
        "tests/**",
        "test/**",
        "**/tests/**",
        "**/test_*.py",
        "**/*_test.py",
        "**/conftest.py",
    )
    generated_markers: tuple[str, ...] = ("DO NOT EDIT", "@generated")

    def is_key_name(self, name: str) -> bool:
        """Whether a name is that of a partition key, of the table or of an index; never of a sort key."""
        return (
            names.matches_key_name(self.key_names, name)
            or names.matches_key_name(self.index_key_names, name)
        ) and not self.is_sort_key_name(name)

    def is_index_key_name(self, name: str) -> bool:
        """Whether a name is that of the partition key of a secondary index."""
        return names.matches_key_name(self.index_key_names, name) and not self.is_sort_key_name(
            name
        )

    def is_sort_key_name(self, name: str) -> bool:
        """Whether a name is that of a sort key, of the table or of an index."""
        return names.matches_key_name(self.sort_key_names, name)

    def is_repository_name(self, name: str) -> bool:
        """Whether a class of this name is a repository by its name."""
        return names.matches_any_name(self.repositories, name)

    def is_test_file(self, filename: str) -> bool:
        """Whether a file holds tests, or helps them."""
        return matches_any_path(self.test_files, filename)

    def is_excluded(self, filename: str) -> bool:
        """Whether `exclude` takes a file, or a directory that holds it, out of the program."""
        return matches_any_path(self.exclude, filename)

    def ignored_codes(self, filename: str) -> tuple[str, ...]:
        """The selectors that `per-file-ignores` has for a file; `!` before a pattern turns it around."""
        return tuple(
            code
            for pattern, codes in self.per_file_ignores
            if matches_path(pattern.removeprefix("!"), filename) is not pattern.startswith("!")
            for code in codes
        )

    def others(self, scope: Scope) -> list[Scope]:
        """The scopes but one, outermost first."""
        return [one for one in self.scopes if one is not scope]

    def beside(self, scope: Scope) -> list[tuple[Scope, int]]:
        """The scopes beside which one belongs, the best first, and its place there: 1 behind those that come
        before it, 0 in front of those that come after it."""
        at = self.scopes.index(scope)
        before, behind = self.scopes[:at], self.scopes[at + 1 :]
        return [*((one, 1) for one in reversed(before)), *((one, 0) for one in behind)]

    def scopes_of(self, entity: str | None) -> tuple[Scope, ...]:
        """The scopes that the keys of an entity need, outermost first.

        `entity` is a qualified name; policy may know it by that or by the bare class name. `None`, and
        what policy does not know, needs all.
        """
        if entity is None:
            return self.scopes
        said = self.entities.get(entity) or self.entities.get(entity.rpartition(".")[2])
        if said is None:
            return self.scopes
        return tuple(scope for scope in self.scopes if scope.name in said.scopes)
