"""Which files are the program, and which of them a command line means."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.errors import SourceError
from capsule_lint.source import git
from capsule_lint.source.walk import SKIPPED, Walk, is_other_work_tree, without_environments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.policy import Policy

_SUFFIXES: Final = (".py", ".pyi")
_NOTEBOOK: Final = ".ipynb"


class Discovery(Struct, frozen=True):
    """The files of a program, sorted, POSIX and relative to the policy's root.

    `notes` say what was passed over.
    """

    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    plain: bool = False
    """Whether they are what git lists, all of it plain files: no links, no repositories inside."""


def discover(policy: Policy) -> Discovery:
    """All Python files below the policy's `src` that neither it nor git excludes.

    A file that several names lead to has one, its own if that is among them. Links to directories
    are followed only inside of the root. Raises SourceError if an entry of `src` does not exist,
    or leads out of the root.
    """
    root = os.path.realpath(policy.root)
    search = _Search(policy, root, _sources(policy, root))
    search.run()
    return Discovery(tuple(sorted(search.found.values())), search.notes(), search.is_plain)


def limit(
    policy: Policy, paths: Sequence[Path], discovery: Discovery, *, force_exclude: bool = False
) -> frozenset[str]:
    """The files that paths, relative to the working directory, mean: all if there are no paths.

    A directory means the discovered files in it. A file is meant whatever it is called, even if it
    was not discovered; but with `force_exclude` only if policy does not exclude it. Raises
    SourceError if a path does not exist, lies outside of the root, or is a notebook.
    """
    if not paths:
        return frozenset(discovery.files)
    meant: set[str] = set()
    for path in paths:
        status = _status(path)
        places = _places(policy.root, path)
        if stat.S_ISDIR(status.st_mode):
            meant.update(name for name in discovery.files if _is_within(name, places))
        elif not (force_exclude and any(map(policy.is_excluded, places))):
            meant.add(_explicit(policy.root, path, status, places, discovery))
    return frozenset(meant)


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SourceError(str(path), "does not exist") from error
    except OSError as error:
        raise SourceError(str(path), f"cannot be read: {error.strerror or error}") from error


def _places(root: Path, path: Path) -> tuple[str, ...]:
    """The names, relative to the root, under which a path may have been discovered."""
    plain = Path(os.path.normpath(path.absolute()))
    real, real_root = os.path.realpath(path), os.path.realpath(root)
    unlinked = Path(os.path.realpath(plain.parent), plain.name)
    pairs = ((os.path.normpath(root.absolute()), plain), (real_root, unlinked), (real_root, real))
    names = [_name(base, place) for base, place in pairs]
    found = tuple(dict.fromkeys(name for name in names if name is not None))
    if not found and _name(real, real_root) is not None:
        return (".",)
    if not found:
        raise SourceError(str(path), f"lies outside of the project, which is {root}")
    return found


def _name(root: str, path: str | Path) -> str | None:
    """The name of a path relative to a root that holds it."""
    try:
        return Path(path).relative_to(root).as_posix()
    except ValueError:
        return None


def _is_within(name: str, folders: Sequence[str]) -> bool:
    return any(f == "." or name == f or name.startswith(f"{f}/") for f in folders)


def _explicit(
    root: Path, path: Path, status: os.stat_result, places: Sequence[str], discovery: Discovery
) -> str:
    """The name of a file that is named itself: that under which it was discovered, if it was."""
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(str(path), "is not a regular file")
    if path.suffix == _NOTEBOOK:
        raise SourceError(str(path), "is a notebook: notebooks are not checked")
    known = set(discovery.files)
    for name in places:
        if name in known:
            return name
    alias = (n for n in discovery.files if (root / n).is_symlink() and (root / n).samefile(path))
    return next(alias, places[0])


def _sources(policy: Policy, root: str) -> tuple[str, ...]:
    """The entries of `src`, normal and relative to the root, none inside another."""
    label = policy.path.name if policy.path else "the default policy"
    names: dict[str, None] = {}
    for entry in policy.src:
        name = _source(entry, root)
        if name is None:
            raise SourceError(entry, f"leads out of the project: `src` in {label} names it")
        if policy.path is not None and not Path(root, name).exists():
            raise SourceError(entry, f"does not exist: `src` in {label} names it")
        names[name] = None
    return tuple(name for name in names if not _is_within(name, [n for n in names if n != name]))


def _source(entry: str, root: str) -> str | None:
    """An entry of `src`, normal and relative to the root; None if it leads out of it."""
    try:
        place = Path(os.path.normpath(Path(root, entry)))
        real = _name(root, os.path.realpath(place))
    except ValueError:
        return None
    return None if real is None else _name(root, place) or real


@dataclass(slots=True)
class _Search:
    """One discovery: `found` maps real paths to the names under which they are the program's."""

    policy: Policy
    root: str
    sources: tuple[str, ...]
    found: dict[str, str] = field(default_factory=dict)
    notebooks: set[str] = field(default_factory=set)
    copies: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    walk: Walk = field(init=False)
    is_plain: bool = True

    def __post_init__(self) -> None:
        self.walk = Walk(Path(self.root), self.policy.is_excluded)

    def run(self) -> None:
        """Find the plain files first: a link never takes the place of a file's own name."""
        links: list[str] = []
        for name, is_link in self._candidates():
            if is_link:
                links.append(name)
            else:
                self._add(name, f"{self.root}/{name}")
        followed: set[str] = set()
        for link in sorted(links):
            self._follow(link, followed)

    def notes(self) -> tuple[str, ...]:
        """What was passed over, a sentence each."""
        counted = (
            (self.notebooks, "notebook", "notebooks", "skipped: they are not checked"),
            (self.copies, "other working tree", "other working trees", "of a repository skipped"),
            (
                self.outside,
                "link to a directory",
                "links to directories",
                "outside of the project not followed",
            ),
            (
                set(self.walk.unreadable),
                "directory",
                "directories",
                "not searched: it cannot be read",
            ),
        )
        return tuple(
            f"{len(names)} {one if len(names) == 1 else many} {what} ({min(names)})"
            for names, one, many, what in counted
            if names
        )

    def _candidates(self) -> Iterator[tuple[str, bool]]:
        """Files and links below the sources, and whether each is a link."""
        names = git.listed(Path(self.root), SKIPPED)
        self.is_plain = bool(names)
        if not names:
            for source in self.sources:
                yield from self._start(source)
            return
        for name in without_environments(names):
            yield from self._listed(name.rstrip("/"))

    def _listed(self, name: str) -> Iterator[tuple[str, bool]]:
        """What a path that git lists stands for: a link, or a repository inside, holds files."""
        try:
            mode = os.lstat(f"{self.root}/{name}").st_mode
        except OSError:
            return
        if stat.S_ISREG(mode):
            if _is_within(name, self.sources):
                yield name, False
            return
        self.is_plain = False
        deeper = [s for s in self.sources if s.startswith(f"{name}/")]
        if stat.S_ISLNK(mode) and _is_within(name, self.sources):
            yield name, True
        elif stat.S_ISDIR(mode) and is_other_work_tree(Path(self.root, name)):
            self.copies.add(name)
        elif stat.S_ISDIR(mode) and _is_within(name, self.sources):
            yield from self.walk.files(name)
        else:
            for source in deeper:
                yield from self._start(source)

    def _start(self, source: str) -> Iterator[tuple[str, bool]]:
        """What is below a source; one that links lead to is itself a link."""
        if source == ".":
            return self.walk.files()
        if os.path.realpath(f"{self.root}/{source}") != f"{self.root}/{source}":
            return iter(((source, True),))
        return self.walk.files(source)

    def _add(self, name: str, real: str) -> None:
        if self.policy.is_excluded(name):
            return
        if name.endswith(_SUFFIXES):
            self.found.setdefault(real, name)
        elif name.endswith(_NOTEBOOK):
            self.notebooks.add(name)

    def _follow(self, link: str, followed: set[str]) -> None:
        """Add the file, or the files of the directory, that a link leads to."""
        real = os.path.realpath(f"{self.root}/{link}")
        if Path(real).is_file():
            self._add(link, real)
        if not Path(real).is_dir() or real in followed:
            return
        followed.add(real)
        home = _name(self.root, real)
        if home is None:
            self.outside.add(link)
        elif self._is_new(home, link):
            for name, inner in self.walk.files(home):
                alias = f"{link}{name.removeprefix(home)}"
                if inner:
                    self._follow(alias, followed)
                else:
                    self._add(alias, f"{self.root}/{name}")

    def _is_new(self, home: str, link: str) -> bool:
        """Whether a link to a directory of the root leads to what is not there already."""
        return not (
            _is_within(home, self.sources)
            or _is_within(link, [home])
            or set(home.split("/")) & set(SKIPPED)
            or self.policy.is_excluded(link)
        )
