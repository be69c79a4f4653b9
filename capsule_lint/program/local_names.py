"""What a local name stands for, and where it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.containers import ADDING
from capsule_lint.program.model import Binding
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from capsule_lint.program.model import Module
    from capsule_lint.program.names import Names

_WRITING: Final = frozenset(("write", "writelines", "writerow", "writerows"))
"""Methods of files, and of what writes into them, that add what they are given."""
BY_NAME: Final = frozenset(("locals", "vars", "eval", "exec"))
"""What may read any local by its name."""
_MAX_DEPTH: Final = 6


def bound_whole(names: Names, node: tree.Node) -> Binding | None:
    """The one binding of a name, if that does not unpack anything; `None` for any other expression."""
    found = names.bindings_of(node) if isinstance(node, tree.Name) else ()
    return found[0] if len(found) == 1 and not found[0].path else None


def only_assigned(names: Names, node: tree.Node) -> tree.Node | None:
    """What the one assignment of a name gives it; `None` for any other expression."""
    binding = bound_whole(names, node)
    return binding.assigned if binding is not None else None


def named_by(names: Names, node: tree.Node) -> Iterator[tree.Node]:
    """What a local name, or a walrus, is given, step by step through other names: the expression itself first."""
    seen: set[int] = set()
    current: tree.Node | None = node
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = current.value if isinstance(current, tree.Walrus) else None
        current = inner or only_assigned(names, current)


def behind(names: Names, node: tree.Node) -> tree.Node | None:
    """What a local name, or a walrus, is given in the end, through other names: the expression itself, if it is
    neither; `None` where that is not known."""
    *_, last = named_by(names, node)
    return None if isinstance(last, tree.Name | tree.Walrus) else last


def written_text(names: Names, node: tree.Node, depth: int = 0) -> str | None:
    """The text that is written out where an expression stands, or where what it names gets it, also in another module:
    `PATH = "app.notes"` of `f"{PATH}.get"`."""
    match node if depth < _MAX_DEPTH else None:
        case tree.Const(value=str() as text):
            return text
        case tree.Name() as name:
            bound = bound_whole(names, name)
            target = names.follow(bound) if bound is not None else None
            value = target.assigned if isinstance(target, Binding) else None
            return written_text(names, value, depth + 1) if value is not None else None
        case tree.Walrus(value=value):
            return written_text(names, value, depth)
        case tree.FString(parts=parts):
            said = [
                p if isinstance(p, str) else written_text(names, p.value, depth) for p in parts
            ]
            return "".join(p for p in said if p is not None) if None not in said else None
        case tree.Binary(op="+", left=left, right=right):
            first = written_text(names, left, depth)
            rest = written_text(names, right, depth)
            return first + rest if first is not None and rest is not None else None
        case tree.Binary(op="%", left=left, right=right):
            form, filled = written_text(names, left, depth), written_text(names, right, depth)
            if form is None or filled is None or form.count("%") != 1:
                return None
            return form.replace("%s", filled)
        case _:
            return None


def looked_up(node: tree.Node | None, method: str = "get") -> tuple[tree.Node, tree.Node] | None:
    """The dict and the key of `TABLE[key]`, and of `TABLE.get(key, …)` or another method."""
    match node:
        case tree.Subscript(base=table, index=key):
            return table, key
        case tree.Call(func=tree.Attr(name=name, base=table), args=(key, *_)) if name == method:
            return table, key.value
        case _:
            return None


def entries_of_dict(names: Names, node: tree.Node) -> dict[str, tree.Node | None]:
    """What a dict that is written out has under its keys, and a local that is one: `{"Key": key}`, `dict(Key=key)`,
    `options["Key"] = key`; `None` under those that are given several times."""
    binding = bound_whole(names, node)
    while binding is not None and isinstance(binding.assigned, tree.Name):
        binding = bound_whole(names, binding.assigned)
    made = node if binding is None else binding.assigned
    found: dict[str, tree.Node | None] = {}
    if isinstance(made, tree.DictDisplay):
        found.update(made.entries)
    elif isinstance(made, tree.Call) and tree.makes_dict(made):
        found.update(made.keywords)
    else:
        return {}
    put = [] if binding is None else list(put_into(names, binding))
    said = [key for key, _ in put]
    for key, value in put:
        if key is not None:
            found[key] = value if said.count(key) == 1 else None
    return found


def told_by_name(names: Names, call: tree.Call) -> dict[str, tree.Node | None]:
    """What a call is told by name, also by a dict that is spread into it: `update_item(**options)`; `None` as above."""
    found = dict[str, tree.Node | None](call.keywords)
    for one in call.spread:
        found |= entries_of_dict(names, one)
    return found


def entry_of_local(names: Names, node: tree.Subscript) -> tree.Node | None:
    """What a local dict that is written out has under a key: `item["SK"]`."""
    key = tree.text(node.index)
    if key is None or not isinstance(node.base, tree.Name):
        return None
    return entries_of_dict(names, node.base).get(key)


def assigned(names: Names, node: tree.Name) -> Iterator[tree.Node]:
    """What the assignments of a name give it, each as a whole."""
    for binding in names.bindings_of(node):
        if binding.assigned is not None:
            yield binding.assigned


def put_into(names: Names, binding: Binding) -> Iterator[tuple[str | None, tree.Node]]:
    """The keys and values that a local dict is given step by step: `options["Key"] = key`, `options.update(Key=key)`;
    `None` for a key that is not written out."""
    function, made = binding.function, given(binding)
    if function is None or not (isinstance(made, tree.DictDisplay | tree.Call)):
        return
    for own in names.called(function, binding.name):
        match part := names.parent(own):
            case tree.Subscript(base=base) if base is own:
                statement = names.parent(part)
                targets = statement.targets if isinstance(statement, tree.Assign) else ()
                value = statement.value if isinstance(statement, tree.Assign) else None
                if value is not None and any(target is part for target in targets):
                    yield tree.text(part.index), value
            case tree.Attr(name="update"):
                call = names.parent(part)
                if isinstance(call, tree.Call) and call.func is part:
                    yield from call.keywords
                    for whole in call.plain:
                        if isinstance(whole, tree.DictDisplay):
                            yield from ((tree.text(key), one) for key, one in whole.pairs)


def filled_with(names: Names, binding: Binding) -> Iterator[tree.Node]:
    """What is added to a local object that is made where it is bound, `lines.append(line)`, and the calls that are given
    it for nothing but what they do with it, `export(rows, out)`."""
    function, made = binding.function, binding.value
    if function is None or not isinstance(made, tree.Call | tree.Sequence | tree.DictDisplay):
        return
    for node in names.called(function, binding.name):
        match parent := names.parent(node):
            case tree.Attr(name=name):
                call = names.parent(parent) if name in ADDING or name in _WRITING else None
                if isinstance(call, tree.Call) and call.func is parent:
                    yield from (argument.value for argument in call.args)
            case tree.Call(args=args) if any(a.value is node for a in args):
                around = names.parent(parent)
                done = names.parent(around) if isinstance(around, tree.Wrapped) else around
                if isinstance(done, tree.Eval) and done.kind == "expr":
                    yield parent


def made_of(names: Names, node: tree.Node, seen: set[int] | None = None) -> Iterator[tree.Node]:
    """An expression and all below it, and the same of what the locals are given that are named in it, but for those
    whose bindings were `seen`."""
    queue, seen = [node], set() if seen is None else seen
    while queue:
        for one in within(queue.pop()):
            yield one
            for binding in names.bindings_of(one) if isinstance(one, tree.Name) else ():
                if binding.kind != "assign" or binding.function is None or id(binding) in seen:
                    continue
                seen.add(id(binding))
                queue += [] if binding.value is None else [binding.value]
                queue += [put for _, put in put_into(names, binding)]


def made_throughout(names: Names, node: tree.Node) -> Iterator[tree.Node]:
    """The same, and what comprehensions among it are made of."""
    queue, seen = [node], set[int]()
    while queue:
        for one in made_of(names, queue.pop(), seen):
            yield one
            queue += one.all_below() if isinstance(one, tree.Comprehension) else ()


def given(binding: Binding) -> tree.Node | None:
    """What a binding gives its name; of `a, b = x, y` what stands in its place; `None` for anything else that
    is unpacked."""
    value = binding.value
    for step in binding.path:
        items = value.items if isinstance(value, tree.Sequence) else ()
        value = items[step] if 0 <= step < len(items) else None
    return value


def reads_of(
    names: Names, target: tree.Name | tree.Walrus, bound_at: Collection[tree.At]
) -> Iterator[tree.Name]:
    """Where a name is read in its module that one of the targets at some positions binds."""
    name = target.id if isinstance(target, tree.Name) else target.name
    for node in names.module_of(target).named.get(name, ()):
        if not isinstance(node, tree.Name) or node.at in bound_at or _is_target(names, node):
            continue
        if any(binding.at in bound_at for binding in names.bindings_of(node)):
            yield node


def reads_of_value(names: Names, value: tree.Node) -> Iterable[tree.Node]:
    """Where a value is had: where it stands, or where the local name is read that it gets there."""
    parent = names.parent(value)
    match parent:
        case tree.Assign(targets=(tree.Name() as target,)) if parent.value is value:
            return reads_of(names, target, (target.at,))
        case tree.Walrus():
            return [parent, *reads_of(names, parent, (parent.at,))]
        case _:
            return [value]


def calls_of_value(names: Names, value: tree.Node) -> Iterator[tree.Call]:
    """The calls of a value, where it stands or by the local name that it gets there."""
    for read in reads_of_value(names, value):
        call = names.parent(read)
        if isinstance(call, tree.Call) and call.func is read:
            yield call


def reads_of_parameter(names: Names, own: tree.Parameter, module: Module) -> Iterator[tree.Name]:
    """Where a function, or a lambda, of a module names what it is given for a parameter of its own."""
    for node in module.named.get(own.name, ()):
        if isinstance(node, tree.Name) and any(
            b.parameter is own for b in names.bindings_of(node)
        ):
            yield node


def is_only_read(names: Names, node: tree.Name) -> bool:
    """Whether nothing is put into a dict where its name stands."""
    parent = names.parent(node)
    match parent:
        case tree.Call():
            return any(a.value is node and a.star == "**" for a in parent.args)
        case tree.Subscript(base=base):
            holder = names.parent(parent)
            if isinstance(holder, tree.Assign):
                return base is node and holder.value is parent
            reads = isinstance(holder, tree.Expr | tree.Eval) and not isinstance(
                holder, tree.Sequence
            )
            return base is node and reads
        case tree.Compare(ops=ops):
            return all(op in ("in", "not in") for op in ops)
        case tree.Attr(name=name):
            return name in ("get", "pop", "items", "keys", "values")
        case _:
            return False


def stays_as_made(names: Names, name: tree.Node) -> bool:
    """Whether an expression is a local that is only indexed and unpacked wherever it is named."""
    bound = names.bindings_of(name) if isinstance(name, tree.Name) else ()
    return bool(bound) and all(
        one.at == binding.at or names.bindings_of(one) != bound or _is_read(names, one)
        for binding in bound
        for one in names.module_of(name).named.get(binding.name, ())
        if isinstance(one, tree.Name)
    )


def _is_read(names: Names, name: tree.Name) -> bool:
    """Whether a local is indexed or unpacked where it stands, and nothing is set in it."""
    match around := names.parent(name):
        case tree.Subscript(base=base) if base is name:
            above = names.parent(around)
            return not (isinstance(above, tree.Assign) and around in above.targets)
        case tree.Assign(value=value):
            return value is name
        case _:
            return False


def _is_target(names: Names, name: tree.Name) -> bool:
    """Whether a name is only assigned where it stands."""
    parent = names.parent(name)
    return isinstance(parent, tree.Assign) and not parent.op and name in parent.targets
