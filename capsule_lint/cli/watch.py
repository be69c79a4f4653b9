"""Checks again whenever the program or its policy changes, until a person ends it."""

from __future__ import annotations

import sys
from subprocess import call
from time import sleep
from typing import TYPE_CHECKING, Final

from capsule_lint.cli.start import note, start
from capsule_lint.errors import CapsuleLintError, SourceError
from capsule_lint.policy import load_policy
from capsule_lint.source.discover import discover

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from capsule_lint.cli.options import Options

_SECONDS: Final = 0.5
"""How long to wait between two looks at the files; one takes about 10 µs a file."""
_OPTION: Final = "--watch"


def watch(options: Options, arguments: Sequence[str]) -> int:
    """Run the check that `arguments` ask for, again after each change, and return 0 once interrupted.

    Each check is a process of its own, which has the cache to start from. Raises SourceError where files would be written, or the text comes from standard input.
    """
    if options.fixing or options.undo or options.update_baseline or options.prune_baseline:
        raise SourceError(_OPTION, "only checks: it cannot be given with what writes files")
    if options.stdin_filename is not None:
        raise SourceError(_OPTION, "cannot be given with --stdin-filename")
    command = (sys.executable, "-m", "capsule_lint", *(a for a in arguments if a != _OPTION))
    try:
        while True:
            seen = _state(options)
            call(command)
            if not options.quiet:
                note("watching for changes: Ctrl-C ends it")
            while _state(options) == seen:
                sleep(_SECONDS)
    except KeyboardInterrupt:
        return 0


def _state(options: Options) -> object:
    """What changes whenever a file of the program, or the policy, does."""
    try:
        policy = load_policy(start(options), options.config, options.isolated)
        files = discover(policy).files
    except (CapsuleLintError, OSError) as error:
        return str(error)
    return policy, tuple((name, _status(policy.root / name)) for name in files)


def _status(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
