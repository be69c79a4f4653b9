"""The micro-benchmark of PyCG: small programs, each with the edges of its call graph.

Its source package carries 118 programs with 262 edges. 21 of these lead to something that no program
defines (`len`, `ext.function`) and 7 to a lambda, whose parameters nobody changes from afar. The other
234 lead to a function or method of the program itself: 184 from the body of a module, 48 from a
function or method, 2 from a lambda. For each of these the callee gains a parameter, together with its
overrides, as it would in a change set, and the edge is

- *resolved* if a call that stands in the caller is asked for the new argument,
- *reported* if the change set says that somebody has to look at an occurrence of the callee (it is
  used as a value, named in a string, called on what nobody knows), or at its definition, because the
  signature is not ours to change (`__next__`),
- *missed* otherwise: the change would be called safe, and the call would break.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from capsule_lint.facts import tree
from capsule_lint.facts.build import build
from capsule_lint.plan.planner import Planner
from capsule_lint.plan.uses.ledger import Ledger
from capsule_lint.policy import DEFAULT_SCOPES, Policy
from capsule_lint.program import link_names, link_program

if TYPE_CHECKING:
    from pathlib import Path

    from capsule_lint.program import Program
    from capsule_lint.program.model import Function, Scope

PACKAGE = "pycg==0.0.8"
PROGRAMS = 118
EDGES = 262
EDGES_TO_FUNCTIONS = 234
SCOPE = DEFAULT_SCOPES[-1]


@pytest.fixture(scope="module")
def snippets(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The folders of the programs."""
    folder = tmp_path_factory.mktemp("pycg")
    options = ("--no-binary", ":all:", "--no-deps", "--quiet", "--dest", str(folder))
    command = (sys.executable, "-m", "pip", "download", *options, PACKAGE)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return sorted(p.parent for p in folder.glob("*/micro-benchmark/snippets/**/callgraph.json"))


@dataclass(frozen=True)
class Snippet:
    """One program of the benchmark."""

    folder: Path

    @cached_property
    def texts(self) -> dict[str, str]:
        """Its files."""
        return {
            path.relative_to(self.folder).as_posix(): path.read_text()
            for path in sorted(self.folder.rglob("*.py"))
        }

    @cached_property
    def edges(self) -> list[tuple[str, str]]:
        """All edges of its call graph, caller first."""
        graph = json.loads((self.folder / "callgraph.json").read_text())
        return [(caller, callee) for caller, callees in graph.items() for callee in callees]

    @cached_property
    def program(self) -> Program:
        """It, linked."""
        facts = [build(name, text) for name, text in self.texts.items()]
        assert [fact.problem for fact in facts if fact.problem is not None] == []
        return link_program(link_names(facts, Policy()), Policy())

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Its functions and methods by their dotted names."""
        modules = self.program.names.modules.values()
        every = [function for module in modules for function in module.functions]
        found = {function.symbol: function for function in every}
        assert len(found) == len(every)
        return found

    @cached_property
    def lambdas(self) -> dict[int, str]:
        """The names by which the benchmark knows lambdas: counted in what they stand in."""
        names, count = self.program.names, Counter[str]()
        found: dict[int, str] = {}
        for module in names.modules.values():
            for node in module.nodes:
                if isinstance(node, tree.Lambda):
                    around = self._name(names.place(node).scope, found)
                    count[around] += 1
                    found[id(node)] = f"{around}.<lambda{count[around]}>"
        return found

    def caller(self, call: tree.Call) -> str:
        """The name of the function, lambda or module that a call stands in."""
        return self._name(self.program.names.place(call).scope, self.lambdas)

    def _name(self, scope: Scope, lambdas: dict[int, str]) -> str:
        for around in scope.ancestors():
            if around.kind == "lambda":
                return lambdas[id(self.program.names.index.lambdas[id(around)])]
            if around.kind == "function" and around.function is not None:
                return around.function.symbol
        return scope.module.name


@dataclass(frozen=True)
class Change:
    """What would be done and said if a function gained a parameter."""

    callers: frozenset[str]
    """Where calls are asked for the argument."""
    reports: tuple[str, ...]
    """What somebody has to look at."""

    @classmethod
    def of(cls, snippet: Snippet, function: Function) -> Change:
        """The change of one function of a program."""
        knot = ("function", function)
        planner = Planner(snippet.program)
        planner.signatures.gain(function, SCOPE, knot)
        ledger = Ledger(planner, snippet.texts.__getitem__)
        ledger.build()
        find = planner.state.groups.find
        reports = [
            *((at, o.reason) for at, o in planner.state.obstacles),
            *((at, row.reason) for at, row in ledger.rows if not row.verdict.settled),
        ]
        return cls(
            frozenset(snippet.caller(w.call) for w in planner.state.wants if w.call is not None),
            tuple(reason for at, reason in reports if find(at) == find(knot)),
        )


def _fates(snippet: Snippet) -> list[tuple[str, str]]:
    """What becomes of each edge to a function of the program."""
    changes = {
        callee: Change.of(snippet, snippet.functions[callee])
        for _, callee in snippet.edges
        if callee in snippet.functions
    }
    found = []
    for caller, callee in snippet.edges:
        if callee in changes:
            change = changes[callee]
            seen = "reported" if change.reports else "missed"
            fate = "resolved" if caller in change.callers else seen
            found.append((fate, f"{'/'.join(snippet.folder.parts[-2:])}: {caller} -> {callee}"))
    return found


@pytest.mark.slow
def test_no_edge_is_missed_silently(snippets: list[Path]) -> None:
    programs = [Snippet(folder) for folder in snippets]
    assert len(programs) == PROGRAMS
    assert sum(len(program.edges) for program in programs) == EDGES
    fates = [fate for program in programs for fate in _fates(program)]
    count = Counter(fate for fate, _ in fates)
    print(", ".join(f"{count[fate]} {fate}" for fate in ("resolved", "reported", "missed")))
    assert len(fates) == EDGES_TO_FUNCTIONS
    assert [edge for fate, edge in fates if fate == "missed"] == []
