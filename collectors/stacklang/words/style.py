"""Vocabulary ``style``: how lines are shown."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.stacklang.expression import render_item, render_items
from collectors.stacklang.expressions.filter import FilterExpr, resolve_placeholders
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.program.context import Context
from collectors.stacklang.program.datatypes import (
    COLOR,
    MISMATCH,
    SERIES,
    STRING,
    STRING_LIST,
    STYLED,
    DataType,
)
from collectors.stacklang.program.word import Parameter, Run, Vocabulary, Word, macro
from collectors.stacklang.text.colors import is_hex_color, parse_color, with_alpha
from collectors.stacklang.words.filter import FILTER_WORDS
from collectors.stacklang.words.stateful import EPIC_PARAMETERS

_INPUT = Parameter(type=STYLED, summary="input time series")
_BY_CLUSTER = "name,sps,:eq,:sum,(,nf.cluster,),:by"


def _only_styled(item: object) -> object:
    return item if isinstance(item, StyleExpr) else MISMATCH


def _name_or_list(item: object) -> object:
    return item if isinstance(item, str) else STRING_LIST.extract(item)


_STYLE_ONLY = DataType("StyleExpr", _only_styled)
_PALETTE = DataType("Palette", _name_or_list, "a palette's name, or a list of colors")


def _setting(name: str, summary: str, *examples: str) -> Word:
    def run(context: Context, params: Sequence[object]) -> None:
        expr, value = params
        if isinstance(expr, StyleExpr):
            context.push(expr.with_settings({name: str(value)}))

    return _word(name, run, (_INPUT, Parameter(type=STRING, name=name)), summary, examples)


def _word(
    name: str,
    run: Run,
    parameters: tuple[Parameter, ...],
    summary: str,
    examples: tuple[str, ...],
    *,
    deprecated: bool = False,
) -> Word:
    return Word(
        name=name,
        parameters=parameters,
        outputs=(STYLED,),
        run=run,
        summary=summary,
        examples=examples,
        deprecated=deprecated,
    )


def _alpha(context: Context, params: Sequence[object]) -> None:
    expr, alpha = params
    if not isinstance(expr, StyleExpr):
        return
    color = expr.settings.get("color")
    if color is None or not is_hex_color(color):
        # What a color's name stands for is known to who draws, as is then how it looks with alpha.
        context.push(expr.with_settings({"alpha": str(alpha)}))
    else:
        context.push(expr.with_settings({"color": with_alpha(color, str(alpha)), "alpha": None}))


def _color(context: Context, params: Sequence[object]) -> None:
    expr, color = params
    if isinstance(expr, StyleExpr):
        changes = {"color": _full_color(str(color)), "alpha": None, "palette": None}
        context.push(expr.with_settings(changes))


def _full_color(text: str) -> str:
    return parse_color(text) if is_hex_color(text) else text


def _palette(context: Context, params: Sequence[object]) -> None:
    expr, palette = params
    if isinstance(expr, StyleExpr):
        text = render_item(list(palette)) if isinstance(palette, tuple) else str(palette)
        context.push(expr.with_settings({"palette": text, "color": None, "alpha": None}))


def _offset(context: Context, params: Sequence[object]) -> None:
    expr, offsets = params
    if isinstance(expr, StyleExpr) and isinstance(offsets, tuple):
        context.push(expr.with_settings({"offset": render_item(list(offsets))}))


def _filter(context: Context, params: Sequence[object]) -> None:
    expr, condition = params
    if isinstance(expr, StyleExpr) and isinstance(condition, SeriesExpr):
        resolved = resolve_placeholders(expr.expr, condition)
        context.push(expr.with_expr(FilterExpr(expr.expr, resolved)))


def _transform(name: str) -> Run:
    def run(context: Context, params: Sequence[object]) -> None:
        expr, *arguments = params
        if isinstance(expr, StyleExpr):
            step = f"{render_items(arguments)},:{name}"
            known = expr.settings.get("sed")
            context.push(expr.with_settings({"sed": f"{known},{step}" if known else step}))

    return run


def _strip_style(context: Context, params: Sequence[object]) -> None:
    (expr,) = params
    if isinstance(expr, StyleExpr):
        context.push(expr.expr)


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
        _transform("decode"),
        (_INPUT, Parameter(type=STRING, name="encoding", summary="hex or none")),
        "Decode the legend: with `hex`, `_21` becomes `!`.",
        ("1,one_21_25_26_3F,:legend,hex",),
    ),
    _word(
        "s",
        _transform("s"),
        (
            _INPUT,
            Parameter(type=STRING, name="s", summary="regular expression"),
            Parameter(type=STRING, name="r", summary="replacement"),
        ),
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
        _alpha,
        (_INPUT, Parameter(type=STRING, name="alpha", summary="00 to ff")),
        "How opaque the color is: two hex digits, `00` is invisible.",
        ("name,sps,:eq,:sum,:stack,40", "name,sps,:eq,:sum,:stack,f00,:color,40"),
    ),
    _word(
        "color",
        _color,
        (_INPUT, Parameter(type=COLOR, name="color")),
        "The color of the line: `f00`, `ff0000` or, with alpha first, `ffff0000`.",
        (
            "name,sps,:eq,:sum,ff0000",
            "name,sps,:eq,:sum,f00",
            "name,sps,:eq,:sum,40,:alpha,f00",
        ),
    ),
    _word(
        "palette",
        _palette,
        (_INPUT, Parameter(type=_PALETTE, name="palette", summary="a name, or a list of colors")),
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

STYLE_WORDS = Vocabulary(
    name="style",
    depends_on=(FILTER_WORDS,),
    words=(
        *_LEGEND_WORDS,
        _setting("axis", "Which Y axis the line belongs to.", "name,sps,:eq,:sum,1"),
        _word(
            "offset",
            _offset,
            (_INPUT, Parameter(type=STRING_LIST, name="durations")),
            "Show the expression once for each offset. Use the word of the data vocabulary, which "
            "takes one duration, instead.",
            ("name,sps,:eq,:sum,(,0h,1d,1w,)",),
            deprecated=True,
        ),
        _word(
            "filter",
            _filter,
            (
                Parameter(type=_STYLE_ONLY, summary="styled lines"),
                Parameter(type=SERIES, name="t2", summary="condition"),
            ),
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
            parameters=(_INPUT,),
            outputs=(SERIES,),
            run=_strip_style,
            summary="Remove all presentation.",
            examples=("name,sps,:eq,:sum,ff0000,:color", "name,sps,:eq,:sum,custom,:legend"),
        ),
    ),
)
