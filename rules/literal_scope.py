"""A scope's value is written out in the code.

## Why is this bad?
Whoever runs this code, in whatever capsule, reads and writes the one that is spelled out. It is what
remains of a migration: the default that made the tests pass, and went to production with them. `None` or an
empty text is worse: the rows of all capsules come together under one key that nobody asked for.

## Example
```python
pk = f"TENANT#{tenant_id}#CAPSULE#PRODUS#ORDER#{order_id}"
```

## Use instead
```python
pk = f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
```

## Fix safety
There is no fix: only a person knows whether the one capsule is meant. A constant that is meant to be
the default can be named as a source in the policy; an entity that belongs to everybody as narrowed.
Values for nobody in particular (`TENANT#GLOBAL`) and tests are left alone; so is `None` where what is called
asks whether there is a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import LiteralFact
from capsule_lint.rule import Bad, ExpressionCheck, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """Templates of keys, and arguments."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a value that is written out."""
        for fact in self.facts(node, LiteralFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP105",
    message="the value of {missing} is written out: `{reason}`",
    check=Visitor,
    remedy=(
        "Take the value from a parameter or from the request's context, or name the "
        "constant in the policy's `sources`"
    ),
    valid=(
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

        def first(tenant_id: str, capsule_id: str) -> str:
            return order_pk(tenant_id, capsule_id, "PRODUS")
        """,
        # For nobody in particular.
        """
        def settings_pk(capsule_id: str) -> str:
            return f"TENANT#GLOBAL#CAPSULE#{capsule_id}#SETTINGS"
        """,
        # Nor where a branch that has one ends, or it is for nobody in particular.
        """
        def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

        def first(tenant_id: str, capsule_id: str) -> str:
            if not capsule_id:
                capsule_id = "PRODUS"
                return f"none in {capsule_id}"
            return order_pk(tenant_id, capsule_id, "1")

        def second(tenant_id: str, capsule_id: str) -> str:
            capsule_id = capsule_id or "GLOBAL"
            return order_pk(tenant_id, capsule_id, "2")
        """,
        # Only the beginning of a value is written out.
        """
        def order_pk(tenant_id: str, region: str, order_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#live-{region}#ORDER#{order_id}"
        """,
        # Nothing that leads to a key.
        """
        def label(tenant_id: str, text: str) -> str:
            return f"{text} ({tenant_id})"

        print(label("acme", "hello"))
        """,
        Good(
            {
                "app/keys.py": """
                def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
                """,
                "tests/test_keys.py": """
                from app.keys import order_pk

                def test_order_pk() -> None:
                    assert order_pk("t1", "PRODUS", "1") == "TENANT#t1#CAPSULE#PRODUS#ORDER#1"
                """,
            }
        ),
        Good(
            {
                "app/keys.py": """
                from app.settings import LIVE_CAPSULE

                def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

                def live_pk(tenant_id: str) -> str:
                    return f"TENANT#{tenant_id}#CAPSULE#{LIVE_CAPSULE}#ORDERS"

                def first(tenant_id: str) -> str:
                    return order_pk(tenant_id, LIVE_CAPSULE, "1")
                """,
                "app/settings.py": """
                LIVE_CAPSULE = "PRODUS"
                """,
            },
            policy="""
            [[scopes]]
            name = "tenant"
            segment = "TENANT#{tenant_id}"

            [[scopes]]
            name = "capsule"
            segment = "CAPSULE#{capsule_id}"
            sources = ["app.settings:LIVE_CAPSULE"]
            """,
        ),
        Good(
            """
            def currency_pk(code: str) -> str:
                return f"TENANT#REFERENCE#CURRENCY#{code}"
            """,
            policy="""
            [entities]
            Currency = { scopes = [], reason = "global reference data" }
            """,
        ),
    ),
    invalid=(
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def first(tenant_id: str, item: dict) -> str:
                return order_pk(tenant_id, item.get("capsule_id", "PRODUS"), "1")

            def second(tenant_id: str, capsule_id: str) -> str:
                return order_pk(tenant_id, capsule_id or "PRODUS", "2")
            """,
            lines=(5, 8),
        ),
        # A default is told of where a local gets it, once.
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def first(tenant_id: str, ctx) -> str:
                return order_pk(tenant_id, getattr(ctx, "capsule_id", "PRODUS"), "1")

            def second(tenant_id: str, item: dict) -> list[str]:
                capsule_id = str(item.get("capsule_id", "PRODUS"))
                return [order_pk(tenant_id, capsule_id, "1"), order_pk(tenant_id, capsule_id, "2")]

            def third_pk(tenant_id: str, capsule_id: str) -> str:
                if not capsule_id:
                    capsule_id = "PRODUS"
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#3"
            """,
            lines=(5, 8, 13),
        ),
        Bad(
            """
            def order_pk(tenant_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#PRODUS#ORDER#{order_id}"
            """,
            lines=(2,),
        ),
        # In a local.
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                capsule_id = "PRODUS"
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def line_pk(tenant_id: str, order_id: str) -> str:
                live = "PRODUS"
                return "TENANT#" + tenant_id + "#CAPSULE#" + live + "#LINE#" + order_id
            """,
            lines=(3, 7),
        ),
        # Nothing stands there.
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def first(tenant_id: str) -> str:
                return order_pk(tenant_id, None, "1")

            def second_pk(tenant_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{None}#ORDER#2"
            """,
            lines=(5, 8),
        ),
        Bad(
            """
            CAPSULE = "PRODUS"

            def order_pk(tenant_id: str, order_id: str) -> str:
                return "#".join(["TENANT", tenant_id, "CAPSULE", CAPSULE, "ORDER", order_id])
            """,
            lines=(4,),
        ),
        Bad(
            """
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def first(tenant_id: str) -> str:
                return order_pk(tenant_id, "PRODUS", "1")

            def second(tenant_id: str) -> str:
                capsule = "PRODUS"
                return order_pk(order_id="2", tenant_id=tenant_id, capsule_id=capsule)
            """,
            lines=(5, 9),
        ),
        Bad(
            """
            from dataclasses import dataclass
            from typing import NewType

            CapsuleId = NewType("CapsuleId", str)

            @dataclass
            class Order:
                tenant_id: str
                capsule_id: CapsuleId
                order_id: str

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER#{self.order_id}"

            def place(tenant_id: str, order_id: str) -> Order:
                return Order(tenant_id, CapsuleId("PRODUS"), order_id)
            """,
            lines=(17,),
        ),
    ),
)
