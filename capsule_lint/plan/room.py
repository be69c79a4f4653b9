"""What rooms of the plan have in common: whom they work for, and what they see through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import State
    from capsule_lint.program import Program


class Room:
    """Works for the planner that it is given."""

    __slots__ = ()
    if TYPE_CHECKING:  # a field of those that inherit, which must not find a default here

        @property
        def planner(self) -> Planner: ...

    @property
    def program(self) -> Program:
        """The program that is planned for."""
        return self.planner.program

    @property
    def state(self) -> State:
        """What the planner has decided so far."""
        return self.planner.state


class MendRoom(Room):
    """Adds to the mends that it is given, once their planner has decided everything."""

    __slots__ = ()
    if TYPE_CHECKING:

        @property
        def mends(self) -> Mends: ...

    @property
    def planner(self) -> Planner:
        """The planner whose plan is mended."""
        return self.mends.planner
