"""Whatever ends a transaction, and wherever: the tree is as it was before, or as it is after."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from capsule_lint.errors import SourceError
from capsule_lint.source import Change, recover, undo, write
from capsule_lint.source.disk import Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator

    Tree = dict[str, tuple[str, bytes, int]]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks, modes and links")

CHANGES = (
    Change("a.py", b"a = 1\r\n", b"a = 1\r\nb = 2\r\n"),
    Change("app/b.py", b"b", b""),
    Change("link.py", b"c", b"cc"),
    Change("new/deep/d.py", None, b"d"),
    Change("new/e.py", None, b"e"),
)
ALL = range(1, 1_000_000)


class FaultyDisk(Disk):
    """Counts its steps, and calls `strike` before, after or (if it can) midway through some."""

    def __init__(self, at: Container[int], when: str, strike: Callable[[], None]) -> None:
        self.at = at
        self.when = when
        self.strike = strike
        self.steps = 0
        self.divisible: list[int] = []

    def _step(self, do: Callable[[], None], half: Callable[[], None] | None = None) -> None:
        self.steps += 1
        if half is not None:
            self.divisible.append(self.steps)
        struck = self.steps in self.at
        if struck and self.when != "after":
            if self.when == "midway" and half is not None:
                half()
            self.strike()
        do()
        if struck:
            self.strike()

    def make_directory(self, path: Path) -> None:
        self._step(lambda: Disk.make_directory(self, path))

    def remove_directory(self, path: Path) -> None:
        self._step(lambda: Disk.remove_directory(self, path))

    def remove_tree(self, path: Path) -> None:
        self._step(
            lambda: Disk.remove_tree(self, path),
            lambda: (path / "journal.json").unlink(missing_ok=True),
        )

    def write_new(self, path: Path, data: bytes, like: Path | None = None) -> None:
        self._step(
            lambda: Disk.write_new(self, path, data, like),
            lambda: Disk.write_new(self, path, data[: len(data) // 2], like),
        )

    def replace(self, source: Path, target: Path) -> None:
        self._step(lambda: Disk.replace(self, source, target))

    def remove(self, path: Path) -> None:
        self._step(lambda: Disk.remove(self, path))

    def sync(self, directory: Path) -> None:
        self._step(lambda: Disk.sync(self, directory))


def no_space() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt() -> None:
    raise KeyboardInterrupt


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def plant(root: Path) -> None:
    """A tree that has seen one run, so that there is something to undo before the next."""
    (root / "app").mkdir(parents=True)
    for name, data in (("a.py", b"a = 0\n"), ("app/b.py", b"b"), ("app/c.py", b"c")):
        (root / name).write_bytes(data)
    (root / "app/b.py").chmod(0o750)
    (root / "link.py").symlink_to("app/c.py")
    write(root, [Change("a.py", b"a = 0\n", b"a = 1\r\n")])


def tree(root: Path) -> Tree:
    """All that a run could spoil: names, kinds, bytes and permissions."""
    found: Tree = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if name.partition("/")[0] == ".capsule-lint":
            continue
        if path.is_symlink():
            found[name] = ("link", os.fsencode(path.readlink()), 0)
        elif path.is_dir():
            found[name] = ("directory", b"", 0)
        else:
            mode = stat.S_IMODE(path.stat().st_mode)
            found[name] = ("file", path.read_bytes(), mode)
    return found


def books(root: Path) -> set[str]:
    """What is left in the state directory."""
    return {path.name for path in (root / ".capsule-lint").iterdir()} - {"done"}


def do_write(root: Path, disk: Disk) -> None:
    write(root, CHANGES, disk=disk)


def do_undo(root: Path, disk: Disk) -> None:
    undo(root, disk=disk)


def do_recover(root: Path, disk: Disk) -> None:
    recover(root, disk=disk)


def start_write(root: Path) -> None:
    plant(root)


def start_undo(root: Path) -> None:
    plant(root)
    write(root, CHANGES)


def start_recovery_forward(root: Path) -> None:
    """A run that was killed when half of its files had been replaced."""
    plant(root)
    die(lambda: do_write(root, FaultyDisk([steps_until(root, "replace", 3)], "after", kill)))


def start_recovery_back(root: Path) -> None:
    """The same, and one of its files that still wait was lost meanwhile."""
    start_recovery_forward(root)
    next(root.glob("new/deep/.capsule-lint-*.tmp")).unlink()


def start_recovery_of_undo(root: Path) -> None:
    start_undo(root)
    die(
        lambda: do_undo(
            root, FaultyDisk([steps_until(root, "remove", 1, undo=True)], "after", kill)
        )
    )


def start_recovery_of_undo_back(root: Path) -> None:
    start_undo(root)
    step = steps_until(root, "replace", 2, undo=True)
    die(lambda: do_undo(root, FaultyDisk([step], "after", kill)))
    next((root / "app").glob(".capsule-lint-*.tmp")).unlink()


def steps_until(root: Path, name: str, nth: int, *, undo: bool = False) -> int:
    """How many steps a run takes until it has done the n-th of some name; tried on a copy."""
    steps: list[str] = []

    class Listening(FaultyDisk):
        def _step(self, do: Callable[[], None], half: Callable[[], None] | None = None) -> None:
            steps.append(sys._getframe(1).f_code.co_name)
            super()._step(do, half)

    with tempfile.TemporaryDirectory(dir=root.parent) as folder:
        trial = Path(folder, "trial")
        (start_undo if undo else start_write)(trial)
        (do_undo if undo else do_write)(trial, Listening((), "", kill))
    return [i for i, step in enumerate(steps, 1) if step == name][nth - 1]


def die(action: Callable[[], None]) -> None:
    """Do something in a process of its own, which may be killed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the runner's threads do not matter
        child = os.fork()
    if child == 0:
        try:
            action()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "nobody struck"


SCENARIOS: dict[str, tuple[Callable[[Path], None], Callable[[Path, Disk], None]]] = {
    "write": (start_write, do_write),
    "undo": (start_undo, do_undo),
    "recovery forward": (start_recovery_forward, do_recover),
    "recovery back": (start_recovery_back, do_recover),
    "recovery of undo": (start_recovery_of_undo, do_recover),
    "recovery of undo back": (start_recovery_of_undo_back, do_recover),
}


def both_ends(base: Path, scenario: str) -> tuple[tuple[Tree, Tree], FaultyDisk]:
    """The trees that a scenario may end in, and a disk that has counted its steps."""
    plant(base / "ends")
    before = tree(base / "ends")
    write(base / "ends", CHANGES)
    ends = before, tree(base / "ends")
    start, act = SCENARIOS[scenario]
    start(base / "start")
    disk = FaultyDisk((), "", kill)
    act(copy(base, "counted"), disk)
    assert tree(base / "counted") in ends
    assert disk.steps > 5
    return ends, disk


def copy(base: Path, name: str) -> Path:
    """A fresh copy of where a scenario starts."""
    return shutil.copytree(base / "start", base / name, symlinks=True)


def assert_whole(root: Path, ends: tuple[Tree, Tree], step: int) -> None:
    """The tree is one of two, no book is open, and (tried now and then) the next runs work."""
    found = tree(root)
    assert found in ends, root.name
    assert books(root) <= {".gitignore", "lock", "last"}, root.name
    assert recover(root) is None, root.name
    if step % 4 == 0:
        if found == ends[0]:
            write(root, CHANGES)
        assert tree(root) == ends[1], root.name
        undo(root)
        assert tree(root) == ends[0], root.name


def main(scenario: str, base: Path) -> None:
    """Kill a scenario at each of its steps, each time in a process of its own, and recover."""
    ends, counted = both_ends(base, scenario)
    _, act = SCENARIOS[scenario]
    places = [("before", step) for step in range(1, counted.steps + 1)]
    places += [("midway", step) for step in counted.divisible]
    for when, step in (*places, ("after", counted.steps)):
        root = copy(base, f"killed {when} step {step}")
        die(partial(act, root, FaultyDisk([step], when, kill)))
        recover(root)
        assert_whole(root, ends, step)


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory on a disk that is fast, and never waited for: there are many trees to plant."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    memory = Path("/dev/shm")
    home = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=home) as folder:
        yield Path(folder)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_kill_at_any_step_leaves_one_of_two_trees(scenario: str, base: Path) -> None:
    command = (sys.executable, __file__, scenario, str(base))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("when", ["before", "midway"])
@pytest.mark.parametrize("scenario", ["write", "undo"])
def test_a_full_disk_at_any_step_is_settled_before_the_error_goes_on(
    scenario: str, when: str, base: Path
) -> None:
    ends, counted = both_ends(base, scenario)
    _, act = SCENARIOS[scenario]
    goal = ends[scenario == "write"]
    for step in range(1, counted.steps + 1) if when == "before" else counted.divisible:
        root = copy(base, str(step))
        disk = FaultyDisk([step], when, no_space)
        with pytest.raises(SourceError, match="No space left on device") as caught:
            act(root, disk)
        where = f"{when} step {step}"
        assert tree(root) in ends, where
        assert (tree(root) == goal) is ("as it was meant" in caught.value.problem), where
        assert_whole(root, ends, step)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("scenario", ["write", "undo"])
def test_an_interrupt_at_any_step_is_settled_before_it_goes_on(
    scenario: str, when: str, base: Path
) -> None:
    ends, counted = both_ends(base, scenario)
    _, act = SCENARIOS[scenario]
    for step in range(1, counted.steps + 1):
        root = copy(base, str(step))
        with pytest.raises(KeyboardInterrupt):
            act(root, FaultyDisk([step, step + 1, step + 3], when, interrupt))
        assert tree(root) in ends
        assert_whole(root, ends, step)


@pytest.mark.parametrize("failure", [no_space, interrupt])
@pytest.mark.parametrize("scenario", ["write", "undo", "recovery back"])
def test_a_disk_that_fails_for_good_is_settled_when_it_works_again(
    scenario: str, failure: Callable[[], None], base: Path
) -> None:
    ends, counted = both_ends(base, scenario)
    _, act = SCENARIOS[scenario]
    for step in range(1, counted.steps + 1):
        root = copy(base, str(step))
        with pytest.raises((SourceError, KeyboardInterrupt)):
            act(root, FaultyDisk(ALL[step - 1 :], "before", failure))
        recover(root)
        assert_whole(root, ends, step)


if __name__ == "__main__":
    os.fsync = lambda fd: None
    main(sys.argv[1], Path(sys.argv[2]))
