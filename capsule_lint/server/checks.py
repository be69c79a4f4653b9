"""When a program is checked: off the event loop, once it has been quiet for a moment, the newest alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from pathlib import Path

    from capsule_lint.server.program import Document, Outcome, Program


@dataclass(eq=False, slots=True)
class Checks:
    """The checks of one program. What becomes known goes to `publish`, unless more has changed since."""

    program: Program
    worker: Executor
    documents: Callable[[], Mapping[Path, Document]]
    publish: Callable[[Checks, Outcome], None]
    newest: Outcome | None = None
    _wanted: bool = False
    _due: float = 0.0
    _task: asyncio.Task[None] | None = None

    def request(self, delay: float = 0.0) -> None:
        """Check after `delay` seconds, counted anew from each request."""
        loop = asyncio.get_running_loop()
        self._wanted = True
        self._due = loop.time() + delay
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._work())

    async def settled(self) -> Outcome | None:
        """What is known once nothing is left to check."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])
        return self.newest

    def stop(self) -> None:
        """Check no more."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._wanted:
            while (left := self._due - loop.time()) > 0:
                await asyncio.sleep(left)
            self._wanted = False
            documents = self.documents()
            outcome = await loop.run_in_executor(self.worker, self.program.check, documents)
            if not self._wanted:
                self.newest = outcome
                self.publish(self, outcome)
