"""Runs pytest in forks of a process that has it loaded: a script that `tests/pytests.py` starts.

Its arguments are those of pytest. Each line of its input is a folder (as JSON); for each it prints a line
with the exit code and with all that was said (as JSON). It imports nothing of this suite, whose modules
have the names that those of the programs have.
"""

import gc
import json
import os
import sys
import tempfile

import pytest


def _run(options: list[str], root: str, said: int) -> int:
    """Run the tests below a folder, as `python -m pytest` does there. What it says goes to a descriptor."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for stream, descriptor in ((0, nothing), (1, said), (2, said)):
        os.dup2(descriptor, stream)
    os.chdir(root)
    sys.path.insert(0, root)
    status = pytest.main(options)
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _serve(options: list[str]) -> None:
    for line in sys.stdin:
        there, here = os.pipe()
        child = os.fork()
        if not child:
            status = 70
            try:
                status = _run(options, json.loads(line), here)
            finally:
                os._exit(status)
        os.close(here)
        with os.fdopen(there, errors="replace") as said:
            text = said.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps([status, text]), flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    answers = os.dup(1)
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as empty:  # loads what each run needs
        pytest.main([*given, empty])
    gc.collect()
    gc.freeze()  # the forks need not go through what is here
    os.dup2(answers, 1)
    _serve(given)
