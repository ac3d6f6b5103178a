"""The rooms inside ``collectors`` import one way: api → receivers, store → stacklang → ground."""

from __future__ import annotations

from tests.architecture.house import against

GROUND = {"", "host"}
"""Shapes, limits, clocks, errors: files that stand in no room; and what the machine does to us."""

LANGUAGE = {"stacklang/text"}
LINES = LANGUAGE | {"stacklang/predicates", "stacklang/lines"}
EXPRESSIONS = LINES | {"stacklang/numeric", "stacklang/expressions", "stacklang"}

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
    "stacklang/expressions": GROUND | EXPRESSIONS,
    "stacklang/program": GROUND | EXPRESSIONS,
    "stacklang/words": GROUND | EXPRESSIONS | {"stacklang/program"},
    "stacklang/evaluation": GROUND | EXPRESSIONS | {"stacklang/words", "stacklang/testing"},
    "stacklang/testing": GROUND | LINES | {"stacklang/numeric"},
    # The store answers the language and knows nothing of who delivers.
    "history": GROUND | {"stacklang/predicates"},
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
    "store": GROUND | LINES | {"store"},
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
    "receivers/testing": GROUND | {"receivers"},
    "traces": GROUND | {"stacklang/predicates"},
    "traces/history": GROUND | {"history", "traces"},
    "graph": GROUND | {"stacklang/text", "stacklang/numeric"},
    "api": GROUND | {"api", "changes", "graph", "receivers", "stacklang", "traces"},
    "api/work": GROUND,
    "api/formats": GROUND | {"graph", "stacklang/text"},
}
"""Room to the rooms that it may import from; a room stands for what is in it, too."""


def test_rooms_import_in_the_direction_of_the_house() -> None:
    """A room that knows the one above it can't be read, tested or replaced by itself."""
    assert against(ALLOWED, "collectors") == []
