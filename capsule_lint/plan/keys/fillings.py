"""What fills the format strings of which one is chosen while the program runs: a field that one of them gains is
filled wherever it may be chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.plan.entities.wholes import given_whole
from capsule_lint.plan.keys.decorated import Decorated, has_field, refuse
from capsule_lint.plan.room import Room
from capsule_lint.plan.state import Want
from capsule_lint.program.calling.binding import bind
from capsule_lint.program.inference.types import ClassObject, Instance
from capsule_lint.program.local_names import only_assigned
from capsule_lint.program.model import Class, last_name, owner_of
from capsule_lint.program.texts.pieces import names_any_of
from capsule_lint.program.texts.text_objects import VALUE
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capsule_lint.plan.planner import Planner
    from capsule_lint.plan.state import KeyDefect
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function

_MAX_DEPTH: Final = 8


@dataclass(eq=False, slots=True)
class Fillings(Room):
    """Asks for the values."""

    planner: Planner
    bases: list[tree.Node] = field(default_factory=list)
    """What is filled of which some choice gains a field."""
    held: dict[str, list[tree.Node]] = field(default_factory=dict)
    """The texts that gain fields, by the names under which classes have them."""
    within: dict[int, str] = field(default_factory=dict)
    """The class inside of another one in which such a text stands, `Meta`; empty for one in a class of its own."""

    def find(self) -> None:
        """Ask for what fills the fields that chosen texts gain."""
        choices = self.program.templates.choices
        Decorated(self.planner).find()
        changing = {
            id(defect.template.host): defect
            for defect in self.planner.defects
            if id(defect.template.host) in choices.filled
        }
        if not changing:
            return
        names = {_name_of(self.planner, defect) for defect in changing.values()}
        if any(self._is_member(defect.template.host) for defect in changing.values()):
            names |= VALUE
        for defect in changing.values():
            text = defect.template.host
            home = self.program.names.place(text).scope
            if home.kind == "class" and home.cls is not None and not self._is_member(text):
                self.held.setdefault(_name_of(self.planner, defect), []).append(text)
                inner = home.parent is not None and home.parent.kind == "class"
                self.within[id(text)] = home.cls.name if inner else ""
            self._extend(defect)
        for call, base in self._fillers(names):
            found = [changing[id(text)] for text in choices.of(base).texts if id(text) in changing]
            if not found:
                continue
            origin = choices.origin(base)
            lookups = choices.lookups(base)
            self.bases += [base, origin, *lookups]
            self.bases += [one.func for one in lookups if isinstance(one, tree.Call)]
            function = self.program.names.function_of(call)
            if function is not None and self._is_member(found[0].template.host):
                callers = self.program.calls.callers(function)
                self.bases += [c.func.base for c, _ in callers if isinstance(c.func, tree.Attr)]
            for defect in found:
                defect.makers |= {function} if function is not None else set()
                for scope in defect.missing:
                    self._fill(call, origin, scope, defect)

    @property
    def _decorated(self) -> dict[int, Class]:
        return self.program.templates.choices.decorators.owners

    def _extend(self, defect: KeyDefect) -> None:
        """Have a data class that holds one scope of its text hold those that this gains, whoever fills it."""
        home, policy = _home(self.planner, defect), self.program.policy
        attribute_of = self.planner.sources.holders.attribute_of
        if home is None or not self.program.classes.is_data(home):
            return
        for scope in defect.missing:
            if any(attribute_of(home, one) is not None for one in policy.others(scope)):
                has_field(self.planner, home, scope, defect)

    def _is_member(self, text: tree.Node) -> bool:
        """Whether a text is the value of a member of an enum."""
        cls = self.program.names.place(text).scope.cls
        return cls is not None and self.program.classes.is_enum(cls)

    def _fillers(self, names: set[str]) -> Iterator[tuple[tree.Call, tree.Node]]:
        """The calls that fill what some name may choose, and what they fill."""
        uses = self.program.calls.uses
        known = {alias for name in names for alias in uses.known_as(name)}
        self.program.names.ask(*known)
        for verb in ("format", "format_map"):
            for call in uses.calls_beside(verb):
                base = call.func.base if isinstance(call.func, tree.Attr) else None
                if base is not None and last_name(self._kept(base)) in known:
                    yield call, base

    def _kept(self, base: tree.Node) -> tree.Node:
        """The table in which a text is looked up, or what has it."""
        choices = self.program.templates.choices
        lookups = choices.lookups(base)
        match lookups[-1:]:
            case [tree.Subscript(base=table) | tree.Call(func=tree.Attr(base=table))]:
                return table
            case _:
                return choices.origin(base)

    def _fill(self, call: tree.Call, base: tree.Node, scope: Scope, defect: KeyDefect) -> None:
        """Ask for one value that fills a field of one text."""
        others = self.program.policy.others(scope)
        named = [a for a in call.args if a.keyword is not None]
        if any(a.keyword == scope.parameter for a in named):
            return
        beside = next((a.value for a in named if _names_any(a.keyword, others)), None)
        maps = last_name(call.func) == "format_map"
        spread = [a.value for a in call.args if maps or a.star == "**"]
        if beside is not None:
            if self.planner.signatures.asks(call, scope, defect.knot):
                self.planner.want(Want(scope, call, defect.knot, "field", mirror=beside))
            return
        if (
            len(spread) == 1
            and len(call.args) == 1
            and self._spread(spread[0], base, scope, defect)
        ):
            return
        refuse(self.planner, call, scope, defect)

    def _spread(self, value: tree.Node, base: tree.Node, scope: Scope, defect: KeyDefect) -> bool:
        """Have a mapping hold one more value that is spread: what a function is given by keyword, or all
        fields of an object; whether it is one of these."""
        function = self._given_by_keyword(value)
        if function is not None:
            self._ask_callers(function, base, scope, defect)
            return True
        given, home = self._whole(value), _home(self.planner, defect)
        if given is None:
            return False
        if home is not None and self._are_kin(given, base, home):
            return has_field(self.planner, home, scope, defect)
        if home is None or id(defect.template.host) in self._decorated:
            return self._all_have(self._owners(given), scope, defect)
        return self._is_described(given) and has_field(self.planner, home, scope, defect)

    def _are_kin(self, given: tree.Node, base: tree.Node, home: Class) -> bool:
        """Whether an object is of the class whose attribute a text is, or of one of its bases or heirs."""
        owners, mro = self._owners(given), self.program.classes.mro
        kin = all(owner in mro(home) or home in mro(owner) for owner in owners)
        return kin and bool(owners) and isinstance(self._kept(base), tree.Attr)

    def _whole(self, value: tree.Node) -> tree.Node | None:
        """The object all of whose fields a mapping holds, by a local too."""
        return given_whole(only_assigned(self.program.names, value) or value)

    def _owners(self, given: tree.Node) -> list[Class]:
        """The classes that an object may be of; none where it may be anything else."""
        types = self.program.inference.of(given)
        owners = [one.cls for one in types if isinstance(one, Instance)]
        return sorted(owners, key=lambda cls: cls.symbol) if len(owners) == len(types) else []

    def _all_have(self, owners: list[Class], scope: Scope, defect: KeyDefect) -> bool:
        """Have the objects of some classes hold a scope; whether there are such, and all can."""
        return bool(owners) and all(has_field(self.planner, one, scope, defect) for one in owners)

    def _is_described(self, node: tree.Node) -> bool:
        """Whether a descriptor is told by a name which object it is read of: the `instance` of its `__get__`."""
        function = self.program.names.function_of(node)
        if function is None or function.name != "__get__" or not isinstance(node, tree.Name):
            return False
        return [p.name for p in function.own_params[:1]] == [node.id]

    def _ask_callers(
        self,
        function: Function,
        base: tree.Node,
        scope: Scope,
        defect: KeyDefect,
        depth: int = 0,
        chooser: str = "",
    ) -> None:
        """Have whoever calls a function give it one more keyword, where it may choose the text then: by the class that
        it is given as its parameter `chooser`, if that does."""
        planner = self.planner
        planner.state.groups.join(defect.knot, ("function", function))
        if depth > _MAX_DEPTH or len(planner.program.calls.families.of(function)) > 1:
            refuse(self.planner, base, scope, defect)
            return
        for call, callee in list(planner.program.calls.callers(function)):
            told = callee.arguments(call).get(chooser) if chooser else None
            if told is not None and self._is_others(told.value, base, defect):
                continue
            if self._is_other(call, function, callee.given, base, defect):
                continue
            if self._is_told_whole(call, base, scope, defect):
                continue
            outer = self._passing_on(call)
            if outer is not None and outer is not function:
                chosen = told.value if told is not None else call.receiver
                own = _own_parameter(outer, chosen)
                self._ask_callers(outer, base, scope, defect, depth + 1, own)
            else:
                planner.signatures.want_argument(call, scope, function, callee.given, defect.knot)

    def _is_others(self, given: tree.Node, base: tree.Node, defect: KeyDefect) -> bool:
        """Whether what says by its class which text is chosen has others than that which gains a field."""
        types = self.program.inference.of(given)
        classes = [one.cls for one in types if isinstance(one, Instance | ClassObject)]
        texts = [
            text
            for cls in classes
            for text in self.program.templates.choices.chosen(base, cls).texts
        ]
        known = bool(texts) and len(classes) == len(types)
        return known and all(text is not defect.template.host for text in texts)

    def _is_told_whole(
        self, call: tree.Call, base: tree.Node, scope: Scope, defect: KeyDefect
    ) -> bool:
        """Whether a call is given all fields of objects that hold the scope, or come to: `key(**asdict(note))`."""
        spread = [a.value for a in call.args if a.star == "**"]
        given = self._whole(spread[0]) if len(spread) == 1 else None
        if given is None:
            return False
        home = _home(self.planner, defect)
        if home is not None and self._are_kin(given, base, home):
            return has_field(self.planner, home, scope, defect)
        return self._all_have(self._owners(given), scope, defect)

    def _passing_on(self, call: tree.Call) -> Function | None:
        """The function that hands all that it is given by keyword on to a call, which gives no scope itself."""
        spread = [a.value for a in call.args if a.star == "**"]
        scopes = self.program.policy.scopes
        if len(spread) != 1 or any(_names_any(a.keyword, scopes) for a in call.args):
            return None
        return self._given_by_keyword(spread[0])

    def _given_by_keyword(self, value: tree.Node) -> Function | None:
        """The function whose `**parts` a value is, as its callers give it."""
        function = self.program.names.function_of(value)
        if function is None or not isinstance(value, tree.Name):
            return None
        parameter = function.parameter(value.id)
        is_own = parameter is not None and parameter.kind == "**"
        return function if is_own and len(function.scope.bindings[value.id]) == 1 else None

    def _is_other(
        self, call: tree.Call, function: Function, given: int, base: tree.Node, defect: KeyDefect
    ) -> bool:
        """Whether a call chooses a text that does not gain a field, by the name or the class that it has."""
        choices = self.program.templates.choices
        lookups = choices.lookups(base)
        if lookups:
            texts = self._looked_up(call, function, given, lookups[-1])
        else:
            found = [choices.chosen(base, cls) for cls in self._receivers(call)]
            texts = [text for one in found for text in one.texts]
        return bool(texts) and all(text is not defect.template.host for text in texts)

    def _looked_up(
        self, call: tree.Call, function: Function, given: int, lookup: tree.Node
    ) -> list[tree.Node]:
        """What a call has a function look up in a table, by a name that it spells out, and what is in that."""
        if self.program.names.function_of(lookup) is not function:
            return []
        bound = bind(call.args, function.params, given)
        match lookup:
            case tree.Subscript(base=table, index=tree.Name(id=name)):
                said = bound.arguments.get(name) if bound is not None else None
            case tree.Call(
                func=tree.Attr(base=table), args=(tree.Argument(value=tree.Name(id=name)),)
            ):
                said = bound.arguments.get(name) if bound is not None else None
            case _:
                return []
        constants = self.program.templates.choices.constants
        made = tree.Subscript(lookup.at, table, said.value) if said is not None else None
        entry = constants.entry(made) if made is not None else None
        return list(within(entry)) if entry is not None else []

    def _receivers(self, call: tree.Call) -> list[Class]:
        """The classes of whose objects, or of which, a call calls a method; nothing where that is not known."""
        program = self.program
        owner = owner_of(program.names.function_of(call))
        match call.func:
            case tree.Attr(base=tree.Call(func=tree.Name(id="super"))) if owner is not None:
                return [owner]
            case tree.Attr(base=base):
                types = program.inference.of(base)
                found = [one.cls for one in types if isinstance(one, Instance | ClassObject)]
                return found if len(found) == len(types) else []
            case _:
                return []


def _own_parameter(function: Function, node: tree.Node | None) -> str:
    """The parameter of a function that an expression is; empty where it is none."""
    own = function.parameter(node.id) if isinstance(node, tree.Name) else None
    return own.name if own is not None and not own.kind.startswith("*") else ""


def _names_any(name: str | None, scopes: Iterable[Scope]) -> bool:
    return name is not None and names_any_of(name, scopes)


def _home(planner: Planner, defect: KeyDefect) -> Class | None:
    """The class whose objects have a text, also where it stands in a class inside of that one, or a decorator has it."""
    owners = planner.program.templates.choices.decorators.owners
    if (decorated := owners.get(id(defect.template.host))) is not None:
        return decorated
    scope = planner.program.names.place(defect.template.host).scope
    around = [one.cls for one in scope.ancestors() if one.kind == "class" and one.cls is not None]
    return around[-1] if around else None


def _name_of(planner: Planner, defect: KeyDefect) -> str:
    """The name under which a text is kept, or the table that it stands in."""
    given = planner.program.templates.choices.given.get(id(defect.template.host))
    if given is not None:
        return given
    statement: object = planner.program.names.parent(defect.template.host)
    while isinstance(statement, tree.Expr):
        statement = planner.program.names.parent(statement)
    targets = statement.targets if isinstance(statement, tree.Assign) else ()
    return next(map(last_name, targets), "")
