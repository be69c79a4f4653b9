"""Tables of functions that start empty: `VERBS = {}`, and what `VERBS["read"] = read`, or a decorator, puts into it;
of lists of functions too: `HANDLERS = defaultdict(list)`, `HANDLERS[kind].append(handler)`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.wrapping import decorated_by
from capsule_lint.program.containers import ADDING_ALL, LISTED
from capsule_lint.program.inference.types import (
    NOTHING,
    ClassObject,
    Collection,
    FunctionObject,
    TupleOf,
    Types,
    join,
)
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import Binding, Function, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference

_COUNTING: Final = frozenset(("len", "sorted", "list", "set", "bool"))
"""What is told of a table by its keys alone."""
_OF_KEYS: Final = frozenset(("keys", "clear", "__contains__", "append"))
"""What reads nothing else of a table, or puts one thing into it."""


@dataclass(eq=False, slots=True)
class Filled:
    """Finds what such tables hold."""

    inference: Inference
    _plain: dict[int, bool] = field(default_factory=dict)
    """Whether all uses of a table are plain, by its binding."""

    def of(self, binding: Binding) -> Types:
        """The table of functions that a module keeps; nothing where it may hold something else, or is more than
        looked up."""
        kind = made_empty(binding.value) if binding.kind == "assign" else ""
        scope = binding.place.scope
        if not kind or scope.kind != "module" or len(scope.bindings[binding.name]) > 1:
            return NOTHING
        fillings, name = self.inference.calls.uses.fillings, binding.name
        put = self._values(fillings.puts(name), binding)
        listed = self._values(fillings.nested_puts(name), binding) if kind == "dict" else []
        if listed and not all(made_empty(value) == "list" for value in put):
            return NOTHING
        found = join(*map(self.put, listed or put))
        if not found or not all(isinstance(one, FunctionObject | ClassObject) for one in found):
            found = self._rows(put) if kind == "list" else NOTHING
        if not found:
            return NOTHING
        if id(binding) not in self._plain:
            is_plain = self._is_plain_nested if listed else self._is_plain
            self._plain[id(binding)] = all(is_plain(one, kind) for one in self._uses(binding))
        if not self._plain[id(binding)]:
            return NOTHING
        held = frozenset((Collection(found, kind="list"),)) if listed else found
        return frozenset((Collection(held, kind=kind),))

    def of_module(self, node: tree.Name) -> list[tree.Node]:
        """What is put, one by one, into a dict that a module makes empty, and fills in no other way."""
        found = self.inference.names.bindings_of(node)
        binding = self.inference.names.follow(found[0]) if len(found) == 1 else None
        if not isinstance(binding, Binding) or made_empty(binding.assigned) != "dict":
            return []
        parents = map(self.inference.names.parent, self._uses(binding))
        filled = any(isinstance(one, tree.Attr) and one.name in ADDING_ALL for one in parents)
        put = self.inference.calls.uses.fillings.puts(binding.name)
        known = binding.place.scope.kind == "module" and not filled
        return self._values(put, binding) if known else []

    def _rows(self, put: list[tree.Node]) -> Types:
        """The tuples of a list that have functions in one place: `URLS.append((pattern, handler))`."""
        rows = [node.items for node in put if isinstance(node, tree.Sequence)]
        if len(rows) < len(put) or len({len(row) for row in rows}) != 1:
            return NOTHING
        columns = tuple(join(*map(self.put, column)) for column in zip(*rows, strict=True))
        known = any(all(isinstance(t, FunctionObject) for t in one) for one in columns if one)
        return frozenset((TupleOf(columns),)) if known else NOTHING

    def _values(
        self, puts: list[tuple[tree.Node, tree.Node]], binding: Binding
    ) -> list[tree.Node]:
        """What is put into a table, of all that is put into what has its name."""
        return [value for table, value in puts if self._is_it(table, binding)]

    def put(self, node: tree.Node) -> Types:
        """What is put: a function, or what a decorator is given."""
        names = self.inference.names
        bound = names.bindings_of(node) if isinstance(node, tree.Name) else []
        own = bound[0].parameter if len(bound) == 1 else None
        keeper = bound[0].function if own is not None else None
        if own is None or keeper is None or keeper.own_params[:1] != (own,):
            return self.inference.of(node)
        decorated: Types = frozenset(
            FunctionObject(one) if isinstance(one, Function) else ClassObject(one)
            for one in decorated_by(self.inference, keeper)
        )
        if not decorated:
            return self.inference.of(node)
        given = self.inference.calls.passed(keeper, own)
        return decorated if given is None else given | decorated

    # --- what else is done with it ---

    def _uses(self, binding: Binding) -> Iterator[tree.Name | tree.Attr]:
        """Where the table is named."""
        names = self.inference.names
        names.ask(binding.name)
        for module in names.modules.values():
            for node in module.either(tree.Name, tree.Attr):
                if last_name(node) == binding.name and self._is_it(node, binding):
                    yield node

    def _is_it(self, node: tree.Node, binding: Binding) -> bool:
        names = self.inference.names
        if isinstance(node, tree.Name):
            return any(names.follow(one) is binding for one in names.bindings_of(node))
        return isinstance(node, tree.Attr) and self.inference.classes.dotted(node) is binding

    def _is_plain(self, node: tree.Node, kind: str) -> bool:
        """Whether a table is filled, asked for one of its functions, which is called, or for its keys; or a list is
        gone through, and what it has is called."""
        parent_of = self.inference.names.parent
        parent = parent_of(node)
        match parent:
            case tree.Assign(targets=targets, op=op):
                return node in targets and not op
            case tree.Block(kind="for", binds=(bind,)) if kind == "list":
                return self._is_only_called(bind.target)
            case tree.Compare() | tree.Block(kind="for"):
                return True
            case tree.Subscript(base=base) if base is node:
                return self._is_called(parent)
            case tree.Attr(name="get" | "pop"):
                call = parent_of(parent)
                return isinstance(call, tree.Call) and self._is_called(call)
            case tree.Attr(name="items" | "values"):
                return self._is_looped(parent_of(parent))
            case tree.Attr(name=name):
                return name in _OF_KEYS
            case tree.Call(func=tree.Name(id=name)):
                return name in _COUNTING
            case _:
                return False

    def _is_plain_nested(self, node: tree.Node, kind: str) -> bool:
        """The same of a table of lists, and of each of these."""
        names = self.inference.names
        parent = names.parent(node)
        match parent:
            case tree.Assign(targets=targets, op=op) if node in targets:
                return not op
            case tree.Subscript(base=base) if base is node and kind == "dict":
                return self._is_plain_nested(parent, "list")
            case tree.Attr(name="get" | "setdefault") if kind == "dict":
                call = names.parent(parent)
                return isinstance(call, tree.Call) and self._is_plain_nested(call, "list")
            case tree.Attr(name="append" | "insert") if kind == "list":
                return _is_noted(node)
            case tree.Attr(name=name):
                return name in ("keys", "clear")
            case tree.Block(kind="for", binds=(bind,)) if kind == "list":
                return self._is_only_called(bind.target)
            case tree.Comprehension(generators=(one, *_)) if kind == "list":
                return one.iter is node and self._is_only_called(one.target)
            case tree.Call(func=tree.Name(id=name)):
                if kind == "list" and name in LISTED:
                    return self._is_plain_nested(parent, kind)
                return name in _COUNTING
            case tree.Boolean() if kind == "list":
                return self._is_plain_nested(parent, kind)
            case tree.Assign(targets=targets):
                taken = [t for t in targets if isinstance(t, tree.Name)]
                reads = (r for t in taken for r in reads_of(names, t, (t.at,)))
                known = kind == "list" and len(taken) == len(targets)
                return known and all(self._is_plain_nested(read, kind) for read in reads)
            case tree.Compare() | tree.Wrapped(kind="not") | tree.Block(kind="if"):
                return True
            case _:
                return False

    def _is_looped(self, node: object) -> bool:
        """Whether something is gone through, sorted or not."""
        parent = self.inference.names.parent(node)
        match parent:
            case tree.Call(func=tree.Name(id=name)) if name in LISTED:
                return self._is_looped(parent)
            case tree.Block(kind="for") | tree.Comprehension():
                return True
            case _:
                return False

    def _is_called(self, node: tree.Node) -> bool:
        """Whether what is taken out is called, at once or by a local name, or replaced."""
        parent = self.inference.names.parent(node)
        match parent:
            case tree.Call():
                return parent.func is node
            case tree.Assign(targets=targets, value=value):
                return node in targets or (
                    value is node and all(map(self._is_only_called, targets))
                )
            case tree.Compare() | tree.Eval(kind="del"):
                return True
            case _:
                return False

    def _is_only_called(self, name: tree.Node) -> bool:
        """Whether nothing is done with what a name is bound to but to call it, and to see whether it is there."""
        names = self.inference.names
        if isinstance(name, tree.Sequence):
            return any(map(self._is_only_called, name.items))
        if not isinstance(name, tree.Name):
            return False
        for read in reads_of(names, name, (name.at,)):
            match names.parent(read):
                case tree.Call() as call if call.func is read:
                    continue
                case tree.Compare() | tree.Wrapped(kind="not") | tree.Block(kind="if"):
                    continue
                case _:
                    return False
        return True


def _is_noted(node: tree.Node) -> bool:
    """Whether what is put into such a list is known: `TABLE[kind]`, `TABLE.setdefault(kind, [])`."""
    match node:
        case tree.Subscript() | tree.Call(func=tree.Attr(name="setdefault")):
            return True
        case _:
            return False


def made_empty(node: tree.Node | None) -> str:
    """Whether a value is a dict or a list with nothing in it, and which; empty where it is neither."""
    match node:
        case tree.DictDisplay() if not node.keys:
            return "dict"
        case tree.Sequence(kind="list") if not node.items:
            return "list"
        case tree.Call(func=func, args=()) if last_name(func) in ("dict", "list"):
            return last_name(func)
        case tree.Call(func=func, args=(made,)) if last_name(func) == "defaultdict":
            return "dict" if last_name(made.value) == "list" else ""
        case _:
            return ""
