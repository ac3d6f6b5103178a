"""From the stack language to PromQL.

============================  ===========================================  =======================
stack language                PromQL                                       the same numbers
============================  ===========================================  =======================
``:sum`` of a gauge           ``sum(x)``                                   yes
``:sum`` of a counter         ``sum(rate(x_total[2 steps]))``              while a counter goes up
``:avg`` ``:min`` ``:max``    ``avg`` ``min`` ``max``                      as above
``:count``                    ``count(x)``                                 yes
``k,:by``                     ``by (k)``, with ``k!=""``                   yes
``:all``                      the selector itself                          yes
``:add`` … ``:pow``           ``+`` … ``^``                                where both are there
``:gt`` …                     ``> bool`` …                                 where both are there
``:abs`` … ``:clamp-max``     functions of the same names                  yes
``:offset``                   ``offset``                                   yes
``5,:topk``                   ``topk(5, …)``                               no: anew at each step
============================  ===========================================  =======================
"""

from __future__ import annotations

from collections.abc import Callable

from collectors.promql.language.parsing import parse as parse_promql
from collectors.promql.language.printing import printed
from collectors.stacklang.evaluation.batch import parse
from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.aggregation import GroupedLines, LineAggregate
from collectors.stacklang.expressions.data import AggregateExpr, AllSeries, DataExpr, GroupedData
from collectors.stacklang.expressions.filter import PriorityExpr
from collectors.stacklang.expressions.math import BinaryExpr, Clamp, Constant, PerStep, UnaryExpr
from collectors.stacklang.expressions.promql import PromqlExpr
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Aggregate
from collectors.stacklang.predicates.analysis import exact_tags
from collectors.stacklang.predicates.predicate import And, HasKey, Query
from collectors.stacklang.text.literals import format_double
from collectors.translating.matching import labels_text, matcher_text, matchers_of
from collectors.translating.translation import Notes, Translation, UntranslatableError

_ARITHMETIC = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "pow": "^",
    "fadd": "+",
    "fsub": "-",
    "fmul": "*",
    "fdiv": "/",
    "gt": "> bool",
    "ge": ">= bool",
    "lt": "< bool",
    "le": "<= bool",
}
_UNARY = {name: name for name in ("abs", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan")}
_CHOICES = {"topk": "topk", "bottomk": "bottomk"}
_MISSING = (
    "where one side of :{0} is missing, the stack language takes it for zero; PromQL has none"
)
_ZERO = "0 divided by 0 is 0 in the stack language, and NaN in PromQL; by 0 otherwise NaN, and Inf"


def to_promql(program: str, notes: Notes) -> Translation:
    """Return a program as an expression of PromQL.

    Raises:
        QueryError: It is no program.
        UntranslatableError: It has what PromQL lacks, or leaves several expressions.
    """
    styles = parse(program)
    if len(styles) != 1:
        raise UntranslatableError(
            f"the program leaves {len(styles)} expressions, and PromQL answers one at a time"
        )
    (style,) = styles
    if style.items:
        names = ", ".join(sorted(f":{name}" for name, _ in style.items))
        notes.approximate(f"left out, as PromQL does not say how lines are drawn: {names}")
    text = _text(style.expr, notes)
    return Translation(text=printed(parse_promql(text)), approximations=tuple(notes.approximations))


def _text(expr: Expr, notes: Notes) -> str:
    for kind, write in _WRITERS:
        if isinstance(expr, kind):
            return write(expr, notes)
    if isinstance(expr, StyleExpr):
        return _text(expr.expr, notes)
    word = str(expr).rsplit(",", 1)[-1]
    raise UntranslatableError(f"{word}: PromQL has nothing that does this ({expr})")


def _data(expr: DataExpr, notes: Notes) -> str:
    query: Query = expr.query
    for key in expr.final_grouping:
        if key not in exact_tags(query):
            # Series without the tag belong to no group.
            query = And(query, HasKey(key))
    selector = matcher_text(matchers_of(query))
    offset = f" offset {expr.offset.millis}ms" if expr.offset else ""
    name = exact_tags(expr.query).get("name", "")
    if not name:
        notes.approximate("without an exact name all metrics are taken for gauges")
    if notes.is_counter(name) and expr.aggregate is not Aggregate.COUNT:
        notes.approximate(
            f"{name} is taken for a counter: its rate over two steps is that over one as long as "
            "it has a sample at the end of each step, did not begin, and did not fall"
        )
        return f"rate({selector}[{2 * notes.step_ms}ms]{offset})"
    return selector + offset


def _all(expr: AllSeries, notes: Notes) -> str:
    return _data(expr, notes)


def _aggregate(expr: AggregateExpr | GroupedData, notes: Notes) -> str:
    by = f" by ({labels_text(expr.final_grouping)}) " if expr.is_grouped else ""
    return f"{expr.aggregate}{by}({_data(expr, notes)})"


def _again(expr: LineAggregate | GroupedLines, notes: Notes) -> str:
    inner = expr.source if isinstance(expr, GroupedLines) else expr
    by = f" by ({labels_text(expr.final_grouping)}) " if isinstance(expr, GroupedLines) else ""
    return f"{inner.function}{by}({_text(inner.expr, notes)})"


def _rewrite(expr: NamedRewrite, notes: Notes) -> str:
    if expr.name != "avg":
        return _text(expr.evaluated, notes)
    data = expr.evaluated.data_exprs[0]
    if not isinstance(data, AggregateExpr | GroupedData):
        return _text(expr.evaluated, notes)
    by = f" by ({labels_text(data.final_grouping)}) " if data.is_grouped else ""
    return f"avg{by}({_data(data, notes)})"


def _constant(expr: Constant, notes: Notes) -> str:
    del notes
    return format_double(expr.value)


def _unary(expr: UnaryExpr, notes: Notes) -> str:
    inner = _text(expr.expr, notes)
    if expr.name == "neg":
        return f"-({inner})"
    if expr.name not in _UNARY:
        raise UntranslatableError(f":{expr.name}: PromQL has no such function")
    return f"{_UNARY[expr.name]}({inner})"


def _per_step(expr: PerStep, notes: Notes) -> str:
    return f"({_text(expr.expr, notes)}) * {notes.step_ms / 1000:g}"


def _clamp(expr: Clamp, notes: Notes) -> str:
    name = expr.name.replace("-", "_")
    return f"{name}({_text(expr.expr, notes)}, {format_double(expr.bound)})"


def _binary(expr: BinaryExpr, notes: Notes) -> str:
    if expr.name not in _ARITHMETIC:
        raise UntranslatableError(f":{expr.name}: PromQL has no such operator")
    left, right = _text(expr.left, notes), _text(expr.right, notes)
    constant = isinstance(expr.left, Constant) or isinstance(expr.right, Constant)
    if not constant and expr.name in ("add", "sub"):
        notes.approximate(_MISSING.format(expr.name))
    if expr.name == "div" and not isinstance(expr.right, Constant):
        notes.approximate(_ZERO)
    matching = "" if constant else _matching(expr.left, expr.right)
    return f"({left}) {_ARITHMETIC[expr.name]}{matching} ({right})"


def _matching(left: SeriesExpr, right: SeriesExpr) -> str:
    keys, others = set(left.final_grouping), set(right.final_grouping)
    common = f" on ({labels_text(sorted(keys & others))})"
    if keys == others:
        return common
    return f"{common} {'group_left' if others < keys else 'group_right'} ()"


def _choice(expr: PriorityExpr, notes: Notes) -> str:
    if expr.name not in _CHOICES:
        raise UntranslatableError(f":{expr.name}: PromQL has no such choice")
    notes.approximate(
        f":{expr.name} chooses lines by their {expr.stat} over the whole graph, and PromQL anew at "
        "each step"
    )
    return f"{_CHOICES[expr.name]}({expr.count}, {_text(expr.expr, notes)})"


def _promql(expr: PromqlExpr, notes: Notes) -> str:
    del notes
    if expr.shift:
        raise UntranslatableError(":offset of :promql: write it behind each selector")
    return expr.text


_WRITERS: tuple[tuple[type[Expr], Callable[..., str]], ...] = (
    (AllSeries, _all),
    (AggregateExpr, _aggregate),
    (GroupedData, _aggregate),
    (LineAggregate, _again),
    (GroupedLines, _again),
    (NamedRewrite, _rewrite),
    (Constant, _constant),
    (UnaryExpr, _unary),
    (PerStep, _per_step),
    (Clamp, _clamp),
    (BinaryExpr, _binary),
    (PriorityExpr, _choice),
    (PromqlExpr, _promql),
)
