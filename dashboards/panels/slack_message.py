"""One Slack message as Slack would show it: blocks, attachments, thread, buttons that press."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st

from dashboards import mrkdwn, sources
from dashboards.phrasing import clock, plain
from tocsin.client import ClientError, SlackMessage, SlackPreviewClient

Block = dict[str, Any]

_SAID = "slack-said"
_WIDTH = 760  # about as wide as Slack draws them
_STYLES: dict[str, Literal["primary", "secondary"]] = {"primary": "primary"}


def draw(client: SlackPreviewClient, channel: str, message: SlackMessage, *, user: str) -> None:
    """Draw a message with its thread."""
    with st.container(
        border=True, width=_WIDTH, key=f"message-{channel}-{message['ts'].replace('.', '-')}"
    ):
        edited = " · edited" if message["edited_ts"] else ""
        st.caption(f":material/smart_toy: **{plain(message['user'])}** · {_when(message)}{edited}")
        _body(client, channel, message, user)
        if message["thread"]:
            count = len(message["thread"])
            words = f"{count} repl{'y' if count == 1 else 'ies'}"
            with st.expander(words, icon=":material/forum:", expanded=True):
                for reply in message["thread"]:
                    edited = " · edited" if reply["edited_ts"] else ""
                    st.caption(f"**{plain(reply['user'])}** · {_when(reply)}{edited}")
                    _body(client, channel, reply, user)


def said() -> None:
    """Say what became of the button that was pressed last."""
    kind, text = st.session_state.pop(_SAID, ("", ""))
    if kind == "error":
        st.error(plain(text), icon=":material/block:")
    elif kind == "done":
        st.toast(plain(text), icon=":material/check:")


def _when(message: SlackMessage) -> str:
    return f"{clock(float(message['ts']) * 1000)} UTC"


def _body(client: SlackPreviewClient, channel: str, message: SlackMessage, user: str) -> None:
    attached = [b for part in message["attachments"] for b in part.get("blocks") or []]
    blocks: Sequence[Block] = [*message["blocks"], *attached]
    if not blocks:
        st.markdown(mrkdwn.to_markdown(message["text"]))
    for position, block in enumerate(blocks):
        _block(client, channel, message["ts"], position, block, user)


def _block(
    client: SlackPreviewClient, channel: str, ts: str, position: int, block: Block, user: str
) -> None:
    kind = block.get("type")
    if kind == "header":
        st.markdown(f"#### {mrkdwn.text_of(block.get('text'))}")
    elif kind == "section":
        _section(block)
    elif kind == "context":
        st.caption(" · ".join(mrkdwn.text_of(e) for e in block.get("elements", ())))
    elif kind == "divider":
        st.divider()
    elif kind == "actions":
        with st.container(horizontal=True):
            for element in block.get("elements", ()):
                _button(client, channel, ts, f"{ts}-{position}", element, user)
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


def _button(
    client: SlackPreviewClient, channel: str, ts: str, place: str, element: Block, user: str
) -> None:
    if element.get("type") != "button":
        st.caption(f"({plain(str(element.get('type')))} is not drawn here)")
        return
    label = mrkdwn.text_of(element.get("text"))
    if element.get("url"):
        st.link_button(label, str(element["url"]))
        return
    action_id = str(element.get("action_id", ""))
    st.button(
        label,
        key=f"press-{channel}-{place}-{action_id}",
        type=_STYLES.get(str(element.get("style")), "secondary"),
        help=f"Sends the signed interaction {action_id} as {user}",
        on_click=_press,
        args=(client, channel, ts, action_id, user),
    )


def _press(client: SlackPreviewClient, channel: str, ts: str, action_id: str, user: str) -> None:
    try:
        answer = client.click(channel=channel, ts=ts, action_id=action_id, user=user)
    except ClientError as error:
        st.session_state[_SAID] = ("error", f"{action_id}: {error.message}")
    else:
        good = answer.get("ok") and answer.get("status") == 200
        text = f"{action_id}: the app answered {answer.get('status')}"
        st.session_state[_SAID] = ("done" if good else "error", text)
    sources.retry()
