"""An entity lacks the decorator that marks it as isolated.

## Why is this bad?
Nothing is wrong with the entity today. The marker says, to people and to whatever checks it at import
time, that it has to stay so; an entity without it is one that nobody has decided about.

## Example
```python
@dataclass
class Order:
    tenant_id: str
    capsule_id: str
```

## Use instead
```python
@capsule_isolated
@dataclass
class Order:
    tenant_id: str
    capsule_id: str
```

## Fix safety
There is no fix: the decorator is the application's own. It is called after the innermost scope
(`capsule_isolated`); a marked base marks what inherits from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import MarkerFact
from capsule_lint.model import Severity
from capsule_lint.rule import Bad, ExpressionCheck, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """The names of classes."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag an entity that is not marked."""
        for fact in self.facts(node, MarkerFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP302",
    message="entity `{name}` lacks the marker `@{reason}`",
    check=Visitor,
    remedy="Add the decorator once the entity's keys have every scope",
    severity=Severity.WARNING,
    enabled=False,
    valid=(
        """
        from dataclasses import dataclass

        def capsule_isolated(cls: type) -> type:
            return cls

        @capsule_isolated
        @dataclass
        class Order:
            tenant_id: str
            capsule_id: str

            @property
            def pk(self) -> str:
                return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER"
        """,
        """
        from dataclasses import dataclass

        @dataclass
        class Point:
            x: int
            y: int
        """,
        Good(
            """
            from dataclasses import dataclass

            @dataclass
            class Tenant:
                tenant_id: str

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}"
            """,
            policy="""
            [entities]
            Tenant = { scopes = ["tenant"], reason = "one row per customer" }
            """,
        ),
    ),
    invalid=(
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
            """,
            lines=(4,),
        ),
    ),
)
