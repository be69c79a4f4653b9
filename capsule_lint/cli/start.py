"""The start of a check or fix: which program is meant, and whether its report is known already."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from capsule_lint.cache import again
from capsule_lint.cache.contents import Contents, combined
from capsule_lint.cache.store import STATE, Store, digest, place_of
from capsule_lint.cache.versions import version_of
from capsule_lint.cli import write_out
from capsule_lint.cli.elsewhere import Elsewhere
from capsule_lint.errors import SourceError
from capsule_lint.policy import load_policy
from capsule_lint.report import TEXT_FORMATS
from capsule_lint.source.discover import discover, limit
from capsule_lint.source.store import store as write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.cli.options import Options
    from capsule_lint.policy import Policy
    from capsule_lint.source import Discovery


_AT_REST: Final = frozenset(("cache", "last", "lock", ".gitignore"))
"""What stands in the state's directory when no run was interrupted."""


class Target(Struct, frozen=True):
    """What a run is about: the whole program, and the files of it that are named."""

    policy: Policy
    discovery: Discovery
    limited: frozenset[str]
    changed: frozenset[str] | None = None
    """What has changed since the revision that is asked about."""

    @property
    def reported(self) -> frozenset[str]:
        """The files that are reported on."""
        return self.limited if self.changed is None else self.limited & self.changed

    @property
    def files(self) -> tuple[str, ...]:
        """All files of the program, those named on the command line included."""
        return tuple(sorted({*self.discovery.files, *self.limited}))


class Known(Struct, frozen=True):
    """What is kept for a run, and under which name its report would be."""

    store: Store
    contents: Contents
    digests: dict[str, bytes]
    """By file, relative to the root."""
    version: bytes
    report: str | None
    """`None` for a run whose report depends on more than the program."""
    elsewhere: Elsewhere | None
    """The same, for a report that files which do not matter cannot change."""


def run(options: Options, arguments: Sequence[str]) -> int:
    """Do what the options say, print the report, and return the exit code.

    `arguments` are what the options were read from.
    """
    began = time.time_ns()
    _refuse_contradictions(options)
    policy = load_policy(start(options), options.config, options.isolated)
    if options.undo:
        return _undo(policy, options)
    _recover(policy.root)
    discovery = discover(policy)
    limited = limit(policy, options.paths, discovery, force_exclude=options.force_exclude)
    target = Target(policy, discovery, limited, _changed(policy, options))
    known = None if options.no_cache else _known(options, target)
    if known is not None and known.report is not None:
        answer = known.store.load(known.report)
        if answer is None and known.elsewhere is not None:
            answer = known.elsewhere.answer(policy)
            if answer is not None:
                known.store.save(known.report, answer)
        for text in known.store.notes:
            note(f"note: {text}")
        known.store.notes.clear()
        match answer:
            case (int() as status, str() as text):
                known.store.touch(known.report)
                known.contents.save()
                _keep(options, arguments, target, known, (status, text), began)
                if options.output_file is not None:
                    write_file(options.output_file, text.encode())
                else:
                    write_out(text)
                return status
    from capsule_lint.cli.run import run_on  # it loads what judges: LibCST, and the rules

    return run_on(options, target, known)


def _refuse_contradictions(options: Options) -> None:
    """Options of which one would be passed over without a word are a mistake: a SourceError."""
    baselines = options.update_baseline or options.prune_baseline
    fixes = options.fix or options.fix_only
    table = options.ledger or options.statistics
    for_people = options.output_format in TEXT_FORMATS
    said = "--ledger" if options.ledger else "--statistics" if options.statistics else ""
    for option, is_wrong, problem in (
        (
            "--isolated",
            options.isolated and options.config is not None,
            "ignores every policy file: give it without --config",
        ),
        (
            "--undo",
            options.undo and (fixes or options.diff or baselines or table),
            "takes the last run back, and does nothing else: give it alone",
        ),
        (
            "--diff",
            options.diff and baselines,
            "writes nothing: give it without what writes the baseline",
        ),
        (
            "--diff",
            options.diff and (table or not for_people),
            "prints a patch and no findings: give it without --ledger, --statistics and --output-format",
        ),
        (
            "--update-baseline",
            options.update_baseline and fixes,
            "makes all that is found known, and what is known is not fixed: give it after --fix",
        ),
        (
            "--ledger",
            options.ledger and options.statistics,
            "is printed in place of the findings: give it without --statistics",
        ),
        (
            said,
            table and not for_people and options.output_format not in ("json", "json-lines"),
            f"is a table, or JSON: there is none as {options.output_format}",
        ),
    ):
        if is_wrong:
            raise SourceError(option, problem)


def _changed(policy: Policy, options: Options) -> frozenset[str] | None:
    if options.since is None:
        return None
    from capsule_lint.source.git import changed_since

    return changed_since(policy.root, options.since)


def _keep(
    options: Options,
    arguments: Sequence[str],
    target: Target,
    known: Known,
    report: tuple[int, str],
    began: int,
) -> None:
    """Keep a report for the same command, where all that it depends on is known."""
    if not known.contents.settled:
        return
    from capsule_lint.cli.watched import watched

    paths = watched(options, target, known.store)
    if paths is not None:
        again.keep(known.store, arguments, report, paths, began)


def start(options: Options) -> Path:
    """The folder whose policy holds: that which all given paths have in common."""
    if not options.paths:
        return Path.cwd()
    folders = []
    for path in options.paths:
        if not path.exists():
            raise SourceError(str(path), "does not exist")
        absolute = path.absolute()
        folders.append(str(absolute if absolute.is_dir() else absolute.parent))
    return Path(os.path.commonpath(folders))


def note(text: str) -> None:
    """Say something on standard error."""
    if sys.stderr is not None:  # it may be closed
        print(text.encode(errors="backslashreplace").decode(), file=sys.stderr)


def in_color(options: Options) -> bool:
    """Whether the report is for a person at a terminal."""
    plain = "NO_COLOR" in os.environ or options.output_file is not None
    return sys.stdout is not None and sys.stdout.isatty() and not plain


def _recover(root: Path) -> None:
    """End a run that was interrupted."""
    state = root / STATE
    if not state.is_dir() or _AT_REST.issuperset(entry.name for entry in os.scandir(state)):
        return
    from capsule_lint.source import recover

    said = recover(root)
    if said is not None:
        note(f"note: {said}")


def _undo(policy: Policy, options: Options) -> int:
    from capsule_lint.source import undo

    if options.paths and not any(
        policy.root.resolve().is_relative_to(path.resolve()) for path in options.paths
    ):
        raise SourceError(
            "--undo", "takes the whole last run back: name no PATH inside of the program"
        )
    names = undo(policy.root)
    if not options.quiet:
        count = f"{len(names)} file{'' if len(names) == 1 else 's'}"
        note(f"took the last run back: {count} restored")
    return 0


def _known(options: Options, target: Target) -> Known:
    store = Store(place_of(target.policy.root, options.cache_dir))
    contents = Contents(store)
    version = version_of(contents, store)
    root = str(target.policy.root)
    files = target.files
    absolute = contents.digests(f"{root}/{name}" for name in files)
    digests = dict(zip(files, absolute.values(), strict=True))
    report, elsewhere = None, None
    if _is_pure(options, target):
        said = (
            repr(target.policy),
            repr(replace(options, jobs=None, cache_dir=None)),
            str(Path.cwd()),
            str(in_color(options)),
        )
        limited = (
            b"" if len(target.reported) == len(files) else repr(sorted(target.reported)).encode()
        )
        command = digest(
            version,
            "\0".join(said).encode(errors="surrogateescape"),
            "\0".join(files).encode(errors="surrogateescape"),
            limited,
            _baseline(options, target.policy),
        )
        report = f"report-{digest(command, combined(digests)).hex()}"
        elsewhere = Elsewhere(store, f"elsewhere-{command.hex()}", digests)
    return Known(store, contents, digests, version, report, elsewhere)


def _is_pure(options: Options, target: Target) -> bool:
    """Whether the report says all that the run does, and depends on nothing else."""
    effects = (
        options.fixing
        or options.diff
        or options.verbose
        or options.update_baseline
        or options.prune_baseline
    )
    return not (effects or options.stdin_filename) and bool(target.limited)


def _baseline(options: Options, policy: Policy) -> bytes:
    path = options.baseline
    if path is None and policy.baseline:
        path = policy.root / policy.baseline
    if path is None:
        return b""
    try:
        return path.read_bytes()
    except OSError:
        return b"\0"
