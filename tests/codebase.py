"""A whole program from `fixtures/`, copied, and what is run in the copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent.parent / "fixtures"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str

    @property
    def last_line(self) -> str:
        """The last line of what it said."""
        return self.out.rstrip().rpartition("\n")[2]


@dataclass(frozen=True, slots=True)
class CodeBase:
    """A copy of `fixtures/<name>/before`."""

    name: str
    root: Path

    @classmethod
    def copy(cls, name: str, folder: Path) -> CodeBase:
        """A fresh copy below a folder."""
        root = folder / name
        shutil.copytree(
            FIXTURES / name / "before", root, ignore=shutil.ignore_patterns("__pycache__")
        )
        return cls(name, root)

    def _run(self, *command: str) -> Ran:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "eu-west-1"}
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # to load them takes longer
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.root,
            env=environment | {"PYTHONPATH": str(self.root)},
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    def lint(self, *arguments: str) -> Ran:
        """Run the tool inside the copy."""
        return self._run("capsule_lint", *arguments)

    def report(self, *arguments: str) -> list[dict[str, Any]]:
        """The findings (or, with `--ledger`, the ledger) as data."""
        done = subprocess.run(
            [sys.executable, "-m", "capsule_lint", "--output-format", "json", *arguments],
            cwd=self.root,
            capture_output=True,
            check=False,
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def own_tests(self) -> Ran:
        """Run the tests that the program has itself."""
        return self._run("pytest", "-q", "-p", "no:cacheprovider")

    def isolation_tests(self, *arguments: str) -> Ran:
        """Run the tests that show what one capsule sees of another."""
        tests = FIXTURES / self.name / "isolation"
        options = ("-q", "-p", "no:cacheprovider", "-c", "pyproject.toml")
        return self._run("pytest", *options, "--rootdir", ".", str(tests), *arguments)

    def before(self, name: str) -> bytes:
        """A file as it was."""
        return (FIXTURES / self.name / "before" / name).read_bytes()

    def files(self) -> dict[str, bytes]:
        """All files of the copy that are the program's."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not {"__pycache__", ".capsule-lint"} & set(path.parts)
        }
