"""What all jobs share: how much is measured, with what, and how a command is run."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bench import measure, snippets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.environments import Environment
    from bench.measure import Ran, Took
    from bench.packages import Packages
    from bench.tools import Tool


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is planted and measured. `steps` are the calls that the chains of a curve hold."""

    lines: int
    share: float
    dependents: int
    calls: int
    sample: int
    more_lines: tuple[int, ...]
    more_calls: tuple[int, ...]
    depths: tuple[int, ...]
    shares: tuple[float, ...]
    steps: int


LINES: Final = {"0.3M": 300_000, "1M": 1_000_000, "3M": 3_000_000}
FULL: Final = Scale(
    lines=LINES["1M"],
    share=0.01,
    dependents=50,
    calls=1_000,
    sample=30_000,
    more_lines=(300_000, 1_000_000, 3_000_000),
    more_calls=(100, 1_000, 10_000),
    depths=(1, 10, 50),
    shares=(0.01, 0.1, 0.5),
    steps=1_000,
)
QUICK: Final = Scale(
    lines=60_000,
    share=0.1,
    dependents=10,
    calls=100,
    sample=6_000,
    more_lines=(20_000, 40_000, 60_000),
    more_calls=(10, 30, 100),
    depths=(1, 5, 10),
    shares=(0.01, 0.1, 0.5),
    steps=50,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One run of the benchmark.

    Each command is measured `runs` times, but not again once it has taken `patience` seconds in
    all; it is ended after `limit` seconds.
    """

    packages: Packages
    own: Environment
    peers: Environment | None
    scale: Scale
    jobs: int
    runs: int
    patience: int
    limit: int
    say: Callable[[str], None]
    _fixed: dict[tuple[str, ...], Took] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        """The folder for all that the benchmark makes."""
        return self.packages.work

    def run(self, tool: Tool, folder: Path) -> Ran:
        """Run a tool in a folder, without network where it would use one."""
        state = self.work / "state"
        state.mkdir(parents=True, exist_ok=True)
        quiet = {
            "NO_COLOR": "1",
            "SEMGREP_SEND_METRICS": "off",
            "SEMGREP_ENABLE_VERSION_CHECK": "0",
            "SEMGREP_SETTINGS_FILE": str(state / "semgrep.yml"),
            "SEMGREP_LOG_FILE": str(state / "semgrep.log"),
            "XDG_CACHE_HOME": str(state),
        }
        return measure.run(tool.command, folder, quiet | dict(tool.variables), self.limit)

    def fixed(self, tool: Tool) -> Took:
        """What a tool takes for next to no code. It also brings the tool itself into memory."""
        if tool.command not in self._fixed:
            folder = self.work / "next-to-nothing"
            shutil.rmtree(folder, ignore_errors=True)
            for name, text in snippets.SHARED.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(text, encoding="utf-8")
            (folder / "orderbook" / "keys.py").write_text(snippets.SHIFTED_HELPER.lstrip())
            (folder / "capsule-lint.toml").write_text(snippets.POLICY, encoding="utf-8")
            runs = [self.run(tool, folder).took for _ in range(3 if tool.sampled else 1)]
            self._fixed[tool.command] = measure.middle(runs)
        return self._fixed[tool.command]

    def problem(self, tool: Tool) -> str | None:
        """Why a tool cannot run: it is not installed."""
        if not tool.needs:
            return None
        if self.peers is None:
            return "left out"
        return self.peers.problems.get(tool.needs)
