"""Legends for expressions that have none: what tells them apart."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import reduce

from collectors.errors import QueryError
from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.data import GroupedData, as_sum
from collectors.stacklang.expressions.rewrites import NamedRewrite
from collectors.stacklang.expressions.series import SeriesExpr, rewrite_series
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.predicates.algebra import as_query
from collectors.stacklang.predicates.predicate import (
    And,
    Compare,
    Equal,
    Not,
    Predicate,
    Query,
    Regex,
    ValuePredicate,
)
from collectors.stacklang.text.substitution import literal

_ESCAPED = re.compile(r"\\(.)")
_SPECIAL = re.compile(r"(?<!\\)[\^$.?*+\[\](){}|]|\\[A-Za-z0-9]")


def with_simple_legends(styles: Sequence[StyleExpr]) -> list[StyleExpr]:
    """Return the expressions, those without a legend given a short one.

    A grouped line is named after its group, others after what their queries have that other
    expressions do not, the name first.
    """
    try:
        values = [_key_values(style.expr) for style in styles]
    except QueryError:
        # A legend is a nicety: an expression that can't be taken apart keeps its own label.
        return list(styles)
    known = [entry for entry in values if entry]
    if not known:
        return list(styles)
    common = reduce(_shared, known)
    return [
        style if "legend" in style.settings or not own else _named(style, own, common)
        for style, own in zip(styles, values, strict=True)
    ]


def _named(style: StyleExpr, own: Mapping[str, str], common: Mapping[str, str]) -> StyleExpr:
    unique = {key: value for key, value in own.items() if common.get(key) != value}
    chosen = unique or common
    if not chosen:
        return style
    if style.expr.is_grouped:
        text = " ".join(f"$({key})" for key in style.expr.final_grouping)
    elif "name" in chosen:
        text = literal(chosen["name"])
    else:
        text = literal(" ".join(chosen[key] for key in sorted(chosen)))
    if style.offset:
        text += " (offset=$(atlas.offset))"
    return style.with_settings({"legend": text})


def _key_values(expr: SeriesExpr) -> Mapping[str, str]:
    data = rewrite_series(expr, _as_simple_aggregate).data_exprs
    return reduce(_shared, [_query_values(entry.query) for entry in data]) if data else {}


def _as_simple_aggregate(node: Expr) -> Expr | None:
    # An average is named after what is averaged, not after the statistics that make it up.
    if (
        isinstance(node, NamedRewrite)
        and node.name.endswith("-avg")
        and isinstance(node.display, Predicate)
    ):
        simple = as_sum(as_query(node.display))
        grouping = node.final_grouping
        return GroupedData(simple, grouping) if grouping else simple
    return None


def _query_values(query: Query) -> Mapping[str, str]:
    match query:
        case And(left, right):
            return {**_query_values(left), **_query_values(right)}
        case Equal(key, value):
            return {key: value}
        case Compare(key, _, value):
            return {key: value}
        case Regex(key, pattern, ignore_case):
            return {key: pattern if ignore_case else _readable(pattern)}
        case Not(ValuePredicate() as inner):
            return {key: f"!{value}" for key, value in _query_values(inner).items()}
        case _:
            return {}


def _readable(pattern: str) -> str:
    """Return the text that a value must begin with or contain, if that is all; else the pattern."""
    core = pattern.removeprefix("^").removeprefix(".*").removesuffix(".*")
    return pattern if not core or _SPECIAL.search(core) else _ESCAPED.sub(r"\1", core)


def _shared(left: Mapping[str, str], right: Mapping[str, str]) -> Mapping[str, str]:
    return {key: value for key, value in left.items() if right.get(key) == value}
