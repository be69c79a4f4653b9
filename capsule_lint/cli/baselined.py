"""The baseline: which findings are known, and how it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.baseline import format_baseline, parse_baseline, parse_entries
from capsule_lint.errors import SourceError
from capsule_lint.source.store import read_bytes, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from capsule_lint.baseline import Entry
    from capsule_lint.cli.options import Options
    from capsule_lint.model import Finding
    from capsule_lint.policy import Policy


def unknown(
    findings: tuple[Finding, ...],
    options: Options,
    policy: Policy,
    say: Callable[[str], None],
    judges: Callable[[str, str], bool] | None,
) -> tuple[Finding, ...]:
    """The findings that the baseline does not know; it is written first where that is asked for, which
    `say` is told. What the run does not judge, a code in a file, stays in it."""
    path = _path(options, policy)
    if options.update_baseline:
        if path is None:
            raise SourceError("--update-baseline", "no baseline is named: give --baseline FILE")
        others = tuple(_unjudged(read_bytes(path), path, judges))
        store(path, format_baseline(findings, others))
        kept = f" beside {len(others)} that this run does not judge" if others else ""
        say(f"wrote {len(findings)} finding{'' if len(findings) == 1 else 's'} to {path}{kept}")
        return ()
    if options.prune_baseline and path is None:
        raise SourceError("--prune-baseline", "no baseline is named: give --baseline FILE")
    data = read_bytes(path) if path is not None else None
    if path is None or (data is None and options.baseline is None):
        return findings
    if data is None:
        raise SourceError(str(path), "does not exist: make it with --update-baseline")
    known = parse_baseline(data, str(path))
    if options.prune_baseline:
        mine = (f for f in findings if f.fingerprint in known)
        store(path, format_baseline(mine, _unjudged(data, path, judges)))
    return tuple(f for f in findings if f.fingerprint not in known)


def _unjudged(
    data: bytes | None, path: Path, judges: Callable[[str, str], bool] | None
) -> Iterator[Entry]:
    """The entries of a baseline that a run says nothing of: none, where it judges all."""
    if data is None or judges is None:
        return
    for entry in parse_entries(data, str(path)):
        if not judges(str(entry.get("code")), str(entry.get("filename"))):
            yield entry


def _path(options: Options, policy: Policy) -> Path | None:
    """Where the baseline is kept: what the command line says, or else policy."""
    if options.baseline is not None:
        return options.baseline
    return policy.root / policy.baseline if policy.baseline else None
