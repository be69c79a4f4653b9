"""Updates that say whose an item is: `SET tenant_id = :t`. Where the item's key changes, they set the other scope as
well, beside it, for what loads the item comes to read that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from capsule_lint.facts import tree
from capsule_lint.model import AddArgument, AddEntry, Replace
from capsule_lint.plan.code import attribute_in, rename
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.state import Want
from capsule_lint.plan.testing.expected import typed_value
from capsule_lint.program.local_names import behind, entries_of_dict
from capsule_lint.program.texts.pieces import names_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import KeyDefect, Knot
    from capsule_lint.policy import Scope

_UPDATE, _NAMES, _VALUES = (
    "UpdateExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
)
_SETTING: Final = re.compile(
    r"(?P<name>#?\w+) *= *(?P<value>:\w+|if_not_exists\( *(?P=name) *, *:\w+ *\))"
)
"""One attribute that an update sets, perhaps only where there is none yet."""
_RESERVED: Final = frozenset(
    [
        "CLASS",
        "CLUSTER",
        "COLLECTION",
        "DATABASE",
        "DOMAIN",
        "GROUP",
        "LANGUAGE",
        "LEVEL",
        "LOCATION",
        "MODE",
        "OWNER",
        "PARTITION",
        "PROJECT",
        "REGION",
        "ROLE",
        "SCHEMA",
        "SCOPE",
        "SECTION",
        "SHARD",
        "SPACE",
        "STATE",
        "STATUS",
        "STORE",
        "SYSTEM",
        "UNIT",
        "USER",
        "VIEW",
        "ZONE",
    ]
)
"""Words that DynamoDB reserves and that scopes are called: they need an alias."""
_REASON: Final = "sets `{0}` of an item that gets `{1}`: it may have to set that as well"


class _Setting(Struct, frozen=True):
    """An attribute that is set to a scope's value: its name, how it is written, and what comes beside it."""

    name: str
    written: str
    value: str

    @property
    def placeholder(self) -> str:
        return self.value[self.value.index(":") :].rstrip(" )")

    def beside(self, name: str, alias: str) -> str:
        """The same for another attribute: `capsule_id = :capsule_id`."""
        value = self.value.replace(self.written, alias).replace(self.placeholder, f":{name}")
        return f"{alias} = {value}"


class Updates(MendRoom, Struct, frozen=True):
    """Builds the mends of such updates."""

    mends: Mends

    def build(self) -> None:
        """Look at all calls that update an item of which the key changes."""
        defects = {id(d): d for d in self.planner.defects if not d.module.is_test}
        for call in self.program.calls.uses.calls_beside("update_item") if defects else ():
            if not self.program.names.module_of(call).is_test:
                for defect in self._changing(call):
                    for scope in self.mends.policy_order(defect.missing):
                        self._extend(call, scope, defect)

    def _changing(self, call: tree.Call) -> Iterator[KeyDefect]:
        """The defects of the key of an item that a call updates."""
        key, is_key = call.keyword("Key"), self.program.policy.is_key_name
        found: dict[int, KeyDefect] = {}
        for name, value in entries_of_dict(self.program.names, key).items() if key else ():
            if value is not None and is_key(name):
                inner = typed_value(value) or value
                found |= {id(one): one for one in self.planner.items.changing(inner)}
        yield from found.values()

    def _extend(self, call: tree.Call, scope: Scope, defect: KeyDefect) -> None:
        update, values = call.keyword(_UPDATE), call.keyword(_VALUES)
        settings = list(self._settings(call, update)) if update is not None else []
        old = self.planner.loads.nearest([one.name for one in settings], scope)
        setting = next((s for s in settings if old is not None and names_scope(s.name, old)), None)
        if old is None or setting is None or update is None:
            return
        new = rename(setting.name, old, scope)
        if any(one.name == new for one in settings):
            return
        display = behind(self.program.names, values) if values is not None else None
        said = (
            display.under(setting.placeholder) if isinstance(display, tree.DictDisplay) else None
        )
        code = self._value(said, old, scope, defect.knot) if said is not None else None
        if said is None or code is None or not self._name(call, update, setting, new, defect.knot):
            reason = _REASON.format(setting.name, scope.parameter)
            self.mends.obstacle(defect.knot, update, reason)
            return
        filename = self.program.names.module_of(call).filename
        assert isinstance(display, tree.DictDisplay)
        entry = f'":{new}"', code, said.span
        self.mends.add_once(defect.knot, AddEntry(filename, display.span, "CAP301", *entry))

    def _settings(self, call: tree.Call, update: tree.Node) -> Iterator[_Setting]:
        """What an update sets, as it is written where it is called."""
        names = call.keyword(_NAMES)
        aliases = entries_of_dict(self.program.names, names) if names is not None else {}
        source = self.mends.source(self.program.names.module_of(update), update.span)
        for found in _SETTING.finditer(source):
            name = tree.text(aliases.get(found["name"])) or found["name"]
            yield _Setting(name, found["name"], found["value"])

    def _value(self, said: tree.Node, old: Scope, scope: Scope, knot: Knot) -> str | None:
        """The code of what the new attribute is set to, beside what the other one is."""
        inner = typed_value(said) or said
        path, program = attribute_in(inner), self.program
        gaining = self.planner.sources.holders.field_knot
        classes = program.inference.any_class(program.inference.of(path.base)) if path else ()
        knots = [gaining(cls, scope) for cls in classes]
        if path is not None and knots and None not in knots:
            code: str | None = self.mends.fields.renamed_value(
                program.names.module_of(said), inner, old, scope
            )
        else:
            mirror = inner if isinstance(inner, tree.Name | tree.Attr) else None
            want = Want(scope, said, knot, "entry", mirror=mirror)
            value = self.mends.value(want)
            knots = [value.knot] if value is not None else []
            code = self.mends.code_of(want, knot)
        for one in knots:
            if one is not None:
                self.state.groups.join(knot, one)
        return f'{{"S": {code}}}' if inner is not said and code is not None else code

    def _name(
        self, call: tree.Call, update: tree.Node, setting: _Setting, new: str, knot: Knot
    ) -> bool:
        """Name the new attribute in the text of an update, and its alias, if it needs one; whether that could be
        done."""
        module = self.program.names.module_of(call)
        source = self.mends.source(module, update.span)
        places = [m for m in _SETTING.finditer(source) if m["name"] == setting.written]
        if len(places) != 1 or isinstance(update, tree.Name | tree.Attr):
            return False
        aliased = setting.written.startswith("#") or new.upper() in _RESERVED
        alias = f"#{new}" if aliased else new
        if aliased and not self._alias(call, setting, new, knot):
            return False
        at = places[0].end()
        changed = f"{source[:at]}, {setting.beside(new, alias)}{source[at:]}"
        self.mends.add_once(knot, Replace(module.filename, update.span, "CAP301", changed))
        return True

    def _alias(self, call: tree.Call, setting: _Setting, new: str, knot: Knot) -> bool:
        """Have a call say what the alias of the new attribute stands for; whether that could be done."""
        filename, said = self.program.names.module_of(call).filename, call.keyword(_NAMES)
        key, value = f'"#{new}"', f'"{new}"'
        if said is None:
            at = next(n for n, a in enumerate(call.args) if a.keyword == _UPDATE) + 1
            mend = AddArgument(filename, call.span, "CAP301", f"{{{key}: {value}}}", _NAMES, at)
            return self.mends.add_once(knot, mend)
        names = behind(self.program.names, said)
        if not isinstance(names, tree.DictDisplay) or not names.values:
            return False
        anchor = names.under(setting.written) or names.values[-1]
        entry = key, value, anchor.span
        return self.mends.add_once(knot, AddEntry(filename, names.span, "CAP301", *entry))
