"""What bounds questions about spans."""

from __future__ import annotations

from typing import Final

from tocsin.bounds.bound import Bound

TRACES: Final = (
    Bound("collectors.api.exemplars:MAX_LIMIT", "exemplars of an answer", "400"),
    Bound("collectors.api.traces:MAX_TEXT", "a text looked for in spans", "cut"),
    Bound("collectors.api.traces:MAX_TIME_MS", "a moment asked for", "400"),
    Bound("collectors.api.comparing:MAX_DIFFERENCES", "differences of two sets of spans", "400"),
    Bound("collectors.traces.search:MAX_LIMIT", "traces of an answer", "400"),
    Bound(
        "collectors.traces.reach.comparison:MAX_COMPARED",
        "spans compared",
        "those evenly spread are, and how many are left out is told",
    ),
    Bound(
        "collectors.traces.reach.comparison:MAX_OLD_COMPARED",
        "spans of history compared",
        "the newest are, which is told",
    ),
    Bound(
        "collectors.traces.reach.blocks:MAX_OLD_SPANS",
        "spans of history that a list of sessions or a funnel looks at",
        "those of the newest traces are, which is told",
    ),
    Bound("collectors.traces.heat:MAX_HEAT_COLUMNS", "columns of a heat map", "400"),
    Bound(
        "collectors.api.studies.stretch:MAX_STRETCH_MS",
        "the time of a heat map or a service map",
        "400",
    ),
    Bound(
        "collectors.traces.history.span_sql:MAX_SUMMARY_SPANS",
        "spans summed up from history",
        "the first are",
    ),
    Bound(
        "collectors.traces.redacting:MAX_REMEMBERED",
        "attributes of spans that are known to hold a secret or none",
        "all are judged anew",
    ),
    Bound(
        "collectors.traces.redacting:MAX_REMEMBERED_CHARS",
        "characters of these",
        "all are judged anew",
    ),
    Bound(
        "collectors.traces.history.span_history:MAX_OUTLINE_SPANS",
        "spans outlined from history",
        "the first are",
    ),
    Bound("collectors.traces.traceql.tokens:MAX_TRACEQL_CHARS", "a TraceQL query's text", "400"),
    Bound(
        "collectors.traces.traceql.parser:MAX_TRACEQL_DEPTH",
        "parentheses in each other in TraceQL",
        "400",
    ),
    Bound(
        "collectors.traces.traceql.parser:MAX_TRACEQL_TERMS",
        "comparisons and filters of a TraceQL query",
        "400",
    ),
    Bound(
        "collectors.traces.query.columns:MAX_COLUMNS",
        "attributes kept as columns of some traces",
        "all are made anew",
    ),
    Bound(
        "collectors.traces.query.held_blocks:MAX_BLOCK_SPANS",
        "spans of a block of columns",
        "blocks of a shorter time",
    ),
    Bound(
        "collectors.traces.query.held_blocks:MAX_BLOCKS",
        "blocks of columns kept",
        "all are made anew",
    ),
    Bound(
        "collectors.traces.query.vocabulary:MAX_VOCABULARY_SPANS",
        "spans looked at for names and values",
        "the newest are",
    ),
    Bound(
        "collectors.traces.history.span_history:MAX_CANDIDATES",
        "traces of history that are decided on one by one",
        "422, a shorter time or more attributes",
    ),
    Bound(
        "collectors.api.tracing.jaeger:MAX_JAEGER_TRACES",
        "traces of an answer of Jaeger's API",
        "400",
    ),
    Bound(
        "collectors.api.tracing.jaeger:MAX_JAEGER_SPANS",
        "spans of an answer of Jaeger's API",
        "the newest traces are told",
    ),
    Bound(
        "collectors.api.tracing.jaeger:MAX_TIME_US", "a moment asked for by Jaeger's clients", "400"
    ),
    Bound(
        "collectors.api.tracing.tempo:MAX_TEMPO_VALUES",
        "names or values of an answer of Tempo's API",
        "the commonest are told",
    ),
    Bound(
        "collectors.api.tracing.tempo:MAX_SPANS_PER_SPANSET",
        "spans told of a trace that a query finds",
        "400",
    ),
    Bound(
        "collectors.api.tracing.tempo:MAX_TIME_S", "a moment asked for by Tempo's clients", "400"
    ),
    Bound(
        "collectors.traces.span_lines:MAX_SPAN_LINES",
        "groups of spans of one expression",
        "400, fewer keys",
    ),
    Bound(
        "collectors.traces.span_lines:MAX_SPAN_CELLS",
        "lines × steps made of spans",
        "400, a shorter range or a larger step",
    ),
    Bound("collectors.traces.sessions.funnel:MAX_FUNNEL_STEPS", "steps of a funnel", "400"),
    Bound(
        "collectors.traces.sessions.funnel:MAX_SESSIONS",
        "sessions of a funnel",
        "400, a shorter time",
    ),
    Bound(
        "collectors.traces.sessions.funnel:MAX_EXAMPLES",
        "sessions named that stop at a step",
        "those that failed first",
    ),
    Bound("collectors.traces.sessions.listing:MAX_LISTED_SESSIONS", "sessions listed", "400"),
    Bound(
        "collectors.api.studies.sessions:MAX_SESSION_SPANS",
        "spans of the traces of a session",
        "the newest traces are told, and that there are more",
    ),
    Bound(
        "collectors.api.studies.sessions:MAX_SESSION_TRACES",
        "traces of a session",
        "the newest are told, and that there are more",
    ),
    Bound(
        "collectors.api.studies.sessions:MAX_KEY_CHARS", "the name of a session's attribute", "400"
    ),
    Bound(
        "collectors.api.studies.paths:MAX_PATHS", "traces whose critical paths are added up", "400"
    ),
    Bound(
        "collectors.api.studies.paths:MAX_PATH_PARTS",
        "operations of added-up paths",
        "those waited for longest",
    ),
    Bound(
        "collectors.api.studies.map_before:MAX_BEFORE_MS",
        "how far back a service map is compared",
        "400",
    ),
    Bound(
        "collectors.traces.tail:MAX_ROUTES",
        "kinds of traces told apart when the slow and the rare are kept",
        "the one seen longest ago is begun anew",
    ),
    Bound(
        "collectors.traces.exemplars:MAX_TRACES",
        "traces kept for longer because exemplars point to them",
        "those of the newest exemplars",
    ),
)
