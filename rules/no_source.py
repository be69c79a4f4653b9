"""A change set needs a scope's value at a place that has no source for it.

## Why is this bad?
The value has to come from somewhere: a parameter, the request's context, an entity. Here nothing in
scope yields it, and nobody in the program calls this code with it.

## Example
```python
ROOT_KEY = order_pk(DEFAULT_TENANT, "root")
```

## Use instead
Name a source in the policy (`sources`), or give the function a parameter and pass the value in.

## Fix safety
There is no fix: only a person knows which capsule is meant.
"""

from __future__ import annotations

import libcst as cst

from capsule_lint.judgement import OpenFact, OpenKind
from capsule_lint.rule import Bad, Check, Rule


class Visitor(Check):
    """Any node that needs a value."""

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Flag a place without a source."""
        if isinstance(node, cst.BaseExpression):
            for fact in self.facts(node, OpenFact):
                if fact.kind is OpenKind.SOURCE:
                    self.flag(node, fact)
        return True


RULE = Rule(
    code="CAP404",
    message="{reason}",
    check=Visitor,
    valid=(
        """
        def order_pk(tenant_id: str) -> str:
            return f"TENANT#{tenant_id}#ORDERS"

        def first(tenant_id: str, capsule_id: str) -> str:
            return order_pk(tenant_id)
        """,
    ),
    invalid=(
        Bad(
            """
            def order_pk(tenant_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDERS"

            ROOT = order_pk("root")
            """,
            lines=(4,),
        ),
    ),
)
