"""Path patterns as in `.gitignore`, in time that no pattern can blow up."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache

LONGEST_PATTERN = 1_000


@lru_cache(maxsize=1_024)
def _components(pattern: str) -> tuple[str, ...]:
    """The components of a pattern: floating unless it has a slash before its end, no `**` at the end."""
    anchored = "/" in pattern.rstrip("/")
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    if not anchored:
        parts.insert(0, "**")
    if parts and parts[-1] == "**":
        parts[-1] = "*"
    return tuple(parts)


def _skip_stars(parts: tuple[str, ...], index: int) -> set[int]:
    """The states reached from `index` without reading a component: `**` may stand for nothing."""
    reached = {index}
    while index < len(parts) and parts[index] == "**":
        index += 1
        reached.add(index)
    return reached


def _step(parts: tuple[str, ...], states: set[int], name: str) -> set[int]:
    """The states reached by reading one component of a path."""
    reached: set[int] = set()
    for index in states:
        if parts[index] == "**":
            reached |= _skip_stars(parts, index)
        elif fnmatchcase(name, parts[index]):
            reached |= _skip_stars(parts, index + 1)
    return reached


def matches_path(pattern: str, filename: str) -> bool:
    """Whether a pattern matches a relative POSIX path, or a directory that holds it.

    A pattern without a slash matches a component anywhere; `*`, `?` and `[...]` stay inside one
    component; `**` stands for any number of them. The work is at most proportional to the length
    of the pattern times the length of the path.
    """
    parts = _components(pattern)
    states = _skip_stars(parts, 0)
    for name in filename.split("/"):
        if name in ("", "."):
            continue
        states = _step(parts, states, name)
        if len(parts) in states:
            return True
        if not states:
            return False
    return False


@lru_cache(maxsize=65_536)
def matches_any_path(patterns: tuple[str, ...], filename: str) -> bool:
    """Whether one of the patterns matches; see `matches_path`."""
    return any(matches_path(pattern, filename) for pattern in patterns)
