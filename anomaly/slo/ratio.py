"""The expressions that show what an objective counts, made of those that it asks.

In the language of these: the stack language, or PromQL where both halves are in it.

A step without any events has no share: ``:sub`` takes no data for nothing, and one minus no data
would be one, all bad. So the difference is taken of what may be missing together. A comparison
answers 0 where there is nothing, which is taken out again. In PromQL it is the other way round: a
half that is missing makes no answer, so nothing is put in its place where there are events.
"""

from __future__ import annotations

from anomaly.promql.written import as_expression, query_in
from anomaly.slo.counting import Comparison, Measure

# One wherever there is a number, and nothing where there is none.
_ONE = "0,:fmul,1,:fadd"
_OPPOSITE = {"lte": ">", "gte": "<", "lt": ">=", "gt": "<="}


def bad_ratio(
    measure: Measure,
    good: str | None,
    bad: str | None,
    value: str,
    comparison: Comparison | None,
) -> str:
    """Return the expression of the share of bad events, the quantity that burns the budget."""
    queries = _queries(good or bad, value)
    if queries is not None:
        return as_expression(_bad_ratio_query(measure, *queries, bad is not None, comparison))
    if measure is Measure.BAD_SHARE:
        return value
    if measure is Measure.GOOD_SHARE:
        return f"1,{value},:fsub"
    if comparison is not None:
        marked = f"{value},{comparison.value!r},{comparison.bad_word}"
        return f"{marked},{value},0,:fmul,:fadd"
    if bad is not None:
        return f"{bad},{value},:div"
    return f"{value},{good},:sub,{value},:div"


def good_of_all(
    measure: Measure,
    good: str | None,
    bad: str | None,
    value: str,
    comparison: Comparison | None,
) -> tuple[str, str]:
    """Return the expressions of what is good and of all of it, of which the first is a share."""
    queries = _queries(good or bad, value)
    if queries is not None:
        part, total = queries
        if measure is Measure.EVENTS:
            left = f"({total}) - {_or_none(part, total)}" if good is None else part
            return as_expression(left), as_expression(total)
        share = f"1 - ({_bad_ratio_query(measure, part, total, False, comparison)})"
        whole = as_expression(f"({total}) * 0 + 1")
        return as_expression(total if measure is Measure.GOOD_SHARE else share), whole
    if measure is Measure.EVENTS:
        return good or f"{value},{bad},:sub", value
    if measure is Measure.GOOD_SHARE:
        return value, f"{value},{_ONE}"
    burnt = bad_ratio(measure, good, bad, value, comparison)
    return f"1,{burnt},:fsub", f"{value},{_ONE}"


def _queries(part: str | None, total: str) -> tuple[str, str] | None:
    """Return both halves as PromQL; None: not both are."""
    whole = query_in(total)
    if whole is None or not part:
        return None if whole is None else ("", whole)
    query = query_in(part)
    return None if query is None else (query, whole)


def _bad_ratio_query(
    measure: Measure, part: str, total: str, counts_bad: bool, comparison: Comparison | None
) -> str:
    if measure is Measure.BAD_SHARE:
        return total
    if measure is Measure.GOOD_SHARE:
        return f"1 - ({total})"
    if comparison is not None:
        return f"({total}) {_OPPOSITE[comparison.op]} bool {comparison.value!r}"
    if counts_bad:
        return f"{_or_none(part, total)} / ({total})"
    return f"(({total}) - {_or_none(part, total)}) / ({total})"


def _or_none(part: str, total: str) -> str:
    return f"(({part}) or ({total}) * 0)"
