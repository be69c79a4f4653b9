"""The partition key of a secondary index lacks a segment that policy demands.

## Why is this bad?
An index has partitions of its own. A table key with every scope does not help a query that goes
through an index whose partitions mix capsules, or tenants.

## Example
```python
item["GSI1PK"] = f"CAPSULE#{capsule_id}#INDUSTRY#{industry}"
```

## Use instead
```python
item["GSI1PK"] = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#INDUSTRY#{industry}"
```

## Fix safety
As for the table's own key (key-missing-scope). Rows that are stored already keep their old index
keys until they are written again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import KeyFact, KeyUse
from capsule_lint.rewrite import KEY_FIXES
from capsule_lint.rule import Bad, ExpressionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """Templates that are written as the partition key of an index."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a template that lacks scopes."""
        for fact in self.facts(node, KeyFact):
            if fact.use is KeyUse.WRITTEN and fact.index and fact.missing:
                self.flag(node, fact)


RULE = Rule(
    code="CAP102",
    message="partition key of an index lacks {segments}",
    check=Visitor,
    fix=KEY_FIXES,
    fix_message="Add the segment to the index key",
    valid=(
        """
        def to_item(tenant_id: str, capsule_id: str, status: str) -> dict[str, str]:
            return {"GSI1PK": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#STATUS#{status}"}
        """,
        """
        from dataclasses import dataclass

        @dataclass
        class Order:
            tenant_id: str
            capsule_id: str
            placed: str

            @property
            def gsi1pk(self) -> str:
                return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDERS"

            @property
            def gsi1sk(self) -> str:
                return f"PLACED#{self.placed}"
        """,
    ),
    invalid=(
        Bad(
            """
            def close(table, tenant_id: str, capsule_id: str, order_id: str) -> None:
                table.update_item(
                    Key={"PK": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}", "SK": f"ORDER#{order_id}"},
                    UpdateExpression="SET GSI1PK = :status",
                    ExpressionAttributeValues={
                        ":status": f"TENANT#{tenant_id}#STATUS#CLOSED"
                    },
                )
            """,
            lines=(6,),
            fixed="""
            def close(table, tenant_id: str, capsule_id: str, order_id: str) -> None:
                table.update_item(
                    Key={"PK": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}", "SK": f"ORDER#{order_id}"},
                    UpdateExpression="SET GSI1PK = :status",
                    ExpressionAttributeValues={
                        ":status": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#STATUS#CLOSED"
                    },
                )
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: str
                status: str

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER"

                @property
                def gsi1pk(self) -> str:
                    return f"CAPSULE#{self.capsule_id}#STATUS#{self.status}"
            """,
            lines=(15,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: str
                status: str

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER"

                @property
                def gsi1pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#STATUS#{self.status}"
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: str
                status: str

                def to_item(self) -> dict[str, str]:
                    return {
                        "PK": f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER",
                        "GSI1PK": f"STATUS#{self.status}",
                    }
            """,
            lines=(12,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: str
                status: str

                def to_item(self) -> dict[str, str]:
                    return {
                        "PK": f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER",
                        "GSI1PK": f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#STATUS#{self.status}",
                    }
            """,
        ),
        Bad(
            """
            import boto3

            def store(pk: str, sk: str, **attributes: str) -> None:
                table = boto3.resource("dynamodb").Table("orders")
                table.put_item(Item={"PK": pk, "SK": sk, **attributes})

            def open_order(tenant_id: str, capsule_id: str, order_id: str) -> None:
                store(
                    f"TENANT#{tenant_id}#CAPSULE#{capsule_id}",
                    f"ORDER#{order_id}",
                    GSI1PK=f"TENANT#{tenant_id}#STATUS#OPEN",
                )
            """,
            lines=(11,),
            fixed="""
            import boto3

            def store(pk: str, sk: str, **attributes: str) -> None:
                table = boto3.resource("dynamodb").Table("orders")
                table.put_item(Item={"PK": pk, "SK": sk, **attributes})

            def open_order(tenant_id: str, capsule_id: str, order_id: str) -> None:
                store(
                    f"TENANT#{tenant_id}#CAPSULE#{capsule_id}",
                    f"ORDER#{order_id}",
                    GSI1PK=f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#STATUS#OPEN",
                )
            """,
        ),
    ),
)
