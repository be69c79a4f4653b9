"""Where keys stand: items, conditions, arguments of a table's operations, attributes of models, PartiQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.program.local_names import reads_of
from capsule_lint.program.model import named_setting
from capsule_lint.program.places import partiql
from capsule_lint.program.places.assignments import Assignments
from capsule_lint.program.places.conditions import Conditions, holding, said_near
from capsule_lint.program.places.decorated import Decorated
from capsule_lint.program.places.hashes import Hashes
from capsule_lint.program.places.key_attributes import KEY
from capsule_lint.program.places.operations import Operations
from capsule_lint.program.places.sites import Role
from capsule_lint.program.purposes.elsewhere import is_of_documents
from capsule_lint.program.purposes.sql import names_its_values, selected
from capsule_lint.program.texts.pieces import Template

if TYPE_CHECKING:
    from capsule_lint.program.model import Module
    from capsule_lint.program.places.conditions import Compared
    from capsule_lint.program.places.dict_roles import DictRoles
    from capsule_lint.program.places.key_attributes import KeyAttributes
    from capsule_lint.program.places.keys import Keys
    from capsule_lint.program.places.makers import Makers
    from capsule_lint.program.places.strays import Strays

_TOLD: Final = (
    tree.DictDisplay,
    tree.Call,
    tree.Lambda,
    tree.Comprehension,
    tree.Subscript,
    tree.Compare,
    tree.Sequence,
)
"""The expressions that have keys in them."""


@dataclass(eq=False)
class Positions:
    """Finds the places of a module, and gives what stands there to `keys`."""

    keys: Keys
    makers: Makers
    strays: Strays
    roles: DictRoles
    attributes: KeyAttributes
    _operations: Operations = field(init=False)
    _assignments: Assignments = field(init=False)
    _decorated: Decorated = field(init=False)

    def __post_init__(self) -> None:
        keys = self.keys
        hashes = Hashes(keys.classes, keys.calls)
        self._operations = Operations(keys, self.strays, hashes, self.roles, self.attributes)
        self._decorated = Decorated(keys)
        self._assignments = Assignments(keys, hashes, self.roles)

    def collect(self, module: Module) -> None:
        """Give `keys` what stands in a module."""
        for function in module.functions:
            self.makers.helper(function)
        for cls in module.classes:
            self._decorated.of(cls)
        conditions = Conditions(
            self.keys.names, self.keys.templates, self.keys.policy.is_key_name
        ).of(module)
        for node in module.every(*_TOLD):
            match node:
                case tree.DictDisplay():
                    self._dict(node, conditions)
                case tree.Call():
                    arguments = dict(node.keywords)
                    self._partiql(arguments)
                    self._queried(arguments)
                    if KEY in arguments:
                        self.attributes.asked_for(arguments[KEY])
                    if tree.makes_dict(node):
                        self._made(node)
                    self._operations.call(node)
                    self.strays.in_memory(node)
                    if conditions:
                        self._given_placeholders(node, conditions)
                    self._made_by_object(node)
                    self._set(node)
                    patches = isinstance(node.func, tree.Attr) and node.func.name == "setattr"
                    if not patches and (setting := named_setting(node)) is not None:
                        self._assignments.attribute(*setting)
                case tree.Lambda():
                    self.strays.in_lambda(node)
                case tree.Comprehension():
                    self._assignments.comprehended(node)
                case tree.Sequence(kind="tuple", items=(name, value)) if not module.is_test:
                    self._pair(name, value, conditions)
                case tree.Subscript(index=tree.Slice() as bounds):
                    self._operations.cut(node.base, bounds.below())
                case tree.Subscript():
                    self.strays.in_memory(node)
                case tree.Compare(ops=("==" | "!=",), rights=(right,)):
                    self._operations.comparison(node.left, right, module)
                case tree.Compare():
                    self.strays.in_memory(node)
        for statement, place in module.statements:
            if isinstance(statement, tree.Assign) and statement.value is not None:
                in_class = place.scope.kind == "class" and place.scope.cls is not None
                for target in statement.targets:
                    entry = target if isinstance(target, tree.Subscript) else None
                    found = self._compared(entry.index, conditions) if entry is not None else None
                    if entry is not None and found is not None:
                        self._assignments.entry(entry, statement.value, *found)
                        continue
                    self._assignments.of(target, statement.value, in_class=in_class)
                    if entry is not None:
                        self.attributes.entry(tree.text(entry.index), statement.value)

    def _compared(self, key: tree.Node, conditions: Compared) -> tuple[str, Role] | None:
        """The key with which a condition compares a `:value`, and what it is used for."""
        text = tree.text(key)
        if text is None or not text.startswith(":"):
            return None
        return conditions.get((id(self.keys.names.function_of(key)), text))

    def _pair(self, name: tree.Node, value: tree.Node, conditions: Compared) -> None:
        """`("GSI1PK", key)` and `yield "GSI1PK", key`, of which a dict is made."""
        if found := self._compared(name, conditions):
            self.keys.named(value, found[1], found[0])
            self.keys.bare(value, found[1], found[0])
            return
        known = self.keys.key_name(name) if isinstance(name, tree.Const) else ""
        if known and not isinstance(value, tree.Const):
            self.keys.named(value, Role.WRITTEN, known)

    def dict_role(self, node: tree.Node) -> Role:
        """Written or looked up, by what the dict is part of."""
        return self.roles.of(node)

    def _dict(self, node: tree.DictDisplay, conditions: Compared) -> None:
        if self._is_elsewhere(node):
            return
        places = holding(self.keys.names, node)
        self._partiql(dict(node.entries))
        self._queried(dict(node.entries))
        for key, value in node.pairs:
            name, role = self.keys.key_name(key), None
            if name.startswith("#"):
                continue  # `{"#pk": "PK"}` says what an expression's name stands for
            text = tree.text(key)
            if text is not None and text.startswith(":"):
                own = text[1:] if self.keys.policy.is_key_name(text[1:]) else ""
                name, role = said_near(conditions, places, text) or (own, Role.LOOKUP)
            if name:
                role = role or self._role_of_entry(node, value)
                self.keys.named(value, role, name)
                self.keys.bare(value, role, name)
            else:
                self.attributes.entry(text, value)
            if text == KEY:
                self.attributes.asked_for(value)

    def _is_elsewhere(self, node: tree.DictDisplay) -> bool:
        """Whether a dict is for SQL or a database of documents alone: nothing in it, in its module or in what the program
        reads back tells of the table."""
        return self._is_given_elsewhere(node) and not self._is_of_table(node)

    def _is_given_elsewhere(self, node: tree.Node) -> bool:
        """Whether a dict is given to SQL or to a database of documents, and to nothing else, also by a name."""
        names = self.keys.names
        match names.parent(node):
            case tree.Call() as call:
                asked = names_its_values(call) or is_of_documents(call)
                return asked and not self.keys.calls.callees(call)
            case tree.Sequence(kind="list") as rows:
                return self._is_given_elsewhere(rows)
            case tree.Assign(targets=(tree.Name() as target,)):
                reads = list(reads_of(names, target, (target.at,)))
                return bool(reads) and all(map(self._is_given_elsewhere, reads))
            case _:
                return False

    def _is_of_table(self, node: tree.DictDisplay) -> bool:
        """Whether a dict has a sort key or a tag of policy's, stands beside what asks the table, or has a key that comes
        back from where it is put."""
        keys, texts = self.keys, self.keys.templates
        if keys.speaking.is_near(keys.names.module_of(node)):
            return True
        if any(keys.policy.is_sort_key_name(name) for name, _ in node.entries):
            return True
        for key, value in node.pairs:
            name = keys.key_name(key)
            if name and (name.lower() in self._read_back or "*" in self._read_back):
                return True
            segments = texts.segments(texts.evaluate(value, value, 0) or ()) if name else ()
            if any(one.tagged for one in segments):
                return True
        return False

    @cached_property
    def _read_back(self) -> set[str]:
        """The columns that the program reads out of SQL."""
        texts = (
            t for m in self.keys.names.production() for t in m.every(tree.Const, tree.FString)
        )
        return {name for one in texts for name in selected(one)}

    def _role_of_entry(self, node: tree.DictDisplay, value: tree.Node) -> Role:
        """The role of what is in a dict: a table's texts that are filled one after the other are those of items."""
        fillers = self.keys.templates.choices.of_table(value)
        return Role.WRITTEN if fillers is not None and fillers.choosing else self.roles.of(node)

    def _made(self, node: tree.Call) -> None:
        """`dict(PK=…)`, which is as good as `{"PK": …}`."""
        for name, value in node.keywords:
            if self.keys.policy.is_key_name(name):
                role = self.roles.of(node)
                self.keys.named(value, role, name)
                self.keys.bare(value, role, name)
            else:
                self.attributes.entry(name, value)

    def _given_placeholders(self, node: tree.Call, conditions: Compared) -> None:
        """`values(token=key)` and `values({"token": key})`, where the function makes `:token` of the name."""
        function = id(self.keys.names.function_of(node))
        first = node.args[0].value if len(node.args) == 1 else None
        written = first.entries if isinstance(first, tree.DictDisplay) else ()
        for name, value in (*node.keywords, *written):
            found = conditions.get((function, f":{name}"))
            if found is not None and self._makes_placeholders(node):
                self.keys.named(value, found[1], found[0])
                self.keys.bare(value, found[1], found[0])

    def _makes_placeholders(self, call: tree.Call) -> bool:
        """Whether a call calls what puts a colon in front of names."""
        return any(
            _is_placeholder(one)
            for callee in self.keys.calls.callees(call)
            if callee.function is not None
            for one in self.keys.names.inside(callee.function)
        )

    def _made_by_object(self, node: tree.Call) -> None:
        """`NOTE.key(tenant_id=…)`, which gives a dict with the key."""
        kept = self.keys.templates.text_objects.kept(node.func)
        if kept is not None and self.keys.policy.is_key_name(kept.name):
            self.keys.named(node, self.roles.of(node), kept.name)

    def _set(self, node: tree.Call) -> None:
        """`Invoice.gsi1pk.set(key)`, as an update of PynamoDB's says what an attribute becomes."""
        match node:
            case tree.Call(func=tree.Attr(name="set", base=tree.Attr(name=name)), args=(only,)):
                if self.keys.policy.is_key_name(name) and not only.star:
                    self.keys.named(only.value, Role.WRITTEN, name)

    def _queried(self, arguments: dict[str, tree.Node]) -> None:
        """What a query is told, as arguments of a call or as a dict."""
        if "KeyConditionExpression" not in arguments:
            return
        self.attributes.queried(arguments)
        for value in self.strays.sort_keys.partitions(arguments):
            self.keys.sink(value, Role.LOOKUP, index=True)

    def _partiql(self, arguments: dict[str, tree.Node]) -> None:
        """`Statement=…` with its `Parameters=[…]`, as arguments of a call or as a dict."""
        statement = arguments.get("Statement")
        if statement is None:
            return
        templates = self.keys.templates
        statement = templates.formatted.written_out(statement)
        is_key = self.keys.policy.is_key_name
        for name, key, prefix in partiql.written(templates, statement, is_key):
            if isinstance(key, Template):
                index = self.keys.policy.is_index_key_name(name)
                self.keys.note(key, Role.LOOKUP, index, prefix)
            else:
                self.keys.named(key, Role.LOOKUP, name, prefix=prefix)
        template = templates.template(statement)
        text = template.text if template is not None else templates.constant(statement)
        parameters = arguments.get("Parameters")
        values = templates.formatted.written_out(parameters) if parameters is not None else None
        if text is None or not isinstance(values, tree.Sequence):
            return
        for number, name, prefix in partiql.given(text, is_key):
            if number < len(values.items):
                self.keys.named(values.items[number], Role.LOOKUP, name, prefix=prefix)


def _is_placeholder(node: tree.Node) -> bool:
    """Whether an expression makes `:name` of a name: `f":{name}"`, `":" + name`."""
    match node:
        case tree.FString(parts=(":", part)):
            return not isinstance(part, str)
        case tree.Binary(op="+", left=tree.Const(value=":")):
            return True
        case _:
            return False
