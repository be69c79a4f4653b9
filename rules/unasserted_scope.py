"""A test asserts an entity's fields and never its scope.

## Why is this bad?
A factory or a loader that loses the capsule, or takes the wrong one, passes such a test.

## Example
```python
config = FinancialConfig.new(TENANT, CAPSULE, "USD")
assert config.base_currency == "USD"
assert config.is_active is True
```

## Use instead
```python
config = FinancialConfig.new(TENANT, CAPSULE, "USD")
assert config.base_currency == "USD"
assert config.is_active is True
assert config.capsule_id == CAPSULE
```

## Fix safety
The assertion is added after that of another scope in the same block, or else after the last one, in its style, where
the entity is made in the test itself, or by a helper of its file that gives every one the same scope if the test
does nothing but assert its fields, and the expression for its scope still means the same; otherwise the test is only
reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import AssertionFact
from capsule_lint.model import Severity
from capsule_lint.rewrite import StatementFix
from capsule_lint.rule import Bad, ExpressionCheck, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """The names of entities in assertions."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag the last assertion about an entity."""
        for fact in self.facts(node, AssertionFact):
            self.flag(node, fact)


_ENTITY = """
from dataclasses import dataclass

@dataclass
class Order:
    tenant_id: str
    capsule_id: str
    sku: str
    open: bool = True

    @property
    def pk(self) -> str:
        return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ORDER#{self.sku}"
"""

RULE = Rule(
    code="CAP602",
    message="asserts fields of `{reason}` and never {missing}",
    check=Visitor,
    fix=(StatementFix,),
    fix_message="Assert the scope as well",
    severity=Severity.WARNING,
    enabled=False,
    valid=(
        Good(
            {
                "app/orders.py": _ENTITY,
                "tests/test_orders.py": """
                from app.orders import Order

                def test_scope() -> None:
                    order = Order("t", "PRODUS", "a")
                    assert order.sku == "a"
                    assert order.open is True
                    assert order.capsule_id == "PRODUS"

                def test_key() -> None:
                    order = Order("t", "PRODUS", "a")
                    assert order.sku == "a"
                    assert order.pk == "TENANT#t#CAPSULE#PRODUS#ORDER#a"

                def test_whole() -> None:
                    order, twin = Order("t", "PRODUS", "a"), Order("t", "PRODUS", "a")
                    assert order.sku == "a"
                    assert order.open is True
                    assert order == twin

                def test_one_field() -> None:
                    order = Order("t", "PRODUS", "a")
                    assert order.sku == "a"
                """,
            }
        ),
        """
        def check(order) -> None:
            assert order.sku == "a"
            assert order.open is True
        """,
    ),
    invalid=(
        Bad(
            {
                "tests/test_orders.py": """
                import unittest

                from app.orders import Order

                CAPSULE = "PRODUS"

                def test_order() -> None:
                    order = Order("t", CAPSULE, "a")
                    assert order.sku == "a"
                    assert order.open is True  # from the start

                class OrderTest(unittest.TestCase):
                    def test_order(self) -> None:
                        order = Order(tenant_id="t", capsule_id="DEVUS", sku="a")
                        self.assertEqual("a", order.sku)
                        self.assertEqual(order.open, True)
                """,
                "app/orders.py": _ENTITY,
            },
            lines=(10, 16),
            fixed={
                "tests/test_orders.py": """
                import unittest

                from app.orders import Order

                CAPSULE = "PRODUS"

                def test_order() -> None:
                    order = Order("t", CAPSULE, "a")
                    assert order.sku == "a"
                    assert order.open is True  # from the start
                    assert order.capsule_id == CAPSULE

                class OrderTest(unittest.TestCase):
                    def test_order(self) -> None:
                        order = Order(tenant_id="t", capsule_id="DEVUS", sku="a")
                        self.assertEqual("a", order.sku)
                        self.assertEqual(order.open, True)
                        self.assertEqual(order.capsule_id, "DEVUS")
                """,
            },
        ),
    ),
)
