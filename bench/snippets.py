"""The code that is planted: keys at the end of files, and small modules that call a key helper."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import Final

POLICY: Final = """\
src = ["."]

[[scopes]]
name = "tenant"
segment = "TENANT#{tenant_id}"

[[scopes]]
name = "capsule"
segment = "CAPSULE#{capsule_id}"
sources = ["orderbook.context:RequestContext.capsule_id"]
test-source = "orderbook.samples:test_capsule()"

[handlers]
functions = ["*.handle_order_*"]
"""

SHARED: Final = {
    "orderbook/__init__.py": '"""Orders, as the planted modules know them."""\n',
    "orderbook/context.py": '''\
"""Who asks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RequestContext:
    """The customer and the environment of a request."""

    tenant_id: str
    capsule_id: str
''',
    "orderbook/keys.py": '''\
"""Partition keys."""


def account_pk(tenant_id: str, capsule_id: str, account_id: str) -> str:
    """The partition key of an account."""
    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ACCOUNT#{account_id}"
''',
    "orderbook/samples.py": '''\
"""Values for tests."""


def test_capsule() -> str:
    """The environment that tests run in."""
    return "PRODUS"


test_capsule.__test__ = False
''',
}

SHIFTED_HELPER: Final = '''

def order_pk(tenant_id: str, order_id: str) -> str:
    """The partition key of an order."""
    return f"TENANT#{tenant_id}#ORDER#{order_id}"
'''

REVISION: Final = Template('''

def revision_${n}_pk(tenant_id: str, capsule_id: str, order_id: str) -> str:
    """The partition key of an order's revision."""
    return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#REVISION${n}#{order_id}"
''')


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code with a number `$n`, and the defects in it: code, and what the defect's row starts with.

    `handler` is what the module with handlers gets besides, and `used` the name that it imports.
    """

    text: Template
    defects: tuple[tuple[str, str], ...] = ()
    handler: Template | None = None
    used: Template | None = None


KEYS: Final = (
    Snippet(
        Template('''

def parcel_pk_$n(tenant_id: str, parcel_id: str) -> str:
    """The partition key of a parcel."""
    return f"TENANT#{tenant_id}#PARCEL#{parcel_id}"
'''),
        (("CAP202", "def parcel_pk_"),),
    ),
    Snippet(
        Template('''

def load_parcel_$n(table, tenant_id: str, capsule_id: str, parcel_id: str):
    """Read a parcel and its invoice."""
    invoice = {"PK": f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#INVOICE#{parcel_id}", "SK": "META"}
    parcel = {"PK": f"TENANT#{tenant_id}#PARCEL#{parcel_id}", "SK": "META"}
    return table.get_item(Key=invoice), table.get_item(Key=parcel)
'''),
        (("CAP104", "parcel = "),),
    ),
    Snippet(
        Template('''

class Parcel$n:
    """A parcel of a customer."""

    def __init__(self, tenant_id: str, capsule_id: str, parcel_id: str) -> None:
        self.tenant_id = tenant_id
        self.capsule_id = capsule_id
        self.parcel_id = parcel_id

    @property
    def pk(self) -> str:
        """The partition key."""
        return f"TENANT#{self.tenant_id}#PARCEL#{self.parcel_id}"
'''),
        (("CAP101", "return f"),),
    ),
)

DEPENDENT: Final = Template('''

from orderbook.keys import account_pk


def account_of_parcel_$n(tenant_id: str, capsule_id: str, account_id: str) -> str:
    """The key of the account that pays."""
    return account_pk(tenant_id, capsule_id, account_id)
''')

MODULE: Final = Template('''\
"""Order desk $n: $what."""

$imports
''')

CONTEXT_IMPORT: Final = "from orderbook.context import RequestContext"
KEY_IMPORT: Final = "from orderbook.keys import order_pk"

IN_TEST: Final = Template("""

def test_order_$n() -> None:
    assert "7" in order_pk("acme", "7")
""")

PLAIN: Final = Snippet(
    Template('''

def label_$n(tenant_id: str, capsule_id: str, order_id: str) -> str:
    """What stands on the order's label."""
    key = order_pk(tenant_id, order_id)
    return f"{capsule_id} {key}"
''')
)

CALLS: Final = (
    PLAIN,
    Snippet(
        Template('''

def row_$n(tenant_id: str, capsule_id: str, order_id: str) -> dict[str, str]:
    """The order's row."""
    key = order_pk(
        tenant_id,
        order_id,  # as the customer sees it
    )
    return {"key": key, "capsule": capsule_id}
''')
    ),
    PLAIN,
    Snippet(
        Template('''

def note_$n(tenant_id: str, capsule_id: str, order_id: str) -> tuple[str, str]:
    """A note on an order."""
    key = order_pk(tenant_id, order_id)  # the order itself, not its parcels
    return capsule_id, key
''')
    ),
    Snippet(
        Template('''

class Desk$n:
    """The desk of one customer."""

    def __init__(self, tenant_id: str, capsule_id: str) -> None:
        self.tenant_id = tenant_id
        self.capsule_id = capsule_id

    def label(self, order_id: str) -> str:
        """What stands on the order's label."""
        return order_pk(self.tenant_id, order_id)
''')
    ),
    Snippet(
        Template('''

def labels_$n(tenant_id: str, capsule_id: str, order_ids: list[str]) -> list[str]:
    """What stands on all labels."""
    return [capsule_id, *(order_pk(tenant_id, order_id) for order_id in order_ids)]
''')
    ),
    Snippet(
        Template('''

def wanted_$n(context: RequestContext, order_id: str) -> str:
    """What a request wants to see."""
    return order_pk(context.tenant_id, order_id)
''')
    ),
    Snippet(
        Template('''

def shifted_$n(tenant_id: str, order_id: str) -> str:
    """What a handler shows."""
    return order_pk(tenant_id, order_id).lower()
'''),
        handler=Template('''

def handle_order_$n(context: RequestContext, order_id: str) -> str:
    """Show an order."""
    return shifted_$n(context.tenant_id, order_id)
'''),
        used=Template("shifted_$n"),
    ),
    Snippet(
        Template('''

class Orders${n}Repository:
    """Orders in a table."""

    def __init__(self, table) -> None:
        self.table = table

    def shifted_row_$n(self, tenant_id: str, order_id: str):
        """Read an order."""
        return self.table.get_item(Key={"PK": order_pk(tenant_id, order_id), "SK": "META"})
'''),
        (("CAP201", "def shifted_row_"),),
        handler=Template('''

def handle_order_$n(context: RequestContext, repository: Orders${n}Repository, order_id: str):
    """Show an order's row."""
    return repository.shifted_row_$n(context.tenant_id, order_id)
'''),
        used=Template("Orders${n}Repository"),
    ),
)

STEP: Final = Template('''

def shifted_$n(tenant_id: str, order_id: str) -> str:
    """Pass an order on."""
    return $callee(tenant_id, order_id)
''')

CHAIN_HANDLER: Final = Template('''

def handle_order_$n(context: RequestContext, order_id: str) -> str:
    """Show an order."""
    return $callee(context.tenant_id, order_id)
''')
