"""Vocabulary ``style``: how lines are shown."""

from __future__ import annotations

from collectors.stacklang.expression import render_item, render_items
from collectors.stacklang.expressions.filter import FilterExpr, resolve_placeholders
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.datatypes import (
    COLOR,
    MISMATCH,
    SERIES,
    STRING,
    STRING_LIST,
    STYLED,
    DataType,
    Mismatch,
)
from collectors.stacklang.program.inputs import Action, Parameter, takes
from collectors.stacklang.program.word import Vocabulary, Word, macro
from collectors.stacklang.text.colors import is_hex_color, parse_color, with_alpha
from collectors.stacklang.words.filter import WORDS as FILTER_WORDS
from collectors.stacklang.words.stateful import EPIC_PARAMETERS

_INPUT = Parameter(type=STYLED, summary="input time series")
_BY_CLUSTER = "name,sps,:eq,:sum,(,nf.cluster,),:by"


def _only_styled(item: object) -> StyleExpr | Mismatch:
    return item if isinstance(item, StyleExpr) else MISMATCH


def _name_or_list(item: object) -> str | tuple[str, ...] | Mismatch:
    return item if isinstance(item, str) else STRING_LIST.extract(item)


_STYLE_ONLY = DataType("StyleExpr", _only_styled)
_PALETTE: DataType[str | tuple[str, ...]] = DataType(
    "Palette", _name_or_list, "a palette's name, or a list of colors"
)


def _setting(name: str, summary: str, *examples: str) -> Word:
    action = takes(_INPUT, Parameter(type=STRING, name=name)).leaves(
        lambda expr, value: expr.with_settings({name: value})
    )
    return _word(name, action, summary, examples)


def _word(
    name: str,
    action: Action,
    summary: str,
    examples: tuple[str, ...],
    *,
    deprecated: bool = False,
) -> Word:
    return Word(
        name=name,
        action=action,
        outputs=(STYLED,),
        summary=summary,
        examples=examples,
        deprecated=deprecated,
    )


def _alpha(expr: StyleExpr, alpha: str) -> StyleExpr:
    color = expr.settings.get("color")
    if color is None or not is_hex_color(color):
        # What a color's name stands for is known to who draws, as is then how it looks with alpha.
        return expr.with_settings({"alpha": alpha})
    return expr.with_settings({"color": with_alpha(color, alpha), "alpha": None})


def _color(expr: StyleExpr, color: str) -> StyleExpr:
    return expr.with_settings({"color": _full_color(color), "alpha": None, "palette": None})


def _full_color(text: str) -> str:
    return parse_color(text) if is_hex_color(text) else text


def _palette(expr: StyleExpr, palette: str | tuple[str, ...]) -> StyleExpr:
    text = palette if isinstance(palette, str) else render_item(palette)
    return expr.with_settings({"palette": text, "color": None, "alpha": None})


def _offset(expr: StyleExpr, offsets: tuple[str, ...]) -> StyleExpr:
    return expr.with_settings({"offset": render_item(offsets)})


def _filter(expr: StyleExpr, condition: SeriesExpr) -> StyleExpr:
    resolved = resolve_placeholders(expr.expr, condition)
    return expr.with_expr(FilterExpr(expr.expr, resolved))


def _decode(expr: StyleExpr, encoding: str) -> StyleExpr:
    return _with_legend_step(expr, f"{render_item(encoding)},:decode")


def _substitute(expr: StyleExpr, pattern: str, replacement: str) -> StyleExpr:
    return _with_legend_step(expr, f"{render_items((pattern, replacement))},:s")


def _with_legend_step(expr: StyleExpr, step: str) -> StyleExpr:
    known = expr.settings.get("sed")
    return expr.with_settings({"sed": f"{known},{step}" if known else step})


def _line_style(name: str, example: str) -> Word:
    return macro(
        name,
        f"{name},:ls",
        parameters=(_INPUT,),
        outputs=(STYLED,),
        summary=f"Draw as {name}.",
        examples=(example,),
    )


_EPIC_VIZ = (
    ":des-epic-signal,:vspan,40,:alpha,triggered,:legend,line,:get,line,:legend,"
    "minPredNoiseBound,:get,minPredNoiseBound,:legend,"
    "minPredPercentBound,:get,minPredPercentBound,:legend,"
    "maxPredNoiseBound,:get,maxPredNoiseBound,:legend,"
    "maxPredPercentBound,:get,maxPredPercentBound,:legend"
)

_LEGEND_WORDS = (
    _setting(
        "legend",
        "The text of the legend. `$name` or `$(name)` stands for the value of a tag, for "
        "`$atlas.offset`, or for a statistic such as `$atlas.max`; an unknown variable for its "
        "own name.",
        "name,sps,:eq,(,name,),:by,$name",
        "name,sps,:eq,(,nf.cluster,),:by,cluster+$nf.cluster",
        "name,sps,:eq,(,name,),:by,$(unknown)",
        "name,sps,:eq,:sum,1w,:offset,$(name)+$(atlas.offset)",
    ),
    _word(
        "decode",
        takes(_INPUT, Parameter(type=STRING, name="encoding", summary="hex or none")).leaves(
            _decode
        ),
        "Decode the legend: with `hex`, `_21` becomes `!`.",
        ("1,one_21_25_26_3F,:legend,hex",),
    ),
    _word(
        "s",
        takes(
            _INPUT,
            Parameter(type=STRING, name="s", summary="regular expression"),
            Parameter(type=STRING, name="r", summary="replacement"),
        ).leaves(_substitute),
        "Replace every match in the legend. `$1` or `$name` stand for groups of the pattern.",
        (
            "name,sps,:eq,(,nf.cluster,),:by,$nf.cluster,:legend,^nccp-(.*)$,$1",
            "name,sps,:eq,(,nf.cluster,),:by,$nf.cluster,:legend,^nccp-(?<stack>.*)$,$stack",
            "name,sps,:eq,(,nf.cluster,),:by,$nf.cluster,:legend,nccp-,_",
            "name,sps,:eq,(,nf.cluster,),:by,$nf.cluster,:legend,([a-z]),_$1",
        ),
    ),
)

_ORDER_WORDS = (
    _setting(
        "sort",
        "Sort the lines by their legend or by a statistic.",
        f"{_BY_CLUSTER},max",
        f"{_BY_CLUSTER},legend",
    ),
    _setting(
        "order",
        "Sort ascending (`asc`) or descending (`desc`).",
        f"{_BY_CLUSTER},max,:sort,asc",
        f"{_BY_CLUSTER},desc",
    ),
    _setting(
        "limit",
        "Show only the first lines.",
        f"{_BY_CLUSTER},3",
        f"{_BY_CLUSTER},max,:sort,desc,:order,2",
    ),
    macro(
        "head",
        ":limit",
        parameters=(_INPUT, Parameter(type=STRING, name="n")),
        outputs=(STYLED,),
        summary="Show only the first lines.",
        examples=("name,sps,:eq,(,nf.cluster,),:by,2",),
    ),
)

_COLOR_WORDS = (
    _word(
        "alpha",
        takes(_INPUT, Parameter(type=STRING, name="alpha", summary="00 to ff")).leaves(_alpha),
        "How opaque the color is: two hex digits, `00` is invisible.",
        ("name,sps,:eq,:sum,:stack,40", "name,sps,:eq,:sum,:stack,f00,:color,40"),
    ),
    _word(
        "color",
        takes(_INPUT, Parameter(type=COLOR, name="color")).leaves(_color),
        "The color of the line: `f00`, `ff0000` or, with alpha first, `ffff0000`.",
        (
            "name,sps,:eq,:sum,ff0000",
            "name,sps,:eq,:sum,f00",
            "name,sps,:eq,:sum,40,:alpha,f00",
        ),
    ),
    _word(
        "palette",
        takes(
            _INPUT,
            Parameter(type=_PALETTE, name="palette", summary="a name, or a list of colors"),
        ).leaves(_palette),
        "The colors for the lines of this expression: a palette's name, or a list.",
        (
            "name,sps,:eq,:sum,reds",
            f"{_BY_CLUSTER},reds",
            f"{_BY_CLUSTER},(,1a9850,91cf60,d9ef8b,fee08b,fc8d59,d73027,)",
        ),
    ),
    _setting(
        "ls",
        "The style of the line: `line`, `area`, `stack`, `heatmap` or `vspan`.",
        *(
            f"name,sps,:eq,:sum,(,name,),:by,{style}"
            for style in ("line", "area", "stack", "heatmap", "200e3,:gt,vspan")
        ),
    ),
    _setting("lw", "The width of the line.", "name,sps,:eq,:sum,(,name,),:by,2"),
)

WORDS = Vocabulary(
    name="style",
    depends_on=(FILTER_WORDS,),
    words=(
        *_LEGEND_WORDS,
        _setting("axis", "Which Y axis the line belongs to.", "name,sps,:eq,:sum,1"),
        _word(
            "offset",
            takes(_INPUT, Parameter(type=STRING_LIST, name="durations")).leaves(_offset),
            "Show the expression once for each offset. Use the word of the data vocabulary, which "
            "takes one duration, instead.",
            ("name,sps,:eq,:sum,(,0h,1d,1w,)",),
            deprecated=True,
        ),
        _word(
            "filter",
            takes(
                Parameter(type=_STYLE_ONLY, summary="styled lines"),
                Parameter(type=SERIES, name="t2", summary="condition"),
            ).leaves(_filter),
            "Filter lines that are styled already.",
            ("name,sps,:eq,:sum,(,nf.cluster,),:by,$nf.cluster,:legend,:stat-max,30e3,:gt",),
        ),
        *_ORDER_WORDS,
        *_COLOR_WORDS,
        _line_style("area", "name,sps,:eq,:sum"),
        _line_style("line", "name,sps,:eq,:sum"),
        _line_style("stack", "name,sps,:eq,(,nf.cluster,),:by"),
        _line_style("heatmap", "name,sps,:eq,(,nf.cluster,),:by"),
        macro(
            "percentiles-heatmap",
            "(,percentile,),:cg,heatmap,:ls",
            parameters=(_INPUT,),
            outputs=(STYLED,),
            summary="Draw the buckets of a timer or distribution summary as a heat map.",
            examples=("name,requestLatency,:eq",),
        ),
        _line_style("vspan", "name,sps,:eq,:sum,:dup,200e3,:gt"),
        macro(
            "des-epic-viz",
            _EPIC_VIZ,
            parameters=EPIC_PARAMETERS,
            outputs=(STYLED,) * 6,
            summary="Draw what `:des-epic-signal` looks at, and when it is triggered.",
            examples=("name,sps,:eq,:sum,10,0.1,0.5,0.2,0.2,4",),
        ),
        Word(
            name="strip-style",
            action=takes(_INPUT).leaves(lambda expr: expr.expr),
            outputs=(SERIES,),
            summary="Remove all presentation.",
            examples=("name,sps,:eq,:sum,ff0000,:color", "name,sps,:eq,:sum,custom,:legend"),
        ),
    ),
)
