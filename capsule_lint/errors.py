"""What can go wrong on our side of the contract: one base with an exit code, leaves with fields."""

from __future__ import annotations


class CapsuleLintError(Exception):
    """A run cannot go on. `str()` is one clear sentence or paragraph: file, place, remedy."""

    exit_code = 2


class PolicyError(CapsuleLintError):
    """The policy cannot be used: which file, which key, what to do about it."""

    def __init__(self, path: str, key: str, problem: str) -> None:
        super().__init__(path, key, problem)
        self.path = path
        self.key = key
        self.problem = problem

    def __str__(self) -> str:
        where = f"{self.path}: {self.key}" if self.key else self.path
        return f"{where}: {self.problem}"


class SourceError(CapsuleLintError):
    """A path given on the command line, or a file to be written, cannot be used."""

    def __init__(self, path: str, problem: str, row: int = 1) -> None:
        super().__init__(path, problem, row)
        self.path = path
        self.problem = problem
        self.row = row

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class RuleError(CapsuleLintError):
    """A rule pack is broken or ambiguous."""


class InternalError(CapsuleLintError):
    """A promise of ours does not hold: nothing was written. Please report it."""

    exit_code = 101
