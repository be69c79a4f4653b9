"""Where nodes stand: the same as LibCST's own positions, in files of the package."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from capsule_lint.rewrite.offsets import Offsets

REWRITE = Path(__file__).parents[1] / "capsule_lint" / "rewrite"
SOURCES = [REWRITE / name for name in ("engine.py", "layout.py", "signatures.py")]
SPELLED = {
    "as it is": lambda text: text,
    "no last newline": lambda text: text.rstrip("\n"),
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "tabs": lambda text: text.replace("    ", "\t"),
}


@pytest.mark.parametrize("spelling", SPELLED)
def test_nodes_stand_where_libcst_says(spelling: str) -> None:
    for path in SOURCES:
        module = cst.parse_module(SPELLED[spelling](path.read_text(encoding="utf-8")))
        expected = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
        offsets = Offsets(module)
        assert offsets.code == module.code
        for node, place in expected.items():
            if isinstance(node, cst.BaseExpression | cst.BaseStatement | cst.BaseSmallStatement):
                start, end = offsets.at(node)
                assert start == (place.start.line, place.start.column)
                assert end == (place.end.line, place.end.column)


def test_the_nodes_around_a_place_lead_up_to_the_module() -> None:
    module = cst.parse_module("def f(a):\n    return g(a)\n")
    function = module.body[0]
    around = Offsets(module).starting([(2, 11)])
    assert {id(module), id(function)} <= around
    assert isinstance(function, cst.FunctionDef)
    assert id(function.params) not in around
