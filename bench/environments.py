"""Virtual environments of the benchmark's own: one for the tool, one for its peers."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

PEERS: Final = (
    "ast-grep-cli==0.51.1",
    "semgrep==1.185.0",
    "fixit==2.1.0",
    "libcst==1.9.0",
    "rope==1.15.2",
)
ROOT: Final = Path(__file__).resolve().parent.parent
_SHIPPED: Final = ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "CHANGELOG.md")
_PROBLEM: Final = "problems.json"
_PIP: Final = ("-m", "pip", "install", "-q", "--disable-pip-version-check")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment, and why what is not in it could not be installed."""

    root: Path
    problems: dict[str, str]

    def bin(self, name: str) -> str:
        """The path of a command in it."""
        return str(self.root / "bin" / name)

    def versions(self, names: Iterable[str]) -> dict[str, str]:
        """The versions that are installed of these packages."""
        listed = _python(self.root, "-m", "pip", "list", "--format", "json").stdout
        found = {one["name"].lower(): one["version"] for one in msgspec.json.decode(listed)}
        return {name: found[name.lower()] for name in names if name.lower() in found}


def peers(work: Path) -> Environment:
    """The peers' environment, made once for their versions."""
    root = work / f"peers-{sha256(' '.join(PEERS).encode()).hexdigest()[:8]}"
    if not (root / _PROBLEM).exists():
        _create(root)
        problems = {pin.partition("==")[0]: _install(root, pin) for pin in PEERS}
        failed = {name: problem for name, problem in problems.items() if problem}
        (root / _PROBLEM).write_bytes(msgspec.json.encode(failed))
    known = msgspec.json.decode((root / _PROBLEM).read_bytes(), type=dict[str, str])
    return Environment(root, known)


def own(work: Path) -> Environment:
    """The tool as its users have it: built from this checkout and installed, not linked to it."""
    root = work / f"own-{sys.version_info.major}.{sys.version_info.minor}"
    if not (root / "bin" / "python").exists():
        _create(root)
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, "source")
        source.mkdir()
        for name in _SHIPPED:
            shutil.copyfile(ROOT / name, source / name)
        for name in ("capsule_lint", "rules"):
            shutil.copytree(ROOT / name, source / name)
        problem = _install(root, str(source), "--upgrade", "--force-reinstall", "--no-deps")
        problem = problem or _install(root, str(source))
    if problem:
        raise RuntimeError(f"the tool cannot be installed: {problem}")
    return Environment(root, {})


def _create(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run((sys.executable, "-m", "venv", str(root)), check=True)


def _install(root: Path, what: str, *options: str) -> str:
    """Install something; return why it could not be, in a line."""
    done = _python(root, *_PIP, *options, what)
    errors = [line for line in done.stderr.decode().splitlines() if line.startswith("ERROR")]
    return (errors or ["pip failed"])[-1] if done.returncode else ""


def _python(root: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = (str(root / "bin" / "python"), *arguments)
    return subprocess.run(command, capture_output=True, check=False)
