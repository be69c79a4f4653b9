"""An implementation's scope parameters differ from those of its Protocol or base.

## Why is this bad?
Whoever calls through the Protocol passes the capsule; an implementation that does not take it fails
at run time, or takes it for something else.

## Example
```python
class OrderRepository(Protocol):
    def get(self, tenant_id: str, capsule_id: str, order_id: str) -> Order | None: ...


class InMemoryOrderRepository(OrderRepository):
    def get(self, tenant_id: str, order_id: str) -> Order | None: ...
```

## Use instead
```python
class InMemoryOrderRepository(OrderRepository):
    def get(self, tenant_id: str, capsule_id: str, order_id: str) -> Order | None: ...
```

## Fix safety
As for repository-method-missing-scope. A scope that stands in another place than in the base is only
reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import DriftFact, FunctionFact
from capsule_lint.rewrite import SIGNATURE_FIXES
from capsule_lint.rule import Bad, DefinitionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(DefinitionCheck):
    """Methods that implement or override another."""

    def judge(self, name: cst.Name) -> None:
        """Flag a method that lacks what its base has, or takes it elsewhere."""
        for fact in self.facts(name, FunctionFact):
            if fact.drifting is not None:
                self.flag(name, fact)
        for moved in self.facts(name, DriftFact):
            self.flag(name, moved)


RULE = Rule(
    code="CAP203",
    message="`{name}` {drift}",
    check=Visitor,
    fix=SIGNATURE_FIXES,
    fix_message="Add the parameter to the implementation",
    valid=(
        """
        from typing import Protocol

        class OrderRepository(Protocol):
            def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None: ...

        class NoOrderRepository(OrderRepository):
            def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None:
                return None
        """,
        """
        class OrderRepository:
            def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None:
                return None

        class RenamingRepository(OrderRepository):
            def get(self, tenant: str, stage: str, order: str) -> dict | None:
                return None

        class LoggingRepository(OrderRepository):
            def get(self, *args: str, **kwargs: str) -> dict | None:
                print("get")
                return super().get(*args, **kwargs)
        """,
    ),
    invalid=(
        Bad(
            """
            from typing import Protocol

            class OrderRepository(Protocol):
                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None: ...

            class NoOrderRepository(OrderRepository):
                def get(self, tenant_id: str, order_id: str) -> dict | None:
                    return None
            """,
            lines=(7,),
            fixed="""
            from typing import Protocol

            class OrderRepository(Protocol):
                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None: ...

            class NoOrderRepository(OrderRepository):
                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None:
                    return None
            """,
        ),
        Bad(
            """
            from typing import Protocol

            class OrderRepository(Protocol):
                def get(self, tenant_id: str, capsule_id: str, order_id: str) -> dict | None: ...

            class NoOrderRepository(OrderRepository):
                def get(self, capsule_id: str, tenant_id: str, order_id: str) -> dict | None:
                    return {"PK": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"}
            """,
            lines=(7,),
        ),
    ),
)
