"""All nodes as one database: what the API, both languages, the catalogue and the rules ask."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collectors.cluster.asking.fan_out import FanOut, Said
from collectors.cluster.asking.merging import (
    added_counts,
    added_tag_counts,
    merged_heard,
    merged_lines,
)
from collectors.cluster.asking.questions import (
    Question,
    heard_question,
    lines_of,
    lines_question,
    plain_fetch,
    query_question,
)
from collectors.cluster.asking.source import ClusterSource
from collectors.cluster.members import Membership
from collectors.limits import Limits
from collectors.missing import note_missing
from collectors.stacklang.lines.database import Fetch, Lines
from collectors.stacklang.lines.span_data import PERCENTILE, wanted_of_spans
from collectors.stacklang.predicates.predicate import Query
from collectors.store.arrivals import Heard, News
from collectors.store.bounds import check_size, check_window
from collectors.store.metric_store import MetricStore
from collectors.tag_counts import TagCounts

# Ids of series that other nodes hold: beyond any of this node's own.
_OTHERS_FROM = 1 << 30


class ClusterDatabase:
    """Answers from all nodes; see :class:`~collectors.stacklang.lines.database.Database`.

    What this node alone knows of all that is asked is answered by its own store.

    Args:
        fan_out: Asks the nodes.
        membership: Which there are.
        store: This node's own.
        limits: What an answer may be.
    """

    def __init__(
        self, fan_out: FanOut, membership: Membership, store: MetricStore, limits: Limits
    ) -> None:
        self._fan_out = fan_out
        self._membership = membership
        self._store = store
        self._limits = limits

    @property
    def step_ms(self) -> int:
        """The base step, milliseconds."""
        return self._store.step_ms

    def fetch(self, request: Fetch) -> Lines:
        """Answer ``request``: partial aggregates of all nodes, added up.

        Raises:
            QueryError: The window does not fit the base step, or the answer would be too large.
        """
        check_window(request.window, self.step_ms)
        wanted = wanted_of_spans(request.query)
        if wanted is not None:
            return self._of_spans(request, wanted)
        said = self._fan_out.gather(lines_question(request), request.window.start_ms)
        return self._merged(said, request)

    def _of_spans(self, request: Fetch, wanted: str) -> Lines:
        """Answer what is asked of spans, which stay on the node that received them."""
        if wanted.startswith(PERCENTILE):
            if len(self._membership.nodes()) > 1:
                note_missing(
                    "percentiles of spans do not add up: these are of the spans that node "
                    f"{self._membership.me} received"
                )
            return self._store.fetch(request)
        return self._merged(self._fan_out.everybody(lines_question(request)), request)

    def _merged(self, said: Sequence[Said], request: Fetch) -> Lines:
        lines = merged_lines([lines_of(one.frame) for one in said], request)
        check_size(len(lines.tags), request.window.steps, self._limits.max_fetch_values)
        return lines

    def samples(self) -> ClusterSource:
        """Return it as PromQL sees it."""
        return ClusterSource(self._fan_out)

    def heard(self, request: Fetch) -> Heard:
        """Return when the series that ``request`` matches were last heard of, by any node.

        Their order is that of :meth:`fetch` with every series by itself.
        """
        parts, others = [], _OTHERS_FROM
        for one in self._fan_out.gather(heard_question(request)):
            arrays, series = one.frame.arrays, one.frame.arrays["series"]
            if one.node != self._membership.me:
                # Ids are a node's own: what news this one has of its series is not of these.
                series = np.arange(others, others + len(series), dtype=np.int32)
                others += len(series)
            parts.append(
                Heard(
                    series=series,
                    line=arrays["line"],
                    tags=one.frame.head,
                    sender=arrays["sender"],
                    newest_ms=arrays["newest_ms"],
                )
            )
        return merged_heard(parts)

    def newest_ms(self, request: Fetch) -> int:
        """Return the end of the newest step in which any series that matches has a value, or 0."""
        question = Question(kind="newest_ms", arguments=plain_fetch(request))
        return max((int(one.frame.head) for one in self._fan_out.gather(question)), default=0)

    def take_news(self) -> News:
        """Return what was written to this node since the last call; of others nothing is told."""
        return self._store.take_news()

    def keys(self, query: Query) -> list[str]:
        """Return the tag keys of series that match, sorted."""
        said = self._fan_out.gather(query_question("keys", query))
        return sorted({key for one in said for key in one.frame.head})

    def values(self, key: str, query: Query, after: str = "", most: int | None = None) -> list[str]:
        """Return the least ``most`` values of ``key`` beyond ``after`` of series that match."""
        question = query_question("values", query, key=key, after=after, most=most)
        said = self._fan_out.gather(question)
        return sorted({value for one in said for value in one.frame.head})[:most]

    def value_counts(self, key: str, query: Query) -> dict[str, int]:
        """Return how many of the series that match have each value of ``key``."""
        said = self._fan_out.gather(query_question("value_counts", query, key=key))
        return added_counts([one.frame.head for one in said])

    def tag_counts(self, query: Query, most: int) -> TagCounts:
        """Return how many of the series that match have each tag, over ``most`` of each node."""
        said = self._fan_out.gather(query_question("tag_counts", query, most=most))
        return added_tag_counts([TagCounts(**one.frame.head) for one in said])
