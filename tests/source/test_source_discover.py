"""Which files are the program, in git and without it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from capsule_lint.errors import SourceError
from capsule_lint.policy import Policy
from capsule_lint.source import Discovery, discover, limit


def git(where: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=n", "-c", "user.email=e@e", "-c", "protocol.file.allow=always")
    subprocess.run(("git", *settings, *arguments), cwd=where, capture_output=True, check=True)


def plant(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A directory outside of git."""
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture(params=["git", "no git"])
def root(request: pytest.FixtureRequest, bare: Path) -> Path:
    """A directory, with git and without it: what follows holds for both."""
    if request.param == "git":
        git(bare, "init", "-q")
    return bare


def found(root: Path, *src: str, exclude: tuple[str, ...] = ()) -> tuple[str, ...]:
    return discover(Policy(root, src=src or (".",), exclude=exclude)).files


# --- discover ---


def test_python_files_are_found_sorted(root: Path) -> None:
    plant(root, "b.py", "a/z.pyi", "a/a.py", "a/a.txt", "a/a.pyc", "a/py", ".hidden/x.py")
    assert found(root) == (".hidden/x.py", "a/a.py", "a/z.pyi", "b.py")


def test_a_tree_without_files_is_an_empty_program(root: Path) -> None:
    assert discover(Policy(root)) == Discovery(())


def test_gitignore_is_respected(root: Path) -> None:
    plant(root, "a.py", "gen/x.py", "app/b.py", "app/gen/y.py", "app/keep/gen/z.py", "app/t_1.py")
    (root / ".gitignore").write_bytes(b"\xef\xbb\xbf/gen/\r\n# no.py\r\n\r\nt_*.py\r\n")
    (root / "app/.gitignore").write_bytes(b"gen\n!keep/gen\n!t_1.py\n")
    assert found(root) == ("a.py", "app/b.py", "app/keep/gen/z.py", "app/t_1.py")


RULES = (
    ("*", "!*/", "!*.py"),
    ("*", "!**/", "!a.py"),
    ("*", "!a.py"),
    ("/*", "!/app"),
    ("/*", "!/app/", "/app/*", "!/app/sub/"),
    ("app/**/x.py",),
    ("**/sub",),
    ("sub/**",),
    ("**/sub/**",),
    ("app/*.py", "!app/a.py"),
    ("*.py", "!app/sub/*.py"),
    ("app/", "!app/a.py"),
    ("app/", "!app/"),
    ("app/*.py", "!app/"),
    ("[ax].py",),
    ("[!a].py",),
    ("[^a].py", "!b.py"),
    ("[]a-].py",),
    ("[[:alpha:]].py",),
    ("[[:alpha:][:digit:]].py",),
    ("[[:what:]].py",),
    ("[\\]x].py",),
    ("[x-a].py",),
    ("[!x-a].py",),
    ("[a-",),
    ("[a.py",),
    ("app[/]a.py",),
    ("\\!b.py", "x.py "),
    ("x.py\\ ",),
    ("\\x.py",),
    ("x.py\\",),
    ("\\#.py",),
    ("#.py", ""),
    ("!", "/", "//", "x.py"),
    ("app//a.py",),
    ("./a.py",),
    ("**",),
    ("**/",),
    ("/**",),
    ("**/**/x.py",),
    ("***/x.py",),
    ("app/sub/", "!app/sub/x.py"),
    ("app/sub/*", "!app/sub/x.py"),
    ("a?py", "  b.py"),
    ("a*y", "*b*p*y", "*x*x*"),
    ("sub\t",),
    ("SUB", "A.py"),
)


def test_without_git_the_rules_mean_what_they_mean_to_git(bare: Path) -> None:
    names = ("a.py", "b.py", "!b.py", "#.py", "].py", "-.py", "app/a.py", "app/b.py", "app/x.py")
    deeper = ("app/sub/x.py", "app/sub/deep/x.py", "sub/x.py", "x.py", "sub/a.py", "x.py ")
    plant(bare, *names, *deeper)
    for number, rules in enumerate(RULES):
        case = shutil.copytree(bare, bare.parent / str(number))
        (case / ".gitignore").write_text("\n".join(rules))
    alone = [found(bare.parent / str(number)) for number in range(len(RULES))]
    for number, rules in enumerate(RULES):
        git(bare.parent / str(number), "init", "-q", "--template=")
        assert alone[number] == found(bare.parent / str(number)), rules


def test_no_pattern_takes_long(bare: Path) -> None:
    plant(bare, "a" * 200 + ".py", *("/".join("a" * n) + "/a.py" for n in range(1, 40)))
    rules = ("*a" * 40 + "b", "**/a/" * 40 + "b", "*?" * 40 + "b", "[a]*" * 40 + "b")
    (bare / ".gitignore").write_text("\n".join(rules))
    assert len(found(bare)) == 40


def test_exclude_takes_files_out(root: Path) -> None:
    plant(root, "a.py", "generated/x.py", "app/generated/y.py", "app/b.py")
    assert found(root, exclude=("generated", "app/generated/**", "app/b.py")) == ("a.py",)


def test_src_limits_and_may_overlap(root: Path) -> None:
    plant(root, "a.py", "app/b.py", "app/sub/c.py", "app2/d.py", "tests/t.py", "one.py")
    assert found(root, "app", "./app/sub/", "tests") == ("app/b.py", "app/sub/c.py", "tests/t.py")
    assert found(root, "one.py", "app/../tests") == ("one.py", "tests/t.py")
    assert found(root, str(root / "app/sub")) == ("app/sub/c.py",)
    assert found(root, "app", ".") == found(root)


def test_src_that_is_ignored_is_ignored(root: Path) -> None:
    plant(root, "a.py", "gen/b.py", "gen/sub/c.py", "one.py")
    (root / ".gitignore").write_text("gen/\n/one.py\n")
    assert found(root, "a.py", "gen", "gen/sub", "one.py") == ("a.py",)
    assert found(root, "a.py", "gen/sub", "one.py", "a.py") == ("a.py",)


def test_src_that_does_not_exist_is_an_error_if_a_policy_names_it(root: Path) -> None:
    plant(root, "app/a.py")
    policy = Policy(root, root / "pyproject.toml", src=("app", "test"))
    with pytest.raises(SourceError, match=r"test: does not exist: `src` in pyproject.toml"):
        discover(policy)
    assert found(root, "app", "test") == ("app/a.py",)


@pytest.mark.parametrize("entry", ["..", "../other", "/", "app/../..", "a\0b"])
def test_src_that_leads_out_of_the_root_is_an_error(root: Path, entry: str) -> None:
    with pytest.raises(SourceError, match="leads out of the project"):
        found(root, entry)


def test_directories_that_hold_no_program_are_skipped(root: Path) -> None:
    plant(root, "a.py", ".venv/x.py", "venv/x.py", "node_modules/p/x.py", "app/__pycache__/x.py")
    plant(root, ".tox/x.py", ".capsule-lint/x.py", "lib/site-packages/x.py", "app/venv.py")
    plant(root, "my-env/pyvenv.cfg", "my-env/lib/x.py", "my-env2/x.py")
    assert found(root) == ("a.py", "app/venv.py", "my-env2/x.py")


def test_what_git_tracks_is_the_program_wherever_it_lies(bare: Path) -> None:
    plant(bare, "venv/a.py", "build/b.py", "gone.py", "ignored.py")
    (bare / ".gitignore").write_text("ignored.py\n")
    git(bare, "init", "-q")
    git(bare, "add", "-f", ".")
    (bare / "gone.py").unlink()
    assert found(bare) == ("build/b.py", "ignored.py", "venv/a.py")


def test_build_directories_are_skipped_at_the_root_without_git(bare: Path) -> None:
    plant(bare, "build/lib/a.py", "dist/a.py", "app/build/a.py")
    assert found(bare) == ("app/build/a.py",)
    assert found(bare, "build") == ("build/lib/a.py",)


def test_notebooks_are_noted_once(root: Path) -> None:
    plant(root, "a.py", "b.ipynb", "n/a.ipynb", "x/c.ipynb")
    policy = Policy(root, exclude=("x",))
    discovery = discover(policy)
    assert discovery.files == ("a.py",)
    assert discovery.notes == ("2 notebooks skipped: they are not checked (b.ipynb)",)


def test_a_root_below_the_top_of_the_repository_is_searched_alone(bare: Path) -> None:
    plant(bare, "a.py", "sub/b.py", "sub/gen/c.py", "sub/d_gen.py")
    (bare / ".gitignore").write_text("gen/\n")
    (bare / "sub/.gitignore").write_text("d_gen.py\n")
    git(bare, "init", "-q")
    assert found(bare / "sub") == ("b.py",)


def test_a_root_that_is_ignored_is_searched_all_the_same(bare: Path) -> None:
    plant(bare, "tmp/project/a.py", "tmp/project/gen/b.py")
    (bare / ".gitignore").write_text("tmp/\n")
    (bare / "tmp/project/.gitignore").write_text("gen\n")
    git(bare, "init", "-q")
    assert found(bare / "tmp/project") == ("a.py",)


def test_without_a_git_program_the_rules_of_the_whole_repository_hold(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(bare, "sub/b.py", "sub/gen/c.py", "sub/secret.py")
    (bare / ".gitignore").write_text("gen/\n")
    git(bare, "init", "-q")
    (bare / ".git/info/exclude").write_text("secret.py\n")
    monkeypatch.setenv("PATH", "")
    assert found(bare / "sub") == ("b.py",)


def test_when_git_refuses_the_tree_is_walked(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(bare, "a.py", "gen/b.py")
    (bare / ".gitignore").write_text("gen\n")
    git(bare, "init", "-q")
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    refused = subprocess.run(("git", "status"), cwd=bare, capture_output=True, check=False)
    if refused.returncode != 128:
        pytest.skip("this git cannot be made to refuse")
    assert found(bare) == ("a.py",)


def test_the_variables_of_a_hook_do_not_mislead(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(bare, "sub/a.py", "gen.py")
    (bare / ".gitignore").write_text("/gen.py\n")
    git(bare, "init", "-q")
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/other")
    assert found(bare) == ("sub/a.py",)
    assert found(bare / "sub") == ("a.py",)


def test_repositories_inside_belong_to_the_program(root: Path, tmp_path: Path) -> None:
    other = plant(tmp_path / "other", "x.py", "gen/y.py")
    (other / ".gitignore").write_text("gen\n")
    git(other, "init", "-q")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "m")
    plant(root, "a.py")
    git(root, "clone", "-q", str(other), "cloned")
    if (root / ".git").exists():
        git(root, "submodule", "add", str(other), "sub")
    else:
        git(root, "clone", "-q", str(other), "sub")
    plant(root, "sub/gen/y.py", "sub/new.py")
    everything = ("a.py", "cloned/x.py", "sub/new.py", "sub/x.py")
    assert found(root) == everything
    assert found(root, "sub") == everything[2:]
    assert found(root, "sub/new.py", "a.py") == ("a.py", "sub/new.py")


def test_rules_do_not_reach_into_a_repository_inside(root: Path) -> None:
    plant(root, "a.py", "gen.py", "inside/gen.py", "inside/deep/gen.py", "inside/own.py")
    (root / ".gitignore").write_text("gen.py\n")
    git(root / "inside", "init", "-q")
    (root / "inside/.git/info").mkdir(exist_ok=True)
    (root / "inside/.git/info/exclude").write_text("own.py\n")
    assert found(root) == ("a.py", "inside/deep/gen.py", "inside/gen.py")
    assert found(root, "inside/deep") == ("inside/deep/gen.py",)


def test_a_submodule_that_was_not_fetched_is_empty(bare: Path, tmp_path: Path) -> None:
    other = plant(tmp_path / "other", "x.py")
    git(other, "init", "-q")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "m")
    git(bare, "init", "-q")
    git(bare, "submodule", "add", str(other), "sub")
    git(bare, "commit", "-q", "-m", "m")
    git(bare, "submodule", "deinit", "-f", "sub")
    plant(bare, "a.py")
    assert found(bare) == ("a.py",)


def test_a_second_working_tree_is_no_second_program(bare: Path) -> None:
    plant(bare, "a.py")
    git(bare, "init", "-q")
    git(bare, "add", ".")
    git(bare, "commit", "-q", "-m", "m")
    git(bare, "worktree", "add", "-q", "trees/other")
    discovery = discover(Policy(bare))
    assert discovery.files == ("a.py",)
    assert discovery.notes == ("1 other working tree of a repository skipped (trees/other)",)
    assert found(bare / "trees/other") == ("a.py",)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have names of text")
def test_strange_names_are_found(root: Path) -> None:
    names = [os.fsdecode(n) for n in (b"caf\xe9.py", b"a\nb.py", b"d\xff\n/'\" $.py", b"-x.py")]
    plant(root, *names)
    assert found(root) == tuple(sorted(names))


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read all")
def test_a_directory_that_cannot_be_read_is_noted(bare: Path) -> None:
    plant(bare, "a.py", "secret/b.py")
    (bare / "secret").chmod(0)
    try:
        discovery = discover(Policy(bare))
    finally:
        (bare / "secret").chmod(0o755)
    assert discovery.files == ("a.py",)
    assert discovery.notes == ("1 directory not searched: it cannot be read (secret)",)


# --- links ---


def test_a_file_with_several_names_is_found_by_its_own(root: Path) -> None:
    plant(root, "m.py", "app/n.py", "only.txt")
    (root / "a.py").symlink_to("m.py")
    (root / "z.py").symlink_to("app/n.py")
    (root / "b.py").symlink_to("only.txt")
    (root / "c.py").symlink_to("b.py")
    (root / "gone.py").symlink_to("nowhere.py")
    (root / "self.py").symlink_to("self.py")
    assert found(root) == ("app/n.py", "b.py", "m.py")


def test_loops_of_links_end(root: Path) -> None:
    plant(root, "a.py", "app/b.py")
    (root / "app/up").symlink_to("..")
    (root / "app/here").symlink_to(".")
    (root / "x").symlink_to("y")
    (root / "y").symlink_to("x")
    (root / "self").symlink_to(root)
    assert found(root) == ("a.py", "app/b.py")
    assert found(root, "app") == ("app/b.py",)


def test_a_link_out_of_the_root_is_not_followed(root: Path, tmp_path: Path) -> None:
    plant(tmp_path / "outside", "x.py")
    plant(root, "a.py")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "up").symlink_to(tmp_path)
    discovery = discover(Policy(root))
    assert discovery.files == ("a.py",)
    assert discovery.notes == ("2 links to directories outside of the project not followed (out)",)


def test_a_link_to_a_directory_of_the_root_is_followed_if_that_is_no_source(root: Path) -> None:
    plant(root, "libs/shared/x.py", "libs/shared/sub/y.py", "libs/other.py", "app/a.py")
    plant(root, "libs/shared/gen/z.py", ".venv/v.py")
    (root / "libs/.gitignore").write_text("gen\n")
    (root / "app/shared").symlink_to("../libs/shared")
    (root / "app/again").symlink_to("../libs/shared")
    (root / "app/venv").symlink_to("../.venv")
    (root / "libs/shared/sub/loop").symlink_to("../../../app")
    assert found(root, "app") == ("app/a.py", "app/again/sub/y.py", "app/again/x.py")
    assert "libs/shared/x.py" in found(root)
    assert not any("again" in name for name in found(root))


def test_a_source_that_is_a_link_is_searched_in_the_root_only(root: Path, tmp_path: Path) -> None:
    plant(root, "libs/shared/x.py", "libs/shared/sub/y.py", "app/a.py")
    plant(tmp_path / "outside", "x.py")
    (root / "link").symlink_to("libs")
    (root / "out").symlink_to(tmp_path / "outside")
    assert found(root, "link") == ("link/shared/sub/y.py", "link/shared/x.py")
    assert found(root, "link/shared/sub", "app") == ("app/a.py", "link/shared/sub/y.py")
    assert found(root, "link/shared/x.py", "libs/shared/sub") == (
        "libs/shared/sub/y.py",
        "link/shared/x.py",
    )
    assert found(root, "link", "libs") == ("libs/shared/sub/y.py", "libs/shared/x.py")
    with pytest.raises(SourceError, match="out: leads out of the project"):
        found(root, "app", "out")


def test_a_root_that_is_a_link_is_searched(root: Path, tmp_path: Path) -> None:
    plant(root, "app/a.py")
    (tmp_path / "link").symlink_to(root)
    assert found(tmp_path / "link", "app") == ("app/a.py",)


# --- limit ---


@pytest.fixture
def project(root: Path, monkeypatch: pytest.MonkeyPatch) -> Policy:
    plant(root, "app/a.py", "app/sub/b.py", "app2/c.py", "tests/t.py", "gen/g.py")
    plant(root, "script", "n.ipynb", "empty/x.txt")
    (root / "app/link.py").symlink_to("a.py")
    monkeypatch.chdir(root)
    return Policy(root, root / "pyproject.toml", src=("app", "app2", "tests"), exclude=("gen",))


def meant(policy: Policy, *paths: str | Path, force_exclude: bool = False) -> set[str]:
    paths_ = [Path(path) for path in paths]
    return set(limit(policy, paths_, discover(policy), force_exclude=force_exclude))


def test_no_paths_mean_all(project: Policy) -> None:
    assert meant(project) == {"app/a.py", "app/sub/b.py", "app2/c.py", "tests/t.py"}


def test_directories_mean_what_was_discovered_in_them(project: Policy) -> None:
    assert meant(project, "app") == {"app/a.py", "app/sub/b.py"}
    assert meant(project, "app/sub", "tests/") == {"app/sub/b.py", "tests/t.py"}
    assert meant(project, project.root / "app2", "empty", "gen") == {"app2/c.py"}
    assert meant(project, ".") == meant(project, "app/..") == meant(project)


def test_the_directory_that_holds_the_root_means_all(project: Policy) -> None:
    assert meant(project, "..") == meant(project)


def test_paths_are_relative_to_the_working_directory(
    project: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("app/sub")
    assert meant(project, ".") == meant(project, "b.py") == {"app/sub/b.py"}
    assert meant(project, "../../tests") == {"tests/t.py"}


def test_files_are_meant_even_if_they_were_not_discovered(project: Policy) -> None:
    assert meant(project, "app/a.py", "script") == {"app/a.py", "script"}
    assert meant(project, "gen/g.py") == {"gen/g.py"}


def test_excluded_files_are_not_meant_if_that_is_forced(project: Policy) -> None:
    assert meant(project, "gen/g.py", "app/a.py", force_exclude=True) == {"app/a.py"}
    assert meant(project, "script", force_exclude=True) == {"script"}


def test_a_link_means_the_file_that_was_discovered(project: Policy, tmp_path: Path) -> None:
    assert meant(project, "app/link.py") == {"app/a.py"}
    (tmp_path / "elsewhere").symlink_to(project.root)
    assert meant(project, tmp_path / "elsewhere/app/sub") == {"app/sub/b.py"}
    assert meant(project, tmp_path / "elsewhere/app/a.py") == {"app/a.py"}
    (project.root / "folder").symlink_to("app")
    assert meant(project, "folder") == {"app/a.py", "app/sub/b.py"}
    assert meant(project, "folder/a.py") == {"app/a.py"}


def test_the_file_behind_a_discovered_link_means_that_link(project: Policy) -> None:
    plant(project.root, "other/o.txt")
    (project.root / "app/o.py").symlink_to("../other/o.txt")
    assert meant(project, "other/o.txt") == {"app/o.py"}


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("nowhere.py", "nowhere.py: does not exist"),
        ("app/a.py/x", "does not exist"),
        ("nu\0l", "does not exist"),
        ("n.ipynb", "is a notebook"),
        ("/dev/null", "lies outside of the project"),
    ],
)
def test_a_path_that_cannot_be_meant_is_an_error(project: Policy, path: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem) as caught:
        meant(project, "app", path)
    assert caught.value.path == path


def test_a_path_outside_of_the_root_is_an_error(project: Policy, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="lies outside of the project"):
        meant(project, plant(tmp_path / "other", "x.py") / "x.py")
    with pytest.raises(SourceError, match="lies outside of the project"):
        meant(project, tmp_path / "other")


def test_a_pipe_is_an_error(project: Policy) -> None:
    os.mkfifo(project.root / "pipe")
    with pytest.raises(SourceError, match="is not a regular file"):
        meant(project, "pipe")
