"""What each answer of Slack's means for a page, and who can mend what is wrong.

Whatever is not a clear success is one of: later (:class:`DelayedError`), who knows
(:class:`UncertainError`), closed until somebody mends it (:class:`ClosedWayError`), or refused for
good (:class:`NotDeliveredError`). A code that is not known closes the way: it is tried again.

Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from collectors.errors import TocsinError
from runbooks.notifiers.delivery import (
    ClosedWayError,
    DelayedError,
    MessageGoneError,
    NotDeliveredError,
    RateLimitedError,
    UncertainError,
)

_CODE = re.compile(r"[a-z0-9_]{1,80}")
LATE_S = 30.0
"""A request that timed out may still arrive: a proxy holds it. It is not sent again before."""

PAGE, MAX_PAGES = 200, 20
MAX_WAIT_S = 600
"""A longer pause than Slack ever asks for."""

BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
"""Certainly not posted; the same without blocks may go through, and a plain page beats none."""

MAYBE_DONE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Slack says of these that some of the work may have been done."""

GONE = frozenset({"message_not_found", "thread_not_found"})
"""Somebody deleted the incident's message."""

MAYBE_LATER = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
FOR_GOOD = frozenset(
    {
        *("msg_too_long", "no_text", "too_many_attachments", "invalid_metadata_format"),
        *("metadata_too_large", "cant_update_message", "edit_window_closed", "cannot_reply"),
    }
)
"""About this one message: the next may well be taken."""

_RENEW = "an administrator of Slack reinstalls the app and sets TOCSIN_SLACK_BOT_TOKEN anew"
_SCOPE = "add the scope to the Slack app ('OAuth & Permissions') and reinstall it"
_INVITE = "invite the app into the channel: /invite @tocsin"
_CHANNEL = "see to the channel in routes.yaml, create it, or invite the app if it is private"
_ALLOWED = "an administrator of Slack lets the app post there (channel management, restrictions)"
_BETWEEN = (
    "something between us and Slack answers in its place: see to the proxy and slack_base_url"
)

REMEDIES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"),
            *("access_denied", "org_login_required", "user_removed_from_team", "team_not_found"),
            *("two_factor_setup_required", "not_allowed_token_type", "app_missing_action_url"),
        ),
        _RENEW,
    ),
    **dict.fromkeys(("missing_scope", "no_permission", "invalid_scopes"), _SCOPE),
    **dict.fromkeys(("not_in_channel", "method_not_supported_for_channel_type"), _INVITE),
    "channel_not_found": _CHANNEL,
    "is_archived": "unarchive the channel, or name another one in routes.yaml",
    **dict.fromkeys(
        (
            *("restricted_action", "restricted_action_read_only_channel"),
            *("restricted_action_thread_only_channel", "restricted_action_thread_locked"),
            *("restricted_action_non_threadable_channel", "ekm_access_denied"),
            *("team_access_not_granted", "cannot_post_to_channel", "messages_tab_disabled"),
        ),
        _ALLOWED,
    ),
}
"""By Slack's code: what to do, and who can."""


class RefusedBlocksError(NotDeliveredError):
    """Slack refused the blocks, and so the whole message."""


def posting(call: Callable[[], SlackResponse]) -> SlackResponse:
    """Run a call that must not be repeated blindly."""
    try:
        return call()
    except SlackApiError as error:
        raise translated(error, repeatable=False) from error
    except (SlackClientError, OSError, HTTPException, ValueError) as error:
        if _never_arrived(error):
            raise DelayedError(f"Slack can't be reached: {error}", retry_after_s=2) from error
        late_s = LATE_S if _timed_out(error) else 0.0
        raise UncertainError(f"Slack's answer was lost: {error!r}", late_s=late_s) from error


def reaching(call: Callable[[], object]) -> None:
    """Run something that slack-sdk does with Slack and that may be repeated."""
    try:
        call()
    except SlackApiError as error:
        raise translated(error, repeatable=True) from error
    except Exception as error:
        raise DelayedError(f"Slack can't be reached: {error!r}", retry_after_s=2) from error


def reading(call: Callable[[], SlackResponse]) -> SlackResponse:
    """Run a call that may be repeated."""
    try:
        return call()
    except SlackApiError as error:
        raise translated(error, repeatable=True) from error
    except (SlackClientError, OSError, HTTPException, ValueError) as error:
        raise DelayedError(f"Slack can't be reached: {error!r}", retry_after_s=2) from error


def pages(read: Callable[[str], SlackResponse], what: str) -> Iterator[Mapping[str, Any]]:
    """Yield the items of all pages; more than can be gone through can't be told."""
    cursor = ""
    for _ in range(MAX_PAGES):
        answer = reading(lambda at=cursor: read(at))  # type: ignore[misc]  # binds the cursor
        yield from answer.get(what) or []
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return
    raise DelayedError(f"more than {PAGE * MAX_PAGES} {what} to look through", retry_after_s=60)


def translated(error: SlackApiError, *, repeatable: bool) -> TocsinError:
    """Return what an answer that is no clear success stands for.

    Args:
        error: As slack-sdk raises it.
        repeatable: Whether the call may be repeated although it may have been done.
    """
    status, headers, code = _parts(error.response)
    if status == 429 or code in MAYBE_LATER:
        wait_s = _wait_s(headers)
        return RateLimitedError(f"Slack limits the rate; wait {wait_s} s", retry_after_s=wait_s)
    if code in BAD_BLOCKS:
        return RefusedBlocksError(f"Slack refused the blocks: {code} {error}")
    if code in GONE:
        return MessageGoneError(f"the incident's message is gone: {code}")
    if code in FOR_GOOD:
        return NotDeliveredError(f"Slack refused the message: {code}")
    if status >= 500 or code in MAYBE_DONE or (not code and 200 <= status < 300):
        # An answer without a code is not Slack's; a 2xx may come from whoever passed the page on.
        strange = f"; {_BETWEEN}" if not code and status < 500 else ""
        reason = f"Slack answered {status} {code}".strip() + strange
        if repeatable:
            return DelayedError(reason, retry_after_s=2)
        return UncertainError(reason, late_s=LATE_S if status == 504 else 0.0)
    if not code:
        return ClosedWayError(f"Slack answered {status} without a reason; {_BETWEEN}")
    remedy = REMEDIES.get(code, "see docs.slack.dev for the code")
    return ClosedWayError(f"Slack refused it: {code}; {remedy}", code)


def _wait_s(headers: Mapping[str, str]) -> int:
    asked = str(headers.get("Retry-After", headers.get("retry-after", "1")))
    return min(int(asked), MAX_WAIT_S) if asked.isascii() and asked.isdigit() else 1


def _parts(response: object) -> tuple[int, Mapping[str, str], str]:
    """Return HTTP status, headers and Slack's error code of either form the SDK gives."""
    if isinstance(response, SlackResponse):
        data = response.data
        code = data.get("error", "") if isinstance(data, dict) else ""
        return response.status_code, response.headers, _code(code)
    if isinstance(response, dict):
        status, headers = response.get("status", 0), response.get("headers", {})
        return int(status), headers, _code(response.get("error"))
    return 0, {}, ""


def _code(error: object) -> str:
    """Return a code of Slack's; slack-sdk puts a sentence of its own where there is none."""
    return error if isinstance(error, str) and _CODE.fullmatch(error) else ""


def _never_arrived(error: BaseException) -> bool:
    """Whether the connection was never made, so that nothing can have been posted."""
    cause = error.reason if isinstance(error, URLError) else error
    return isinstance(cause, ConnectionRefusedError | socket.gaierror)


def _timed_out(error: BaseException) -> bool:
    cause = error.reason if isinstance(error, URLError) else error
    return isinstance(cause, TimeoutError)
