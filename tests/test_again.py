"""The same command with nothing changed says the same without being loaded; whatever changes is noticed."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capsule_lint.cache import again, status
from capsule_lint.cli import main
from tests.project import Project
from tests.test_cache import BROKEN, CALLER, CORRECT, KEYS, edit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TICK = 0.02
"""Longer than the time within which two changes may get the same time stamp."""


@pytest.fixture(autouse=True)
def trusting() -> Iterator[None]:
    """A status is trusted at once: a test would have to wait otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(status, "_SETTLED", -60_000_000_000)
        yield


@pytest.fixture
def orders(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A program in git, checked until its report is kept."""
    files = {"app/keys.py": KEYS, "app/deep/er/show.py": CALLER, "capsule-lint.toml": ""}
    files |= {".gitignore": "build/\n", "build/keys.py": KEYS}
    project = Project(tmp_path_factory.mktemp("again")).write(files).commit()
    _remember(project)
    return project


def _remember(project: Project) -> None:
    time.sleep(_TICK)
    for _ in range(3):  # the first makes the directory of the state, which counts as well
        project.run()


def _is_known(project: Project) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("capsule_lint.cli._run", lambda _given: 77)
        return project.run().status != 77


def test_nothing_is_loaded_to_say_the_same_again(orders: Project) -> None:
    script = (
        "import sys\nfrom capsule_lint.cli import main\n"
        "try:\n    main([])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'click', 'libcst', 'subprocess', 'tomli'} & set(sys.modules)))"
    )
    wait = f"from capsule_lint.cache import status\nstatus._SETTLED = -{10**12}\n"
    command = (sys.executable, "-c", wait + script)
    outs = [
        subprocess.run(command, cwd=orders.root, check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert outs[1].splitlines()[-1] == "[]"
    assert outs[0].splitlines()[:-1] == outs[1].splitlines()[:-1] == orders.run().out.splitlines()


def test_what_is_young_is_not_trusted(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_SETTLED", 2_000_000_000)
    orders.write({"app/more.py": KEYS})
    _remember(orders)
    assert not _is_known(orders)


def _git_exclude(project: Project) -> None:
    project.write({".git/info/exclude": "show.py\n"})


CHANGES: dict[str, Callable[[Project], object]] = {
    "a file": lambda p: p.write({"app/keys.py": CORRECT}),
    "a file of the same size": lambda p: p.write(
        {"app/keys.py": KEYS.replace("#ORDER#", "#OTHER#")}
    ),
    "a new file": lambda p: p.write({"app/deep/more.py": KEYS}),
    "a new directory": lambda p: p.write({"new/more.py": KEYS}),
    "a file that is gone": lambda p: (p.root / "app/keys.py").unlink(),
    "a file that is renamed": lambda p: (p.root / "app/keys.py").rename(p.root / "app/key.py"),
    "the policy": lambda p: p.policy('exclude = ["app/keys.py"]\n'),
    "a nearer policy": lambda p: (p.root / "capsule-lint.toml").rename(p.root / "pyproject.toml"),
    "what git ignores": lambda p: p.write({".gitignore": "keys.py\n"}),
    "what git ignores below": lambda p: p.write({"app/.gitignore": "keys.py\n"}),
    "what git excludes": _git_exclude,
    "what git tracks": lambda p: p.git("add", "-f", "build/keys.py"),
    "no repository": lambda p: (p.root / ".git").rename(p.root / "git"),
    "a link": lambda p: (p.root / "app/link.py").symlink_to("keys.py"),
    "a link to a directory": lambda p: (p.root / "linked").symlink_to("build"),
    "an interrupted run": lambda p: p.write({".capsule-lint/journal": "?"}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_noticed(orders: Project, change: Callable[[Project], object]) -> None:
    assert _is_known(orders)
    time.sleep(_TICK)
    change(orders)
    assert not _is_known(orders)
    if not (orders.root / ".capsule-lint/journal").exists():
        assert orders.run() == orders.run("--no-cache")


@pytest.mark.parametrize("name", ["HOME", "NO_COLOR", "GIT_CONFIG_GLOBAL"])
def test_another_environment_is_asked_anew(
    orders: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(orders.root))
    assert not _is_known(orders)


def test_another_version_says_its_own(orders: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "__version__", "0")
    assert not _is_known(orders)


@pytest.mark.parametrize("arguments", [["app"], ["--cache-dir", "kept"], ["--fix"], ["--verbose"]])
def test_some_commands_are_not_kept(orders: Project, arguments: list[str]) -> None:
    for _ in range(3):
        orders.run(*arguments)
    assert again.answer(arguments) is None


def test_links_among_the_files_are_looked_up(orders: Project) -> None:
    (orders.root / "app/link.py").symlink_to("../build/keys.py")
    _remember(orders)
    assert not _is_known(orders)


def test_outside_of_git_nothing_is_kept(orders: Project) -> None:
    (orders.root / ".git").rename(orders.root / "git")
    _remember(orders)
    assert not _is_known(orders)


def test_a_reader_that_left_is_no_error(orders: Project) -> None:
    command = f"{sys.executable} -m capsule_lint | true"
    done = subprocess.run(
        command, shell=True, cwd=orders.root, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


def test_a_folder_that_is_gone_is_no_crash(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path_factory.mktemp("gone")
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2


_NAMES = ("app/keys.py", "app/deep/er/show.py", "build/keys.py", "new/one.py")
_steps = st.lists(
    st.one_of(
        st.tuples(
            st.just("write"),
            st.sampled_from(_NAMES),
            st.sampled_from((KEYS, CALLER, CORRECT, BROKEN)),
        ),
        st.tuples(st.just("delete"), st.sampled_from(_NAMES), st.just("")),
        st.tuples(st.just("rename"), st.sampled_from(_NAMES), st.sampled_from(_NAMES)),
        st.tuples(st.just("ignore"), st.sampled_from(("", "app/")), st.sampled_from(_NAMES)),
        st.tuples(st.just("track"), st.sampled_from(_NAMES), st.just("")),
    ),
    max_size=5,
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=_steps)
def test_what_is_known_is_what_is_found(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, str]]
) -> None:
    files = {"app/keys.py": KEYS, ".gitignore": "build/\n", "capsule-lint.toml": ""}
    project = Project(tmp_path_factory.mktemp("steps")).write(files).commit()
    _remember(project)
    for kind, name, value in steps:
        edit(project, kind, name, value)
        match kind:
            case "ignore":
                project.write({f"{name}.gitignore": value.rpartition("/")[2] + "\n"})
            case "track" if (project.root / name).exists():
                project.git("add", "-f", name)
        time.sleep(_TICK)
        found = project.run("--no-cache")
        assert project.run() == project.run() == found
