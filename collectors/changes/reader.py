"""Announced changes from JSON: a stranger's input, bounded field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from collectors.changes.change import SERVICE, Change, derived_id
from collectors.errors import DecodeError, InputError, TooLargeError
from collectors.json_text import read_plain
from collectors.model import Rejection, Tags

MAX_BODY_BYTES = 1 << 20
MAX_CHANGES = 1_000
MAX_TAGS = 20
MAX_KEY_LENGTH = 120
MAX_FUTURE_MS = 600_000
MAX_DIFF_CHARS = 16_384
"""What is longer is cut: a pipeline that sends all it has must not lose its announcement."""
EARLIEST_MS = 100_000_000_000
"""In 1973: whoever gives an earlier time means seconds."""
LENGTHS = {"id": 200, "kind": 64, "service": 200, "summary": 500, "url": 2_000, "author": 200}
# Control characters, and those that turn the direction of writing.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# Nothing that could end a link early, in Markdown, HTML or a chat's markup.
_URL = re.compile(r"https?://[^\s<>|\"'`\\^{}\[\]()\x00-\x20]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a body said: the changes that can be kept, and why others can't."""

    changes: Sequence[Change]
    rejected: Sequence[Rejection]


class _RefusedError(InputError):
    """One change is refused for a reason that is counted."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def read_changes(body: bytes, now_ms: int) -> Reading:
    """Read one change, a list of them, or ``{"changes": [...]}``.

    Args:
        body: JSON.
        now_ms: The present: the time of a change that gives none.

    Raises:
        DecodeError: Not JSON, or neither an object nor a list.
        TooLargeError: More than ``MAX_CHANGES``.
    """
    changes: list[Change] = []
    rejected: list[Rejection] = []
    for number, entry in enumerate(_entries(body)):
        try:
            changes.append(_change(entry, now_ms))
        except _RefusedError as refused:
            detail = f"changes[{number}]: {refused.message}"
            rejected.append(Rejection(reason=refused.reason, detail=detail))
    return Reading(changes=changes, rejected=rejected)


def _entries(body: bytes) -> Sequence[Any]:
    parsed = read_plain(body)
    if isinstance(parsed, dict) and isinstance(parsed.get("changes"), list):
        parsed = parsed["changes"]
    entries = [parsed] if isinstance(parsed, dict) else parsed
    if not isinstance(entries, list):
        raise DecodeError('the body must be a change such as {"kind": "deploy", "summary": "…"}')
    if len(entries) > MAX_CHANGES:
        raise TooLargeError(f"{len(entries)} changes at once; send at most {MAX_CHANGES}")
    return entries


def _change(entry: Any, now_ms: int) -> Change:
    if not isinstance(entry, dict):
        raise _RefusedError("notAnObject", f"a change is an object, not {str(entry)[:50]!r}")
    scope = _scope(entry.get("scope"))
    service = _text(entry, "service") or scope.get(SERVICE, "")
    # Many tools call the line for people ``text``.
    summary = _text(entry, "summary") or _text(entry, "text", LENGTHS["summary"])
    if not summary:
        raise _RefusedError(
            "summaryMissing", "'summary' is missing; say in a line what was changed"
        )
    time_ms = _time_ms(entry, now_ms)
    change = Change(
        id=_text(entry, "id"),
        time_ms=time_ms,
        kind=_text(entry, "kind") or "change",
        summary=summary,
        service=service,
        scope={**scope, SERVICE: service} if service else scope,
        url=_url(entry),
        author=_text(entry, "author"),
        end_ms=_end_ms(entry, time_ms, now_ms),
        diff=_diff(entry),
    )
    return change if change.id else replace(change, id=derived_id(change))


def _text(entry: Mapping[str, Any], name: str, longest: int = 0) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _RefusedError("notText", f"'{name}' must be text, not {str(value)[:50]!r}")
    text = " ".join(value.split())
    longest = longest or LENGTHS[name]
    if len(text) > longest:
        raise _RefusedError("tooLong", f"'{name}' has {len(text)} characters; at most {longest}")
    if _UNSEEN.search(text):
        raise _RefusedError(
            "notText", f"'{name}' holds characters that can't be shown: {text[:50]!r}"
        )
    return text


def _diff(entry: Mapping[str, Any]) -> str:
    value = entry.get("diff")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _RefusedError("notText", f"'diff' must be text, not {str(value)[:50]!r}")
    # Never shown, so whatever it holds may stay; lone surrogates could not be written down.
    return value[:MAX_DIFF_CHARS].encode("utf-8", "replace").decode()


def _url(entry: Mapping[str, Any]) -> str:
    url = _text(entry, "url")
    if url and not _URL.fullmatch(url):
        raise _RefusedError(
            "urlInvalid", f"'url' must be an http or https address, not {url[:80]!r}"
        )
    return url


def _scope(value: Any) -> Tags:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _RefusedError(
            "scopeInvalid", f"'scope' must be an object of tags, not {str(value)[:50]}"
        )
    if len(value) > MAX_TAGS:
        raise _RefusedError("tagsTooMany", f"'scope' has {len(value)} tags; at most {MAX_TAGS}")
    return {_key(key): _text({"scope." + key: v}, "scope." + key, 255) for key, v in value.items()}


def _key(key: str) -> str:
    if not key or len(key) > MAX_KEY_LENGTH or _UNSEEN.search(key):
        raise _RefusedError("scopeInvalid", f"{key[:50]!r} can't be a tag's key")
    return key


def _time_ms(entry: Mapping[str, Any], now_ms: int) -> int:
    """Return ``time_ms``, or ``time`` in RFC 3339; the end, or the present, if neither is told."""
    given = entry.get("time_ms", entry.get("time"))
    if given is None:
        given = entry.get("end_ms", entry.get("end"))
    return now_ms if given is None else _moment(given, now_ms)


def _end_ms(entry: Mapping[str, Any], start_ms: int, now_ms: int) -> int | None:
    """Return ``end_ms``, or ``end`` in RFC 3339, None while the change goes on."""
    given = entry.get("end_ms", entry.get("end"))
    if given is None:
        return None
    end_ms = _moment(given, now_ms)
    if end_ms < start_ms:
        raise _RefusedError(
            "timeInvalid", f"the change ends at {end_ms}, before it begins at {start_ms}"
        )
    return end_ms


def _moment(given: object, now_ms: int) -> int:
    if isinstance(given, str):
        time_ms = _moment_ms(given)
    elif isinstance(given, int | float) and not isinstance(given, bool):
        time_ms = int(given)
    else:
        raise _RefusedError("timeInvalid", f"{str(given)[:50]!r} is no time")
    if not EARLIEST_MS <= time_ms <= now_ms + MAX_FUTURE_MS:
        raise _RefusedError(
            "timeInvalid",
            f"{time_ms} is no time in epoch milliseconds up to now; a change is announced when it "
            "has been made",
        )
    return time_ms


def _moment_ms(text: str) -> int:
    try:
        moment: datetime | None = datetime.fromisoformat(text[:40])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _RefusedError(
            "timeInvalid", f"{text[:40]!r} is no time; write RFC 3339 such as 2026-11-22T14:00:00Z"
        )
    return int(moment.timestamp() * 1_000)
