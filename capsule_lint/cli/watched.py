"""All that a report depends on, by path: while none of it changes, the same command says the same."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capsule_lint.cache.store import STATE
from capsule_lint.cache.versions import code_of
from capsule_lint.policy import candidates
from capsule_lint.source.git import consulted, ignored_folders
from capsule_lint.source.walk import SKIPPED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.cache.store import Store
    from capsule_lint.cli.options import Options
    from capsule_lint.cli.start import Target

_MOST_FOLDERS: Final = 50_000


def watched(options: Options, target: Target, store: Store) -> list[str] | None:
    """The files and directories that a run without paths depends on; `None` where they are not known:
    outside of git, with links among the files, with a cache that is elsewhere, or where there is more to do
    than to print it."""
    policy = target.policy
    if options.paths or options.cache_dir is not None or not target.discovery.plain:
        return None
    if options.since is not None or options.output_file is not None:
        return None
    git, folders = consulted(policy.root), _folders(policy.root, policy.src)
    if git is None or folders is None:
        return None
    found = [str(policy.root / STATE), *(f"{policy.root}/{name}" for name in target.files)]
    found += [*folders, *git, *map(str, candidates(Path.cwd(), policy, options.config))]
    baseline = options.baseline or (policy.root / policy.baseline if policy.baseline else None)
    found += [str(baseline.absolute())] if baseline is not None else []
    return [*found, *code_of(store), *(place or "." for place in sys.path)]


def _folders(root: Path, sources: tuple[str, ...]) -> list[str] | None:
    """The directories in which a file of the program could appear, with their `.gitignore`."""
    ignored = ignored_folders(root)
    if ignored is None:
        return None
    passed = {f"{root}/{name}" for name in ignored}
    found: list[str] = []
    pending = [os.path.normpath(root / source) for source in sources]
    while pending:
        folder = pending.pop()
        found.append(folder)
        if len(found) > _MOST_FOLDERS:
            return None
        for entry in _entries(folder):
            if entry.name == ".gitignore":
                found.append(entry.path)
            elif (
                entry.is_dir(follow_symlinks=False)
                and entry.name not in SKIPPED
                and entry.path not in passed
            ):
                pending.append(entry.path)
    above = {p for folder in found for p in Path(folder).parents if p.is_relative_to(root)}
    return [*found, *(str(path) for p in sorted(above) for path in (p, p / ".gitignore"))]


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return
