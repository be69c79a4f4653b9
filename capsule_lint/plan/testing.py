"""What tests need: the helper that yields a scope's value, and whole keys that are written out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import AddImport, AppendCode, Position, Replace, Span
from capsule_lint.plan.state import KeyDefect, Knot, Want
from capsule_lint.program.model import Binding, Function
from capsule_lint.program.templates import Filled, Text

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends
    from capsule_lint.plan.state import Value
    from capsule_lint.policy import Scope, SourceSpec
    from capsule_lint.program.model import Module

_NOWHERE: Final = Span(Position(1, 1), Position(1, 1))
_LITERAL: Final = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<quote>\"\"\"|'''|\"|')")
_HOLE: Final = "\x00"
_VALUE: Final = r"(?:[^#|/]+?)"


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
            present = module is not None and self.mends._has(module, needed.name, needed.module)
            if not present and needed.module != spec.module:
                written = (
                    self.mends._written(module, needed.module)
                    if module is not None
                    else needed.module
                )
                self.mends.add(knot, AddImport(filename, _NOWHERE, "CAP401", written, needed.name))

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
                if any(regex.fullmatch(text) for regex in unchanged):
                    continue
                found = next((p for p in patterns if p.regex.fullmatch(text)), None)
                if found is not None:
                    self._update(module, node, found.defect)

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
        if not weight or defect.module.is_test:
            return None
        return Pattern(_regex(pieces), defect, weight)

    def _update(self, module: Module, node: tree.Node, defect: KeyDefect) -> None:
        literal = self.mends.source(module, node.span)
        changed: str | None = literal
        knot = defect.knot
        for scope in self.mends._policy_order(defect.missing):
            want = Want(scope, node, knot, "key")
            value = self.mends.planner.sources.find(scope, node)
            if value is None or changed is None:
                return
            known = self.known(value, want)
            if known is None:
                hole = self.mends.code_of(want, knot)
                changed = _inserted(
                    _formatted(changed), self._tag_before(defect, scope), f"{scope.tag}{{{hole}}}"
                )
            else:
                changed = _inserted(
                    changed, self._tag_before(defect, scope), f"{scope.tag}{known}"
                )
        if changed is None or changed == literal:
            return
        self.mends.add(knot, Replace(module.filename, node.span, "CAP104", changed))

    def _tag_before(self, defect: KeyDefect, scope: Scope) -> str | None:
        """The tag behind whose value the new segment comes; `None` for the front."""
        if defect.anchors[scope.name] is None:
            missing = self.mends._policy_order(defect.missing)
            at = missing.index(scope)
            earlier = [s for s in missing[:at] if defect.anchors[s.name] is None]
            return earlier[-1].tag if earlier else None
        order = list(self.mends.planner.program.policy.scopes)
        return order[order.index(scope) - 1].tag

    def known(self, value: Value, want: Want) -> str | None:
        """The literal that an expression always is; `None` when it is not known."""
        scope = want.scope
        if value.kind == "test" and scope.test_source is not None:
            return self._helper_value(scope, scope.test_source)
        program = self.mends.planner.program
        if not value.code.isidentifier():
            return None
        bindings = program.names.bindings(value.code, program.names.place(want.node))
        values = {
            _literal_in(b.value) for b in bindings if isinstance(b, Binding) and b.kind == "assign"
        }
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


def _regex(pieces: tuple[Text | Filled, ...]) -> re.Pattern[str]:
    parts = [re.escape(p.value) if isinstance(p, Text) else _VALUE for p in pieces]
    return re.compile("".join(parts), re.DOTALL)


def _inserted(literal: str, tag: str | None, segment: str) -> str | None:
    """A literal's source with the segment behind `tag` and its value, or at the front."""
    opening = _LITERAL.match(literal)
    if opening is None or "\\" in literal:
        return None
    if tag is None:
        return f"{literal[: opening.end()]}{segment}#{literal[opening.end() :]}"
    stop = re.escape(opening["quote"][0])
    found = re.search(
        rf"{re.escape(tag)}(?:\{{[^{{}}]*\}}|[^#|/{stop}{{}}])+", literal, re.IGNORECASE
    )
    if found is None:
        return None
    return f"{literal[: found.end()]}#{segment}{literal[found.end() :]}"


def _formatted(literal: str) -> str:
    opening = _LITERAL.match(literal)
    if opening is None or "f" in opening["prefix"].lower():
        return literal
    return "f" + literal.replace("{", "{{").replace("}", "}}")
