"""Which expressions of a handler are what the client sends: body, query string, headers, cookies."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.code import text_of
from capsule_lint.plan.opinions.base import Ground, inside
from capsule_lint.policy import SourceKind
from capsule_lint.program.inference.types import Foreign, Instance, classes_of
from capsule_lint.program.model import Binding, Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.policy import Scope

_REQUEST: Final = {
    "args": "the query string",
    "query_params": "the query string",
    "GET": "the query string",
    "values": "the query string or the body",
    "form": "the body",
    "json": "the body",
    "get_json": "the body",
    "POST": "the body",
    "headers": "a header",
    "cookies": "a cookie",
    "COOKIES": "a cookie",
}
"""What the attributes of a request hold in Flask, Starlette and Django."""
_EVENT: Final = {
    "queryStringParameters": "the query string",
    "multiValueQueryStringParameters": "the query string",
    "body": "the body",
    "headers": "a header",
    "multiValueHeaders": "a header",
}
"""The same for the items of a Lambda's event."""
_POWERTOOLS: Final = {
    "query_string_parameters": "the query string",
    "get_query_string_value": "the query string",
    "json_body": "the body",
    "get_header_value": "a header",
    "headers": "a header",
}
_MARKERS: Final = {
    "Query": "the query string",
    "Body": "the body",
    "Form": "the body",
    "Header": "a header",
    "Cookie": "a cookie",
}
_INJECTED: Final = frozenset(("Depends", "Security"))
_METHODS: Final = ("json", "form", "get_json", "get_query_string_value", "get_header_value")
"""What of these a request is asked for by a call."""
_SIGNED: Final = re.compile(r"^x-(?:amz|amzn|apigateway|ms|goog)-", re.IGNORECASE)
"""Headers that a gateway sets, and does not let through from outside."""
_READERS: Final = frozenset(("loads", "dict", "str", "parse_qs"))
_DEPTH: Final = 8


@dataclass(eq=False, slots=True)
class Clients:
    """Follows expressions to what the client sends."""

    ground: Ground
    _trusted: dict[str, set[str]] = field(default_factory=dict)

    def origin(self, node: tree.Node, scope: Scope, depth: int = 0) -> str:
        """What of a request an expression is part of; empty when it is none, or not known."""
        if depth > _DEPTH or self._is_source(node, scope):
            return ""
        match node:
            case tree.Name():
                return self._named(node, scope, depth)
            case tree.Attr():
                return self._attribute(node, scope, depth)
            case tree.Subscript():
                return self._item(node.base, node.index, scope, depth)
            case tree.Boolean(op="or"):
                return self._any(node.values, scope, depth)
            case tree.Conditional():
                return self._any((node.then, node.otherwise), scope, depth)
            case tree.Comprehension(
                kind="DictComp",
                results=(_, tree.Name(id=value)),
                generators=(
                    tree.Generator(
                        target=tree.Sequence(items=(_, tree.Name(id=own))),
                        iter=tree.Call(func=tree.Attr(name="items", base=base)),
                    ),
                ),
            ) if (
                value == own
            ):  # a copy: `{name.lower(): value for name, value in headers.items()}`
                return self.origin(base, scope, depth + 1)
            case tree.Wrapped(kind="await") | tree.Walrus():
                return self.origin(node.value, scope, depth + 1)
            case tree.Call():
                return self._called(node, scope, depth)
            case _:
                return ""

    def _any(self, nodes: Iterable[tree.Node], scope: Scope, depth: int) -> str:
        """A fallback to what the client sends is as bad as that alone: whoever leaves out the rest
        chooses it."""
        found = (self.origin(node, scope, depth + 1) for node in nodes)
        return next((origin for origin in found if origin), "")

    def _is_source(self, node: tree.Node, scope: Scope) -> bool:
        """Whether policy says that an expression is to be trusted."""
        if scope.name not in self._trusted:
            self._trusted[scope.name] = {
                _normal(s.code) for s in scope.sources if s.kind is SourceKind.EXPRESSION
            }
        code = text_of(node) if self._trusted[scope.name] else None
        return code is not None and _normal(code) in self._trusted[scope.name]

    def _named(self, node: tree.Name, scope: Scope, depth: int) -> str:
        names = self.ground.program.names
        found = set()
        for binding in names.bindings_of(node):
            if binding.kind == "param" and binding.function is not None:
                found.add(self._parameter(binding.function, binding))
            elif binding.assigned is not None:
                found.add(self.origin(binding.assigned, scope, depth + 1))
            else:
                return ""
        return "" if "" in found else min(found, default="")

    def _attribute(self, node: tree.Attr, scope: Scope, depth: int) -> str:
        if self._is_request(node.base) and node.name in _REQUEST:
            return _REQUEST[node.name]
        if last_name(node.base) == "current_event" and node.name in _POWERTOOLS:
            return _POWERTOOLS[node.name]
        for source in scope.sources:
            if source.kind is SourceKind.ATTRIBUTE and source.access == node.name:
                for one in self.ground.program.inference.of(node.base):
                    if isinstance(one, Instance) and one.cls.name == source.name:
                        return ""
        return self.origin(node.base, scope, depth + 1)

    def _item(self, base: tree.Node, key: tree.Node, scope: Scope, depth: int) -> str:
        if isinstance(key, tree.Const) and isinstance(key.value, str):
            if self._is_event(base) and key.value in _EVENT:
                return _EVENT[key.value]
            found = self.origin(base, scope, depth + 1)
            return "" if found == "a header" and _SIGNED.match(key.value) else found
        return ""

    def _called(self, node: tree.Call, scope: Scope, depth: int) -> str:
        func = node.func
        if isinstance(func, tree.Attr):
            if func.name in ("get", "getlist", "pop") and node.args:
                return self._item(func.base, node.args[0].value, scope, depth)
            if func.name in _METHODS:
                return self._attribute(func, scope, depth)
        if len(node.args) != 1 or node.args[0].star:
            return self._through(node, scope, depth)
        if last_name(func) in _READERS or self.ground.uncast(node) is not node:
            return self.origin(node.args[0].value, scope, depth + 1)
        return self._through(node, scope, depth)

    def _through(self, node: tree.Call, scope: Scope, depth: int) -> str:
        """What a small function returns that only takes the request apart."""
        found = ""
        for callee in self.ground.program.calls.callees(node):
            function = callee.function
            if function is None or callee.cls is not None or len(function.returns) != 1:
                return ""
            if any(s.name == function.name for scope in self.ground.scopes for s in scope.sources):
                return ""
            found = self.origin(function.returns[0], scope, depth + 2)
        return found

    # --- what a request is ---

    def _is_request(self, node: tree.Node) -> bool:
        """Whether a name is that of a web framework's request."""
        if not isinstance(node, tree.Name) or node.id not in ("request", "req"):
            return False
        types = self.ground.program.inference.of(node)
        return not any(isinstance(t, Instance) for t in types)

    def _is_event(self, node: tree.Node) -> bool:
        """Whether a name is that of a Lambda's event."""
        if not isinstance(node, tree.Name) or "event" not in node.id:
            return False
        names = self.ground.program.names
        return any(b.kind == "param" for b in names.bindings_of(node))

    # --- parameters that FastAPI fills ---

    def _parameter(self, function: Function, binding: Binding) -> str:
        parameter = binding.parameter
        if parameter is None or function not in self.ground.program.domain.handlers:
            return ""
        marks = {last_name(call) for call in self._marks(parameter)}
        if marks & _INJECTED:
            return ""
        for mark in sorted(marks & set(_MARKERS)):
            return "" if self._is_signed(parameter) else _MARKERS[mark]
        if marks or not self._is_fastapi(function) or self._is_in_path(function, parameter.name):
            return ""
        types = self.ground.program.domain.parameter_types(function, parameter)
        classes = classes_of(types)
        if classes:
            return "the body" if all(map(self.ground.program.classes.is_model, classes)) else ""
        if last_name(parameter.annotation) in ("dict", "Dict"):
            return "the body"
        return "the query string" if self._is_plain(parameter) else ""

    def _marks(self, parameter: tree.Parameter) -> Iterator[tree.Call]:
        """`Query(…)`, as a default or in `Annotated[…]`, there or in an alias."""
        for node in (parameter.default, self._annotation(parameter)):
            for part in inside(node) if node is not None else ():
                if isinstance(part, tree.Call):
                    yield part

    def _annotation(self, parameter: tree.Parameter) -> tree.Node | None:
        node = parameter.annotation
        if isinstance(node, tree.Name | tree.Attr):
            target = self.ground.program.classes.dotted(node)
            if isinstance(target, Binding) and isinstance(target.value, tree.Subscript):
                return target.value
        return node

    def _is_signed(self, parameter: tree.Parameter) -> bool:
        aliases = [a.value for m in self._marks(parameter) for a in m.args if a.keyword == "alias"]
        said = [a.value for a in aliases if isinstance(a, tree.Const)]
        return any(_SIGNED.match(str(s)) for s in (*said, parameter.name.replace("_", "-")))

    def _is_plain(self, parameter: tree.Parameter) -> bool:
        """Whether an annotation is that of a single text or number."""
        name = last_name(parameter.annotation)
        types = [s.type.name.rpartition(".")[2] for s in self.ground.scopes if s.type is not None]
        return name in ("str", "int", "UUID", "Optional", *types) or isinstance(
            parameter.annotation, tree.Binary
        )

    def _is_fastapi(self, function: Function) -> bool:
        """Whether the decorator that makes a handler is one of FastAPI's."""
        for decorator in function.fact.decorators:
            match decorator:
                case tree.Call(func=tree.Attr() as func):
                    types = self.ground.program.inference.of(func.base)
                    if any(
                        isinstance(t, Foreign) and t.name.startswith("fastapi.") for t in types
                    ):
                        return True
        return False

    def _is_in_path(self, function: Function, name: str) -> bool:
        """Whether the route, or what any router puts before its routes, may hold the parameter."""
        calls = [d for d in function.fact.decorators if isinstance(d, tree.Call)]
        routes = [a.value for call in calls for a in call.args if a.keyword in (None, "path")]
        prefixes = [
            argument.value
            for maker in ("APIRouter", "FastAPI", "include_router", "mount")
            for call in self.ground.program.calls.uses.calls(maker)
            for argument in call.args
            if argument.keyword in (None, "prefix", "root_path")
        ]
        for route in (*routes, *prefixes):
            text = self.ground.program.templates.constant(route)
            if text is None:  # a router, or a prefix from the settings, says nothing of scopes
                if route in routes or not isinstance(route, tree.Name | tree.Attr):
                    return True
            elif re.search(rf"\{{{re.escape(name)}\b", text):
                return True
        return False


def _normal(code: str) -> str:
    """Code with one kind of quotes."""
    try:
        return ast.unparse(ast.parse(code, mode="eval"))
    except SyntaxError:
        return code
