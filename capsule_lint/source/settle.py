"""Ends what a transaction began: every file as it was before the run, or every file as after it.

The name of the directory that holds the run's journal says how far the run has come; it changes
in one step. `preparing`: no file has been touched. `committed`: all new bytes and all old ones
are safe, and the run can be completed. `reverting`: it is being taken back. `last`: it is
complete, and can be undone. `done`: what is left of a run that nobody needs any more.
"""

from __future__ import annotations

import os
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.errors import SourceError
from capsule_lint.source.disk import contents
from capsule_lint.source.journal import JOURNAL, Entry, Journal, Kind, digest, parse
from capsule_lint.source.lock import STATE

if TYPE_CHECKING:
    from pathlib import Path

    from capsule_lint.source.disk import Disk

PREPARING: Final = "preparing"
COMMITTED: Final = "committed"
REVERTING: Final = "reverting"
LAST: Final = "last"
_DONE: Final = "done"
OLD: Final = "old"
UNFINISHED: Final = (PREPARING, COMMITTED, REVERTING)
_STRANGE: Final = "no plain file"


class Outcome(Enum):
    """How a run ended."""

    BEFORE = auto()
    AFTER = auto()


class End(Struct, frozen=True):
    """How a run ended, and why, if it could have been completed and the disk refused."""

    outcome: Outcome
    refusal: OSError | None = None


class _Status(Enum):
    """Where one file of a committed run stands."""

    BEFORE = auto()
    AFTER = auto()
    EDITED_BEFORE = auto()
    """Somebody changed it when the run had not yet reached it."""
    EDITED_AFTER = auto()
    """Somebody changed it when the run was done with it."""


class Place(Struct, frozen=True):
    """The real root of a project, and the hands that change it."""

    root: Path
    disk: Disk

    @property
    def state(self) -> Path:
        """The directory of journals."""
        return self.root / STATE

    def phase(self, name: str) -> Path:
        """The directory of a run that has come that far."""
        return self.root / STATE / name

    def found(self, name: str) -> str | None:
        """The digest of the file of this name; None if there is none."""
        path = self.root / name
        if not os.path.lexists(path):
            return None
        if os.path.realpath(path) != str(path) or not path.is_file():
            return _STRANGE
        return digest(contents(path)[0])

    def sync_all(self, journal: Journal) -> None:
        """Wait until the disk has the names of all files, and directories, of a run."""
        names = {name for entry in journal.entries for name in (entry.target, *entry.made)}
        for folder in sorted({(self.root / name).parent for name in names}):
            if folder.is_dir():
                self.disk.sync(folder)

    def load(self, phase: str) -> Journal:
        """The journal of the run that has come so far. Raises SourceError if it is none."""
        label = f"{STATE}/{phase}/{JOURNAL}"
        try:
            data, _ = contents(self.phase(phase) / JOURNAL)
        except OSError as error:
            raise SourceError(label, f"cannot be read: {error.strerror or error}") from error
        return parse(data, label)


def is_unfinished(place: Place) -> bool:
    """Whether a run was interrupted."""
    return any(os.path.lexists(place.phase(name)) for name in UNFINISHED)


def settle(place: Place) -> End | None:
    """End the run that was interrupted, if there is one, and say how. Can itself be interrupted.

    Raises SourceError if files were edited in such a way that neither end is right any more, and
    OSError if the disk refuses both.
    """
    if place.phase(PREPARING).exists():
        _drop(place)
        return End(Outcome.BEFORE)
    if place.phase(REVERTING).exists():
        _revert(place)
        return End(Outcome.BEFORE)
    if not place.phase(COMMITTED).exists():
        return None
    journal = place.load(COMMITTED)
    refusal = None
    if _choose(place, journal) is Outcome.AFTER:
        refusal = _put_all(place, journal)
        if refusal is None:
            _finish(place, journal)
            return End(Outcome.AFTER)
    place.disk.replace(place.phase(COMMITTED), place.phase(REVERTING))
    place.disk.sync(place.state)
    _revert(place)
    return End(Outcome.BEFORE, refusal)


def _discard(place: Place, phase: str) -> None:
    place.disk.remove_tree(place.phase(_DONE))
    place.disk.replace(place.phase(phase), place.phase(_DONE))
    place.disk.sync(place.state)
    place.disk.remove_tree(place.phase(_DONE))


def _drop(place: Place) -> None:
    """Take back a run that has touched no file."""
    try:
        journal = place.load(PREPARING)
    except SourceError:  # cut off while it was written, which is before anything else is
        journal = Journal("", Kind.WRITE, ())
    for entry in journal.entries:
        place.disk.remove(place.root / entry.temporary)
    for entry in journal.entries:
        _unmake_new(place, entry)
    place.sync_all(journal)
    _discard(place, PREPARING)


def _unmake_new(place: Place, entry: Entry) -> None:
    """Remove the directories that are there for a new file only."""
    if entry.before is None:
        _unmake(place, entry)


def _unmake(place: Place, entry: Entry) -> None:
    for name in reversed(entry.made):
        place.disk.remove_directory(place.root / name)


def _choose(place: Place, journal: Journal) -> Outcome:
    """The end that a committed run can come to without the loss of anybody's edit."""
    statuses = [_status(place, entry) for entry in journal.entries]
    pairs = list(zip(journal.entries, statuses, strict=True))
    if all(_can_complete(place, *pair) for pair in pairs):
        return Outcome.AFTER
    if all(_can_revert(place, number, *pair) for number, pair in enumerate(pairs)):
        return Outcome.BEFORE
    edited = (_Status.EDITED_BEFORE, _Status.EDITED_AFTER)
    stuck = next((entry for entry, status in pairs if status in edited), journal.entries[0])
    problem = (
        "was changed after a run was interrupted, which now can be neither completed nor taken "
        f"back; the old contents are kept in {STATE}/{COMMITTED}/{OLD}: put back what you need, "
        f"then remove {STATE}/{COMMITTED}"
    )
    raise SourceError(stuck.filename, problem)


def _status(place: Place, entry: Entry) -> _Status:
    found = place.found(entry.target)
    if found == entry.after:
        return _Status.AFTER
    if found == entry.before:
        return _Status.BEFORE
    waiting = entry.after is None or os.path.lexists(place.root / entry.temporary)
    return _Status.EDITED_BEFORE if waiting else _Status.EDITED_AFTER


def _can_complete(place: Place, entry: Entry, status: _Status) -> bool:
    if status is _Status.BEFORE:
        return entry.after is None or place.found(entry.temporary) == entry.after
    return status is not _Status.EDITED_BEFORE


def _can_revert(place: Place, number: int, entry: Entry, status: _Status) -> bool:
    if status is _Status.AFTER:
        kept = f"{STATE}/{COMMITTED}/{OLD}/{number}"
        return entry.before is None or place.found(kept) == entry.before
    return status is not _Status.EDITED_AFTER


def _put_all(place: Place, journal: Journal) -> OSError | None:
    """Make all files what the run wants. Returns what the disk refused, if all can go back."""
    try:
        for entry in journal.entries:
            _put(place, entry)
        place.sync_all(journal)
    except OSError as error:
        for number, entry in enumerate(journal.entries):
            if not _can_revert(place, number, entry, _status(place, entry)):
                raise
        return error
    return None


def _finish(place: Place, journal: Journal) -> None:
    place.disk.remove_tree(place.phase(LAST))
    if journal.kind is Kind.UNDO:
        _discard(place, COMMITTED)
    else:
        place.disk.replace(place.phase(COMMITTED), place.phase(LAST))
        place.disk.sync(place.state)


def _put(place: Place, entry: Entry) -> None:
    """Make one file what it is after the run, unless it is that, or somebody just edited it."""
    status = _status(place, entry)
    if status is _Status.EDITED_BEFORE:
        raise SourceError(entry.filename, "was changed while it was about to be written")
    if status is not _Status.BEFORE:
        place.disk.remove(place.root / entry.temporary)
    elif entry.after is None:
        place.disk.remove(place.root / entry.target)
    else:
        place.disk.replace(place.root / entry.temporary, place.root / entry.target)
    if entry.after is None:
        _unmake(place, entry)


def _revert(place: Place) -> None:
    journal = place.load(REVERTING)
    for number, entry in enumerate(journal.entries):
        _put_back(place, number, entry)
    place.sync_all(journal)
    _discard(place, REVERTING)


def _put_back(place: Place, number: int, entry: Entry) -> None:
    """Make one file what it was before the run, unless it is that, or somebody edited it."""
    temporary, target = place.root / entry.temporary, place.root / entry.target
    place.disk.remove(temporary)
    if _status(place, entry) is _Status.AFTER:
        if entry.before is None:
            place.disk.remove(target)
        else:
            kept = place.phase(REVERTING) / OLD / str(number)
            for name in entry.made:
                place.disk.make_directory(place.root / name)
            place.disk.write_new(temporary, contents(kept)[0], like=kept)
            place.disk.replace(temporary, target)
    _unmake_new(place, entry)
