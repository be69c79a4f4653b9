"""Mends of signatures: where a parameter goes, and what it is annotated with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from capsule_lint.facts import tree
from capsule_lint.model import (
    AddParameter,
    DropStatement,
    ParameterKind,
    Replace,
)
from capsule_lint.plan.code import text_of
from capsule_lint.plan.room import MendRoom
from capsule_lint.plan.slots import Slot
from capsule_lint.plan.supply.restated import pairs_of
from capsule_lint.program.calling.dispatch import dispatches
from capsule_lint.program.calling.overloads import implementation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capsule_lint.model import Mend
    from capsule_lint.plan.state import Knot
    from capsule_lint.plan.supply.restated import Restatement
    from capsule_lint.plan.testing.standins import Double
    from capsule_lint.policy import Scope
    from capsule_lint.program.model import Function


KINDS: Final = {
    "posonly": ParameterKind.POSITIONAL_ONLY,
    "plain": ParameterKind.PLAIN,
    "kwonly": ParameterKind.KEYWORD_ONLY,
}

if TYPE_CHECKING:
    from capsule_lint.plan.mends import Mends


def _takes_keywords_alone(function: Function) -> bool:
    """Whether all that a function takes is given by keyword: `def save(self, *, note)`."""
    kinds = {parameter.kind for parameter in function.own_params}
    return "kwonly" in kinds and kinds <= {"kwonly", "**"}


@dataclass(eq=False)
class SignatureMends(MendRoom):
    """Builds the mends of definitions."""

    mends: Mends

    def final_params(self, function: Function) -> list[Slot]:
        """The parameters after the change, in order."""
        found = [Slot(p.name, p.kind, False) for p in function.params]
        for scope in self.mends.policy_order(list(self.state.params.get(function, {}).values())):
            at, kind = self._where(function, scope, found)
            found.insert(at, Slot(scope.parameter, kind, True))
        return found

    def _where(self, function: Function, scope: Scope, params: list[Slot]) -> tuple[int, str]:
        for other, step in self.program.policy.beside(scope):
            found = self._index_of(function, other, params)
            if found is not None:
                return self._before_defaults(function, params, found + step, params[found].kind)
        front = len(function.params) - len(function.own_params)
        model = implementation(function)
        if model is not None:
            return self._as_in(model, scope, params, front)
        family = self.program.calls.families.of(function)
        if any(map(dispatches, family)):
            front += 1  # what decides which function is called
        if all(map(_takes_keywords_alone, family)):
            return front, "kwonly"
        kind = "posonly" if front < len(params) and params[front].kind == "posonly" else "plain"
        return front, kind

    def _as_in(
        self, model: Function, scope: Scope, params: list[Slot], front: int
    ) -> tuple[int, str]:
        """Where an overload that says no scope gets a parameter: of the kind that it has in what
        implements it, behind what comes before it there."""
        final = self.final_params(model)
        at = next((n for n, slot in enumerate(final) if slot.name == scope.parameter), None)
        kind = final[at].kind if at is not None else "plain"
        if kind == "kwonly":
            places = (n for n, slot in enumerate(params) if slot.kind == "kwonly")
            ends = (n for n, slot in enumerate(params) if slot.kind == "**")
            return next(places, next(ends, len(params))), kind
        before = {slot.name for slot in final[:at]}
        behind = [n + 1 for n, slot in enumerate(params) if slot.name in before]
        return max((front, *behind)), kind

    def _index_of(self, function: Function, scope: Scope, params: list[Slot]) -> int | None:
        own = self.program.domain.scope_parameter(function, scope)
        for number, (name, kind, new) in enumerate(params):
            if kind in ("*", "**"):
                continue
            if (new and name == scope.parameter) or (
                own is not None and not new and name == own.name
            ):
                return number
        return None

    def _before_defaults(
        self, function: Function, params: list[Slot], at: int, kind: str
    ) -> tuple[int, str]:
        """A parameter without a default cannot follow one with a default, unless it is keyword-only."""
        if kind == "kwonly":
            return at, kind
        for number, (name, its_kind, new) in enumerate(params[:at]):
            fact = function.parameter(name)
            if (
                not new
                and fact is not None
                and fact.default is not None
                and its_kind in ("plain", "posonly")
            ):
                return number, its_kind
        return at, kind

    def parameters(self, function: Function, scopes: list[Scope]) -> None:
        """Give a function the parameters."""
        knot: Knot = ("function", function)
        final = self.final_params(function)
        code = self._parameter_code(function)
        for name, kind, new in final:
            if not new:
                continue
            scope = next(s for s in scopes if s.parameter == name)
            listed = [(n, k, fresh) for n, k, fresh in final if k == kind]
            position = next(i for i, entry in enumerate(listed) if entry[0] == name)
            index = sum(1 for _, _, fresh in listed[:position] if not fresh)
            annotation = self._parameter_annotation(function, scope, knot)
            self.mends.add(
                knot,
                AddParameter(
                    function.module.filename,
                    tree.span_of(function.fact.signature_at),
                    code,
                    name,
                    annotation,
                    KINDS[kind],
                    index,
                ),
            )
        restated = self.planner.sources.restated
        names = [slot.name for slot in final if slot.new]
        locals_ = [one for name in names if (one := restated.local(function, name)) is not None]
        for statement in dict.fromkeys(one.statement for one in locals_):
            own = [one for one in locals_ if one.statement is statement]
            for mend in self._freed(function, statement, own, code):
                self.mends.add(knot, mend)

    def _freed(
        self, function: Function, statement: tree.Assign, locals_: list[Restatement], code: str
    ) -> Iterator[Mend]:
        """Take away locals of new parameters' names: what they were given stands wherever they stood."""
        filename = function.module.filename
        for local in locals_:
            for read in local.reads:
                yield Replace(filename, read.span, code, text_of(local.path) or "")
        gone = [local.target for local in locals_]
        kept = [(t, v) for t, v in pairs_of(statement) if t not in gone]
        if not kept or statement.value is None:
            yield DropStatement(filename, statement.span, code, function.fact.span)
            return
        targets, values = (
            ", ".join(text_of(one) or "" for one in side) for side in zip(*kept, strict=True)
        )
        yield Replace(filename, statement.targets[0].span, code, targets)
        yield Replace(filename, statement.value.span, code, values)

    def double(self, double: Double) -> None:
        """What comes in a function's place gets the parameters where the function gets them."""
        filename = double.module.filename
        final = self.final_params(double.function)[double.given :]
        for number, (name, kind, new) in enumerate(final):
            if new:
                count = sum(not slot.new for slot in final[:number])
                kind = self._kind_in(double, kind, count)
                index = sum(1 for p in double.params[:count] if p.kind == kind)
                mend = AddParameter(filename, double.at, "CAP401", name, None, KINDS[kind], index)
                self.mends.add(("function", double.function), mend)

    def _kind_in(self, double: Double, kind: str, at: int) -> str:
        """Of which kind a new parameter is in what comes in a function's place: plain, where those beside
        it are that stand for positional-only or keyword-only ones."""
        beside = double.params[max(at - 1, 0) : at + 1]
        return "plain" if kind != "plain" and all(p.kind == "plain" for p in beside) else kind

    def _parameter_annotation(self, function: Function, scope: Scope, knot: Knot) -> str | None:
        """How a new parameter is annotated, where the one of another scope is, or where there is none, any other or the
        result; `None` where it is not."""
        if function.fact.lambda_at is not None:
            return None
        scope_parameter = self.program.domain.scope_parameter
        found = (scope_parameter(function, one) for one in self.program.policy.scopes)
        beside = next((one for one in found if one is not None), None)
        neighbour = beside.annotation if beside is not None else None
        said_of = [neighbour]
        if beside is None:
            said_of = [*(p.annotation for p in function.own_params), function.fact.returns]
        if all(one is None for one in said_of):
            return None
        said = self.mends.annotation(knot, function.module, scope, neighbour, said="text")
        if said is not None and self.mends.imports.comes_late(function, said):
            return f'"{said}"'
        return said or ("str" if self.mends.types.are_text else None)

    def _parameter_code(self, function: Function) -> str:
        if function in self.program.keys.helpers:
            return "CAP202"
        if function in self.planner.drifting:
            return "CAP203"
        if function in self.planner.methods:
            return "CAP201"
        return "CAP301" if function.name == "__init__" else "CAP401"

    def handler_parameter(self, function: Function, knot: Knot) -> None:
        """Give a handler the parameter from which it takes its context."""
        parameter = self.program.policy.handlers.parameter
        assert parameter is not None
        annotation = None
        if parameter.annotation is not None:
            annotation = parameter.annotation.name
            self.mends.import_(
                knot, function.module, parameter.annotation.module, parameter.annotation.name
            )
        at = tree.span_of(function.fact.signature_at)
        index = 1 if function.takes_self else 0
        self.mends.add(
            knot,
            AddParameter(
                function.module.filename,
                at,
                "CAP501",
                parameter.name,
                annotation,
                ParameterKind.PLAIN,
                index,
            ),
        )
