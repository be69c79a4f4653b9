"""The files below a directory, less those that `.gitignore` ignores, where git cannot tell."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from pathspec import GitIgnoreSpec

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


@dataclass(frozen=True, slots=True)
class _Ignore:
    """One `.gitignore`: what it says holds below `base`."""

    base: str
    spec: GitIgnoreSpec

    def verdict(self, path: str) -> bool | None:
        """Whether it ignores a path (a directory ends with a slash), or None if it is silent."""
        if not path.startswith(self.base):
            return None
        return self.spec.check_file(path[len(self.base) :]).include


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
        if start and not self._absolute(start).is_dir():
            if not self._is_ignored(start, self._rules_above(start)):
                yield start, self._absolute(start).is_symlink()
            return
        rules = self._rules_above(start)
        if start and self._is_ignored(f"{start}/", rules):
            return
        pending = [(start, rules)]
        while pending:
            directory, rules = pending.pop()
            rules = (*rules, *_ignore(self._absolute(directory)))
            for entry in self._entries(directory):
                name = f"{directory}/{entry.name}" if directory else entry.name
                if not entry.is_dir(follow_symlinks=False):
                    link = entry.is_symlink()
                    if (link or entry.is_file()) and not self._is_ignored(name, rules):
                        yield name, link
                elif self._is_wanted(name, entry.name, rules):
                    pending.append((name, rules))

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

    def _is_wanted(self, name: str, last: str, rules: tuple[_Ignore, ...]) -> bool:
        """Whether a directory may hold files of the program."""
        return not (
            last in SKIPPED
            or name in _AT_THE_ROOT
            or self.is_excluded(name)
            or is_other_work_tree(self._absolute(name))
            or self._is_ignored(f"{name}/", rules)
        )

    def _is_ignored(self, name: str, rules: tuple[_Ignore, ...]) -> bool:
        return _says(rules, _slashed(self.root) + name)

    def _rules_above(self, start: str) -> tuple[_Ignore, ...]:
        """What holds for `start` itself: from the repository that holds the root down to it."""
        outer = _rules_of_repository(self.root)
        if _says(outer, _slashed(self.root)):
            outer = ()  # whoever asks about an ignored directory means it
        names = [folder.as_posix() for folder in PurePosixPath(start).parents] if start else []
        inner = (rule for name in reversed(names) for rule in _ignore(self._absolute(name)))
        return (*outer, *inner)


def is_other_work_tree(directory: Path) -> bool:
    """Whether a directory is a second working tree of some repository: a copy of a program."""
    try:
        text = (directory / ".git").read_bytes()
    except OSError:
        return False
    return b"/worktrees/" in text.replace(b"\\", b"/")


def _slashed(directory: Path) -> str:
    return directory.as_posix().rstrip("/") + "/"


def _says(rules: tuple[_Ignore, ...], path: str) -> bool:
    """The verdict of the nearest rules that are not silent."""
    for rule in reversed(rules):
        verdict = rule.verdict(path)
        if verdict is not None:
            return verdict
    return False


def _rules_of_repository(root: Path) -> tuple[_Ignore, ...]:
    """The rules between a repository's top and a directory in it, which itself has no part."""
    above: list[Path] = []
    for folder in (root, *root.parents):
        if folder != root:
            above.append(folder)
        if (folder / ".git").exists():
            own = _ignore(folder, ".git/info/exclude")
            rules = (rule for outer in reversed(above) for rule in _ignore(outer))
            return (*own, *rules)
    return ()


def _ignore(directory: Path, name: str = ".gitignore") -> tuple[_Ignore, ...]:
    """The rules that a directory's file has; none if there is no file, or nothing in it."""
    try:
        data = (directory / name).read_bytes()
    except OSError:
        return ()
    text = data.removeprefix(b"\xef\xbb\xbf").decode(errors="surrogateescape")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    try:
        spec = GitIgnoreSpec.from_lines(lines)
    except ValueError:
        spec = GitIgnoreSpec.from_lines(filter(_is_pattern, lines))
    return (_Ignore(_slashed(directory), spec),)


def _is_pattern(line: str) -> bool:
    """Whether a line is a pattern: git passes over those that are not."""
    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def without_environments(names: Iterable[str]) -> Iterator[str]:
    """All names but those in a virtual environment, whose mark is one of them."""
    names = list(names)
    marks = [n for n in names if n.endswith(f"/{ENVIRONMENT_MARK}")]
    homes = tuple(mark.removesuffix(ENVIRONMENT_MARK) for mark in marks)
    yield from (name for name in names if not name.startswith(homes))
