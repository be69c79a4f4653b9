"""Which keys a policy has, and how each becomes a value: tables of converters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from capsule_lint.policy.globs import LONGEST_PATTERN
from capsule_lint.policy.model import Entity, Handlers, Policy, Scope
from capsule_lint.policy.place import Place, likely
from capsule_lint.policy.sources import (
    expression,
    parse_parameter,
    parse_reference,
    parse_segment,
    parse_source,
)

T = TypeVar("T")
Convert = Callable[[object, Place], T]
Schema = Mapping[str, Callable[[T, object, Place], T]]

_TYPE_NAMES = {
    "bool": "true or false",
    "int": "an integer",
    "float": "a number",
    "str": "a string",
    "list": "a list",
    "dict": "a table",
}


# --- converters: a raw value and its place in, a typed value out, PolicyError on any other ---------


def _wrong_type(expected: str, value: object, place: Place, remedy: str = "") -> Exception:
    got = _TYPE_NAMES.get(type(value).__name__, "a date or time")
    return place.error(f"expected {expected}, not {got}{remedy}")


def boolean(value: object, place: Place) -> bool:
    """`true` or `false`."""
    if isinstance(value, bool):
        return value
    raise _wrong_type("true or false", value, place)


def width(value: object, place: Place) -> int:
    """A positive whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type("a positive number", value, place)
    if value <= 0:
        raise place.error(f"expected a positive number, not {value}")
    return value


def string(value: object, place: Place) -> str:
    """A string with more than blanks in it."""
    if not isinstance(value, str):
        raise _wrong_type("a string", value, place)
    if not value.strip():
        raise place.error("must not be empty")
    return value


def text(value: object, place: Place) -> str:
    """A string that may be empty."""
    return value if value == "" and isinstance(value, str) else string(value, place)


def pattern(value: object, place: Place) -> str:
    """A glob, no longer than can be matched in good time."""
    said = string(value, place)
    if len(said) > LONGEST_PATTERN:
        raise place.error(
            f"is {len(said)} characters long; a pattern has at most {LONGEST_PATTERN}"
        )
    return said


def table(value: object, place: Place) -> Mapping[str, object]:
    """A table of TOML."""
    if isinstance(value, dict):
        return value
    raise _wrong_type("a table", value, place)


def _list_of(convert: Convert[T], what: str) -> Convert[tuple[T, ...]]:
    """The converter of a list, from that of its items."""

    def convert_list(value: object, place: Place) -> tuple[T, ...]:
        if isinstance(value, list):
            return tuple(convert(item, place.at(n)) for n, item in enumerate(value))
        remedy = f': did you mean `["{value}"]`?' if isinstance(value, str) else ""
        raise _wrong_type(f"a list of {what}", value, place, remedy)

    return convert_list


def _table_of(convert: Convert[T]) -> Convert[dict[str, T]]:
    """The converter of a table whose keys are free, from that of its values."""

    def convert_table(value: object, place: Place) -> dict[str, T]:
        return {key: convert(item, place.at(key)) for key, item in table(value, place).items()}

    return convert_table


def _from_string(parse: Callable[[str, Place], T]) -> Convert[T]:
    """The converter of a string that has a language of its own."""
    return lambda value, place: parse(string(value, place), place)


def fold(schema: Schema[T], start: T, value: object, place: Place, *needed: str) -> T:
    """`start`, changed by the converter of each key. PolicyError for unknown and missing keys."""
    said = table(value, place)
    for key in said:
        if key not in schema:
            raise place.at(key).error(f"unknown key: {likely(key, schema)}")
    for key in needed:
        if key not in said:
            raise place.error(f"lacks the key `{key}`")
    for key, item in said.items():
        start = schema[key](start, item, place.at(key))
    return start


strings = _list_of(string, "strings")
patterns = _list_of(pattern, "strings")
source = _from_string(parse_source)


def _code(value: object, place: Place) -> str:
    said = string(value, place).strip()
    expression(said, place)
    return said


def _with_segment(scope: Scope, value: object, place: Place) -> Scope:
    said = string(value, place)
    tag, parameter = parse_segment(said, place)
    return replace(scope, segment=said, tag=tag, parameter=parameter)


# --- the keys --------------------------------------------------------------------------------------

SCOPE: Schema[Scope] = {
    "name": lambda scope, value, at: replace(scope, name=string(value, at)),
    "segment": _with_segment,
    "type": lambda scope, value, at: replace(scope, type=_from_string(parse_reference)(value, at)),
    "sources": lambda scope, value, at: replace(
        scope, sources=_list_of(source, "strings")(value, at)
    ),
    "test-source": lambda scope, value, at: replace(scope, test_source=source(value, at)),
    "test-value": lambda scope, value, at: replace(scope, test_value=_code(value, at)),
}

ENTITY: Schema[Entity] = {
    "scopes": lambda entity, value, at: replace(entity, scopes=strings(value, at)),
    "reason": lambda entity, value, at: replace(entity, reason=text(value, at)),
}

HANDLERS: Schema[Handlers] = {
    "decorators": lambda said, value, at: replace(said, decorators=patterns(value, at)),
    "functions": lambda said, value, at: replace(
        said, functions=tuple(one.replace(":", ".") for one in patterns(value, at))
    ),
    "parameter": lambda said, value, at: replace(
        said, parameter=_from_string(parse_parameter)(value, at)
    ),
}


def _scope(value: object, place: Place) -> Scope:
    return fold(SCOPE, Scope("", "", "", ""), value, place, "name", "segment")


def _entity(value: object, place: Place) -> Entity:
    return fold(ENTITY, Entity(()), value, place, "scopes")


def _scopes(value: object, place: Place) -> tuple[Scope, ...]:
    """At least one scope, no two of which share a name, a tag or a parameter."""
    scopes = _list_of(_scope, "tables")(value, place)
    if not scopes:
        raise place.error("must name at least one scope")
    for n, scope in enumerate(scopes):
        for other in scopes[:n]:
            _check_apart(scope, other, place.at(n))
    return scopes


def _check_apart(scope: Scope, other: Scope, place: Place) -> None:
    if scope.name == other.name:
        raise place.at("name").error(f"duplicate scope `{scope.name}`")
    if scope.parameter == other.parameter:
        problem = f"`{scope.name}` has the hole `{scope.parameter}` of `{other.name}`"
        raise place.at("segment").error(problem)
    if scope.tag and scope.tag == other.tag:
        raise place.at("segment").error(
            f"`{scope.name}` has the tag `{scope.tag}` of `{other.name}`"
        )


def _per_file_ignores(value: object, place: Place) -> tuple[tuple[str, tuple[str, ...]], ...]:
    said = _table_of(strings)(value, place)
    for key in said:
        pattern(key, place.at(key))
    return tuple(said.items())


def _folders(value: object, place: Place) -> tuple[str, ...]:
    """At least one folder: without any, nothing would be checked, and nothing found."""
    folders = strings(value, place)
    if not folders:
        raise place.error('must name at least one folder: `["."]` is all of the project')
    return folders


POLICY: Schema[Policy] = {
    "src": lambda policy, value, at: replace(policy, src=_folders(value, at)),
    "exclude": lambda policy, value, at: replace(policy, exclude=patterns(value, at)),
    "select": lambda policy, value, at: replace(policy, select=strings(value, at)),
    "ignore": lambda policy, value, at: replace(policy, ignore=strings(value, at)),
    "extend-select": lambda policy, value, at: replace(policy, extend_select=strings(value, at)),
    "per-file-ignores": lambda policy, value, at: replace(
        policy, per_file_ignores=_per_file_ignores(value, at)
    ),
    "fixable": lambda policy, value, at: replace(policy, fixable=strings(value, at)),
    "unfixable": lambda policy, value, at: replace(policy, unfixable=strings(value, at)),
    "baseline": lambda policy, value, at: replace(policy, baseline=string(value, at)),
    "scopes": lambda policy, value, at: replace(policy, scopes=_scopes(value, at)),
    "entities": lambda policy, value, at: replace(policy, entities=_table_of(_entity)(value, at)),
    "handlers": lambda policy, value, at: replace(
        policy, handlers=fold(HANDLERS, policy.handlers, value, at)
    ),
    "entity-argument-suffices": lambda policy, value, at: replace(
        policy, entity_argument_suffices=boolean(value, at)
    ),
    "repositories": lambda policy, value, at: replace(policy, repositories=patterns(value, at)),
    "key-names": lambda policy, value, at: replace(policy, key_names=patterns(value, at)),
    "index-key-names": lambda policy, value, at: replace(
        policy, index_key_names=patterns(value, at)
    ),
    "sort-key-names": lambda policy, value, at: replace(
        policy, sort_key_names=patterns(value, at)
    ),
    "test-files": lambda policy, value, at: replace(policy, test_files=patterns(value, at)),
    "line-length": lambda policy, value, at: replace(policy, line_length=width(value, at)),
    "generated-markers": lambda policy, value, at: replace(
        policy, generated_markers=strings(value, at)
    ),
}


def _check_entities(policy: Policy, place: Place) -> None:
    """Every scope that an entity names exists. They can only be judged once all keys are read."""
    known = {scope.name for scope in policy.scopes}
    for name, entity in policy.entities.items():
        for n, scope in enumerate(entity.scopes):
            if scope not in known:
                where = place.at("entities").at(name).at("scopes").at(n)
                raise where.error(f"unknown scope `{scope}`: {likely(scope, known)}")


def convert_policy(start: Policy, value: object, place: Place) -> Policy:
    """`start` with what the table `value`, which stands at `place`, says. Raises PolicyError."""
    policy = fold(POLICY, start, value, place)
    _check_entities(policy, place)
    return policy
