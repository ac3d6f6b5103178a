"""What all tabs of one viewer share: connections, answers, and what asks ahead."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.feed import Feed
from tocsin.client.client import ApiClient
from tocsin.client.together.transport import Together


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One client and one feed over it.

    Attributes:
        api: Asks one by one, and finds what was asked ahead.
        feed: The last good answers.
        together: Asks ahead.
    """

    api: ApiClient
    feed: Feed
    together: Together

    @classmethod
    def of(cls, url: str, *, token: str, person: str, ca: str, timeout_s: float) -> Shared:
        """Return what asks the API at ``url``, as :class:`ApiClient` does."""
        together = Together(url, timeout_s=timeout_s, token=token, person=person, ca=ca)
        api = ApiClient(url, transport=together)
        return cls(api=api, feed=Feed(together=together), together=together)

    def close(self) -> None:
        """Close the connections."""
        self.api.close()
