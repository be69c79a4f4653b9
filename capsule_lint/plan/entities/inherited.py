"""Fields that a class says as a base says that of another scope, `tenant_id = UnicodeAttribute()`: the names in that mean
the same in the file of the class, or are imported there."""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.fields import alias_of, base_of, described
from capsule_lint.program.model import last_name
from capsule_lint.program.names import External

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.policy import Scope
    from capsule_lint.program.fields import Field
    from capsule_lint.program.model import Binding, Class, Module

_NAME: Final = re.compile(r"(?<![.\w])[A-Za-z_]\w*\b(?!\s*=)")
"""The names in code, attributes and keywords aside."""


@dataclass(eq=False, slots=True)
class Inherited(MendRoom):
    """Finds such a field, and has the names imported."""

    mends: Mends

    def beside(self, cls: Class, scope: Scope) -> tuple[Field, Scope] | None:
        """The field of another scope that a class inherits, where more is said of it than its type."""
        classes = self.program.classes
        is_attribute = self.program.domain.held.is_attribute
        fields = [f for f in classes.fields(cls) if f.owner is not cls]
        fields += [f for owner in classes.mro(cls)[1:] for f in described(owner)]
        return next(
            (
                (field, other)
                for other, _ in self.program.policy.beside(scope)
                for field in fields
                if is_attribute(cls, field.name, other)
                if isinstance(field.value, tree.Call)
                or last_name(base_of(field.annotation)) == "Annotated"
            ),
            None,
        )

    def have(self, cls: Class, field: Field, code: str) -> None:
        """Have a class know all that `code` says, which is written as a field of a base is."""
        home, names = field.owner.module, self.program.names
        node = field.value or field.statement.targets[0]
        said, refuse = _names_in(code.partition(" = ")[2]), self.mends.obstacle
        made = set(said).difference(_names_in(self.mends.source(home, field.statement.span)))
        if field.has_default and (alias_of(field.value) or alias_of(field.annotation)):
            reason = f"names a field elsewhere, which those who make `{cls.name}` may leave out"
            refuse(("class", cls), node, reason)
        for name in dict.fromkeys(_names_in(code)):
            found = names.bindings(name, names.place(node))
            own = names.global_binding(cls.module, name)
            inside = any(not one.is_global for one in found)
            if not found and (name not in made or own is not None or hasattr(builtins, name)):
                continue
            if found and not inside and own and _same(names.follow(own), names.follow(found[-1])):
                continue
            source = self._source(home, found[-1]) if found and not inside else None
            if source is not None:
                self.mends.import_(("class", cls), cls.module, source, name)
            else:
                reason = f"says a field by `{name}`, which `{cls.name}` would have to say as well"
                refuse(("class", cls), node, reason)

    def _source(self, home: Module, binding: Binding) -> str | None:
        """The module from which another one can import a name as it is called there."""
        imported = binding.imported
        if imported is None:
            return home.name
        if imported.name != binding.name:
            return None
        return self.program.names.absolute(home, binding.level, imported.module)


def _names_in(code: str) -> list[str]:
    return _NAME.findall(re.sub(r"\"[^\"]*\"|'[^']*'", "", code))


def _same(one: object, other: object) -> bool:
    if isinstance(one, External) and isinstance(other, External):
        return one.name == other.name
    return one is other
