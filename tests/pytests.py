"""The tests of small programs, run in processes that need not load pytest again.

Most of the time that `python -m pytest` takes for a program of a few lines goes into its imports. A
process that has loaded pytest and nothing else forks once for each program instead (`tests/forking.py`).
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

from capsule_lint.workers import can_fork
from tests.codebase import Ran

_OPTIONS = ("-q", "-p", "no:cacheprovider")


def run_tests(root: Path) -> Ran:
    """Run the tests that are below a folder, with no plugin."""
    if not can_fork():
        command = (sys.executable, "-m", "pytest", *_OPTIONS)
        done = subprocess.run(
            command, cwd=root, env=_environment(), capture_output=True, text=True, check=False
        )
        return Ran(done.returncode, done.stdout + done.stderr)
    forking = _forking()
    assert forking.stdin is not None
    assert forking.stdout is not None
    forking.stdin.write(json.dumps(str(root)) + "\n")
    forking.stdin.flush()
    return Ran(*json.loads(forking.stdout.readline()))


@functools.cache
def _forking() -> subprocess.Popen[str]:
    """The process that forks. It ends with this one, when its input does."""
    script = Path(__file__).with_name("forking.py")
    return subprocess.Popen(
        [sys.executable, "-P", str(script), *_OPTIONS],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _environment() -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return environment | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # to load them takes longer
        "PYTHONDONTWRITEBYTECODE": "1",  # compiled files are known by their second and size alone
    }
