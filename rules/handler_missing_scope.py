"""A handler serves entities and never takes the scope from its context.

## Why is this bad?
The handler is where a request enters, and the only place that knows for certain which capsule the
caller belongs to. If it does not ask, nobody behind it can.

## Example
```python
@router.get("/orders/{order_id}")
def get_order(order_id: str, request: Request) -> dict:
    return repo.get(request.state.tenant_id, order_id)
```

## Use instead
```python
@router.get("/orders/{order_id}")
def get_order(order_id: str, request: Request) -> dict:
    capsule_id = extract_capsule_from_context(request)
    return repo.get(request.state.tenant_id, capsule_id, order_id)
```

## Fix safety
The value comes from the sources that policy names, in their order. Safe when one applies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import FunctionFact, FunctionKind
from capsule_lint.rewrite import ParameterFix, StatementFix
from capsule_lint.rule import Bad, DefinitionCheck, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(DefinitionCheck):
    """Handlers."""

    def judge(self, name: cst.Name) -> None:
        """Flag a handler that never takes a scope that is needed behind it."""
        for fact in self.facts(name, FunctionFact):
            if fact.kind is FunctionKind.HANDLER:
                self.flag(name, fact)


_POLICY = """
[[scopes]]
name = "tenant"
segment = "TENANT#{tenant_id}"

[[scopes]]
name = "capsule"
segment = "CAPSULE#{capsule_id}"
sources = ["request.state.capsule_id"]
"""

RULE = Rule(
    code="CAP501",
    message="handler `{name}` never takes {missing} from its context",
    check=Visitor,
    fix=(StatementFix, ParameterFix),
    fix_message="Take the value from the handler's context",
    valid=(
        """
        from fastapi import APIRouter

        router = APIRouter()

        @router.get("/health")
        def health() -> str:
            return "ok"
        """,
    ),
    invalid=(
        Bad(
            """
            from fastapi import APIRouter, Request

            router = APIRouter()

            def order_pk(tenant_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDER#{order_id}"

            @router.get("/orders/{order_id}")
            def get_order(order_id: str, request: Request) -> str:
                return order_pk(request.state.tenant_id, order_id)
            """,
            lines=(9,),
            fixed="""
            from fastapi import APIRouter, Request

            router = APIRouter()

            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            @router.get("/orders/{order_id}")
            def get_order(order_id: str, request: Request) -> str:
                return order_pk(request.state.tenant_id, request.state.capsule_id, order_id)
            """,
            policy=_POLICY,
        ),
    ),
)
