"""A change: what was done, where and when, and where to read more about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
        time_ms: When it took effect, epoch milliseconds.
        kind: Such as ``deploy``, ``scale``, ``failover``, ``flag``.
        summary: One line for people.
        service: What was changed; empty when it is not one service.
        scope: Tags that narrow down where, the service among them.
        url: Where to read more; empty when there is nothing.
        author: Who announced it; never shown in a page or a post-mortem.
    """

    id: str
    time_ms: int
    kind: str
    summary: str
    service: str = ""
    scope: Tags = field(default_factory=dict)
    url: str = ""
    author: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return every field."""
        return {
            "id": self.id,
            "time_ms": self.time_ms,
            "kind": self.kind,
            "summary": self.summary,
            "service": self.service,
            "scope": dict(self.scope),
            "url": self.url,
            "author": self.author,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Change:
        """Return the change that :meth:`to_json` wrote.

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
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DecodeError(f"no change: {error!r}") from error


def derived_id(change: Change) -> str:
    """Return an id made of everything else: told again, it is the same change."""
    parts = [str(change.time_ms), change.kind, change.summary, change.url, change.author]
    parts += [part for pair in sorted(change.scope.items()) for part in pair]
    return blake2b("\x00".join(parts).encode(), digest_size=12).hexdigest()
