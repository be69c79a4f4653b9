"""Work on several processors: forks of this process, which know all that it knows."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Q = TypeVar("Q")
T = TypeVar("T")
R = TypeVar("R")


def can_fork() -> bool:
    """Whether there are forks on this system."""
    return hasattr(os, "fork")


class Fork(Generic[Q, R]):
    """A fork of this process that works while this one goes on. It may wait for one question on the way,
    and gives one answer. Questions and answers are pickled."""

    def __init__(self, work: Callable[[Callable[[], Q]], R]) -> None:
        """`work` is run in the fork; what it is given waits for the question."""
        asked, self._asking = os.pipe()
        self._answered, answering = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            try:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.close(self._asking)
                os.close(self._answered)
                with os.fdopen(answering, "wb") as file:
                    file.write(_answer(lambda: work(partial(self._question, asked))))
            finally:
                os._exit(0)  # neither the parent's clean-up nor its buffers are this process's own
        os.close(asked)
        os.close(answering)

    def ask(self, question: Q) -> None:
        """Tell it what it waits for."""
        with contextlib.suppress(BrokenPipeError), os.fdopen(os.dup(self._asking), "wb") as file:
            file.write(pickle.dumps(question))
        self._close()

    def answer(self) -> R:
        """Wait for what its work gives; what that raises is raised here."""
        with os.fdopen(os.dup(self._answered), "rb") as file:
            data = file.read()
        if not data:
            raise ChildProcessError(f"process {self._pid} ended before its work was done")
        error, found = pickle.loads(data)
        if error is not None:
            raise error
        result: R = found
        return result

    def end(self) -> None:
        """End it, whether it is done or not."""
        self._close()
        os.close(self._answered)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _question(self, pipe: int) -> Q:
        with os.fdopen(pipe, "rb") as file:
            question: Q = pickle.loads(file.read())
        return question

    def _close(self) -> None:
        if self._asking >= 0:
            os.close(self._asking)
            self._asking = -1


def _answer(work: Callable[[], R]) -> bytes:
    try:
        return pickle.dumps((None, work()))
    except Exception as error:
        return pickle.dumps((error, None))


def fork_map(
    function: Callable[[T], R], items: Sequence[T], weights: Sequence[int], jobs: int, worth: int
) -> list[R]:
    """What `function` gives for each item, in their order: `map`, on up to `jobs` processors.

    Forks only where the sum of `weights` reaches `worth` for each process. What a process raises is
    raised here; an interrupt ends all of them.
    """
    count = min(jobs, len(items), sum(weights) // max(worth, 1))
    if count < 2 or not can_fork():
        return [function(item) for item in items]

    def done(share: Sequence[int], _: object = None) -> list[tuple[int, R]]:
        return [(number, function(items[number])) for number in share]

    own, *others = _shares(weights, count)
    forks: list[Fork[None, list[tuple[int, R]]]] = []
    try:
        forks.extend(Fork(partial(done, share)) for share in others)
        found = dict(done(own))
        for fork in forks:
            found.update(fork.answer())
    finally:
        for fork in forks:
            fork.end()
    return [found[number] for number in range(len(items))]


def _shares(weights: Sequence[int], count: int) -> list[list[int]]:
    """The numbers of the items for each process: heaviest first, each to whoever has least."""
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for number in sorted(range(len(weights)), key=lambda n: (-weights[n], n)):
        least = loads.index(min(loads))
        shares[least].append(number)
        loads[least] += weights[number] + 1
    return shares
