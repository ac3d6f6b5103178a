"""Connections of this process: to the API for each viewer, and to the local Slack server."""

from __future__ import annotations

import os

import streamlit as st

from dashboards.asking.shared import Shared
from dashboards.feed import Feed
from dashboards.login.viewer import asks_as
from tocsin.client.client import ApiClient
from tocsin.client.slack.preview import SlackPreviewClient

API_URL = "TOCSIN_API_URL"
API_CA = "TOCSIN_API_CA"
SLACK_PREVIEW_URL = "TOCSIN_SLACK_PREVIEW_URL"
_DEFAULT_API_URL = "http://127.0.0.1:7101"
_TIMEOUT_S = 3.0
# Whoever acts wants to know what came of it, and does not wait at a page that stands still.
_ACTING_TIMEOUT_S = 20.0
# Weeks are read from the disk.
_PATIENT_TIMEOUT_S = 20.0
_MAX_VIEWERS = 64


def shared() -> Shared:
    """Return what all tabs of the viewer share."""
    # What one viewer may see another may not: each token has answers of its own.
    return _shared_by(_api_url(), *asks_as())


def acting_api() -> ApiClient:
    """Return a client for what people do: it waits longer, in a thread of its own."""
    return _api_at(_api_url(), *asks_as(), _ACTING_TIMEOUT_S)


def patient_api() -> ApiClient:
    """Return a client for what takes its time."""
    return _api_at(_api_url(), *asks_as(), _PATIENT_TIMEOUT_S)


def slack() -> SlackPreviewClient | None:
    """Return the client of the local Slack server, None when there is none."""
    url = os.environ.get(SLACK_PREVIEW_URL)
    return _slack_at(url) if url else None


def slack_feed() -> Feed:
    """Return the answers of the local Slack server."""
    return _slack_feed_of(os.environ.get(SLACK_PREVIEW_URL, ""))


def release() -> None:
    """Close all connections and forget all answers."""
    for kept in (_api_at, _slack_at, _slack_feed_of, _shared_by):
        kept.clear()


def _api_url() -> str:
    return os.environ.get(API_URL) or _DEFAULT_API_URL


@st.cache_resource(max_entries=2 * _MAX_VIEWERS, on_release=Shared.close)
def _shared_by(url: str, token: str, person: str) -> Shared:
    ca = os.environ.get(API_CA, "")
    return Shared.of(url, token=token, person=person, ca=ca, timeout_s=_TIMEOUT_S)


@st.cache_resource(max_entries=2 * _MAX_VIEWERS, on_release=ApiClient.close)
def _api_at(url: str, token: str, person: str, timeout_s: float) -> ApiClient:
    ca = os.environ.get(API_CA, "")
    return ApiClient(url, timeout_s=timeout_s, token=token, person=person, ca=ca)


@st.cache_resource(max_entries=8, on_release=SlackPreviewClient.close)
def _slack_at(url: str) -> SlackPreviewClient:
    return SlackPreviewClient(url, timeout_s=_TIMEOUT_S)


@st.cache_resource(max_entries=8)
def _slack_feed_of(url: str) -> Feed:
    del url  # only the cache's key
    return Feed()
