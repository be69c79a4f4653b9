"""A scope parameter is accepted and never used.

## Why is this bad?
The signature promises isolation, every caller passes the capsule, and all capsules are read or
emptied. Such a parameter passes every review that looks at calls.

## Example
```python
def clear(self, tenant_id: str, capsule_id: str) -> None:
    self._orders.clear()
```

## Use instead
```python
def clear(self, tenant_id: str, capsule_id: str) -> None:
    for key in [k for k in self._orders if k[:2] == (tenant_id, capsule_id)]:
        del self._orders[key]
```

## Fix safety
There is no fix here: where a key or filter lacks the scope, the rule for that key reports and fixes it.
A method that takes the entity itself has the scope with it; stubs, Protocols and abstract methods
have nothing to use it in; a name with a leading underscore says that it is not used on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import UnusedFact
from capsule_lint.rule import Bad, ExpressionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """The names of parameters."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag one that is not used."""
        for fact in self.facts(node, UnusedFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP205",
    message="`{name}` accepts {missing} and never uses it",
    check=Visitor,
    remedy="Use the scope in the key or filter, or take the parameter away",
    valid=(
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
        """,
        """
        from abc import ABC, abstractmethod
        from typing import Protocol

        class OrderRepository(Protocol):
            def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict[str, str]: ...

        class BaseOrderRepository(ABC):
            @abstractmethod
            def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict[str, str]:
                \"\"\"The order.\"\"\"

        class RemoteOrderRepository:
            def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict[str, str]:
                raise NotImplementedError

        class NullOrderRepository:
            def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict[str, str]:
                return {}
        """,
        # The entity has the scope with it.
        """
        from dataclasses import dataclass

        @dataclass
        class Order:
            tenant_id: str
            capsule_id: str
            order_id: str

            @property
            def pk(self) -> str:
                return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER#{self.order_id}"

        class OrderRepository:
            def __init__(self, table) -> None:
                self._table = table

            def save(self, tenant_id: str, capsule_id: str, order: Order) -> None:
                self._table.put_item(Item={"PK": order.pk, "SK": "META"})
        """,
        # Passed on in ways of its own.
        """
        class OrderRepository:
            def __init__(self, table) -> None:
                self._table = table

            def get(self, tenant_id: str, capsule_id: str, order_id: str):
                pk = "TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}".format(**locals())
                return self._table.get_item(Key={"PK": pk, "SK": "META"})
        """,
        """
        def notify(tenant_id: str, capsule_id: str, text: str) -> None:
            print(text)
        """,
    ),
    invalid=(
        Bad(
            """
            class InMemoryOrderRepository:
                def __init__(self) -> None:
                    self._orders: dict[tuple[str, str, str], str] = {}

                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> str | None:
                    return self._orders.get((tenant_id, capsule_id, order_id))

                def clear(self, tenant_id: str, capsule_id: str) -> None:
                    self._orders.clear()
            """,
            lines=(8, 8),
        ),
        Bad(
            """
            class OrderRepository:
                def __init__(self, table) -> None:
                    self._table = table

                def open_orders(self, tenant_id: str, capsule_id: str, pk: str):
                    rows = self._table.query(KeyConditionExpression="PK = :pk", Values={":pk": pk})
                    return [row for row in rows["Items"] if row["tenant_id"] == tenant_id]
            """,
            lines=(5,),
        ),
    ),
)
