"""Code that takes a changing key apart by position or prefix.

## Why is this bad?
Once a segment is added in front of it, the same position holds another part: the code goes on
without an error and reads the capsule where it means the order.

## Example
```python
order_id = item["PK"].split("#")[3]
```

## Use instead
```python
order_id = item["PK"].split("#")[5]
```

## Fix safety
Positions are moved by as many parts as the key gains, in the change set of that key; where keys that
change in different ways could be meant, the place is reported and a person has to look. A regular
expression gets the segment if it then reads from the new keys what it has read from the old ones; any
other one is reported. A beginning that is cut off a key gets the segments where their values are at hand;
elsewhere, and where code asks what a key begins with, the segments are cut off first:
`pk.split("#", 4)[-1].startswith("AUDIT#")`. Of several beginnings at once nobody can tell, so they are reported.
"""

from __future__ import annotations

import libcst as cst

from capsule_lint.judgement import ReaderFact
from capsule_lint.rewrite import ElementFix, ReplaceFix
from capsule_lint.rule import Bad, Check, Rule


class Visitor(Check):
    """Positions in keys that move."""

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Judge expressions, and what `match` asks for, and go on below them."""
        if isinstance(node, cst.BaseExpression | cst.MatchPattern):
            self.judge(node)
        return True

    def judge(self, node: cst.BaseExpression | cst.MatchPattern) -> None:
        """Flag a position behind the new segment."""
        for fact in self.facts(node, ReaderFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP108",
    message="takes a key apart, and reads something else once {segments} is added",
    check=Visitor,
    fix=(ReplaceFix, ElementFix),
    fix_message="Read the part at its new position",
    valid=(
        """
        def tail(key: str) -> str:
            return key.split("#")[-1]
        """,
        """
        def host(address: str) -> str:
            return address.split(":")[0]
        """,
    ),
    invalid=(
        Bad(
            """
            def order_pk(tenant_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDER#{order_id}"

            def order_of(pk: str) -> str:
                return pk.split("#")[3]
            """,
            lines=(5,),
            fixed="""
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def order_of(pk: str) -> str:
                return pk.split("#")[5]
            """,
        ),
        Bad(
            """
            def order_pk(tenant_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDER#{order_id}"

            def tenant_of(pk: str) -> str:
                _, tenant_id, _rest = pk.split("#", 2)
                return tenant_id
            """,
            lines=(5,),
            fixed="""
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def tenant_of(pk: str) -> str:
                _, tenant_id, _, _, _rest = pk.split("#", 4)
                return tenant_id
            """,
        ),
        Bad(
            """
            import re

            ORDER = re.compile(r"^TENANT#[^#]+#ORDER#(?P<order>.+)$")

            def order_pk(tenant_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDER#{order_id}"
            """,
            lines=(3,),
            fixed="""
            import re

            ORDER = re.compile(r"^TENANT#[^#]+#CAPSULE#[^#]+#ORDER#(?P<order>.+)$")

            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
            """,
        ),
        Bad(
            """
            def audit_pk(audit_id: str) -> str:
                return f"AUDIT#{audit_id}"

            def is_audit(pk: str) -> bool:
                return pk.startswith("AUDIT#")
            """,
            lines=(5,),
            fixed="""
            def audit_pk(tenant_id, capsule_id, audit_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#AUDIT#{audit_id}"

            def is_audit(pk: str) -> bool:
                return pk.split("#", 4)[-1].startswith("AUDIT#")
            """,
        ),
        Bad(
            """
            def audit_pk(audit_id: str) -> str:
                return f"AUDIT#{audit_id}"

            def is_known(pk: str) -> bool:
                return pk.startswith(("AUDIT#", "CURRENCY#"))
            """,
            lines=(5,),
        ),
        Bad(
            """
            def order_pk(tenant_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#ORDER#{order_id}"

            def order_of(pk: str) -> str | None:
                match pk.split("#"):
                    case ["TENANT", _, "ORDER", order_id]:
                        return order_id
                    case ("TENANT", _, kind, _):
                        return kind
                return None
            """,
            lines=(6, 8),
            fixed="""
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"

            def order_of(pk: str) -> str | None:
                match pk.split("#"):
                    case ["TENANT", _, "CAPSULE", _, "ORDER", order_id]:
                        return order_id
                    case ("TENANT", _, "CAPSULE", _, kind, _):
                        return kind
                return None
            """,
        ),
    ),
)
