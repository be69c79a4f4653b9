"""A call of an already scoped function lacks the argument.

## Why is this bad?
The call fails at run time. It is what a migration by hand leaves behind: the third-level caller, the
script that nobody runs in tests. Where a default makes up for the argument, nothing fails: what comes next
stands in the scope's place, and the key is one that nobody else makes.

## Example
```python
order_pk(tenant_id, order_id)
```

## Use instead
```python
order_pk(tenant_id, capsule_id, order_id)
```

## Fix safety
Safe when the value has a source at the call, or can be threaded to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import CallFact
from capsule_lint.rewrite import (
    SIGNATURE_FIXES,
    ArgumentFix,
    ElementFix,
    EntryFix,
    StatementFix,
)
from capsule_lint.rule import Bad, Check, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(Check):
    """Calls."""

    def visit_Call(self, node: cst.Call) -> None:
        """Flag a call that does not bind for want of a scope."""
        for fact in self.facts(node, CallFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP401",
    message="call of `{name}` lacks {missing}",
    check=Visitor,
    fix=(*SIGNATURE_FIXES, ArgumentFix, ElementFix, EntryFix, StatementFix),
    fix_message="Pass the scope's value",
    valid=(
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

        def first(tenant_id: str, capsule_id: str) -> str:
            return order_pk(tenant_id, capsule_id, "1")
        """,
        """
        def label(tenant_id: str, order_id: str = "") -> str:
            return tenant_id + order_id

        def first(tenant_id: str) -> str:
            return label(tenant_id)
        """,
    ),
    invalid=(
        # What is called elsewhere.
        Bad(
            """
            import asyncio

            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            async def show(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return await asyncio.to_thread(order_pk, tenant_id, order_id)
            """,
            lines=(7,),
            fixed="""
            import asyncio

            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            async def show(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return await asyncio.to_thread(order_pk, tenant_id, capsule_id, order_id)
            """,
        ),
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def first(tenant_id: str, capsule_id: str) -> str:
                return order_pk(tenant_id, "1")
            """,
            lines=(5,),
            fixed="""
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def first(tenant_id: str, capsule_id: str) -> str:
                return order_pk(tenant_id, capsule_id, "1")
            """,
        ),
    ),
)
