"""A small program on disk, and the tool run on it in process."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any
from unittest import mock

from capsule_lint.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def text_of(code: str) -> str:
    """Code as it stands in a test, without the indentation and the first newline."""
    return dedent(code).lstrip("\n")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run said, and its exit code."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The report as JSON."""
        return json.loads(self.out)

    def places(self, code: str = "") -> list[tuple[str, int]]:
        """File and row of the findings of a JSON report, of one rule or of all."""
        return [
            (finding["filename"], finding["location"]["row"])
            for finding in self.data
            if code in ("", finding["code"])
        ]

    @property
    def codes(self) -> list[str]:
        """The codes of the findings of a JSON report, in its order."""
        return [finding["code"] for finding in self.data]


@dataclass(frozen=True, slots=True)
class Project:
    """A folder that holds a program."""

    root: Path

    def write(self, files: Mapping[str, str | bytes]) -> Project:
        """Write files; text is dedented."""
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = content if isinstance(content, bytes) else text_of(content).encode()
            path.write_bytes(data)
        return self

    def policy(self, toml: str) -> Project:
        """Write the policy, as it stands below `[tool.capsule-lint]`."""
        return self.write({"capsule-lint.toml": toml})

    def read(self, name: str) -> str:
        """The text of a file, newlines as they are on disk."""
        return (self.root / name).read_bytes().decode()

    def tree(self) -> dict[str, bytes]:
        """All files that are no state of the tool's or of git's, with their bytes."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not {".git", ".capsule-lint"} & set(path.parts)
        }

    def run(self, *arguments: str, stdin: str = "") -> Outcome:
        """Run the command line inside the folder."""
        out, err = _stream(), _stream()
        given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        with (
            contextlib.chdir(self.root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "stdin", given),
        ):
            gc.disable()  # as the process does
            try:
                main(list(arguments))
            except SystemExit as ended:
                status = ended.code
            else:
                raise AssertionError("the command line did not exit")
            finally:
                gc.enable()
        assert isinstance(status, int)
        return Outcome(status, _said(out), _said(err))

    def check(self, *arguments: str, stdin: str = "") -> Outcome:
        """Run the check with a JSON report."""
        return self.run("check", "--output-format", "json", *arguments, stdin=stdin)

    def git(self, *arguments: str) -> None:
        """Run git inside the folder."""
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        command = ("git", *identity, "-c", "commit.gpgsign=false", *arguments)
        subprocess.run(command, cwd=self.root, check=True, capture_output=True)

    def commit(self) -> Project:
        """Make the folder a repository in which everything is committed."""
        self.git("init", "-q")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "start")
        return self


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
