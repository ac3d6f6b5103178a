"""Expressions as text: named rewrites, common queries and groups, normal forms."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.stacklang.evaluation.batch import parse
from collectors.stacklang.expression import Expr, render_items
from collectors.stacklang.expressions.normalization import normalize
from collectors.stacklang.expressions.rewrites import expand_rewrites
from collectors.stacklang.words.reference import render_reference
from collectors.stacklang.words.vocabularies import interpreter, vocabularies

quickly = settings(max_examples=60, deadline=None)


def rendered(program: str) -> str:
    return render_items(interpreter().execute(program, unstable=True))


def expanded(program: str) -> list[Expr]:
    return [expand_rewrites(style) for style in parse(program, unstable=True)]


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("name,a,:eq,:avg", "name,a,:eq,:avg"),
        ("name,a,:eq,:avg,(,b,),:by", "name,a,:eq,:avg,(,b,),:by"),
        ("name,a,:eq,(,b,),:by,:avg", "name,a,:eq,:sum,(,b,),:by,:avg"),
        ("name,a,:eq,:avg,1h,:offset", "name,a,:eq,:avg,PT1H,:offset"),
        ("name,a,:eq,:sum,:des-fast,1h,:offset", "name,a,:eq,:sum,PT1H,:offset,:des-fast"),
        ("name,a,:eq,:avg,:pct", "name,a,:eq,:avg,:pct"),
        ("name,a,:eq,0,5,:sample-count", "name,a,:eq,0.0,5.0,:sample-count"),
        ("name,a,:eq,:node-avg,(,nf.app,),:by", "name,a,:eq,:node-avg,(,nf.app,),:by"),
        ("name,a,:eq,:avg,:cf-max", "name,a,:eq,:sum,:cf-max,name,a,:eq,:count,:cf-max,:div"),
        ("name,a,:eq,b,c,:eq,:cq", "name,a,:eq,b,c,:eq,:and"),
        ("name,a,:eq,:avg,b,:has,:cq", "name,a,:eq,b,:has,:and,:avg"),
        ("name,a,:eq,:avg,(,x,),:by,b,:has,:cq", "name,a,:eq,b,:has,:and,:avg,(,x,),:by"),
        (":random,area,:ls", ":random,:area"),
        (":random,max,:ls", ":random,max,:ls"),
        ("name,a,:eq,:sum,$x,:legend,(,g,),:cg", "name,a,:eq,:sum,(,g,),:by,$x,:legend"),
        ("name,a,:eq,(,g,),:by,:max,(,h,),:cg", "name,a,:eq,:sum,(,g,h,),:by,:max,(,h,),:by"),
        ("name,a,:eq,(,9,25,),:percentiles", "name,a,:eq,(,9.0,25.0,),:percentiles"),
        (
            "name,a,:eq,(,b,),:by,:median,1h,:offset",
            "name,a,:eq,(,b,),:by,(,50.0,),:percentiles,PT1H,:offset",
        ),
        (
            "1,a\\u002cb,:legend,x,y,:s,hex,:decode",
            "1.0,:const,x,y,:s,hex,:decode,a\\u002cb,:legend",
        ),
        ("1,reds,:palette,f00,:color", "1.0,:const,ffff0000,:color"),
        ("1,f00,:color,40,:alpha", "1.0,:const,40ff0000,:color"),
        ("a,:has,(,b,),:by,:avg,1h,:offset", "a,:has,:sum,(,b,),:by,PT1H,:offset,:avg"),
        ("1,blue1,:color,40,:alpha", "1.0,:const,blue1,:color,40,:alpha"),
        ("1,2.9,:pi,:add,:delay", "1.0,:const,6,:delay"),
        ("1,(,f00,0f0,),:palette,2,:axis,:area", "1.0,:const,(,f00,0f0,),:palette,:area,2,:axis"),
        ("1,:area,:strip-style", "1.0,:const"),
        ("name,a,:eq,:stat-max,5,:gt,:filter", "name,a,:eq,:sum,:stat-max,5.0,:const,:gt,:filter"),
    ],
)
def test_expressions_render_as_they_were_meant(program: str, text: str) -> None:
    """A word that stands for others is shown by its own name, and reads back as the same."""
    assert rendered(program) == text
    assert rendered(text) == text
    assert expanded(text) == expanded(program)


@pytest.mark.parametrize(
    ("program", "meaning"),
    [
        ("name,a,:eq,:avg", "name,a,:eq,:sum,name,a,:eq,:count,:div"),
        (
            "name,a,:eq,:dist-avg,(,b,),:by",
            (
                "statistic,(,totalTime,totalAmount,),:in,name,a,:eq,:and,(,b,),:by,"
                "statistic,count,:eq,name,a,:eq,:and,(,b,),:by,:div"
            ),
        ),
        ("name,a,:eq,:dist-max", "statistic,max,:eq,name,a,:eq,:and,:max"),
        (
            "name,a,:eq,nf.app,www,:eq,:and,status,200,:eq,:not,:and,:node-avg",
            (
                "name,a,:eq,nf.app,www,:eq,:and,status,200,:eq,:not,:and,:sum,"
                "name,poller.asg.instance,:eq,nf.app,www,:eq,:and,:sum,:div"
            ),
        ),
        (
            "name,a,:eq,:node-avg,(,nf.app,status,),:by",
            "name,a,:eq,(,nf.app,status,),:by,name,poller.asg.instance,:eq,(,nf.app,),:by,:div",
        ),
        ("name,a,:eq,:sum,:cos", "1.5707963267948966,name,a,:eq,:sub,:sin"),
        ("a,:has,$x,:legend,b,:has,$y,:legend,:add", "a,:has,b,:has,:add"),
        ("a,:has,$x,:legend,b,:has,:add", "a,:has,b,:has,:add,$x,:legend"),
    ],
)
def test_what_words_stand_for(program: str, meaning: str) -> None:
    """Two programs with the same meaning evaluate the same tree."""
    assert expanded(program) == expanded(meaning)


@pytest.mark.parametrize(
    ("program", "canonical"),
    [
        ("nf.app,b,:eq,name,a,:eq,:and", ["name,a,:eq,nf.app,b,:eq,:and,:sum"]),
        ("statistic,count,:eq,x,:has,:and", ["x,:has,statistic,count,:eq,:and,:sum"]),
        ("b,:has,a,:has,:or", ["a,:has,b,:has,:or,:sum"]),
        ("a,(,2,1,1,),:in", ["a,(,1,2,),:in,:sum"]),
        ("a,1,:eq,a,1,:eq,:and", ["a,1,:eq,:sum"]),
        ("a,:has,a,:has,b,:has,:and,:or", ["a,:has,:sum"]),
        ("1,$x,:legend,:line", ["1.0,$(x),:legend"]),
        (
            "a,:has,(,g,),:by,:dup,max,:stat,5,:gt,:filter",
            ["a,:has,:sum,(,g,),:by,:stat-max,5.0,:gt,:filter"],
        ),
        ("a,:has,b,:has", ["a,:has,:sum", "b,:has,:sum"]),
    ],
)
def test_the_canonical_form(program: str, canonical: list[str]) -> None:
    """Expressions that mean the same compare as text."""
    assert normalize(parse(program)) == canonical


queries = st.sampled_from(
    ["a,1,:eq", "b,:has", "a,1,:eq,b,:has,:and", "c,x,:re,:not", "c,(,x,y,),:in"]
)
aggregates = st.sampled_from(
    ["", ",:max", ",:avg", ",:dist-avg", ",(,g,),:by", ",:count,1h,:offset"]
)
suffixes = st.lists(
    st.sampled_from(
        [
            ",:abs",
            ",2,:mul",
            ",5,3,:rolling-mean",
            ",:des-simple",
            ",:pct",
            ",:avg",
            ",d,:has,:cq",
            ",(,h,),:cg",
            ",1w,:offset",
            ",$g,:legend",
            ",f00,:color",
            ",max,2,:topk",
            ",:stat-avg,1,:gt,:filter",
        ]
    ),
    max_size=4,
)


@quickly
@given(queries, aggregates, suffixes)
def test_whatever_is_rendered_reads_back_as_the_same(
    query: str, aggregate: str, suffix: list[str]
) -> None:
    """Rendering loses nothing that matters for evaluation, and is stable."""
    program = query + aggregate + "".join(suffix)
    text = rendered(program)
    assert rendered(text) == text
    assert expanded(text) == expanded(program)


def test_the_reference_describes_every_word() -> None:
    """Generated from the words themselves, so that it can't be incomplete."""
    page = render_reference()
    for name in vocabularies():
        for word in interpreter(name).vocabulary.words:
            assert f"### `:{word.name}`" in page
            assert word.summary in page
    assert "**Deprecated.**" in page
