"""A get, query, update, delete or prefix test builds a key without the segments.

## Why is this bad?
Written keys and looked-up keys drift apart: after a migration such code finds nothing, or, where the
stored keys lack the segment too, it finds the rows of every capsule.

## Example
```python
def query_by_resource(self, tenant_id: str, capsule_id: str) -> list[Access]:
    pk = f"TENANT#{tenant_id}"
    return self._query(Key("PK").eq(pk))
```

## Use instead
```python
def query_by_resource(self, tenant_id: str, capsule_id: str) -> list[Access]:
    pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}"
    return self._query(Key("PK").eq(pk))
```

## Fix safety
Safe when the value has a source at the place, or can be threaded to it from where a request enters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import KeyFact, KeyUse
from capsule_lint.rewrite import KEY_FIXES
from capsule_lint.rule import Bad, ExpressionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """Templates that are looked up."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a template that lacks scopes."""
        for fact in self.facts(node, KeyFact):
            if fact.use is KeyUse.LOOKUP and fact.missing:
                self.flag(node, fact)


RULE = Rule(
    code="CAP104",
    message="key that is looked up lacks {segments}",
    check=Visitor,
    fix=KEY_FIXES,
    fix_message="Add the segment to the key that is looked up",
    valid=(
        """
        from boto3.dynamodb.conditions import Key

        def orders(table, tenant_id: str, capsule_id: str):
            pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"
            return table.query(KeyConditionExpression=Key("PK").eq(pk))
        """,
        """
        def names(expression: str, attr: str) -> str:
            return expression.replace(f"#{attr}", attr)
        """,
    ),
    invalid=(
        Bad(
            """
            from boto3.dynamodb.conditions import Key

            def orders(table, tenant_id: str, capsule_id: str):
                pk = f"TENANT#{tenant_id}#ORDERS"
                return table.query(KeyConditionExpression=Key("PK").eq(pk))
            """,
            lines=(4,),
            fixed="""
            from boto3.dynamodb.conditions import Key

            def orders(table, tenant_id: str, capsule_id: str):
                pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"
                return table.query(KeyConditionExpression=Key("PK").eq(pk))
            """,
        ),
        Bad(
            """
            def order(client, tenant_id: str, capsule_id: str, order_id: str):
                return client.query(
                    KeyConditionExpression="PK = :pk AND begins_with(SK, :prefix)",
                    ExpressionAttributeValues={
                        ":pk": {"S": f"TENANT#{tenant_id}#ORDER#{order_id}"},
                        ":prefix": {"S": "LINE#"},
                    },
                )
            """,
            lines=(5,),
            fixed="""
            def order(client, tenant_id: str, capsule_id: str, order_id: str):
                return client.query(
                    KeyConditionExpression="PK = :pk AND begins_with(SK, :prefix)",
                    ExpressionAttributeValues={
                        ":pk": {"S": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"},
                        ":prefix": {"S": "LINE#"},
                    },
                )
            """,
        ),
        Bad(
            """
            def forget(table, tenant_id: str, capsule_id: str, order_id: str) -> None:
                table.delete_item(Key={"PK": "TENANT#" + tenant_id, "SK": f"ORDER#{order_id}"})
            """,
            lines=(2,),
            fixed="""
            def forget(table, tenant_id: str, capsule_id: str, order_id: str) -> None:
                table.delete_item(
                    Key={
                        "PK": "TENANT#" + tenant_id + "#CAPSULE#" + capsule_id,
                        "SK": f"ORDER#{order_id}",
                    }
                )
            """,
        ),
    ),
)
