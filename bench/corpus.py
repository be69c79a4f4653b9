"""Corpora on disk: a base of published packages with a recipe planted into it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bench.planting import plant, python_files
from bench.recipe import Planted, Recipe

if TYPE_CHECKING:
    from bench.packages import Packages
    from bench.snapshot import Snapshot

_MADE_BY: Final = ("packages.py", "planting.py", "recipe.py", "snippets.py")
_GIT: Final = ("git", "-c", "user.name=bench", "-c", "user.email=bench@example.com")
_SETTLED: Final = ("gc.auto=0", "maintenance.auto=false", "commit.gpgsign=false")
"""Git does nothing of its own accord, neither now nor while something is measured."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder with a program, and what was planted into it."""

    root: Path
    planted: Planted

    def files(self) -> list[str]:
        """The program's files."""
        return python_files(self.root)

    def clean(self) -> None:
        """Forget what earlier runs of the tool kept."""
        shutil.rmtree(self.root / ".capsule-lint", ignore_errors=True)


def corpus(packages: Packages, recipe: Recipe) -> Corpus:
    """The corpus of a recipe: a git repository, made once and then kept."""
    place = packages.work / "corpora" / f"{recipe.name}-{_version()}"
    known = place / "planted.json"
    if not known.exists():
        base = packages.base(recipe.lines)
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=place.parent))
        shutil.copytree(base, fresh / "tree")
        planted = plant(fresh / "tree", recipe)
        commit(fresh / "tree")
        (fresh / known.name).write_bytes(msgspec.json.encode(planted))
        shutil.rmtree(place, ignore_errors=True)
        fresh.rename(place)
    return Corpus(place / "tree", msgspec.json.decode(known.read_bytes(), type=Planted))


def sample(whole: Corpus, before: Snapshot, lines: int, place: Path) -> Corpus:
    """A part of a corpus, in another folder: every so many files of it, and what all import.

    Of the files with defects there are ten even where that is more than their share.
    """
    shutil.rmtree(place, ignore_errors=True)
    shared = [name for name in before.files if name.startswith("orderbook/")]
    names = sorted(before.files, key=lambda name: sha256(name.encode()).digest())
    step = max(1, round(before.lines / lines))
    planted = {plant.path for plant in whole.planted.plants} - set(shared)
    hit = [name for name in names if name in planted]
    some = max(10, len(hit) // step)
    taken = {*shared, *hit[:some], *(name for name in names[::step] if name not in planted)}
    for name in (*taken, "capsule-lint.toml", ".semgrepignore"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(whole.root / name, place / name)
    plants = tuple(plant for plant in whole.planted.plants if plant.path in taken)
    return Corpus(place, Planted(plants, 0, 0))


def commit(root: Path) -> None:
    """Make a folder a git repository in which all is committed, if there is git."""
    if shutil.which("git"):
        settled = [("config", *setting.split("=")) for setting in _SETTLED]
        commands = (("init", "-q"), *settled, ("add", "-A"), ("commit", "-q", "-m", "planted"))
        for arguments in commands:
            subprocess.run((*_GIT, *arguments), cwd=root, check=True, capture_output=True)


def _version() -> str:
    """A name for the code that makes corpora: other code makes other ones."""
    folder = Path(__file__).parent
    return sha256(b"".join((folder / name).read_bytes() for name in _MADE_BY)).hexdigest()[:8]
