"""What texts look like that are keys, and what others look like: names, paths of files, what people are told."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.program.texts.pieces import Filled, marks_of

if TYPE_CHECKING:
    from capsule_lint.policy import Policy
    from capsule_lint.program.texts.pieces import Template
    from capsule_lint.program.texts.templates import Templates

KEYISH: Final = re.compile(r"^(?:[A-Za-z][\w-]*[#|/:]|\{\}[#|/]|[A-Z][A-Z0-9_]*$)")
_PATH: Final = re.compile(r"/\w+=")
"""What stands in paths of files that are parted by values: `audit/year=2024/month=01`."""
_TYPES: Final = frozenset(("S", "N", "B", "HASH", "RANGE"))
_PROSE: Final = re.compile(r"[^#|]*(?:\w \w+ \w|[:,;] \w|://)")
"""What begins as people are told something, and as no key does: `no such key "{}". See http://…`."""


class Looks(Struct, frozen=True, dict=True):
    """Tells them apart."""

    policy: Policy
    templates: Templates

    def like_key(self, template: Template) -> bool:
        """Whether a template looks like a key at all."""
        text = template.text
        if self.templates.segments(template.pieces):
            return True
        whole = len(template.pieces) == 1
        if whole and isinstance(template.pieces[0], Filled):
            return False
        if whole and (self.policy.is_key_name(text) or self.policy.is_sort_key_name(text)):
            return False  # the name of an attribute: `pk_name="GSI1PK"`
        if whole and text in _TYPES:
            return False  # of what type the key is: `pk_type = "S"`
        if whole and text.isidentifier() and self.policy.is_index_key_name(f"{text}PK"):
            return False  # the name of an index: `{"gsi1pk": "GSI1"}`
        if _PATH.search(text) or _PROSE.match(text):
            return False
        if "#" in text and not text.startswith("#"):
            return True
        return any(form.match(text) for form in (KEYISH, self._tagged) if form is not None)

    @cached_property
    def _tagged(self) -> re.Pattern[str] | None:
        """A word and the mark with which policy's tags end, where that may be anything: `note.{}`."""
        marks = {marks_of(scope.tag) for scope in self.policy.scopes} - set("#|/:")
        ends = "|".join(map(re.escape, sorted(filter(None, marks))))
        return re.compile(rf"[A-Za-z][A-Za-z0-9]*(?:{ends})") if ends else None
