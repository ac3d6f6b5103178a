"""A silence: for some time, findings that match ring nobody, since somebody said why. Pure.

Semantics of Alertmanager (``silence/silence.go``): it is pending, active or expired; its matchers
hold together and at least one of them must not match the empty value; what changes more than an
end that is still to come makes a new one of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import cast

from collectors.errors import ConflictError, InputError
from runbooks.alerts.labels import ALERTNAME
from runbooks.alerts.matchers import MAX_MATCHERS, Labels, Matcher, Op, matches_all, written
from runbooks.incidents.events import JsonValue
from tocsin.client.wording import trimmed

MAX_COMMENT = 3_000
MAX_AUTHOR = 80
_SHOWN = 300
OWN_LABELS = (ALERTNAME, "service.name", "service_name")
"""By an exact value of one of these a silence names findings about tocsin itself."""


class SilenceState(StrEnum):
    """Whether it holds."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What findings it holds back, from when until when, and who says why.

    Attributes:
        id: Of its own; made by whoever keeps it.
        matchers: All of them must match.
        starts_ms: From when on, epoch milliseconds.
        ends_ms: Until when, not included.
        updated_ms: When it was last changed.
        author: Who made it.
        comment: Why.
        expired_by: Who ended it before its time; empty: nobody.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_ms: int
    ends_ms: int
    updated_ms: int
    author: str
    comment: str
    expired_by: str = ""

    def state(self, now_ms: int) -> SilenceState:
        """Return whether it holds now."""
        if now_ms < self.starts_ms:
            return SilenceState.PENDING
        return SilenceState.ACTIVE if now_ms < self.ends_ms else SilenceState.EXPIRED

    def matches(self, labels: Labels, *, own: bool = False) -> bool:
        """Whether it speaks of a finding with such labels.

        Args:
            labels: Of the finding.
            own: Whether it is about tocsin itself: that must be named by an exact matcher.
        """
        if own and not names_own(self.matchers):
            return False
        return matches_all(self.matchers, labels)

    def __str__(self) -> str:
        matchers = trimmed(written(self.matchers), _SHOWN, "…")
        return f"{matchers} by {self.author}: {trimmed(self.comment, _SHOWN, '…')}"


def names_own(matchers: Iterable[Matcher]) -> bool:
    """Whether matchers may hide findings about tocsin itself: one is named exactly."""
    return any(matcher.is_exact and matcher.name in OWN_LABELS for matcher in matchers)


def checked(silence: Silence, now_ms: int) -> Silence:
    """Return a silence that may be kept.

    Raises:
        InputError: It has no reason, no author or no end, or would hide everything.
    """
    if not silence.comment.strip():
        raise InputError("a silence needs a comment: why may this ring nobody?")
    if not silence.author.strip():
        raise InputError("a silence needs its author; say who does it")
    if "\0" in silence.comment + silence.author + written(silence.matchers):
        raise InputError("a silence holds NUL, which no database keeps: leave it out")
    if len(silence.comment) > MAX_COMMENT or len(silence.author) > MAX_AUTHOR:
        raise InputError(f"a comment has at most {MAX_COMMENT} characters, an author {MAX_AUTHOR}")
    if len(silence.matchers) > MAX_MATCHERS:
        raise InputError(f"{len(silence.matchers)} matchers are too many; at most {MAX_MATCHERS}")
    if all(matcher.matches({}) for matcher in silence.matchers):
        raise InputError("at least one matcher must not match an empty label; name what to silence")
    if silence.ends_ms <= silence.starts_ms:
        raise InputError("start time must be before end time")
    if silence.ends_ms <= now_ms:
        raise InputError("end time can't be in the past")
    return silence


def may_become(before: Silence, after: Silence, now_ms: int) -> bool:
    """Whether a change leaves it the same silence; otherwise a new one takes its place."""
    if before.matchers != after.matchers:
        return False
    match before.state(now_ms):
        case SilenceState.ACTIVE:
            same_second = before.starts_ms // 1_000 == after.starts_ms // 1_000
            return same_second and after.ends_ms >= now_ms
        case SilenceState.PENDING:
            return after.starts_ms >= now_ms
        case SilenceState.EXPIRED:
            return False


def expired(silence: Silence, by: str, now_ms: int) -> Silence:
    """Return a silence that was ended now.

    Raises:
        ConflictError: It is over already.
    """
    state = silence.state(now_ms)
    if state is SilenceState.EXPIRED:
        raise ConflictError(f"silence {silence.id} already expired")
    starts_ms = now_ms if state is SilenceState.PENDING else silence.starts_ms
    return replace(silence, starts_ms=starts_ms, ends_ms=now_ms, updated_ms=now_ms, expired_by=by)


def silence_to_json(silence: Silence) -> dict[str, JsonValue]:
    """Return a silence as it is stored."""
    matchers: list[JsonValue] = [[m.name, m.op.value, m.value] for m in silence.matchers]
    return {
        "matchers": matchers,
        "starts_ms": silence.starts_ms,
        "updated_ms": silence.updated_ms,
        "author": silence.author,
        "comment": silence.comment,
        "expired_by": silence.expired_by,
    }


def silence_from_json(silence_id: str, ends_ms: int, data: Mapping[str, JsonValue]) -> Silence:
    """Return the silence that :func:`silence_to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError, InputError: It is damaged.
    """
    matchers = cast("list[list[str]]", data["matchers"])
    return Silence(
        id=silence_id,
        matchers=tuple(Matcher(name, Op(op), value) for name, op, value in matchers),
        starts_ms=int(cast("int", data["starts_ms"])),
        ends_ms=ends_ms,
        updated_ms=int(cast("int", data["updated_ms"])),
        author=str(data["author"]),
        comment=str(data["comment"]),
        expired_by=str(data.get("expired_by", "")),
    )
