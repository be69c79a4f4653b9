"""What the answers depend on besides the program: this tool, its rule packs, the interpreter."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capsule_lint import __version__
from capsule_lint.cache.contents import combined
from capsule_lint.cache.store import digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.cache.contents import Contents
    from capsule_lint.cache.store import Store

_NAME: Final = "packs"
_GROUP: Final = "capsule_lint.rules"


def version_of(contents: Contents, store: Store) -> bytes:
    """A digest of all code that answers. Nothing of it is imported."""
    names = code_of(store)
    said = f"{__version__}\0{sys.version}\0{sys.platform}".encode()
    return digest(said, combined(contents.digests(names)))


def code_of(store: Store) -> list[str]:
    """The files of this tool and of its rule packs."""
    folders = [str(Path(__file__).parent.parent), *_packs(store)]
    return sorted({name for folder in folders for name in _modules(folder)})


def _modules(place: str) -> Iterator[str]:
    if place.endswith(".py"):
        yield place
        return
    pending = [place]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.endswith((".py", ".so", ".pyd")):
                        yield entry.path
                    elif entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
        except OSError:
            continue


def _packs(store: Store) -> list[str]:
    """Where the installed rule packs are, looked up again when something was installed."""
    places = []
    for place in sys.path:
        try:
            places.append((place, Path(place or ".").stat().st_mtime_ns))
        except OSError:
            continue
    match store.load(_NAME):
        case (list() as then, list() as packs) if then == places:
            return [str(pack) for pack in packs]
    from importlib.metadata import entry_points

    modules = {point.value.partition(".")[0] for point in entry_points(group=_GROUP)}
    found = [place for module in sorted(modules) for place in _places(module)]
    store.save(_NAME, (places, found))
    return found


def _places(module: str) -> list[str]:
    """The directories of a package, or the file of a module; it is not imported."""
    from importlib.util import find_spec

    spec = find_spec(module)
    if spec is None:
        return []
    folders = list(spec.submodule_search_locations or ())
    return folders or ([spec.origin] if spec.origin is not None else [])
