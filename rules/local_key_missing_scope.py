"""A dict, cache key or filter of a repository, or what makes two entities equal, lacks a scope.

## Why is this bad?
A cache that is keyed without the capsule hands the rows of one capsule to the other, however well
the table behind it is keyed. An in-memory repository that ignores it lets tests pass that should not.
Entities whose `__eq__` and `__hash__` ignore it take each other's place in sets and dicts.

## Example
```python
return self._items.get((tenant_id, config_id))
```

## Use instead
```python
return self._items.get((tenant_id, capsule_id, config_id))
```

## Fix safety
Every place that uses the same collection changes with it. Code that takes its keys apart in a way
that is not understood makes the change unsafe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import KeyFact, KeyUse
from capsule_lint.rewrite import (
    ArgumentFix,
    ConditionFix,
    ElementFix,
    EntryFix,
    ReplaceFix,
    SegmentFix,
)
from capsule_lint.rule import Bad, ExpressionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """Keys and filters of collections that repositories keep."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a key or filter that lacks scopes."""
        for fact in self.facts(node, KeyFact):
            if fact.use is KeyUse.LOCAL and fact.missing:
                self.flag(node, fact)


RULE = Rule(
    code="CAP107",
    message="local key or filter lacks {missing}",
    check=Visitor,
    fix=(ElementFix, EntryFix, ArgumentFix, SegmentFix, ConditionFix, ReplaceFix),
    fix_message="Add the scope to the local key or filter",
    valid=(
        """
        class InMemoryOrderRepository:
            def __init__(self) -> None:
                self._orders: dict[tuple[str, str, str], object] = {}

            def get(self, tenant_id: str, capsule_id: str, order_id: str) -> object | None:
                return self._orders.get((tenant_id, capsule_id, order_id))
        """,
        """
        class Rates:
            def __init__(self) -> None:
                self._rates: dict[str, float] = {}

            def rate(self, currency: str) -> float:
                return self._rates[currency]
        """,
    ),
    invalid=(
        Bad(
            """
            class InMemoryOrderRepository:
                def __init__(self) -> None:
                    self._orders: dict = {}

                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> object | None:
                    return self._orders.get((tenant_id, order_id))

                def put(self, tenant_id: str, capsule_id: str, order_id: str, order: object) -> None:
                    self._orders[tenant_id, order_id] = order
            """,
            lines=(6, 9),
            fixed="""
            class InMemoryOrderRepository:
                def __init__(self) -> None:
                    self._orders: dict = {}

                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> object | None:
                    return self._orders.get((tenant_id, capsule_id, order_id))

                def put(self, tenant_id: str, capsule_id: str, order_id: str, order: object) -> None:
                    self._orders[tenant_id, capsule_id, order_id] = order
            """,
        ),
        Bad(
            """
            class Order:
                def __init__(self, tenant_id: str, capsule_id: str, order_id: str) -> None:
                    self.tenant_id = tenant_id
                    self.capsule_id = capsule_id
                    self.order_id = order_id

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER#{self.order_id}"

                def __hash__(self) -> int:
                    return hash((self.tenant_id, self.order_id))
            """,
            lines=(12,),
            fixed="""
            class Order:
                def __init__(self, tenant_id: str, capsule_id: str, order_id: str) -> None:
                    self.tenant_id = tenant_id
                    self.capsule_id = capsule_id
                    self.order_id = order_id

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER#{self.order_id}"

                def __hash__(self) -> int:
                    return hash((self.tenant_id, self.capsule_id, self.order_id))
            """,
        ),
        Bad(
            """
            class CachedOrderRepository:
                def __init__(self) -> None:
                    self._cache: dict[str, object] = {}

                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> object | None:
                    return self._cache.get(f"order:{tenant_id}:{order_id}")
            """,
            lines=(6,),
            fixed="""
            class CachedOrderRepository:
                def __init__(self) -> None:
                    self._cache: dict[str, object] = {}

                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> object | None:
                    return self._cache.get(f"order:{tenant_id}:{capsule_id}:{order_id}")
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: str
                order_id: str

            class InMemoryOrderRepository:
                def __init__(self) -> None:
                    self._orders: list[Order] = []

                def all(self, tenant_id: str, capsule_id: str) -> list[Order]:
                    return [o for o in self._orders if o.tenant_id == tenant_id]
            """,
            lines=(14,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: str
                order_id: str

            class InMemoryOrderRepository:
                def __init__(self) -> None:
                    self._orders: list[Order] = []

                def all(self, tenant_id: str, capsule_id: str) -> list[Order]:
                    return [
                        o
                        for o in self._orders
                        if o.tenant_id == tenant_id and o.capsule_id == capsule_id
                    ]
            """,
        ),
    ),
)
