"""Where pages get their data: one client and one feed for each address, shared by all sessions."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from dashboards.feed import Feed, Reading, system_now_ms
from tocsin.client.client import ApiClient
from tocsin.client.graphs import Graph
from tocsin.client.shapes import (
    Health,
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
SLACK_PREVIEW_URL = "TOCSIN_SLACK_PREVIEW_URL"
_DEFAULT_API_URL = "http://127.0.0.1:7101"
_TIMEOUT_S = 3.0


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


def incidents() -> Reading[list[IncidentSummary]]:
    """Return all incidents, newest first."""
    return _ask("incidents", lambda: sorted(api().incidents(), key=lambda i: -i["opened_ms"]))


def incident(incident_id: str) -> Reading[Incident]:
    """Return one incident."""
    return _ask(f"incident {incident_id}", lambda: api().incident(incident_id))


def slos() -> Reading[list[Slo]]:
    """Return the objectives."""
    return _ask("slos", api().slos)


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


def _ask(key: str, fetch: Callable[[], T]) -> Reading[T]:
    return _feed_of(api().base_url).read(key, fetch)


@st.cache_resource(max_entries=8, on_release=ApiClient.close)
def _api_at(url: str) -> ApiClient:
    return ApiClient(url, timeout_s=_TIMEOUT_S)


@st.cache_resource(max_entries=8, on_release=SlackPreviewClient.close)
def _slack_at(url: str) -> SlackPreviewClient:
    return SlackPreviewClient(url, timeout_s=_TIMEOUT_S)


@st.cache_resource(max_entries=16)
def _feed_of(url: str) -> Feed:
    del url  # only the cache's key: each address has its own last good answers
    return Feed()
