"""Keys of in-memory and caching repositories: dicts, caches, tuple keys, and what makes entities the same."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from capsule_lint.facts import tree
from capsule_lint.plan.entities.rows import Rows
from capsule_lint.plan.memory.collections import Collections
from capsule_lint.plan.memory.dict_keys import DictKeys
from capsule_lint.plan.memory.fillers import Fillers
from capsule_lint.plan.memory.handed import Handed
from capsule_lint.plan.memory.identities import Identities
from capsule_lint.plan.memory.in_order import begins_others
from capsule_lint.plan.memory.key_classes import KeyClasses
from capsule_lint.plan.memory.key_hosts import KeyHosts
from capsule_lint.plan.memory.key_lists import elements
from capsule_lint.plan.memory.key_needs import KeyNeeds, has_identifier
from capsule_lint.plan.memory.key_readers import KeyReaders
from capsule_lint.plan.memory.keyed_alike import KeyedAlike
from capsule_lint.plan.memory.local_filters import LocalFilters
from capsule_lint.plan.memory.local_notes import LocalNotes
from capsule_lint.plan.memory.looking_up import LOOKING_UP, looking_up
from capsule_lint.plan.memory.matched_rows import MatchedRows
from capsule_lint.plan.memory.nested import Nested
from capsule_lint.plan.memory.rekeyed import Rekeyed, keys_of
from capsule_lint.plan.memory.said import Said
from capsule_lint.plan.memory.shared_keys import SharedKeys
from capsule_lint.plan.memory.table_keys import TableKeys
from capsule_lint.plan.memory.told_by_calls import ToldByCalls
from capsule_lint.plan.memory.uneven import Uneven
from capsule_lint.plan.memory.unpacked import Parts
from capsule_lint.plan.memory.whole_keys import WholeKeys
from capsule_lint.plan.state import State, Want
from capsule_lint.plan.supply.scope_objects import ScopeObjects
from capsule_lint.plan.taken_apart.groups import is_group
from capsule_lint.plan.taken_apart.splits import Splits
from capsule_lint.plan.testing.put_in_place import PutInPlace
from capsule_lint.plan.uses.arrivals import Arrivals
from capsule_lint.program.model import Class, Function
from capsule_lint.program.walk import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.entities.additions import Home
    from capsule_lint.plan.memory.local_notes import LocalDefect
    from capsule_lint.plan.silence import Silence
    from capsule_lint.policy import Scope
    from capsule_lint.program import Program
    from capsule_lint.program.model import Module


class LocalKeys:
    """Finds the keys that lack scopes, and with them the filters."""

    def __init__(self, program: Program, state: State, silence: Silence) -> None:
        self.program = program
        self.state = state
        self.silence = silence
        self.rekeyed: dict[Home, Rekeyed] = {}
        """The collections whose keys change."""
        self.asked: dict[Home, list[tree.Node]] = defaultdict(list)
        """The keys that collections are asked for, where they are."""
        self.mixed: set[Home] = set()
        """The collections some of whose keys do not change with the others."""
        self._telling: set[Home] = set()
        """The collections of which a key tells items, or those of several scopes, apart."""
        self._handed_on: set[tuple[Function, Home]] = set()
        """The functions that look up what they are given the whole key of, and where."""
        self._unnamed: list[tuple[Home, tree.Node, Function | None]] = []
        """The keys that are values by names which do not say that they tell one thing from others."""
        self._doubted: list[tuple[Home, tree.Node, Function | None, bool]] = []
        """The keys with something written out that may have a scope's place, by what the other keys say."""
        self.checked: set[int] = set()
        self._changing: dict[int, tuple[LocalDefect, list[tree.Node]]] = {}
        """The keys that lack scopes, and what they are made of, by their expressions."""
        self.rows = Rows(program)
        self.collections = Collections(program)
        self.parted = Parts(program, self.collections)
        self.told = ToldByCalls(program)
        self.classes = KeyClasses(program, self.told)
        self.handed = Handed(program)
        self.arrivals = Arrivals(program)
        self.put_in_place = PutInPlace(program)
        self.hosts = KeyHosts(program, self.classes, self.handed)
        self.needs = KeyNeeds(program, self.collections)
        self.notes = LocalNotes(program, state, silence)
        self.filters = LocalFilters(
            program, self.notes, self.needs, self.classes, self.rows, self.told
        )
        self.objects = ScopeObjects(program)
        self.table = TableKeys(program, state)
        self.shared = SharedKeys(self)
        self.said = Said(program, Splits(program), self.objects)
        self.whole = WholeKeys(self)
        self.readers = KeyReaders(self)

    def find(self) -> None:
        """Note every key and filter that lacks scopes, and mend what reads the keys."""
        alike = KeyedAlike(self.program, self.hosts).homes()
        for home in (*alike, *self.collections.foreign.databases()):
            self.collections.adopt(home)
        self.needs.inner = Nested(self).find()
        modules = [module for module in self.program.names.judged() if not module.generated]
        for module in sorted(
            modules, key=lambda m: m.is_test
        ):  # they look into what the program keeps
            self._judge_module(module)
        self._judge_doubted()
        self._judge_unnamed()
        Uneven(self).judge()
        for module in self.program.names.judged():
            if not module.generated:
                for node in module.each(tree.Compare):
                    if len(node.ops) == 1:
                        self.filters.judge(node)
        identities = Identities(self)
        asked = identities.find()
        DictKeys(self, MatchedRows(self.program)).find()
        changing = [defect for defect, _ in self._changing.values()]
        self.shared.spread(changing, lambda home, by: self.feed(home, tuple(by.missing)))
        self.readers.find(set(self.rekeyed))
        identities.follow(asked)
        Fillers(self).ask()

    def asks(self, function: Function) -> bool:
        """Whether a function filters rows, or looks them up by what tells them apart."""
        told = (
            one in self._telling or one in self.rekeyed
            for one in self.notes.looking.get(function, ())
            if (function, one) not in self._handed_on
        )
        return function in self.notes.filtering or any(told)

    def feed(self, home: Home, scopes: tuple[Scope, ...]) -> None:
        """Judge the keys of a collection by the scopes of what is put into it."""
        self.needs.fed[home] = scopes
        self.collections.adopt(home)
        known = set(self.rekeyed)
        own = (home[0].module,) if isinstance(home[0], Function) else None
        for module in own or self.program.names.editable():
            self._judge_module(module, home)
        self._judge_doubted()
        self.readers.find(set(self.rekeyed) - known)

    def changes(self, key: tree.Node) -> bool:
        """Whether a key has what it needs, or gets it, wherever it is written with a scope's value."""
        hosts = self.hosts.scopes_in(key)
        return bool(hosts) and all(self.notes.is_settled(host) for host, _ in hosts)

    def changing(self, key: tree.Node) -> LocalDefect | None:
        """What a key lacks that is written there, and is going to get."""
        return self._changing[id(key)][0] if id(key) in self._changing else None

    def settles(self, home: Home, *keys: tree.Node, made: bool = False) -> bool:
        """Whether expressions that keys of a collection are compared with change as the keys do, and are texts that
        are put together, if they have to be `made`."""
        for key in keys:
            hosts = list(self.hosts.further(key))
            if made and not all(tree.makes_text(host) for host, _ in hosts):
                return False
            self._judge_key(home, key)
            self._judge_doubted()
            if not hosts or not all(self.notes.is_settled(host) for host, _ in hosts):
                return False
        return True

    # --- where keys are looked up ---

    def _judge_module(self, module: Module, only: Home | None = None) -> None:
        """Judge what is looked up in collections, or in that one."""
        for node in module.every(*LOOKING_UP) if only is None else looking_up(module, {only[1]}):
            for owner, name, key in self.collections.sinks(node):
                if only is None:
                    self.asked[owner, name].append(key)
                if only is None or only == (owner, name):
                    self.notes.touch((owner, name), self.program.names.place(node))
                    self._judge_key((owner, name), key)
        for statement, place in module.statements:
            for home, key in self._replaced(statement):
                if only is None or only == home:
                    self.notes.touch(home, place)
                    self._judge_key(home, key)

    def _replaced(self, statement: tree.Statement) -> Iterator[tuple[Home, tree.Node]]:
        """The keys of `self._rows = {key: row for …}`, of `self._seen |= {key}`, and of `self._order += [key]`."""
        value = statement.value if isinstance(statement, tree.Assign) else None
        listed = elements(value) if value is not None else ()
        for target in statement.targets if listed and isinstance(statement, tree.Assign) else ():
            home = self.collections.listed(target)
            if home is not None:
                yield from ((home, key) for key in listed)
        if isinstance(statement, tree.Assign) and (
            isinstance(value, tree.DictDisplay | tree.Comprehension | tree.Call | tree.Binary)
            or (isinstance(value, tree.Sequence) and value.kind == "set")
        ):
            keys = keys_of(value)
            for target in statement.targets if keys else ():
                home = self.collections.of(target)
                if home is not None:
                    yield from ((home, key) for key in keys)

    # --- one key ---

    def _judge_key(self, home: Home, key: tree.Node) -> None:
        begins = begins_others(self.program.names.parent(key), key)
        for host, function in self.hosts.of(key):
            self.table.note(home, host)
            fed = home in self.needs.fed and not self.notes.is_settled(host)
            if id(host) in self.checked and not fed:
                if not begins:
                    self._share(home, host)
                continue
            self.checked.add(id(host))
            made = [one for one in _with_parts(host) if self.classes.of(one) is not None]
            for one in made:
                self._judge_made(home, one, function, host)
            if not made:
                self.judge_host(home, host, function, begins=begins)

    def _judge_doubted(self) -> None:
        doubted, self._doubted = self._doubted, []
        for home, host, helper, begins in doubted:
            self.judge_host(home, host, helper, begins=begins, doubted=True)

    def _judge_unnamed(self) -> None:
        """Values that are looked up by where others get scopes beside them: `source` beside `note_id`."""
        for home, host, helper in self._unnamed:
            rekeyed = self.rekeyed.get(home)
            if rekeyed is not None and rekeyed.width == 1:
                self.judge_host(home, host, helper, known=True)

    def _is_taken_out(self, host: tree.Node, home: Home) -> bool:
        """Whether something gives one of the keys that a collection has already: `choice(list(repo.rows))`."""
        used = (one for one in within(host) if self.collections.of(one) == home)
        around = [self.program.names.parent(one) for one in used]
        return any(
            isinstance(one, tree.Call) or (isinstance(one, tree.Attr) and one.name == "keys")
            for one in around
        )

    def _only_tests_look(self, home: Home, defect: LocalDefect) -> bool:
        """Whether a test looks into what an object of the program keeps, of which no other key changes."""
        if not defect.module.is_test or home in self.rekeyed or home in self.needs.fed:
            return False
        return isinstance(home[0], Class) and not home[0].module.is_test

    def judge_host(
        self,
        home: Home,
        host: tree.Node,
        helper: Function | None,
        *,
        known: bool = False,
        begins: bool = False,
        doubted: bool = False,
    ) -> None:
        """Note what an expression lacks that writes a key, which may be known to be one like the others, or to say
        no more than how others begin; once all keys are seen, also of one that was `doubted`."""
        parts = self.hosts.parts(host) if self.program.keys.at(host) is None else None
        if parts is None:
            self._telling.add(home)
            return
        shape, elements = parts
        place = self.program.names.place(host)
        if shape == "bare" and place.scope.module.is_test:
            if self.hosts.is_made_anew(host):
                return  # it may be much else besides: the scopes come beside it where it is looked up
            if self._is_taken_out(host, home):
                return
        keys = [e for e in elements if self.hosts.is_key(e)]
        if keys:
            self._telling.add(home)
            function = self.program.names.function_of(host)
            if function is not None and all(map(self.hosts.is_given, keys)):
                self._handed_on.add((function, home))
            return
        if helper is not None:
            self.told.parameters(elements, helper)
        if self.parted.are_own(elements, home):
            return  # it changes with what goes through the keys
        present = self.said.of(elements)
        self.whole.note(home, elements, present)
        missing = [s for s in self.needs.demanded(home, place, present) if s.name not in present]
        if missing and shape == "text" and self.table.completes(home, host, missing):
            missing = []
        if missing and present and shape == "tuple" and not place.scope.module.is_test:
            if not doubted and any(map(self.whole.is_literal, elements)):
                self._doubted.append((home, host, helper, begins))
                return
            if doubted and self.whole.is_taken(home, elements, missing):
                missing = []
        if not missing:
            self.notes.settle(host)
        if not known and not self._is_lack(home, elements, missing, scoped=bool(present)):
            if shape == "bare" and missing and not present:
                self._unnamed.append((home, host, helper))
            return
        self.lack(home, host, (shape, elements), missing, present, helper=helper, begins=begins)

    def lack(
        self,
        home: Home,
        host: tree.Node,
        parts: tuple[str, list[tree.Node]],
        missing: list[Scope],
        present: dict[str, tree.Node],
        *,
        helper: Function | None = None,
        begins: bool = False,
    ) -> None:
        """Note which scopes a key lacks; it changes the others of its collection unless it says no more than how these begin."""
        shape, elements = parts
        if shape == "bare" and self.collections.is_text(home):
            shape = "joined"
        defect = self.notes.draft(host, shape, missing, self.notes.knot_of(home, host))
        anchors = self._anchors(missing, present)
        if shape in ("tuple", "bare") and len({*map(id, anchors.values())}) > 1:
            anchors = dict.fromkeys(anchors)  # who takes the keys apart finds them in one place
        defect.anchors.update(anchors)
        defect.helper = helper
        self.notes.settle(host)
        if not self.notes.is_silenced(defect):
            self._ask(defect, present)
            self.notes.defects.append(defect)
            self._changing[id(host)] = defect, elements
            if not begins:
                self._rekey(home, defect, elements)

    def _share(self, home: Home, host: tree.Node) -> None:
        """A key that changes for the sake of another collection changes the keys of this one as well."""
        if id(host) in self._changing:
            defect, elements = self._changing[id(host)]
            self.state.groups.join(defect.knot, self.notes.knot_of(home, host))
            self._rekey(home, defect, elements)

    def _is_lack(
        self, home: Home, elements: list[tree.Node], missing: list[Scope], *, scoped: bool
    ) -> bool:
        """Whether scopes that are missing in a key are to be added."""
        matters = self.needs.matters(*home, elements, scoped)
        if matters or has_identifier(elements):
            self._telling.add(home)
        if home in self.needs.fed and missing and not matters:
            self.mixed.add(home)
        return bool(missing) and matters

    def _anchors(
        self, missing: list[Scope], present: dict[str, tree.Node]
    ) -> dict[str, tree.Node | None]:
        """By scope: the value of a scope before it, behind which its own comes."""
        order = [s.name for s in self.program.policy.scopes]
        anchors: dict[str, tree.Node | None] = {}
        for scope in missing:
            before = [n for n in order[: order.index(scope.name)] if n in present]
            anchors[scope.name] = present[before[-1]] if before else None
        return anchors

    def _ask(self, defect: LocalDefect, present: dict[str, tree.Node]) -> None:
        neighbour = next(iter(present.values()), None)
        for scope in defect.missing:
            mirror = defect.anchors[scope.name] or neighbour
            mirror = mirror if mirror and self._is_mirrored(mirror) else None
            self.notes.ask(defect, Want(scope, defect.node, defect.knot, "local", mirror=mirror))

    def _is_mirrored(self, node: tree.Node) -> bool:
        """Whether what belongs beside a scope's value may be said as that is."""
        match node:
            case tree.Attr() | tree.Name() | tree.Subscript() | tree.Call(args=()):
                return True
            case _:
                return is_group(self.program, node)

    def _rekey(self, home: Home, defect: LocalDefect, elements: list[tree.Node]) -> None:
        """Note how the keys of a collection change, by one that does."""
        self.table.tie(home, defect.knot)
        self.whole.lacks(home, defect, elements)
        first = defect.anchors[defect.missing[0].name]
        index = tree.behind(elements, first)
        seen = id(defect.node) not in self.hosts.hidden
        width = len(elements) if seen and defect.shape in ("tuple", "bare") else 0
        change = Rekeyed(index, tuple(defect.missing), width)
        if self._only_tests_look(home, defect):
            reason = f"is a key of `{home[1]}` in a test, and nothing else makes one that changes"
            self.notes.obstacle(defect.knot, defect.node, reason)
        opened = self.collections.keepers.opened_at(home)
        if opened is not None:
            reason = f"is a key of `{home[1]}`, and `{opened.name}` does more than look it up"
            self.notes.obstacle(defect.knot, defect.node, reason)
        known = self.rekeyed.setdefault(home, change)
        if width > 1 and known.width == width and known.scopes != change.scopes:
            reason = f"is a key of `{home[1]}`, and says other scopes than the others"
            self.notes.obstacle(defect.knot, defect.node, reason)

    def _judge_made(
        self, home: Home, host: tree.Node, helper: Function | None, key: tree.Node
    ) -> None:
        """Note what the class of a key lacks: `rows[Slot(tenant_id, sku)]`."""
        cls, place = self.classes.of(host), self.program.names.place(host)
        if cls is None:
            return
        held = self.classes.held(cls)
        said = [scope.name for scope in held]
        missing = [s for s in self.needs.demanded(home, place, said) if s not in held]
        alone = len(self.program.classes.fields(cls)) == 1
        if missing and not (alone and self.needs.holds_scalars(*home)):
            knot = self.notes.knot_of(home, host)
            defect = self.notes.draft(host, "made", missing, knot)
            defect.helper = helper
            if not self.notes.is_silenced(defect):
                if cls not in self.program.domain.entities:  # of an entity it is told at the class
                    self.notes.defects.append(defect)
                self.classes.lacks(cls, missing, knot)
                if key is host:
                    self.rekeyed.setdefault(home, self.classes.rekeyed(cls, missing))
        self.notes.settle(host)
        if not self.program.classes.is_named_tuple(cls):
            self.notes.settle(key)  # nobody takes such a part of a key apart


def _with_parts(key: tree.Node) -> tuple[tree.Node, ...]:
    """A key, and the elements of one that is a tuple."""
    return (key, *key.items) if isinstance(key, tree.Sequence) else (key,)
