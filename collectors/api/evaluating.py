"""From the program of a request to the lines of each of its expressions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial

from collectors.api.charting import StyledLines
from collectors.api.graph_request import GraphRequest
from collectors.api.parameters import refuse
from collectors.stacklang.evaluation.batch import EvaluatedExpression, evaluate_expressions
from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.legends import legend
from collectors.stacklang.expressions.simple_legends import with_simple_legends
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Database
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.program.datatypes import as_styled
from collectors.stacklang.program.type_names import type_name
from collectors.stacklang.words.query import common_query
from collectors.stacklang.words.vocabularies import interpreter

MAX_EXPRESSIONS = 1_024


def parse_styles(
    program: str, zone: tzinfo, *, unstable: bool, common: Query | None = None
) -> list[StyleExpr]:
    """Return the expressions that ``program`` leaves, bottom of the stack first.

    ``common`` is required of everything they fetch, also of what was frozen. Words may refer to the
    request's time zone as the variable ``tz``. With unstable features expressions without a legend
    get a short one, as in Atlas.

    Raises:
        QueryError: The program is wrong, leaves something else, or too many expressions.
    """
    stack = interpreter().execute(program, variables={"tz": str(zone)}, unstable=unstable)
    if common is not None:
        stack = [common_query(e, common) if isinstance(e, Expr) else e for e in stack]
    styles = [_drawable(item) for item in stack]
    # Counted before they are made: a list of offsets on every entry of a full stack is a million.
    copies = sum(style.settings.get("offset", "").count(",") or 1 for style in styles)
    if copies > MAX_EXPRESSIONS:
        raise refuse(f"too many expressions: {copies} > {MAX_EXPRESSIONS}")
    styles = [copy for style in styles for copy in style.per_offset()]
    return with_simple_legends(styles) if unstable else styles


def evaluate_styled(wanted: GraphRequest, database: Database, now_ms: int) -> list[StyledLines]:
    """Evaluate every expression of a graph request, bottom of the stack first."""
    styles = parse_styles(
        wanted.program, wanted.zones[0], unstable=wanted.unstable, common=wanted.common
    )
    return styled_lines(evaluate_expressions(styles, database, wanted.window, now_ms=now_ms))


def styled_lines(results: Sequence[EvaluatedExpression]) -> list[StyledLines]:
    """Return evaluated expressions as the chart wants them."""
    return [
        StyledLines(
            tags=result.lines.tags,
            labels=result.lines.labels,
            values=result.lines.values,
            legend=partial(legend, result.style),
            settings=result.style.settings,
            offset_ms=result.style.offset.millis,
            query=result.style.expr.render(),
            group_by=result.style.expr.final_grouping,
        )
        for result in results
    ]


def _drawable(item: object) -> StyleExpr:
    styled = as_styled(item)
    if styled is None:
        raise refuse(f"expecting time series expr, found {type_name(item)} '{str(item)[:200]}'")
    return styled
