"""Writes that land together, what they refuse, and how the last run is taken back."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from capsule_lint.errors import SourceError
from capsule_lint.source import Change, Receipt, recover, undo, write
from capsule_lint.source.disk import Disk
from capsule_lint.source.lock import locked

if TYPE_CHECKING:
    from pathlib import Path


class Killed(BaseException):
    """What stands for a kill: the hands stop, and nobody tidies up."""


class StoppingDisk(Disk):
    """Does so many replacements of files, and nothing any more."""

    def __init__(self, replacements: int) -> None:
        self.left = replacements

    def replace(self, source: Path, target: Path) -> None:
        if source.suffix == ".tmp":
            self.left -= 1
        if self.left < 0:
            raise Killed
        super().replace(source, target)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    for name in "abc":
        (tmp_path / f"app/{name}.py").write_bytes(name.encode())
    return tmp_path


def changes(names: str = "abc") -> list[Change]:
    return [Change(f"app/{n}.py", n.encode(), n.encode() * 2) for n in names]


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".capsule-lint" not in path.parts
    }


def stop(root: Path, replacements: int) -> None:
    """Leave a run as a kill would, after so many replacements."""
    with pytest.raises(Killed):
        write(root, changes(), disk=StoppingDisk(replacements))


def test_all_changes_are_written_and_told(root: Path) -> None:
    receipt = write(root, [*changes(), Change("new/n.py", None, b"n\r\n")], ids=lambda: "1")
    assert receipt == Receipt("1", ("app/a.py", "app/b.py", "app/c.py", "new/n.py"))
    assert files(root) == {
        "app/a.py": b"aa",
        "app/b.py": b"bb",
        "app/c.py": b"cc",
        "new/n.py": b"n\r\n",
    }


def test_nothing_to_write_touches_nothing(root: Path) -> None:
    assert write(root, []) == Receipt("", ())
    assert write(root, [Change("app/a.py", b"a", b"a")]) == Receipt("", ())
    assert recover(root) is None
    assert not (root / ".capsule-lint").exists()


def test_the_state_directory_ignores_itself(root: Path) -> None:
    subprocess.run(("git", "init", "-q", root), check=True)
    write(root, changes())
    command = ("git", "status", "--porcelain", "-uall")
    status = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    assert b"capsule-lint" not in status


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (Change("app/c.py", b"other", b"x"), "has changed since it was read"),
        (Change("app/gone.py", b"g", b"x"), "no longer exists"),
        (Change("app/c.py", None, b"x"), "exists already"),
        (Change("app/dangling.py", None, b"x"), "exists already"),
        (Change("app", b"", b"x"), "has changed since it was read"),
        (Change("../out.py", None, b"x"), "leads out of the project"),
        (Change("app/out.py", b"o", b"x"), "leads out of the project"),
        (Change("", b"", b"x"), "leads out of the project"),
        (Change("app/a.py", b"a", b"x"), "would be written twice"),
        (Change("app/link.py", b"a", b"x"), "would be written twice"),
        (Change("app/c.py/d.py", None, b"x"), "cannot be written: Not a directory"),
        (Change("nu\0l", None, b"x"), "cannot be written: embedded null byte"),
    ],
)
def test_one_bad_change_and_nothing_is_written(
    change: Change, problem: str, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "out.py"
    outside.write_bytes(b"o")
    (root / "app/out.py").symlink_to(outside)
    (root / "app/link.py").symlink_to("a.py")
    (root / "app/dangling.py").symlink_to("nowhere.py")
    before = files(root)
    with pytest.raises(SourceError, match=problem) as caught:
        write(root, [*changes("ab"), Change("new/n.py", None, b"n"), change])
    assert caught.value.path in (change.filename, "app/c.py/d.py")
    assert files(root) == before
    assert not (root / "new").exists()
    assert outside.read_bytes() == b"o"


def test_a_link_stays_and_its_file_is_written(root: Path) -> None:
    (root / "link.py").symlink_to("app/a.py")
    (root / "folder").symlink_to("app")
    write(root, [Change("link.py", b"a", b"aa"), Change("folder/b.py", b"b", b"bb")])
    assert (root / "link.py").is_symlink()
    assert (root / "folder").is_symlink()
    assert (root / "app/a.py").read_bytes() == b"aa"
    assert (root / "app/b.py").read_bytes() == b"bb"
    assert not (root / "app/a.py").is_symlink()


@pytest.mark.skipif(sys.platform == "win32", reason="no modes")
def test_permissions_are_kept_and_new_files_get_those_of_the_umask(root: Path) -> None:
    (root / "app/a.py").chmod(0o751)
    (root / "app/b.py").chmod(0o640)
    old = os.umask(0o027)
    try:
        write(root, [*changes("ab"), Change("n.py", None, b"n")])
    finally:
        os.umask(old)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in root.rglob("*.py")}
    assert modes == {"a.py": 0o751, "b.py": 0o640, "c.py": modes["c.py"], "n.py": 0o640}
    undo(root)
    assert stat.S_IMODE((root / "app/a.py").stat().st_mode) == 0o751


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root gives away")
def test_the_owner_is_kept(root: Path) -> None:
    os.chown(root / "app/a.py", 1234, 4321)
    write(root, changes())
    assert ((root / "app/a.py").stat().st_uid, (root / "app/a.py").stat().st_gid) == (1234, 4321)
    assert stat.S_IMODE((root / "app/a.py").stat().st_mode) == 0o644


@pytest.mark.skipif(sys.platform != "linux", reason="no extended attributes")
def test_extended_attributes_are_kept(root: Path) -> None:
    if sys.platform == "linux":
        try:
            os.setxattr(root / "app/a.py", "user.origin", b"here")
        except OSError:
            pytest.skip("no extended attributes on this disk")
        write(root, changes())
        assert os.getxattr(root / "app/a.py", "user.origin") == b"here"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write all")
def test_a_read_only_file_is_refused(root: Path) -> None:
    (root / "app/b.py").chmod(0o444)
    with pytest.raises(SourceError, match=r"app/b.py: is read-only"):
        write(root, changes())
    assert files(root)["app/a.py"] == b"a"


def test_names_that_are_no_text_are_written_and_undone(root: Path) -> None:
    name = os.fsdecode(b"app/caf\xe9\n.py") if sys.platform == "linux" else "app/café.py"
    (root / name).write_bytes(b"x")
    write(root, [Change(name, b"x", b"y")])
    assert (root / name).read_bytes() == b"y"
    assert undo(root) == (name,)
    assert (root / name).read_bytes() == b"x"


def test_one_run_at_a_time(root: Path) -> None:
    write(root, changes("a"))
    with locked(root / ".capsule-lint", Disk()):
        with pytest.raises(SourceError, match="another run is writing"):
            write(root, changes("b"))
        with pytest.raises(SourceError, match="another run is writing"):
            undo(root)
        assert recover(root) is None
    write(root, changes("b"))


def test_a_state_directory_that_is_a_link_is_refused(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (root / ".capsule-lint").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    with pytest.raises(SourceError, match="is a link"):
        write(root, changes())


def test_a_state_directory_that_is_a_file_is_refused(root: Path) -> None:
    (root / ".capsule-lint").touch()
    with pytest.raises(SourceError, match=r"\.capsule-lint: cannot be written: "):
        write(root, changes())
    with pytest.raises(SourceError, match="nothing to undo"):
        undo(root)


# --- undo ---


def test_undo_takes_the_last_run_back_once(root: Path) -> None:
    before = files(root)
    write(root, [*changes(), Change("new/deep/n.py", None, b"n")])
    assert undo(root) == ("app/a.py", "app/b.py", "app/c.py", "new/deep/n.py")
    assert files(root) == before
    assert not (root / "new").exists()
    with pytest.raises(SourceError, match="there is nothing to undo"):
        undo(root)


def test_undo_without_any_run_touches_nothing(root: Path) -> None:
    with pytest.raises(SourceError, match="there is nothing to undo"):
        undo(root)
    assert not (root / ".capsule-lint").exists()


def test_undo_takes_back_the_last_of_two_runs_only(root: Path) -> None:
    write(root, changes("ab"))
    write(root, [Change("app/a.py", b"aa", b"aaa")])
    undo(root)
    assert files(root) == {"app/a.py": b"aa", "app/b.py": b"bb", "app/c.py": b"c"}
    with pytest.raises(SourceError, match="there is nothing to undo"):
        undo(root)


@pytest.mark.parametrize("edit", [b"mine", None])
def test_undo_refuses_when_a_file_was_changed_since(root: Path, edit: bytes | None) -> None:
    write(root, changes())
    (root / "app/b.py").unlink()
    if edit is not None:
        (root / "app/b.py").write_bytes(edit)
    before = files(root)
    with pytest.raises(SourceError, match=r"app/b.py: was changed after the last run"):
        undo(root)
    assert files(root) == before
    (root / "app/b.py").write_bytes(b"bb")
    undo(root)
    assert files(root)["app/b.py"] == b"b"


def test_undo_keeps_a_new_directory_in_which_something_else_lies(root: Path) -> None:
    write(root, [Change("new/n.py", None, b"n")])
    (root / "new/mine.txt").touch()
    undo(root)
    assert [p.name for p in (root / "new").iterdir()] == ["mine.txt"]


def test_undo_refuses_when_what_it_kept_is_damaged(root: Path) -> None:
    write(root, changes())
    (root / ".capsule-lint/last/old/1").write_bytes(b"?")
    with pytest.raises(SourceError, match="is damaged"):
        undo(root)
    assert files(root)["app/a.py"] == b"aa"


def test_a_run_that_failed_leaves_the_one_before_it_to_be_undone(root: Path) -> None:
    write(root, changes("a"))
    with pytest.raises(SourceError, match="has changed"):
        write(root, [Change("app/b.py", b"?", b"x")])
    undo(root)
    assert files(root)["app/a.py"] == b"a"


# --- recovery, when people did not wait for it ---


@pytest.mark.parametrize("replacements", [0, 1, 2])
def test_an_interrupted_run_is_completed(root: Path, replacements: int) -> None:
    stop(root, replacements)
    assert recover(root) == "an interrupted run was ended: every file is as it was meant to be"
    assert files(root) == {"app/a.py": b"aa", "app/b.py": b"bb", "app/c.py": b"cc"}
    assert recover(root) is None


def test_an_edit_of_a_file_that_still_waited_takes_the_run_back_and_is_kept(root: Path) -> None:
    stop(root, 2)
    (root / "app/c.py").write_bytes(b"mine")
    assert recover(root) == "an interrupted run was ended: every file is as it was before"
    assert files(root) == {"app/a.py": b"a", "app/b.py": b"b", "app/c.py": b"mine"}


def test_an_edit_of_a_file_that_was_done_completes_the_run_and_is_kept(root: Path) -> None:
    stop(root, 1)
    (root / "app/a.py").write_bytes(b"mine")
    assert recover(root) == "an interrupted run was ended: every file is as it was meant to be"
    assert files(root) == {"app/a.py": b"mine", "app/b.py": b"bb", "app/c.py": b"cc"}


def test_edits_of_both_kinds_need_a_person_and_nothing_is_lost(root: Path) -> None:
    stop(root, 1)
    (root / "app/a.py").write_bytes(b"mine")
    (root / "app/c.py").write_bytes(b"mine")
    before = files(root)
    for _ in range(2):
        with pytest.raises(SourceError, match=r"app/a.py: was changed after a run was inter"):
            recover(root)
        with pytest.raises(SourceError, match="neither completed nor taken back"):
            write(root, [Change("n.py", None, b"n")])
    assert files(root) == before
    assert (root / ".capsule-lint/committed/old/2").read_bytes() == b"c"


def test_a_file_that_is_edited_at_the_last_moment_is_kept(root: Path) -> None:
    class SlowDisk(Disk):
        def replace(self, source: Path, target: Path) -> None:
            super().replace(source, target)
            if target.name == "a.py":
                (root / "app/b.py").write_bytes(b"mine")

    with pytest.raises(SourceError, match=r"app/b.py: was changed while"):
        write(root, changes(), disk=SlowDisk())
    assert files(root) == {"app/a.py": b"a", "app/b.py": b"mine", "app/c.py": b"c"}


def test_a_file_that_is_edited_when_the_run_commits_is_kept(root: Path) -> None:
    class SlowDisk(Disk):
        def replace(self, source: Path, target: Path) -> None:
            super().replace(source, target)
            if target.name == "committed":
                (root / "app/b.py").write_bytes(b"mine")

    with pytest.raises(SourceError, match="files were changed while they were written"):
        write(root, changes(), disk=SlowDisk())
    assert files(root) == {"app/a.py": b"a", "app/b.py": b"mine", "app/c.py": b"c"}


def test_a_file_that_is_edited_while_the_run_prepares_is_kept(root: Path) -> None:
    class SlowDisk(Disk):
        def write_new(self, path: Path, data: bytes, like: Path | None = None) -> None:
            super().write_new(path, data, like)
            if path.suffix == ".tmp":
                (root / "app/b.py").write_bytes(b"mine")

    with pytest.raises(SourceError, match=r"app/b.py: has changed since it was read"):
        write(root, changes(), disk=SlowDisk())
    assert files(root) == {"app/a.py": b"a", "app/b.py": b"mine", "app/c.py": b"c"}


@pytest.mark.parametrize("key", ["target", "temporary"])
def test_a_journal_that_reaches_out_of_the_root_is_refused(root: Path, key: str) -> None:
    stop(root, 0)
    path = root / ".capsule-lint/committed/journal.json"
    document = json.loads(path.read_bytes())
    document["entries"][0][key] = f"../{document['entries'][0][key]}"
    path.write_text(json.dumps(document))
    with pytest.raises(SourceError, match="is no journal that this version can read"):
        recover(root)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"version": 2, "id": "", "kind": "write", "entries": []}',
        b'{"version": 1, "id": 1, "kind": "write", "entries": []}',
        b'{"version": 1, "id": "", "kind": "?", "entries": []}',
        b'{"version": 1, "id": "", "kind": "write", "entries": [{"made": ""}]}',
        b"[" * 100_000,
    ],
)
def test_a_journal_that_is_none_is_refused(root: Path, data: bytes) -> None:
    stop(root, 0)
    (root / ".capsule-lint/committed/journal.json").write_bytes(data)
    with pytest.raises(SourceError, match="is no journal that this version can read"):
        recover(root)


def test_a_target_that_became_a_link_is_not_followed(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stop(root, 0)
    outside = tmp_path_factory.mktemp("outside") / "a.py"
    outside.write_bytes(b"a")
    (root / "app/a.py").unlink()
    (root / "app/a.py").symlink_to(outside)
    assert recover(root) == "an interrupted run was ended: every file is as it was before"
    assert outside.read_bytes() == b"a"
    assert (root / "app/a.py").is_symlink()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write all")
def test_a_tree_that_cannot_be_written_is_still_checked(root: Path) -> None:
    assert recover(root) is None
    stop(root, 1)
    (root / ".capsule-lint").chmod(0o555)
    try:
        assert "half-way" in str(recover(root))
    finally:
        (root / ".capsule-lint").chmod(0o755)


def test_a_root_that_is_a_link_is_its_directory(root: Path, tmp_path: Path) -> None:
    (tmp_path / "root").symlink_to(root)
    write(tmp_path / "root", changes())
    assert files(root)["app/a.py"] == b"aa"
    undo(root)


def test_what_lasts_is_written_before_what_depends_on_it(root: Path) -> None:
    log: list[str] = []

    class Listening(Disk):
        def write_new(self, path: Path, data: bytes, like: Path | None = None) -> None:
            super().write_new(path, data, like)
            log.append(path.name if path.suffix != ".tmp" else "new bytes")

        def replace(self, source: Path, target: Path) -> None:
            super().replace(source, target)
            log.append(f"-> {target.name}")

        def sync(self, directory: Path) -> None:
            super().sync(directory)
            log.append(f"sync {directory.name}")

    write(root, changes("a"), disk=Listening())
    assert log == [
        ".gitignore",
        "journal.json",
        "sync preparing",
        "sync .capsule-lint",
        "0",
        "sync old",
        "new bytes",
        "sync app",
        "-> committed",
        "sync .capsule-lint",
        "-> a.py",
        "sync app",
        "-> last",
        "sync .capsule-lint",
    ]
