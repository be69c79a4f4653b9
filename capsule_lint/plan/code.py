"""Small pieces of code as text: access paths, item accesses, names in another scope's style."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.program.model import last_name
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

_CONVERTER: Final = re.compile(r"int|UUID|[A-Z](?![A-Z0-9_]*$)\w*")
"""What makes a value of another type of a text: a class, by the look of its name."""
_NOTHING: Final[Mapping[str, str]] = {}


def text_of(node: tree.Node, given: Mapping[str, str] = _NOTHING) -> str | None:
    """The code of a path, an item access or a call without arguments, with what is given for names in their place; `None`
    for anything else."""
    match node:
        case tree.Name():
            return given.get(node.id, node.id)
        case tree.Attr():
            base = text_of(node.base, given)
            return f"{base}.{node.name}" if base is not None else None
        case tree.Const(value=str() as value):
            return f'"{value}"' if '"' not in value and "\\" not in value else repr(value)
        case tree.Const(value=int() as number):
            return str(number)
        case tree.Subscript():
            base, index = text_of(node.base, given), text_of(node.index, given)
            return f"{base}[{index}]" if base is not None and index is not None else None
        case tree.Call():
            func = text_of(node.func, given)
            args = [text_of(a.value, given) for a in node.args]
            if func is None or None in args or any(a.star for a in node.args):
                return None
            said = [
                f"{a.keyword}={t}" if a.keyword else str(t)
                for a, t in zip(node.args, args, strict=True)
            ]
            return f"{func}({', '.join(said)})"
        case _:
            return None


def put_together(node: tree.Node) -> str | None:
    """The code of a text that is put together of what `text_of` knows the code of: `f"t{n}"`, `"t" + str(n)`."""
    match node:
        case tree.FString():
            parts = [_part_of(one) for one in node.parts]
            return 'f"' + "".join(map(str, parts)) + '"' if None not in parts else None
        case tree.Binary(op="+" | "%" as op):
            left = put_together(node.left) if op == "+" else text_of(node.left)
            right = text_of(node.right)
            return f"{left} {op} {right}" if left is not None and right is not None else None
        case _:
            return text_of(node)


def _part_of(part: str | tree.Hole) -> str | None:
    if isinstance(part, str):
        written = part.isprintable() and '"' not in part and "\\" not in part
        return part.replace("{", "{{").replace("}", "}}") if written else None
    code = text_of(part.value) if part.plain else None
    return f"{{{code}}}" if code is not None and '"' not in code else None


def renamed_item_access(code: str, node: tree.Node, old: Scope, new: Scope) -> str | None:
    """`item["tenantId"]["S"]` to `item["capsuleId"]["S"]`; `None` when it is no access of an item."""
    key = item_key(node, old)
    if key is None or not code:
        return None
    other = rename(key, old, new)
    if other == key:
        return None
    code = _converted(code, node, old, new).replace(f'"{key}"', f'"{other}"')
    if old.type is not None and new.type is not None:
        code = code.replace(f"{old.type.name}(", f"{new.type.name}(")
    return code


def _converted(code: str, node: tree.Node, old: Scope, new: Scope) -> str:
    """The code of what reads an item, where it makes of that what another scope's value is: `UUID(item["tenant_id"])`
    says nothing of one that has a type of its own, or is a plain text by `test-value`."""
    own = new.type.name if new.type is not None and new.type.name != "str" else None
    if own is None and new.type is None and not (new.test_value or "").startswith(('"', "'")):
        return code
    said = False
    while isinstance(node, tree.Call) and len(node.args) == 1:
        func, inner, name = text_of(node.func), text_of(node.args[0].value), last_name(node.func)
        if own is not None and name in (own, old.type.name if old.type is not None else own):
            said = True
        elif _CONVERTER.fullmatch(name):
            wanted = f"{own}({inner})" if own is not None and not said else f"{inner}"
            code, said = code.replace(f"{func}({inner})", wanted, 1), True
        node = node.args[0].value
    return code


def item_key(node: tree.Node, scope: Scope) -> str | None:
    """The constant key by which an expression reads a scope's value from a dict."""
    match node:
        case tree.Subscript(index=tree.Const(value=str() as key)):
            return key if names_scope(key, scope) else item_key(node.base, scope)
        case tree.Call(func=tree.Attr(name="get" | "pop") as func) if node.args:
            first = node.args[0].value
            if (
                isinstance(first, tree.Const)
                and isinstance(first.value, str)
                and names_scope(first.value, scope)
            ):
                return first.value
            return item_key(func.base, scope)
        case tree.Call() if len(node.args) == 1:
            return item_key(node.args[0].value, scope)
        case _:
            return None


_NO_LETTER: Final = r"(?!(?!s(?![a-z]))[a-z])"
"""Where a word ends, or is a plural: no `TenantId` begins `TenantIdentifier`."""
_NAME: Final = re.compile(r"[\w:-]+")


def rename(name: str, old: Scope, new: Scope) -> str:
    """`tenantId`, `tenant_id`, `TenantId`, `_tenant` to the other scope's, in the same style."""
    return next(renamed(name, old, new), name)


def renamed_code(code: str, old: Scope, new: Scope) -> str:
    """Code with one scope's names, that of its type too, replaced by another's."""
    found = rename(code, old, new)
    if old.type is not None and new.type is not None:
        found = re.sub(rf"\b{re.escape(old.type.name)}\b", new.type.name, found)
    return found


def renamed(name: str, old: Scope, new: Scope) -> Iterator[str]:
    """All that the other scope may be called beside this name: beside `env`, the parameter of its scope, `tenant`
    and `tenantId` say as much as `tenant_id`, which comes first."""

    one, other = old.parameter, new.parameter
    plain = [(one, other), (one.upper(), other.upper())]
    short = [(one.removesuffix("_id"), other.removesuffix("_id")), (old.name, new.name)]
    said = [name.replace(before, after) for before, after in plain if before in name]
    for before, after in zip(_joined(one), _joined(other), strict=True):
        if before in name:
            said.append(re.sub(rf"{re.escape(before)}{_NO_LETTER}", after, name))
    said += [name.replace(before, after) for before, after in short if before in name]
    for before, after in short if _NAME.fullmatch(name) else ():  # `Tenant` in code may be a class
        said.append(re.sub(rf"{before.capitalize()}{_NO_LETTER}", after.capitalize(), name))
    yield from (one for one in dict.fromkeys(said) if one != name)


def _joined(parameter: str) -> tuple[str, ...]:
    """How a name is spelled without underscores: `tenantId`, `TenantId`, `tenantID`, `TenantID`, `tenantid`, `TENANTID`."""
    head, *rest = parameter.split("_")
    plain = head + "".join(part.capitalize() for part in rest)
    loud = head + "".join(part.upper() if part == "id" else part.capitalize() for part in rest)
    flat = parameter.replace("_", "")
    every = (form for one in (plain, loud) for form in (one, one[:1].upper() + one[1:]))
    return (*every, flat, flat.upper())


class AddedEntry(Struct, frozen=True):
    """A statement that gives a dict one more entry."""

    base: tree.Node
    key: str
    value: tree.Node
    method: str = ""
    """`setdefault`, or empty for `base[key] = value`."""

    def spelled(self, base: str, key: str, value: str) -> str:
        """The same statement for another key."""
        if self.method:
            return f'{base}.{self.method}("{key}", {value})'
        return f'{base}["{key}"] = {value}'


def added_entry(statement: tree.Statement) -> AddedEntry | None:
    """The entry that `item["key"] = value` or `item.setdefault("key", value)` adds."""
    match statement:
        case tree.Assign(
            targets=(tree.Subscript(index=tree.Const(value=str() as key)) as target,),
            value=value,
            op="",
        ) if value is not None:
            return AddedEntry(target.base, key, value)
        case tree.Eval(kind="expr", values=(tree.Call(func=tree.Attr() as func) as call,)):
            plain = call.plain
            if func.name == "setdefault" and len(plain) == len(call.args) == 2:
                name = tree.text(plain[0])
                if name is not None:
                    return AddedEntry(func.base, name, plain[1], func.name)
    return None


def attribute_in(node: tree.Node) -> tree.Attr | None:
    """`self.tenant_id` in `str(self.tenant_id)`, `{"S": self.tenant_id}` and `self.tenant_id.value`."""
    match node:
        case tree.Attr(name="value" | "hex", base=tree.Attr() as inner):
            return inner
        case tree.Attr():
            return node
        case tree.Call() if len(node.args) == 1:
            return attribute_in(node.args[0].value)
        case tree.Call(func=tree.Attr() as func) if not node.args:
            return attribute_in(func.base)
        case tree.DictDisplay() if len(node.values) == 1:
            return attribute_in(node.values[0])
        case _:
            return None


def does_nothing(function: Function) -> bool:
    """Whether a function's body is that of a stub: it declares, refuses, or does nothing."""
    return all(map(_is_idle, function.fact.body[function.fact.doc :]))


def _is_idle(statement: tree.Statement) -> bool:
    """Whether a statement does nothing: a text, `...`, `raise`, or (`pass`) nothing that was kept."""
    match statement:
        case tree.Eval(kind="raise"):
            return True
        case tree.Eval(kind="expr", values=values):
            return all(isinstance(value, tree.Const) for value in values)
        case tree.Eval(values=()):
            return True
        case _:
            return False
