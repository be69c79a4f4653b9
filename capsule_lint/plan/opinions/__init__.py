"""What is complete and still not right: opinions on the program as it is, besides what the plan changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.plan.opinions.arguments import ArgumentOpinions
from capsule_lint.plan.opinions.base import Ground, Opinion
from capsule_lint.plan.opinions.drifts import DriftOpinions
from capsule_lint.plan.opinions.evidence import EvidenceOpinions
from capsule_lint.plan.opinions.given_names import NamedOpinions
from capsule_lint.plan.opinions.kept_keys import KeptKeyOpinions
from capsule_lint.plan.opinions.keys import KeyOpinions
from capsule_lint.plan.opinions.leaking_reads import LeakingReads
from capsule_lint.plan.opinions.parameters import ParameterOpinions
from capsule_lint.plan.opinions.scans import ScanOpinions
from capsule_lint.plan.opinions.trust import TrustOpinions
from capsule_lint.plan.opinions.unread import UnreadKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from capsule_lint.model import Span
    from capsule_lint.plan.planner import Planner
    from capsule_lint.program.model import Module


def opinions_on(planner: Planner, source: Callable[[Module, Span], str]) -> Iterator[Opinion]:
    """All opinions on a program whose plan is settled.

    `source` gives the text of a file between two places.
    """
    ground = Ground(planner, source)
    yield from KeyOpinions(ground).find()
    yield from UnreadKeys(ground).find()
    yield from ArgumentOpinions(ground).find()
    yield from NamedOpinions(ground).find()
    yield from KeptKeyOpinions(ground).find()
    yield from ParameterOpinions(ground).find()
    yield from DriftOpinions(ground).find()
    yield from ScanOpinions(ground).find()
    yield from LeakingReads(ground).find()
    yield from TrustOpinions(ground).find()
    yield from EvidenceOpinions(ground).find()


__all__ = ["Opinion", "opinions_on"]
