"""The segments of a key are there, but not in the policy's order at its front.

## Why is this bad?
Access policies (`dynamodb:LeadingKeys`), exports, and whoever reads a key go by how it begins. A key
that begins with something else cannot be granted to one tenant, and two orders in one table are two
key spaces: what is written in one is not found in the other.

## Example
```python
pk = f"CAPSULE#{capsule_id}#TENANT#{tenant_id}#ORDER#{order_id}"
```

## Use instead
```python
pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
```

## Fix safety
There is no fix: another order is another key, and rows that are stored already would not be found
under it any more. What parts deployments (`{env}#TENANT#…`) may stand before all scopes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import OrderFact
from capsule_lint.rule import Bad, ExpressionCheck, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """Templates of partition keys."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a template whose segments are out of order."""
        for fact in self.facts(node, OrderFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP103",
    message="key does not begin with {segments}, in this order",
    check=Visitor,
    remedy=(
        "Move the segments to the front, in the policy's order; rows that are stored have "
        "to be written anew"
    ),
    valid=(
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
        """,
        """
        def conversation_pk(tenant_id: str, capsule_id: str, conversation_id: str) -> str:
            return f"{tenant_id}#{capsule_id}#CONV#{conversation_id}"
        """,
        """
        def order_pk(env: str, tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"{env}/TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
        """,
        """
        def order_pk(tenant_id: str, env: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#ENV#{env}#CAPSULE#{capsule_id}#ORDER#{order_id}"
        """,
        """
        def order_key(tenant_id: str, capsule_id: str, day: str) -> dict[str, str]:
            return {
                "PK": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS",
                "SK": f"DAY#{day}#CAPSULE#{capsule_id}#TENANT#{tenant_id}",
            }
        """,
        # What lacks a segment is reported for that alone.
        """
        def order_pk(capsule_id: str, order_id: str) -> str:
            return f"ORDER#{order_id}#CAPSULE#{capsule_id}"
        """,
        Good(
            """
            def contact_pk(tenant_id: str, contact_id: str) -> str:
                return f"TENANT#{tenant_id}#CONTACT#{contact_id}"
            """,
            policy="""
            [entities]
            Contact = { scopes = ["tenant"], reason = "shared by all capsules" }
            """,
        ),
        Good(
            """
            def order_pk(org_id: str, stage: str, order_id: str) -> str:
                return "#".join(["ORG", org_id, "STAGE", stage, "ORDER", order_id])
            """,
            policy="""
            [[scopes]]
            name = "org"
            segment = "ORG#{org_id}"

            [[scopes]]
            name = "stage"
            segment = "STAGE#{stage}"
            """,
        ),
    ),
    invalid=(
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"CAPSULE#{capsule_id}#TENANT#{tenant_id}#ORDER#{order_id}"
            """,
            lines=(2,),
        ),
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"ORDER#{order_id}#TENANT#{tenant_id}#CAPSULE#{capsule_id}"
            """,
            lines=(2,),
        ),
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, customer_id: str) -> str:
                return f"TENANT#{tenant_id}#CUSTOMER#{customer_id}#CAPSULE#{capsule_id}"
            """,
            lines=(2,),
        ),
        Bad(
            """
            def index_keys(tenant_id: str, capsule_id: str, status: str) -> dict[str, str]:
                return {
                    "GSI1PK": "CAPSULE#{}#TENANT#{}#STATUS#{}".format(capsule_id, tenant_id, status),
                    "GSI1SK": "META",
                }
            """,
            lines=(3,),
        ),
        Bad(
            """
            def read(table, tenant_id: str, capsule_id: str, order_id: str):
                key = {"PK": f"{capsule_id}#{tenant_id}#ORDER#{order_id}", "SK": "META"}
                return table.get_item(Key=key)
            """,
            lines=(2,),
        ),
        Bad(
            """
            def order_pk(org_id: str, stage: str, order_id: str) -> str:
                return "STAGE#" + stage + "#ORG#" + org_id + "#ORDER#" + order_id
            """,
            lines=(2,),
            policy="""
            [[scopes]]
            name = "org"
            segment = "ORG#{org_id}"

            [[scopes]]
            name = "stage"
            segment = "STAGE#{stage}"
            """,
        ),
    ),
)
