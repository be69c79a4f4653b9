"""Work on several processors: forks of this process, which know all that it knows."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Q = TypeVar("Q")
T = TypeVar("T")
R = TypeVar("R")

_HEAD: Final = 8
"""How many bytes say how long a message is."""


def can_fork() -> bool:
    """Whether there are forks on this system."""
    return hasattr(os, "fork")


def forked(prepare: Callable[[], Callable[[Q], R]]) -> Fork[Q, R] | None:
    """A fork in which `prepare` is run, and what it gives answers; `None` where there are no forks, or the
    system has no room for one more."""
    if not can_fork():
        return None
    try:
        return Fork(prepare)
    except OSError:
        return None


class Fork(Generic[Q, R]):
    """A fork of this process that gets ready while this one goes on, and then answers questions in turn.
    Questions and answers are pickled."""

    def __init__(self, prepare: Callable[[], Callable[[Q], R]]) -> None:
        """`prepare` is run in the fork, and gives what answers. `OSError` says that there is none."""
        asked, asking = os.pipe()
        answered, answering = os.pipe()
        try:
            self._pid = os.fork()
        except OSError:
            for end in (asked, asking, answered, answering):
                os.close(end)
            raise
        if not self._pid:
            try:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                os.close(asking)
                os.close(answered)
                with os.fdopen(asked, "rb") as questions, os.fdopen(answering, "wb") as answers:
                    _serve(prepare, questions, answers)
            finally:
                os._exit(0)  # neither the parent's clean-up nor its buffers are this process's own
        os.close(asked)
        os.close(answering)
        self._questions, self._answers = os.fdopen(asking, "wb"), os.fdopen(answered, "rb")

    def ask(self, question: Q) -> None:
        """Put a question to it; the answers come in the order of the questions."""
        with contextlib.suppress(BrokenPipeError):  # that it has ended, the answer tells
            _write(self._questions, pickle.dumps(question))

    def answer(self, here: Callable[[], R]) -> R:
        """Wait for the next answer; what its work raises is raised here. If it was killed, which is no reason
        to stop, `here` gives the answer."""
        data = _read(self._answers)
        if data is None:
            return here()
        error, found = pickle.loads(data)
        if error is not None:
            raise error
        result: R = found
        return result

    def end(self) -> None:
        """End it, whether it is done or not."""
        with contextlib.suppress(BrokenPipeError):
            self._questions.close()
        self._answers.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _serve(
    prepare: Callable[[], Callable[[Q], R]], questions: BinaryIO, answers: BinaryIO
) -> None:
    """The life of a fork."""
    try:
        answer = prepare()
    except Exception as error:
        _write(answers, pickle.dumps((error, None)))
        return
    while (data := _read(questions)) is not None:
        try:
            said = pickle.dumps((None, answer(pickle.loads(data))))
        except Exception as error:
            said = pickle.dumps((error, None))
        _write(answers, said)


def _write(pipe: BinaryIO, data: bytes) -> None:
    pipe.write(len(data).to_bytes(_HEAD, "big") + data)
    pipe.flush()


def _read(pipe: BinaryIO) -> bytes | None:
    """The next message; `None` where the other end has been closed."""
    head = pipe.read(_HEAD)
    size = int.from_bytes(head, "big")
    data = pipe.read(size)
    return data if len(head) == _HEAD and len(data) == size else None


def fork_map(
    function: Callable[[T], R], items: Sequence[T], weights: Sequence[int], jobs: int, worth: int
) -> list[R]:
    """What `function` gives for each item, in their order: `map`, on up to `jobs` processors.

    Forks only where the sum of `weights` reaches `worth` for each process. What a process raises is
    raised here; an interrupt ends all of them.
    """
    count = min(jobs, len(items), sum(weights) // max(worth, 1))
    if count < 2:
        return [function(item) for item in items]

    def done(share: Sequence[int]) -> list[tuple[int, R]]:
        return [(number, function(items[number])) for number in share]

    own, *others = shares_of(weights, count)
    forks: list[Fork[Sequence[int], list[tuple[int, R]]] | None] = []
    try:
        for share in others:
            forks.append(fork := forked(lambda: done))
            if fork is not None:
                fork.ask(share)
        found = dict(done(own))
        for fork, share in zip(forks, others, strict=True):
            here = partial(done, share)
            found.update(here() if fork is None else fork.answer(here))
    finally:
        for fork in forks:
            if fork is not None:
                fork.end()
    return [found[number] for number in range(len(items))]


def shares_of(weights: Sequence[int], count: int) -> list[list[int]]:
    """The numbers of the items for each process: heaviest first, each to whoever has least."""
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for number in sorted(range(len(weights)), key=lambda n: (-weights[n], n)):
        least = loads.index(min(loads))
        shares[least].append(number)
        loads[least] += weights[number] + 1
    return shares
