"""A handler takes a scope's value from what the client sends.

## Why is this bad?
Whoever sends the request chooses whose data it reads: another tenant in the query string is enough.
A scope has to come from what the server itself knows of the caller, such as a verified token.

## Example
```python
@app.get("/orders")
def orders():
    return repo.list_orders(request.args["tenant_id"], g.capsule_id)
```

## Use instead
```python
@app.get("/orders")
def orders():
    return repo.list_orders(g.tenant_id, g.capsule_id)
```

## Fix safety
There is no fix: where the caller's scope is known is up to the application. Name it as a source in
the policy. Values in the path are left alone, and so are values that the handler compares or has
checked; an expression that the policy names as a source is trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from capsule_lint.judgement import TrustFact
from capsule_lint.rule import Bad, ExpressionCheck, Good, Rule

if TYPE_CHECKING:
    import libcst as cst


class Visitor(ExpressionCheck):
    """Values in handlers, and their parameters."""

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag a value from the client."""
        for fact in self.facts(node, TrustFact):
            self.flag(node, fact)


RULE = Rule(
    code="CAP502",
    message="{missing} comes from {reason}, which the client controls",
    check=Visitor,
    remedy="Take the value from what the server knows of the caller, such as a verified token",
    valid=(
        """
        def handler(event, context):
            claims = event["requestContext"]["authorizer"]["claims"]
            tenant_id, capsule_id = claims["custom:tenant_id"], claims["custom:capsule_id"]
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"
        """,
        # In the path, and injected.
        """
        from fastapi import APIRouter, Depends

        router = APIRouter(prefix="/tenants/{tenant_id}")

        def orders_pk(tenant_id: str, capsule_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"

        def current_capsule() -> str:
            return "c"

        @router.get("/orders")
        def orders(tenant_id: str, status: str, capsule_id: str = Depends(current_capsule)) -> str:
            return orders_pk(tenant_id, capsule_id)
        """,
        # Checked against what the server knows.
        """
        from flask import Flask, abort, g, request

        app = Flask(__name__)

        def orders_pk(tenant_id: str, capsule_id: str) -> str:
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"

        @app.get("/orders")
        def orders() -> str:
            tenant_id = request.args["tenant_id"]
            if tenant_id not in g.tenants:
                abort(403)
            return orders_pk(tenant_id, g.capsule_id)
        """,
        # Whatever else the client sends.
        """
        from flask import Flask, g, request

        app = Flask(__name__)

        @app.get("/orders")
        def orders() -> str:
            status = request.args["status"]
            return f"TENANT#{g.tenant_id}#CAPSULE#{g.capsule_id}#STATUS#{status}"
        """,
        # A token is verified before it is believed.
        """
        from flask import Flask, request

        from tokens import decode

        app = Flask(__name__)

        @app.get("/orders")
        def orders() -> str:
            claims = decode(request.headers["Authorization"])
            tenant_id, capsule_id = claims["tenant_id"], claims["capsule_id"]
            return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"
        """,
        Good(
            """
            from flask import Flask, g, request

            app = Flask(__name__)

            @app.get("/orders")
            def orders() -> str:
                tenant_id = request.headers['X-Tenant-Id']
                return f"TENANT#{tenant_id}#CAPSULE#{g.capsule_id}#ORDERS"
            """,
            policy="""
            [[scopes]]
            name = "tenant"
            segment = "TENANT#{tenant_id}"
            sources = ['request.headers["X-Tenant-Id"]']

            [[scopes]]
            name = "capsule"
            segment = "CAPSULE#{capsule_id}"
            """,
        ),
    ),
    invalid=(
        # A fallback to the body is the client's choice as well.
        Bad(
            """
            import json

            def handler(event, context):
                claims = event["requestContext"]["authorizer"]["claims"]
                body = json.loads(event["body"])
                tenant_id = claims.get("tenant_id") or body.get("tenant_id", "default")
                return f"TENANT#{tenant_id}#CAPSULE#{claims['capsule_id']}#ORDERS"
            """,
            lines=(6,),
        ),
        Bad(
            """
            from flask import Flask, g, request

            app = Flask(__name__)

            def orders_pk(tenant_id: str, capsule_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"

            @app.get("/orders")
            def orders() -> str:
                return orders_pk(request.args["tenant"], g.capsule_id)

            @app.post("/orders")
            def place() -> str:
                body = request.get_json()
                tenant_id = body.get("tenantId")
                return orders_pk(tenant_id, request.headers.get("X-Capsule"))
            """,
            lines=(10, 15, 16),
        ),
        Bad(
            """
            from fastapi import APIRouter, Depends
            from pydantic import BaseModel

            router = APIRouter()

            class OrderIn(BaseModel):
                capsule_id: str
                sku: str

            def order_pk(tenant_id: str, capsule_id: str, sku: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDER#{sku}"

            @router.get("/orders/{sku}")
            def order(sku: str, tenant_id: str, capsule_id: str = Depends(str)) -> str:
                return order_pk(tenant_id, capsule_id, sku)

            @router.post("/orders")
            def place(body: OrderIn, tenant_id: str = Depends(str)) -> str:
                return order_pk(tenant_id, body.capsule_id, body.sku)
            """,
            lines=(14, 19),
        ),
        # The names of headers come in any case.
        Bad(
            """
            from fastapi import APIRouter, Depends

            router = APIRouter()

            def orders_pk(tenant_id: str, capsule_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"

            def handler(event, context):
                claims = event["requestContext"]["authorizer"]["claims"]
                headers = {name.lower(): value for name, value in event["headers"].items()}
                return orders_pk(claims["tenant_id"], headers["x-capsule-id"])

            @router.post("/orders")
            def place(body: dict, tenant_id: str = Depends(str)) -> str:
                return orders_pk(tenant_id, body["capsule_id"])

            @router.get("/orders")
            def orders(request, tenant_id: str = Depends(str)) -> str:
                return orders_pk(tenant_id, request.cookies["capsule_id"])
            """,
            lines=(11, 15, 19),
        ),
        Bad(
            """
            import json

            def orders_pk(tenant_id: str, capsule_id: str) -> str:
                return f"TENANT#{tenant_id}#CAPSULE#{capsule_id}#ORDERS"

            def handler(event, context):
                params = event.get("queryStringParameters") or {}
                body = json.loads(event["body"])
                return orders_pk(params["tenant_id"], body["capsule_id"])
            """,
            lines=(9, 9),
        ),
    ),
)
