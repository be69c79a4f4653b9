"""Which names are key positions, and which patterns of names and codes match."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cache, lru_cache

KEY_NAMES = (
    "pk",
    "*_pk",
    "pk_*",
    "*_pk_*",
    "partition_key",
    "*_partition_key",
    "partition_key_*",
    "*_partition_key_*",
    "partitionkey",
    "hash_key",
    "*_hash_key",
    "hash_key_*",
    "*_hash_key_*",
    "hashkey",
)
INDEX_KEY_NAMES = (
    "gsi*pk*",
    "lsi*pk*",
    "*_gsi*pk*",
    "*_lsi*pk*",
    "pk_gsi*",
    "gsi*hash_key*",
    "gsi*partition_key*",
    "*_gsi*hash_key*",
    "*_gsi*partition_key*",
    "index_pk",
    "*_index_pk",
    "index_pk_*",
)
SORT_KEY_NAMES = (
    "sk",
    "*_sk",
    "sk_*",
    "*_sk_*",
    "[gl]sisk*",
    "[gl]si[0-9]sk*",
    "[gl]si[0-9][0-9]sk*",
    "*_[gl]sisk*",
    "*_[gl]si[0-9]sk*",
    "*_[gl]si[0-9][0-9]sk*",
    "range_key",
    "*_range_key",
    "range_key_*",
    "*_range_key_*",
    "rangekey",
    "sort_key",
    "*_sort_key",
    "sort_key_*",
    "*_sort_key_*",
    "sortkey",
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MARKS = "_:#"


def plain(name: str) -> str:
    """A name in lower case with words parted by `_`, without the marks around it.

    `partitionKey`, `:pk`, `_make_pk` and `GSI1PK` become `partition_key`, `pk`, `make_pk`, `gsi1pk`.
    """
    return _HUMP.sub("_", name).replace("-", "_").strip(_MARKS).lower()


@lru_cache(maxsize=65_536)
def matches_key_name(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a name, as it is or in its plain form, matches a pattern; case does not matter."""
    matcher = _matcher(_lower(patterns))
    return any(matcher.match(form) for form in {name.lower(), plain(name)})


@cache
def _lower(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(pattern.lower() for pattern in patterns)


@lru_cache(maxsize=65_536)
def matches_any_name(patterns: tuple[str, ...], name: str) -> bool:
    """Whether a name, dotted or not, matches one of the patterns; case matters."""
    return _matcher(patterns).match(name) is not None


@cache
def _matcher(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """What matches all that one of the patterns does; with none of them, nothing."""
    return re.compile("|".join(map(translate, patterns)) or "(?!)")


def selects(selectors: tuple[str, ...], code: str) -> bool:
    """Whether a rule's code is meant by one of the selectors: a code, its prefix, or `ALL`."""
    return any(selector == "ALL" or code.startswith(selector) for selector in selectors)
