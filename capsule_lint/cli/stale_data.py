"""Data files beside tests in which keys stand that change, or entities that gain a field: nothing rewrites them, so
a person is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from capsule_lint.source.beside import data_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.model import ChangeSet, Gain
    from capsule_lint.policy import Policy


def stale_data(
    policy: Policy, filenames: Sequence[str], applied: Sequence[ChangeSet]
) -> Iterator[tuple[str, int, str]]:
    """Such files, each with a row, and with what stands there that nothing rewrites."""
    keys = [re.compile(p, re.DOTALL) for p in dict.fromkeys(p for c in applied for p in c.keys)]
    gains = list(dict.fromkeys(gain for change in applied for gain in change.gains))
    tests = [name for name in filenames if policy.is_test_file(name)]
    for name, text in data_files(policy.root, tests) if keys or gains else ():
        found = [one for key in keys if (one := key.search(text)) is not None]
        if found:
            first = min(found, key=lambda one: one.start())
            yield name, _row(text, first.start()), f"`{first[0]}`, a key that changes"
            continue
        words = set(re.findall(r"\w+", text)) if gains else set()
        gain = next((one for one in gains if _lacks(words, one)), None)
        if gain is not None:
            at = min(text.index(field) for field in gain.had)
            yield (
                name,
                _row(text, at),
                f"what may be data of `{gain.entity}`, which gains `{gain.name}`",
            )


def _row(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _lacks(words: set[str], gain: Gain) -> bool:
    """Whether a text names all that an entity needs already, and not what it gains."""
    return words.issuperset(gain.had) and gain.name not in words
