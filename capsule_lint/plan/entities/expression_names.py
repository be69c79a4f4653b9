"""What stands for attributes in the expressions of operations: `ExpressionAttributeNames={"#region": "region"}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddEntry
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.local_names import behind
from capsule_lint.program.places.sites import NAMES

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot

RESERVED: Final = frozenset(
    [
        *("bucket", "class", "cluster", "collection", "context", "database", "domain", "group"),
        *("groups", "host", "language", "level", "location", "mode", "namespace", "owner"),
        *("partition", "path", "plan", "project", "region", "role", "schema", "scope", "section"),
        *("segment", "session", "shard", "source", "space", "state", "status", "store", "system"),
        *("unit", "user", "users", "view", "zone"),
    ]
)
"""Words that DynamoDB reserves, or may, and that scopes are called: expressions name them by something that stands for
them."""


class ExpressionNames(MendRoom, Struct, frozen=True):
    """Names attributes in expressions."""

    mends: Mends

    def name(
        self,
        new: str,
        beside: str,
        said: tree.Node | None,
        knot: Knot,
        call: tuple[tree.Call, str] | None = None,
    ) -> str | None:
        """How an expression names a new attribute beside one that is named so: as it is, or by what is added to the
        names that are `said` to stand for others, or to the `call` that is told none, behind an argument of it.
        `None` where that cannot be written."""
        if not beside.startswith("#") and new.lower() not in RESERVED:
            return new
        alias, key, value = f"#{new}", f'"#{new}"', f'"{new}"'
        if said is None:
            if call is None:
                return None
            whole, keyword = call
            at = next((n for n, a in enumerate(whole.args, 1) if a.keyword == keyword), None)
            if at is None:  # a dict that is spread there tells it
                return None
            filename, code = self.program.names.module_of(whole).filename, f"{{{key}: {value}}}"
            self.mends.add_once(knot, AddArgument(filename, whole.span, "CAP301", code, NAMES, at))
            return alias
        display = behind(self.program.names, said)
        if not isinstance(display, tree.DictDisplay) or not display.values or display.spread:
            return None
        known = display.under(alias)
        if known is not None:
            return alias if tree.text(known) == new else None
        anchor = display.under(beside) or display.values[-1]
        filename = self.program.names.module_of(display).filename
        self.mends.add_once(
            knot, AddEntry(filename, display.span, "CAP301", key, value, anchor.span)
        )
        return alias
