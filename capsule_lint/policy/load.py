"""Finds the policy's file and reads it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import tomli

from capsule_lint.policy.model import Policy
from capsule_lint.policy.place import Place
from capsule_lint.policy.schema import convert_policy, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OWN_FILE = "capsule-lint.toml"
PROJECT_FILE = "pyproject.toml"
_TOOL = "capsule-lint"
_PREFIX = f"tool.{_TOOL}"
_FORMATTER_DEFAULT = 88
_FORMATTERS = (
    (".ruff.toml", ((),)),
    ("ruff.toml", ((),)),
    (PROJECT_FILE, (("tool", "ruff"), ("tool", "black"))),
)
"""Where formatters keep their settings: file, and tables in it."""
_PROJECTS = (".git", PROJECT_FILE, "setup.py", "setup.cfg")
"""What stands where a project begins."""


def _label(path: Path) -> str:
    """A path as the reader of an error knows it: relative where that is shorter."""
    with contextlib.suppress(ValueError, OSError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Place(_label(path)).error(f"cannot be read: {error.strerror or error}") from error


def _parse(data: bytes, path: Path) -> Mapping[str, object]:
    """The document in a file's bytes. Raises PolicyError, with the line, if they are no TOML."""
    place = Place(_label(path))
    try:
        document: dict[str, object] = tomli.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"is not encoded in UTF-8 (byte 0x{data[error.start]:02x} in line {line})"
        raise place.error(problem) from error
    except ValueError as error:
        raise place.error(f"is no valid TOML: {error}") from error
    except RecursionError as error:
        raise place.error("is nested too deeply") from error
    return document


def _table(path: Path) -> tuple[object, Place] | None:
    """The table that a file has for us, and its place; None if a `pyproject.toml` has none."""
    data = _read(path)
    label = _label(path)
    if path.name != PROJECT_FILE:
        document = _parse(data, path)
        if "tool" in document:
            problem = f"unknown key: in this file the keys stand without the prefix `{_PREFIX}`"
            raise Place(label, "tool").error(problem)
        return document, Place(label)
    if _TOOL.encode() not in data:
        return None  # whatever else is wrong with that file is none of our business
    tools = _parse(data, path).get("tool")
    if not isinstance(tools, dict) or _TOOL not in tools:
        return None
    place = Place(label, _PREFIX)
    return table(tools[_TOOL], place), place


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise Place(_label(path)).error(f"cannot be read: {error.strerror or error}") from error


def _absolute(path: Path) -> Path:
    """A path without `..` and links, where the file system has an answer."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links
        return path.absolute()


def _search(start: Path) -> tuple[Path, object, Place] | None:
    """The nearest policy, from a directory upwards."""
    for path in _places(start):
        if _is_file(path) and (found := _table(path)) is not None:
            return path, *found
    return None


def _places(start: Path) -> Iterator[Path]:
    """Where a policy may be, from a directory upwards, the nearest first."""
    directory = _absolute(start)
    for folder in (directory, *directory.parents):
        yield from (folder / name for name in (OWN_FILE, PROJECT_FILE))


def candidates(start: Path, policy: Policy, config: Path | None) -> tuple[Path, ...]:
    """The files that the policy of a directory is read from, or would be if they were there."""
    formatters = [policy.root / name for name, _ in _FORMATTERS]
    if config is not None:
        return _absolute(config), *formatters
    places = list(_places(start))
    read = places.index(policy.path) + 1 if policy.path in places else len(places)
    return *places[:read], *formatters


def place_in(policy: Policy) -> Place:
    """Where the keys of a policy stand, as the reader of an error knows it."""
    if policy.path is None:
        return Place("the default policy")
    return Place(_label(policy.path), _PREFIX if policy.path.name == PROJECT_FILE else "")


def find_policy(start: Path) -> Path | None:
    """The first `capsule-lint.toml`, or `pyproject.toml` that has our table, from a directory upwards.

    Raises PolicyError if a file on the way is meant for us and cannot be read.
    """
    found = _search(start)
    return found[0] if found else None


def _formatter_width(folder: Path) -> int | None:
    """How long lines may get by the settings of Ruff or Black in a folder; `None` if they have none.

    A file of theirs that cannot be read is for them to complain of.
    """
    for name, tables in _FORMATTERS:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            document: object = tomli.loads((folder / name).read_text("utf-8-sig"))
            for path in tables:
                found = document
                for key in path:
                    found = found.get(key) if isinstance(found, dict) else None
                if isinstance(found, dict):
                    said = found.get("line-length", found.get("line_length", _FORMATTER_DEFAULT))
                    return said if isinstance(said, int) and said > 0 else None
    return None


def default_root(start: Path) -> Path:
    """Where the program around a directory begins if no policy says so: where its project does, or else
    what is above its packages. Who names a part of a program means it with all its callers and tests."""
    directory = _absolute(start)
    for folder in (directory, *directory.parents):
        if any((folder / name).exists() for name in _PROJECTS):
            return folder
    while (directory / "__init__.py").exists() and directory != directory.parent:
        directory = directory.parent
    return directory


def load_policy(start: Path, config: Path | None = None, isolated: bool = False) -> Policy:
    """The policy that holds for a directory: that of `config`, or else of the nearest file.

    With `isolated`, or if there is no file, it is the default one, and its root is that of the
    program around `start`. Raises PolicyError if the file cannot be used.
    """
    if isolated:
        return Policy(root=default_root(start))
    if config is None:
        found = _search(start)
        if found is None:
            return Policy(root=default_root(start))
        path, value, place = found
    else:
        path = _absolute(config)
        named = _table(path)
        if named is None:
            raise Place(_label(path)).error(f"has no table `[{_PREFIX}]`")
        value, place = named
    start_policy = Policy(root=path.parent, path=path, line_length=_formatter_width(path.parent))
    return convert_policy(start_policy, value, place)
