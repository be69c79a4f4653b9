"""No test shows that one capsule cannot see an entity of another.

## Why is this bad?
Tests that work in one capsule pass with and without isolation. Only one that writes in one capsule and
looks in another fails when a key loses its segment.

## Example
```python
def test_get(repo: OrderRepository) -> None:
    repo.save(TENANT, CAPSULE, order)
    assert repo.get(TENANT, CAPSULE, order.id) == order
```

## Use instead
```python
def test_get_sees_no_other_capsule(repo: OrderRepository) -> None:
    repo.save(TENANT, CAPSULE, order)
    assert repo.get(TENANT, OTHER_CAPSULE, order.id) is None
```

## Fix safety
Safe, and made only where all of it is proven: a test that creates an item in a repository and fetches
it by the same scopes is copied up to there, and looks with another value instead. What is expected then
is what the method says of a missing item: `None` or `[]` by its annotation, or the one error that it
raises. Where no test shows how, or any of this is not certain, the repository is only reported. The new
test fails if the keys do not hold the scope: that is what it is for.

One test that calls a repository, or makes two of it, for two values of the innermost scope is taken
for such a test; a test against a Protocol counts for all that implement it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import EvidenceFact
from capsule_lint.model import Severity
from capsule_lint.rewrite import StatementFix
from capsule_lint.rule import Bad, ExpressionCheck, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """The names of classes."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a repository that is not tested for isolation."""
        for fact in self.facts(node, EvidenceFact):
            self.flag(node, fact)


_REPOSITORY = """
from dataclasses import dataclass

@dataclass
class Order:
    tenant_id: str
    capsule_id: str
    order_id: str

class OrderRepository:
    def __init__(self) -> None:
        self._orders: dict[tuple[str, str, str], Order] = {}

    def save(self, tenant_id: str, capsule_id: str, order: Order) -> None:
        self._orders[tenant_id, capsule_id, order.order_id] = order

    def get(self, tenant_id: str, capsule_id: str, order_id: str) -> Order | None:
        return self._orders.get((tenant_id, capsule_id, order_id))
"""

RULE = Rule(
    code="CAP601",
    message="no test shows that `{name}` keeps two values of {missing} apart",
    check=Visitor,
    fix=(StatementFix,),
    fix_message="Add a test of isolation beside the one that shows how",
    severity=Severity.WARNING,
    enabled=False,
    valid=(
        Good(
            {
                "app/orders.py": _REPOSITORY,
                "tests/test_orders.py": """
                from app.orders import Order, OrderRepository

                def test_another_capsule_sees_nothing() -> None:
                    repo = OrderRepository()
                    repo.save("t", "PRODUS", Order("t", "PRODUS", "1"))
                    assert repo.get("t", "DEVUS", "1") is None
                """,
            }
        ),
        """
        class Clock:
            def now(self) -> int:
                return 0
        """,
    ),
    invalid=(
        Bad(
            {
                "app/orders.py": _REPOSITORY,
                "tests/test_orders.py": """
                from app.orders import Order, OrderRepository

                def test_get() -> None:
                    repo = OrderRepository()
                    order = Order("t", "PRODUS", "1")
                    repo.save("t", "PRODUS", order)
                    assert repo.get("t", "PRODUS", "1") is order
                """,
            },
            lines=(9,),
            fixed={
                "tests/test_orders.py": """
                from app.orders import Order, OrderRepository

                def test_get() -> None:
                    repo = OrderRepository()
                    order = Order("t", "PRODUS", "1")
                    repo.save("t", "PRODUS", order)
                    assert repo.get("t", "PRODUS", "1") is order


                def test_get_sees_no_other_capsule() -> None:
                    repo = OrderRepository()
                    order = Order("t", "PRODUS", "1")
                    repo.save("t", "PRODUS", order)
                    assert repo.get("t", "OTHER", "1") is None
                """,
            },
        ),
        Bad(
            {
                "app/orders.py": _REPOSITORY,
                "tests/test_orders.py": """
                from app.orders import Order, OrderRepository

                def test_save() -> None:
                    repo = OrderRepository()
                    repo.save("t", "PRODUS", Order("t", "PRODUS", "1"))
                    assert len(repo._orders) == 1
                """,
            },
            lines=(9,),
        ),
    ),
)
