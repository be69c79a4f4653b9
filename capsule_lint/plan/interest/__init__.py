"""Which files of a program can matter to an analysis, told by their texts."""

from capsule_lint.plan.interest.interest import SPARE, Interest
from capsule_lint.plan.interest.signs import Signs

__all__ = ["SPARE", "Interest", "Signs"]
