"""Which of a service's metrics counts requests, and which of these have failed.

Names and codes are those of OpenTelemetry's semantic conventions (HTTP, RPC, messaging; stable and
older), of Prometheus's client libraries and exporters, and last what counters generally look like.
A failure is told by the server's side: a 4xx is the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tocsin.client.failures import (
    FAILED_WORDS,
    GRPC_NAMES,
    GRPC_NUMBERS,
    OUTCOME_LABELS,
    STATUS_LABELS,
)
from tocsin.starting.indicator import Indicator
from tocsin.starting.seen import Seen, Server

_HTTP_KEYS = ("http.response.status_code", "http.status_code", *STATUS_LABELS)
_OUTCOME_KEYS = (*OUTCOME_LABELS, "success")
_HTTP_CODE = re.compile(r"[1-5](\d\d|xx|XX)")
_OUR_OWN = re.compile(r"^(promhttp_metric_handler|tocsin\.|prometheus_|scrape_)")
_COUNTER = re.compile(r"(_total|_count|\.requests|\.count)$")
_REQUESTS = re.compile(r"request|call|handled|order|start|job|task|message|operation")
_ERRORS = re.compile(r"^(.*?)[._]?(errors?|failures?|failed)(_total)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Convention:
    """A histogram of a semantic convention and the attribute that tells failures."""

    metric: str
    key: str
    failed: tuple[str, ...] = ()  # none: HTTP status codes that begin with 5
    what: str = "requests"


_CONVENTIONS = (
    _Convention(metric="http.server.request.duration", key="http.response.status_code"),
    _Convention(metric="http.server.duration", key="http.status_code"),
    _Convention(
        metric="rpc.server.call.duration", key="rpc.response.status_code", failed=GRPC_NAMES
    ),
    _Convention(metric="rpc.server.duration", key="rpc.grpc.status_code", failed=GRPC_NUMBERS),
)


def availability(server: Server, seen: Seen) -> Indicator | None:
    """Return how to tell the service's failures, by the best of its metrics; None if none does."""
    return next(_found(server, seen), None)


def _found(server: Server, seen: Seen) -> Iterator[Indicator]:
    for convention in _CONVENTIONS:
        if convention.metric in seen.metrics:
            yield _by_convention(convention, seen)
    if "messaging.process.duration" in seen.metrics:
        yield _by_error_type("messaging.process.duration", seen)
    for metric in _counters(seen):
        yield from _by_tags(server, metric, seen)
    yield from _by_second_counter(seen)


def _by_convention(convention: _Convention, seen: Seen) -> Indicator:
    total = f"{seen.of(convention.metric)},statistic,count,:eq,:and"
    if convention.failed:
        failed = f"{convention.key},(,{','.join(convention.failed)},),:in"
        why = (
            f"{convention.key} of a server error ({', '.join(convention.failed[:6])}) is a failure"
        )
    else:
        failed = f"{convention.key},5,:starts"
        why = f"{convention.key} 5xx is a failure; 4xx is the caller's and counts as good"
    return _ratio(convention.metric, total, failed, why)


def _by_error_type(metric: str, seen: Seen) -> Indicator:
    total = f"{seen.of(metric)},statistic,count,:eq,:and"
    return _ratio(metric, total, "error.type,:has", "whatever carries error.type is a failure")


def _counters(seen: Seen) -> list[str]:
    """Return the metrics that look like counters of requests, the likeliest first."""
    found = [
        name
        for name in seen.metrics
        if not _OUR_OWN.search(name) and "client" not in name and not name.endswith("_bucket")
    ]
    return sorted(found, key=lambda name: (not _REQUESTS.search(name), not _COUNTER.search(name)))


def _by_tags(server: Server, metric: str, seen: Seen) -> Iterator[Indicator]:
    total = seen.of(metric)
    keys = server.tags(query=total)
    if "statistic" in keys and "count" in server.tags("statistic", query=total):
        total = f"{total},statistic,count,:eq,:and"
    for key in _HTTP_KEYS:
        values = server.tags(key, query=total) if key in keys else []
        if values and all(_HTTP_CODE.fullmatch(value) for value in values):
            why = f"{key} 5xx is a failure; 4xx is the caller's and counts as good"
            yield _ratio(metric, total, f"{key},5,:starts", why)
    if "grpc_code" in keys:
        failed = ",".join(GRPC_NAMES[:6])
        why = f"grpc_code of a server error ({failed.replace(',', ', ')}) is a failure"
        yield _ratio(metric, total, f"grpc_code,(,{failed},),:in", why)
    for key in _OUTCOME_KEYS:
        values = server.tags(key, query=total) if key in keys else []
        words = [value for value in values if value.lower() in FAILED_WORDS]
        if key == "success" and {value.lower() for value in values} <= {"true", "false"} and values:
            words = ["false"]
        if words:
            failed = f"{key},(,{','.join(words)},),:in"
            yield _ratio(metric, total, failed, f"{key} {' or '.join(words)} is a failure")


def _by_second_counter(seen: Seen) -> Iterator[Indicator]:
    """Yield a counter of errors beside one of all, such as ``orders`` and ``order_errors``."""
    for metric in seen.metrics:
        match = _ERRORS.match(metric)
        if match is None or not match[1]:
            continue
        stem = match[1].rstrip("s")
        for every in seen.metrics:
            if every != metric and re.fullmatch(
                re.escape(stem) + r"s?([._]requests)?(_total)?", every
            ):
                yield Indicator(
                    kind="availability",
                    title=f"{every} without an error",
                    metric=every,
                    part=f"{seen.of(metric)},:sum",
                    total=f"{seen.of(every)},:sum",
                    why=f"{metric} counts the failures among {every}",
                )


def _ratio(metric: str, total: str, failed: str, why: str) -> Indicator:
    return Indicator(
        kind="availability",
        title="requests answered without a server error",
        metric=metric,
        part=f"{total},{failed},:and,:sum",
        total=f"{total},:sum",
        why=why,
    )
