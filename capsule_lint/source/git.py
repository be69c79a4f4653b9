"""Questions to git, without locks, prompts or hooks: nothing on disk changes."""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from capsule_lint.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_OF_ANOTHER_REPOSITORY = frozenset(  # set by git in its hooks; we ask about where we stand
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_LITERAL_PATHSPECS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)
_NO_REPOSITORY = "not a git repository"
_NO_WORK_TREE = "must be run in a work tree"
_AT_ONCE = 500


class _Answer(Struct, frozen=True):
    """What git said: `problem` is empty if all went well."""

    output: bytes = b""
    problem: str = ""
    absent: bool = False
    """Whether there is no git, or no work tree, to ask."""
    broken: bool = False
    """Whether git does not take for a repository what is asked about."""

    @property
    def names(self) -> list[str]:
        """The output as paths that end with a null byte."""
        return [os.fsdecode(name) for name in self.output.split(b"\0") if name]


def _ask(directory: Path, *arguments: str, index: Path | None = None) -> _Answer:
    environment = {k: v for k, v in os.environ.items() if k not in _OF_ANOTHER_REPOSITORY}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    if index is not None:
        environment["GIT_INDEX_FILE"] = str(index)
    command = ("git", "--literal-pathspecs", "-c", "core.fsmonitor=false", *arguments)
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except (OSError, ValueError) as error:
        return _Answer(problem=str(error), absent=True)
    if done.returncode:
        problem = done.stderr.decode(errors="replace").strip() or f"status {done.returncode}"
        broken, bare = _NO_REPOSITORY in problem, _NO_WORK_TREE in problem
        return _Answer(done.stdout, problem, absent=broken or bare, broken=broken)
    return _Answer(done.stdout)


def listed(root: Path, skipped: Iterable[str]) -> tuple[str, ...] | None:
    """Every path below `root` that git tracks, or neither ignores nor is in a directory `skipped`.

    All are relative to `root`. A repository inside is one path, a directory. None if git cannot
    tell: there is no git, no work tree, or git refuses.
    """
    excludes = (f"--exclude={name}/" for name in skipped)
    standard = ("-z", "--cached", "--others", "--exclude-standard")
    answer = _ask(root, "ls-files", *standard, *excludes)
    return None if answer.problem else tuple(dict.fromkeys(answer.names))


def ignored_folders(root: Path) -> tuple[str, ...] | None:
    """The directories below `root` that git ignores whole, relative to it; None if git cannot tell."""
    ignored = ("-z", "--others", "--ignored", "--exclude-standard", "--directory")
    answer = _ask(root, "ls-files", *ignored)
    if answer.problem:
        return None
    return tuple(name.rstrip("/") for name in answer.names if name.endswith("/"))


def consulted(root: Path) -> tuple[str, ...] | None:
    """The files, absolute, by which git knows what it tracks and ignores below `root`, and those that
    would count if they were there; the `.gitignore` of directories are not among them. None if git
    cannot tell.
    """
    own = ("index", "info/exclude", "config", "config.worktree")
    paths = [part for name in own for part in ("--git-path", name)]
    place = _ask(root, "rev-parse", "--show-toplevel", *paths)
    settings = _ask(root, "config", "--list", "--show-origin", "-z")
    if place.problem or settings.problem:
        return None
    top, *found = os.fsdecode(place.output).splitlines()
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    found += ["/etc/gitconfig", "~/.gitconfig", f"{home}/git/config", f"{home}/git/ignore"]
    folder = root.resolve()
    found += [f"{f}/.gitignore" for f in (folder, *folder.parents) if f.is_relative_to(top)]
    origins, values = settings.names[::2], settings.names[1::2]
    found += [origin.removeprefix("file:") for origin in origins if origin.startswith("file:/")]
    excluding = "core.excludesfile\n"
    found += [v.removeprefix(excluding) for v in values if v.startswith(excluding)]
    absolute = (os.path.join(root, os.path.expanduser(path)) for path in found)  # noqa: PTH111, PTH118  # pathlib fails at `~nobody`
    return tuple(dict.fromkeys(absolute))


def dirty(root: Path, filenames: Iterable[str]) -> tuple[str, ...]:
    """Those of some files, relative to `root`, that have changes git has not committed, sorted.

    A file that git does not track has. Without git, or outside of a work tree, none has. Raises
    SourceError if git refuses to tell, as it does where a repository is broken.
    """
    repositories: dict[Path, dict[str, str]] = defaultdict(dict)
    for filename in filenames:
        real = Path(os.path.realpath(root / filename))
        home = _repository(real.parent)
        if home is not None:
            repositories[home][real.relative_to(home).as_posix()] = filename
    found = [
        files[name]
        for home, files in repositories.items()
        for name in _uncommitted(home, sorted(files))
    ]
    return tuple(sorted(found))


def _repository(directory: Path) -> Path | None:
    """The work tree that holds a directory, as far as one can see."""
    for folder in (directory, *directory.parents):
        mark = folder / ".git"
        if mark.is_file() or (mark / "HEAD").is_file():
            return folder
    return None


def _uncommitted(home: Path, names: Sequence[str]) -> Iterable[str]:
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        answer = _ask(
            home,
            *("status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all"),
            "--",
            *some,
        )
        if answer.absent and not answer.broken:
            return
        if answer.problem:
            said = _first_line(answer.problem)
            problem = f"git cannot tell what is committed: {said}: mend it, or give --allow-dirty"
            raise SourceError(str(home), problem)
        changed = {entry[3:] for entry in answer.names}
        yield from (name for name in some if name in changed)


def changed_since(root: Path, revision: str) -> frozenset[str]:
    """The files below `root` that differ from where the work left a revision.

    That is the best common ancestor of the revision and HEAD, or the revision itself if there is
    none. Files that git does not track, and does not ignore, are among them, deleted ones are not.
    Names are relative to `root`. Raises SourceError if there is no work tree, or no such revision.
    """
    found = _ask(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.absent:
        raise SourceError(revision, f"needs a git work tree: {_first_line(found.problem)}")
    if found.problem or revision.startswith("-"):
        raise SourceError(revision, "is no revision that git knows here")
    commit = found.output.decode().strip()
    base = _ask(root, "merge-base", commit, "HEAD")
    start = commit if base.problem else base.output.decode().split()[0]
    with tempfile.TemporaryDirectory() as folder:
        # `git diff` refreshes the index that it is given
        differing = _ask(
            root,
            *("diff", "--name-only", "-z", "--no-renames", "--relative", "--diff-filter=d"),
            *("--no-ext-diff", "--ignore-submodules=none", start, "--"),
            index=_copy_of_index(root, Path(folder)),
        )
    untracked = _ask(root, "ls-files", "-z", "--others", "--exclude-standard")
    for answer in (differing, untracked):
        if answer.problem:
            raise SourceError(revision, f"git cannot compare: {_first_line(answer.problem)}")
    return frozenset(posixpath.normpath(n) for n in (*differing.names, *untracked.names))


def _copy_of_index(root: Path, folder: Path) -> Path | None:
    """A copy of git's index; `None` if there is none."""
    place = _ask(root, "rev-parse", "--git-path", "index")
    path, copy = root / os.fsdecode(place.output).rstrip("\n"), folder / "index"
    try:
        shutil.copy2(path, copy)  # by its time git knows which files may have changed since
    except OSError:
        return None
    return copy


def _first_line(text: str) -> str:
    return text.partition("\n")[0]
