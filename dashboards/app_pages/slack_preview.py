"""Slack preview: what the local Slack server received, with buttons that really press."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from dashboards.navigation import Page
from dashboards.panels import slack_message
from tocsin.client.slack.preview import SlackPreviewClient
from tocsin.client.slack.shapes import SlackChannel

PAGE = Page(title="Slack preview", icon=":material/forum:", order=7, group="Respond")

_LIVE_EVERY_S = 3
_MAX_MESSAGES = 50


def page() -> None:
    """Draw the channels live, or say that there is no local Slack server."""
    client = sources.slack()
    if client is None:
        states.empty(
            "No local Slack server. The demo starts one; with a real workspace, look there. "
            "Set TOCSIN_SLACK_PREVIEW_URL to point this page at one.",
            icon=":material/forum:",
        )
        return
    user = st.text_input(
        "Click as",
        key="actor",
        placeholder="Your name",
        persist_state="session",
        width=200,
        help="The Slack user in whose name buttons are pressed",
    )
    with states.loading():
        sources.slack_channels(client)
    st.fragment(_live, run_every=_LIVE_EVERY_S)(client, (user or "").strip() or "preview")


def _live(client: SlackPreviewClient, user: str) -> None:
    reading = sources.slack_channels(client)
    channels = states.value_or_notice(reading, "messages", key="slack")
    if channels is None:
        return
    slack_message.said()
    spoken = [channel for channel in channels if channel["messages"]]
    if not spoken:
        states.empty("No message so far: nothing has paged.", icon=":material/forum:")
        return
    for channel in spoken:
        with states.panel(f"Channel {channel['name']}"):
            _channel(client, channel, user)


def _channel(client: SlackPreviewClient, channel: SlackChannel, user: str) -> None:
    messages = channel["messages"]
    reader = slack_message.Reader(client=client, channel=channel["id"], user=user)
    st.subheader(f":material/tag: {plain(channel['name'])}", anchor=False)
    for message in reversed(messages[-_MAX_MESSAGES:]):
        slack_message.draw(reader, message)
    if len(messages) > _MAX_MESSAGES:
        st.caption(f"{len(messages) - _MAX_MESSAGES} older messages are not shown.")


page()
