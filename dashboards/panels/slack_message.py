"""One Slack message as Slack would show it: blocks, attachments, thread, buttons that press."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from dashboards import mrkdwn, sources
from dashboards.markdown import plain
from dashboards.zone import clock
from tocsin.client.errors import ClientError
from tocsin.client.slack.preview import SlackPreviewClient
from tocsin.client.slack.shapes import SlackMessage

Block = dict[str, Any]

_SAID = "slack-said"
_WIDTH = 760  # about as wide as Slack draws them
_OK = 200
_STYLES: dict[str, Literal["primary", "secondary"]] = {"primary": "primary"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who looks at which channel through which server: what a pressed button needs."""

    client: SlackPreviewClient
    channel: str
    user: str


def draw(reader: Reader, message: SlackMessage) -> None:
    """Draw a message with its thread."""
    key = f"message-{reader.channel}-{message['ts'].replace('.', '-')}"
    with st.container(border=True, width=_WIDTH, key=key):
        st.caption(f":material/smart_toy: {_head(message)}")
        _body(reader, message)
        if message["thread"]:
            count = len(message["thread"])
            words = f"{count} repl{'y' if count == 1 else 'ies'}"
            with st.expander(words, icon=":material/forum:", expanded=True):
                for reply in message["thread"]:
                    st.caption(_head(reply))
                    _body(reader, reply)


def said() -> None:
    """Say what became of the button that was pressed last."""
    kind, text = st.session_state.pop(_SAID, ("", ""))
    if kind == "error":
        st.error(plain(text), icon=":material/block:")
    elif kind == "done":
        st.toast(plain(text), icon=":material/check:")


def _head(message: SlackMessage) -> str:
    edited = " · edited" if message["edited_ts"] else ""
    when = clock(float(message["ts"]) * 1000)
    return f"**{plain(message['user'])}** · {when}{edited}"


def _body(reader: Reader, message: SlackMessage) -> None:
    attached = [b for part in message["attachments"] for b in part.get("blocks") or []]
    blocks: Sequence[Block] = [*message["blocks"], *attached]
    if not blocks:
        st.markdown(mrkdwn.to_markdown(message["text"]))
    for position, block in enumerate(blocks):
        if block.get("type") == "actions":
            _actions(reader, message["ts"], position, block)
        else:
            _text(block)


def _text(block: Block) -> None:
    kind = block.get("type")
    if kind == "header":
        st.markdown(f"#### {mrkdwn.text_of(block.get('text'))}")
    elif kind == "section":
        _section(block)
    elif kind == "context":
        # Not a caption: links in its pale text could hardly be read.
        words = " · ".join(mrkdwn.text_of(e) for e in block.get("elements", ()))
        st.markdown(f":small[{words}]")
    elif kind == "divider":
        st.divider()
    else:
        st.caption(f"(block of type {plain(str(kind))} is not drawn here)")


def _section(block: Block) -> None:
    if block.get("text"):
        st.markdown(mrkdwn.text_of(block["text"]))
    fields = block.get("fields") or []
    if fields:
        with st.grid(2, gap="small"):
            for field in fields:
                st.markdown(mrkdwn.text_of(field))


def _actions(reader: Reader, ts: str, position: int, block: Block) -> None:
    with st.container(horizontal=True):
        for element in block.get("elements", ()):
            kind, label = element.get("type"), mrkdwn.text_of(element.get("text"))
            if kind != "button":
                st.caption(f"({plain(str(kind))} is not drawn here)")
            elif element.get("url"):
                st.link_button(label, str(element["url"]))
            else:
                _button(reader, ts, f"press-{reader.channel}-{ts}-{position}", element)


def _button(reader: Reader, ts: str, place: str, element: Block) -> None:
    label, asked = mrkdwn.text_of(element.get("text")), element.get("confirm")
    action_id = str(element.get("action_id", ""))
    key = f"{place}-{action_id}"
    with ExitStack() as around:
        if isinstance(asked, dict):
            around.enter_context(st.popover(label, key=f"{key}-asked"))
            st.markdown(f"**{mrkdwn.text_of(asked.get('title'))}**")
            st.markdown(mrkdwn.text_of(asked.get("text")))
            label = mrkdwn.text_of(asked.get("confirm")) or label
        st.button(
            label,
            key=key,
            type=_STYLES.get(str(element.get("style")), "secondary"),
            help=f"Sends the signed interaction {action_id} as {reader.user}",
            on_click=_press,
            args=(reader, ts, action_id),
        )


def _press(reader: Reader, ts: str, action_id: str) -> None:
    try:
        answer = reader.client.click(
            channel=reader.channel, ts=ts, action_id=action_id, user=reader.user
        )
    except ClientError as error:
        st.session_state[_SAID] = ("error", f"{action_id}: {error.message}")
    else:
        good = answer.get("ok") and answer.get("status") == _OK
        text = f"{action_id}: the app answered {answer.get('status')}"
        st.session_state[_SAID] = ("done" if good else "error", text)
    sources.retry()
