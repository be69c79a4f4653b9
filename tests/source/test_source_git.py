"""Questions to git, and what happens when it does not answer."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from capsule_lint.errors import SourceError
from capsule_lint.source import changed_since, dirty

if TYPE_CHECKING:
    from pathlib import Path


def git(where: Path, *arguments: str) -> str:
    settings = ("-c", "user.name=n", "-c", "user.email=e@e", "-c", "protocol.file.allow=always")
    command = ("git", *settings, *arguments)
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=True).stdout


def commit(where: Path, message: str = "m") -> str:
    git(where, "add", "-A")
    git(where, "commit", "-q", "-m", message)
    return git(where, "rev-parse", "HEAD").strip()


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "app").mkdir(parents=True)
    for name in ("app/a.py", "app/b.py", "app/c.py"):
        (root / name).write_text("1\n")
    (root / ".gitignore").write_text("ignored.py\n")
    git(root, "init", "-q", "-b", "main")
    commit(root)
    return root


NAMES = ("app/a.py", "app/b.py", "app/c.py")


def test_a_clean_tree_has_no_dirty_file(repository: Path) -> None:
    assert dirty(repository, NAMES) == ()


def test_changed_staged_and_untracked_files_are_dirty(repository: Path) -> None:
    (repository / "app/a.py").write_text("2\n")
    (repository / "app/b.py").write_text("2\n")
    git(repository, "add", "app/b.py")
    (repository / "app/new.py").write_text("1\n")
    names = (*NAMES, "app/new.py")
    assert dirty(repository, names) == ("app/a.py", "app/b.py", "app/new.py")
    assert dirty(repository / "app", ("a.py", "c.py")) == ("a.py",)


def test_only_the_files_that_are_asked_about_count(repository: Path) -> None:
    (repository / "app/a.py").write_text("2\n")
    assert dirty(repository, ("app/b.py",)) == ()
    assert dirty(repository, ()) == ()


def test_a_file_that_was_renamed_is_dirty(repository: Path) -> None:
    git(repository, "mv", "app/a.py", "app/z.py")
    assert dirty(repository, ("app/b.py", "app/z.py")) == ("app/z.py",)


def test_names_are_no_patterns_and_no_options(repository: Path) -> None:
    for name in ("*.py", "-x.py", ":(top)y.py", "a b\n.py"):
        (repository / "app" / name).write_text("1\n")
    names = (*NAMES, "app/*.py", "app/-x.py", "app/:(top)y.py", "app/a b\n.py")
    assert set(dirty(repository, names)) == set(names[3:])
    assert dirty(repository / "app", ("-x.py", "a.py")) == ("-x.py",)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have names of text")
def test_a_name_that_is_no_text_can_be_dirty(repository: Path) -> None:
    name = os.fsdecode(b"app/caf\xe9.py")
    (repository / name).write_text("1\n")
    assert dirty(repository, (*NAMES, name)) == (name,)
    assert name in changed_since(repository, "HEAD")


def test_the_file_behind_a_link_is_what_is_dirty(repository: Path) -> None:
    (repository / "link.py").symlink_to("app/a.py")
    commit(repository)
    assert dirty(repository, ("link.py",)) == ()
    (repository / "app/a.py").write_text("2\n")
    assert dirty(repository, ("link.py",)) == ("link.py",)


def test_many_files_are_asked_about_in_turns(repository: Path) -> None:
    names = [f"app/n{number}.py" for number in range(1_100)]
    for name in names:
        (repository / name).touch()
    assert len(dirty(repository, names)) == 1_100


def test_a_repository_inside_answers_for_its_own_files(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.py").write_text("1\n")
    git(other, "init", "-q")
    commit(other)
    git(repository, "submodule", "--quiet", "add", str(other), "sub")
    commit(repository)
    assert dirty(repository, ("sub/x.py", "app/a.py")) == ()
    (repository / "sub/x.py").write_text("2\n")
    assert dirty(repository, ("sub/x.py", "app/a.py")) == ("sub/x.py",)


def test_outside_of_a_work_tree_nothing_is_dirty(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    assert dirty(tmp_path, ("a.py",)) == ()


def test_without_git_nothing_is_dirty(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "app/a.py").write_text("2\n")
    monkeypatch.setenv("PATH", "")
    assert dirty(repository, NAMES) == ()
    with pytest.raises(SourceError, match="needs a git work tree"):
        changed_since(repository, "HEAD")


def test_a_git_that_cannot_tell_is_an_error(repository: Path) -> None:
    (repository / ".git/index").write_bytes(b"broken")
    with pytest.raises(SourceError, match="git cannot tell what is committed"):
        dirty(repository, NAMES)


def test_a_repository_that_git_does_not_know_is_an_error(repository: Path) -> None:
    (repository / ".git/HEAD").write_text("broken\n")
    with pytest.raises(SourceError, match=r"not a git repository.*--allow-dirty"):
        dirty(repository, NAMES)


def test_the_variables_of_a_hook_do_not_mislead(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nothing"))
    assert dirty(repository, NAMES) == ()
    assert changed_since(repository, "HEAD") == frozenset()


def test_what_changed_since_a_revision_is_committed_staged_changed_or_new(
    repository: Path,
) -> None:
    git(repository, "tag", "-a", "v1", "-m", "v1")
    (repository / "app/a.py").write_text("2\n")
    commit(repository)
    (repository / "app/b.py").write_text("2\n")
    (repository / "app/new.py").touch()
    (repository / "app/ignored.py").touch()
    (repository / "app/c.py").unlink()
    assert changed_since(repository, "v1") == {"app/a.py", "app/b.py", "app/new.py"}
    assert changed_since(repository, "HEAD") == {"app/b.py", "app/new.py"}
    assert changed_since(repository / "app", "v1") == {"a.py", "b.py", "new.py"}


def test_a_change_in_the_moment_of_the_commit_is_one(repository: Path) -> None:
    git(repository, "config", "core.trustctime", "false")
    path = repository / "app/b.py"
    moment = (path.stat().st_mtime_ns - 10**10,) * 2
    os.utime(path, ns=moment)
    git(repository, "update-index", "--refresh")
    os.utime(repository / ".git/index", ns=moment)
    path.write_text("2\n")
    os.utime(path, ns=moment)
    assert "app/b.py" in changed_since(repository, "HEAD")


def test_what_others_did_meanwhile_is_no_change_of_this_branch(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "mine")
    (repository / "app/a.py").write_text("2\n")
    commit(repository)
    git(repository, "checkout", "-q", "main")
    (repository / "app/b.py").write_text("2\n")
    commit(repository)
    git(repository, "checkout", "-q", "mine")
    assert changed_since(repository, "main") == {"app/a.py"}


def test_a_revision_without_common_history_is_compared_itself(repository: Path) -> None:
    git(repository, "checkout", "-q", "--orphan", "other")
    (repository / "app/a.py").write_text("2\n")
    commit(repository)
    assert changed_since(repository, "main") == {"app/a.py"}


@pytest.mark.parametrize(
    "revision", ["nowhere", "--help", "-q", "HEAD:app", "HEAD..HEAD", "", "\n"]
)
def test_a_bad_revision_is_an_error(repository: Path, revision: str) -> None:
    with pytest.raises(SourceError, match="is no revision that git knows here") as caught:
        changed_since(repository, revision)
    assert caught.value.path == revision


def test_a_revision_outside_of_a_work_tree_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="needs a git work tree"):
        changed_since(tmp_path, "HEAD")


def test_asking_writes_nothing(repository: Path) -> None:
    (repository / "app/a.py").write_text("1\n")
    before = (repository / ".git/index").stat().st_mtime_ns
    dirty(repository, NAMES)
    changed_since(repository, "HEAD")
    assert (repository / ".git/index").stat().st_mtime_ns == before
