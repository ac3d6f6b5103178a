"""``GET /api/v1/explain``: who feeds the series of an expression, and what of that is no tag.

Of OTLP: whose resources have more attributes than a series has tags, and whose streams may meet in
one series.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from collectors.api.answers import answering, json_response
from collectors.api.expressions import drawable
from collectors.api.parameters import Parameters, refuse
from collectors.api.work.workers import Workers
from collectors.model import Tags
from collectors.receivers.streams import Family, Stream
from collectors.stacklang.predicates.predicate import Query
from collectors.stacklang.words.vocabularies import interpreter

MAX_EXPLAINED = 100
MAX_SENDERS = 20
_MAX_SHOWN_CHARS = 255


def explain_routes(
    families: Callable[[], Sequence[Family]], workers: Workers | None = None
) -> list[Route]:
    """Return the route that tells of the streams in ``families``.

    Args:
        families: All that is remembered of what was sent.
        workers: Threads to look in; own ones if None.
    """

    def explain(request: Request) -> Response:
        stack = interpreter("custom").execute(Parameters.of(request).required("q"))
        queries = {data.query for style in drawable(stack) for data in style.expr.data_exprs}
        queries |= {item for item in stack if isinstance(item, Query)}
        if not queries:
            raise refuse("expected an expression that asks for series, such as name,cpu,:eq")
        found = list(_found(families(), queries))
        return json_response({"series": found[:MAX_EXPLAINED], "more": len(found) > MAX_EXPLAINED})

    answer = answering(explain, workers or Workers())
    return [Route("/api/v1/explain", answer, methods=["GET"])]


def _found(families: Sequence[Family], queries: set[Query]) -> Iterator[dict[str, object]]:
    """Yield what feeds each set of tags that matches, one more than are shown at most."""
    told: set[int] = set()
    for family in families:
        for key, stream in list(family.streams.items()):
            place = id(stream.meeting or stream)
            if key != stream.key or place in told:
                continue
            series = [tags for tags in stream.variants() if any(q.matches(tags) for q in queries)]
            if not series:
                continue
            told.add(place)
            yield _explained(stream, series)
            if len(told) > MAX_EXPLAINED:
                return


def _explained(stream: Stream, series: Sequence[Tags]) -> dict[str, object]:
    meeting = stream.meeting
    streams = [stream] if meeting is None else cast("list[Stream]", list(meeting.streams))
    return {
        "tags": dict(stream.tags),
        "statistics": sorted({tags["statistic"] for tags in series if "statistic" in tags}),
        "merged": _merged(stream),
        "note": _note(stream),
        "senders": [_sender(one) for one in streams[:MAX_SENDERS]],
        "senderCount": len(streams),
    }


def _note(stream: Stream) -> str:
    distributes = stream.family is not None and stream.family.weight > 1
    if distributes and not any("percentile" in tags for tags in stream.variants()):
        return "histogramUnbounded"
    return ""


def _merged(stream: Stream) -> str:
    """Return what becomes of several senders, "" with one."""
    if stream.meeting is None:
        return ""
    accumulates = stream.family is not None and stream.family.accumulates
    return "summed" if accumulates or stream.meeting.adds else "newest"


def _sender(stream: Stream) -> dict[str, object]:
    source = stream.family.source if stream.family else None
    reasons = {**(source.resource.dropped if source else {}), **stream.dropped}
    sent = source.sent if source else {}
    return {
        "scope": source.scope if source else "",
        "lastMs": stream.last_ms,
        "dropped": [
            {"attribute": key, "value": sent.get(key, "")[:_MAX_SHOWN_CHARS], "reason": reason}
            for key, reason in sorted(reasons.items())
        ],
    }
