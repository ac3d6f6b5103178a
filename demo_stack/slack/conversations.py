"""The ``conversations.*``, ``users.*`` and ``auth.*`` methods."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from demo_stack.slack.arguments import Arguments
from demo_stack.slack.rendering import Json, api_channel, api_message
from demo_stack.slack.workspace import BOT_ID, BOT_USER, TEAM_ID, Message, SlackError, Workspace


def auth_test(workspace: Workspace, arguments: Arguments) -> Json:
    """``auth.test``: whose token it is."""
    del arguments  # the token has been checked before
    return {
        "url": "https://local.slack.example/",
        "team": "local",
        "user": workspace.users[BOT_USER],
        "team_id": TEAM_ID,
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def users_info(workspace: Workspace, arguments: Arguments) -> Json:
    """``users.info``: one person."""
    user = arguments.required("user", "user_not_found")
    name = workspace.users.get(user)
    if name is None:
        raise SlackError("user_not_found")
    profile = {"real_name": name, "display_name": name}
    is_bot = user == BOT_USER
    return {
        "user": {
            "id": user,
            "team_id": TEAM_ID,
            "name": name,
            "real_name": name,
            "is_bot": is_bot,
            "tz": "Etc/UTC",
            "profile": profile,
        }
    }


def create(workspace: Workspace, arguments: Arguments) -> Json:
    """``conversations.create``: a new public channel."""
    return {"channel": api_channel(workspace.create_channel(arguments.text("name"), BOT_USER))}


def list_channels(workspace: Workspace, arguments: Arguments) -> Json:
    """``conversations.list``: channels in pages."""
    without = arguments.flag("exclude_archived")
    known = [c for c in workspace.channels.values() if not (without and c.archived)]
    channels = [api_channel(channel) for channel in known]
    limit = _limit(workspace, arguments)
    start = _cursor(arguments)
    page = channels[start : start + limit]
    return {"channels": page, **_next(start + limit, len(channels))}


def history(workspace: Workspace, arguments: Arguments) -> Json:
    """``conversations.history``: top-level messages, newest first."""
    channel = workspace.channel(arguments.required("channel", "channel_not_found"))
    messages = [m for m in reversed(channel.messages) if _in_range(m, arguments)]
    return _page(workspace, arguments, messages)


def replies(workspace: Workspace, arguments: Arguments) -> Json:
    """``conversations.replies``: a thread, its parent first, then replies oldest first."""
    channel = workspace.channel(arguments.required("channel", "channel_not_found"))
    root = arguments.required("ts", "thread_not_found")
    parent = next(
        (m for m in channel.messages if root in {m.ts, *(reply.ts for reply in m.replies)}), None
    )
    if parent is None:
        raise SlackError("thread_not_found")
    thread = [parent, *(m for m in parent.replies if _in_range(m, arguments))]
    return _page(workspace, arguments, thread)


def _page(workspace: Workspace, arguments: Arguments, messages: list[Message]) -> Json:
    limit = _limit(workspace, arguments)
    start = _cursor(arguments)
    with_metadata = arguments.flag("include_all_metadata")
    page = messages[start : start + limit]
    return {
        "messages": [api_message(m, with_metadata=with_metadata) for m in page],
        "has_more": start + limit < len(messages),
        **_next(start + limit, len(messages)),
    }


def _in_range(message: Message, arguments: Arguments) -> bool:
    oldest, latest = _bound(arguments, "oldest"), _bound(arguments, "latest")
    stamp = _stamp(message.ts)
    if arguments.flag("inclusive"):
        return (oldest is None or stamp >= oldest) and (latest is None or stamp <= latest)
    return (oldest is None or stamp > oldest) and (latest is None or stamp < latest)


def _bound(arguments: Arguments, name: str) -> tuple[int, int] | None:
    raw = arguments.text(name)
    if not raw or raw == "now":
        return None
    try:
        return _stamp(raw)
    except ValueError as error:
        raise SlackError(f"invalid_ts_{name}") from error


def _stamp(ts: str) -> tuple[int, int]:
    seconds, _, fraction = ts.partition(".")
    return int(seconds), int(fraction.ljust(6, "0")[:6] or "0")


def _limit(workspace: Workspace, arguments: Arguments) -> int:
    maximum = workspace.limits.history_page
    return arguments.integer("limit", 100, minimum=1, maximum=maximum, error="invalid_limit")


def _cursor(arguments: Arguments) -> int:
    raw = arguments.text("cursor")
    if not raw:
        return 0
    try:
        return max(0, int(b64decode(raw, validate=True)))
    except (ValueError, Base64Error) as error:
        raise SlackError("invalid_cursor") from error


def _next(position: int, total: int) -> Json:
    cursor = b64encode(str(position).encode()).decode() if position < total else ""
    return {"response_metadata": {"next_cursor": cursor}}
