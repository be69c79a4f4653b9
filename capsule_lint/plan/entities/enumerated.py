"""Where the fields of an entity are spelled out that gains one, and something goes through all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, AddEntry
from capsule_lint.plan.entities.displays import entries_of
from capsule_lint.plan.entities.parsed import made_of_texts
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.calling.fixtures import is_parametrizing
from capsule_lint.program.comparisons import equal_to, is_among, is_compared
from capsule_lint.program.inference.records import View
from capsule_lint.program.model import Binding, Class
from capsule_lint.program.texts.pieces import snake
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from capsule_lint.model import Span
    from capsule_lint.plan.mends import Mends
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function, Module

JSON_KEYS: Final = re.compile(r'"(\w+)"\s*:')
_TYPED: Final = re.compile(r'\{"[SN]": (.*)\}')
"""A value as the low-level client has it."""
_MAX_DEPTH: Final = 6
_TELLING: Final = 3
"""How many fields tell what a dict is."""
_REASON: Final = (
    "this lists the fields of `{}`, which gains `{}`: it may have to list that as well"
)


class Fields(Struct, frozen=True):
    """The fields of a class that gains one, or inherits it: all, and those of scopes; whether something goes through all
    of them, and may give what comes of it to a call that is not known, as its keywords; and whether
    objects are made from dicts that come from elsewhere, and from texts."""

    cls: Class
    home: Class
    """That of them which gains it."""
    names: frozenset[str]
    scoped: frozenset[str]
    needed: frozenset[str]
    """Those that nobody may leave out."""
    gone_through: bool
    spread: bool
    made_from_any: bool
    made_of_texts: bool
    left_out: frozenset[str]
    """What goes through the fields may leave these out."""


@dataclass(eq=False, slots=True)
class Enumerated(MendRoom):
    """Finds such places: a person must look at them."""

    mends: Mends
    _mended: set[tuple[str, Span]] = field(default_factory=set)
    _noted: set[tuple[tuple[str, Span], Class]] = field(default_factory=set)
    _shown: dict[frozenset[str], list[tree.DictDisplay]] = field(default_factory=dict)
    """The dicts that are written out outside tests, by their keys."""

    def build(self) -> None:
        """Note the places that nothing has mended."""
        every = list(self._gaining()) if self.state.fields else []
        if not every:
            return
        self._mended = self.mends.mended(AddElements, AddEntry)
        for module in self.program.names.editable():
            for node in module.each(tree.Sequence):
                self._listed(module, node, every)
                if module.is_test:
                    self._aliased(module, node, node.items, every)
            for display in module.each(tree.DictDisplay):
                self._renamed(module, display, every)
                if module.is_test:
                    self._dict(module, display, every)
                    self._aliased(module, display, display.keys, every)
            if module.is_test:
                for const in module.each(tree.Const):
                    self._json(module, const, every)

    def _gaining(self) -> Iterator[Fields]:
        program = self.program
        every, made = self.mends.wholes.every, set(self._made_from_any())
        gone, parsed = {cls for cls, _ in every}, made_of_texts(self.planner, traced=True)
        given = self._functions_of([node for _, node in every])
        values = list(self._spread()) if every else []
        spread = {
            cls
            for cls, node in every
            if not is_compared(self.program, node)
            and any(self._may_be(value, node, given, 0) for value in values)
        }
        for cls, home in self._homes().items():
            names = {one.name for one in program.classes.fields(cls)}
            if not names and "__init__" in cls.methods:
                names = {p.name for p in cls.methods["__init__"].own_params}
            scoped = {name for name in names if program.domain.held.is_scoped(cls, name)}
            if scoped and (cls in gone or cls in made or cls in parsed):
                flags = (cls in gone, cls in spread, cls in made, cls in parsed)
                left = self._left_out([node for one, node in every if one is cls])
                params = program.classes.constructor(cls) or ()
                needed = frozenset(p.name for p in params if p.default is None)
                yield Fields(cls, home, frozenset(names), frozenset(scoped), needed, *flags, left)

    def _homes(self) -> dict[Class, Class]:
        """The classes that gain a field or inherit it, and those that gain it for them."""
        gaining, known = self.state.fields, self.program.classes
        every = dict.fromkeys(
            [*gaining, *(one for cls in gaining for one in known.subclasses(cls))]
        )
        return {one: next(cls for cls in known.mro(one) if cls in gaining) for one in every}

    def _left_out(self, nodes: Sequence[tree.Node]) -> frozenset[str]:
        """The texts that something is not to be in the functions in which some expressions stand."""
        names = self.program.names
        functions = [f for f in self._functions_of(nodes) if f is not None]
        told = (n for f in functions for n in names.inside(f) if isinstance(n, tree.Compare))
        others = [node for node in told if node.ops in (("!=",), ("not in",))]
        texts = (tree.text(one) for compare in others for one in within(compare))
        return frozenset(text for text in texts if text is not None)

    def _listed(self, module: Module, node: tree.Sequence, every: list[Fields]) -> None:
        """`FIELDS = ["tenant_id", "note_id"]`."""
        said = _texts_in(node.items)
        parent = self.program.names.parent(node)
        if said and (is_parametrizing(parent, node) or is_among(parent, node)):
            return
        for one in self._untold(every, said):
            if one.gone_through and said <= one.names and said & one.scoped:
                told = len(said) > 1 or module is one.cls.module or node.kind == "set"
                if told or is_compared(self.program, node):
                    self._note(module, node, one)

    def _renamed(self, module: Module, node: tree.DictDisplay, every: list[Fields]) -> None:
        """`COLUMNS = {"t": "tenant_id", "n": "note_id"}`, and the other way round: names for the fields."""
        names, values = _texts_in([key for key, _ in node.pairs]), _texts_in(node.values)
        for said in (names, values) if len(names) > 1 and values and not module.is_test else ():
            for one in self._untold(every, said):
                known = one.gone_through or one.made_from_any
                if known and said <= one.names and said & one.scoped:
                    self._note(module, node, one)

    def _dict(self, module: Module, node: tree.DictDisplay, every: list[Fields]) -> None:
        """`{"tenant_id": "t", "note_id": "n"}`, that a test expects, or that an object is made from."""
        said = _texts_in([key for key in node.keys if key is not None])
        for one in self._untold(every, said) if len(said) > 1 else ():
            if said & one.scoped and len(said & one.names) > 1:
                expected = is_compared(self.program, node)
                if self._is_recorded(node) and not one.spread:
                    continue
                whole = said <= one.names or one.needed <= said
                made = one.made_from_any and not expected and whole
                full = one.gone_through and one.names - one.left_out <= said
                is_item = full and self._complete(module, node, one)
                if made and not is_item and self._is_whole(said, one):
                    self._fill(module, node, one.home)
                told = expected and one.gone_through and not self._is_of_others(node, said, one)
                if told or made or is_item:
                    self._note(module, node, one)

    def _aliased(
        self,
        module: Module,
        node: tree.Sequence | tree.DictDisplay,
        texts: Sequence[tree.Node | None],
        every: list[Fields],
    ) -> None:
        """`{"tenantId": "t", "noteId": "n"}`, all that a test expects of a model by its aliases."""
        classes, said = self.program.classes, _texts_in(texts)
        for one in every if len(said) > 1 and is_compared(self.program, node) else ():
            known = classes.aliases(one.cls)
            names = {known.get(name, name) for name in one.names}
            scoped = any(known[name] in said for name in one.scoped & known.keys())
            if one.gone_through and scoped and said == names:
                self._note(module, node, one)

    def _untold(self, every: list[Fields], said: set[str]) -> Iterator[Fields]:
        """Those that gain a field which is not among some names."""
        known = self.state.attributes
        for one in every if said else ():
            gained = {known.get((one.home, name), name) for name in self.state.fields[one.home]}
            if not gained <= said:
                yield one

    def _complete(self, module: Module, node: tree.DictDisplay, one: Fields) -> bool:
        """Give a stored row that a test spells out, all fields of the object among it, the fields that this
        gains: whose it is, its key says, which gets the same values. Whether it is such a row, or done."""
        policy, state = self.program.policy, self.state
        pairs = [(tree.text(key), value) for key, value in node.pairs]
        parts = [value.span for name, value in pairs if name is None or policy.is_key_name(name)]
        parts += self._keys_around(node)
        keys = [
            (knot, mend)
            for knot, mend in self.mends.found
            if mend.filename == module.filename and any(mend.at in part for part in parts)
        ]
        said, knot = " ".join(repr(mend) for _, mend in keys), ("class", one.home)
        if not parts and self._is_made_beside(node, one.cls):
            self._fill(module, node, one.home)
            return True
        scopes = list(state.fields[one.home].values()) if keys else []
        codes = [self.mends.expected.value(node, knot, scope) for scope in scopes]
        pairs_of = zip(codes, scopes, strict=True)
        if not codes or not all(self._is_said(code, scope, said) for code, scope in pairs_of):
            return bool(keys)
        for scope in scopes:
            self.mends.expected.extend(module, node, knot, scope)
        for other, _ in keys:
            state.groups.join(other, knot)
        self._mended.add((module.filename, node.span))
        return True

    def _fill(self, module: Module, node: tree.DictDisplay, cls: Class) -> None:
        """Give a dict of a test the fields that a class gains."""
        for scope in self.state.fields[cls].values():
            self.mends.expected.extend(module, node, ("class", cls), scope)
        self._mended.add((module.filename, node.span))

    def _is_whole(self, said: set[str], one: Fields) -> bool:
        """Whether a dict has what objects of a class are made of, all of it and nothing else, and no other class
        has the same: a message that a test sends as a text."""
        if len(said) < _TELLING or said != one.names:
            return False
        classes = self.program.classes
        others = (cls for cls in classes.having(said.__contains__) if cls is not one.cls)
        return all({f.name for f in classes.fields(cls)} != said for cls in others)

    def _is_of_others(self, node: tree.Node, said: set[str], one: Fields) -> bool:
        """Whether a dict that lacks what objects of a class are made of has what other code writes out, as the body
        of an event, or the fields of another class."""
        if one.needed <= said:
            return False
        around = self.program.names.parent(node)
        sides = equal_to(around, node) if isinstance(around, tree.Compare | tree.Call) else ()
        given = {cls for side in sides for cls in self.mends.wholes.gives(side)}
        if given and not any(one.home in self.program.classes.mro(cls) for cls in given):
            return True
        if not self._shown:
            for module in self.program.names.judged():
                for node in module.each(tree.DictDisplay) if not module.is_test else ():
                    self._shown.setdefault(frozenset(_texts_in(node.keys)), []).append(node)
        known, fields = self.state.attributes, self.state.fields[one.home]
        gained = {known.get((one.home, name), name) for name in fields}
        is_extended = self.planner.local.notes.is_extended
        shown = self._shown.get(frozenset(said), ())
        if any(not any(is_extended(node, name) for name in gained) for node in shown):
            return True
        classes = self.program.classes
        return any(
            {f.name for f in classes.fields(cls)} == said
            and self.state.fields.keys().isdisjoint(classes.mro(cls))
            for cls in classes.having(said.__contains__)
        )

    def _is_made_beside(self, node: tree.DictDisplay, cls: Class) -> bool:
        """Whether a dict is expected to have the fields of an object alone, and the same test makes one."""
        program = self.program
        said = {tree.text(key) for key in node.keys if key is not None}
        names = {one.name for one in program.classes.fields(cls)}
        test = program.names.function_of(node)
        made = (program.names.function_of(call) for call, _ in program.calls.constructors_of(cls))
        return (
            said == names and is_compared(self.program, node) and test is not None and test in made
        )

    def _keys_around(self, node: tree.Node) -> list[Span]:
        """The keys of the dicts that a dict is an entry of."""
        names, policy = self.program.names, self.program.policy
        found: list[Span] = []
        around = names.parent(node)
        while isinstance(around, tree.DictDisplay):
            found += [value.span for name, value in entries_of(around) if policy.is_key_name(name)]
            around = names.parent(around)
        return found

    def _is_said(self, code: str | None, scope: Scope, said: str) -> bool:
        """Whether what a key gets says the value that some code yields, as a text or as what tests call."""
        typed = _TYPED.fullmatch(code) if code is not None else None
        code = typed[1] if typed is not None else code
        known = {code.strip('"')} if code is not None else set()
        spec, usual = scope.test_source, self.planner.sources.given.value_of_helper(scope)
        if spec is not None and known & {spec.code, usual}:
            known |= {spec.code, usual or spec.code}
        return any(text in said for text in known)

    def _json(self, module: Module, node: tree.Const, every: list[Fields]) -> None:
        """`'{"tenant_id": "t", "note_id": "n"}'`, from which an object is made, or, with its key, a row that is
        expected of one."""
        names = set(JSON_KEYS.findall(tree.text(node) or ""))
        is_row = any(map(self.program.policy.is_key_name, names))
        for one in every if len(names) > 1 else ():
            said = self._fields_called(one.cls, names)
            expected = is_row and one.gone_through and one.needed <= said
            listed = said & one.scoped and len(said & one.names) > 1
            known = one.made_from_any or one.made_of_texts or expected
            if listed and known and any(True for _ in self._untold([one], said)):
                self._note(module, node, one)

    def _fields_called(self, cls: Class, names: set[str]) -> set[str]:
        """The fields of a class that texts name, by their aliases too."""
        known = {alias: name for name, alias in self.program.classes.aliases(cls).items()}
        own = {field.name for field in self.program.classes.fields(cls)}
        is_key = self.program.policy.is_key_name
        called = {known.get(name) or (name if name in own else snake(name)) for name in names}
        whole = all(name in own or is_key(name) for name in called)  # else another's message
        return called if known and whole else names

    def _is_recorded(self, node: tree.Node) -> bool:
        """Whether a dict is compared with the keywords that a mock was called with."""
        program = self.program
        parent = program.names.parent(node)
        sides = (parent.left, *parent.rights) if isinstance(parent, tree.Compare) else ()
        records = [program.records.of(side) for side in sides if side is not node]
        return any(record is not None and record.view is View.KWARGS for record in records)

    def _note(self, module: Module, node: tree.Node, one: Fields) -> None:
        at = module.filename, node.span
        if at not in self._mended and (at, one.home) not in self._noted:
            self._noted.add((at, one.home))
            gained = " and ".join(self.state.fields[one.home])
            self.mends.obstacle(("class", one.home), node, _REASON.format(one.home.name, gained))

    # --- what goes through all fields ---

    def _functions_of(self, nodes: Sequence[tree.Node]) -> set[Function | None]:
        """The functions in which these expressions stand."""
        return {self.program.names.function_of(node) for node in nodes}

    def _spread(self) -> Iterator[tree.Node]:
        """What calls that are not known get entry by entry: `notify(**asdict(note))`, `notify(**payload)`."""
        for module in self.program.names.judged():
            for call in module.each(tree.Call) if not module.is_test else ():
                stars = call.spread
                if stars and not self.program.calls.callees(call):
                    yield from stars

    def _may_be(
        self, value: tree.Node, node: tree.Node, given: set[Function | None], depth: int
    ) -> bool:
        """Whether a value may be, or have in it, what an expression gives. What a function is given, or a call
        of one of `given` gives, may be that."""
        program = self.program
        if value is node or depth > _MAX_DEPTH:
            return True
        match value:
            case tree.Call():
                functions = [c.function for c in program.calls.callees(value)]
                return any(f in given for f in functions if f is not None) or any(
                    self._may_be(a.value, node, given, depth + 1) for a in value.args
                )
            case tree.Name():
                bindings = program.names.bindings_of(value)
                return any(
                    b.value is None or self._may_be(b.value, node, given, depth + 1)
                    for b in bindings
                )
            case tree.Attr() | tree.Subscript():
                return True
            case _:
                return any(self._may_be(one, node, given, depth + 1) for one in value.below())

    def _made_from_any(self) -> Iterator[Class]:
        """The classes of which objects are made from dicts that come from elsewhere: `Note(**data)`, also as heirs of
        one of which any may be meant, `KINDS[kind](**data)`; or from texts, `Note.model_validate_json(text)`."""
        known: dict[Class, list[tree.Call]] = {}
        named = made_of_texts(self.planner, traced=False)
        for cls in self._homes():
            if cls in named:
                yield cls
                continue
            for base in self.program.classes.mro(cls):
                if base not in known:
                    known[base] = list(self._making(base))
                if any(base is cls or not self._is_class(call.func) for call in known[base]):
                    yield cls

    def _making(self, cls: Class) -> Iterator[tree.Call]:
        """The calls that make objects of a class from what they spread, which is not written out there, and has the
        scopes: they do not give these beside it."""
        is_scoped = self.program.domain.held.is_scoped
        for call, given in self.program.calls.given_to(cls):
            spread = call.spread
            known = any(is_scoped(cls, name) for name in given)
            if spread and not known and not isinstance(spread[0], tree.DictDisplay):
                yield call

    def _is_class(self, node: tree.Node) -> bool:
        """Whether an expression names one class, and none of its heirs."""
        return self._named(node) is not None

    def _named(self, node: tree.Node) -> Class | None:
        """The class that an expression names."""
        named = self.program.classes.dotted(node)
        definition = named.definition if isinstance(named, Binding) else None
        return definition if isinstance(definition, Class) else None


def _texts_in(nodes: Sequence[tree.Node | None]) -> set[str]:
    """The texts that a display is made of; none where it is made of anything else."""
    said = [tree.text(node) for node in nodes]
    return set() if None in said else {text for text in said if text is not None}
