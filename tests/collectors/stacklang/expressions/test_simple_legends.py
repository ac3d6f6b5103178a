"""Legends made up for expressions that have none."""

from __future__ import annotations

import pytest

from collectors.stacklang.evaluation.batch import parse
from collectors.stacklang.expressions.simple_legends import with_simple_legends


@pytest.mark.parametrize(
    ("program", "legends"),
    [
        ("name,cpu,:eq", ["cpu"]),
        ("name,cpu.*,:re", ["cpu"]),
        ("name,^cpu,:re", ["cpu"]),
        ("name,.*cpu.*,:re", ["cpu"]),
        ("name,sys.cpu,:starts", ["sys.cpu"]),
        ("name,sys.cpu,:contains", ["sys.cpu"]),
        ("name,sys.cpu,:ends", [".*sys\\.cpu$"]),
        ("name,cpu\\d,:re", ["cpu\\d"]),
        ("name,cpu[0-9],:re", ["cpu[0-9]"]),
        ("name,.*,:re", [".*"]),
        ("name,cpu,:reic", ["cpu"]),
        ("name,cpu,:lt", ["cpu"]),
        ("name,cpu,:eq,:not", ["!cpu"]),
        ("name,a,:eq,id,x,:eq,:and,name,a,:eq,id,y,:eq,:and", ["x", "y"]),
        ("name,a,:eq,name,b,:eq,:div", [None]),
        ("name,a,:eq,name,b,:eq", ["a", "b"]),
        ("name,a,:eq,1w,:offset", ["a (offset=$(atlas.offset))"]),
        ("name,a,:eq,(,x,y,),:by", ["$(x) $(y)"]),
        ("name,a,:eq,own,:legend,name,b,:eq", ["own", "b"]),
        ("name,a,:eq,:dist-avg", ["a"]),
        ("42", [None]),
    ],
)
def test_a_legend_says_what_tells_lines_apart(program: str, legends: list[str]) -> None:
    """Names first, then what differs; groups by their keys."""
    styles = with_simple_legends(parse(program))
    assert [style.settings.get("legend") for style in styles] == legends
