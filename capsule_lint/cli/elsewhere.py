"""A report of a program of which only files have changed that do not matter: it would be the same.

Most commits touch no key. What such a report depends on is kept with it: the files that were looked
into, and the words and patterns by which any other file would have been. A file that has changed is
read and searched for these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.cache.store import Store, digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capsule_lint.analysis import Analysis
    from capsule_lint.policy import Policy

_MOST: Final = 200
"""Files that are searched; more have changed with the branch, and some will matter."""


class Elsewhere(Struct, frozen=True):
    """Keeps such a report, and finds it again. `name` tells the command, the policy and which files
    there are, and `digests` what is in them."""

    store: Store
    name: str
    digests: Mapping[str, bytes]

    def keep(self, report: tuple[int, str], analysis: Analysis) -> None:
        """Keep a report with what it depends on."""
        reading = analysis.reading
        if reading is None:
            return
        signs = [sorted(getattr(reading.signs, one)) for one in reading.signs.__struct_fields__]
        lengths = {name: len(text) for name, text in analysis.texts.items()}
        consulted = sorted(reading.consulted)
        kept = (*report, dict(self.digests), lengths, consulted, signs, reading.spared)
        self.store.save(self.name, kept)

    def answer(self, policy: Policy) -> tuple[int, str] | None:
        """The exit code and the report, if nothing has changed that matters."""
        match self.store.load(self.name):
            case (
                int() as status,
                str() as text,
                dict() as then,
                dict() as lengths,
                list() as consulted,
                list() as signs,
                int() as spared,
            ):
                changed = [name for name, now in self.digests.items() if then.get(name) != now]
                if len(changed) > _MOST or not {*changed}.isdisjoint(consulted):
                    return None
                texts = self._texts(policy, changed)
                if texts is None or any(name not in lengths for name in changed):
                    return None
                grown = sum(len(texts[name]) - int(lengths[name]) for name in changed)
                if spared + grown <= 0 or self._matter(policy, texts, signs):
                    return None
                self.store.touch(self.name)
                return status, text
        return None

    def _texts(self, policy: Policy, names: list[str]) -> dict[str, str] | None:
        """What is in files, if that can be read and is what was looked at."""
        from capsule_lint.analysis import Workspace

        workspace = Workspace(policy.root, tuple(names))
        workspace.load()
        read = workspace.sources.items()
        if workspace.problems or any(digest(s.data) != self.digests[name] for name, s in read):
            return None
        return workspace.texts()

    def _matter(self, policy: Policy, texts: dict[str, str], signs: list[list[str]]) -> bool:
        from capsule_lint.plan.interest import Interest, Signs

        return Interest(policy, texts).reached(Signs(*map(frozenset, signs)))
