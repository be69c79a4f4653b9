"""What a transaction writes down before it begins, so that whoever comes next can end it."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct, to_builtins

from capsule_lint.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

JOURNAL: Final = "journal.json"
TEMPORARY: Final = ".capsule-lint-"
_VERSION: Final = 1


class Kind(StrEnum):
    """What a run does."""

    WRITE = "write"
    UNDO = "undo"


class Entry(Struct, frozen=True):
    """One file of a run. Paths are POSIX and relative to the real root."""

    filename: str
    """As whoever asked calls it."""
    target: str
    """The real file, which no link leads to."""
    temporary: str
    """Where its new bytes wait: beside it."""
    before: str | None
    """The digest of its bytes before the run; None if there is no such file."""
    after: str | None
    """The digest of its bytes after the run; None if there is no such file."""
    made: tuple[str, ...] = ()
    """The directories that are there for its sake only, outermost first."""


class Journal(Struct, frozen=True):
    """One run."""

    id: str
    kind: Kind
    entries: tuple[Entry, ...]


def digest(data: bytes) -> str:
    """What stands for a file's bytes in a journal."""
    return hashlib.sha256(data).hexdigest()


def dump(journal: Journal) -> bytes:
    """A journal as the bytes of a file."""
    return json.dumps({"version": _VERSION, **to_builtins(journal)}, indent=1).encode()


def parse(data: bytes, label: str) -> Journal:
    """The journal in the bytes of the file that `label` names.

    Raises SourceError if they are none, or one that reaches out of its root.
    """
    try:
        document: object = json.loads(data)
        return _journal(_table(document))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        problem = (
            "is no journal that this version can read; the old contents of the files of that run "
            "are kept in `old` beside it: put back what you need, then remove the directory"
        )
        raise SourceError(label, problem) from error


def _table(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _journal(table: Mapping[str, object]) -> Journal:
    entries = table["entries"]
    if table["version"] != _VERSION or not isinstance(entries, list):
        raise ValueError(table)
    return Journal(
        _text(table["id"]), Kind(_text(table["kind"])), tuple(_entry(_table(e)) for e in entries)
    )


def _entry(table: Mapping[str, object]) -> Entry:
    made = table["made"]
    if not isinstance(made, list):
        raise TypeError(made)
    entry = Entry(
        filename=_text(table["filename"]),
        target=_inside(table["target"]),
        temporary=_inside(table["temporary"]),
        before=_digest(table["before"]),
        after=_digest(table["after"]),
        made=tuple(map(_inside, made)),
    )
    temporary = PurePosixPath(entry.temporary)
    if temporary.parent != PurePosixPath(entry.target).parent or not temporary.name.startswith(
        TEMPORARY
    ):
        raise ValueError(entry)
    return entry


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _digest(value: object) -> str | None:
    return None if value is None else _text(value)


def _inside(value: object) -> str:
    """A path, which must stay below the root."""
    path = PurePosixPath(_text(value))
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(value)
    return str(path)
