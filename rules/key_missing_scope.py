"""The partition key of an entity lacks a segment that policy demands.

## Why is this bad?
Items of two capsules that have the same identifiers land in one partition, so a query of one reads
the rows of the other.

## Example
```python
@property
def pk(self) -> str:
    return f"TENANT#{self.tenant_id}#CONFIG#FINANCIAL"
```

## Use instead
```python
@property
def pk(self) -> str:
    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#CONFIG#FINANCIAL"
```

## Fix safety
The segments are added in the idiom of the template. The entity gets the field, its constructors the
argument, in the same change set; that is safe when every one of them is found and has a value.
Rows that are stored already keep their old keys: they have to be migrated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import KeyFact, KeyUse
from capsule_lint.rewrite import KEY_FIXES
from capsule_lint.rule import Bad, ExpressionCheck, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """Templates that are written as the table's own partition key."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a template that lacks scopes."""
        for fact in self.facts(node, KeyFact):
            if fact.use is KeyUse.WRITTEN and not fact.index and fact.missing:
                self.flag(node, fact)


RULE = Rule(
    code="CAP101",
    message="partition key lacks {segments}",
    check=Visitor,
    fix=KEY_FIXES,
    fix_message="Add the segment to the key, and the field to the entity",
    valid=(
        """
        from dataclasses import dataclass

        @dataclass
        class Config:
            tenant_id: str
            capsule_id: str

            @property
            def pk(self) -> str:
                return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#CONFIG"
        """,
        """
        class Config:
            def __init__(self, tenant_id: str, capsule_id: str) -> None:
                self.tenant_id = tenant_id
                self.capsule_id = capsule_id

            @property
            def pk(self) -> str:
                return "#".join(["TENANT", self.tenant_id, "CAPSULE", self.capsule_id, "CONFIG"])
        """,
        """
        from dataclasses import dataclass

        @dataclass
        class Config:
            tenant_id: str
            capsule_id: str
            name: str

            @property
            def pk(self) -> str:
                return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#CONFIG"

            @property
            def sk(self) -> str:
                return f"NAME#{self.name}"
        """,
        """
        def user_agent(version: str) -> str:
            return f"md/client#{version}#python"
        """,
        Good(
            """
            from dataclasses import dataclass

            @dataclass
            class Currency:
                code: str

                @property
                def pk(self) -> str:
                    return f"CURRENCY#{self.code}"
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
                return f"TENANT#{tenant_id}#ORDER#{order_id}"
            """,
            lines=(2,),
            fixed="""
            def order_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{order_id}"
            """,
        ),
        Bad(
            """
            def add_all(table, tenant_id: str, capsule_id: str, names: list[str]) -> None:
                rows = [
                    {
                        "PK": f"TENANT#{tenant_id}",
                        "SK": f"TAG#{name}",
                    }
                    for name in names
                ]
                with table.batch_writer() as batch:
                    for row in rows:
                        batch.put_item(Item=row)
            """,
            lines=(4,),
            fixed="""
            def add_all(table, tenant_id: str, capsule_id: str, names: list[str]) -> None:
                rows = [
                    {
                        "PK": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}",
                        "SK": f"TAG#{name}",
                    }
                    for name in names
                ]
                with table.batch_writer() as batch:
                    for row in rows:
                        batch.put_item(Item=row)
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                name: str

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CONFIG"
            """,
            lines=(10,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                capsule_id: str
                name: str

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#CONFIG"
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                name: str

                @property
                def pk(self) -> str:
                    return "#".join(["TENANT", self.tenant_id, "CONFIG", self.name])
            """,
            lines=(10,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                capsule_id: str
                name: str

                @property
                def pk(self) -> str:
                    return "#".join(
                        ["TENANT", self.tenant_id, "CAPSULE", self.capsule_id, "CONFIG", self.name]
                    )
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                name: str

                @property
                def pk(self) -> str:
                    return "TENANT#%s#CONFIG#%s" % (self.tenant_id, self.name)
            """,
            lines=(10,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                capsule_id: str
                name: str

                @property
                def pk(self) -> str:
                    return "TENANT#%s#CAPSULE#%s#CONFIG#%s" % (
                        self.tenant_id,
                        self.capsule_id,
                        self.name,
                    )
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                name: str

                @property
                def pk(self) -> str:
                    return "TENANT#{}#CONFIG#{}".format(self.tenant_id, self.name)
            """,
            lines=(10,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                capsule_id: str
                name: str

                @property
                def pk(self) -> str:
                    return "TENANT#{}#CAPSULE#{}#CONFIG#{}".format(
                        self.tenant_id, self.capsule_id, self.name
                    )
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                name: str

                @property
                def pk(self) -> str:
                    return "TENANT#" + self.tenant_id + "#CONFIG"
            """,
            lines=(10,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Config:
                tenant_id: str
                capsule_id: str
                name: str

                @property
                def pk(self) -> str:
                    return "TENANT#" + self.tenant_id + "#CAPSULE#" + self.capsule_id + "#CONFIG"
            """,
        ),
    ),
)
