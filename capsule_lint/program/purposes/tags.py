"""Words of keys that say what these are of, `CONFIG` of `TENANT#{t}#CONFIG#{c}`, and whose they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.program.purposes.naming import entity_words, is_called
from capsule_lint.program.texts.marks import is_plainly_marked
from capsule_lint.program.texts.pieces import Text, bare_word, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.program.model import Class
    from capsule_lint.program.purposes.belonging import Belonging
    from capsule_lint.program.purposes.own_rows import OwnRows
    from capsule_lint.program.texts.pieces import Template

_TAG: Final = re.compile(r"(?:^|[#|/:])([A-Za-z][\w-]*)(?=[#|/:]|$)")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
"""A tag where policy's tags end with anything else."""


class Tags(Struct, frozen=True):
    """Finds them."""

    belonging: Belonging
    own: OwnRows

    def of(self, template: Template) -> list[str]:
        """The tags of a template that are no scope's."""
        scopes = self.belonging.domain.policy.scopes
        scope_tags = {bare_word(scope.tag).lower() for scope in scopes}
        tag = _TAG if is_plainly_marked(scopes) else _WORD
        found = []
        for piece in template.pieces:
            if isinstance(piece, Text):
                found += [t for t in tag.findall(piece.value) if t.lower() not in scope_tags]
        return found

    def entity(self, tags: Iterable[str]) -> str | None:
        """The entity of policy's table that a tag of a key names."""
        entities = self.belonging.domain.policy.entities
        return next((e for e in entities if any(self._is_tag_of(e, tag) for tag in tags)), None)

    def _is_tag_of(self, entity: str, tag: str) -> bool:
        """Whether a tag names an entity of policy's table: `VEHICLE#` is none of a `VehicleModel` with keys `MODEL#`,
        where there is a `Vehicle` which policy's table does not have."""
        last = entity.rpartition(".")[2]
        full, name = words(last), entity_words(last)
        if is_called(tag, full) or not is_called(tag, name):
            return is_called(tag, full)
        kin = self.belonging.called.naming.joined(("".join(name),))
        if all(words(cls.name) != name or self.own.listed(cls) for cls in kin):
            return True
        own, others = (self._are_tagged(kin, of, name) for of in (entity, ""))
        return any(own) or not (own or any(others))

    def _are_tagged(self, kin: list[Class], of: str, name: tuple[str, ...]) -> list[bool]:
        """Whether a name is a tag of each key of the table that those classes make which policy's table has as `of`."""
        made = (site for cls in kin for site in self.own.made(cls, of))
        keys = [site.template for site in made if not site.index]
        return [any(is_called(tag, name) for tag in self.of(key)) for key in keys]
