"""Items that tests spell out whole: `assert order.to_item() == {…}` gets the entry that the item gets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddElements, AddEntry
from capsule_lint.plan.code import rename, text_of
from capsule_lint.plan.entities.behind_bases import place_behind
from capsule_lint.plan.entities.displays import entries_of, entry_of
from capsule_lint.plan.entities.named import NamedFields
from capsule_lint.plan.entities.wholes import DUMPING_ALL, GIVING_ALL, holds_all, whole
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Want
from capsule_lint.plan.testing.field_names import MAKING, FieldNames
from capsule_lint.program.calling.dispatch import dispatched_with
from capsule_lint.program.comparisons import equated
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.local_names import behind
from capsule_lint.program.model import Class, Function, last_name
from capsule_lint.program.reaching import history
from capsule_lint.program.texts.pieces import names_any_of, names_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.entities.displays import Display
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module

_MAX_DEPTH: Final = 6
"""A local, what reads a text, how that is coded, the method, the text that it makes, the dict, and the object in that."""
_GIVING: Final = GIVING_ALL | {DUMPING_ALL, "to_dict"}
_TEXTS: Final = re.compile(
    r"(?:json|simplejson|ujson|rapidjson|orjson)\.(?:loads|dumps)|msgspec\.\w+\.(?:encode|decode)"
)
"""What reads a text, or makes one of all that it is given: what else is called so may pick some of it."""
_OF_OBJECTS: Final = re.compile(r"orjson\.dumps|msgspec\.\w+\.encode")
"""What makes one of an object with all of its fields."""
_HOOKS: Final = ("cls", "object_hook", "object_pairs_hook")
"""How it is told who does that in its place."""


@dataclass(eq=False, slots=True)
class Expected(MendRoom):
    """Builds the mends of expected items."""

    mends: Mends
    makers: dict[Function, list[tuple[Knot, Scope]]] = field(default_factory=dict)
    """The functions whose items get entries: in which change, for which scope."""
    keys: dict[tuple[Knot, str], set[str]] = field(default_factory=dict)
    """Under which keys a scope's value is kept in items that change."""
    grown: list[tuple[tree.Node, Knot, Scope, str]] = field(default_factory=list)
    """The dicts that are written out, or local names of dicts, and the entries that they get."""

    def note(self, node: tree.Node, knot: Knot, scope: Scope, key: str) -> None:
        """A dict gets the entry of a scope: whoever expects what its function yields expects it too."""
        self.keys.setdefault((knot, scope.name), set()).add(key)
        self.grown.append((node, knot, scope, key))
        function = self.program.names.function_of(node)
        if function is not None:
            self.makers.setdefault(function, []).append((knot, scope))

    def build(self) -> None:
        """Extend what items are compared with."""
        field_names = FieldNames(self.mends)
        for module in self.program.names.modules.values():
            judged = module.is_test and not module.generated
            for node in module.every(tree.Compare, tree.Call) if judged else ():
                for side, other in equated(node):
                    if isinstance(side, tree.Sequence):
                        self._listed(module, side, other)
                        field_names.expect(module, side, other)
                    display = self._display(side)
                    for knot, scope in self._made(other, 0) if display is not None else ():
                        assert display is not None
                        self.extend(module, display, knot, scope)

    def _listed(self, module: Module, node: tree.Sequence, other: tree.Node) -> None:
        """`list(asdict(order)) == ["tenant_id", …]`, `astuple(order) == ("t", …)`, `truck == ("t", …)`."""
        gives, classes, whole = self.planner.tuples.gives, self.program.classes, other
        names: list[str | None] = []
        match other:
            case tree.Call(args=(argument,)) if last_name(other.func) in MAKING and gives(
                argument.value
            ):
                whole = argument.value
            case tree.Call(args=(argument,)) if last_name(other.func) in MAKING:
                whole = argument.value
                names = [tree.text(item) for item in node.items]
            case tree.Call(args=(argument,)) if last_name(other.func) == "astuple":
                whole = argument.value
            case _ if not gives(other):
                return
        heirs = [t.cls for t in self.program.inference.of(whole) if isinstance(t, Instance)]
        # the fields of an object, and not what is written out by hand, have its class's order
        of_class = Expected(self.mends)._made(whole, 0) if names else self.fields(whole)
        for knot, scope in self._made(whole, 0) if names else of_class:
            cls = knot[1]
            if not isinstance(cls, Class):
                continue
            own = next((heir for heir in heirs if cls in classes.mro(heir)), cls)
            fields = [one.name for one in classes.fields(own)]
            if not names and len(fields) != len(node.items):
                continue
            at = None
            if (knot, scope) in of_class:
                at = place_behind(self.program, cls, scope, names or fields)
            self.element(module, node, names or fields, (knot, scope), at, values=not names)

    def element(
        self,
        module: Module,
        node: tree.Sequence,
        names: Sequence[str | None],
        gained: tuple[Knot, Scope],
        at: int | None = None,
        *,
        values: bool,
    ) -> None:
        """Put the name of a new field, or its value, beside that of the field that it stands beside, or where it is known to
        come."""
        knot, scope = gained
        for old, step in self.program.policy.beside(scope):
            for item, name in zip(node.items, names, strict=True):
                if name is None or not names_scope(name, old):
                    continue
                new = rename(name, old, scope)
                code = self._code(item, old, scope, node, knot) if values else f'"{new}"'
                if code is None:
                    break
                if new not in names:
                    anchor = item if at is None else node.items[max(at - 1, 0)]
                    is_behind = step > 0 if at is None else at > 0
                    before, after = ((), (code,)) if is_behind else ((code,), ())
                    mend = AddElements(
                        module.filename, node.span, "CAP301", before, after, anchor.span
                    )
                    self.mends.add(knot, mend)
                return
        if values:
            self.mends.obstacle(knot, node, f"is to have the value of `{scope.parameter}`")

    def _display(self, node: tree.Node) -> Display | None:
        """The dict that is written out, here or in the one place that gives a name its value."""
        match node:
            case tree.DictDisplay() | tree.Call(func=tree.Name(id="dict")):
                return node
            case tree.Name():
                value = self._value(node)
                return self._display(value) if value is not None else None
            case _:
                return None

    def _value(self, node: tree.Name) -> tree.Node | None:
        names = self.program.names
        found = names.bindings_of(node)
        first = history(found[0])[0] if len(found) == 1 else None
        if first is None or first.kind != "assign" or first.path:
            return None
        return first.value if not isinstance(first.value, tree.Name) else None

    def _made(self, node: tree.Node, depth: int) -> list[tuple[Knot, Scope]]:
        """The entries that the item which an expression yields gets."""
        if depth > _MAX_DEPTH:
            return []
        match node:
            case tree.Wrapped(kind="await"):
                return self._made(node.value, depth)
            case tree.Name():
                value = self._value(node)
                return self._made(value, depth + 1) if value is not None else []
            case tree.Call():
                return self._called(node, depth)
            case tree.Comprehension(kind="DictComp", generators=(one,)) if isinstance(
                one.iter, tree.Call
            ) and last_name(one.iter.func) in ("fields", "__dataclass_fields__"):
                return self.fields(one.iter.args[0].value) if one.iter.args and not one.ifs else []
            case tree.Comprehension(kind="DictComp"):
                source = copied(node, self.program)
                return self._made(source, depth + 1) if source is not None else []
            case tree.Attr() if holds_all(self.program, node):
                return self.fields(node.base)
            case tree.DictDisplay():
                return [one for value in node.spread for one in self._made(value, depth + 1)]
            case tree.Binary(op="|"):
                return [*self._made(node.left, depth + 1), *self._made(node.right, depth + 1)]
            case _:
                return []

    def _called(self, call: tree.Call, depth: int) -> list[tuple[Knot, Scope]]:
        program = self.program
        callees = program.calls.callees(call)
        if any(c.cls is not None and program.classes.is_typed_dict(c.cls) for c in callees):
            return self.fields(call)
        functions = [c.function for c in callees if c.function is not None]
        name = last_name(call.func)
        if not functions and name in _GIVING:
            return [one for node in whole(call) for one in self.fields(node)]
        if not functions and isinstance(call.func, tree.Name | tree.Attr):
            return self._texted(call, depth)
        given = NamedFields(self.mends).whole(call)
        found = self.fields(given) if given is not None else []
        for function in functions:
            found += self.makers.get(function, [])
            if function not in self.makers and len(function.returns) == 1:
                found += self._made(function.returns[0], depth + 1)
        return list(dict.fromkeys(found))

    def _texted(self, call: tree.Call, depth: int) -> list[tuple[Knot, Scope]]:
        """The same of what is made a text of, or read from one: `json.loads(note.to_json())`, `dumps(note).decode()`."""
        match call:
            case tree.Call(func=tree.Attr(name="encode" | "decode", base=text), args=args):
                if all(tree.text(one.value) is not None for one in args):
                    return self._made(text, depth + 1)
        called = self.program.classes.dotted(call.func)
        hooked = any(one.keyword in _HOOKS for one in call.args)
        if not isinstance(called, str) or hooked or not _TEXTS.fullmatch(called):
            return []
        found = [one for given in call.unnamed[:1] for one in self._made(given, depth + 1)]
        if len(call.args) == 1 and _OF_OBJECTS.fullmatch(called):
            found += self.fields(call.args[0].value)
        return list(dict.fromkeys(found))

    def fields(self, node: tree.Node, *, classes: bool = False) -> list[tuple[Knot, Scope]]:
        """The fields that the class of an object gains, or with `classes` a class itself."""
        gained = self.state.fields
        return [
            (("class", home), scope)
            for home in self.program.inference.homes(node, classes=classes)
            for scope in gained.get(home, {}).values()
        ]

    def extend(self, module: Module, display: Display, knot: Knot, scope: Scope) -> None:
        """Give a dict that a test writes out the entry of a scope, beside that of another one."""
        policy = self.program.policy
        for old, _ in policy.beside(scope) if entry_of(display, scope) is None else ():
            entry = entry_of(display, old)
            if entry is None:
                continue
            key, anchor, said = rename(entry[0], old, scope), entry[1], dict(entries_of(display))
            if isinstance(knot[1], Class):
                key = self.program.classes.in_items(knot[1], key, said)
            if key in said or self.planner.local.notes.is_extended(display, key):
                return
            self.planner.local.notes.note_entry(display, key)
            code = self._code(anchor, old, scope, display, knot)
            if code is None:
                self.mends.obstacle(knot, display, f"is to have `{key}`")
            elif isinstance(display, tree.Call):
                at = next(n for n, a in enumerate(display.args) if a.value is anchor)
                mend = AddArgument(module.filename, display.span, "CAP301", code, key, at + 1)
                self.mends.add(knot, mend)
            else:
                name = f'"{key}"'
                entry_mend = AddEntry(
                    module.filename, display.span, "CAP301", name, code, anchor.span
                )
                self.mends.add(knot, entry_mend)
                self.grown.append((display, knot, scope, key))
            return

    def value(self, display: Display, knot: Knot, scope: Scope) -> str | None:
        """The value of the entry that a dict would get for a scope; `None` where it gets none."""
        for old, _ in self.program.policy.beside(scope):
            entry = entry_of(display, old)
            if entry is not None:
                return self._code(entry[1], old, scope, display, knot)
        return None

    def _code(
        self, anchor: tree.Node, old: Scope, scope: Scope, display: tree.Node, knot: Knot
    ) -> str | None:
        """The value as the other scope's stands there: spelled out, or from where tests have it."""
        inner = typed_value(anchor)
        if inner is not None:
            assert isinstance(anchor, tree.DictDisplay)
            code, kind = self._code(inner, old, scope, display, knot), tree.text(anchor.keys[0])
            return None if code is None else f'{{"{kind}": {code}}}'
        want = Want(scope, display, knot, "entry")
        value = self.planner.sources.find(scope, display)
        if value is None:
            return None
        source = old.test_source
        if source is None or text_of(anchor) != source.code:
            known = self.mends.testing.segments.known(value, want)
            if known is not None:
                return f'"{known}"'
            if isinstance(anchor, tree.Const):
                return None
        code = self.mends.code_of(want, want.knot)
        if code is None or not self.planner.stored.differs(old, scope):
            return code
        return self.planner.stored.made_text(code, scope)


def copied(node: tree.Comprehension, program: Program) -> tree.Node | None:
    """`d` of `{name: value for name, value in d.items()}`, where texts stay as they are: `value.isoformat()
    if isinstance(value, datetime) else value`; or become typed values: `serializer.serialize(value)`. Entries that say no
    scope may be left out."""
    match node.generators:
        case (
            tree.Generator(
                tree.Sequence(items=(tree.Name(id=name), tree.Name(id=value))),
                tree.Call(func=tree.Attr(name="items", base=source)),
                tests,
            ),
        ) if all(_spares(one, name, value, program) for one in tests):
            key, kept = node.results
            match kept:
                case tree.Conditional(
                    test=tree.Call(func=tree.Name(id="isinstance"), args=(_, kind)), otherwise=kept
                ) if last_name(kind.value) == "str" or isinstance(kind.value, tree.Sequence):
                    return None
                case tree.Call(func=tree.Name(id="str"), args=(argument,)):
                    kept = argument.value
                case tree.Call(args=(argument,)) if _types(kept, program):
                    kept = argument.value
            said = [one.id for one in (key, kept) if isinstance(one, tree.Name)]
            return source if said == [name, value] else None
    return None


def _spares(test: tree.Node, name: str, value: str, program: Program) -> bool:
    """Whether a condition leaves no entry out that says a scope: `name not in HIDDEN`, `value is not None`."""
    match test:
        case tree.Boolean(op="and"):
            return all(_spares(one, name, value, program) for one in test.values)
        case tree.Compare(
            left=tree.Name(id=left), ops=("is not",), rights=(tree.Const(value=None),)
        ):
            return left == value
        case tree.Compare(left=tree.Name(id=left), ops=("not in" | "!=",), rights=(listed,)):
            texts = [tree.text(o) for o in tree.items(behind(program.names, listed) or listed)]
            scopes = program.policy.scopes
            return left == name and not any(
                text is None or names_any_of(text, scopes) for text in texts
            )
        case _:
            return False


def _types(call: tree.Call, program: Program) -> bool:
    """Whether a call gives what it is given as the low-level client has it: `{"S": value}`."""
    functions = [c.function for c in program.calls.callees(call) if c.function is not None]
    functions += [o for f in functions for o in dispatched_with(program.inference, f)]
    values = [value for function in functions for value in function.returns]
    if not functions:
        return last_name(call.func) == "serialize"
    return bool(values) and all(map(_is_typed, values))


def _is_typed(node: tree.Node) -> bool:
    """Whether an expression is a typed value, whichever it is."""
    if isinstance(node, tree.Conditional):
        return _is_typed(node.then) and _is_typed(node.otherwise)
    return typed_value(node) is not None


def typed_value(node: tree.Node) -> tree.Node | None:
    """`value` of `{"S": value}`, as the low-level client has it; `None` for anything else."""
    match node:
        case tree.DictDisplay(keys=(tree.Const(value="S" | "N"),), values=(value,)):
            return value
        case _:
            return None
