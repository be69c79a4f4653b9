"""What a rule is: the public interface of rule packs."""

from __future__ import annotations

import inspect
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import libcst as cst
from msgspec import Struct

from capsule_lint.errors import RuleError
from capsule_lint.judgement import Fact
from capsule_lint.model import Finding, Severity, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from capsule_lint.rewrite.base import Fix, Place

FactT = TypeVar("FactT", bound=Fact)

SECTIONS = ("Why is this bad?", "Example", "Use instead", "Fix safety")
"""The headings that the docstring of a rule's module has, in this order."""

_CODE = re.compile(r"[A-Z]{3,}[0-9]{3}")


class Flag(Struct, frozen=True):
    """What a check found: the offending node's span, and the fact that it goes by."""

    span: Span
    fact: Fact


class Check(cst.CSTVisitor):
    """Flags nodes. It sees the top-level statements that facts are known of, one after the other.

    Subclasses visit the nodes that they judge, ask `facts` about them, and `flag` what is wrong;
    they never evaluate an expression anew.
    """

    def __init__(self, place: Place, facts: Mapping[Span, tuple[Fact, ...]]) -> None:
        super().__init__()
        self._place = place
        self._facts = facts
        self.flags: list[Flag] = []

    def facts(self, node: cst.CSTNode, kind: type[FactT]) -> Iterator[FactT]:
        """The facts of that kind about exactly this node, or about the bare `a, b` of a `d[a, b]`."""
        for span in self._spans(node):
            for fact in self._facts.get(span, ()):
                if isinstance(fact, kind):
                    yield fact

    @staticmethod
    def claims(fact: Fact) -> bool:
        """Whether a fact is flagged even where no node stands that it is about: it must not be lost."""
        return False

    def flag(self, node: cst.CSTNode, fact: Fact) -> None:
        """Report the node."""
        spans = self._spans(node)
        self.flags.append(Flag(fact.span if fact.span in spans else spans[0], fact))

    def _spans(self, node: cst.CSTNode) -> tuple[Span, ...]:
        """The node's span, and that of the tuple in a subscript, which is no node to LibCST."""
        own = self._place.span_of(node)
        if not isinstance(node, cst.Subscript) or len(node.slice) < 2:
            return (own,)
        first, last = node.slice[0].slice, node.slice[-1].slice
        return own, Span(self._place.span_of(first).start, self._place.span_of(last).end)


class ExpressionCheck(Check):
    """A check of expressions, whatever their kind: it implements `judge`."""

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Judge the node, if it is an expression, and go on below it."""
        if isinstance(node, cst.BaseExpression):
            self.judge(node)
        return True

    def judge(self, node: cst.BaseExpression) -> None:
        """Flag the expression if it is wrong."""
        raise NotImplementedError


class DefinitionCheck(Check):
    """A check of functions, lambdas that have a name included: it implements `judge`."""

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        """Judge a function by its name."""
        self.judge(node.name)

    def visit_Assign(self, node: cst.Assign) -> None:
        """Judge what may be a lambda by the name that it is given."""
        if len(node.targets) == 1 and isinstance(node.targets[0].target, cst.Name):
            self.judge(node.targets[0].target)

    def judge(self, name: cst.Name) -> None:
        """Flag the function if it is wrong."""
        raise NotImplementedError


class Bad(Struct, frozen=True):
    """Code that a rule must flag.

    `code` is one file, or several by name; `lines` are the rows of the rule's findings (in the first
    file, or pairs of file and row); `fixed` is what `--fix` makes of it, `None` when it must not
    touch it. `policy` is TOML as it stands below `[tool.capsule-lint]`.
    """

    code: str | Mapping[str, str]
    lines: tuple[int, ...] | tuple[tuple[str, int], ...]
    fixed: str | Mapping[str, str] | None = None
    policy: str = ""


class Good(Struct, frozen=True):
    """Code of several files, or under another policy, that a rule must not flag."""

    code: str | Mapping[str, str]
    policy: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Its name and its documentation are those of the module that makes it.

    `message` may use `{symbol}`, `{name}` (its last part), `{missing}` (parameter names in
    backticks), `{segments}`, `{entity}`, `{base}`, `{drift}` and `{reason}`.
    Raises RuleError when the code has no form, or the module no documentation.
    """

    code: str
    message: str
    check: type[Check] | None = None
    """`None` for what the engine itself reports."""
    fix: tuple[type[Fix[Any]], ...] = ()
    """The transformers that make the mends of this rule."""
    fix_message: str = ""
    """What the fix does, as a sentence without a full stop."""
    remedy: str = ""
    """What a person does where there is no fix, such a sentence too; else what the fix would do."""
    severity: Severity = Severity.ERROR
    enabled: bool = True
    """Whether selecting a prefix is enough; otherwise the whole code must be selected."""
    valid: tuple[str | Good, ...] = ()
    invalid: tuple[Bad, ...] = ()
    module: str = field(default="", init=False)
    docs: str = field(default="", init=False)

    def __post_init__(self) -> None:
        frame = inspect.currentframe()
        while frame is not None and frame.f_globals.get("__name__") in (__name__, None):
            frame = frame.f_back
        module = str(frame.f_globals["__name__"]) if frame is not None else ""
        docs = inspect.cleandoc(sys.modules[module].__doc__ or "") if module in sys.modules else ""
        if not _CODE.fullmatch(self.code):
            raise RuleError(f"{module}: `{self.code}` is no rule code: write it as in `CAP101`")
        if not docs:
            raise RuleError(f"{module}: the module of {self.code} has no docstring")
        object.__setattr__(self, "module", module)
        object.__setattr__(self, "docs", docs)

    def finding(self, message: str, filename: str, span: Span) -> Finding:
        """What the rule says of a place."""
        return Finding(self.code, self.name, message, filename, span, severity=self.severity)

    @property
    def name(self) -> str:
        """`key-missing-scope`, for the module `key_missing_scope`."""
        return self.module.rpartition(".")[2].replace("_", "-")

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.docs.partition("\n")[0]

    @property
    def why(self) -> str:
        """The paragraph that says why it is bad, on one line."""
        return " ".join(self.section("Why is this bad?").split("\n\n")[0].split())

    def section(self, heading: str) -> str:
        """What the documentation says under a heading; empty where it has none."""
        found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", self.docs, re.M | re.S)
        return found[1].strip() if found else ""
