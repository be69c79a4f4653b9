"""A change set needs a scope's value at a place that has no source for it.

## Why is this bad?
The value has to come from somewhere: a parameter, the request's context, an entity. Here nothing in
scope yields it, and nobody in the program calls this code with it.

## Example
```python
ROOT_KEY = order_pk(DEFAULT_TENANT, "root")
```

## Use instead
Name a source in the policy (`sources`; in tests `test-source` and `test-value`), or give the function a parameter
and pass the value in.

## Fix safety
There is no fix: only a person knows which capsule is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import OpenFact, OpenKind
from capsule_lint.rule import Bad, ExpressionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst

    from capsule_lint.judgement import Fact


class Visitor(ExpressionCheck):
    """Any expression that needs a value."""

    @staticmethod
    def claims(fact: Fact) -> bool:
        """Whether a fact is of this kind: each is told, wherever it stands."""
        return isinstance(fact, OpenFact) and fact.kind is OpenKind.SOURCE

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a place without a source."""
        for fact in self.facts(node, OpenFact):
            if self.claims(fact):
                self.flag(node, fact)


RULE = Rule(
    code="CAP404",
    message="{reason}",
    check=Visitor,
    remedy=(
        "Name a source in the policy (`sources`; in tests `test-source`), or give the function a "
        "parameter and pass the value in"
    ),
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
