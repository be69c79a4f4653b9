"""The options of a check as one frozen value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path


class Options(Struct, frozen=True, kw_only=True):
    """What the command line says; names are those of the options."""

    paths: tuple[Path, ...]
    fix: bool
    fix_only: bool
    unsafe_fixes: bool
    diff: bool
    undo: bool
    show_fixes: bool
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    extend_select: tuple[str, ...]
    fixable: tuple[str, ...]
    unfixable: tuple[str, ...]
    output_format: str
    output_file: Path | None
    statistics: bool
    ledger: bool
    baseline: Path | None
    update_baseline: bool
    prune_baseline: bool
    since: str | None
    allow_dirty: bool
    config: Path | None
    isolated: bool
    no_cache: bool
    cache_dir: Path | None
    jobs: int | None
    exit_zero: bool
    exit_non_zero_on_fix: bool
    stdin_filename: Path | None
    force_exclude: bool
    quiet: bool
    verbose: bool

    @property
    def fixing(self) -> bool:
        """Whether files are to be written."""
        return (self.fix or self.fix_only) and not self.diff
