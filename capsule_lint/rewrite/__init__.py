"""Transformers over statements: every mend in the idiom of the code around it."""

from __future__ import annotations

from capsule_lint.rewrite.base import Fix, Place
from capsule_lint.rewrite.calls import ArgumentFix
from capsule_lint.rewrite.collections import ElementFix, EntryFix
from capsule_lint.rewrite.conditions import ConditionFix
from capsule_lint.rewrite.engine import Fixers, apply
from capsule_lint.rewrite.imports import add_imports
from capsule_lint.rewrite.pieces import Cutter, Parsed
from capsule_lint.rewrite.replacements import ReplaceFix
from capsule_lint.rewrite.segments import SegmentFix
from capsule_lint.rewrite.signatures import ParameterFix
from capsule_lint.rewrite.statements import DropFix, StatementFix

KEY_FIXES = (SegmentFix, ArgumentFix, ElementFix, EntryFix, ReplaceFix, StatementFix)
"""What a key that lacks scopes may need, whatever builds it."""
SIGNATURE_FIXES = (ParameterFix, DropFix, ReplaceFix)
"""What a signature that lacks scopes may need: the parameter, and a body in which its name is free."""

__all__ = [
    "KEY_FIXES",
    "SIGNATURE_FIXES",
    "ArgumentFix",
    "ConditionFix",
    "Cutter",
    "DropFix",
    "ElementFix",
    "EntryFix",
    "Fix",
    "Fixers",
    "ParameterFix",
    "Parsed",
    "Place",
    "ReplaceFix",
    "SegmentFix",
    "StatementFix",
    "add_imports",
    "apply",
]
