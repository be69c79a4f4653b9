"""All writes of a run land together, or none does; the last run can be taken back."""

from __future__ import annotations

import os
import secrets
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.errors import SourceError
from capsule_lint.source.disk import Disk, contents
from capsule_lint.source.journal import (
    JOURNAL,
    TEMPORARY,
    Entry,
    Journal,
    Kind,
    digest,
    dump,
)
from capsule_lint.source.lock import STATE, locked
from capsule_lint.source.settle import (
    COMMITTED,
    LAST,
    OLD,
    PREPARING,
    End,
    Outcome,
    Place,
    is_unfinished,
    settle,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_DISK: Final = Disk()
_PATIENCE: Final = 10
_ENDS: Final = {
    Outcome.BEFORE: "every file is as it was before",
    Outcome.AFTER: "every file is as it was meant to be",
}


class Change(Struct, frozen=True):
    """New bytes for a file, relative to the root; `before` is None if there must be no file."""

    filename: str
    before: bytes | None
    after: bytes


class Receipt(Struct, frozen=True):
    """What a run wrote: its id, which is empty if there was nothing to do, and the files."""

    id: str
    filenames: tuple[str, ...]


class _Step(Struct, frozen=True):
    """An entry of the journal to be, with the bytes that it stands for."""

    entry: Entry
    before: bytes | None
    after: bytes | None


def _new_id() -> str:
    return secrets.token_hex(4)


def write(
    root: Path,
    changes: Sequence[Change],
    *,
    disk: Disk = _DISK,
    ids: Callable[[], str] = _new_id,
) -> Receipt:
    """Write all changes, or none; those that change nothing are passed over.

    Whatever interrupts it, the files end up as before or as after: at once, or, if the process is
    killed, as soon as `recover`, `write` or `undo` is called. A link stays, the file that it leads
    to is written. Raises SourceError, and nothing is written, if a file is not what `before` says,
    cannot be written, lies outside of the root or is named twice, or if another run is writing.
    """
    real = [change for change in changes if change.before != change.after]
    if not real:
        return Receipt("", ())
    place = _place(root, disk)
    with locked(place.state, disk):
        _settle_calmly(place)
        run = ids()
        steps = [_plan(place, change, f"{run}-{number}") for number, change in enumerate(real)]
        return _land(place, run, Kind.WRITE, steps)


def undo(root: Path, *, disk: Disk = _DISK, ids: Callable[[], str] = _new_id) -> tuple[str, ...]:
    """Take back the last run of `write`, and say which files it was about.

    They get their old bytes, new ones are removed; all or none, as in `write`. Raises SourceError,
    and nothing is written, if there is nothing to undo, if a file is not what that run made of it,
    or if another run is writing.
    """
    place = _place(root, disk)
    if not place.state.is_dir():
        raise SourceError(STATE, "there is nothing to undo")
    with locked(place.state, disk):
        _settle_calmly(place)
        if not place.phase(LAST).exists():
            raise SourceError(STATE, "there is nothing to undo")
        run = ids()
        steps = [
            _plan_back(place, number, entry, run)
            for number, entry in enumerate(place.load(LAST).entries)
        ]
        return _land(place, run, Kind.UNDO, steps).filenames


def recover(root: Path, *, disk: Disk = _DISK) -> str | None:
    """End a run that was interrupted, and say how; None, and nothing is touched, if none was.

    Raises SourceError if another run is writing, or if files were edited since in such a way that
    neither end is right any more.
    """
    place = _place(root, disk)
    if not is_unfinished(place):
        return None
    if not os.access(place.state, os.W_OK):
        return f"a run was interrupted, and {STATE} cannot be written: it may be half-way"
    with locked(place.state, disk):
        end = _settle_calmly(place)
    return None if end is None else f"an interrupted run was ended: {_ENDS[end.outcome]}"


def _place(root: Path, disk: Disk) -> Place:
    return Place(Path(os.path.realpath(root)), disk)


def _plan(place: Place, change: Change, name: str) -> _Step:
    """What to do for a change. Raises SourceError if it cannot be done at that place."""
    path = place.root / change.filename
    try:
        real = Path(os.path.realpath(path))
        if change.before is None and os.path.lexists(path):
            raise SourceError(change.filename, "exists already")
        if place.root not in real.parents:
            raise SourceError(change.filename, "leads out of the project: it is not written")
        target = real.relative_to(place.root)
        missing = [folder for folder in target.parents if not (place.root / folder).exists()]
    except (OSError, ValueError) as error:
        raise SourceError(change.filename, f"cannot be written: {error}") from error
    entry = Entry(
        filename=change.filename,
        target=target.as_posix(),
        temporary=target.with_name(f"{TEMPORARY}{name}.tmp").as_posix(),
        before=None if change.before is None else digest(change.before),
        after=digest(change.after),
        made=tuple(folder.as_posix() for folder in reversed(missing)),
    )
    return _Step(entry, change.before, change.after)


def _plan_back(place: Place, number: int, entry: Entry, run: str) -> _Step:
    """What to do to take back what a run did to one file."""
    if place.found(entry.target) != entry.after:
        problem = "was changed after the last run: it is not undone, and neither is any other file"
        raise SourceError(entry.filename, problem)
    before, _ = contents(place.root / entry.target)
    after = None
    if entry.before is not None:
        kept = f"{STATE}/{LAST}/{OLD}/{number}"
        if place.found(kept) != entry.before:
            raise SourceError(kept, "is damaged: the last run cannot be undone")
        after, _ = contents(place.root / kept)
    temporary = PurePosixPath(entry.target).with_name(f"{TEMPORARY}{run}-{number}.tmp")
    back = Entry(
        filename=entry.filename,
        target=entry.target,
        temporary=str(temporary),
        before=entry.after,
        after=entry.before,
        made=entry.made,
    )
    return _Step(back, before, after)


def _land(place: Place, run: str, kind: Kind, steps: Sequence[_Step]) -> Receipt:
    _check(place, steps)
    journal = Journal(run, kind, tuple(step.entry for step in steps))
    try:
        _prepare(place, journal, steps)
        _check(place, steps)
        place.disk.replace(place.phase(PREPARING), place.phase(COMMITTED))
        place.disk.sync(place.state)
        end = settle(place)
    except OSError as error:
        end = _settle_calmly(place) or _end(place, journal)
        raise _refused(place, journal, error, end.outcome) from error
    except BaseException:
        _settle_calmly(place)
        raise
    if end is not None and end.refusal is not None:
        raise _refused(place, journal, end.refusal, end.outcome) from end.refusal
    if end is None or end.outcome is Outcome.BEFORE:
        raise SourceError(STATE, "files were changed while they were written: nothing was written")
    return Receipt(run, tuple(entry.filename for entry in journal.entries))


def _check(place: Place, steps: Iterable[_Step]) -> None:
    """Raises SourceError if a file is not what it should be before the run, or is read-only."""
    seen: set[str] = set()
    for entry in (step.entry for step in steps):
        if entry.target in seen:
            raise SourceError(entry.filename, "would be written twice")
        seen.add(entry.target)
        found = _found(place, entry)
        if found != entry.before:
            problem = "no longer exists" if found is None else "has changed since it was read"
            raise SourceError(entry.filename, problem)
        if found is not None and not os.access(place.root / entry.target, os.W_OK):
            raise SourceError(entry.filename, "is read-only")


def _found(place: Place, entry: Entry) -> str | None:
    try:
        return place.found(entry.target)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or error}"
        raise SourceError(entry.filename, problem) from error


def _prepare(place: Place, journal: Journal, steps: Sequence[_Step]) -> None:
    """Put all old bytes, and all new ones, where a crash cannot hurt them. No file is touched."""
    disk, home = place.disk, place.phase(PREPARING)
    disk.make_directory(home)
    disk.make_directory(home / OLD)
    disk.write_new(home / JOURNAL, dump(journal))
    disk.sync(home)
    disk.sync(place.state)
    for number, step in enumerate(steps):
        if step.before is not None:
            target = place.root / step.entry.target
            disk.write_new(home / OLD / str(number), step.before, like=target)
    disk.sync(home / OLD)
    for step in steps:
        if step.after is not None:
            _lay_ready(place, step.entry, step.after, is_new=step.before is None)
    place.sync_all(journal)


def _lay_ready(place: Place, entry: Entry, data: bytes, *, is_new: bool) -> None:
    for name in entry.made if is_new else ():
        place.disk.make_directory(place.root / name)
    like = None if is_new else place.root / entry.target
    place.disk.write_new(place.root / entry.temporary, data, like=like)


def _settle_calmly(place: Place) -> End | None:
    """End whatever is unfinished; Ctrl-C, however often it is pressed, waits until that is done.

    Raises SourceError if the disk refuses; the next run will try again.
    """
    interrupt: KeyboardInterrupt | None = None
    end: End | None = None
    for _ in range(_PATIENCE):
        try:
            end = settle(place)
            break
        except KeyboardInterrupt as error:
            interrupt = error
        except OSError as error:
            problem = (
                f"a run was interrupted and cannot be ended now: {error.strerror or error}; "
                "the next run will try again"
            )
            raise SourceError(_culprit(place, error), problem) from error
    if interrupt is not None:
        raise interrupt
    return end


def _end(place: Place, journal: Journal) -> End:
    """How a run ended of which no journal is left."""
    same = all(place.found(entry.target) == entry.before for entry in journal.entries)
    return End(Outcome.BEFORE if same else Outcome.AFTER)


def _refused(place: Place, journal: Journal, error: OSError, outcome: Outcome) -> SourceError:
    """What the disk refused, and how the run ended."""
    waiting = {entry.temporary: entry.filename for entry in journal.entries}
    culprit = _culprit(place, error)
    problem = f"cannot be written: {error.strerror or error}; {_ENDS[outcome]}"
    return SourceError(waiting.get(culprit, culprit), problem)


def _culprit(place: Place, error: OSError) -> str:
    """The file that an error is about, relative to the root, as far as it says."""
    if not isinstance(error.filename, str):
        return STATE
    path = Path(error.filename)
    return path.relative_to(place.root).as_posix() if path.is_relative_to(place.root) else STATE
