"""Runs one command and writes down what it took; a script that imports nothing of the benchmark.

A child's peak memory is at least what its parent held when it was started: so each command is
started by a small process of its own, not by the benchmark, which holds whole corpora.
"""

import json
import os
import signal
import sys
import time


def main(result: str, out: str, err: str, limit: int, command: list[str]) -> None:
    """Run a command with its output in files; end it, and all that it started, at the limit."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, out, flags, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, err, flags, 0o644),
    ]
    ended = []
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=streams, setpgroup=0)

    def end(*_: object) -> None:
        ended.append(True)
        os.killpg(child, signal.SIGKILL)

    for event in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM):
        signal.signal(event, end)
    signal.alarm(limit)
    _, status, usage = os.wait4(child, 0)
    took = {
        "elapsed": time.perf_counter() - started,
        "processor": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss / 1024,
        "status": os.waitstatus_to_exitcode(status),
        "ended": bool(ended),
    }
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123  # pathlib would be memory
        json.dump(took, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5:])
