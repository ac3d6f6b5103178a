"""Slack's mrkdwn as Markdown: bold, italics, strike, code, links, mentions, emoji.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from dashboards.markdown import code, escaped

_TOKEN = re.compile(
    r"```(?P<block>.+?)```|`(?P<code>[^`\n]+)`|<(?P<link>[^<>\n]+)>"
    r"|(?<!\w)\*(?P<bold>[^*\n]+)\*(?!\w)|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)"
    r"|(?<!\w)~(?P<strike>[^~\n]+)~(?!\w)|:(?P<emoji>[a-z0-9_+-]+):|(?P<line>\n)",
    re.DOTALL,
)
_EMOJI = {
    # Icons rather than emoji: a machine without an emoji font would show boxes.
    "rotating_light": ":red[:material/e911_emergency:]",
    "fire": ":red[:material/local_fire_department:]",
    "warning": ":orange[:material/warning:]",
    "white_check_mark": ":green[:material/check_box:]",
    "heavy_check_mark": ":green[:material/check:]",
    "eyes": ":material/visibility:",
    "red_circle": ":red[:material/circle:]",
    "large_orange_circle": ":orange[:material/circle:]",
    "large_yellow_circle": ":orange[:material/circle:]",
    "large_green_circle": ":green[:material/circle:]",
    "large_blue_circle": ":blue[:material/circle:]",
    "bell": ":material/notifications:",
    "memo": ":material/edit_note:",
    "chart_with_downwards_trend": ":material/trending_down:",
    "chart_with_upwards_trend": ":material/trending_up:",
    "mag": ":material/search:",
    "link": ":material/link:",
    "book": ":material/menu_book:",
    "hourglass": ":material/hourglass_top:",
    "x": ":red[:material/close:]",
}
_SYMBOLS = {
    "\U0001f534": "red_circle",
    "\U0001f7e0": "large_orange_circle",
    "\U0001f7e1": "large_yellow_circle",
    "\U0001f7e2": "large_green_circle",
    "\U0001f535": "large_blue_circle",
    "\U0001f6a8": "rotating_light",
    "\u2705": "white_check_mark",
    "\u26a0": "warning",
}
_TO_ICON = {ord(symbol): _EMOJI[name] for symbol, name in _SYMBOLS.items()}
_EMOJI_NAME = re.compile(r":([a-z0-9_+-]+):")
_SAFE_SCHEMES = ("http://", "https://", "mailto:")


def text_of(part: Any) -> str:
    r"""Return a Slack text object (``mrkdwn`` or ``plain_text``) as Markdown.

    >>> text_of({"type": "plain_text", "text": ":fire: a *b*"})
    ':red[:material/local_fire_department:] a \\*b\\*'
    """
    if not isinstance(part, dict):
        return _shown(str(part or ""))
    text = str(part.get("text", ""))
    if part.get("type") == "mrkdwn":
        return to_markdown(text)
    pieces = _EMOJI_NAME.split(text)
    return "".join(_emoji(p) if i % 2 else _shown(p) for i, p in enumerate(pieces))


def to_markdown(text: str) -> str:
    """Return mrkdwn as Markdown; what is not mrkdwn is shown as it is.

    >>> to_markdown("*SEV1* <http://a/b|open>")
    '**SEV1** [open](http://a/b)'
    """
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        parts.append(_shown(unescape(text[end : token.start()])))
        kind = token.lastgroup or ""
        parts.append(_DRAW[kind](token[kind]))
        end = token.end()
    parts.append(_shown(unescape(text[end:])))
    return "".join(parts)


def _shown(text: str) -> str:
    return escaped(text).translate(_TO_ICON)


def _emoji(name: str) -> str:
    return _EMOJI.get(name, _shown(f":{name}:"))


def _link(inner: str) -> str:
    target, _, label = inner.partition("|")
    if target.startswith(_SAFE_SCHEMES):
        address = target.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
        return f"[{_shown(unescape(label or target))}]({address})"
    # <@U1>, <#C1|name>, <!here>: people, channels and special mentions.
    name = label or target.lstrip("@#!")
    return f"**{_shown((target[:1] if target[:1] in '@#' else '@') + name)}**"


def _wrapped(mark: str) -> Callable[[str], str]:
    return lambda inner: f"{mark}{to_markdown(inner)}{mark}"


def _fenced(inner: str) -> str:
    return "\n```\n" + unescape(inner).strip("\n").replace("```", "") + "\n```\n"


_DRAW: dict[str, Callable[[str], str]] = {
    "block": _fenced,
    "code": lambda inner: code(unescape(inner)),
    "link": _link,
    "bold": _wrapped("**"),
    "italic": _wrapped("*"),
    "strike": _wrapped("~~"),
    "emoji": _emoji,
    "line": lambda _newline: "  \n",
}
