"""Layers: classes that hand whole keys, items and conditions on to the table and add nothing of their own.

What a layer reads and writes is its callers' business: they make the keys. An application's repository
takes an identifier or one kind of entity, or makes a key; a layer does none of these.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.program.calling.dispatch import dispatches
from capsule_lint.program.inference.types import Collection, Instance
from capsule_lint.program.model import method_around

if TYPE_CHECKING:
    from collections.abc import Iterable

    from capsule_lint.program.inference.types import Types
    from capsule_lint.program.model import Class, Function
    from capsule_lint.program.purposes.domain import Domain

_BASE: Final = re.compile(
    r"^(?:Abstract|Base|Generic|I[A-Z])|Base$"
    r"|^(?:DB|Db|DDB|Ddb|Dynamo|DynamoDB|DynamoDb)?(?:Model|Entity|Item|Record|Resource|Document)$"
)
"""Names of classes that stand for any entity."""
_TECHNICAL: Final = re.compile(
    r"(?:dynamo|db|ddb|aws|boto3?|nosql|sql|table|database|data|item|entity|record|model|object|row"
    r"|resource|key|value|kv|base|abstract|generic|simple|single|i(?=repo|dao|store|dynamo|table)"
    r"|repository|repo|dao|store|storage|gateway|client|wrapper|adapter|interface|impl|access|crud"
    r"|service|manager|query|helper|utils?|sync|async|aio|inmemory|memory|fake|mock|v?\d)+",
    re.IGNORECASE,
)
"""Names of classes that say how something is kept, and not what."""
_CONDITION: Final = re.compile(
    r"(?:Index|Indexes|Condition|Expression|Filter|Table|Query|Result|Response|Page)$"
)
"""Names of classes that say which items are meant, or hold some, and are none."""


@dataclass(eq=False, slots=True)
class Layers:
    """Tells layers from an application's repositories."""

    domain: Domain
    _made: set[Class] = field(default_factory=set)
    """The classes in which keys are written."""
    _keyed: set[Class] = field(default_factory=set)
    """The classes in which keys are written, or asked for by a key helper."""

    def find(self, candidates: Iterable[Class]) -> set[Class]:
        """Those of the repositories that are layers, together with all that share their methods."""
        domain = self.domain
        self._made = {s.owner for s in domain.keys.sites if s.owner is not None}
        self._keyed = set(self._made)
        own = [
            h for h in domain.keys.helpers if not h.takes_self or h.owner in domain.repositories
        ]
        making = self._making_keys(own)  # and no item that is asked for its own key
        for helper in own:
            if helper not in making:
                continue  # a conversion of whole items, whose keys go through as they are
            for call, _ in domain.calls.callers(helper):
                function = method_around(self.domain.names.function_of(call))
                if function is not None and function.owner is not None:
                    self._keyed.add(function.owner)
        left = {cls for cls in candidates if self._is_plain(cls)}
        before = -1
        while before != len(left):
            before = len(left)
            others = {cls for cls in candidates if cls not in left}
            left = {cls for cls in left if not self._has_kin(cls, others)}
        return left

    def _making_keys(self, helpers: Iterable[Function]) -> set[Function]:
        """Those of some helpers, and of the functions whose results they return, in which a key is written, or in one
        whose result they return."""
        keys, queue = self.domain.keys, list(helpers)
        seen, found = set(queue), queue[:0]
        returning: dict[Function, list[Function]] = defaultdict(list)
        while queue:
            current = queue.pop()
            family = self.domain.calls.families.of(current)
            if any(keys.inside(member) for member in family):
                found.append(current)
                continue
            returned = (value for member in family for value in member.returns)
            for other in (one for value in returned for one in keys.results.helpers_in(value)):
                returning[other].append(current)
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
        making = set(found)
        while found:
            new = set(returning[found.pop()]) - making
            making |= new
            found += new
        return making

    def _has_kin(self, cls: Class, others: set[Class]) -> bool:
        """Whether a class shares a method with one of some other repositories. Who calls it is asked only where one of
        them has a method that is called so."""
        named = {name for other in others for name in other.methods}
        return any(
            member.owner in others
            for name, method in cls.methods.items()
            if not name.startswith("_") and self.domain.is_operation(method)
            if name in named or dispatches(method) or "register" in method.decorators
            for member in self.domain.calls.families.of(method)
        )

    def _is_plain(self, cls: Class) -> bool:
        domain = self.domain
        if any(owner in self._keyed for owner in domain.classes.mro(cls)):
            return False
        anyone = _TECHNICAL.fullmatch(cls.name.replace("_", "")) is not None
        if domain.policy.is_repository_name(cls.name) and not anyone:
            return False
        methods = [m for name, m in cls.methods.items() if not name.endswith("__")]
        touching = self._reaching(methods)
        if not touching and not domain.classes.is_abstract(cls):
            return False
        asked = touching or methods
        if any(domain.is_identifier(p) for m in asked for p in m.own_params):
            return False
        return not any(self._speaks_of_entity(m, anyone) for m in methods)

    def _reaching(self, methods: list[Function]) -> list[Function]:
        """The methods that call the table, or one of their own that does."""
        found = [m for m in methods if self.domain.touches_table(m)]
        for method in found:
            with self.domain.names.aside():  # its own methods stand beside it
                calls = list(self.domain.calls.callers(method))
            for call, _ in calls:
                caller = method_around(self.domain.names.function_of(call))
                if caller in methods and caller not in found:
                    found.append(caller)
        return found

    def _speaks_of_entity(self, method: Function, anyone: bool) -> bool:
        """Whether a method's signature says which kind of item it is about."""
        said = [p.annotation for p in method.own_params] + [method.fact.returns]
        annotations = self.domain.inference.annotations
        return any(
            self._names_entity(annotations.of(one), anyone) for one in said if one is not None
        )

    def _names_entity(self, types: Types, anyone: bool) -> bool:
        """Whether a type is one kind of item, and not the base of all that can be items."""
        for one in types:
            if isinstance(one, Collection) and self._names_entity(one.items, anyone):
                return True
            if (
                isinstance(one, Instance)
                and self.domain.is_item(one.cls)
                and not _CONDITION.search(one.cls.name)
                and not self._stands_for_any(one.cls, anyone)
            ):
                return True
        return False

    def _stands_for_any(self, cls: Class, anyone: bool) -> bool:
        """Whether a class stands for all that can be items: a base, or a row that is given its key."""
        domain = self.domain
        if domain.has_key(cls) or domain.has_scope(cls) or cls in self._made:
            return False
        if any(sub is not cls for sub in domain.classes.subclasses(cls)) or _BASE.search(cls.name):
            return True
        params = domain.classes.constructor(cls) or ()
        return anyone and any(domain.policy.is_key_name(p.name) for p in params)
