"""The baseline: which findings are known, and how it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.baseline import format_baseline, parse_baseline
from capsule_lint.errors import SourceError
from capsule_lint.source.store import read_bytes, store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from capsule_lint.cli.options import Options
    from capsule_lint.model import Finding
    from capsule_lint.policy import Policy


def unknown(
    findings: tuple[Finding, ...], options: Options, policy: Policy, say: Callable[[str], None]
) -> tuple[Finding, ...]:
    """The findings that the baseline does not know; it is written first where that is asked for, which
    `say` is told."""
    path = _path(options, policy)
    if options.update_baseline:
        if path is None:
            raise SourceError("--update-baseline", "no baseline is named: give --baseline FILE")
        store(path, format_baseline(findings))
        say(f"wrote {len(findings)} finding{'' if len(findings) == 1 else 's'} to {path}")
        return ()
    data = read_bytes(path) if path is not None else None
    if path is None or (data is None and options.baseline is None):
        return findings
    if data is None:
        raise SourceError(str(path), "does not exist: make it with --update-baseline")
    known = parse_baseline(data, str(path))
    if options.prune_baseline:
        store(path, format_baseline(f for f in findings if f.fingerprint in known))
    return tuple(f for f in findings if f.fingerprint not in known)


def _path(options: Options, policy: Policy) -> Path | None:
    """Where the baseline is kept: what the command line says, or else policy."""
    if options.baseline is not None:
        return options.baseline
    return policy.root / policy.baseline if policy.baseline else None
