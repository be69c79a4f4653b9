"""The published packages that the corpora are made of, each bound to one version."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PINS: Final = (
    "homeassistant==2024.3.3",
    "transformers==4.57.1",
    "sympy==1.14.0",
    "django==5.1.4",
)
"""Wheels of pure Python, about 3 million lines. Each larger base holds the smaller ones."""

_NO_PROGRAM: Final = {"site-packages", "node_modules", "venv", "build", "dist"}
_INDEX: Final = ("--disable-pip-version-check", "--no-deps", "--only-binary", ":all:")


@dataclass(frozen=True, slots=True)
class Packages:
    """Wheels in a folder, and trees unpacked from them."""

    work: Path

    def base(self, lines: int) -> Path:
        """A folder with about so many lines of the packages' own code: made once, then kept.

        Packages are taken whole, one after the other; of the one that would be too much, folders
        are, in an order that their names fix. No package is begun for the last thirtieth.
        """
        code = Path(__file__).read_text(encoding="utf-8")
        place = self.work / "bases" / f"{lines}-{_digest((code,))}"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(dir=place.parent))
            self._unpack(fresh, lines)
            fresh.rename(place)
        return place

    def _unpack(self, target: Path, lines: int) -> None:
        left = lines
        for pin in PINS:
            if left < lines / 30:
                return
            with zipfile.ZipFile(self._wheel(pin)) as wheel:
                for folder in _by_folder(wheel.namelist()):
                    if left > 0:
                        wheel.extractall(target, folder)
                        left -= sum(_lines(target / name) for name in folder)

    def _wheel(self, pin: str) -> Path:
        kept = self.work / "wheels" / pin
        if not kept.exists():
            with tempfile.TemporaryDirectory() as place:
                pip = (sys.executable, "-m", "pip", "download", "-q", *_INDEX, "-d", place, pin)
                subprocess.run(pip, check=True, stdout=subprocess.DEVNULL)
                kept.mkdir(parents=True)
                shutil.move(next(Path(place).glob("*.whl")), kept / "package.whl")
        return kept / "package.whl"


def _by_folder(names: Iterable[str]) -> Iterator[list[str]]:
    """The Python files of a wheel, a folder at a time."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folder, _, _ = name.rpartition("/")
        if name.endswith(".py") and folder and not _NO_PROGRAM & set(name.split("/")):
            folders.setdefault(folder, []).append(name)
    for folder in sorted(folders, key=lambda f: (f.count("/") > 1, _digest((f,)))):
        yield sorted(folders[folder])


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def _digest(texts: Iterable[str]) -> str:
    return sha256("\n".join(texts).encode()).hexdigest()[:12]
