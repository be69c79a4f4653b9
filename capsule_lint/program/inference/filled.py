"""Tables of functions that start empty: `VERBS = {}`, and what `VERBS["read"] = read`, or a decorator, puts into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.calling.wrapping import decorated_by
from capsule_lint.program.containers import LISTED
from capsule_lint.program.inference.types import ANYTHING, NOTHING, FunctionObject, Types, join
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.inference.infer import Inference
    from capsule_lint.program.model import Binding

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
        """The functions in a table that a module keeps; nothing where it may hold something else, or is more than
        looked up."""
        if binding.kind != "assign" or not _starts_empty(binding.value):
            return NOTHING
        scope = binding.place.scope
        if scope.kind != "module" or len(scope.bindings[binding.name]) > 1:
            return NOTHING
        put = [v for table, v in self._puts(binding) if self._is_it(table, binding)]
        found = join(*map(self.put, put))
        if not found or not all(isinstance(one, FunctionObject) for one in found):
            return NOTHING
        if id(binding) not in self._plain:
            listed = isinstance(binding.value, tree.Sequence)
            uses = self._uses(binding)
            self._plain[id(binding)] = all(self._is_plain(one, listed=listed) for one in uses)
        return found if self._plain[id(binding)] else NOTHING

    def _puts(self, binding: Binding) -> list[tuple[tree.Node, tree.Node]]:
        return self.inference.calls.uses.puts(binding.name)

    def put(self, node: tree.Node) -> Types:
        """What is put: a function, or what a decorator is given."""
        names = self.inference.names
        bound = names.bindings_of(node) if isinstance(node, tree.Name) else []
        keeper = bound[0].function if len(bound) == 1 and bound[0].parameter is not None else None
        if keeper is None or keeper.own_params[:1] != (bound[0].parameter,):
            return self.inference.of(node)
        decorated = frozenset(map(FunctionObject, decorated_by(self.inference, keeper)))
        given = self.inference.of(node)
        return (given - ANYTHING) | decorated if decorated else given

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

    def _is_plain(self, node: tree.Name | tree.Attr, *, listed: bool) -> bool:
        """Whether a table is filled, asked for one of its functions, which is called, or for its keys; or a list is
        gone through, and what it has is called."""
        parent_of = self.inference.names.parent
        parent = parent_of(node)
        match parent:
            case tree.Assign(targets=targets, op=op):
                return node in targets and not op
            case tree.Block(kind="for", binds=(bind,)) if listed:
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


def _starts_empty(node: tree.Node | None) -> bool:
    """Whether a value is a dict or a list with nothing in it."""
    match node:
        case tree.DictDisplay():
            return not node.keys
        case tree.Sequence(kind="list"):
            return not node.items
        case _:
            return False
