"""Work on several processors: forks of this process, which know all that it knows."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
R = TypeVar("R")


def fork_map(
    function: Callable[[T], R], items: Sequence[T], weights: Sequence[int], jobs: int, worth: int
) -> list[R]:
    """What `function` gives for each item, in their order: `map`, on up to `jobs` processors.

    Forks only where the sum of `weights` reaches `worth` for each process. What a process raises is
    raised here; an interrupt ends all of them.
    """
    count = min(jobs, len(items), sum(weights) // max(worth, 1))
    if count < 2 or not hasattr(os, "fork"):
        return [function(item) for item in items]
    shares = _shares(weights, count)
    workers = [_fork(function, items, share) for share in shares[1:]]
    found: dict[int, R] = {}
    try:
        for number in shares[0]:
            found[number] = function(items[number])
        for pid, pipe in workers:
            with os.fdopen(os.dup(pipe), "rb") as file:
                data = file.read()
            _take(found, data, pid)
    except BaseException:
        for pid, _ in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise
    finally:
        for pid, pipe in workers:
            os.close(pipe)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
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


def _fork(function: Callable[[T], R], items: Sequence[T], share: Sequence[int]) -> tuple[int, int]:
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.close(read)
        with os.fdopen(write, "wb") as file:
            file.write(_answer(function, items, share))
    finally:
        os._exit(0)  # neither the parent's clean-up nor its buffers are this process's own


def _answer(function: Callable[[T], R], items: Sequence[T], share: Sequence[int]) -> bytes:
    try:
        return pickle.dumps((None, [(number, function(items[number])) for number in share]))
    except Exception as error:
        return pickle.dumps((error, []))


def _take(found: dict[int, R], data: bytes, pid: int) -> None:
    if not data:
        raise ChildProcessError(f"process {pid} ended before its work was done")
    error, pairs = pickle.loads(data)
    if error is not None:
        raise error
    found.update(pairs)
