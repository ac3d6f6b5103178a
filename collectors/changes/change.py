"""A change: what was done, where and when, and where to read more about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from collectors.errors import DecodeError
from collectors.model import Tags

SERVICE = "service.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that was changed on purpose.

    Attributes:
        id: Stable: the same change announced twice is one.
        time_ms: When it took effect, or began to where that takes a while, epoch milliseconds.
        kind: Such as ``deploy``, ``scale``, ``failover``, ``flag``.
        summary: One line for people.
        service: What was changed; empty when it is not one service.
        scope: Tags that narrow down where, the service among them.
        url: Where to read more; empty when there is nothing.
        author: Who announced it; never shown in a page or a post-mortem.
        end_ms: When it was done, epoch milliseconds; None while that has not been told.
        diff: What it does to the code; "" when not told or no longer kept. Never shown.
        compared: How its service does since, against before; "" while that is not known.
        compared_ms: When that was found, epoch milliseconds; 0 for never.
    """

    id: str
    time_ms: int
    kind: str
    summary: str
    service: str = ""
    scope: Tags = field(default_factory=dict)
    url: str = ""
    author: str = ""
    end_ms: int | None = None
    diff: str = ""
    compared: str = ""
    compared_ms: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return every field to be shown, those that may not be known only where they are."""
        end: dict[str, Any] = {} if self.end_ms is None else {"end_ms": self.end_ms}
        if self.compared:
            end |= {"compared": self.compared, "compared_ms": self.compared_ms}
        return {
            "id": self.id,
            "time_ms": self.time_ms,
            "kind": self.kind,
            "summary": self.summary,
            "service": self.service,
            "scope": dict(self.scope),
            "url": self.url,
            "author": self.author,
            **end,
        }

    def to_record(self) -> dict[str, Any]:
        """Return every field, to be kept."""
        return self.to_json() | ({"diff": self.diff} if self.diff else {})

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Change:
        """Return the change that :meth:`to_record` or :meth:`to_json` wrote.

        Raises:
            DecodeError: A field is missing or of another type.
        """
        try:
            return cls(
                id=str(fields["id"]),
                time_ms=int(fields["time_ms"]),
                kind=str(fields["kind"]),
                summary=str(fields["summary"]),
                service=str(fields.get("service", "")),
                scope={str(k): str(v) for k, v in dict(fields.get("scope", {})).items()},
                url=str(fields.get("url", "")),
                author=str(fields.get("author", "")),
                end_ms=None if fields.get("end_ms") is None else int(fields["end_ms"]),
                diff=str(fields.get("diff", "")),
                compared=str(fields.get("compared", "")),
                compared_ms=int(fields.get("compared_ms", 0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DecodeError(f"no change: {error!r}") from error


def derived_id(change: Change) -> str:
    """Return an id made of everything else: told again, it is the same change."""
    parts = [str(change.time_ms), change.kind, change.summary, change.url, change.author]
    parts += [part for pair in sorted(change.scope.items()) for part in pair]
    return blake2b("\x00".join(parts).encode(), digest_size=12).hexdigest()


def told_again(known: Change, again: Change) -> Change:
    """Return what is known of a change once another telling of the same id has come.

    The first telling stands; a later one may add, once, when the change was done, and say so in
    its own words. How it compares may be found again and again; the newest stands.
    """
    if again.compared_ms > known.compared_ms:
        known = replace(known, compared=again.compared, compared_ms=again.compared_ms)
    if again.end_ms is None or known.end_ms is not None or again.end_ms < known.time_ms:
        return known
    return replace(known, end_ms=again.end_ms, summary=again.summary)
