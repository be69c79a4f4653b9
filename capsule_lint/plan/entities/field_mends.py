"""Mends of classes: the field, and its slot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddElements, AddStatement
from capsule_lint.plan.code import attribute_in, rename, renamed_code, text_of
from capsule_lint.plan.docstrings import told_beside, with_text
from capsule_lint.plan.entities.behind_bases import against
from capsule_lint.plan.entities.field_texts import FieldTexts
from capsule_lint.plan.entities.field_values import annotated_beside, code_beside, unnamed
from capsule_lint.plan.entities.inherited import Inherited
from capsule_lint.plan.entities.listed_fields import ListedFields
from capsule_lint.plan.entities.stored_fields import StoredFields
from capsule_lint.plan.room import MendRoom
from capsule_lint.program.fields import described
from capsule_lint.program.inference.types import Instance
from capsule_lint.program.model import last_name

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends, Saying
    from capsule_lint.plan.state import Knot
    from capsule_lint.policy import Scope
    from capsule_lint.program.fields import Field
    from capsule_lint.program.model import Class, Function, Module

_KEYS: Final = ("hash_key", "range_key")
"""Keywords by which a model of PynamoDB's says that an attribute is a key, of which there is one each."""
_OF_KEYS: Final = ("Required", "ReadOnly")
"""What a `TypedDict` says of a key."""


@dataclass(eq=False, slots=True)
class FieldMends(MendRoom):
    """Builds the mends of classes that gain a field."""

    mends: Mends

    def gain(self, cls: Class, scopes: list[Scope]) -> None:
        """Give a class the fields."""
        initializer = cls.methods.get("__init__")
        declares = self.program.classes.declares(cls)
        stored = StoredFields(self.mends)
        if ListedFields(self).serve(cls, self.mends.policy_order(scopes)):
            return
        for scope in self.mends.policy_order(scopes):
            if self._is_listed(cls, scope):
                continue
            others = self.program.policy.others(scope)
            if (
                initializer is None
                or (declares and self._is_declared(cls, initializer, scope))
                or any(self._descriptor(cls, other) for other in others)
            ):
                self._field(cls, scope)
            if initializer is not None and (
                not declares or stored.beside(cls, initializer, scope) is not None
            ):
                stored.store(cls, initializer, scope)
            elif initializer is not None:
                stored.hand_up(cls, initializer, scope)
            self._slot(cls, scope)
            self._declared(cls, scope)
            stored.set_by_others(cls, scope)

    def _is_declared(self, cls: Class, initializer: Function, scope: Scope) -> bool:
        """Whether a class declares the neighbouring field itself, and does not only set what a base declares."""
        fields = self.program.classes.fields(cls)
        own = any(
            f.owner is cls and self._is(cls, f.name, other)
            for other in self.program.policy.others(scope)
            for f in fields
        )
        return own or StoredFields(self.mends).beside(cls, initializer, scope) is None

    def _is_listed(self, cls: Class, scope: Scope) -> bool:
        """Note where a class without fields that are known says by a list of names which it has: `fields =
        ("tenant_id", "note_id")`, for a base that sets them. A person must add the new one, unless that base is seen to set
        whatever is listed: then it is added with all other lists of names."""
        program = self.program
        held = program.domain.held.is_scoped
        mro = program.classes.mro(cls)
        if any(held(cls, f.name) for f in program.classes.fields(cls)) or any(
            held(cls, name) for owner in mro for name in owner.stores
        ):
            return False
        for binding in (b for found in cls.scope.bindings.values() for b in found):
            said = binding.value.items if isinstance(binding.value, tree.Sequence) else ()
            texts = [tree.text(item) or "" for item in said]
            if len(texts) > 1 and program.classes.listed(cls).issuperset(texts):
                return True
            if binding.value is not None and any(held(cls, text) for text in texts):
                attribute = self.state.attributes[cls, scope.parameter]
                reason = f"lists the fields of `{cls.name}`, which gains `{attribute}`"
                self.mends.obstacle(("class", cls), binding.value, reason)
                return True
        return False

    def _declared(self, cls: Class, scope: Scope) -> None:
        """A stub that declares the neighbouring field declares the new one as well."""
        stub = self.program.names.declared_class(cls)
        if stub is None:
            return
        fields = {
            target.id: statement
            for statement in stub.fact.body
            if isinstance(statement, tree.Assign) and statement.annotation is not None
            for target in statement.targets
            if isinstance(target, tree.Name)
        }
        knot: Knot = ("class", cls)
        attribute = self.state.attributes[cls, scope.parameter]
        near_scopes = self.program.policy.beside(scope)
        for other, step in near_scopes if attribute not in fields else ():
            near = next((s for name, s in fields.items() if self._is(cls, name, other)), None)
            if near is not None:
                said = self.mends.annotation(knot, stub.module, scope, near.annotation) or "str"
                at = with_text(stub.fact.body, near) if step else near
                filename, line = stub.module.filename, f"{attribute}: {said}"
                mend = AddStatement(filename, at.span, "CAP301", line, before=not step)
                self.mends.add(knot, mend)
                return

    def _is(self, cls: Class, name: str, scope: Scope) -> bool:
        return self.program.domain.held.is_attribute(cls, name, scope)

    def _field(self, cls: Class, scope: Scope) -> None:
        knot: Knot = ("class", cls)
        filename = cls.module.filename
        fields = [f for f in self.program.classes.fields(cls) if f.owner is cls]
        for other, step in self.program.policy.beside(scope):
            near = next((f for f in fields if self._is(cls, f.name, other)), None)
            near = near or self._descriptor(cls, other)
            if near is None:
                continue
            self._note_order(cls, near.statement, scope)
            field = self._beside(cls, near, other, scope)
            names = near.name, self.state.attributes[cls, scope.parameter]
            told = FieldTexts(self.mends, cls, [f.statement for f in fields])
            at = told.end_of(near.statement) if step else near.statement
            said = partial(told_beside, names=names, old=other, new=scope)
            for line in told.beside(near.statement, field, said, behind=bool(step)):
                mend = AddStatement(filename, at.span, "CAP301", line, before=not step)
                self.mends.add(knot, mend)
            return
        self._first(cls, scope, fields)

    def _beside(self, cls: Class, near: Field, other: Scope, scope: Scope) -> str:
        """The field, as that of another scope is written."""
        attribute = self.state.attributes[cls, scope.parameter]
        if isinstance(near.value, tree.Call) and any(map(near.value.keyword, _KEYS)):
            reason = f"is a key by itself, and `{cls.name}` gains `{attribute}`"
            self.mends.obstacle(("class", cls), near.value, reason)
        value = self._default(cls, near, other, scope)
        statement = attribute
        if near.annotation is not None:
            statement += f": {self.annotation(cls, scope, near.annotation, other)}"
        return statement + (f" = {value}" if value else "")

    def _first(self, cls: Class, scope: Scope, fields: list[Field]) -> None:
        """Give a class that keeps no scope yet the field, before its others and as these are kept."""
        knot: Knot = ("class", cls)
        attribute = self.state.attributes[cls, scope.parameter]
        body = [s for s in cls.fact.body if not (cls.fact.doc and s is cls.fact.body[0])]
        anchor, line = fields[0].statement if fields else body[0], ""
        inherited = Inherited(self.mends)
        base = inherited.beside(cls, scope)
        if base is not None:
            line = self._beside(cls, *base, scope)
            inherited.have(cls, base[0], line)
        alike = None if fields or base is not None else self._kept_alike(cls)
        if alike is not None and isinstance(alike.value, tree.Call):
            anchor, line = alike.statement, f"{attribute} = {text_of(alike.value)}"
            if alike.value.args:
                reason = f"keeps a field in a descriptor of its own, and `{cls.name}` gains `{attribute}`"
                self.mends.obstacle(knot, alike.value, reason)
                return
        self._note_order(cls, anchor, scope)
        line = line or f"{attribute}: {self._said(cls, scope, None) or 'str'}"
        mend = AddStatement(cls.module.filename, anchor.span, "CAP301", line, before=True)
        self.mends.add(knot, mend)

    def _note_order(self, cls: Class, at: tree.Statement, scope: Scope) -> None:
        """Note where the field would come behind others that it cannot come behind."""
        why = against(self.program, cls, scope)
        if why is not None:
            attribute = self.state.attributes[cls, scope.parameter]
            reason = f"{why}, and would have `{attribute}` behind them"
            where = ("class", cls), cls.module.filename, at.span, reason, cls.symbol
            self.planner.obstacle(*where, "reference", scope)

    def _descriptor(self, cls: Class, scope: Scope) -> Field | None:
        """The descriptor by which a class keeps another scope."""
        return next((f for f in described(cls) if self._is(cls, f.name, scope)), None)

    def _kept_alike(self, cls: Class) -> Field | None:
        """The first field of a class that a descriptor of the program's keeps."""
        classes, inference = self.program.classes, self.program.inference
        return next(
            (
                field
                for field in described(cls)
                if field.value is not None
                for one in inference.of(field.value)
                if isinstance(one, Instance) and classes.method(one.cls, "__set__") is not None
            ),
            None,
        )

    def _default(self, cls: Class, near: Field, old: Scope, new: Scope) -> str | None:
        """The default of the field: as that beside it, or what tests have where that is a value of the other. What a
        base has for the other is none of this one's."""
        beside = near.value
        if beside is None or (near.owner is not cls and not isinstance(beside, tree.Call)):
            return None
        told = isinstance(beside, tree.Name) or bool(tree.text(beside))
        code = None
        if told and cls.module.is_test:
            code = self.mends.code_for(new, beside, ("class", cls))
        if isinstance(beside, tree.Call):
            self._note_unnamed(cls, beside, old, new)
            code = code_beside(beside, old, new, self._code_in, inherited=near.owner is not cls)
            if code == "" and near.annotation is None:
                code = f"{self._code_in(beside.func)}()"
        if code is not None:
            return code
        return self.renamed_value(self.program.names.module_of(beside), beside, old, new)

    def _code_in(self, node: tree.Node) -> str:
        return self.mends.source(self.program.names.module_of(node), node.span)

    def _note_unnamed(self, cls: Class, said: tree.Node, old: Scope, new: Scope) -> None:
        name = unnamed(said, old, new)
        if name is not None:
            attribute = self.state.attributes[cls, new.parameter]
            reason = (
                f"names a field elsewhere, and nothing tells what `{attribute}` is called there"
            )
            self.mends.obstacle(("class", cls), name, reason)

    def annotation(self, cls: Class, scope: Scope, beside: tree.Node | None, other: Scope) -> str:
        """How the field is annotated beside another one: where that must not be empty, it must not be
        either, `Annotated[str, Field(min_length=1)]`, and so where it must be there, `Required[str]`. What else is
        demanded may be true of the other alone."""
        match beside:
            case tree.Subscript(base=base, index=inner) if last_name(base) in _OF_KEYS:
                return f"{text_of(base)}[{self.annotation(cls, scope, inner, other)}]"
            case tree.Subscript(index=tree.Sequence(items=(inner, *rest))) if (
                last_name(beside.base) == "Annotated"
            ):
                said = self._said(cls, scope, inner) or "str"
                for one in rest:
                    self._note_unnamed(cls, one, other, scope)
                codes = (annotated_beside(one, other, scope, self._code_in) for one in rest)
                texts = [code for code in codes if code is not None]
                return f"{text_of(beside.base)}[{', '.join((said, *texts))}]" if texts else said
        text = text_of(beside) if beside is not None else None
        if text == "str" and self.planner.stored.is_refused(cls, scope):
            return text
        return self._said(cls, scope, beside) or "str"

    def _said(self, cls: Class, scope: Scope, beside: tree.Node | None) -> str | None:
        """The type of the field, which a model evaluates."""
        said: Saying = "value" if self.program.classes.is_model(cls) else "text"
        return self.mends.annotation(("class", cls), cls.module, scope, beside, said=said)

    def renamed_value(self, module: Module, value: tree.Node, old: Scope, new: Scope) -> str:
        """What stands at one scope's place, as it stands at another's."""
        found = renamed_code(self.mends.source(module, value.span), old, new)
        path = attribute_in(value)
        held = self._held(path, new) if path is not None else None
        if path is None or held is None:
            return found
        return re.sub(rf"\.{re.escape(rename(path.name, old, new))}\b", f".{held}", found)

    def _held(self, path: tree.Attr, scope: Scope) -> str | None:
        """The attribute, there or to come, that holds a scope beside another one; `None` where it is not known."""
        attribute_of = self.planner.sources.holders.attribute_of
        types = self.program.inference.of(path.base)
        found = {attribute_of(one.cls, scope) for one in types if isinstance(one, Instance)}
        return found.pop() if len(found) == 1 else None

    def _slot(self, cls: Class, scope: Scope) -> None:
        for binding in cls.scope.bindings.get("__slots__", ()):
            if not isinstance(binding.value, tree.Sequence):
                continue
            attribute = self.state.attributes[cls, scope.parameter]
            near = [
                item
                for other, _ in self.program.policy.beside(scope)
                for item in binding.value.items
                if (name := tree.text(item)) is not None and self._is(cls, name, other)
            ]
            new, filename = (f'"{attribute}"',), cls.module.filename
            for item in (*near, *binding.value.items)[:1]:
                before, after = ((), new) if near else (new, ())
                span = binding.value.span
                mend = AddElements(filename, span, "CAP301", before, after, item.span)
                self.mends.add(("class", cls), mend)
                return
