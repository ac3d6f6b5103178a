"""The rooms inside ``collectors`` import one way: api → receivers, store → stacklang → ground."""

from __future__ import annotations

from tests.architecture.house import against

GROUND = {"", "host"}
"""Shapes, limits, clocks, errors: files that stand in no room; and what the machine does to us."""

LANGUAGE = {"stacklang/text"}
LINES = LANGUAGE | {"stacklang/predicates", "stacklang/lines"}
EXPRESSIONS = LINES | {"stacklang/numeric", "stacklang/expressions", "stacklang"}

PROMQL_TEXT = {"promql/labels", "promql/language"}
PROMQL_VALUES = PROMQL_TEXT | {"promql/samples", "promql/vectors"}

ALLOWED: dict[str, set[str]] = {
    "": set(),
    "host": {""},
    "changes": GROUND,
    "documents": GROUND,
    # A program is text, then words on a stack, then expressions over lines.
    "stacklang": LANGUAGE,
    "stacklang/text": GROUND,
    "stacklang/predicates": GROUND | LANGUAGE | {"stacklang"},
    "stacklang/lines": GROUND | LANGUAGE | {"stacklang/predicates"},
    "stacklang/numeric": GROUND | LINES,
    # An expression of the other language is one of this, too.
    "stacklang/expressions": GROUND | EXPRESSIONS | PROMQL_TEXT,
    "stacklang/program": GROUND | EXPRESSIONS,
    "stacklang/words": GROUND | EXPRESSIONS | {"stacklang/program"},
    "stacklang/evaluation": GROUND
    | EXPRESSIONS
    | PROMQL_VALUES
    | {"stacklang/words", "stacklang/testing", "promql/evaluation"},
    "stacklang/testing": GROUND | LINES | {"stacklang/numeric"},
    # The other language: a text, then nodes, then vectors over samples from anywhere.
    "promql": set(),
    "promql/labels": GROUND,
    "promql/language": GROUND | {"promql/labels"},
    "promql/samples": GROUND | {"promql/labels"},
    "promql/notation": GROUND | PROMQL_TEXT | {"promql/samples"},
    "promql/vectors": GROUND | PROMQL_VALUES,
    "promql/operators": GROUND | PROMQL_VALUES,
    "promql/functions": GROUND | PROMQL_VALUES | {"promql/operators"},
    "promql/evaluation": GROUND | PROMQL_VALUES | {"promql/operators", "promql/functions"},
    # Both languages, side by side.
    "translating": GROUND
    | EXPRESSIONS
    | PROMQL_TEXT
    | {"stacklang/evaluation", "stacklang/program", "translating"},
    # The store answers the language and knows nothing of who delivers.
    "history": GROUND | {"stacklang/predicates"},
    "history/testing": set(),
    "store/series": GROUND | {"stacklang/predicates"},
    "store/wire": GROUND | {"store/series"},
    "store/blocks": GROUND | LINES | {"store/series"},
    "store/intake": GROUND | {"store/series", "store/wire"},
    "store/log": GROUND | {"store/series", "store/wire", "store/blocks", "store/intake"},
    "store/history": GROUND
    | LINES
    | {"documents", "history", "store/blocks", "store/series"}
    # Policies name series by a predicate as users write it.
    | {"stacklang/program", "stacklang/words"},
    "store/testing": GROUND | {"store/blocks"},
    # It answers both languages.
    "store": GROUND | LINES | {"store", "promql/labels", "promql/samples"},
    # Receivers know the ground only: what they deliver to is a protocol.
    "receivers": GROUND | {"receivers/sources", "receivers/work"},
    # What a body costs: counted for all receivers.
    "receivers/work": GROUND,
    # What is counted is counted of a sender, whichever receiver counts.
    "receivers/sources": GROUND,
    "receivers/atlas": GROUND | {"receivers"},
    "receivers/otlp": GROUND | {"receivers"},
    "receivers/spectator": GROUND | {"receivers"},
    "receivers/prometheus": GROUND | {"receivers"},
    "receivers/prometheus/exposition": GROUND,
    "receivers/prometheus/scrape": GROUND | {"receivers", "documents"},
    "receivers/zipkin": GROUND | {"receivers"},
    "receivers/log_lines": GROUND | {"receivers"},
    # A time is written alike in both.
    "receivers/syslog": GROUND | {"receivers", "receivers/log_lines"},
    "receivers/testing": GROUND | {"receivers"},
    # Trees of spans, and the text of a query, know nothing of each other.
    "traces/tree": GROUND,
    "traces/traceql": GROUND,
    "traces/query": GROUND | {"traces/tree", "traces/traceql"},
    # Spans answer the language, as series do.
    "traces": GROUND | LINES | {"redacting", "traces/tree", "traces/traceql", "traces/query"},
    "traces/sessions": GROUND | {"traces/tree", "traces/traceql", "traces/query"},
    "traces/reach": GROUND | {"traces"},
    "traces/history": GROUND | {"history", "traces"},
    # Secrets are taken out of lines and of spans by the same rules.
    "redacting": GROUND | {"documents"},
    "logs": GROUND | {"redacting"},
    "logs/history": GROUND | {"history", "logs"},
    # Who keeps which series, and what the others answer for theirs.
    "cluster": GROUND | LINES | {"store/series"},
    "cluster/asking": GROUND
    | LINES
    | {"cluster", "promql/labels", "promql/samples", "store", "store/series"},
    "cluster/sharing": GROUND | {"cluster", "store", "store/series", "store/wire"},
    "cluster/network": GROUND | {"cluster", "cluster/asking", "cluster/sharing"},
    "cluster/testing": GROUND | {"cluster", "cluster/asking", "cluster/sharing", "store"},
    "graph": GROUND | {"stacklang/text", "stacklang/numeric"},
    "api": GROUND | {"api", "changes", "graph", "receivers", "stacklang", "traces"},
    "api/prometheus": GROUND
    | PROMQL_VALUES
    | {"api", "promql/evaluation", "receivers", "stacklang/predicates", "traces"},
    "api/logs": GROUND | {"api", "logs"},
    "api/tracing": GROUND | {"api", "traces"},
    "api/studies": GROUND | {"api", "traces"},
    "api/together": GROUND | {"api", "receivers"},
    "api/work": GROUND,
    "api/formats": GROUND | {"graph", "stacklang/text"},
}
"""Room to the rooms that it may import from; a room stands for what is in it, too."""


def test_rooms_import_in_the_direction_of_the_house() -> None:
    """A room that knows the one above it can't be read, tested or replaced by itself."""
    assert against(ALLOWED, "collectors") == []
