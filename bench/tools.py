"""The tool and its peers: how each is called for a job, and how its report is read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.recipe import Place
from bench.results import OURS

if TYPE_CHECKING:
    from bench.environments import Environment

Reader = Callable[[str], Iterator[Place]]

_SCRIPTS: Final = Path(__file__).with_name("scripts")
_FIXIT_LINE: Final = re.compile(r"^(?P<path>.+?)@(?P<row>\d+):\d+ ", re.M)
_CALL, _SCOPED_CALL = "order_pk($TENANT, $ORDER)", "order_pk($TENANT, capsule_id, $ORDER)"


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to do a job: a command, run in the corpus, and how its report is read.

    `needs` is the package that has to be installed, and `sampled` says that it is too slow for all
    of a corpus. `reads_keys` says that it looks for keys alone, not for what follows from them, and
    `threads` that it changes the functions between a call and its handler too.
    """

    name: str
    command: tuple[str, ...]
    reader: Reader | None = None
    needs: str = ""
    sampled: bool = False
    reads_keys: bool = True
    threads: bool = False
    variables: tuple[tuple[str, str], ...] = ()
    note: str = ""

    def places(self, out: str) -> list[Place]:
        """What it reported."""
        return list(self.reader(out)) if self.reader else []


def capsule_lint(own: Environment, jobs: int, *options: str, name: str = OURS) -> Tool:
    """The tool itself, as it is installed from a wheel."""
    command = (own.bin("capsule-lint"), "check", "-j", str(jobs), "--output-format", "json")
    return Tool(name, (*command, *options), _capsule_lint, reads_keys=False, threads=True)


def yardstick(own: Environment, names: Path) -> Tool:
    """The least that a warm run has to do."""
    script = str(Path(__file__).with_name("yardstick.py"))
    return Tool("yardstick", (own.bin("python"), "-E", "-s", script, str(names)))


def stages(own: Environment) -> Tool:
    """A check in one process that says how long each of its stages takes."""
    script = str(Path(__file__).with_name("stages.py"))
    options = ("check", "-j", "1", "--quiet", "--output-file", os.devnull)
    return Tool("stages", (own.bin("python"), "-E", "-s", script, *options))


def checkers(peers: Environment, jobs: int) -> tuple[Tool, ...]:
    """The peers, each with a rule that finds keys without a capsule."""
    return (
        Tool("ast-grep", _ast_grep_check(peers, jobs), _ast_grep, needs="ast-grep-cli"),
        Tool(
            "Semgrep",
            (*_semgrep(peers, jobs), "--json", "--config", _script("semgrep_check.yml"), "."),
            _semgrep_report,
            needs="semgrep",
        ),
        Tool(
            "Fixit",
            (peers.bin("fixit"), "--quiet", "--rules", "fixit_rule:UnscopedKey", "lint", "."),
            _fixit,
            needs="fixit",
            sampled=True,
            variables=(("PYTHONPATH", str(_SCRIPTS)),),
        ),
    )


def fixers(peers: Environment, jobs: int) -> tuple[Tool, ...]:
    """The peers, each with a rule that rewrites the calls of the planted helper."""
    threads = ("-j", str(jobs))
    rewrite = ("-l", "python", "-p", _CALL, "-r", _SCOPED_CALL, "--update-all")
    by_rule = ("scan", *threads, "-r", _script("ast_grep_fix.yml"), "--update-all", ".")
    runner = ("-m", "libcst.tool", "codemod", "-x", "libcst_rule.ScopeCalls", "--no-format")
    grep = Tool("ast-grep run", (peers.bin("ast-grep"), "run", *threads, *rewrite, "."))
    libcst = Tool(
        "LibCST's runner",
        (peers.bin("python"), *runner, *threads, "--hide-progress", "."),
        sampled=True,
        variables=(("PYTHONPATH", str(_SCRIPTS)),),
        needs="libcst",
    )
    return (
        replace(grep, needs="ast-grep-cli", note="pattern and rewrite"),
        Tool(
            "ast-grep scan",
            (peers.bin("ast-grep"), *by_rule),
            needs="ast-grep-cli",
            note="a rule that touches one argument alone",
        ),
        Tool(
            "Semgrep",
            (*_semgrep(peers, jobs), "--autofix", "--config", _script("semgrep_fix.yml"), "."),
            needs="semgrep",
        ),
        libcst,
        Tool(
            "Rope",
            (peers.bin("python"), _script("rope_change.py")),
            needs="rope",
            sampled=True,
            note="change of the signature, with its calls",
        ),
    )


def _ast_grep_check(peers: Environment, jobs: int) -> tuple[str, ...]:
    rule = _script("ast_grep_check.yml")
    return (peers.bin("ast-grep"), "scan", "-j", str(jobs), "-r", rule, "--json=stream", ".")


def _semgrep(peers: Environment, jobs: int) -> tuple[str, ...]:
    quiet = ("--metrics=off", "--disable-version-check", "--quiet")
    return (peers.bin("semgrep"), "scan", *quiet, "-j", str(jobs))


def _script(name: str) -> str:
    return str(_SCRIPTS / name)


def _capsule_lint(out: str) -> Iterator[Place]:
    for finding in json.loads(out):
        yield Place(finding["filename"], finding["location"]["row"], finding["code"])


def _ast_grep(out: str) -> Iterator[Place]:
    for line in out.splitlines():
        found = json.loads(line)
        yield Place(_plain(found["file"]), found["range"]["start"]["line"] + 1)


def _semgrep_report(out: str) -> Iterator[Place]:
    for found in json.loads(out)["results"]:
        yield Place(_plain(found["path"]), found["start"]["line"])


def _fixit(out: str) -> Iterator[Place]:
    for found in _FIXIT_LINE.finditer(out):
        yield Place(_plain(found["path"]), int(found["row"]))


def _plain(path: str) -> str:
    return Path(path).as_posix()
