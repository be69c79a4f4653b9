"""An entity has no field for a scope that its key needs.

## Why is this bad?
An item that does not know its capsule cannot be written to the right partition, and whoever reads
it cannot tell where it came from.

## Example
```python
@dataclass
class Order:
    tenant_id: str
    order_id: str
```

## Use instead
```python
@dataclass
class Order:
    tenant_id: str
    capsule_id: str
    order_id: str
```

## Fix safety
The field stands after that of the preceding scope; constructors, factories, item dicts and loaders
change with it. Safe when every construction is found and has a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import ClassFact
from capsule_lint.rewrite import (
    ArgumentFix,
    DropFix,
    ElementFix,
    EntryFix,
    ParameterFix,
    ReplaceFix,
    StatementFix,
)
from capsule_lint.rule import Bad, Check, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(Check):
    """Classes whose instances are items."""

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        """Flag an entity that lacks fields."""
        for fact in self.facts(node.name, ClassFact):
            self.flag(node.name, fact)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        """Flag one whose class a call makes: `Note = namedtuple("Note", "tenant_id note_id")`."""
        for fact in self.facts(node.target, ClassFact):
            self.flag(node.target, fact)


RULE = Rule(
    code="CAP301",
    message="entity `{name}` has no field {missing}",
    check=Visitor,
    fix=(StatementFix, EntryFix, ArgumentFix, ElementFix, ParameterFix, DropFix, ReplaceFix),
    fix_message="Add the field, and the argument to every construction",
    valid=(
        """
        from dataclasses import dataclass

        @dataclass
        class Order:
            tenant_id: str
            capsule_id: str

            @property
            def pk(self) -> str:
                return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}"
        """,
        """
        from dataclasses import dataclass

        @dataclass
        class Money:
            amount: int
            currency: str
        """,
    ),
    invalid=(
        Bad(
            """
            class Order:
                def __init__(self, tenant_id: str, order_id: str) -> None:
                    self.tenant_id = tenant_id
                    self.order_id = order_id

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#ORDER#{self.order_id}"

            def place(tenant_id: str, capsule_id: str) -> Order:
                return Order(tenant_id, order_id="o-1")
            """,
            lines=(1,),
            fixed="""
            class Order:
                def __init__(self, tenant_id: str, capsule_id: str, order_id: str) -> None:
                    self.tenant_id = tenant_id
                    self.capsule_id = capsule_id
                    self.order_id = order_id

                @property
                def pk(self) -> str:
                    return (
                        f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER#{self.order_id}"
                    )

            def place(tenant_id: str, capsule_id: str) -> Order:
                return Order(tenant_id, capsule_id, order_id="o-1")
            """,
        ),
        Bad(
            """
            from dataclasses import dataclass

            @dataclass
            class Owned:
                tenant_id: str

            @dataclass
            class Order(Owned):
                order_id: str

                @property
                def pk(self) -> str:
                    return f"TENANT#{self.tenant_id}#ORDER#{self.order_id}"
            """,
            lines=(8,),
            fixed="""
            from dataclasses import dataclass

            @dataclass
            class Owned:
                tenant_id: str
                capsule_id: str

            @dataclass
            class Order(Owned):
                order_id: str

                @property
                def pk(self) -> str:
                    return (
                        f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER#{self.order_id}"
                    )
            """,
        ),
    ),
)
