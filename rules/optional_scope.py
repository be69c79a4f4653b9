"""A scope parameter has a default, or may be `None`.

## Why is this bad?
A caller that forgets the scope gets no error: it works in the default capsule, or in a key that says
`CAPSULE#None`. Isolation holds only where leaving it out is impossible.

## Example
```python
def order_pk(tenant_id: str, order_id: str, capsule_id: str = "PRODUS") -> str:
    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
```

## Use instead
```python
def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
```

## Fix safety
There is no fix: the callers that rely on the default have to say which capsule they mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import OptionalFact
from capsule_lint.rule import Bad, ExpressionCheck, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """The names of parameters and fields."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag one that can be left out."""
        for fact in self.facts(node, OptionalFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP204",
    message="{missing} of `{name}` {reason}",
    check=Visitor,
    remedy="Make the scope a parameter that callers have to give",
    valid=(
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str = "") -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
        """,
        # Nothing that leads to a key.
        """
        def log(message: str, tenant_id: str | None = None) -> None:
            print(message, tenant_id)
        """,
        # What a framework fills in.
        """
        from fastapi import APIRouter, Depends

        router = APIRouter()

        def order_pk(tenant_id: str, capsule_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"

        def current_tenant() -> str:
            return "t"

        def current_capsule() -> str:
            return "c"

        @router.get("/orders")
        def orders(
            tenant_id: str = Depends(current_tenant), capsule_id: str = Depends(current_capsule)
        ) -> str:
            return order_pk(tenant_id, capsule_id)
        """,
        """
        class OrderRepository:
            def __init__(self, table) -> None:
                self._table = table

            def find(self, tenant_id: str, capsule_id: str, status: str | None = None):
                pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#STATUS#{status or 'open'}"
                return self._table.get_item(Key={"PK": pk, "SK": "META"})
        """,
        Good(
            """
            def currency_pk(code: str, tenant_id: str | None = None) -> str:
                return f"CURRENCY#{code}"
            """,
            policy="""
            [entities]
            Currency = { scopes = [], reason = "global reference data" }
            """,
        ),
        Good(
            {
                "app/keys.py": """
                def order_pk(tenant_id: str, capsule_id: str) -> str:
                    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"
                """,
                "tests/factories.py": """
                from app.keys import order_pk

                def a_pk(tenant_id: str = "t1", capsule_id: str = "PRODUS") -> str:
                    return order_pk(tenant_id, capsule_id)
                """,
            }
        ),
    ),
    invalid=(
        Bad(
            """
            def order_pk(tenant_id: str, order_id: str, capsule_id: str = "PRODUS") -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
            """,
            lines=(1,),
        ),
        Bad(
            """
            from typing import Optional

            class OrderRepository:
                def __init__(self, table) -> None:
                    self._table = table

                def get(self, tenant_id: str, capsule_id: Optional[str], order_id: str):
                    pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
                    return self._table.get_item(Key={"PK": pk, "SK": "META"})
            """,
            lines=(7,),
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Order:
                tenant_id: str
                order_id: str
                capsule_id: str | None = None

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER#{self.order_id}"
            """,
            lines=(7,),
        ),
        # What feeds a helper.
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def describe(tenant_id: str, order_id: str, *, capsule_id: str = "PRODUS") -> str:
                return "order " + order_pk(tenant_id, capsule_id, order_id)
            """,
            lines=(4,),
        ),
    ),
)
