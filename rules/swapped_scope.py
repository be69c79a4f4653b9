"""One scope's value is passed where another's belongs.

## Why is this bad?
Both are strings, so nothing fails: the key is made of a tenant that is called like a capsule. What is
written under it is found by nobody, or by everybody who makes the same mistake.

## Example
```python
order = repo.get(capsule_id, tenant_id, order_id)
```

## Use instead
```python
order = repo.get(tenant_id, capsule_id, order_id)
```

## Fix safety
Safe where exactly two arguments, or two values that get names in one dict or by one assignment, stand in
each other's places: they are swapped. Otherwise, and in a key that is written out, there is no fix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import SwapFact
from capsule_lint.rewrite import ReplaceFix
from capsule_lint.rule import Bad, ExpressionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """Arguments, what gets the name of a scope, and what fills the holes of keys."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a value of another scope."""
        for fact in self.facts(node, SwapFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP402",
    message="`{reason}` stands where {missing} belongs",
    check=Visitor,
    fix=(ReplaceFix,),
    fix_message="Swap the two values",
    valid=(
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

        def first(tenant_id: str, capsule: str) -> str:
            return order_pk(tenant_id, capsule, "1")

        def other(owner_tenant_id: str, other_capsule_id: str) -> str:
            return order_pk(capsule_id=other_capsule_id, tenant_id=owner_tenant_id, order_id="1")
        """,
        # One scope's value made from another's is its own.
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

        def tenant_of(capsule_id: str) -> str:
            return capsule_id.partition("-")[0]

        def first(capsule_id: str) -> str:
            return order_pk(tenant_of(capsule_id), capsule_id, "1")
        """,
        # Who is called is not known.
        """
        def first(api, tenant_id: str, capsule_id: str):
            return api.lookup(capsule_id, tenant_id)
        """,
        # A value that is called after neither.
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

        def first(a: str, b: str) -> str:
            return order_pk(b, a, "1")
        """,
    ),
    invalid=(
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def first(tenant_id: str, capsule_id: str) -> str:
                return order_pk(capsule_id, tenant_id, "1")
            """,
            lines=(5,),
            fixed="""
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def first(tenant_id: str, capsule_id: str) -> str:
                return order_pk(tenant_id, capsule_id, "1")
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: str

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER"

            @dataclass
            class RequestContext:
                tenant_id: str
                capsule_id: str

            def place(ctx: RequestContext) -> Order:
                return Order(
                    tenant_id=ctx.capsule_id,  # who
                    capsule_id=ctx.tenant_id,
                )
            """,
            lines=(19,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: str

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER"

            @dataclass
            class RequestContext:
                tenant_id: str
                capsule_id: str

            def place(ctx: RequestContext) -> Order:
                return Order(
                    tenant_id=ctx.tenant_id,  # who
                    capsule_id=ctx.capsule_id,
                )
            """,
        ),
        Bad(
            """
            class OrderRepository:
                def __init__(self, table) -> None:
                    self._table = table

                def get(self, tenant_id: str, capsule_id: str, order_id: str):
                    pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
                    return self._table.get_item(Key={"PK": pk, "SK": "META"})

            def first(repo: OrderRepository, ctx):
                scope = {"tenant_id": ctx.capsule_id, "capsule_id": ctx.tenant_id}
                return repo.get(**scope, order_id="1")

            def second(repo: OrderRepository, ctx):
                tenant, capsule = ctx.capsule_id, ctx.tenant_id
                return repo.get(tenant, capsule, "1")
            """,
            lines=(10, 14),
            fixed="""
            class OrderRepository:
                def __init__(self, table) -> None:
                    self._table = table

                def get(self, tenant_id: str, capsule_id: str, order_id: str):
                    pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
                    return self._table.get_item(Key={"PK": pk, "SK": "META"})

            def first(repo: OrderRepository, ctx):
                scope = {"tenant_id": ctx.tenant_id, "capsule_id": ctx.capsule_id}
                return repo.get(**scope, order_id="1")

            def second(repo: OrderRepository, ctx):
                tenant, capsule = ctx.tenant_id, ctx.capsule_id
                return repo.get(tenant, capsule, "1")
            """,
        ),
        # Only a person knows where the tenant is.
        Bad(
            """
            class OrderRepository:
                def __init__(self, table) -> None:
                    self._table = table

                def get(self, tenant_id: str, capsule_id: str, order_id: str):
                    pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
                    return self._table.get_item(Key={"PK": pk, "SK": "META"})

            def first(repo: OrderRepository, capsule_id: str):
                return repo.get(capsule_id, capsule_id, "1")
            """,
            lines=(10,),
        ),
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str) -> str:
                return f"TENANT#{capsule_id}#CAPSULE#{capsule_id}#ORDERS"
            """,
            lines=(2,),
        ),
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str) -> str:
                return "#".join(["TENANT", capsule_id, "CAPSULE", tenant_id, "ORDERS"])
            """,
            lines=(2,),
        ),
    ),
)
