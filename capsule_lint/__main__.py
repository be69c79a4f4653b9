"""`python -m capsule_lint`, and what the console script runs."""

from __future__ import annotations

import contextlib
import gc
import os
import sys

from capsule_lint import cli


def main() -> None:
    """Run the command line, and end the process at once.

    A run makes much and drops little of it before it ends: to look for what can be dropped takes time,
    and to take all apart, object by object, at the end as well.
    """
    gc.disable()
    status = 0
    try:
        cli.main()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # whoever read it has left, or it is closed
            if stream is not None:
                stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
