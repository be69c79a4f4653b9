"""A Scan, or a PartiQL SELECT, that no scope narrows.

## Why is this bad?
It reads the rows of all tenants and all capsules, and whatever comes of them, a report, an export, a
repair, is made of everybody's data.

## Example
```python
rows = table.scan(FilterExpression=Attr("status").eq("open"))["Items"]
```

## Use instead
```python
own = Attr("PK").begins_with(f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#")
rows = table.scan(FilterExpression=own & Attr("status").eq("open"))["Items"]
```

## Fix safety
There is no fix: a Scan that is meant for one capsule is best replaced by a query, and one that is
meant for all of them can say so in a suppression. A filter that the callers pass in is judged at the
callers; a statement that is not known is not judged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import ScanFact
from capsule_lint.rule import Bad, Check, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(Check):
    """Calls."""

    def visit_Call(self, node: cst.Call) -> None:
        """Flag a read of a whole table."""
        for fact in self.facts(node, ScanFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP106",
    message="nothing narrows this {reason} to {missing}",
    check=Visitor,
    remedy="Query the partition, or filter by the scope",
    valid=(
        """
        from boto3.dynamodb.conditions import Attr

        def open_orders(table, tenant_id: str, capsule_id: str):
            own = Attr("tenant_id").eq(tenant_id) & Attr("capsule_id").eq(capsule_id)
            return table.scan(FilterExpression=own & Attr("status").eq("open"))["Items"]
        """,
        """
        def all_orders(client, tenant_id: str, capsule_id: str):
            kwargs = {"TableName": "orders", "FilterExpression": "begins_with(PK, :own)"}
            own = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#"
            kwargs["ExpressionAttributeValues"] = {":own": {"S": own}}
            return client.scan(**kwargs)["Items"]
        """,
        # No table.
        """
        def keys(redis, match: str):
            return redis.scan(0, match, 100)

        def virus(scanner, path: str):
            return scanner.scan(path)
        """,
        # The rows are parted once they are read.
        """
        def orders(table, tenant_id: str, capsule_id: str):
            rows = table.scan()["Items"]
            return [r for r in rows if (r["tenant_id"], r["capsule_id"]) == (tenant_id, capsule_id)]
        """,
        """
        def notes(table, tenant_id: str, capsule_id: str):
            own = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#NOTE#"
            return [row for row in table.scan()["Items"] if row["PK"].startswith(own)]
        """,
        """
        def healthy(table) -> bool:
            return "Items" in table.scan(Limit=1)
        """,
        """
        def order(client, tenant_id: str, capsule_id: str, order_id: str):
            return client.execute_statement(
                Statement='SELECT * FROM "orders" WHERE PK = ?',
                Parameters=[{"S": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"}],
            )
        """,
        # Another service's statement, and one that is not known.
        """
        def report(rds, sql: str):
            return rds.execute_statement(resourceArn="arn", secretArn="arn", sql="SELECT 1 FROM t")

        def run(client, statement: str):
            return client.execute_statement(Statement=statement)
        """,
        Good(
            """
            class CurrencyRepository:
                def __init__(self, table) -> None:
                    self._table = table

                def list_currencies(self):
                    return self._table.scan()["Items"]
            """,
            policy="""
            [entities]
            Currency = { scopes = [], reason = "global reference data" }
            """,
        ),
        Good(
            {
                "app.py": "VERSION = 1",
                "tests/test_app.py": """
                def test_stored(table) -> None:
                    assert table.scan()["Items"] == []
                """,
            }
        ),
        # A condition in steps, a function inside, and groups that are asked by both.
        """
        from boto3.dynamodb.conditions import Attr

        def open_orders(table, tenant_id: str, capsule_id: str) -> list:
            condition = Attr("state").eq("open")
            condition &= Attr("tenant_id").eq(tenant_id)
            condition &= Attr("capsule_id").eq(capsule_id)
            return table.scan(FilterExpression=condition)["Items"]

        def orders(table, tenant_id: str, capsule_id: str) -> list:
            def is_own(row: dict) -> bool:
                return row["tenant_id"] == tenant_id and row["capsule_id"] == capsule_id

            return list(filter(is_own, table.scan()["Items"]))

        def grouped(table, tenant_id: str, capsule_id: str) -> list:
            groups: dict[tuple[str, str], list] = {}
            for row in table.scan()["Items"]:
                groups.setdefault((row["tenant_id"], row["capsule_id"]), []).append(row)
            return groups.get((tenant_id, capsule_id), [])
        """,
    ),
    invalid=(
        Bad(
            """
            from boto3.dynamodb.conditions import Attr

            def open_orders(table):
                return table.scan(FilterExpression=Attr("status").eq("open"))["Items"]
            """,
            lines=(4,),
        ),
        Bad(
            """
            import boto3

            class Exports:
                def __init__(self) -> None:
                    self._pages = boto3.client("dynamodb").get_paginator("scan")

                def rows(self, table: str):
                    for page in self._pages.paginate(TableName=table):
                        yield from page["Items"]
            """,
            lines=(8,),
        ),
        Bad(
            """
            def count_open(client) -> int:
                found = client.execute_statement(
                    Statement="SELECT PK FROM orders WHERE status = 'open'"
                )
                return len(found["Items"])
            """,
            lines=(2,),
        ),
        # The other capsules of the tenant are read as well.
        Bad(
            """
            from boto3.dynamodb.conditions import Attr

            def rows_of(table, tenant_id: str, capsule_id: str):
                condition = Attr("tenant_id").eq(tenant_id)
                return table.scan(FilterExpression=condition)["Items"]
            """,
            lines=(5,),
        ),
        # The filter is the callers'.
        Bad(
            """
            from boto3.dynamodb.conditions import Attr

            class Orders:
                def __init__(self, table) -> None:
                    self._table = table

                def _scan(self, **kwargs):
                    return self._table.scan(**kwargs)["Items"]

                def late(self, day: str):
                    return self._scan(FilterExpression=Attr("due").lt(day))

                def own(self, tenant_id: str, capsule_id: str):
                    own = Attr("PK").begins_with(f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#")
                    return self._scan(FilterExpression=own)
            """,
            lines=(11,),
        ),
    ),
)
