"""What tests need: the helper that yields a scope's value, and whole keys that are written out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddImport, AppendCode, Position, Replace, Span
from capsule_lint.plan.state import KeyDefect, Knot, Want
from capsule_lint.program.model import Binding, Function, last_name
from capsule_lint.program.templates import Filled, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Value
    from capsule_lint.policy import Scope, SourceSpec
    from capsule_lint.program.model import Module

_NOWHERE: Final = Span(Position(1, 1), Position(1, 1))
_LITERAL: Final = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<quote>\"\"\"|'''|\"|')")
_HOLE: Final = "\x00"
_MARKS: Final = "#|/:"


@dataclass(frozen=True, slots=True)
class Pattern:
    """How keys of a template look, and what they lack."""

    regex: re.Pattern[str]
    defect: KeyDefect
    weight: int


@dataclass(eq=False, slots=True)
class Testing:
    """Test helpers and literal keys."""

    mends: Mends
    _written: set[str] = field(default_factory=set)

    # --- the helper ---

    def helper(self, scope: Scope, knot: Knot) -> None:
        """Write the helper that `test-source` names, where it does not exist yet."""
        spec = scope.test_source
        if spec is None or not spec.module or scope.test_value is None:
            return
        program = self.mends.planner.program
        module = program.names.module(spec.module)
        if module is not None and program.names.global_binding(module, spec.name) is not None:
            return
        filename = module.filename if module is not None else f"{spec.module.replace('.', '/')}.py"
        annotation = f" -> {scope.type.name}" if scope.type is not None else ""
        source = (
            f"def {spec.name}(){annotation}:\n"
            f'    """The {scope.name} that tests use unless they say otherwise."""\n'
            f"    return {scope.test_value}\n\n\n"
            f"{spec.name}.__test__ = False\n"
        )
        self.mends.add(knot, AppendCode(filename, _NOWHERE, "CAP401", source))
        needed = scope.type
        if (
            needed is not None
            and needed.module != "builtins"
            and needed.name in f"{scope.test_value}{annotation}"
        ):
            if module is not None:
                self.mends.import_(knot, module, needed.module, needed.name)
            elif needed.module != spec.module:
                mend = AddImport(filename, _NOWHERE, "CAP401", needed.module, needed.name)
                self.mends.add(knot, mend)

    # --- literal keys ---

    def keys(self) -> None:
        """Update the keys that tests spell out, where they belong to a changed template."""
        patterns = [p for d in self.mends.planner.defects if (p := self._pattern(d)) is not None]
        if not patterns:
            return
        patterns.sort(key=lambda p: -p.weight)
        unchanged = self._unchanged()
        program = self.mends.planner.program
        for module in program.names.modules.values():
            if not module.is_test or module.generated:
                continue
            for node in module.nodes:
                text = literal_text(node)
                if (
                    text is None
                    or program.names.index.parents.get(id(node)).__class__ is tree.FString
                ):
                    continue
                possible = [p for p in patterns if p.regex.fullmatch(text)]
                made_by = self._compared_with(node) if possible else set()
                meant = [p for p in possible if p.defect.function in made_by]
                if meant:
                    self._update(module, node, meant[0])
                elif possible and not any(regex.fullmatch(text) for regex in unchanged):
                    self._update(module, node, possible[0])

    def _compared_with(self, node: tree.Node) -> set[Function]:
        """The functions whose result a literal is compared with, and those that they return."""
        program = self.mends.planner.program
        parent = program.names.index.parents.get(id(node))
        sides: list[tree.Node] = []
        if isinstance(parent, tree.Compare):
            sides = [parent.left, *parent.rights]
        elif isinstance(parent, tree.Call) and last_name(parent.func).startswith("assert"):
            sides = [argument.value for argument in parent.args]
        found: set[Function] = set()
        queue = [f for side in sides if side is not node for f in program.keys.helpers_in(side)]
        while queue:
            function = queue.pop()
            if function not in found:
                found.add(function)
                queue += [f for value in function.returns for f in program.keys.helpers_in(value)]
        return found

    def _unchanged(self) -> list[re.Pattern[str]]:
        """The keys that are right as they are."""
        program = self.mends.planner.program
        changed = {id(d.template.host) for d in self.mends.planner.defects}
        found = []
        for site in program.keys.sites:
            if site.module.is_test or id(site.template.host) in changed:
                continue
            if any(id(p.host) in changed for p in site.template.pieces):
                continue
            if any(isinstance(p, Text) for p in site.template.pieces):
                found.append(_regex(site.template.pieces))
        return found

    def _pattern(self, defect: KeyDefect) -> Pattern | None:
        pieces = defect.template.pieces
        weight = sum(len(p.value) for p in pieces if isinstance(p, Text))
        if defect.module.is_test or not any(
            re.search(r"\w", p.value) for p in pieces if isinstance(p, Text)
        ):
            return None
        return Pattern(_regex(pieces, _groups(defect)), defect, weight)

    def _update(self, module: Module, node: tree.Node, pattern: Pattern) -> None:
        defect, literal = pattern.defect, self.mends.source(module, node.span)
        opening = _LITERAL.match(literal)
        body = literal[opening.end() : -len(opening["quote"])] if opening is not None else ""
        found = pattern.regex.fullmatch(body)
        if opening is None or found is None or "\\" in literal:
            self.mends.obstacle(defect.knot, node, "spells out a key that changes")
            return
        formatted = "f" in opening["prefix"].lower()
        for scope in reversed(self.mends._policy_order(defect.missing)):
            segment = self._segment(scope, node, defect)
            if segment is None:
                self.mends.obstacle(defect.knot, node, "spells out a key that changes")
                return
            text, is_hole = segment
            if is_hole and not formatted and "{" in body:
                self.mends.obstacle(defect.knot, node, "spells out a key that changes")
                return
            formatted = formatted or is_hole
            at = found.end(_group(anchor)) if (anchor := defect.anchors[scope.name]) else 0
            body = f"{body[:at]}#{text}{body[at:]}" if at else f"{text}#{body}"
        prefix = opening["prefix"]
        if formatted and "f" not in prefix.lower():
            prefix += "f"
        changed = f"{prefix}{opening['quote']}{body}{opening['quote']}"
        self.mends.add(defect.knot, Replace(module.filename, node.span, "CAP104", changed))

    def _segment(
        self, scope: Scope, node: tree.Node, defect: KeyDefect
    ) -> tuple[str, bool] | None:
        """The segment for a key that a test spells out, and whether it has a hole."""
        want = Want(scope, node, defect.knot, "key")
        value = self.mends.planner.sources.find(scope, node)
        if value is None:
            return None
        known = self.known(value, want)
        if known is not None:
            return f"{scope.tag}{known}", False
        return f"{scope.tag}{{{self.mends.code_of(want, defect.knot)}}}", True

    def known(self, value: Value, want: Want) -> str | None:
        """The literal that an expression always is; `None` when it is not known."""
        scope = want.scope
        if value.kind == "test" and scope.test_source is not None:
            return self._helper_value(scope, scope.test_source)
        program = self.mends.planner.program
        if not value.code.isidentifier():
            return None
        bindings = program.names.bindings(value.code, program.names.place(want.node))
        values = {_literal_in(b.value) for b in bindings if b.kind == "assign"}
        if len(values) != 1 or any(b.kind != "assign" for b in bindings):
            return None
        return next(iter(values))

    def _helper_value(self, scope: Scope, spec: SourceSpec) -> str | None:
        program = self.mends.planner.program
        module = program.names.module(spec.module)
        binding = program.names.global_binding(module, spec.name) if module is not None else None
        target = program.names.follow(binding) if binding is not None else None
        if isinstance(target, Binding) and isinstance(target.definition, Function):
            returns = target.definition.returns
            return self._returned_literal(returns[0]) if len(returns) == 1 else None
        if scope.test_value is None:
            return None
        found = re.search(r"[\"']([^\"']*)[\"']", scope.test_value)
        return found[1] if found else None

    def _returned_literal(self, node: tree.Node) -> str | None:
        direct = _literal_in(node)
        if direct is not None:
            return direct
        inner = node.args[0].value if isinstance(node, tree.Call) and len(node.args) == 1 else node
        return self.mends.planner.program.templates.constant(inner)


def _literal_in(node: tree.Node | None) -> str | None:
    """`"a"` in `"a"` and in `TenantId("a")`."""
    match node:
        case tree.Const(value=str() as value):
            return value
        case tree.Call() if len(node.args) == 1:
            return _literal_in(node.args[0].value)
        case _:
            return None


def literal_text(node: tree.Node) -> str | None:
    """The text of a string literal, a mark for each hole."""
    match node:
        case tree.Const(value=str() as value):
            return value if "#" in value or "|" in value or "/" in value else None
        case tree.FString():
            text = "".join(p if isinstance(p, str) else _HOLE for p in node.parts)
            return text if text != _HOLE else None
        case _:
            return None


def _group(anchor: tree.Node) -> str:
    return f"at_{id(anchor)}"


def _groups(defect: KeyDefect) -> list[str | None]:
    """For each piece of a template: the group of the hole behind which segments come."""
    anchors = {id(a): _group(a) for a in defect.anchors.values() if a is not None}
    return [
        anchors.get(id(p.value)) if isinstance(p, Filled) else None for p in defect.template.pieces
    ]


def _regex(pieces: Sequence[Text | Filled], groups: Sequence[str | None] = ()) -> re.Pattern[str]:
    """What keys of a template look like; the holes of `groups` are named ones."""
    marks = {mark for p in pieces if isinstance(p, Text) for mark in _MARKS if mark in p.value}
    value = f"[^#{re.escape(''.join(sorted(marks)))}]+?"
    parts = []
    for number, piece in enumerate(pieces):
        name = groups[number] if groups else None
        if isinstance(piece, Text):
            parts.append(re.escape(piece.value))
        else:
            parts.append(f"(?P<{name}>{value})" if name else value)
    return re.compile("".join(parts), re.DOTALL)
