"""The templates that an expression may be, each by itself: through locals, conditions, typed items and tables of texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from capsule_lint.facts import tree
from capsule_lint.program.local_names import entry_of_local
from capsule_lint.program.model import Binding
from capsule_lint.program.reaching import history
from capsule_lint.program.texts.given_lists import each
from capsule_lint.program.texts.opaque import Opaque
from capsule_lint.program.texts.pieces import MAX_DEPTH, Template, merged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.program.texts.templates import Templates


@dataclass(eq=False, slots=True)
class Alternatives:
    """Finds them."""

    templates: Templates
    _opaque: Opaque = field(init=False)

    def __post_init__(self) -> None:
        self._opaque = Opaque(self.templates)

    def of(self, node: tree.Node, depth: int = 0) -> list[Template]:
        """The templates that may be the value of `node`."""
        if depth > MAX_DEPTH:
            return []
        match node:
            case tree.Name():
                return self._of_name(node, depth)
            case tree.Conditional():
                return self.of(node.then, depth + 1) + self.of(node.otherwise, depth + 1)
            case tree.Boolean():
                return [t for value in node.values for t in self.of(value, depth + 1)]
            case tree.DictDisplay(keys=(tree.Const(value="S"),)):
                return self.of(node.values[0], depth + 1)
            case tree.DictDisplay():
                return [t for value in _compared(node) for t in self.of(value, depth + 1)]
            case tree.Walrus():
                return self.of(node.value, depth + 1)
            case tree.Wrapped(kind="await"):
                return self.of(node.value, depth + 1)
            case tree.Lambda():
                return self.of(node.body, depth + 1)
            case tree.Call(func=tree.Name(id="property"), args=(getter, *_)):
                return self.of(getter.value, depth + 1)
            case tree.Call() if (inner := self.templates.wrapped(node)) is not None:
                return self.of(inner, depth + 1)
            case tree.Call() if (paired := self.templates.pairs.template(node)) is not None:
                return [paired]
            case tree.Call() if chosen := self._chosen(node):
                return chosen
            case tree.Call() if len(joined := self.templates.joins.several(node)) > 1:
                return [Template(pieces[0].host, merged(pieces)) for pieces in joined if pieces]
            case tree.Subscript():
                entry = entry_of_local(self.templates.names, node)
                return self.of(entry, depth + 1) if entry is not None else []
            case tree.FString() | tree.Binary() | tree.Const() | tree.Call() | tree.Attr():
                template = self.templates.template(node) or self._opaque.of(node)
                return [template] if template is not None else []
            case _:
                return []

    def _chosen(self, node: tree.Call) -> list[Template]:
        """What `TEMPLATES[kind].format(…)` may fill: of a table of all kinds of texts, what has scopes in it."""
        templates = self.templates
        method = templates.formatted.method(node.func)
        if method is None:
            return []
        chosen = templates.choices.of(method.base)
        found = [
            template
            if chosen.whole and templates.formatted.is_filled_by_name(text)
            else replace(template, opaque=True)
            for text in chosen.texts
            if (template := templates.template(text)) is not None
        ]
        if templates.choices.may_be_any(method.base):  # a table has sort keys as well
            found = [one for one in found if templates.segments(one.pieces)]
        for one in found:
            templates.choices.filled.setdefault(id(one.host), node)
        return found

    def _of_name(self, node: tree.Name, depth: int) -> list[Template]:
        """What a name may be, by all that it is bound to."""
        templates = self.templates
        found: list[Template] = []
        bindings = templates.names.bindings_of(node)
        if any(templates.steps.goes_through_scopes(b.place, b.name) for b in bindings):
            return []
        for binding in bindings:
            target = templates.names.follow(binding)
            if not isinstance(target, Binding) or target.value is None:
                continue
            if target.kind == "for":
                for item in templates.joins.given.iterated(target.value, target.path):
                    found += self.of(item, depth + 1)
            elif target.kind != "assign":
                continue
            elif target.place.scope.kind in ("module", "class"):
                template = templates.template(node)
                found += [template] if template is not None else []
            elif target.path:
                found += self._of_unpacked(target, depth)
            elif target.is_step:
                found += self._built_up(target) + self._begun_otherwise(target, depth)
            elif templates.steps.goes_on_in_loop(target):
                whole = templates.steps.whole(target.place, target.name)
                found += [whole] if whole is not None else []
            else:
                found += self.of(target.value, depth + 1)
        return found

    def _built_up(self, last: Binding) -> list[Template]:
        """`key = f"…"` and then `key += f"…"`: one template, written where it starts."""
        steps = self.templates.steps
        whole = steps.whole(last.place, last.name) or steps.up_to(last)
        return [whole] if whole is not None else []

    def _begun_otherwise(self, last: Binding, depth: int) -> list[Template]:
        """What `key` may be in other branches before `key += f"…"`."""
        before = self.templates.names.bindings(last.name, last.place)
        begun = [b.value for b in before if b.kind == "assign" and not b.path and not b.is_step]
        started = history(last)[0].value
        others = [v for v in begun if v is not None and v is not started]
        return [t for value in others for t in self.of(value, depth + 1)]

    def _of_unpacked(self, target: Binding, depth: int) -> list[Template]:
        """What one of several names may be that take a value apart."""
        value = target.value
        if isinstance(value, tree.Sequence) and len(target.path) == 1:
            step = target.path[0]
            if 0 <= step < len(value.items):
                return self.of(value.items[step], depth + 1)
        if value is not None and len(target.path) == 1:
            return [t for one in each(value) for t in self.of(one, depth + 1)]
        return []


def _compared(node: tree.DictDisplay) -> Iterator[tree.Node]:
    """The values of `{"AttributeValueList": […], "ComparisonOperator": "EQ"}`, and of an update's
    `{"Value": …, "Action": "PUT"}`."""
    values, value = node.under("AttributeValueList"), node.under("Value")
    yield from values.items if isinstance(values, tree.Sequence) else ()
    yield from (value,) if value is not None else ()
