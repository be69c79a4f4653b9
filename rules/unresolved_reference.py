"""An occurrence of a changing name that could not be resolved: a person must look.

## Why is this bad?
Nothing is skipped silently. Where a name that is about to change is used as a value, stands in a
string, or is called on something of which nothing is known, a change could break what no analysis
sees. The whole change set waits for `--unsafe-fixes`.

## Example
```python
def total(repo, tenant_id):
    return len(repo.list_orders(tenant_id))
```

## Use instead
```python
def total(repo: OrderRepository, tenant_id: str) -> int:
    return len(repo.list_orders(tenant_id))
```

## Fix safety
There is no fix: annotate the receiver, call the function directly, or change the place by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import OpenFact, OpenKind
from capsule_lint.model import Severity
from capsule_lint.rule import Bad, ExpressionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst

    from capsule_lint.judgement import Fact


class Visitor(ExpressionCheck):
    """Any expression: what is open may be a name, an attribute or a string."""

    @staticmethod
    def claims(fact: Fact) -> bool:
        """Whether a fact is of this kind: each is told, wherever it stands."""
        return isinstance(fact, OpenFact) and fact.kind is OpenKind.REFERENCE

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag an open reference."""
        for fact in self.facts(node, OpenFact):
            if self.claims(fact):
                self.flag(node, fact)


RULE = Rule(
    code="CAP403",
    message="`{name}` changes, and this use needs a person: {reason}",
    check=Visitor,
    remedy=(
        "Change the place by hand, or write it so that it can be followed: a receiver with an annotation, a direct "
        "call, a key that a function makes; `--unsafe-fixes` applies the change without it"
    ),
    severity=Severity.WARNING,
    valid=(
        """
        def order_pk(tenant_id: str, capsule_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}"

        BUILDERS = [order_pk]
        """,
    ),
    invalid=(
        Bad(
            """
            def order_pk(tenant_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDERS"

            def keys(tenants: list[str]) -> list[str]:
                return list(map(order_pk, tenants))
            """,
            lines=(5,),
        ),
    ),
)
