"""Where pages get their data: one client and one feed for each address, shared by all sessions."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st

from dashboards.feed import Feed, Reading, system_now_ms
from dashboards.telemetry.conventions import NAMES, convention_of
from dashboards.telemetry.instruments import Instrument, instruments_of
from dashboards.telemetry.service_panels import query_of
from dashboards.telemetry.services import Service, services_of
from dashboards.telemetry.words import equals, matches, one_of
from tocsin.client.board_shapes import Board
from tocsin.client.client import ApiClient
from tocsin.client.graphs import Graph
from tocsin.client.health_shapes import Health
from tocsin.client.metric_shapes import MetricNames, MetricTags, Word
from tocsin.client.sender_shapes import Sources
from tocsin.client.shapes import (
    AnnouncedChange,
    DetectorRow,
    Incident,
    IncidentSummary,
    ServiceMap,
    SlackChannel,
    Slo,
    Trace,
    TraceSummary,
)
from tocsin.client.slack_preview import SlackPreviewClient

T = TypeVar("T")

API_URL = "TOCSIN_API_URL"
API_TOKEN = "TOCSIN_API_TOKEN"  # noqa: S105 - the name of the variable that holds it
SLACK_PREVIEW_URL = "TOCSIN_SLACK_PREVIEW_URL"
_DEFAULT_API_URL = "http://127.0.0.1:7101"
_TIMEOUT_S = 3.0
# Which metrics and tags there are changes slowly; a new service waits at most so long.
_SLOW_MS = 10_000
_MAX_NAMES = 1_000
_MAX_INSTRUMENTS = 40
_MAX_SERVICES = 500
MAP_MINUTES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What follows a convention; ``left_out`` more metrics do and were not looked at."""

    found: tuple[Instrument, ...]
    left_out: int


def api() -> ApiClient:
    """Return the client of the API at ``TOCSIN_API_URL``."""
    return _api_at(os.environ.get(API_URL) or _DEFAULT_API_URL)


def slack() -> SlackPreviewClient | None:
    """Return the client of the local Slack server, None when there is none."""
    url = os.environ.get(SLACK_PREVIEW_URL)
    return _slack_at(url) if url else None


def now_ms() -> int:
    """Return the time now, epoch milliseconds."""
    return system_now_ms()


def retry() -> None:
    """Ask everything anew at the next read."""
    _feed_of(api().base_url).forget()
    _feed_of(os.environ.get(SLACK_PREVIEW_URL, "")).forget()


def health() -> Reading[Health]:
    """Return what the server says of itself."""
    return _ask("health", api().health)


def release() -> None:
    """Close all connections and forget all answers."""
    _api_at.clear()
    _slack_at.clear()
    _feed_of.clear()


def senders() -> Reading[Sources]:
    """Return who sends what."""
    return _ask("senders", api().sources)


def incidents() -> Reading[list[IncidentSummary]]:
    """Return all incidents, newest first."""
    return _ask("incidents", lambda: sorted(api().incidents(), key=lambda i: -i["opened_ms"]))


def incident(incident_id: str) -> Reading[Incident]:
    """Return one incident."""
    return _ask(f"incident {incident_id}", lambda: api().incident(incident_id))


def slos() -> Reading[list[Slo]]:
    """Return the objectives."""
    return _ask("slos", api().slos)


def boards() -> Reading[list[Board]]:
    """Return the operator's dashboards."""
    return _ask("boards", api().dashboards)


def tag_values(tag: str, query: str) -> Reading[list[str]]:
    """Return the values of a tag among the series that match; an empty query matches all."""
    return _ask(f"tag {tag} {query}", lambda: api().tags(tag, query=query or None), _SLOW_MS)


def instruments() -> Reading[Instruments]:
    """Return the metrics that follow a convention, with the services that have them."""

    def ask() -> Instruments:
        names = api().metrics(query=matches("name", NAMES), limit=_MAX_NAMES)
        following = [row["name"] for row in names["metrics"] if convention_of(row["name"])]
        tags = {
            name: api().metric_tags(equals("name", name), limit=_MAX_SERVICES)
            for name in following[:_MAX_INSTRUMENTS]
        }
        return Instruments(
            found=instruments_of(tags, _with_buckets(following)),
            left_out=max(0, len(following) - _MAX_INSTRUMENTS) + names["left_out"],
        )

    return _ask("instruments", ask, _SLOW_MS)


def _with_buckets(names: Sequence[str]) -> frozenset[str]:
    """Return which counts of classic histograms have buckets: summaries have none."""
    counts = [name for name in names if name.endswith("_count")]
    buckets = {f"{name.removesuffix('_count')}_bucket": name for name in counts}
    asked = api().metrics(query=one_of("name", buckets), limit=_MAX_NAMES) if buckets else None
    rows = asked["metrics"] if asked else []
    return frozenset(buckets[row["name"]] for row in rows if row["name"] in buckets)


def known_services() -> tuple[Service, ...]:
    """Return the services that metrics and spans name, as far as there are answers."""
    metrics = instruments().value
    return services_of(metrics.found if metrics else (), services(MAP_MINUTES).value)


def metrics_of(service: str) -> Reading[MetricNames]:
    """Return the metrics that a service sends."""
    asked = query_of(service)
    return _ask(f"metrics of {service}", lambda: api().metrics(query=asked, limit=1_000), _SLOW_MS)


def metrics(prefix: str, search: str) -> Reading[MetricNames]:
    """Return metrics by the beginning of their names and words in them."""
    return _ask(f"metrics {prefix} / {search}", lambda: api().metrics(prefix=prefix, search=search))


def metric_tags(query: str) -> Reading[MetricTags]:
    """Return the tags of the series that match, counted."""
    return _ask(f"metric-tags {query}", lambda: api().metric_tags(query))


def words_after(program: str) -> Reading[list[Word]]:
    """Return the words of the stack language that could follow a program."""
    return _ask(f"words {program}", lambda: api().complete(program), _SLOW_MS)


def changes(service: str, start_ms: int) -> Reading[list[AnnouncedChange]]:
    """Return the changes of a service since a time."""

    def ask() -> list[AnnouncedChange]:
        return api().changes(start_ms=start_ms, end_ms=now_ms(), service=service)

    return _ask(f"changes {service} {start_ms // 60_000}", ask)


def detectors() -> Reading[list[DetectorRow]]:
    """Return the series that detector rules watch."""
    return _ask("detectors", api().detectors)


def graph(query: str, start: str | int, end: str | int = "now") -> Reading[Graph]:
    """Return the lines of an expression."""
    return _ask(f"graph {query} {start} {end}", lambda: api().graph(query, start=start, end=end))


def services(minutes: int) -> Reading[ServiceMap]:
    """Return the service map of the last minutes."""

    def ask() -> ServiceMap:
        end_ms = now_ms()
        return api().services(start_ms=end_ms - minutes * 60_000, end_ms=end_ms)

    return _ask(f"services {minutes}", ask)


def traces(**criteria: str | int | float) -> Reading[list[TraceSummary]]:
    """Return the traces that match; see :meth:`tocsin.client.client.ApiClient.traces`."""
    return _ask(f"traces {sorted(criteria.items())}", lambda: api().traces(**criteria))


def trace(trace_id: str) -> Reading[Trace]:
    """Return one trace."""
    return _ask(f"trace {trace_id}", lambda: api().trace(trace_id))


def post_mortem(incident_id: str, form: str) -> Reading[str]:
    """Return a post-mortem as ``md`` or ``html``."""
    return _ask(
        f"post-mortem {incident_id} {form}", lambda: api().post_mortem(incident_id, form=form)
    )


def slack_channels(client: SlackPreviewClient) -> Reading[list[SlackChannel]]:
    """Return the local Slack server's channels."""
    return _feed_of(os.environ.get(SLACK_PREVIEW_URL, "")).read("channels", client.channels)


def _ask(key: str, fetch: Callable[[], T], max_age_ms: int | None = None) -> Reading[T]:
    return _feed_of(api().base_url).read(key, fetch, max_age_ms=max_age_ms)


@st.cache_resource(max_entries=8, on_release=ApiClient.close)
def _api_at(url: str) -> ApiClient:
    return ApiClient(url, timeout_s=_TIMEOUT_S, token=os.environ.get(API_TOKEN, ""))


@st.cache_resource(max_entries=8, on_release=SlackPreviewClient.close)
def _slack_at(url: str) -> SlackPreviewClient:
    return SlackPreviewClient(url, timeout_s=_TIMEOUT_S)


@st.cache_resource(max_entries=16)
def _feed_of(url: str) -> Feed:
    del url  # only the cache's key: each address has its own last good answers
    return Feed()
