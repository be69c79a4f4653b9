"""Runs a check in one process, and says how long each of its stages takes, without those inside of it, and
how much memory the process holds after it; a script for the environment that the tool is installed in."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

STAGES: Final = (
    ("files are read", "capsule_lint.analysis", "Workspace.load"),
    ("files are searched for words", "capsule_lint.analysis", "Interest.seeds"),
    ("facts are found, or decoded", "capsule_lint.cache.facts", "Builder.build"),
    ("facts are linked to a program", "capsule_lint.analysis", "link_names"),
    ("facts are linked to a program", "capsule_lint.analysis", "link_program"),
    ("the program is judged", "capsule_lint.analysis", "planned"),
    ("the program is judged", "capsule_lint.analysis", "judge"),
    ("files are searched for names", "capsule_lint.analysis", "Interest.leading"),
    ("files are searched for names", "capsule_lint.analysis", "Interest.holding"),
    ("computed look-ups are followed", "capsule_lint.quiet", "Quiet._linked"),
    ("computed look-ups are followed", "capsule_lint.quiet", "Quiet._found"),
    ("rules flag, of what may be one", "capsule_lint.checker", "Checker.findings"),
    ("what was found is kept", "capsule_lint.cli.run", "_Run.keep"),
)
"""What is measured: its name, a module, and what in it does the work."""
START: Final = "modules are loaded"
REST: Final = "all else"


class Clock:
    """Tells apart what each stage takes by itself."""

    def __init__(self) -> None:
        self.took = dict.fromkeys((START, *(label for label, _, _ in STAGES), REST), 0.0)
        self.memory = dict.fromkeys(self.took, 0.0)
        self._stages = [REST]
        self._since = 0.0  # of the process: what came before belongs to the start

    def enter(self, label: str) -> None:
        """From here on, time belongs to a stage."""
        self._count()
        self._stages.append(label)

    def leave(self) -> None:
        """The stage that was entered last is over."""
        self._count()
        self._stages.pop()

    def _count(self) -> None:
        now = time.process_time()
        label = self._stages[-1]
        self.took[label] += now - self._since
        self.memory[label] = _memory()
        self._since = time.process_time()

    def around(self, label: str, function: Callable[P, R]) -> Callable[P, R]:
        """The function, as a stage."""

        @wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            self.enter(label)
            try:
                return function(*args, **kwargs)
            finally:
                self.leave()

        return timed


def _memory() -> float:
    """What the process holds, in MiB."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # the least to load
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(options: list[str]) -> None:
    """Print what each stage took: name, seconds of processor time, MiB."""
    gc.disable()  # as the command does
    clock = Clock()
    clock.enter(START)
    from capsule_lint import cli

    importlib.import_module("capsule_lint.cli.run")  # loads what a check loads
    clock.leave()
    for label, module, name in STAGES:
        owner: object = importlib.import_module(module)
        *path, last = name.split(".")
        for part in path:
            owner = getattr(owner, part)
        setattr(owner, last, clock.around(label, getattr(owner, last)))
    try:
        cli.main(options)
    except SystemExit:
        clock.enter(REST)
    print(json.dumps([(label, clock.took[label], clock.memory[label]) for label in clock.took]))


if __name__ == "__main__":
    main(sys.argv[1:])
