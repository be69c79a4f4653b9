"""A repository method that touches entities lacks a scope parameter.

## Why is this bad?
A method that cannot be told the capsule cannot keep capsules apart, and its callers cannot ask for
it: isolation ends at its signature.

## Example
```python
class OrderRepository(Protocol):
    def get(self, tenant_id: str, order_id: str) -> Order | None: ...
```

## Use instead
```python
class OrderRepository(Protocol):
    def get(self, tenant_id: str, capsule_id: str, order_id: str) -> Order | None: ...
```

## Fix safety
The Protocol or base, all implementations and all call sites change together, and callers pass the
value on from where a request enters. Safe when every call is resolved and has a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import FunctionFact, FunctionKind
from capsule_lint.rewrite import SIGNATURE_FIXES
from capsule_lint.rule import Bad, DefinitionCheck, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(DefinitionCheck):
    """Methods of repositories."""

    def judge(self, name: cst.Name) -> None:
        """Flag a method that lacks parameters, unless its base has them."""
        for fact in self.facts(name, FunctionFact):
            if fact.kind is FunctionKind.METHOD and fact.drifting is None:
                self.flag(name, fact)


RULE = Rule(
    code="CAP201",
    message="repository method `{name}` lacks {missing}",
    check=Visitor,
    fix=SIGNATURE_FIXES,
    fix_message="Add the parameter to the method, its family and its calls",
    valid=(
        """
        class OrderRepository:
            def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None: ...

            def close(self) -> None: ...
        """,
        """
        class OrderRepository:
            def __init__(self, table, tenant_id: str, capsule_id: str) -> None:
                self._table = table
                self._tenant_id = tenant_id
                self._capsule_id = capsule_id

            def get(self, order_id: str) -> dict | None:
                key = {"PK": f"TENANT#{self._tenant_id}#CAPSULE#{self._capsule_id}", "SK": order_id}
                return self._table.get_item(Key=key).get("Item")
        """,
        Good(
            """
            from dataclasses import dataclass
            from typing import Protocol

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: str

            class OrderRepository(Protocol):
                def save(self, order: Order) -> None: ...
            """,
            policy="entity-argument-suffices = true",
        ),
    ),
    invalid=(
        Bad(
            """
            from typing import Protocol

            class OrderRepository(Protocol):
                def get(self, tenant_id: str, order_id: str) -> dict | None: ...

            def show(repo: OrderRepository, tenant_id: str, capsule_id: str, order_id: str) -> dict:
                return repo.get(tenant_id, order_id) or {}
            """,
            lines=(4,),
            fixed="""
            from typing import Protocol

            class OrderRepository(Protocol):
                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None: ...

            def show(repo: OrderRepository, tenant_id: str, capsule_id: str, order_id: str) -> dict:
                return repo.get(tenant_id, capsule_id, order_id) or {}
            """,
        ),
        # The key of a row is read, and made elsewhere.
        Bad(
            """
            def get_day(table, tenant_id: str, day: str) -> dict:
                key = {"PK": f"TENANT#{tenant_id}#DAY#{day}", "SK": "DAY"}
                return table.get_item(Key=key)["Item"]

            def first(table, tenant_id: str, capsule_id: str) -> str:
                pk = get_day(table, tenant_id, "d1")["PK"]
                return pk
            """,
            lines=(1,),
            fixed="""
            def get_day(table, tenant_id: str, capsule_id: str, day: str) -> dict:
                key = {"PK": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#DAY#{day}", "SK": "DAY"}
                return table.get_item(Key=key)["Item"]

            def first(table, tenant_id: str, capsule_id: str) -> str:
                pk = get_day(table, tenant_id, capsule_id, "d1")["PK"]
                return pk
            """,
        ),
        Bad(
            """
            import boto3

            def partition(tenant_id: str, capsule_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}"

            def fetch(pk: str, sk: str) -> dict | None:
                table = boto3.resource("dynamodb").Table("orders")
                return table.get_item(Key={"PK": pk, "SK": sk}).get("Item")

            def get_order(tenant_id: str, order_id: str) -> dict | None:
                return fetch(partition(tenant_id), f"ORDER#{order_id}")

            def show(tenant_id: str, capsule_id: str, order_id: str) -> dict:
                return get_order(tenant_id, order_id) or {}
            """,
            lines=(10,),
            fixed="""
            import boto3

            def partition(tenant_id: str, capsule_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}"

            def fetch(pk: str, sk: str) -> dict | None:
                table = boto3.resource("dynamodb").Table("orders")
                return table.get_item(Key={"PK": pk, "SK": sk}).get("Item")

            def get_order(tenant_id: str, capsule_id: str, order_id: str) -> dict | None:
                return fetch(partition(tenant_id, capsule_id), f"ORDER#{order_id}")

            def show(tenant_id: str, capsule_id: str, order_id: str) -> dict:
                return get_order(tenant_id, capsule_id, order_id) or {}
            """,
        ),
        # What the table is asked for goes through a function that hands on whatever it is given.
        Bad(
            """
            import boto3
            from boto3.dynamodb.conditions import Key

            def query_all(**kwargs) -> list[dict]:
                return boto3.resource("dynamodb").Table("orders").query(**kwargs)["Items"]

            def order_pk(tenant_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDERS"

            def paid(tenant_id: str) -> list[dict]:
                pk = order_pk(tenant_id)
                return query_all(KeyConditionExpression=Key("pk").eq(pk))
            """,
            lines=(10,),
            fixed="""
            import boto3
            from boto3.dynamodb.conditions import Key

            def query_all(**kwargs) -> list[dict]:
                return boto3.resource("dynamodb").Table("orders").query(**kwargs)["Items"]

            def order_pk(tenant_id: str, capsule_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"

            def paid(tenant_id: str, capsule_id: str) -> list[dict]:
                pk = order_pk(tenant_id, capsule_id)
                return query_all(KeyConditionExpression=Key("pk").eq(pk))
            """,
        ),
    ),
)
