"""A key helper lacks a scope parameter.

## Why is this bad?
Whoever builds keys through the helper builds them without the scope, at every one of its call sites.

## Example
```python
def gsi1pk_for_account(capsule_id: str, account_id: str) -> str:
    return f"CAPSULE#{capsule_id}#ACCOUNT#{account_id}"
```

## Use instead
```python
def gsi1pk_for_account(tenant_id: str, capsule_id: str, account_id: str) -> str:
    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ACCOUNT#{account_id}"
```

## Fix safety
The helper and all of its call sites change together. Safe when every use of the helper is resolved
and has a value; a use as a value that nothing proves makes the change unsafe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import FunctionFact, FunctionKind
from capsule_lint.rewrite import KEY_FIXES, ConditionFix, DropFix, ParameterFix
from capsule_lint.rule import Bad, DefinitionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(DefinitionCheck):
    """Functions that return keys."""

    def judge(self, name: cst.Name) -> None:
        """Flag a helper whose key lacks scopes."""
        for fact in self.facts(name, FunctionFact):
            if fact.kind is FunctionKind.HELPER:
                self.flag(name, fact)


RULE = Rule(
    code="CAP202",
    message="`{name}` builds a key without {missing}",
    check=Visitor,
    fix=(ParameterFix, DropFix, ConditionFix, *KEY_FIXES),
    fix_message="Add the parameter and the segment to the helper, and the argument to its calls",
    valid=(
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
        """,
        """
        def order_sk(line: int) -> str:
            return f"LINE#{line:04d}"
        """,
        """
        class Keys:
            def __init__(self, tenant_id: str, capsule_id: str) -> None:
                self.tenant_id = tenant_id
                self.capsule_id = capsule_id

            def _make_pk(self, order_id: str) -> str:
                return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER#{order_id}"
        """,
    ),
    invalid=(
        Bad(
            """
            def gsi1pk_for_account(capsule_id: str, account_id: str) -> str:
                return f"CAPSULE#{capsule_id}#ACCOUNT#{account_id}"

            def accounts(table, tenant_id: str, capsule_id: str, account_id: str):
                return table.lookup(gsi1pk_for_account(capsule_id, account_id))
            """,
            lines=(1,),
            fixed="""
            def gsi1pk_for_account(tenant_id: str, capsule_id: str, account_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ACCOUNT#{account_id}"

            def accounts(table, tenant_id: str, capsule_id: str, account_id: str):
                return table.lookup(gsi1pk_for_account(tenant_id, capsule_id, account_id))
            """,
        ),
        Bad(
            """
            PREFIX = "TENANT#"

            def order_pk(tenant_id: str, order_id: str) -> str:
                return PREFIX + tenant_id + "#ORDER#" + order_id

            def where(tenant_id: str, capsule_id: str) -> str:
                return order_pk(order_id="1", tenant_id=tenant_id)
            """,
            lines=(3,),
            fixed="""
            PREFIX = "TENANT#"

            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return PREFIX + tenant_id + "#CAPSULE#" + capsule_id + "#ORDER#" + order_id

            def where(tenant_id: str, capsule_id: str) -> str:
                return order_pk(order_id="1", tenant_id=tenant_id, capsule_id=capsule_id)
            """,
        ),
        Bad(
            """
            from boto3.dynamodb.conditions import Key

            def shards(tenant_id: str) -> list[str]:
                return [f"TENANT#{tenant_id}#SHARD#{n}" for n in range(3)]

            def read(table, tenant_id: str, capsule_id: str):
                for pk in shards(tenant_id):
                    yield table.query(KeyConditionExpression=Key("pk").eq(pk))
            """,
            lines=(3,),
            fixed="""
            from boto3.dynamodb.conditions import Key

            def shards(tenant_id: str, capsule_id: str) -> list[str]:
                return [f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#SHARD#{n}" for n in range(3)]

            def read(table, tenant_id: str, capsule_id: str):
                for pk in shards(tenant_id, capsule_id):
                    yield table.query(KeyConditionExpression=Key("pk").eq(pk))
            """,
        ),
    ),
)
