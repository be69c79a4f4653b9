"""The same command once more, with nothing changed since: what it said then, before anything else is loaded.

A report is kept with all that it depends on: the program's files, the directories in which others could
appear, the policy, what git goes by, and the code of this tool. Only their status is looked at; one that
is not old enough to be trusted is not kept.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capsule_lint import __version__
from capsule_lint.cache.status import is_settled, status_of
from capsule_lint.cache.store import CACHE, STATE, Store, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ENVIRONMENT: Final = ("HOME", "NO_COLOR", "PYTHONPATH", "XDG_CONFIG_HOME")


def answer(arguments: Sequence[str]) -> tuple[int, str] | None:
    """The exit code and the report of the same command, if both would be the same now."""
    here = Path.cwd()
    name = name_of(arguments)
    for folder in (here, *here.parents):
        place = folder / STATE / CACHE
        if not (place / name).is_file():
            continue
        store = Store(place)
        match store.load(name):
            case (int() as status, str() as text, list() as paths, list() as then):
                if all(status_of(p) == t for p, t in zip(paths, then, strict=True)):
                    store.touch(name)
                    return status, text
        return None
    return None


def name_of(arguments: Sequence[str]) -> str:
    """The name under which the report of a command in this place and environment is kept."""
    tool = (__version__, __file__, sys.version)
    terminal = sys.stdout is not None and sys.stdout.isatty()
    said = {k: v for k, v in os.environ.items() if k in _ENVIRONMENT or k.startswith("GIT_")}
    key = (tool, list(arguments), str(Path.cwd()), terminal, sorted(said.items()))
    return f"again-{digest(repr(key).encode(errors='surrogateescape')).hex()}"


def keep(
    store: Store, arguments: Sequence[str], report: tuple[int, str], paths: Iterable[str], now: int
) -> None:
    """Keep a report with what it depends on, unless something of that changed shortly before `now`,
    the time in nanoseconds at which the run began."""
    watched = list(dict.fromkeys(paths))
    found = [status_of(path) for path in watched]
    if all(one is None or is_settled(one, now) for one in found):
        store.save(name_of(arguments), (*report, watched, found))
