"""Every bound that a stranger, or a bad day, can reach: what happens at it, for the limits page.

The values are read from where they hold. A test says which public ``MAX_…`` is missing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from typing import Final

from collectors.limits import Limits
from tocsin.client.wording import duration, number
from tocsin.settings import setting_rows

SETTINGS: Final = (
    "max_body_bytes",
    "max_body_parts",
    "max_json_parts",
    "max_body_cpu",
    "header_timeout",
    "body_timeout",
    "write_timeout",
    "max_connections",
    "max_peer_connections",
    "max_series",
    "new_series_per_minute",
    "memory_bytes",
    "query_timeout",
    "query_memory",
    "query_concurrency",
    "query_processors",
    "hot_window",
    "history_retention",
    "trace_retention",
    "evaluation_delay",
    "late_data",
    "query_timeout",
    "query_memory",
    "query_concurrency",
    "query_processors",
    "ring_again",
)
"""The settings that are bounds."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound that is fixed in the code.

    Attributes:
        where: Module and constant, ``collectors.api.graph:MAX_LINES``.
        what: What it bounds.
        at: What happens at it.
    """

    where: str
    what: str
    at: str

    @property
    def value(self) -> str:
        """The bound with its unit, as it holds now."""
        module, _, name = self.where.partition(":")
        return _worded(name, getattr(import_module(module), name))


FIXED: Mapping[str, tuple[Bound, ...]] = {
    "Queries and answers": (
        Bound("collectors.api.parameters:MAX_QUERY_STRING_CHARS", "a query string", "413"),
        Bound("collectors.api.parameters:MAX_REPEATS", "one parameter given again", "400"),
        Bound("collectors.stacklang.text.lexer:MAX_PROGRAM_CHARS", "a program's text", "400"),
        Bound("collectors.stacklang.program.context:MAX_OPERATIONS", "words executed", "400"),
        Bound("collectors.stacklang.program.context:MAX_STACK_SIZE", "the stack", "400"),
        Bound("collectors.stacklang.program.context:MAX_CALL_DEPTH", "calls in calls", "400"),
        Bound("collectors.stacklang.program.sizes:MAX_SIZE", "an expression's nodes", "400"),
        Bound("collectors.stacklang.predicates.algebra:MAX_CLAUSES", "clauses of a predicate", "400"),
        Bound("collectors.patterns:MAX_PATTERN_CHARS", "a pattern's text", "400"),
        Bound("collectors.patterns:MAX_PATTERN_STEPS", "a pattern's program", "400, repeat less"),
        Bound("collectors.stacklang.evaluation.source:MAX_BASE_STEPS", "steps of data looked at", "400"),
        Bound("collectors.stacklang.evaluation.source:MAX_SHIFT_MS", "an offset", "400"),
        Bound("collectors.stacklang.evaluation.batch:MAX_POINTS", "lines × steps of an answer", "413, group, or a larger step"),
        Bound("collectors.store.history.metric_history:MAX_VALUES", "lines × columns from history", "400"),
        Bound("collectors.stacklang.numeric.rolling_window:MAX_DATAPOINTS", "a rolling window's points", "400"),
        Bound("collectors.stacklang.numeric.line_table:MAX_ABSENT_STEPS", "steps without a line", "its state is dropped"),
        Bound("collectors.stacklang.lines.layouts:MAX_LAYOUTS", "layouts of lines remembered", "all are made anew"),
        Bound("collectors.stacklang.text.text_format:MAX_WIDTH", "the width in a format", "400"),
        Bound("collectors.stacklang.text.text_format:MAX_TEXT", "what values put into a format", "400"),
        Bound("collectors.stacklang.text.substitution:MAX_TEXT", "a text with its variables filled in", "cut, with an ellipsis"),
        Bound("collectors.api.graph:MAX_LINES", "lines of a graph", "400, group or `:limit`"),
        Bound("collectors.api.graph:MAX_DATAPOINTS", "points of a graph", "400, a larger step"),
        Bound("collectors.api.graph_request:MAX_COLUMNS", "columns of a graph", "the step grows"),
        Bound("collectors.api.graph_request:MAX_STEP_MS", "a step", "400"),
        Bound("collectors.api.graph_request:MAX_PIXELS_ASKED", "pixels of a side asked for", "400"),
        Bound("collectors.api.graph_request:MAX_TEXT", "a title or label", "cut"),
        Bound("collectors.api.graph_request:MAX_ZONES", "time zones of a graph", "400"),
        Bound("collectors.graph.chart:MAX_WIDTH_PX", "width of an image", "drawn at this width"),
        Bound("collectors.graph.chart:MAX_HEIGHT_PX", "height of an image", "drawn at this height"),
        Bound("collectors.graph.chart:MAX_AXES", "axes of a graph", "drawn on one, with a warning"),
        Bound("collectors.graph.chart:MAX_LEGEND_LINES", "lines of a drawn legend", "the rest are counted"),
        Bound("collectors.graph.chart:MAX_ZOOM", "zoom of an image", "drawn at this zoom"),
        Bound("collectors.graph.palettes:MAX_CUSTOM_COLORS", "colours of a palette", "400"),
        Bound("collectors.api.charting:MAX_LINE_WIDTH_PX", "width of a line", "400"),
        Bound("collectors.api.fetching:MAX_COLUMNS", "columns of a fetch", "400"),
        Bound("collectors.api.fetching:MAX_STREAMS", "streams open at once", "503 with Retry-After"),
        Bound("collectors.api.evaluating:MAX_EXPRESSIONS", "expressions of a request", "400"),
        Bound("collectors.api.expressions:MAX_DEBUG_STEPS", "steps shown of a program", "400"),
        Bound("collectors.api.tags:MAX_RESULTS", "values of a page of tags", "the next page begins at the offset in a header"),
        Bound("collectors.api.metrics:MAX_NAMES", "names listed", "400"),
        Bound("collectors.api.metrics:MAX_VALUES", "values listed", "400"),
        Bound("collectors.api.metrics:MAX_COUNTED", "series counted for a listing", "said in the answer"),
        Bound("collectors.api.explaining:MAX_EXPLAINED", "series explained", "the answer says that there are more"),
        Bound("collectors.api.explaining:MAX_SENDERS", "senders explained", "the rest are counted"),
        Bound("collectors.api.exemplars:MAX_LIMIT", "exemplars of an answer", "400"),
        Bound("collectors.api.traces:MAX_TEXT", "a text looked for in spans", "cut"),
        Bound("collectors.api.traces:MAX_TIME_MS", "a moment asked for", "400"),
        Bound("collectors.api.comparing:MAX_DIFFERENCES", "differences of two sets of spans", "400"),
        Bound("collectors.traces.search:MAX_LIMIT", "traces of an answer", "400"),
        Bound("collectors.traces.store:MAX_COMPARED", "spans compared", "the first are"),
        Bound("collectors.traces.history.span_sql:MAX_SUMMARY_SPANS", "spans summed up from history", "the first are"),
        Bound("collectors.traces.history.span_history:MAX_OUTLINE_SPANS", "spans outlined from history", "the first are"),
        Bound("collectors.budget:MAX_ANSWER_BYTES", "text of an answer, as it is made", "422, fewer lines or shorter legends"),
        Bound("collectors.api.pages:MAX_ROWS", "rows of a page of a list", "400"),
        Bound("collectors.api.work.running:MAX_WAITING", "queries that wait", "503 with Retry-After"),
        Bound("collectors.api.work.running:MAX_TEXT", "a query's text in the list of queries", "cut"),
    ),
    "Receivers": (
        Bound("collectors.receivers.body:BODY_TIMEOUT_S", "time for a body to come", "400"),
        Bound("collectors.receivers.body:MAX_MEMBERS", "compressed streams of a body", "413"),
        Bound("collectors.receivers.work.opening:MAX_DEPTH", "nesting of a JSON body", "400"),
        Bound("collectors.receivers.work.lanes:MAX_WAITING", "large bodies that wait to be decoded", "503 with Retry-After"),
        Bound("collectors.receivers.work.refusals:MAX_KEPT", "refusals of a body told one by one", "the rest are counted"),
        Bound("collectors.store.wire.label_words:MAX_ROW_BYTES", "labels of a series", "it is refused"),
        Bound("collectors.receivers.attributes:MAX_NESTING", "nesting of an attribute", "it is refused, the rest is kept"),
        Bound("collectors.receivers.attributes:MAX_REMEMBERED", "attributes remembered as text", "all are made anew"),
        Bound("collectors.receivers.attributes:MAX_REMEMBERED_BYTES", "an attribute remembered", "made anew each time"),
        Bound("collectors.receivers.histogram_readings:MAX_BUCKETS", "buckets of a histogram", "it is refused"),
        Bound("collectors.receivers.streams:MAX_RESOURCE_BYTES", "a resource", "it is refused"),
        Bound("collectors.receivers.streams:MAX_WRITERS", "writers under one identity", "the most silent is forgotten"),
        Bound("collectors.receivers.streams:MAX_FORMERS", "former starts of a stream", "the oldest is forgotten"),
        Bound("collectors.receivers.streams:MAX_RECENT", "deltas a repetition is known by", "the oldest is forgotten"),
        Bound("collectors.receivers.meetings:MAX_SILENCE_MS", "silence of a stream in a sum", "it counts no more"),
        Bound("collectors.receivers.otlp.metrics:MAX_SOURCES", "resources remembered", "all are read anew"),
        Bound("collectors.receivers.otlp.metrics:MAX_SOURCE_BYTES", "a resource remembered", "read anew each time"),
        Bound("collectors.receivers.otlp.numbers:MAX_EXEMPLARS_PER_POINT", "exemplars of a point", "the rest are dropped"),
        Bound("collectors.receivers.otlp.numbers:MAX_QUANTILES", "quantiles of a summary", "the rest are dropped"),
        Bound("collectors.json_text:MAX_DEPTH", "levels of any other JSON body", "400"),
        Bound("collectors.receivers.atlas.payload:MAX_TABLE", "texts of a compact payload", "400"),
        Bound("collectors.receivers.spectator.lines:MAX_LINE_BYTES", "a line of a datagram", "it is refused"),
        Bound("collectors.receivers.spectator.registry:MAX_ORDERS", "orders of a meter's tags known", "others are read anew"),
        Bound("collectors.receivers.prometheus.exposition.memory:MAX_SERIES", "series of a target", "the scrape fails"),
        Bound("collectors.receivers.prometheus.exposition.memory:MAX_TYPES", "TYPE lines of a page", "the scrape fails"),
        Bound("collectors.receivers.prometheus.exposition.memory:MAX_SPARE_STARTS", "starts kept of counters", "all are forgotten, and read anew"),
        Bound("collectors.receivers.prometheus.exposition.tail:MAX_EXEMPLAR_CHARS", "labels of an exemplar", "it is dropped"),
        Bound("collectors.receivers.prometheus.scrape.discovery:MAX_DOCUMENT_BYTES", "a document of targets", "the old targets stay"),
        Bound("collectors.receivers.prometheus.scrape.discovery:TIMEOUT_S", "wait for it", "the old targets stay"),
        Bound("collectors.receivers.prometheus.scrape.scraper:MAX_TARGETS", "targets", "more are not scraped, and told"),
        Bound("collectors.receivers.prometheus.scrape.scraper:MAX_SHOWN_DROPPED", "dropped targets listed", "the rest are counted"),
        Bound("collectors.receivers.sources.ledger:MAX_SOURCES", "senders listed", "the most silent makes room, counted"),
        Bound("collectors.receivers.sources.ledger:MAX_REASONS", "reasons kept of a sender", "others are counted together"),
        Bound("collectors.receivers.sources.arrival:MAX_NAMED", "series named of an arrival", "the rest are counted"),
        Bound("collectors.metric_units:MAX_UNITS", "units remembered", "the oldest makes room"),
        Bound("collectors.traces.exemplars:MAX_SERIES", "series with exemplars", "the oldest makes room"),
        Bound("collectors.changes.reader:MAX_BODY_BYTES", "a body of changes", "413"),
        Bound("collectors.changes.reader:MAX_CHANGES", "changes of a request", "413"),
        Bound("collectors.changes.reader:MAX_TAGS", "tags of a change", "the change is refused"),
        Bound("collectors.changes.reader:MAX_KEY_LENGTH", "a key of a change's tags", "the change is refused"),
        Bound("collectors.changes.reader:MAX_FUTURE_MS", "how far ahead a change may be", "the change is refused"),
        Bound("collectors.changes.store:MAX_KEPT", "changes kept", "the oldest makes room"),
        Bound("collectors.api.changes:MAX_LISTED", "changes listed", "the newest are"),
    ),
    "Judging": (
        Bound("anomaly.groups:MAX_GROUPS", "groups of a rule", "more are not watched, and told"),
        Bound("anomaly.open_findings:MAX_RESOLVED", "ended findings kept", "the oldest goes"),
        Bound("anomaly.engine.engine:MAX_WAIT_MS", "wait for a silent sender", "the step is judged without"),
        Bound("anomaly.engine.engine:MAX_LATE_MS", "lateness that is judged again", "counted as too late"),
        Bound("anomaly.rules.rule:MAX_BACK_MS", "how far back judging goes again", "counted as too late"),
        Bound("anomaly.slo.burn:MAX_CHANCE", "chance that a young objective's page is luck", "it waits for more events"),
        Bound("collectors.stacklang.evaluation.streaming:MAX_CATCH_UP_STEPS", "steps caught up at once", "older are left out"),
        Bound("anomaly.evidence.causes:MAX_SUSPECTS", "suspects of a finding", "the likeliest are told"),
        Bound("anomaly.evidence.near_changes:MAX_CANDIDATES", "changes of a finding", "the nearest are told"),
        Bound("anomaly.evidence.exemplars:MAX_EXEMPLARS", "traces of a finding", "the newest are told"),
        Bound("anomaly.evidence.seeking:MAX_PAUSE_STEPS", "steps between looks for a lasting finding's evidence", "looked for again"),
        Bound("anomaly.evidence.seeking:MAX_REMEMBERED", "findings whose evidence is remembered", "the oldest makes room"),
        Bound("anomaly.slo.documents.metadata:MAX_DESCRIPTION", "an objective's description", "a mistake of the file"),
    ),
    "Access": (
        Bound("tocsin.access.tokens:MAX_TOKENS", "tokens kept, revoked ones too", "no more are made"),
        Bound("tocsin.access.tokens:MAX_NAME", "a token's name", "refused"),
        Bound("tocsin.access.audit:MAX_BYTES", "a file of the audit log", "a new one; the one before is kept"),
        Bound("tocsin.access.audit:MAX_LISTED", "entries of the audit log listed", "the newest are"),
    ),
    "Incidents and pages": (
        Bound("runbooks.desk.desk:MAX_RING_AGAIN_S", "pause between rings of a page", "rings again"),
        Bound("runbooks.desk.waiting:MAX_WAITING", "findings that wait for the desk", "more are dropped, counted in `/health`"),
        Bound("runbooks.desk.desk:MAX_AT_ONCE", "findings taken in at once", "the rest come next"),
        Bound("runbooks.desk.crowds:MAX_NAMED", "findings that an incident names", "the rest are counted"),
        Bound("runbooks.desk.crowds:MAX_NAMED_OF_RULE", "of them of one rule", "the rest are counted"),
        Bound("runbooks.desk.crowds:MAX_CROWDS", "rules whose findings an incident counts apart", "others are counted together"),
        Bound("runbooks.desk.desk:MAX_STOP_S", "wait for the desk at the end", "the process ends"),
        Bound("runbooks.desk.intake:MAX_LOOSE", "findings kept that belong to no incident", "the oldest goes"),
        Bound("runbooks.desk.intake:MAX_ALIKE", "decisions alike that are kept one by one", "the rest are counted"),
        Bound("runbooks.paging.courier:MAX_AGE_MS", "a page that can't be delivered", "given up, a finding about ourselves"),
        Bound("runbooks.paging.courier:MAX_BACKOFF_MS", "pause between attempts", "tried again"),
        Bound("runbooks.paging.outbox:MAX_TEXT", "a message's text", "cut"),
        Bound("runbooks.paging.outbox:MAX_REASON", "a reason kept", "cut"),
        Bound("runbooks.paging.outbox:MAX_REPLIES", "thread lines of a message that wait", "the rest are counted in the last"),
        Bound("runbooks.api.commands:MAX_BODY_BYTES", "a command's body", "413"),
        Bound("runbooks.api.commands:MAX_TEXT", "a note's text", "400"),
        Bound("runbooks.api.commands:MAX_ACTOR", "a name", "400"),
        Bound("runbooks.api.oncall:MAX_DAYS", "days of a schedule", "400"),
        Bound("runbooks.api.views:MAX_CHARTS", "charts of an incident", "the first are shown"),
        Bound("runbooks.alerts.decision_log:MAX_LISTED", "decisions listed", "the newest are"),
        Bound("runbooks.alerts.decision_log:MAX_KEPT", "decisions kept", "the oldest go"),
        Bound("runbooks.automation.loading:MAX_STEPS", "steps of a runbook", "a mistake of the file"),
        Bound("runbooks.notifiers.slack:MAX_PAGES", "pages of channels read from Slack", "tried again a minute later"),
        Bound("runbooks.notifiers.slack_interactions:MAX_BODY_BYTES", "a press from Slack", "413"),
        Bound("runbooks.notifiers.slack_interactions:MAX_AGE_S", "a press's age", "401"),
        Bound("runbooks.notifiers.slack_layout:MAX_BLOCKS", "blocks of a Slack message", "cut"),
        Bound("runbooks.notifiers.card:MAX_EVIDENCE", "evidence of a card", "the first is shown"),
        Bound("runbooks.notifiers.card:MAX_LABEL", "a label of a card", "cut"),
    ),
}  # fmt: skip

_WHY = {
    "Queries and answers": "A query is a program that a stranger writes; what it may cost is decided before it is paid.",
    "Receivers": "A sender that is broken or hostile must not cost the others their data: it alone is refused, and told why.",
    "Judging": "A rule over a tag with a million values must not cost the other rules their second.",
    "Access": "Who may ask is decided before a request is read.",
    "Incidents and pages": "What people are told stays readable, and a way that fails must not hold up the others.",
}  # fmt: skip


def limits_page() -> str:
    """Return the page as Markdown."""
    return "".join([_HEAD, *_settings(), *_shared(), *_fixed()])


def _settings() -> Iterator[str]:
    yield "\n## Set by you\n\n| setting | default | meaning |\n|---|---|---|\n"
    rows = {row.name: row for row in setting_rows()}
    for name in SETTINGS:
        yield f"| `{name}` | `{rows[name].default}` | {rows[name].description} |\n"


def _shared() -> Iterator[str]:
    """Yield the table that receivers and stores share, by the sections of its description."""
    defaults = {field.name: field.default for field in fields(Limits)}
    for heading, rows in _sections(Limits.__doc__ or ""):
        yield f"\n## {heading}\n\n| bound | default | meaning |\n|---|---|---|\n"
        for name, text in rows:
            yield f"| `{name}` | {_worded(name, defaults[name])} | {text} |\n"


def _fixed() -> Iterator[str]:
    for heading, bounds in FIXED.items():
        yield f"\n## {heading}\n\n{_WHY[heading]}\n\n| bound on | at most | then |\n|---|---|---|\n"
        for bound in bounds:
            yield f"| {bound.what} | {bound.value} | {bound.at} |\n"


def _sections(text: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the headings of a docstring with their names and what is said of each."""
    for heading, body in re.findall(r"^    ([A-Z]\w+):\n((?: {8}.*\n?)+)", text, re.MULTILINE):
        rows = re.findall(r"^ {8}(\w+): ((?:.|\n {12})+)", body, re.MULTILINE)
        yield heading, [(name, " ".join(said.split())) for name, said in rows]


def _worded(name: str, value: object) -> str:
    """Return a bound with the unit that its name ends in.

    >>> _worded("MAX_AGE_MS", 90_000)
    '1 min 30 s'
    >>> _worded("max_body_bytes", 64 << 20)
    '64 MiB'
    """
    if not isinstance(value, int | float):
        return f"`{value}`"
    match name.lower().rpartition("_")[2]:
        case "bytes":
            size, unit = next((u for u in _SIZES if value >= u[0]), _SIZES[-1])
            return f"{number(value / size)} {unit}"
        case "ms":
            return duration(value / 1_000)
        case "s":
            return duration(value)
        case _:
            return f"{value:,}"


_SIZES = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes"))


_HEAD = """# Limits

Nobody who reaches a port may make the alarm slow, stop it or silence it. So everything that a stranger can ask or send has a bound, and so has
everything that is kept. At a bound tocsin either refuses with a reason (the status stands below; the body says the offending value and what to do)
or lets the oldest go and counts it; it never forgets in silence. Bounds are on *work* and not only on bytes: what a body unpacks to, what a
pattern costs a character, how many points an answer has. What judges and pages is never in the same queue as what strangers ask.

`scripts/attack` tries them on a real server; [the threat model](threat-model.md) says against whom they stand. This page is generated from the
settings and from the code in which the bounds hold.
"""
