"""The files below a directory, less those that `.gitignore` ignores, where git cannot tell."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from capsule_lint.source.ignore import Rules, parse_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SKIPPED: Final = (
    ".capsule-lint",
    ".capsule_lint_cache",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".hypothesis",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".pytype",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    "__pycache__",
    "__pypackages__",
    "node_modules",
    "site-packages",
    "venv",
)
"""Directories that hold no program, whoever ignores them."""
_AT_THE_ROOT: Final = ("build", "dist")
ENVIRONMENT_MARK: Final = "pyvenv.cfg"
_EXCLUDE: Final = ".git/info/exclude"


@dataclass(slots=True)
class Walk:
    """A walk below a root. `unreadable` collects the directories that could not be looked into."""

    root: Path
    is_excluded: Callable[[str], bool]
    unreadable: list[str] = field(default_factory=list)

    def files(self, start: str = "") -> Iterator[tuple[str, bool]]:
        """Each file, and each link, below `start`, and whether it is a link.

        Names are POSIX and relative to the root, as `start` is, and in no order.
        """
        rules = self._rules_above(start)
        if self._is_start_ignored(start, rules):
            return
        if start and not self._absolute(start).is_dir():
            yield start, self._absolute(start).is_symlink()
            return
        pending = [(start, rules)]
        while pending:
            directory, rules = pending.pop()
            entries = self._entries(directory)
            rules = (
                *self._rules_at(directory, entries, rules),
                *_ignore(self._absolute(directory)),
            )
            for entry in entries:
                name = f"{directory}/{entry.name}" if directory else entry.name
                if not entry.is_dir(follow_symlinks=False):
                    link = entry.is_symlink()
                    if (link or entry.is_file()) and not self._is_ignored(name, rules):
                        yield name, link
                elif self._is_wanted(name, entry.name, rules):
                    pending.append((name, rules))

    def _is_start_ignored(self, start: str, rules: tuple[Rules, ...]) -> bool:
        if not start:
            return False
        folders = [f"{folder.as_posix()}/" for folder in PurePosixPath(start).parents][:-1]
        itself = f"{start}/" if self._absolute(start).is_dir() else start
        return any(self._is_ignored(name, rules) for name in (*folders, itself))

    def _rules_at(
        self, directory: str, entries: Iterable[os.DirEntry[str]], rules: tuple[Rules, ...]
    ) -> tuple[Rules, ...]:
        """The rules in a directory, given those above, which a repository inside does not heed."""
        place = self._absolute(directory)
        if directory and any(entry.name == ".git" for entry in entries):
            rules = _ignore(place, _EXCLUDE)
        return (*rules, *_ignore(place))

    def _absolute(self, name: str) -> Path:
        return self.root / name

    def _entries(self, directory: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._absolute(directory)) as found:
                entries = list(found)
        except OSError:
            self.unreadable.append(directory or ".")
            return []
        if directory and any(entry.name == ENVIRONMENT_MARK for entry in entries):
            return []
        return entries

    def _is_wanted(self, name: str, last: str, rules: tuple[Rules, ...]) -> bool:
        """Whether a directory may hold files of the program."""
        return not (
            last in SKIPPED
            or name in _AT_THE_ROOT
            or self.is_excluded(name)
            or is_other_work_tree(self._absolute(name))
            or self._is_ignored(f"{name}/", rules)
        )

    def _is_ignored(self, name: str, rules: tuple[Rules, ...]) -> bool:
        return _says(rules, _slashed(self.root) + name)

    def _rules_above(self, start: str) -> tuple[Rules, ...]:
        """What holds for `start` itself: from the repository that holds it, or the root, down."""
        place = self._absolute(start)
        folders = [place, *place.parents]
        tops = [n for n, folder in enumerate(folders) if (folder / ".git").exists()]
        top = tops[0] if tops else folders.index(self.root)
        inner = (rule for folder in folders[top:0:-1] for rule in _ignore(folder))
        rules = (*_ignore(folders[top], _EXCLUDE), *inner)
        root = _slashed(self.root)
        if _says(rules, root):  # whoever asks about an ignored directory means it
            return tuple(rule for rule in rules if rule.base.startswith(root))
        return rules


def is_other_work_tree(directory: Path) -> bool:
    """Whether a directory is a second working tree of some repository: a copy of a program."""
    try:
        text = (directory / ".git").read_bytes()
    except OSError:
        return False
    return b"/worktrees/" in text.replace(b"\\", b"/")


def _slashed(directory: Path) -> str:
    return directory.as_posix().rstrip("/") + "/"


def _says(rules: tuple[Rules, ...], path: str) -> bool:
    """The verdict of the nearest rules that are not silent; a directory ends with a slash."""
    for rule in reversed(rules):
        verdict = rule.verdict(path.rstrip("/"), is_directory=path.endswith("/"))
        if verdict is not None:
            return verdict
    return False


def _ignore(directory: Path, name: str = ".gitignore") -> tuple[Rules, ...]:
    """The rules that a directory's file has; none if there is no file, or nothing in it."""
    try:
        data = (directory / name).read_bytes()
    except OSError:
        return ()
    return (parse_rules(_slashed(directory), data),)


def without_environments(names: Iterable[str]) -> Iterator[str]:
    """All names but those in a virtual environment, whose mark is one of them."""
    names = list(names)
    marks = [n for n in names if n.endswith(f"/{ENVIRONMENT_MARK}")]
    homes = tuple(mark.removesuffix(ENVIRONMENT_MARK) for mark in marks)
    yield from (name for name in names if not name.startswith(homes))
