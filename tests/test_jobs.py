"""Several processes find what one finds, and end when they are told to."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from capsule_lint import fixing, lint, quiet
from capsule_lint.cache import facts
from capsule_lint.plan.interest import searching
from capsule_lint.workers import Fork, fork_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.project import Project

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")


def program(project: Project) -> Project:
    """A helper that lacks a scope, and its callers in several files."""
    files = {
        "keys.py": """
            def order_pk(tenant_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDER#{order_id}"
            """
    }
    for number in range(5):
        files[f"caller_{number}.py"] = f"""
            from keys import order_pk


            def show_{number}(tenant_id: str, capsule_id: str) -> str:
                return order_pk(tenant_id, "{number}")
            """
    return project.write(files)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The least work is worth a process."""
    for module in (facts, lint, fixing, quiet, searching):
        monkeypatch.setattr(module, "_WORTH", 1)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("jobs", ["2", "3", "7"])
def test_results_do_not_depend_on_processes(project: Project, jobs: str) -> None:
    program(project)
    for options in ((), ("--ledger",), ("--diff",)):
        serial = project.check("--no-cache", "-j1", *options)
        assert project.check("--no-cache", "-j", jobs, *options) == serial
    before = project.tree()
    project.run("--fix", "-j1")
    serial_tree = project.tree()
    project.write(before)
    project.run("--fix", "-j", jobs)
    assert project.tree() == serial_tree != before


def test_results_come_in_the_order_of_items() -> None:
    items = list(range(50))
    weights = [n % 7 for n in items]
    assert fork_map(lambda n: n * n, items, weights, 4, 1) == [n * n for n in items]


def test_small_work_stays_here() -> None:
    assert set(fork_map(lambda _: os.getpid(), [1, 2], [1, 1], 4, 100)) == {os.getpid()}


def test_what_a_process_raises_is_raised_here() -> None:
    def fail(number: int) -> int:
        if number == 9:
            raise ValueError("nine")
        return number

    with pytest.raises(ValueError, match="nine"):
        fork_map(fail, list(range(10)), [1] * 10, 2, 1)


def _not_needed() -> float:
    raise AssertionError


def test_a_fork_answers_in_turn_what_it_is_asked() -> None:
    def prepare() -> Callable[[int], float]:
        seen: list[int] = []

        def answer(number: int) -> float:
            seen.append(number)
            return sum(seen) / number

        return answer

    fork = Fork(prepare)
    try:
        fork.ask(2)
        fork.ask(0)
        fork.ask(4)
        assert fork.answer(_not_needed) == 1
        with pytest.raises(ZeroDivisionError):
            fork.answer(_not_needed)
        assert fork.answer(_not_needed) == 1.5
    finally:
        fork.end()


def test_what_a_fork_that_is_killed_would_say_is_found_here() -> None:
    def prepare() -> Callable[[int], str]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    fork = Fork(prepare)
    fork.ask(1)
    assert fork.answer(lambda: "here") == "here"
    fork.end()


def test_the_work_of_a_process_that_is_killed_is_done_here() -> None:
    this = os.getpid()

    def work(number: int) -> int:
        if os.getpid() != this and number > 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number

    assert fork_map(work, range(10), [1] * 10, 2, 1) == [n * n for n in range(10)]


def _descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_without_room_for_another_process_all_is_done_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", full)
    before = _descriptors()
    assert fork_map(lambda _: os.getpid(), range(4), [1] * 4, 2, 1) == [os.getpid()] * 4
    assert _descriptors() == before


def test_an_interrupt_ends_all_processes() -> None:
    script = (
        "import signal, time\nfrom capsule_lint.workers import fork_map\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # background jobs ignore it
        "print('started', flush=True)\n"
        "fork_map(lambda _: time.sleep(60), [1, 2], [1, 1], 2, 1)\n"
    )
    process = subprocess.Popen(
        (sys.executable, "-c", script),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=10)  # every process has closed the pipes
    assert process.returncode != 0
