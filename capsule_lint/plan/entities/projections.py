"""What reads of the table are told to give of each item, `ProjectionExpression="tenant_id, name"`: where code comes to
read a scope of the items, they are to give that as well."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import Replace
from capsule_lint.plan.code import rename
from capsule_lint.plan.entities.expression_names import ExpressionNames
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.entities.spelled import Part, Spelled
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.local_names import entries_of_dict, told_by_name
from capsule_lint.program.logs import is_log
from capsule_lint.program.model import last_name
from capsule_lint.program.places.sites import NAMES
from capsule_lint.program.purposes.tables import OPERATIONS
from capsule_lint.program.texts.pieces import names_scope
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope

_TEXT: Final = "ProjectionExpression"
_LIST: Final = "AttributesToGet"
_WORD: Final = re.compile(r"(?<![\w#.])#?\w+(?![\w.])")
_REASON: Final = "the items that this reads are to have `{}`: it may have to name that"
_FIELDS: Final = frozenset(
    ("fields", "model_fields", "__annotations__", "__dataclass_fields__", "_fields", "attrs")
)
"""What tells of all fields of a class, of one that it gains too."""
_SPELLED: Final = "spells out what a read is told to give, which changes"
_MAX_DEPTH: Final = 4


@dataclass(eq=False, slots=True)
class Projections(MendRoom):
    """Extends them, or notes that a person must."""

    mends: Mends
    _done: set[tuple[int, str]] = field(default_factory=set)
    """The reads, and what they are told, that have been looked at for a scope."""
    _texts: dict[int, tuple[tree.Node, str, Knot]] = field(default_factory=dict)
    """The texts that change, what they become, and a change that this belongs to."""
    _spelled: Spelled = field(init=False)
    _complete: bool = False
    """Whether the names are known that are read in all that the table is told to give."""

    def __post_init__(self) -> None:
        self._spelled = Spelled(self.program, set())

    def build(self) -> None:
        """Look at whatever is going to be read of items of the table."""
        origins = self.planner.local.rows.origins
        for row, scope, knot in list(self.planner.loads.reads()):
            for stored in origins(row).stored:
                for call in self._calls(_response(stored), 0):
                    if self._is_new(call, scope):
                        self._extend(call, scope, knot)
        changed: dict[str, list[Knot]] = {}
        for node, code, knot in self._texts.values():
            filename = self.program.names.module_of(node).filename
            self.mends.add(knot, Replace(filename, node.span, "CAP301", code))
            told = tree.text(node) or ""
            if "," in told:
                changed.setdefault(told, []).append(knot)
        self._note_tests(changed)

    def _note_tests(self, changed: Mapping[str, Sequence[Knot]]) -> None:
        """A test that spells out what a read is told expects the old names, unless it tells that a read itself."""
        for said in self.program.names.constants_of_tests() if changed else ():
            known = changed.get(tree.text(said) or "", ())
            for knot in known if id(said) not in self._texts and not self._is_told(said) else ():
                self.mends.obstacle(knot, said, _SPELLED)

    def _is_told(self, node: tree.Node) -> bool:
        """Whether a test tells an operation what to give, here or by the local that it is: it reads the row itself."""
        match around := self.program.names.parent(node):
            case tree.Call():
                return last_name(around.func) in OPERATIONS
            case tree.Assign(targets=(tree.Name(),)):
                uses = list(self.program.records.uses(around))
                return bool(uses) and all(map(self._is_told, uses))
            case _:
                return False

    def _is_new(self, node: tree.Node, scope: Scope) -> bool:
        known = (id(node), scope.name) in self._done
        self._done.add((id(node), scope.name))
        return not known

    def _calls(self, node: tree.Node | None, depth: int) -> Iterator[tree.Call]:
        """The calls that may give a response of the table."""
        names, calls = self.program.names, self.program.calls
        match node if depth < _MAX_DEPTH else None:
            case tree.Wrapped(value=inner) | tree.Walrus(value=inner):
                yield from self._calls(inner, depth + 1)
            case tree.Name() as name:
                for binding in names.bindings_of(name):
                    given = binding.value if not binding.path else None
                    yield from self._calls(given, depth + 1)
            case tree.Call() as call:
                functions = [c.function for c in calls.callees(call) if c.function is not None]
                own = [f for f in functions if not f.module.is_test]  # a fake has the same methods
                for value in (v for function in own for v in function.returns):
                    yield from self._calls(value, depth + 1)
                if not own:
                    yield call

    def _extend(self, call: tree.Call, scope: Scope, knot: Knot) -> None:
        """Have a read give a scope as well."""
        for told in self._given(call):
            aliases = told.get(NAMES)
            known = entries_of_dict(self.program.names, aliases) if aliases is not None else {}
            for name in (_TEXT, _LIST):
                node = told.get(name)
                parts = list(self._spelled.parts(node)) if node is not None else []
                named = [p for p in parts if any(True for _ in self._beside(p, known, scope))]
                for part in named:
                    if self._is_new(part.node, scope):
                        self._name(part, aliases, scope, knot)
                unknown = next((p for p in parts if not p.is_known), None)
                if unknown is not None and not named and not self._follows(parts):
                    reason = _REASON.format(scope.parameter)
                    self.mends.obstacle(knot, node or unknown.node, reason)

    def _follows(self, parts: Sequence[Part]) -> bool:
        """Whether the names come from what a class says of its fields."""
        return any(last_name(one) in _FIELDS for part in parts for one in within(part.node))

    def _given(self, call: tree.Call) -> Iterator[Mapping[str, tree.Node | None]]:
        """What a call is given by name, also in dicts: `batch_get_item(RequestItems={"notes": {…}})`."""
        yield told_by_name(self.program.names, call)
        for argument in call.args:
            for inner in within(argument.value):
                if isinstance(inner, tree.DictDisplay) and not argument.star:
                    yield dict(inner.entries)

    def _beside(
        self, part: Part, known: Mapping[str, tree.Node | None], scope: Scope
    ) -> Iterator[tuple[str, str, Scope]]:
        """How a part names another scope's attribute, what that is called, and whose it is."""
        for old, _ in self.program.policy.beside(scope):
            for said in (word for text in part.texts for word in _WORD.findall(text)):
                name = tree.text(known.get(said)) or said
                if names_scope(name, old):
                    yield said, name, old

    def _name(self, part: Part, aliases: tree.Node | None, scope: Scope, knot: Knot) -> None:
        """Name a scope's attribute beside that of another one."""
        known = entries_of_dict(self.program.names, aliases) if aliases is not None else {}
        text, name, old = next(self._beside(part, known, scope))
        new = rename(name, old, scope)
        words = (word for said in part.texts for word in _WORD.findall(said))
        if new in {tree.text(known.get(word)) or word for word in words}:
            return
        if part.each is not None and not self._is_plain(part.each):
            said = new if self._has(aliases, part.node) else None  # whatever each is made to
        else:
            said = ExpressionNames(self.mends).name(new, text, aliases, knot)
        if said is None or not self._put(part, text, (new, said), (knot, scope)):
            self.mends.obstacle(knot, part.node, _REASON.format(new))

    def _is_plain(self, each: tree.Node) -> bool:
        """Whether what goes through a list gives its elements as they are."""
        match each:
            case tree.Comprehension(results=(tree.Name(id=one),), generators=(through,)):
                return isinstance(through.target, tree.Name) and through.target.id == one
            case _:
                return False

    def _has(self, aliases: tree.Node | None, node: tree.Node) -> bool:
        """Whether what stands for attributes is made of a list."""
        made = self._spelled.parts(aliases) if aliases is not None else ()
        return any(part.node is node and part.each is not None for part in made)

    def _put(
        self, part: Part, text: str, named: tuple[str, str], gained: tuple[Knot, Scope]
    ) -> bool:
        """Put the name of an attribute, as it is said there, behind another one; whether it could be done."""
        node = part.node
        module, (new, said), (knot, _) = self.program.names.module_of(node), named, gained
        if module.generated:
            return False
        if isinstance(node, tree.DictDisplay):  # what stands for attributes, gone through
            return said.startswith("#")
        if not self._is_for_this_alone(part):
            return False
        if isinstance(node, tree.Sequence):
            names = [tree.text(item) for item in node.items]
            if text in names and new == said:
                self.mends.expected.element(module, node, names, gained, values=False)
            return self.mends.adds_to(node)
        if not isinstance(node, tree.Const):
            return False
        _, code, first = self._texts.get(
            id(node), (node, self.mends.source(module, node.span), knot)
        )
        put = f"{text}{', ' if ', ' in code else ','}{said}"
        changed = re.sub(rf"(?<![\w#.]){re.escape(text)}(?!\w)", put, code, count=1)
        self._texts[id(node)] = node, changed, first
        self.state.groups.join(first, knot)
        return changed != code

    def _is_for_this_alone(self, part: Part) -> bool:
        """Whether nothing reads a part by a name but what is told the table, what joins it, and logs."""
        self._read_all()
        names, named = self.program.names, NamedFields(self.mends)
        return all(
            id(use) in self._spelled.read or self._joins(names.parent(use)) or self._is_logged(use)
            for binding in part.names
            if binding.kind == "assign"
            for use in named.uses(binding)
        )

    def _joins(self, node: object) -> bool:
        return isinstance(node, tree.Call) and last_name(node.func) == "join"

    def _is_logged(self, node: tree.Node) -> bool:
        """Whether a log tells it; a line that is printed may be a header."""
        around = self.program.names.parent(node)
        while isinstance(around, tree.FString | tree.Wrapped):
            around = self.program.names.parent(around)
        match around:
            case tree.Call(func=func) as call:
                return last_name(func) != "print" and is_log(call)
            case _:
                return False

    def _read_all(self) -> None:
        """Look at all that the table is told to give, for the names that are read there."""
        if self._complete:
            return
        self._complete = True
        for module in self.program.names.modules.values():
            told = [entry for call in module.each(tree.Call) for entry in call.keywords]
            told += [entry for one in module.each(tree.DictDisplay) for entry in one.entries]
            for name, value in told:
                if name in (_TEXT, _LIST, NAMES):
                    list(self._spelled.parts(value))


def _response(stored: tree.Node) -> tree.Node | None:
    """The response of which `response["Items"]` and `response.get("Item")` read items."""
    match stored:
        case tree.Subscript(base=base) | tree.Call(func=tree.Attr(base=base)):
            return base
        case _:
            return None
