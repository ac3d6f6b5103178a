"""From the program of a request to the lines of each of its expressions."""

from __future__ import annotations

from dataclasses import replace
from datetime import tzinfo

from collectors.api.graph_request import GraphRequest
from collectors.api.parameters import refuse
from collectors.stacklang.evaluation.batch import EvaluatedExpression, evaluate_expressions
from collectors.stacklang.expression import Expr
from collectors.stacklang.expressions.percentiles import Percentiles
from collectors.stacklang.expressions.simple_legends import with_simple_legends
from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.lines.database import Database
from collectors.stacklang.lines.line_set import no_data
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.program.datatypes import expect_styled
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
    styles = [expect_styled(item) for item in stack]
    # Counted before they are made: a list of offsets on every entry of a full stack is a million.
    copies = sum(style.settings.get("offset", "").count(",") or 1 for style in styles)
    if copies > MAX_EXPRESSIONS:
        raise refuse(f"too many expressions: {copies} > {MAX_EXPRESSIONS}")
    styles = [copy for style in styles for copy in style.per_offset()]
    return with_simple_legends(styles) if unstable else styles


def evaluate_request(
    wanted: GraphRequest, database: Database, now_ms: int
) -> list[EvaluatedExpression]:
    """Evaluate every expression of a graph request, bottom of the stack first.

    Percentiles of which nothing is known are told as a line without data: an empty chart could
    mean that there is no such histogram, where there is one without buckets.
    """
    styles = parse_styles(
        wanted.program, wanted.zones[0], unstable=wanted.unstable, common=wanted.common
    )
    found = evaluate_expressions(styles, database, wanted.window, now_ms=now_ms)
    return [_told(expression, wanted.window.steps) for expression in found]


def _told(expression: EvaluatedExpression, steps: int) -> EvaluatedExpression:
    unknown = isinstance(expression.style.expr, Percentiles) and not len(expression.lines)
    return replace(expression, lines=no_data(steps)) if unknown else expression
