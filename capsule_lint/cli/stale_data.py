"""Data files beside tests in which keys stand that change: nothing rewrites them, so a person is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from capsule_lint.source.beside import data_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.model import ChangeSet
    from capsule_lint.policy import Policy


def stale_data(
    policy: Policy, filenames: Sequence[str], applied: Sequence[ChangeSet]
) -> Iterator[tuple[str, int, str]]:
    """Such files, with the row of the first such key, and the key."""
    keys = [re.compile(p, re.DOTALL) for p in dict.fromkeys(p for c in applied for p in c.keys)]
    tests = [name for name in filenames if policy.is_test_file(name)]
    for name, text in data_files(policy.root, tests) if keys else ():
        found = [one for key in keys if (one := key.search(text)) is not None]
        if found:
            first = min(found, key=lambda one: one.start())
            yield name, text.count("\n", 0, first.start()) + 1, first[0]
