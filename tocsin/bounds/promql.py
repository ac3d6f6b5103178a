"""What bounds PromQL and what speaks it."""

from __future__ import annotations

from typing import Final

from tocsin.bounds.bound import Bound

PROMQL: Final = (
    Bound("collectors.promql.language.tokens:MAX_EXPRESSION_CHARS", "a PromQL expression's text", "400"),
    Bound("collectors.promql.language.parsing:MAX_EXPRESSION_DEPTH", "PromQL expressions in each other", "400"),
    Bound("collectors.promql.language.durations:MAX_DURATION_MS", "a PromQL duration", "400"),
    Bound("collectors.promql.vectors.context:MAX_QUERY_POINTS", "steps of a PromQL range", "422, a larger step"),
    Bound("collectors.promql.evaluation.evaluator:MAX_SUBQUERY_POINTS", "steps of a PromQL subquery", "422, a larger step"),
    Bound("collectors.promql.operators.aggregating:MAX_COUNTED_VALUES", "values that `count_values` tells apart", "422"),
    Bound("collectors.promql.vectors.annotations:MAX_ANNOTATIONS", "warnings, and infos, of an answer", "the rest is left out"),
    Bound("collectors.api.prometheus.forms:MAX_FORM_BYTES", "the form of a PromQL query", "413"),
    Bound("collectors.api.prometheus.exporting:MAX_READ_BYTES", "a request of remote read", "413"),
    Bound("collectors.api.prometheus.exporting:MAX_READ_QUERIES", "queries of a remote read", "413"),
    Bound("collectors.promql.notation.series:MAX_NOTED_VALUES", "values that a line of a rule test expands to", "refused"),
    Bound("tocsin.boards.grafana.reading:MAX_DASHBOARD_BYTES", "a saved dashboard of Grafana", "refused"),
)  # fmt: skip
